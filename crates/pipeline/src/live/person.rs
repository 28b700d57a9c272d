//! One customer on the live path: what was told of them, and what it comes to.
//!
//! What is told in order is folded as it comes. Whatever changes the past (a new version of an
//! order, a refund, an order that is told late, a merge) is folded again from the beginning, from
//! the history and from what was told since: both ways give the same.

use std::collections::HashSet;

use regulars_core::{
    CustomerId, Event, EventKind, LineRecord, Order, Properties, RecordKind, Timestamp,
};
use regulars_ingest::tracking::{Limits, flatten};
use regulars_profile::{CartChange, Ledger, Member, Products, Profile};
use regulars_rules::{LeafStates, Program};
use regulars_store::history::{DeclaredRow, History, SymbolTable};
use regulars_store::log::StoredEvent;

use super::orders::{self, Orders};
use super::{carts, traits};
use crate::base::Declaring;
use crate::error::PipelineError;

/// An event with its offset in the log.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) offset: u64,
    pub(super) event: Box<StoredEvent>,
}

/// One customer.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) member: Member,
    /// Whether they have another name than an anonymous id: only then they are a customer.
    pub(super) known: bool,
    /// What was told since the history, by offset.
    pub(super) told: Vec<Told>,
    /// Ids whose rows of the history are this customer's, besides its own.
    pub(super) merged: Vec<CustomerId>,
    /// Whether the history may have rows of them.
    pub(super) has_history: bool,
    /// Time of the latest identify so far.
    identified_at: Timestamp,
}

/// What a fold needs besides the person.
#[derive(Debug)]
pub(super) struct Folding<'a> {
    pub(super) history: &'a History,
    pub(super) table: &'a SymbolTable,
    pub(super) products: &'a Products,
    pub(super) program: &'a Program,
    pub(super) orders: &'a mut Orders,
    pub(super) ledger: &'a mut Ledger,
    /// What is later than this is not known yet.
    pub(super) now: Timestamp,
}

impl Person {
    /// Somebody of whom nothing is known yet.
    pub(super) fn new(customer: CustomerId, program: &Program) -> Self {
        Self::folded(Profile::new(customer), program.new_states(), program, false)
    }

    /// Somebody as the history tells.
    pub(super) fn folded(
        profile: Profile,
        states: LeafStates,
        program: &Program,
        has_history: bool,
    ) -> Self {
        Self {
            member: Member::new(profile, states, program),
            known: has_history,
            told: Vec::new(),
            merged: Vec::new(),
            has_history,
            identified_at: Timestamp::MIN,
        }
    }

    /// Takes over what was told of somebody who turned out to be the same.
    pub(super) fn take_over(&mut self, from: CustomerId, gone: Self) {
        self.known |= gone.known;
        self.has_history |= gone.has_history;
        self.merged.push(from);
        self.merged.extend(gone.merged);
        self.told.extend(gone.told);
        self.told.sort_by_key(|told| told.offset);
    }

