//! Writes runs.

use regulars_core::{LineRecord, Partition, Symbols};

use super::{CustomerRow, OrderRow, RunInfo};
use crate::StoreError;
use crate::vault::IdentityId;

/// Writes one run of order lines: made by [`crate::Transaction::order_run`], given back to
/// [`crate::Transaction::add_run`].
#[derive(Debug)]
pub struct OrderRunWriter {}

impl OrderRunWriter {
    /// Adds a row; rows come sorted by (customer, `occurred_at`, order, import, line).
    ///
    /// # Errors
    /// When the row is out of order or in the wrong partition, or the file cannot be written.
    pub fn push(
        &mut self,
        _symbols: &Symbols,
        _record: &LineRecord,
        _order_id: &str,
        _identity: IdentityId,
    ) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Adds rows.
    ///
    /// # Errors
    /// As [`OrderRunWriter::push`].
    pub fn write(&mut self, _symbols: &Symbols, _rows: &[OrderRow]) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Makes the file durable.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<RunInfo, StoreError> {
        let _ = Partition(0);
        unimplemented!()
    }
}

/// Writes one run of declared traits.
#[derive(Debug)]
pub struct CustomerRunWriter {}

impl CustomerRunWriter {
    /// Adds a row; rows come sorted by (customer, `occurred_at`, import, identity).
    ///
    /// # Errors
    /// As [`OrderRunWriter::push`].
    pub fn push(&mut self, _row: &CustomerRow) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Makes the file durable.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<RunInfo, StoreError> {
        unimplemented!()
    }
}
