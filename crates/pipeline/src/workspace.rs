//! A workspace: a directory with `regulars.toml`, `segments/` and `data/`.

use std::fs;
use std::path::{Path, PathBuf};

use regulars_store::{Store, StoreOptions};

use crate::config::Config;
use crate::error::PipelineError;

/// Name of the settings file that makes a directory a workspace.
pub const CONFIG_FILE: &str = "regulars.toml";

/// A directory with settings and data.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
    config: Config,
}

impl Workspace {
    /// Makes a workspace in `root`: settings with every key documented, and an empty store.
    ///
    /// # Errors
    /// When there is one already, or the directory cannot be written.
    pub fn init(root: &Path, config: Config) -> Result<Self, PipelineError> {
        let file = root.join(CONFIG_FILE);
        if file.exists() {
            return Err(PipelineError::WorkspaceExists {
                root: root.to_owned(),
            });
        }
        let written = |path: &Path| {
            let path = path.to_owned();
            move |source| PipelineError::Write { path, source }
        };
        fs::create_dir_all(root.join("segments")).map_err(written(root))?;
        Store::create(&root.join("data"), &StoreOptions::default())?;
        // Last, so that a directory with this file is a whole workspace.
        fs::write(&file, config.to_documented_toml()).map_err(written(&file))?;
        Ok(Self {
            root: root.to_owned(),
            config,
        })
    }

    /// The workspace that `start` lies in: the nearest directory upwards with `regulars.toml`.
    ///
    /// # Errors
    /// When there is none, or its settings cannot be read.
    pub fn find(start: &Path) -> Result<Self, PipelineError> {
        let start = start.canonicalize().map_err(|source| {
            let start = start.to_owned();
            if source.kind() == std::io::ErrorKind::NotFound {
                return PipelineError::NoWorkspace { start };
            }
            PipelineError::Read {
                path: start,
                source,
            }
        })?;
        let root = start
            .ancestors()
            .find(|directory| directory.join(CONFIG_FILE).is_file())
            .ok_or_else(|| PipelineError::NoWorkspace {
                start: start.clone(),
            })?;
        let file = root.join(CONFIG_FILE);
        let text = fs::read_to_string(&file).map_err(|source| PipelineError::Read {
            path: file.clone(),
            source,
        })?;
        let config = Config::parse(&text).map_err(|message| PipelineError::Config {
            path: file,
            message,
        })?;
        Ok(Self {
            root: root.to_owned(),
            config,
        })
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The same workspace seen through other settings; nothing is written.
    pub fn with_config(&self, config: Config) -> Self {
        Self {
            root: self.root.clone(),
            config,
        }
    }

    /// Where the data is.
    pub fn data_dir(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Where the user's own segments are.
    pub fn segments_dir(&self) -> PathBuf {
        self.root.join("segments")
    }

    /// Where imports leave the rows that they could not take.
    pub fn rejects_dir(&self) -> PathBuf {
        self.root.join("rejects")
    }

    /// Opens the data for reading.
    ///
    /// # Errors
    /// When it is damaged, of an unknown version, being written by another process, or in another
    /// currency than the settings.
    pub fn open_read(&self) -> Result<Store, PipelineError> {
        let mut store = Store::open_read(&self.root.join("data"), &StoreOptions::default())?;
        self.check_currency(&store)?;
        store.block_identities(self.config.identity.blocked());
        Ok(store)
    }

    /// Opens the data for writing.
    ///
    /// # Errors
    /// When it is damaged, of an unknown version, in use by another process, or in another currency
    /// than the settings.
    pub fn open(&self) -> Result<Store, PipelineError> {
        let mut store = Store::open(&self.root.join("data"), &StoreOptions::default())?;
        self.check_currency(&store)?;
        store.block_identities(self.config.identity.blocked());
        Ok(store)
    }

    /// Stored amounts have no currency of their own: other settings would only relabel them.
    fn check_currency(&self, store: &Store) -> Result<(), PipelineError> {
        let asked = self.config.workspace.currency;
        match store.currency() {
            Some(stored) if stored != asked => Err(PipelineError::OtherCurrency {
                path: self.root.join(CONFIG_FILE),
                stored,
                asked,
            }),
            Some(_) | None => Ok(()),
        }
    }
}
