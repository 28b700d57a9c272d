//! The history: what was imported, laid out by customer.
//!
//! Immutable Parquet files ("runs"), a few for each of the 64 partitions, each sorted by customer
//! and time. Folding everything is a streaming merge of a partition's runs; a customer's timeline
//! is one short read.
//!
//! ```text
//! rows ─► writer ─► orders::columns ─► file::output ─► run
//! runs ─► file::input ─► orders::views ─► merge ─► rows of one customer after another
//! ```
//!
//! Two families share this: order lines ([`OrderRow`]) and declared traits ([`CustomerRow`]).

mod reader;
mod writer;

mod customers;
mod orders;

mod constants;
mod file;
mod latest;
mod merge;
mod scan;
mod symbols;
mod values;

pub(crate) mod rewrite;

use std::path::PathBuf;
use std::sync::Arc;

use regulars_core::{CustomerId, Partition, Timestamp};

pub use crate::manifest::{Family, RunInfo};
pub use customers::{CustomerRow, DeclaredRow};
pub use orders::{OrderRow, VersionRow, decode_rows, encode_row};
pub use reader::{CustomerReader, DeclaredReader, OrderReader, PartitionReader, VersionReader};
pub use symbols::SymbolTable;
pub use writer::{CustomerRunWriter, OrderRunWriter};

use crate::StoreError;
use crate::manifest::Manifest;

/// The runs that counted when it was taken; cheap to clone, may be read from several threads.
///
/// Its files may be gone once a later transaction has replaced them: take a new one then.
#[derive(Debug, Clone)]
pub struct History {
    dir: PathBuf,
    manifest: Arc<Manifest>,
}

/// Totals over all runs of a family.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HistorySummary {
    /// Number of rows.
    pub rows: u64,
    /// Number of runs.
    pub runs: usize,
    /// Length of all files in bytes.
    pub bytes: u64,
    /// Earliest and latest `occurred_at`; `None` without rows.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl History {
    pub(crate) fn new(dir: PathBuf, manifest: Arc<Manifest>) -> Self {
        Self { dir, manifest }
    }

    /// The runs of a partition, oldest first.
    pub fn runs(&self, family: Family, partition: Partition) -> impl Iterator<Item = &RunInfo> {
        let wanted = move |run: &&RunInfo| run.family == family && run.partition == partition;
        self.manifest.runs.iter().filter(wanted)
    }

    /// Totals over the runs of a family.
    pub fn summary(&self, family: Family) -> HistorySummary {
        let mut summary = HistorySummary::default();
        for run in self
            .manifest
            .runs
            .iter()
            .filter(|run| run.family == family && run.rows > 0)
        {
            summary.rows += run.rows;
            summary.runs += 1;
            summary.bytes += run.bytes;
            let (first, last) = summary.span.unwrap_or((run.first_at, run.last_at));
            summary.span = Some((first.min(run.first_at), last.max(run.last_at)));
        }
        summary
    }

    /// Streams a partition's order lines, customer by customer, without the columns that a fold
    /// does not need.
    ///
    /// # Errors
    /// When a file is missing, damaged or of an unknown version.
    pub fn partition<'s>(
        &self,
        partition: Partition,
        symbols: &'s SymbolTable,
    ) -> Result<PartitionReader<'s>, StoreError> {
        let paths = self.paths(Family::Orders, partition);
        PartitionReader::open(paths.iter().map(PathBuf::as_path), symbols)
    }

    /// Streams a partition's order lines with everything that was stored.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn orders<'s>(
        &self,
        partition: Partition,
        symbols: &'s SymbolTable,
    ) -> Result<OrderReader<'s>, StoreError> {
        let paths = self.paths(Family::Orders, partition);
        OrderReader::open(paths.iter().map(PathBuf::as_path), symbols)
    }

    /// Streams a partition's rows as versions of orders.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn versions(&self, partition: Partition) -> Result<VersionReader, StoreError> {
        let paths = self.paths(Family::Orders, partition);
        VersionReader::open(paths.iter().map(PathBuf::as_path))
    }

    /// Streams what was declared about a partition's customers, with everything that was stored.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn customers(&self, partition: Partition) -> Result<CustomerReader, StoreError> {
        let paths = self.paths(Family::Customers, partition);
        CustomerReader::open(paths.iter().map(PathBuf::as_path))
    }

    /// Streams what was declared about a partition's customers, personal data left out.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn declarations(&self, partition: Partition) -> Result<DeclaredReader, StoreError> {
        let paths = self.paths(Family::Customers, partition);
        DeclaredReader::open(paths.iter().map(PathBuf::as_path))
    }

    /// All order lines of one customer, sorted as in the files: a short read.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn timeline(
        &self,
        customer: CustomerId,
        symbols: &SymbolTable,
    ) -> Result<Vec<OrderRow>, StoreError> {
        let paths = self.paths(Family::Orders, customer.partition());
        let paths = paths.iter().map(PathBuf::as_path);
        merge::rows_of(customer, paths, || orders::FullView::new(symbols))
    }

    /// Everything declared about one customer, sorted as in the files: a short read.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn declared(&self, customer: CustomerId) -> Result<Vec<CustomerRow>, StoreError> {
        let paths = self.paths(Family::Customers, customer.partition());
        merge::rows_of(customer, paths.iter().map(PathBuf::as_path), || {
            customers::CustomerView
        })
    }

    /// The files of a family, for other tools that read Parquet.
    pub fn files(&self, family: Family) -> Vec<PathBuf> {
        Partition::all()
            .flat_map(|partition| self.paths(family, partition))
            .collect()
    }

    fn paths(&self, family: Family, partition: Partition) -> Vec<PathBuf> {
        self.runs(family, partition)
            .map(|run| self.dir.join(&run.file))
            .collect()
    }
}
