//! What an import did, file by file.

use std::path::{Path, PathBuf};

use regulars_core::Timestamp;
use regulars_ingest::Entity;
use regulars_store::Store;
use regulars_store::log::LogRecord;
use serde::Serialize;

use super::sources::SourceFile;
use super::{EventCounts, IntakeCounts, OrderCounts, RefundCounts};
use crate::error::PipelineError;

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
    /// What the order ids of this import belong to.
    pub source: String,
    /// Rows of the same source that earlier imports brought without order ids, when this one has
    /// some: both stand beside each other where they are the same orders.
    pub stored_without_order_id: StoredRows,
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
    /// Lines with a title above its header, which were left out.
    pub title_lines: u64,
    /// Rows of orders without an order id.
    pub rows_without_order_id: u64,
}

/// Rows of earlier imports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StoredRows {
    /// How many.
    pub rows: u64,
    /// Names of their files, without directories; each once.
    pub files: Vec<String>,
}

impl StoredRows {
    /// Rows of orders that were imported without order ids under `source`.
    pub(super) fn without_order_id(store: &Store, source: &str) -> Result<Self, PipelineError> {
        let mut stored = Self::default();
        for (_, record) in store.records(0)? {
            let LogRecord::ImportAdded(import) = record else {
                continue;
            };
            let notes = &import.notes;
            if notes["source"].as_str() != Some(source) {
                continue;
            }
            for file in notes["files"].as_array().into_iter().flatten() {
                let rows = file["rows_without_order_id"].as_u64().unwrap_or(0);
                let path = Path::new(file["file"].as_str().unwrap_or_default());
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                stored.rows += rows;
                if rows > 0 && !stored.files.iter().any(|known| *known == name) {
                    stored.files.push(name.into_owned());
                }
            }
        }
        Ok(stored)
    }
}

impl ImportReport {
    /// What an import did whose files were all imported before.
    pub(super) fn nothing_new(sources: &[SourceFile], source: &str) -> Self {
        Self {
            files: sources.iter().map(SourceFile::report).collect(),
            intake: IntakeCounts::default(),
            orders: OrderCounts::default(),
            refunds: RefundCounts::default(),
            customers: 0,
            events: EventCounts::default(),
            nameless_rows: 0,
            source: source.to_owned(),
            stored_without_order_id: StoredRows::default(),
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
