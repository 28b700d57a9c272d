//! Segments of the workspace, made, changed and removed one at a time: each a file `NAME.toml`.
//!
//! A change is checked with all other segments before anything is written, and written as a whole.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use regulars_core::{SegmentName, Symbols};
use regulars_rules::Keep;

use super::files::{self, SegmentEntry, SegmentFile};
use super::{Catalogue, Origin};
use crate::error::PipelineError;
use crate::workspace::Workspace;

/// What a segment shall be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentDraft {
    /// Its name for a person; by default its name.
    #[serde(default)]
    pub title: Option<String>,
    /// Who belongs to it.
    pub rule: String,
    /// What it means.
    #[serde(default)]
    pub meaning: String,
    /// What to do, one thing each.
    #[serde(default)]
    pub play: Vec<String>,
}

/// A checked change of the workspace's segments, to be written.
#[derive(Debug)]
pub struct SegmentEdit {
    path: PathBuf,
    /// What the file is to say; `None` when it is to go.
    text: Option<String>,
}

impl SegmentEdit {
    /// Makes or replaces a segment. One with the name of a ready-made segment replaces that.
    ///
    /// # Errors
    /// When the rule does not make sense, or would with others go in a circle; or when a file with
    /// several segments defines it.
    pub fn define(
        workspace: &Workspace,
        name: &SegmentName,
        draft: SegmentDraft,
    ) -> Result<Self, PipelineError> {
        let entry = SegmentEntry {
            name: name.clone(),
            title: draft.title,
            rule: draft.rule,
            meaning: draft.meaning,
            play: draft.play,
        };
        let path = own_file(workspace, name)?;
        let text = toml::to_string(&SegmentFile {
            segment: vec![entry.clone()],
        });
        let text = text.map_err(|error| PipelineError::Segment {
            name: name.to_string(),
            message: error.to_string(),
        })?;
        check(workspace, name, Some(entry))?;
        Ok(Self {
            path,
            text: Some(text),
        })
    }

    /// Removes a segment; one that replaces a ready-made segment gives way to it again.
    ///
    /// # Errors
    /// When the workspace defines no such segment, another refers to it, or a file with several
    /// segments defines it.
    pub fn remove(workspace: &Workspace, name: &SegmentName) -> Result<Self, PipelineError> {
        let catalogue = Catalogue::load(workspace.config(), Some(&workspace.segments_dir()))?;
        let segment = catalogue.get(name.as_str())?;
        if segment.origin != Origin::Workspace {
            return Err(PipelineError::Segment {
                name: name.to_string(),
                message: "ready-made segments stay: define one of the same name to replace it"
                    .to_owned(),
            });
        }
        let path = own_file(workspace, name)?;
        check(workspace, name, None)?;
        Ok(Self { path, text: None })
    }

    /// Writes the change: all of it or nothing.
    ///
    /// # Errors
    /// When the file cannot be written or removed.
    pub fn write(self) -> Result<(), PipelineError> {
        let failed = |source| PipelineError::Write {
            path: self.path.clone(),
            source,
        };
        let directory = self.path.parent().unwrap_or(Path::new("."));
        // What the name stands for is durable only when its directory is.
        let sync = || fs::File::open(directory)?.sync_all();
        let Some(text) = &self.text else {
            let removed = fs::remove_file(&self.path).and_then(|()| sync());
            return removed.map_err(failed);
        };
        fs::create_dir_all(directory).map_err(failed)?;
        let beside = self.path.with_extension("toml.new");
        let write = || {
            let mut file = fs::File::create(&beside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, &self.path)?;
            sync()
        };
        write().map_err(failed)
    }
}

/// The file that a segment has to itself.
fn own_file(workspace: &Workspace, name: &SegmentName) -> Result<PathBuf, PipelineError> {
    let directory = workspace.segments_dir();
    let path = directory.join(format!("{name}.toml"));
    for (file, text) in files::segment_files(&directory)? {
        let entries = files::parse_file(&file, &text)?;
        let defines = entries.iter().any(|entry| entry.name == *name);
        let is_own = path.as_path() == std::path::Path::new(&file);
        let message = match (defines, is_own, entries.len()) {
            (true, false, _) => format!("it is defined in `{file}`: change it there"),
            (_, true, 2..) => format!("`{file}` defines others as well: change it there"),
            (false, true, 1) => format!("`{file}` defines another segment: rename that file"),
            _ => continue,
        };
        return Err(PipelineError::Segment {
            name: name.to_string(),
            message,
        });
    }
    Ok(path)
}

/// Checks that all segments make sense with this change.
fn check(
    workspace: &Workspace,
    name: &SegmentName,
    changed: Option<SegmentEntry>,
) -> Result<(), PipelineError> {
    let config = workspace.config();
    let entries = files::entries(config, Some(&workspace.segments_dir()))?;
    let ready_made = files::entries(config, None)?;
    let before = entries
        .into_iter()
        .filter(|known| known.entry.name != *name);
    let own = changed.map(|entry| files::Entry {
        family: files::OWN.to_owned(),
        origin: Origin::Workspace,
        file: None,
        entry,
    });
    let instead = own.or_else(|| {
        let mut ready_made = ready_made.into_iter();
        ready_made.find(|known| known.entry.name == *name)
    });
    let catalogue = Catalogue::of(config, before.chain(instead).collect())?;
    catalogue.compile(&Symbols::default(), Keep::Needed)?;
    Ok(())
}
