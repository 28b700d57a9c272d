//! The history: what was imported, laid out by customer.
//!
//! Immutable Parquet files ("runs"), a few for each of the 64 partitions, each sorted by customer
//! and time. Folding everything is a streaming merge of a partition's runs; a customer's timeline
//! is one short read.

mod customers;
mod orders;
mod reader;
mod symbols;
mod writer;

use regulars_core::{CustomerId, Partition, Timestamp};

pub use crate::manifest::{Family, RunInfo};
pub use customers::CustomerRow;
pub use orders::{OrderRow, decode_rows, encode_row};
pub use reader::{CustomerReader, OrderReader, PartitionReader};
pub use symbols::SymbolTable;
pub use writer::{CustomerRunWriter, OrderRunWriter};

use crate::StoreError;

/// The runs that counted when it was taken; cheap to clone, may be read from several threads.
///
/// Its files may be gone once a later transaction has replaced them: take a new one then.
#[derive(Debug, Clone)]
pub struct History {}

/// Totals over all runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The runs of a partition, oldest first.
    pub fn runs(&self, _family: Family, _partition: Partition) -> &[RunInfo] {
        unimplemented!()
    }

    /// Totals over the runs of a family.
    pub fn summary(&self, _family: Family) -> HistorySummary {
        unimplemented!()
    }

    /// Streams a partition's order lines, customer by customer, without the columns that a fold
    /// does not need.
    ///
    /// # Errors
    /// When a file is missing, damaged or of an unknown version.
    pub fn partition<'s>(
        &self,
        _partition: Partition,
        _symbols: &'s SymbolTable,
    ) -> Result<PartitionReader<'s>, StoreError> {
        unimplemented!()
    }

    /// Streams a partition's order lines with everything that was stored.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn orders<'s>(
        &self,
        _partition: Partition,
        _symbols: &'s SymbolTable,
    ) -> Result<OrderReader<'s>, StoreError> {
        unimplemented!()
    }

    /// Streams what was declared about a partition's customers.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn customers(&self, _partition: Partition) -> Result<CustomerReader, StoreError> {
        unimplemented!()
    }

    /// All order lines of one customer, sorted as in the files: a short read.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn timeline(
        &self,
        _customer: CustomerId,
        _symbols: &SymbolTable,
    ) -> Result<Vec<OrderRow>, StoreError> {
        unimplemented!()
    }

    /// Everything declared about one customer, sorted as in the files: a short read.
    ///
    /// # Errors
    /// As [`History::partition`].
    pub fn declared(&self, _customer: CustomerId) -> Result<Vec<CustomerRow>, StoreError> {
        unimplemented!()
    }
}
