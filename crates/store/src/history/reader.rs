//! The readers of a partition, one for each view.

use std::path::Path;

use regulars_core::{CustomerId, LineRecord};

use super::customers::CustomerView;
use super::events::{EventView, Facts, Whole};
use super::merge::Merge;
use super::orders::{FullView, VersionView};
use super::scan::{DeclaredScan, LineScan};
use super::{CustomerRow, DeclaredRow, EventRow, OrderRow, SymbolTable, VersionRow};
use crate::StoreError;

/// What tells of the orders of a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionsFrom {
    /// The history's order lines only.
    Files,
    /// Events as well: which version is the newer one depends on when each was made.
    FilesAndEvents,
}

/// Streams order lines customer by customer, for folds.
#[derive(Debug)]
pub struct PartitionReader<'s>(Merge<LineScan<'s>>);

impl<'s> PartitionReader<'s> {
    pub(super) fn open<'p>(
        paths: impl Iterator<Item = &'p Path>,
        symbols: &'s SymbolTable,
        versions: VersionsFrom,
    ) -> Result<Self, StoreError> {
        Merge::open(paths, |others| LineScan::new(symbols, others, versions)).map(Self)
    }

    /// The customer whose lines come next.
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn peek(&mut self) -> Result<Option<CustomerId>, StoreError> {
        self.0.peek()
    }

    /// All lines of the next customer, sorted by (`occurred_at`, order, import, line). Where one
    /// import brought all lines of the partition, nothing else tells of them and each says by itself
    /// when its order ended, none says when its version was made.
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn next_customer(&mut self) -> Result<Option<&[LineRecord]>, StoreError> {
        self.0.next_customer()
    }
}

/// Streams order lines customer by customer with everything that was stored.
#[derive(Debug)]
pub struct OrderReader<'s>(Merge<FullView<'s>>);

impl<'s> OrderReader<'s> {
    pub(super) fn open<'p>(
        paths: impl Iterator<Item = &'p Path>,
        symbols: &'s SymbolTable,
    ) -> Result<Self, StoreError> {
        Merge::open(paths, |_| FullView::new(symbols)).map(Self)
    }

    /// The customer whose lines come next.
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn peek(&mut self) -> Result<Option<CustomerId>, StoreError> {
        self.0.peek()
    }

    /// All lines of the next customer, sorted by (`occurred_at`, order, import, line).
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn next_customer(&mut self) -> Result<Option<&[OrderRow]>, StoreError> {
        self.0.next_customer()
    }
}

/// Streams versions of orders customer by customer.
#[derive(Debug)]
pub struct VersionReader(Merge<VersionView>);

impl VersionReader {
    pub(super) fn open<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<Self, StoreError> {
        Merge::open(paths, |_| VersionView::default()).map(Self)
    }

    /// All rows of the next customer, in no order that means anything.
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn next_customer(&mut self) -> Result<Option<&[VersionRow]>, StoreError> {
        self.0.next_customer()
    }
}

/// Streams what was declared of customers, with everything that was stored.
#[derive(Debug)]
pub struct CustomerReader(Merge<CustomerView>);

impl CustomerReader {
    pub(super) fn open<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<Self, StoreError> {
        Merge::open(paths, |_| CustomerView).map(Self)
    }

    /// All rows of the next customer, sorted by (`occurred_at`, import, identity).
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn next_customer(&mut self) -> Result<Option<&[CustomerRow]>, StoreError> {
        self.0.next_customer()
    }
}

/// Streams declared traits customer by customer, for folds.
#[derive(Debug)]
pub struct DeclaredReader(Merge<DeclaredScan>);

impl DeclaredReader {
    pub(super) fn open<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<Self, StoreError> {
        Merge::open(paths, |_| DeclaredScan::new()).map(Self)
    }

    /// The customer whose rows come next.
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn peek(&mut self) -> Result<Option<CustomerId>, StoreError> {
        self.0.peek()
    }

    /// All rows of the next customer, sorted by (`occurred_at`, import, traits).
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn next_customer(&mut self) -> Result<Option<&[DeclaredRow]>, StoreError> {
        self.0.next_customer()
    }
}

/// Streams events customer by customer, for folds: without context and sealed data.
#[derive(Debug)]
pub struct EventReader(Merge<EventView<Facts>>);

impl EventReader {
    pub(super) fn open<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<Self, StoreError> {
        Merge::open(paths, |_| EventView::new()).map(Self)
    }

    /// The customer whose events come next.
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn peek(&mut self) -> Result<Option<CustomerId>, StoreError> {
        self.0.peek()
    }

    /// All events of the next customer, sorted by (`occurred_at`, offset).
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn next_customer(&mut self) -> Result<Option<&[EventRow]>, StoreError> {
        self.0.next_customer()
    }
}

/// Streams events customer by customer with everything that was stored.
#[derive(Debug)]
pub(crate) struct WholeEventReader(Merge<EventView<Whole>>);

impl WholeEventReader {
    pub(crate) fn open<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<Self, StoreError> {
        Merge::open(paths, |_| EventView::new()).map(Self)
    }

    /// All events of the next customer, sorted by (`occurred_at`, offset).
    pub(crate) fn next_customer(&mut self) -> Result<Option<&[EventRow]>, StoreError> {
        self.0.next_customer()
    }
}
