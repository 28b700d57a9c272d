//! Reads the runs of a partition as one.

use std::marker::PhantomData;

use regulars_core::LineRecord;

use super::{CustomerRow, OrderRow, SymbolTable};
use crate::StoreError;

/// Streams order lines customer by customer, for folds.
#[derive(Debug)]
pub struct PartitionReader<'s>(PhantomData<&'s SymbolTable>);

impl PartitionReader<'_> {
    /// All lines of the next customer, sorted by (`occurred_at`, order, import, line).
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn next_customer(&mut self) -> Result<Option<&[LineRecord]>, StoreError> {
        unimplemented!()
    }
}

/// Streams order lines customer by customer with everything that was stored.
#[derive(Debug)]
pub struct OrderReader<'s>(PhantomData<&'s SymbolTable>);

impl OrderReader<'_> {
    /// All lines of the next customer, sorted by (`occurred_at`, order, import, line).
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn next_customer(&mut self) -> Result<Option<&[OrderRow]>, StoreError> {
        unimplemented!()
    }
}

/// Streams declared traits customer by customer.
#[derive(Debug)]
pub struct CustomerReader(());

impl CustomerReader {
    /// All rows of the next customer, sorted by (`occurred_at`, import, identity).
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn next_customer(&mut self) -> Result<Option<&[CustomerRow]>, StoreError> {
        unimplemented!()
    }
}
