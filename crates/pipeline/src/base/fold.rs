//! The history, folded customer by customer, partition by partition, on several threads.

use std::iter::Peekable;
use std::sync::atomic::{AtomicUsize, Ordering};

use regulars_core::{CustomerId, LineRecord, Partition, Symbol, Timestamp};
use regulars_profile::{Ledger, Oddities, Places, Products, Profile};
use regulars_store::history::{DeclaredRow, History, SymbolTable};
use regulars_store::vault::{IdentityId, Vault};

use super::declared::Declaring;
use crate::error::PipelineError;
use crate::in_turn::in_turn;
use crate::live::orders::Orders;
use crate::live::told::{Tellings, Told, ToldOf};
use crate::progress::{Progress, Unit};

/// Makes something of one customer: their resolved orders and what was declared of them.
pub(super) type FoldCustomer<'f, T> =
    &'f (dyn Fn(&mut Scratch<'_>, &Ledger, &Known<'_>) -> Result<T, serde_json::Error> + Sync);

/// What is known of one customer besides their resolved orders.
pub(super) struct Known<'k> {
    pub(super) customer: CustomerId,
    /// What files declared.
    pub(super) rows: &'k [DeclaredRow],
    /// Events, by time.
    pub(super) told: &'k [&'k Told],
    /// Every record of an order, sorted.
    pub(super) records: &'k [LineRecord],
}

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
    /// Whether a line of an order names its product.
    pub(super) names_products: bool,
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
    /// What the log tells beside the history.
    pub(super) tellings: &'a Tellings,
    pub(super) orders: &'a Orders,
    pub(super) vault: Option<&'a Vault>,
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
            records: Vec::new(),
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
            names_products: false,
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
    /// Records of a customer of whom the log tells.
    records: Vec<LineRecord>,
}