    /// Folds the next event by offset.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(super) fn tell(
        &mut self,
        told: Told,
        folding: &mut Folding<'_>,
    ) -> Result<(), PipelineError> {
        let in_order = self.fold_event(&told, folding)?;
        self.told.push(told);
        if !in_order {
            self.refold(folding)?;
        }
        Ok(())
    }

    /// Folds an event as the latest of all; says false when it changes the past.
    fn fold_event(
        &mut self,
        told: &Told,
        folding: &mut Folding<'_>,
    ) -> Result<bool, PipelineError> {
        let event = &told.event;
        match event.kind {
            EventKind::Identify => {
                let in_order = event.occurred_at >= self.identified_at;
                if in_order {
                    self.identified_at = event.occurred_at;
                    traits::declare(&mut self.member.profile, &event.properties, folding.table);
                }
                Ok(in_order)
            }
            EventKind::Track => {
                let in_order = self.fold_order_told(told, folding)?;
                Ok(in_order && self.fold_seen(told, folding))
            }
            EventKind::Page | EventKind::Screen => Ok(self.fold_seen(told, folding)),
            EventKind::Group | EventKind::Alias => Ok(true),
        }
    }

    /// Folds what conditions on events and carts see; says false when carts changed later already.
    fn fold_seen(&mut self, told: &Told, folding: &Folding<'_>) -> bool {
        fold_event(&mut self.member.states, told, folding.program);
        if !carts::concerns(told) {
            return true;
        }
        let last = self.member.carts.changed_at();
        let in_order = last.is_none_or(|last| last <= told.event.occurred_at);
        if in_order {
            let carts = &mut self.member.carts;
            carts::change(carts, told, folding.orders, folding.table);
        }
        in_order
    }

    fn fold_order_told(
        &mut self,
        told: &Told,
        folding: &mut Folding<'_>,
    ) -> Result<bool, PipelineError> {
        let Some(order) = orders::of(told, folding.orders.currency()) else {
            return Ok(true);
        };
        let is_new = folding.orders.is_new(order.key());
        let last = self.member.profile.last_order_at();
        let is_latest = last.is_none_or(|last| last < told.event.occurred_at);
        if !(order.is_placed() && is_new && is_latest) {
            return Ok(false);
        }
        let placed_at = told.event.occurred_at;
        let records = folding
            .orders
            .assemble(&order, told, placed_at, folding.table)?;
        folding
            .ledger
            .resolve(&records, folding.products, folding.now);
        let before = self.member.profile.orders.len();
        let Member {
            profile, states, ..
        } = &mut self.member;
        for order in folding.ledger.orders() {
            fold_order(profile, states, folding.program, &order);
        }
        Ok(profile.orders.len() > before || records.is_empty())
    }

    /// Folds everything again.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(super) fn refold(&mut self, folding: &mut Folding<'_>) -> Result<(), PipelineError> {
        let customer = self.member.profile.customer;
        let mut records: Vec<LineRecord> = Vec::new();
        let mut declared: Vec<DeclaredRow> = Vec::new();
        if self.has_history {
            for &id in [customer].iter().chain(&self.merged) {
                let rows = folding.history.timeline(id, folding.table)?;
                records.extend(rows.into_iter().map(|row| row.record));
                let rows = folding.history.declared(id)?;
                declared.extend(rows.into_iter().map(|row| DeclaredRow {
                    customer,
                    occurred_at: row.occurred_at,
                    import: row.import,
                    traits: row.traits.into(),
                }));
            }
        }
        folding
            .orders
            .add_told(&self.told, &mut records, folding.table)?;
        records.sort_by_key(|r| (r.occurred_at, r.order, r.import, r.line));
        folding
            .ledger
            .resolve(&records, folding.products, folding.now);
        let Member {
            profile, states, ..
        } = &mut self.member;
        profile.reset(customer);
        folding.program.reset(states);
        for order in folding.ledger.orders() {
            fold_order(profile, states, folding.program, &order);
        }
        profile.refunds_minor += folding.ledger.refunded_elsewhere_minor();
        declared.retain(|row| row.occurred_at <= folding.now);
        Declaring::new(folding.table)
            .declare(profile, &declared)
            .map_err(PipelineError::Declared)?;
        self.refold_events(&records, folding);
        Ok(())
    }

    /// Folds all events again, by time; orders of the history end the carts before them.
    fn refold_events(&mut self, records: &[LineRecord], folding: &Folding<'_>) {
        let Member {
            profile,
            states,
            carts,
            ..
        } = &mut self.member;
        carts.clear();
        let mut told: Vec<&Told> = self.told.iter().collect();
        told.sort_by_key(|told| (told.event.occurred_at, told.offset));
        let offsets: HashSet<u64> = told.iter().map(|told| told.offset).collect();
        let imported =
            |line: &&LineRecord| line.kind == RecordKind::Sale && !offsets.contains(&line.import);
        let mut ordered_at: Vec<Timestamp> = records
            .iter()
            .filter(imported)
            .map(|line| line.occurred_at)
            .collect();
        ordered_at.dedup();
        let mut ordered = ordered_at.into_iter().peekable();
        for told in told {
            while let Some(at) = ordered.next_if(|&at| at <= told.event.occurred_at) {
                carts.change(None, at, CartChange::Ordered);
            }
            match told.event.kind {
                EventKind::Identify => {
                    traits::declare(profile, &told.event.properties, folding.table);
                    self.identified_at = told.event.occurred_at;
                }
                EventKind::Track | EventKind::Page | EventKind::Screen => {
                    fold_event(states, told, folding.program);
                    carts::change(carts, told, folding.orders, folding.table);
                }
                EventKind::Group | EventKind::Alias => {}
            }
        }
        for at in ordered {
            if !carts.open().is_empty() {
                carts.change(None, at, CartChange::Ordered);
            }
        }
    }
}

/// Folds an event into what conditions remember of events.
fn fold_event(states: &mut LeafStates, told: &Told, program: &Program) {
    let event = &told.event;
    let none = Properties::default();
    let seen = Event {
        kind: event.kind,
        name: &event.name,
        occurred_at: event.occurred_at,
        received_at: event.received_at,
        properties: &none,
    };
    if program.reads(&seen) {
        let properties = &flatten(&event.properties, &Limits::default());
        program.fold_event(states, &Event { properties, ..seen });
    }
}

fn fold_order(
    profile: &mut Profile,
    states: &mut LeafStates,
    program: &Program,
    order: &Order<'_>,
) {
    profile.fold(order);
    program.fold(states, order);
}
