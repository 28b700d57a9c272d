//! What can go wrong in a flow, by what the caller can do about it.

use std::path::{Path, PathBuf};

use regulars_core::{CivilDate, Currency, Timestamp};
use regulars_ingest::IngestError;
use regulars_store::StoreError;
use regulars_store::vault::IdentityKind;

/// Why a flow stopped.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// Choose another directory.
    #[error("`{}` is a workspace already: choose another directory", .root.display())]
    WorkspaceExists {
        /// The directory.
        root: PathBuf,
    },
    /// Make a workspace or go to one.
    #[error(
        "no workspace in `{}` or above it: make one with `regulars init NAME`, or look at a file with `regulars try FILE`",
        .start.display()
    )]
    NoWorkspace {
        /// Where the search began.
        start: PathBuf,
    },
    /// Correct the destination.
    #[error("{0}")]
    Destination(String),
    /// The operating system gives no thread.
    #[error("cannot start a thread: {source}")]
    Thread {
        /// What the system said.
        source: std::io::Error,
    },
    /// Correct the settings.
    #[error("`{}`: {message}", .path.display())]
    Config {
        /// The file of settings or of segments.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// Set the currency back, or make another workspace.
    #[error(
        "`{}` says that `workspace.currency` is {asked}, but the data is in {stored}: set it back to {stored}, or make a workspace in {asked} and import into it",
        .path.display()
    )]
    OtherCurrency {
        /// The settings file.
        path: PathBuf,
        /// Currency of the stored amounts.
        stored: Currency,
        /// Currency of the settings.
        asked: Currency,
    },
    /// Correct the segment.
    #[error("segment `{name}`: {message}")]
    Segment {
        /// Name of the segment.
        name: String,
        /// What is wrong, and where.
        message: String,
    },
    /// Correct the rule.
    #[error("{0}")]
    Rule(String),
    /// Nothing of that name.
    #[error("{what} `{name}` not found{hint}")]
    NotFound {
        /// Kind of the thing.
        what: &'static str,
        /// Its name.
        name: String,
        /// A near name, or what to do.
        hint: String,
    },
    /// Say which kind of name is meant.
    #[error(
        "`{name}` is {}: say which one is meant, with `--kind {}` ({} over the API)",
        in_words(.kinds),
        listed(.kinds, ""),
        listed(.kinds, "?kind=")
    )]
    SeveralKinds {
        /// The name.
        name: String,
        /// What it is.
        kinds: Vec<IdentityKind>,
    },
    /// Look at the rejected rows.
    #[error(
        "{rejected} of {rows} rows of `{file}` cannot be read ({percent} %), more than `import.max_rejected_share` allows{}; nothing was imported; `--allow-rejects` takes the others",
        see(.rejects.as_deref())
    )]
    TooManyRejects {
        /// The file.
        file: String,
        /// Rows that cannot be read.
        rejected: u64,
        /// Rows of the file.
        rows: u64,
        /// Share in per cent, rounded.
        percent: u64,
        /// Where they are, with reasons, if they are kept.
        rejects: Option<PathBuf>,
    },
    /// Add rates.
    #[error(
        "amounts in {currency}, but the workspace is in {own} and has no rate: add one to regulars.toml, such as `[rates]` `{currency} = [{{ from = \"2020-01-01\", rate = \"0.9\" }}]` ({own} for one {currency}), or make a workspace in {currency}"
    )]
    NoRate {
        /// Currency of the amounts.
        currency: Currency,
        /// Currency of the workspace.
        own: Currency,
    },
    /// Add rates or split the file.
    #[error("{0}")]
    Currency(String),
    /// Restore the history from a backup.
    #[error("what the history declares of a customer is damaged: {0}: restore it from a backup")]
    Declared(serde_json::Error),
    /// Import something first.
    #[error("no orders yet: import some with `regulars import FILE`")]
    NoOrders,
    /// Give a later moment.
    #[error("no orders up to {as_of}: the first is of {first} (`--as-of` says what now is)")]
    NoOrdersThen {
        /// The moment looked at, in UTC.
        as_of: Timestamp,
        /// Day of the first order.
        first: CivilDate,
    },
    /// Give another day.
    #[error("a holdout cannot begin on {given}: {valid}")]
    HoldoutOutOfRange {
        /// The day asked for.
        given: String,
        /// What is possible, for a person.
        valid: String,
    },
    /// Fit again.
    #[error(
        "the fit in the log (record {offset}) is of another version ({message}): run `regulars score` again"
    )]
    OldFit {
        /// Offset of the record.
        offset: u64,
        /// What does not fit.
        message: String,
    },
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file was refused.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// A model cannot be fitted.
    #[error("cannot fit: {0}")]
    Fit(#[from] regulars_stats::StatsError),
}

fn see(rejects: Option<&Path>) -> String {
    rejects.map_or(String::new(), |path| format!(": see `{}`", path.display()))
}

fn in_words(kinds: &[IdentityKind]) -> String {
    let words = kinds.iter().map(|kind| kind.in_words());
    words.collect::<Vec<_>>().join(" and ")
}

fn listed(kinds: &[IdentityKind], before: &str) -> String {
    let names = kinds.iter().map(|kind| format!("{before}{}", kind.name()));
    names.collect::<Vec<_>>().join("|")
}
