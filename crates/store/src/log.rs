//! The log: the only thing that is durable per record.

pub mod record;

pub use record::{
    CutpointsSet, HistoryCompacted, ImportAdded, ImportedFile, LogRecord, LogRecordKind,
    MergeAccepted, ModelsFitted,
};
