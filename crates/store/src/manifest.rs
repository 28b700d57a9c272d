//! The manifest: which files count, and up to which record of the log that is so.
//!
//! One JSON file, replaced as a whole. Every record of the log that changes files carries the change,
//! so that a manifest that is behind the log takes up what it misses. Version 2 knows what was moved
//! out of the log; version 1 is read as one that says nothing of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use regulars_core::{Currency, Partition, Timestamp};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::disk::{self, Disk};
use crate::log::LogRecordKind;

const FORMAT: &str = "regulars-manifest";
const VERSION: u32 = 2;
/// Versions that are read.
const KNOWN: [u64; 2] = [1, 2];

/// The families of files that are kept by customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Lines of orders, credits and refunds.
    Orders,
    /// What was declared about customers.
    Customers,
    /// Events that were moved out of the log.
    Events,
}

impl Family {
    /// All families.
    pub const ALL: [Self; 3] = [Self::Orders, Self::Customers, Self::Events];
}

/// A finished file of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Name in `history/`.
    pub file: String,
    /// Its family.
    pub family: Family,
    /// Whose customers it holds.
    pub partition: Partition,
    /// Number of rows.
    pub rows: u64,
    /// Number of distinct customers.
    pub customers: u64,
    /// Earliest `occurred_at`.
    pub first_at: Timestamp,
    /// Latest `occurred_at`.
    pub last_at: Timestamp,
    /// Offset in the log of the earliest import whose rows it holds; of its earliest event.
    pub first_import: u64,
    /// Offset of the latest.
    pub last_import: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// Checksum (CRC-32C) of the whole file; `None` for one that was written before there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32c: Option<u32>,
}

/// The tables that are not kept by customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TableName {
    Products,
    AdSpend,
    Memberships,
}

/// What the log held besides events, in files of its own since it was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MovedKind {
    /// Records of the workspace, and what became of deliveries.
    Records,
    /// Who moved into or out of which segment.
    Transitions,
    /// Which messages arrived, so that a repeat is told from a new one.
    Messages,
}

/// A file of what was moved out of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MovedFile {
    /// Name in `tables/`.
    pub(crate) file: String,
    pub(crate) kind: MovedKind,
    /// Offset of the first record of the range that it is of.
    pub(crate) from: u64,
    /// End of that range.
    pub(crate) to: u64,
    /// Latest arrival of what it holds.
    pub(crate) last_at: Timestamp,
    pub(crate) bytes: u64,
}

/// What was moved out of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moved {
    /// Records of the log before this offset lie in files.
    pub(crate) to: u64,
    /// When the first and the last of the events arrived.
    pub(crate) arrived: Option<(Timestamp, Timestamp)>,
    /// Of each kind in the order of their ranges.
    pub(crate) files: Vec<MovedFile>,
}

impl Moved {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// The files of a kind that hold anything from an offset on.
    pub(crate) fn of(&self, kind: MovedKind, from: u64) -> impl Iterator<Item = &MovedFile> {
        let wanted = move |file: &&MovedFile| file.kind == kind && file.to > from;
        self.files.iter().filter(wanted)
    }

    fn apply(&mut self, change: &MovedChange) {
        self.to = self.to.max(change.to);
        if let Some((first, last)) = change.arrived {
            let (earliest, latest) = self.arrived.unwrap_or((first, last));
            self.arrived = Some((earliest.min(first), latest.max(last)));
        }
        self.files.retain(|file| !change.drop.contains(&file.file));
        self.files.extend(change.add.iter().cloned());
        self.files.sort_by_key(|file| (file.kind, file.from));
    }
}

/// What a record of the log did to [`Moved`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MovedChange {
    pub(crate) to: u64,
    pub(crate) arrived: Option<(Timestamp, Timestamp)>,
    pub(crate) add: Vec<MovedFile>,
    pub(crate) drop: BTreeSet<String>,
}

/// What a record of the log did to the files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Change {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<Currency>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) add_runs: Vec<RunInfo>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) drop_runs: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tables: BTreeMap<TableName, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) add_vault: Vec<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) drop_vault: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) moved: Option<MovedChange>,
}

/// Which files count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Offset of the first record of the log that is not in here yet.
    pub(crate) applied: u64,
    pub(crate) currency: Option<Currency>,
    /// Offset of the latest record of each kind.
    pub(crate) latest: BTreeMap<LogRecordKind, u64>,
    /// In the order in which they were added.
    pub(crate) runs: Vec<RunInfo>,
    pub(crate) tables: BTreeMap<TableName, String>,
    /// In the order in which they were added.
    pub(crate) vault: Vec<String>,
    /// Offset from which on the log may hold identities that are not in the files of the vault.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) vault_from: u64,
    #[serde(default, skip_serializing_if = "Moved::is_nothing")]
    pub(crate) moved: Moved,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(offset: &u64) -> bool {
    *offset == 0
}

#[derive(Serialize, Deserialize)]
struct File {
    format: String,
    version: u32,
    /// Of the content, as this program writes it.
    crc32c: String,
    content: Manifest,
}

#[derive(Deserialize)]
struct Label {
    format: String,
    version: u64,
}

impl Manifest {
    /// Takes up the record at `offset`.
    pub(crate) fn apply(&mut self, offset: u64, kind: LogRecordKind, change: Option<&Change>) {
        self.applied = offset + 1;
        self.latest.insert(kind, offset);
        let Some(change) = change else { return };
        self.currency = self.currency.or(change.currency);
        self.runs
            .retain(|run| !change.drop_runs.contains(&run.file));
        self.runs.extend(change.add_runs.iter().cloned());
        self.tables.extend(change.tables.clone());
        self.vault.retain(|file| !change.drop_vault.contains(file));
        self.vault.extend(change.add_vault.iter().cloned());
        if let Some(moved) = &change.moved {
            self.moved.apply(moved);
            // With the identities that the moved records brought.
            self.vault_from = self.vault_from.max(moved.to);
        } else if !change.add_vault.is_empty() {
            self.vault_from = offset;
        }
    }

    /// Reads it; `None` when there is none.
    pub(crate) fn load(disk: &dyn Disk, path: &Path) -> Result<Option<Self>, StoreError> {
        let bytes = match disk.read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("read", path)(error)),
        };
        let damaged = |error: serde_json::Error| StoreError::damaged(path, error.to_string());
        let label: Label = serde_json::from_slice(&bytes).map_err(damaged)?;
        if label.format != FORMAT || !KNOWN.contains(&label.version) {
            return Err(StoreError::UnknownVersion {
                path: path.to_owned(),
                what: "manifest",
                found: format!("{} ({})", label.version, label.format),
                known: VERSION,
            });
        }
        let file: File = serde_json::from_slice(&bytes).map_err(damaged)?;
        if file.crc32c != file.content.checksum() {
            return Err(StoreError::damaged(
                path,
                "its content does not match its checksum",
            ));
        }
        Ok(Some(file.content))
    }

    /// Replaces it durably.
    pub(crate) fn save(&self, disk: &dyn Disk, path: &Path) -> Result<(), StoreError> {
        let file = File {
            format: FORMAT.to_owned(),
            version: VERSION,
            crc32c: self.checksum(),
            content: self.clone(),
        };
        let bytes = serde_json::to_vec_pretty(&file).expect("the manifest has text keys only");
        disk::replace(disk, path, &bytes).map_err(StoreError::io("replace", path))
    }

    fn checksum(&self) -> String {
        let bytes = serde_json::to_vec(self).expect("the manifest has text keys only");
        format!("{:08x}", crc32c::crc32c(&bytes))
    }
}
