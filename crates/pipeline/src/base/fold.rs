//! The history, folded customer by customer, partition by partition, on several threads.
//!
//! ```text
//! order lines ─┐
//! declared  ───┼─ by customer ─► everything of one customer ─► ledger ─► what is made of them
//! events ──────┤
//! the log ─────┘
//! ```

use std::sync::atomic::{AtomicUsize, Ordering};

use regulars_core::{CustomerId, LineRecord, OrderKey, OrderStatus, Partition, Timestamp};
use regulars_profile::{Accounts, Carts, Ledger, Oddities, Places, Products, Profile};
use regulars_rules::LeafStates;
use regulars_store::history::{CustomerRow, DeclaredRow, EventRow, History, SymbolTable};
use regulars_store::vault::{IdentityId, Vault};

use super::declared::Declaring;
use crate::error::PipelineError;
use crate::in_turn::in_turn;
use crate::live::contested::Claim;
use crate::live::orders::{self, Orders};
use crate::live::retell;
use crate::live::told::{Tellings, Told, ToldOf, by_time};
use crate::live::whose::RowPlaces;
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
    /// Whether the history may hold events of them.
    pub(super) has_moved: bool,
}

/// What the events of one customer come to besides facts and the states of conditions.
#[derive(Debug, Clone)]
pub(crate) struct FoldedEvents {
    pub(crate) carts: Carts,
    /// When the last `identify` happened.
    pub(crate) identified_at: Option<Timestamp>,
    /// When the last `group` happened.
    pub(crate) grouped_at: Option<Timestamp>,
    /// When the last event arrived.
    pub(crate) received_at: Timestamp,
    /// Whether the history may hold events of them.
    pub(crate) has_moved: bool,
}

/// What is noted besides what customers fold to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noting {
    /// Nothing.
    Nothing,
    /// The orders that events tell of and what they say of accounts: see [`Noted::claims`].
    Claims,
    /// What the live path needs to know of everyone: see [`Noted`].
    ForLive,
}

/// What is known of everyone besides what customers fold to.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// Orders and who tells of them: all of them for the live path, else those that events tell
    /// of.
    pub(crate) claims: Vec<Claim>,
    /// The orders that events tell of; for the live path.
    pub(crate) told: Vec<OrderKey>,
    /// Visitors whom nothing but an anonymous id names and of whom the history holds events.
    pub(crate) visitors: Vec<CustomerId>,
    /// Customers of whom nothing counts: the orders that files give them are another's, or are yet to
    /// come.
    pub(crate) nobodies: Vec<CustomerId>,
    /// When something went back last, of the customers of whom anything did; for the live path.
    pub(crate) returned: Vec<(CustomerId, Timestamp)>,
    /// What `group` calls say of accounts, whoever sent them.
    pub(crate) accounts: Accounts,
}

/// What is used again from customer to customer.
pub(super) struct Scratch<'t> {
    pub(super) profile: Profile,
    pub(super) places: Places,
    pub(super) declaring: Declaring<'t>,
    /// What conditions remember of the customers of the part, where that is folded with the facts.
    pub(super) states: Vec<LeafStates>,
}

/// What one partition folds to.
pub(super) struct Part<T> {
    pub(super) folded: Vec<T>,
    /// What conditions remember of each of them, if that was folded as well.
    pub(super) states: Vec<LeafStates>,
    pub(super) oddities: Oddities,
    pub(super) later_records: u64,
    pub(super) orders_without_rate: u64,
    pub(super) noted: Noted,
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
        noting: Noting,
        fold: FoldCustomer<'_, T>,
    ) -> Result<Vec<Part<T>>, PipelineError> {
        self.progress
            .begin(phase, Partition::COUNT as u64, Unit::Partitions);
        let done = AtomicUsize::new(0);
        let folder = || Folder {
            source: self,
            noting,
            fold,
            ledger: Ledger::default(),
            scratch: Scratch {
                profile: Profile::new(CustomerId(0)),
                places: Places::default(),
                declaring: Declaring::new(self.table),
                states: Vec::new(),
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
            states: Vec::new(),
            oddities: Oddities::default(),
            later_records: 0,
            orders_without_rate: 0,
            noted: Noted::default(),
            names_products: false,
        }
    }
}

/// What lies under one customer.
#[derive(Default)]
struct OfCustomer<'p> {
    records: &'p [LineRecord],
    rows: &'p [DeclaredRow],
    events: &'p [EventRow],
    /// What the log tells.
    told: Option<&'p ToldOf>,
}

/// What one thread folds with.
struct Folder<'a, T> {
    source: &'a Source<'a>,
    noting: Noting,
    fold: FoldCustomer<'a, T>,
    ledger: Ledger,
    scratch: Scratch<'a>,
    part: Part<T>,
    /// Customers of the part.
    folded: Vec<T>,
    /// Records of a customer of whom the log tells.
    records: Vec<LineRecord>,
}

