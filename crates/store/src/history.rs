//! The history: what was imported, and events that were moved out of the log, laid out by customer.
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
//! Three families share this: order lines ([`OrderRow`]), declared traits ([`CustomerRow`]) and
//! events ([`EventRow`]).

mod reader;
mod writer;

mod customers;
mod events;
mod orders;

mod constants;
mod file;
mod latest;
mod merge;
mod scan;
mod symbols;
mod values;

pub(crate) mod rewrite;
pub(crate) mod tiers;
pub(crate) mod verify;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use regulars_core::{CustomerId, Partition, Timestamp};

pub use crate::manifest::{Family, RunInfo};
pub use customers::{CustomerRow, DeclaredRow};
pub use events::EventRow;
pub(crate) use events::row_order as event_order;
pub use orders::{OrderRow, VersionRow, decode_rows, encode_row};
pub(crate) use reader::WholeEventReader;
pub use reader::{
    CustomerReader, DeclaredReader, EventReader, OrderReader, PartitionReader, VersionReader,
    VersionsFrom,
};
pub use symbols::SymbolTable;
pub use tiers::{MergedRuns, RunMerge};
pub(crate) use writer::EventRunWriter;
pub use writer::{CustomerRunWriter, OrderRunWriter};

use crate::StoreError;
use crate::manifest::Manifest;
use events::{EventView, Facts};

/// The runs that counted when it was taken; cheap to clone, may be read from several threads.
///
/// Its files may be gone once a later transaction has replaced them: take a new one then.
#[derive(Debug, Clone)]
pub struct History {
    dir: PathBuf,
    manifest: Arc<Manifest>,
    /// Files whose bytes were checked against their checksums.
    checked: Arc<Mutex<HashSet<String>>>,
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
        Self {
            dir,
            manifest,
            checked: Arc::default(),
        }
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
        versions: VersionsFrom,
    ) -> Result<PartitionReader<'s>, StoreError> {
        let paths = self.checked_paths(Family::Orders, partition)?;
        PartitionReader::open(paths.iter().map(PathBuf::as_path), symbols, versions)
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
        let paths = self.checked_paths(Family::Orders, partition)?;
        OrderReader::open(paths.iter().map(PathBuf::as_path), symbols)
    }

    /// Streams a partition's rows as versions of orders.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn versions(&self, partition: Partition) -> Result<VersionReader, StoreError> {
        let paths = self.checked_paths(Family::Orders, partition)?;
        VersionReader::open(paths.iter().map(PathBuf::as_path))
    }

    /// Streams what was declared about a partition's customers, with everything that was stored.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn customers(&self, partition: Partition) -> Result<CustomerReader, StoreError> {
        let paths = self.checked_paths(Family::Customers, partition)?;
        CustomerReader::open(paths.iter().map(PathBuf::as_path))
    }

    /// Streams what was declared about a partition's customers, personal data left out.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn declarations(&self, partition: Partition) -> Result<DeclaredReader, StoreError> {
        let paths = self.checked_paths(Family::Customers, partition)?;
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

    /// Streams a partition's events, customer by customer, without context and sealed data.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn events(&self, partition: Partition) -> Result<EventReader, StoreError> {
        let paths = self.checked_paths(Family::Events, partition)?;
        EventReader::open(paths.iter().map(PathBuf::as_path))
    }

    /// All events that lie under one customer, sorted by (`occurred_at`, offset), without context
    /// and sealed data: a short read.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn events_of(&self, customer: CustomerId) -> Result<Vec<EventRow>, StoreError> {
        let paths = self.paths(Family::Events, customer.partition());
        merge::rows_of(customer, paths.iter().map(PathBuf::as_path), || {
            EventView::<Facts>::new()
        })
    }

    /// Gives the events of a partition that lie under some customers to `each`, without context
    /// and sealed data, in no order that means anything.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn events_of_some(
        &self,
        partition: Partition,
        is_wanted: impl Fn(CustomerId) -> bool,
        mut each: impl FnMut(EventRow),
    ) -> Result<(), StoreError> {
        for path in self.checked_paths(Family::Events, partition)? {
            let mut view = EventView::<Facts>::new();
            merge::rows_of_some(&path, &is_wanted, &mut view, &mut each)?;
        }
        Ok(())
    }

    /// Gives whose the rows of files in a partition are that lie under some customers to `each`; of the
    /// other rows nothing but whose they are is read.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn rows_of_files(
        &self,
        partition: Partition,
        is_wanted: impl Fn(CustomerId) -> bool,
        mut each: impl FnMut(CustomerId),
    ) -> Result<(), StoreError> {
        for path in self.checked_paths(Family::Orders, partition)? {
            let mut view = orders::VersionView::default();
            merge::rows_of_some(&path, &is_wanted, &mut view, |row: VersionRow| {
                each(row.customer);
            })?;
        }
        for path in self.checked_paths(Family::Customers, partition)? {
            let mut view = customers::CustomerView;
            merge::rows_of_some(&path, &is_wanted, &mut view, |row: CustomerRow| {
                each(row.customer);
            })?;
        }
        Ok(())
    }

    /// Records of the log before this offset were moved out of it: its events lie here.
    pub fn moved_to(&self) -> u64 {
        self.manifest.moved.to
    }

    /// When the first and the last of the events arrived that lie here; `None` without any.
    pub fn arrived(&self) -> Option<(Timestamp, Timestamp)> {
        self.manifest.moved.arrived
    }

    /// The files of a family, for other tools that read Parquet.
    pub fn files(&self, family: Family) -> Vec<PathBuf> {
        Partition::all()
            .flat_map(|partition| self.paths(family, partition))
            .collect()
    }

    /// Files that are about to be read as a whole, whose bytes are those that were written.
    fn checked_paths(
        &self,
        family: Family,
        partition: Partition,
    ) -> Result<Vec<PathBuf>, StoreError> {
        let mut paths = Vec::new();
        for run in self.runs(family, partition) {
            let path = self.dir.join(&run.file);
            let checked = || self.checked.lock().unwrap_or_else(PoisonError::into_inner);
            if !checked().contains(&run.file) {
                verify::check_sum(&path, run)?;
                checked().insert(run.file.clone());
            }
            paths.push(path);
        }
        Ok(paths)
    }

    fn paths(&self, family: Family, partition: Partition) -> Vec<PathBuf> {
        self.runs(family, partition)
            .map(|run| self.dir.join(&run.file))
            .collect()
    }
}
