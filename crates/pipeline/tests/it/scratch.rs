//! A workspace in a directory that goes away, and the flows on it in a line each.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use regulars_core::{Currency, Timestamp};
use regulars_ingest::ReadOptions;
use regulars_pipeline::{
    Base, Catalogue, Config, DryRun, FileForm, FoldOptions, ImportOptions, ImportReport,
    PipelineError, RejectPolicy, RepeatPolicy, Report, ScoreOptions, Silent, Workspace, as_of,
    by_external_id, dry_run, generate, import, report, row, score,
};
use regulars_shop::{Shop, ShopOptions};
use serde_json::Value;
use tempfile::TempDir;

/// When imports happen in tests.
pub(crate) const RECORDED_AT: Timestamp = Timestamp(1_800_000_000_000);

/// A workspace for a test.
pub(crate) struct Scratch {
    directory: TempDir,
    pub(crate) workspace: Workspace,
    pub(crate) threads: usize,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self::with_config(Config::new("test", Currency::new("USD").unwrap(), "UTC"))
    }

    pub(crate) fn with_config(config: Config) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let workspace = Workspace::init(&directory.path().join("shop"), config).unwrap();
        Self {
            directory,
            workspace,
            threads: 2,
        }
    }

    /// A file in the test's directory.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn read_options(&self) -> ReadOptions {
        let config = self.workspace.config();
        ReadOptions::new(config.workspace.currency, config.zone())
    }

    pub(crate) fn options(&self) -> ImportOptions {
        ImportOptions {
            read: self.read_options(),
            source: "shop".to_owned(),
            rejects: RejectPolicy::Limit,
            repeats: RepeatPolicy::Skip,
            recorded_at: RECORDED_AT,
            threads: self.threads,
            commits: Arc::default(),
        }
    }

    pub(crate) fn try_import(&self, files: &[PathBuf]) -> Result<ImportReport, PipelineError> {
        self.import_with(files, &self.options())
    }

    pub(crate) fn import_with(
        &self,
        files: &[PathBuf],
        options: &ImportOptions,
    ) -> Result<ImportReport, PipelineError> {
        let mut store = self.workspace.open()?;
        import(&self.workspace, &mut store, files, options, &Silent)
    }

    pub(crate) fn dry_run(&self, files: &[PathBuf]) -> Result<DryRun, PipelineError> {
        let store = self.workspace.open_read()?;
        dry_run(&self.workspace, &store, files, &self.options(), &Silent)
    }

    pub(crate) fn import(&self, files: &[PathBuf]) -> ImportReport {
        self.try_import(files).unwrap()
    }

    pub(crate) fn catalogue(&self) -> Catalogue {
        let directory = self.workspace.segments_dir();
        Catalogue::load(self.workspace.config(), Some(&directory)).unwrap()
    }

    pub(crate) fn now(&self, as_of_text: Option<&str>) -> Timestamp {
        let config = self.workspace.config();
        let given = as_of_text.map(|text| config.zone().parse_instant(text).unwrap());
        as_of(&self.workspace.open_read().unwrap(), config, given)
            .unwrap()
            .0
    }

    pub(crate) fn score(&self, as_of: Option<&str>, holdout_from: Option<&str>) -> Base {
        let config = self.workspace.config();
        let zone = config.zone();
        let options = ScoreOptions {
            now: self.now(as_of),
            holdout_from: holdout_from.map(|text| zone.parse_instant(text).unwrap()),
            recorded_at: RECORDED_AT,
            threads: self.threads,
        };
        let mut store = self.workspace.open().unwrap();
        score(&mut store, config, &self.catalogue(), options, &Silent).unwrap()
    }

    pub(crate) fn fold(&self, as_of: Option<&str>) -> Base {
        self.fold_at(self.now(as_of))
    }

    pub(crate) fn fold_at(&self, now: Timestamp) -> Base {
        let options = FoldOptions::at(now, self.threads);
        let store = self.workspace.open_read().unwrap();
        Base::fold(
            &store,
            self.workspace.config(),
            &self.catalogue(),
            options,
            &Silent,
        )
        .unwrap()
    }

    pub(crate) fn report(&self, base: &Base) -> Report {
        let store = self.workspace.open_read().unwrap();
        let config = self.workspace.config();
        let (_, reason) = as_of(&store, config, None).unwrap();
        report(&store, config, base, reason, self.threads, &Silent).unwrap()
    }

    /// Everything that a user can see of everyone, as text: the report and each customer's traits
    /// and segments. What the imports looked like is left out.
    pub(crate) fn picture(&self, as_of: Option<&str>) -> String {
        let base = self.fold(as_of);
        let mut report = serde_json::to_value(self.report(&base)).unwrap();
        for key in [
            "imports",
            "rows",
            "conflicting_versions",
            "reassigned_orders",
        ] {
            report["quality"][key] = Value::Null;
        }
        let store = self.workspace.open_read().unwrap();
        let everyone = (0..base.customers.len()).collect();
        let named = by_external_id(&store, &base, everyone).unwrap();
        let traits: Vec<_> = regulars_core::Trait::all()
            .iter()
            .map(|def| def.id)
            .collect();
        let mut text = format!("{report:#}\n");
        for (id, index) in named {
            text.push_str(&Value::Object(row(&base, &id, index, &traits)).to_string());
            let view = regulars_pipeline::view(&store, &base, index).unwrap();
            text.push_str(&serde_json::to_string(&view).unwrap());
            text.push('\n');
        }
        text
    }
}

/// The made-up shop as files.
pub(crate) fn shop_files(scratch: &Scratch, customers: u32) -> Vec<PathBuf> {
    let shop = Shop::new(ShopOptions {
        customers,
        ..ShopOptions::default()
    })
    .unwrap();
    let directory = scratch.path().join("files");
    generate(&shop, &directory, FileForm::Csv, 2, &Silent)
        .unwrap()
        .0
}

/// A workspace for the made-up shop.
pub(crate) fn shop_workspace() -> Scratch {
    let options = ShopOptions::default();
    Scratch::with_config(Config::new(
        "made-up",
        options.currency,
        options.zone.name(),
    ))
}