impl<T> Folder<'_, T> {
    /// Merges the orders of the partition with what was declared of its customers and what the
    /// log tells of them.
    fn partition(&mut self, partition: Partition) -> Result<Part<T>, PipelineError> {
        let history = self.source.history;
        let tellings = self.source.tellings;
        self.part = Part::default();
        let mut declared = history.declarations(partition)?;
        let mut orders = history.partition(partition, self.source.table)?;
        let mut told = tellings.of_partition(partition).peekable();
        let mut next_declared = declared.peek()?;
        while let Some(records) = orders.next_customer()? {
            let customer = records[0].customer;
            while let Some(before) = next_declared.filter(|next| *next < customer) {
                let rows = declared.next_customer()?.unwrap_or_default();
                self.told_before(Some(before), &mut told)?;
                let of = told.next_if(|(next, _)| *next == before);
                self.customer(&[], rows, of)?;
                next_declared = declared.peek()?;
            }
            self.told_before(Some(customer), &mut told)?;
            let of = told.next_if(|(next, _)| *next == customer);
            if next_declared == Some(customer) {
                let rows = declared.next_customer()?.unwrap_or_default();
                self.customer(records, rows, of)?;
                next_declared = declared.peek()?;
            } else {
                self.customer(records, &[], of)?;
            }
        }
        while let Some(rows) = declared.next_customer()? {
            let customer = rows[0].customer;
            self.told_before(Some(customer), &mut told)?;
            let of = told.next_if(|(next, _)| *next == customer);
            self.customer(&[], rows, of)?;
        }
        self.told_before(None, &mut told)?;
        // As much memory as is needed and no more: this stays.
        let mut folded = Vec::with_capacity(self.folded.len());
        folded.append(&mut self.folded);
        Ok(Part {
            folded,
            ..std::mem::take(&mut self.part)
        })
    }

    /// Folds those before `customer` of whom the log alone tells.
    fn told_before<'t>(
        &mut self,
        customer: Option<CustomerId>,
        told: &mut Peekable<impl Iterator<Item = (CustomerId, &'t ToldOf)>>,
    ) -> Result<(), PipelineError> {
        let before = |next: CustomerId| customer.is_none_or(|customer| next < customer);
        while let Some(of) = told.next_if(|(next, _)| before(*next)) {
            if of.1.known {
                self.customer(&[], &[], Some(of))?;
            }
        }
        Ok(())
    }

    /// Folds one customer; one of whom nothing is known yet at `now` is none.
    fn customer(
        &mut self,
        records: &[LineRecord],
        rows: &[DeclaredRow],
        told: Option<(CustomerId, &ToldOf)>,
    ) -> Result<(), PipelineError> {
        let first = records.first().map(|record| record.customer);
        let first = first.or(rows.first().map(|row| row.customer));
        let customer = first.or(told.map(|(customer, _)| customer));
        let is_gone = |customer| self.source.tellings.redirects.contains_key(&customer);
        match (customer, told) {
            // Somebody who turned out to be another is folded with that one.
            (Some(customer), _) if is_gone(customer) => Ok(()),
            (Some(customer), Some((_, of))) => self.told(customer, records, rows, of),
            (Some(customer), None) => self.known(customer, records, rows, &[]),
            (None, _) => Ok(()),
        }
    }

    /// Folds a customer of whom the log tells something.
    fn told(
        &mut self,
        customer: CustomerId,
        records: &[LineRecord],
        rows: &[DeclaredRow],
        of: &ToldOf,
    ) -> Result<(), PipelineError> {
        let source = self.source;
        let mut all = std::mem::take(&mut self.records);
        all.clear();
        all.extend_from_slice(records);
        let mut declared = rows.to_vec();
        for &from in &of.merged {
            let vault = source.vault;
            if vault.is_some_and(|vault| vault.is_anonymous(IdentityId(from.0))) {
                // No file names a visitor by an anonymous id.
                continue;
            }
            let rows = source.history.timeline(from, source.table)?;
            all.extend(rows.into_iter().map(|row| row.record));
            let rows = source.history.declared(from)?.into_iter();
            declared.extend(rows.map(|row| DeclaredRow {
                customer,
                occurred_at: row.occurred_at,
                import: row.import,
                traits: row.traits.into(),
            }));
        }
        declared.sort_by_key(|row| row.occurred_at);
        source.orders.add_told(&of.told, &mut all, source.table)?;
        all.sort_by_key(|r| (r.occurred_at, r.order, r.import, r.line));
        let done = self.known(customer, &all, &declared, &of.by_time());
        self.records = all;
        done
    }

    fn known(
        &mut self,
        customer: CustomerId,
        records: &[LineRecord],
        rows: &[DeclaredRow],
        told: &[&Told],
    ) -> Result<(), PipelineError> {
        let now = self.source.now;
        let seen = records.partition_point(|record| record.occurred_at <= now);
        // Rows are sorted by time, so those known at `now` come first.
        let declared = rows.partition_point(|row| row.occurred_at <= now);
        let ends_later = |record: &&LineRecord| record.ended_at.is_some_and(|at| at > now);
        let later = records.len() - seen + rows.len() - declared;
        let ended = records[..seen].iter().filter(ends_later).count();
        self.part.later_records += (later + ended) as u64;
        let rows = &rows[..declared];
        if seen == 0 && rows.is_empty() && told.is_empty() {
            return Ok(());
        }
        self.ledger.resolve(records, self.source.products, now);
        self.part.oddities.add(self.ledger.oddities());
        if customer == CustomerId::NOBODY {
            return Ok(());
        }
        let names_product = |record: &LineRecord| record.product != Symbol::NONE;
        self.part.names_products =
            self.part.names_products || records[..seen].iter().any(names_product);
        let known = Known {
            customer,
            rows,
            told,
            records: &records[..seen],
        };
        let folded = (self.fold)(&mut self.scratch, &self.ledger, &known)
            .map_err(PipelineError::Declared)?;
        self.folded.push(folded);
        Ok(())
    }
}
