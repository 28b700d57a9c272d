//! What an import did, file by file.

use std::path::PathBuf;

use regulars_core::Timestamp;
use regulars_ingest::Entity;
use serde::Serialize;

use super::sources::SourceFile;
use super::{EventCounts, IntakeCounts, OrderCounts, RefundCounts};

/// What an import did.
#[derive(Debug, Clone, Serialize)]
pub struct ImportReport {
    /// Each file, in the order given.
    pub files: Vec<FileReport>,
    /// Rows of orders files.
    pub intake: IntakeCounts,
    /// Orders of this import.
    pub orders: OrderCounts,
    /// Refunds from files of refunds.
    pub refunds: RefundCounts,
    /// Customers with declared traits.
    pub customers: u64,
    /// Events of files of events.
    pub events: EventCounts,
    /// Rows of customers, products or ad spend files that name nothing.
    pub nameless_rows: u64,
    /// Where rejected rows are.
    pub rejects: Option<PathBuf>,
}

/// What became of one file.
#[derive(Debug, Clone, Serialize)]
pub struct FileReport {
    /// The file as it was named.
    pub file: PathBuf,
    /// What its rows are.
    pub entity: Entity,
    /// Rows read.
    pub rows: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// True when it had been imported before, read in the same way, and was skipped.
    pub skipped: bool,
    /// Rows of orders and refunds that are dated later than the import.
    pub future_rows: u64,
    /// Line of the first of them.
    pub first_future_line: Option<u64>,
}

impl ImportReport {
    /// What an import did whose files were all imported before.
    pub(super) fn nothing_new(sources: &[SourceFile]) -> Self {
        Self {
            files: sources.iter().map(SourceFile::report).collect(),
            intake: IntakeCounts::default(),
            orders: OrderCounts::default(),
            refunds: RefundCounts::default(),
            customers: 0,
            events: EventCounts::default(),
            nameless_rows: 0,
            rejects: None,
        }
    }

    /// Rejected rows of all files.
    pub fn rejected(&self) -> u64 {
        self.files.iter().map(|file| file.rejected).sum()
    }
}

impl FileReport {
    /// Counts the rows of a batch that are dated later than `until`.
    pub(super) fn note_future(
        &mut self,
        occurred_at: &[Option<Timestamp>],
        lines: &[u64],
        until: Timestamp,
    ) {
        for (at, line) in occurred_at.iter().zip(lines) {
            if at.is_some_and(|at| at > until) {
                self.future_rows += 1;
                self.first_future_line.get_or_insert(*line);
            }
        }
    }
}
