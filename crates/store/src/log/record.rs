//! What the records of the log say: one level above the bytes.
//!
//! A record is a JSON object with `"v"` (1), `"type"` and the fields of its type; one that changed
//! files has the change in `"change"`, so that the manifest can be made again from the log alone.
//! A version or type that this program does not know is refused: to skip it would be to forget it.

use std::collections::BTreeMap;

use regulars_core::{SegmentName, Timestamp};
use serde::{Deserialize, Serialize};

use super::identity::{MergeAccepted, MergeRefused, Unmerged};
use crate::StoreError;
use crate::manifest::Change;

const VERSION: u64 = 1;

/// Something that happened to the workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LogRecord {
    /// Files were imported; what they added comes with the record.
    ImportAdded(ImportAdded),
    /// Models were fitted and are in use from here on.
    ModelsFitted(ModelsFitted),
    /// Population-relative limits were computed and are in use from here on.
    CutpointsSet(CutpointsSet),
    /// Two customers turned out to be one.
    MergeAccepted(MergeAccepted),
    /// Two customers were named together and stay two.
    MergeRefused(MergeRefused),
    /// An identity stands for itself again.
    Unmerged(Unmerged),
    /// Runs of the history were merged; what it says is the same.
    HistoryCompacted(HistoryCompacted),
    /// Segments are defined like this from here on.
    SegmentsDefined(SegmentsDefined),
    /// Memberships were written to a file.
    MembershipsSaved(MembershipsNoted),
    /// Records of the log were moved to files of their own.
    RecordsMoved(RecordsMoved),
}

/// Which kind of [`LogRecord`]: the latest of each kind is found without reading the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogRecordKind {
    /// [`LogRecord::ImportAdded`].
    ImportAdded,
    /// [`LogRecord::ModelsFitted`].
    ModelsFitted,
    /// [`LogRecord::CutpointsSet`].
    CutpointsSet,
    /// [`LogRecord::MergeAccepted`].
    MergeAccepted,
    /// [`LogRecord::MergeRefused`].
    MergeRefused,
    /// [`LogRecord::Unmerged`].
    Unmerged,
    /// [`LogRecord::HistoryCompacted`].
    HistoryCompacted,
    /// [`LogRecord::SegmentsDefined`].
    SegmentsDefined,
    /// [`LogRecord::MembershipsSaved`].
    MembershipsSaved,
    /// [`LogRecord::RecordsMoved`].
    RecordsMoved,
}

impl LogRecord {
    /// The kind of this record.
    pub fn kind(&self) -> LogRecordKind {
        match self {
            Self::ImportAdded(_) => LogRecordKind::ImportAdded,
            Self::ModelsFitted(_) => LogRecordKind::ModelsFitted,
            Self::CutpointsSet(_) => LogRecordKind::CutpointsSet,
            Self::MergeAccepted(_) => LogRecordKind::MergeAccepted,
            Self::MergeRefused(_) => LogRecordKind::MergeRefused,
            Self::Unmerged(_) => LogRecordKind::Unmerged,
            Self::HistoryCompacted(_) => LogRecordKind::HistoryCompacted,
            Self::SegmentsDefined(_) => LogRecordKind::SegmentsDefined,
            Self::MembershipsSaved(_) => LogRecordKind::MembershipsSaved,
            Self::RecordsMoved(_) => LogRecordKind::RecordsMoved,
        }
    }
}

/// What was imported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportAdded {
    /// The files, in the order in which they were read.
    pub files: Vec<ImportedFile>,
    /// When it was imported.
    pub recorded_at: Timestamp,
    /// Whatever else the importer wants to find again (mappings, counts); no personal data.
    pub notes: serde_json::Value,
}

/// A file that was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedFile {
    /// Its name, without the directory.
    pub name: String,
    /// Hash of its content: a file that was imported before is recognised by it.
    pub fingerprint: String,
    /// What it was taken for: `orders`, `customers`, `products`, `ad_spend`.
    pub content: String,
    /// Length in bytes.
    pub bytes: u64,
    /// Rows that were taken.
    pub rows: u64,
    /// Rows that were not.
    pub rejected: u64,
}

/// Models that were fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelsFitted {
    /// `now` of the fit.
    pub as_of: Timestamp,
    /// When it was fitted.
    pub recorded_at: Timestamp,
    /// Parameters, choices and figures, as the pipeline writes them.
    pub body: serde_json::Value,
}

/// Limits that depend on the whole population.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CutpointsSet {
    /// `now` of the computation.
    pub as_of: Timestamp,
    /// When it was computed.
    pub recorded_at: Timestamp,
    /// The limits, as the pipeline writes them.
    pub body: serde_json::Value,
}

/// Runs that were merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryCompacted {
    /// When it was done.
    pub recorded_at: Timestamp,
}

/// How segments are defined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentsDefined {
    /// Every segment, in the order in which they are shown.
    pub segments: Vec<SegmentDefined>,
    /// The last version of each segment that is no more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub removed: BTreeMap<SegmentName, u32>,
    /// When they were taken into use.
    pub recorded_at: Timestamp,
}

/// How one segment is defined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentDefined {
    /// Its name.
    pub name: SegmentName,
    /// Counted from 1; the next one whenever the rule changes, or what it depends on, also after
    /// the segment was gone for a while.
    pub version: u32,
    /// The rule, as canonical text.
    pub rule: String,
    /// What else decides who belongs to it: the rules of the segments that it refers to, and the
    /// settings of the traits that are read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub depends_on: BTreeMap<String, String>,
}

/// Memberships that were written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipsNoted {
    /// When it was done.
    pub recorded_at: Timestamp,
}

/// Records that were moved out of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordsMoved {
    /// Those before this offset.
    pub to: u64,
    /// When it was done.
    pub recorded_at: Timestamp,
}

/// A record as it stands in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    v: u64,
    #[serde(flatten)]
    pub(crate) record: LogRecord,
    /// What it did to the files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) change: Option<Change>,
}

/// Enough of an entry to know whether the rest can be understood.
#[derive(Deserialize)]
struct Label {
    v: u64,
    #[serde(rename = "type")]
    kind: String,
}

impl Entry {
    pub(crate) fn new(record: LogRecord, change: Option<Change>) -> Self {
        Self {
            v: VERSION,
            record,
            change,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("records have text keys only")
    }

    pub(crate) fn decode(
        log: &std::path::Path,
        offset: u64,
        bytes: &[u8],
    ) -> Result<Self, StoreError> {
        let damaged = |error: serde_json::Error| {
            StoreError::damaged(log, format!("record {offset} cannot be read: {error}"))
        };
        let label: Label = serde_json::from_slice(bytes).map_err(damaged)?;
        let known = serde_json::from_value::<LogRecordKind>(label.kind.clone().into()).is_ok();
        if label.v != VERSION || !known {
            let kind = format!("{} of version {}", label.kind, label.v);
            return Err(StoreError::UnknownRecord { offset, kind });
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }
}