fn declared_row(row: CustomerRow) -> DeclaredRow {
    DeclaredRow {
        customer: row.customer,
        occurred_at: row.occurred_at,
        import: row.import,
        traits: row.traits.into(),
    }
}

impl<T> Folder<'_, T> {
    /// Puts together the orders of the partition, what was declared of its customers, their events
    /// and what the log tells of them.
    fn partition(&mut self, partition: Partition) -> Result<Part<T>, PipelineError> {
        let history = self.source.history;
        self.part = Part::default();
        let mut orders = history.partition(partition, self.source.table)?;
        let mut declared = history.declarations(partition)?;
        let mut events = history.events(partition)?;
        let mut told = self.source.tellings.of_partition(partition).peekable();
        let mut next_order = orders.peek()?;
        let mut next_declared = declared.peek()?;
        let mut next_event = events.peek()?;
        loop {
            let next_told = told.peek().map(|(customer, _)| *customer);
            let nexts = [next_order, next_declared, next_event, next_told];
            let Some(customer) = nexts.into_iter().flatten().min() else {
                break;
            };
            let mut of = OfCustomer {
                told: told
                    .next_if(|(next, _)| *next == customer)
                    .map(|(_, of)| of),
                ..OfCustomer::default()
            };
            if next_order == Some(customer) {
                of.records = orders.next_customer()?.unwrap_or_default();
            }
            if next_declared == Some(customer) {
                of.rows = declared.next_customer()?.unwrap_or_default();
            }
            if next_event == Some(customer) {
                of.events = events.next_customer()?.unwrap_or_default();
            }
            self.customer(customer, &of)?;
            if next_order == Some(customer) {
                next_order = orders.peek()?;
            }
            if next_declared == Some(customer) {
                next_declared = declared.peek()?;
            }
            if next_event == Some(customer) {
                next_event = events.peek()?;
            }
        }
        // As much memory as is needed and no more: this stays.
        let mut folded = Vec::with_capacity(self.folded.len());
        folded.append(&mut self.folded);
        let mut states = Vec::with_capacity(self.scratch.states.len());
        states.append(&mut self.scratch.states);
        Ok(Part {
            folded,
            states,
            ..std::mem::take(&mut self.part)
        })
    }

    /// Folds one customer; one of whom nothing is known yet at `now` is none. Of what lies under one
    /// whom others left, their own is sought out first.
    fn customer(&mut self, customer: CustomerId, of: &OfCustomer<'_>) -> Result<(), PipelineError> {
        if !of.told.is_some_and(|of| of.is_parted) {
            return self.whole(customer, of);
        }
        let source = self.source;
        let owner = |identity, under| source.tellings.owner(identity, under);
        let own = RowPlaces::own(customer, true);
        let records = own.orders(source.history, source.table, &owner)?;
        let records: Vec<LineRecord> = records.into_iter().map(|row| row.record).collect();
        let rows = own.declared(source.history, &owner)?;
        let rows: Vec<DeclaredRow> = rows.into_iter().map(declared_row).collect();
        let events = own.events(source.history, &owner)?;
        let of = OfCustomer {
            records: &records,
            rows: &rows,
            events: &events,
            told: of.told,
        };
        self.whole(customer, &of)
    }

    fn whole(&mut self, customer: CustomerId, of: &OfCustomer<'_>) -> Result<(), PipelineError> {
        let tellings = self.source.tellings;
        // Somebody who turned out to be another is folded with that one.
        let is_gone = tellings.redirects.contains_key(&customer);
        if self.noting == Noting::ForLive {
            self.note(customer, of.records.iter().map(|record| record.order));
        }
        if is_gone {
            return Ok(());
        }
        let arrived = |row: &&EventRow| row.event.received_at <= tellings.until;
        let own: Vec<Told> = of
            .events
            .iter()
            .filter(arrived)
            .map(|row| row.clone().into())
            .collect();
        let is_contested = self.source.orders.contested.concerns(customer);
        if own.is_empty() && of.told.is_none() && !is_contested {
            return self.known(customer, of.records, of.rows, &[], false);
        }
        let (moved, told) = of
            .told
            .map_or_else(Default::default, |of| (&of.moved[..], &of.told[..]));
        let events = by_time(own.iter().chain(moved).chain(told));
        if self.noting != Noting::Nothing {
            let orders = self.source.orders;
            let of_orders: Vec<OrderKey> = events
                .iter()
                .filter_map(|told| orders::key_of(told, orders))
                .map(OrderKey)
                .collect();
            self.note(customer, of_orders.iter().copied());
            if self.noting == Noting::ForLive {
                self.part.noted.told.extend(of_orders);
            }
            let (accounts, table) = (&mut self.part.noted.accounts, self.source.table);
            retell::say(accounts, &events, table, orders.zone());
        }
        let has_moved = own.len() + moved.len() > 0;
        let is_named = of.told.is_some_and(|of| of.known);
        let is_visitor = |vault: &Vault| vault.is_anonymous(IdentityId(customer.0));
        let is_visitor = self.source.vault.is_some_and(is_visitor);
        // A visitor who was part of a customer is a visitor again. Of others who left somebody files may
        // tell elsewhere.
        let is_told_of =
            of.told.is_some_and(|of| of.is_parted) || own.iter().any(|told| !told.event.anonymous);
        let is_named = is_named || is_told_of && !is_visitor;
        if of.records.is_empty() && of.rows.is_empty() && !is_named {
            if has_moved && self.noting == Noting::ForLive {
                self.part.noted.visitors.push(customer);
            }
            return Ok(());
        }
        self.told(customer, of, &events, has_moved)
    }

    fn note(&mut self, customer: CustomerId, orders: impl Iterator<Item = OrderKey>) {
        let customer = self.source.tellings.canonical(customer);
        let claims = &mut self.part.noted.claims;
        // The lines of an order mostly follow each other.
        for order in orders {
            if claims.last() != Some(&(order, customer)) {
                claims.push((order, customer));
            }
        }
    }

    /// Folds a customer of whom events tell something.
    fn told(
        &mut self,
        customer: CustomerId,
        of: &OfCustomer<'_>,
        events: &[&Told],
        has_moved: bool,
    ) -> Result<(), PipelineError> {
        let source = self.source;
        let mut all = std::mem::take(&mut self.records);
        all.clear();
        all.extend_from_slice(of.records);
        let mut declared = of.rows.to_vec();
        if let Some(told) = of.told {
            // No file names a visitor by an anonymous id.
            let is_visitor = |vault: &Vault, id: &CustomerId| vault.is_anonymous(IdentityId(id.0));
            let mut ids = told.merged.clone();
            ids.retain(|id| !source.vault.is_some_and(|vault| is_visitor(vault, id)));
            let elsewhere = RowPlaces {
                ids: &ids,
                ..told.places(customer)
            };
            let owner = |identity, under| source.tellings.owner(identity, under);
            let (history, table) = (source.history, source.table);
            let rows = elsewhere.orders_elsewhere(history, table, &owner)?;
            all.extend(rows.into_iter().map(|row| row.record));
            let rows = elsewhere.declared_elsewhere(history, &owner)?;
            declared.extend(rows.into_iter().map(|row| DeclaredRow {
                customer,
                ..declared_row(row)
            }));
        }
        declared.sort_by_key(|row| row.occurred_at);
        self.part.orders_without_rate +=
            source
                .orders
                .add_told(customer, events, &mut all, source.table)?;
        orders::sort(&mut all);
        let done = self.known(customer, &all, &declared, events, has_moved);
        self.records = all;
        done
    }

    fn known(
        &mut self,
        customer: CustomerId,
        records: &[LineRecord],
        rows: &[DeclaredRow],
        told: &[&Told],
        has_moved: bool,
    ) -> Result<(), PipelineError> {
        let now = self.source.now;
        let seen = records.partition_point(|record| record.occurred_at <= now);
        // Rows are sorted by time, so those known at `now` come first.
        let declared = rows.partition_point(|row| row.occurred_at <= now);
        let ends = |record: &LineRecord| {
            record.refunded_minor != 0
                || matches!(
                    record.status,
                    OrderStatus::Cancelled | OrderStatus::Refunded
                )
        };
        let ends_later = |record: &&LineRecord| ends(record) && record.ended_by() > now;
        let later = records.len() - seen + rows.len() - declared;
        let ended = records[..seen].iter().filter(ends_later).count();
        self.part.later_records += (later + ended) as u64;
        let rows = &rows[..declared];
        let is_nobody = seen == 0 && rows.is_empty() && told.is_empty();
        if self.noting == Noting::ForLive && customer != CustomerId::NOBODY {
            let returned = orders::returned_at(records).map(|at| (customer, at));
            self.part.noted.returned.extend(returned);
            self.part
                .noted
                .nobodies
                .extend(is_nobody.then_some(customer));
        }
        if is_nobody {
            return Ok(());
        }
        self.ledger.resolve(records, self.source.products, now);
        self.part.oddities.add(self.ledger.oddities());
        if customer == CustomerId::NOBODY {
            return Ok(());
        }
        let mut seen_records = records[..seen].iter();
        self.part.names_products =
            self.part.names_products || seen_records.any(LineRecord::names_product);
        let known = Known {
            customer,
            rows,
            told,
            records: &records[..seen],
            has_moved,
        };
        let folded = (self.fold)(&mut self.scratch, &self.ledger, &known)
            .map_err(PipelineError::Declared)?;
        self.folded.push(folded);
        Ok(())
    }
}
