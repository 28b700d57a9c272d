//! The history, folded customer by customer, partition by partition, on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use regulars_core::{CustomerId, LineRecord, Partition, Timestamp};
use regulars_profile::{Ledger, Oddities, Places, Products, Profile};
use regulars_store::history::{DeclaredRow, History, SymbolTable};

use super::declared::Declaring;
use crate::error::PipelineError;
use crate::in_turn::in_turn;
use crate::progress::{Progress, Unit};

/// Makes something of one customer: their resolved orders and what was declared of them.
pub(super) type FoldCustomer<'f, T> = &'f (
        dyn Fn(
    &mut Scratch<'_>,
    &Ledger,
    CustomerId,
    &[DeclaredRow],
) -> Result<T, serde_json::Error>
            + Sync
    );

/// What is used again from customer to customer.
pub(super) struct Scratch<'t> {
    pub(super) profile: Profile,
    pub(super) places: Places,
    pub(super) declaring: Declaring<'t>,
}

/// What one partition folds to.
pub(super) struct Part<T> {
    pub(super) folded: Vec<T>,
    pub(super) oddities: Oddities,
    pub(super) later_records: u64,
}

/// The history and what it is folded with.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) history: &'a History,
    pub(super) products: &'a Products,
    pub(super) table: &'a SymbolTable,
    pub(super) now: Timestamp,
    pub(super) threads: usize,
    pub(super) progress: &'a dyn Progress,
}

impl Source<'_> {
    /// Folds every partition, in order.
    pub(super) fn fold<T: Send>(
        &self,
        phase: &str,
        fold: FoldCustomer<'_, T>,
    ) -> Result<Vec<Part<T>>, PipelineError> {
        self.progress
            .begin(phase, Partition::COUNT as u64, Unit::Partitions);
        let done = AtomicUsize::new(0);
        let folder = || Folder {
            source: self,
            fold,
            ledger: Ledger::default(),
            scratch: Scratch {
                profile: Profile::new(CustomerId(0)),
                places: Places::default(),
                declaring: Declaring::new(self.table),
            },
            part: Part::default(),
            folded: Vec::new(),
        };
        in_turn(Partition::COUNT, self.threads, folder, |folder, index| {
            let part = folder.partition(Partition(index as u16));
            self.progress
                .advance(done.fetch_add(1, Ordering::Relaxed) as u64 + 1);
            part
        })
    }
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self {
            folded: Vec::new(),
            oddities: Oddities::default(),
            later_records: 0,
        }
    }
}

/// What one thread folds with.
struct Folder<'a, T> {
    source: &'a Source<'a>,
    fold: FoldCustomer<'a, T>,
    ledger: Ledger,
    scratch: Scratch<'a>,
    part: Part<T>,
    /// Customers of the part.
    folded: Vec<T>,
}

impl<T> Folder<'_, T> {
    /// Merges the orders of the partition with what was declared of its customers.
    fn partition(&mut self, partition: Partition) -> Result<Part<T>, PipelineError> {
        let history = self.source.history;
        self.part = Part::default();
        let mut declared = history.declarations(partition)?;
        let mut orders = history.partition(partition, self.source.table)?;
        let mut next_declared = declared.peek()?;
        while let Some(records) = orders.next_customer()? {
            let customer = records[0].customer;
            while next_declared.is_some_and(|next| next < customer) {
                let rows = declared.next_customer()?.unwrap_or_default();
                self.customer(&[], rows)?;
                next_declared = declared.peek()?;
            }
            if next_declared == Some(customer) {
                let rows = declared.next_customer()?.unwrap_or_default();
                self.customer(records, rows)?;
                next_declared = declared.peek()?;
            } else {
                self.customer(records, &[])?;
            }
        }
        while let Some(rows) = declared.next_customer()? {
            self.customer(&[], rows)?;
        }
        // As much memory as is needed and no more: this stays.
        let mut folded = Vec::with_capacity(self.folded.len());
        folded.append(&mut self.folded);
        Ok(Part {
            folded,
            ..std::mem::take(&mut self.part)
        })
    }

    /// Folds one customer; one of whom nothing is known yet at `now` is none.
    fn customer(
        &mut self,
        records: &[LineRecord],
        rows: &[DeclaredRow],
    ) -> Result<(), PipelineError> {
        let now = self.source.now;
        let seen = records.partition_point(|record| record.occurred_at <= now);
        self.part.later_records += (records.len() - seen) as u64;
        // Rows are sorted by time, so those known at `now` come first.
        let known = &rows[..rows.partition_point(|row| row.occurred_at <= now)];
        let customer = match (records.first(), known.first()) {
            (Some(record), _) if seen > 0 => record.customer,
            (_, Some(row)) => row.customer,
            _ => return Ok(()),
        };
        self.ledger.resolve(records, self.source.products, now);
        self.part.oddities.add(self.ledger.oddities());
        if customer == CustomerId::NOBODY {
            return Ok(());
        }
        let folded = (self.fold)(&mut self.scratch, &self.ledger, customer, known)
            .map_err(PipelineError::Declared)?;
        self.folded.push(folded);
        Ok(())
    }
}
