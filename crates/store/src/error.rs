//! What can go wrong with a data directory, and what the caller can do about it.

use std::io;
use std::path::{Path, PathBuf};

use regulars_core::Currency;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no data directory here: create one.
    #[error("`{}` is not a data directory of Regulars: it has no `FORMAT` file", .0.display())]
    NotAStore(PathBuf),
    /// There is one already: open it.
    #[error("`{}` is a data directory already", .0.display())]
    AlreadyAStore(PathBuf),
    /// Another process holds the lock: wait for it.
    #[error("another process is using `{}`: try again when it has ended", .0.display())]
    InUse(PathBuf),
    /// The store was opened for reading only.
    #[error("`{}` was opened for reading only", .0.display())]
    ReadOnly(PathBuf),
    /// A newer (or no) Regulars wrote this: use the version that did.
    #[error(
        "`{}` is a {what} of version {found}, this program knows version {known}: \
         use the version of Regulars that wrote it", path.display()
    )]
    UnknownVersion {
        /// The file.
        path: PathBuf,
        /// Kind of file.
        what: &'static str,
        /// What it says.
        found: String,
        /// What this program writes and reads.
        known: u32,
    },
    /// A record of the log that this program does not know.
    #[error(
        "record {offset} of the log is `{kind}`, which this program does not know: \
         use the version of Regulars that wrote it"
    )]
    UnknownRecord {
        /// Its offset.
        offset: u64,
        /// Type and version, as written.
        kind: String,
    },
    /// The bytes are not what was written: restore the file from a backup.
    #[error("`{}` is damaged: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and how.
        detail: String,
    },
    /// A file that is listed is gone: restore it from a backup. A reader
    /// [beside](crate::Store::beside) the one who writes begins again: what the file held lies elsewhere by now.
    #[error("`{}` is missing, though the manifest lists it", .0.display())]
    Missing(PathBuf),
    /// The key does not open the vault: give the right one.
    #[error("`{}` does not open the vault: {detail}", path.display())]
    MasterKey {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Sealed data that this identity's key does not open.
    #[error("sealed data of an identity cannot be opened: {0}")]
    Sealed(&'static str),
    /// A value that many visitors share cannot identify one of them: leave it out.
    #[error("`{0}` cannot identify a customer")]
    BlockedIdentity(String),
    /// Amounts are minor units of one currency: convert before writing.
    #[error("the history is in {stored}, it cannot take amounts in {asked}")]
    OtherCurrency {
        /// Currency of the stored amounts.
        stored: Currency,
        /// Currency asked for.
        asked: Currency,
    },
    /// Rows must come sorted and in their own partition.
    #[error("row {row} of `{}` is out of place: {detail}", path.display())]
    Misplaced {
        /// The file being written.
        path: PathBuf,
        /// Position of the row, from 0.
        row: u64,
        /// What is wrong with it.
        detail: &'static str,
    },
    /// Values that do not fit the declared columns of an exported table.
    #[error("column `{column}` of an exported table: {detail}")]
    BadColumn {
        /// Name of the column.
        column: String,
        /// What is wrong.
        detail: String,
    },
    /// An earlier write failed: open the store again, which repairs what can be repaired.
    #[error("an earlier write to `{}` failed: nothing more is written until it is opened again", .0.display())]
    Poisoned(PathBuf),
    /// The operating system refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StoreError {
    /// Turns the system's error into ours, naming the file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// A file whose bytes are not what was written.
    pub(crate) fn damaged(path: &Path, detail: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            detail: detail.into(),
        }
    }

    /// Turns an error of the Parquet reader into ours, naming the file.
    pub(crate) fn parquet<E: std::fmt::Display>(path: &Path) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        move |error| Self::Damaged {
            path,
            detail: error.to_string(),
        }
    }
}
