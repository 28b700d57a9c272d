//! One customer on the live path: what was told of them, and what it comes to.
//!
//! What is told in order is folded as it comes. Whatever changes the past (a new version of an
//! order, a refund, an order that is told late, a merge) is folded again from the beginning, from
//! the history and from what was told since: both ways give the same. The history has rows of files
//! and, by and by, the events.

use std::cmp::Reverse;
use std::collections::HashMap;

use foldhash::fast::FixedState;
use regulars_core::{CustomerId, EventKind, LineRecord, OrderKey, RecordKind, Timestamp};
use regulars_profile::{Carts, Context, Customer, Ledger, Member, Products, Profile};
use regulars_rules::{Change, LeafStates, Program};
use regulars_store::history::{DeclaredRow, History, OrderRow, SymbolTable};
use regulars_store::log::Unmerged;
use regulars_store::vault::IdentityId;

use super::carts::{self, LatestChanges};
use super::engine::Wakes;
use super::orders::{self, Orders};
use super::told::{Told, ToldOf, by_time};
use super::whose::{Parted, RowPlaces};
use super::{retell, traits, visits};
use crate::base::{Declaring, FoldedEvents};
use crate::error::PipelineError;

/// One customer.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) member: Member,
    /// Whether they have another name than an anonymous id: only then they are a customer.
    pub(super) known: bool,
    /// What was told and is not in the history yet, by offset.
    pub(super) told: Vec<Told>,
    /// Whether the history may have events of them. Those that it has count, whether or not they
    /// are in `told` as well.
    pub(super) has_moved: bool,
    /// Ids whose rows of the history are this customer's, besides its own.
    pub(super) merged: Vec<CustomerId>,
    /// Ids under which rows of theirs may lie among those of others.
    shared: Vec<CustomerId>,
    /// Whether somebody left them, or they left somebody: rows under their ids may be another's.
    is_parted: bool,
    /// Whether the history may have rows of them.
    pub(super) has_history: bool,
    /// When they are looked at next, as it stands in the queue.
    pub(super) queued: Option<Timestamp>,
    /// Time of the latest identify so far.
    identified_at: Timestamp,
    /// Time of the latest `group` so far.
    grouped_at: Timestamp,
    /// When the latest event arrived.
    received_at: Timestamp,
    /// Whether it is known that nothing ever went back.
    is_plain: bool,
    /// Time and key of the latest orders that count, so that one that comes late finds its place.
    latest_orders: Vec<(Timestamp, OrderKey)>,
    latest_changes: LatestChanges,
}

/// Events of one customer that the history has.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// It has all before this offset.
    to: u64,
    events: Vec<Told>,
}

impl Moved {
    /// These and what was told since, by time.
    pub(super) fn and<'a>(&'a self, told: &'a [Told]) -> Vec<&'a Told> {
        let since = told.iter().filter(|told| told.offset >= self.to);
        by_time(self.events.iter().chain(since))
    }
}

/// Orders whose key is kept, at least.
const ORDERS_KEPT: usize = 32;

/// What was folded again when an event was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retold {
    /// Nothing: [`Folding::changes`] says what the event changed.
    Nothing,
    /// Everything that is known of the customer.
    Everything,
}

/// What is of identities that leave a customer.
#[derive(Debug)]
pub(super) struct Leaving {
    /// What was told of them.
    pub(super) told: Vec<Told>,
    /// Their ids that have rows of the history.
    merged: Vec<CustomerId>,
    /// Ids under which more of their rows may lie.
    shared: Vec<CustomerId>,
    has_moved: bool,
    has_history: bool,
}

/// Whose rows of the history are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'a> {
    pub(super) redirects: &'a HashMap<CustomerId, CustomerId, FixedState>,
    pub(super) parted: &'a Parted,
}

impl Whose<'_> {
    pub(super) fn owner(self, identity: IdentityId, lies_under: CustomerId) -> CustomerId {
        let mut customer = self.parted.owner(identity, lies_under);
        while let Some(&into) = self.redirects.get(&customer) {
            customer = into;
        }
        customer
    }
}

/// What a fold needs besides the person.
#[derive(Debug)]
pub(super) struct Folding<'a> {
    pub(super) history: &'a History,
    pub(super) whose: Whose<'a>,
    pub(super) table: &'a SymbolTable,
    pub(super) products: &'a Products,
    pub(super) program: &'a Program,
    pub(super) orders: &'a mut Orders,
    pub(super) ledger: &'a mut Ledger,
    /// What the events that are folded change, for conditions.
    pub(super) changes: &'a mut Vec<Change>,
    /// What is later than this is not known yet.
    pub(super) now: Timestamp,
}

impl Person {
    /// Somebody of whom nothing is known yet.
    pub(super) fn new(customer: CustomerId, program: &Program) -> Self {
        Self::folded(Profile::new(customer), program.new_states(), program, false)
    }

    /// Somebody as the history tells; their last order ended every cart before it.
    pub(super) fn folded(
        profile: Profile,
        states: LeafStates,
        program: &Program,
        has_history: bool,
    ) -> Self {
        let last_order_at = profile.last_order_at();
        let mut member = Member::new(profile, states, program);
        if let Some(at) = last_order_at {
            member.carts = Carts::after_order(at);
        }
        let latest_changes = LatestChanges::unknown(&member.carts);
        Self {
            member,
            known: has_history,
            told: Vec::new(),
            has_moved: false,
            merged: Vec::new(),
            shared: Vec::new(),
            is_parted: false,
            has_history,
            queued: None,
            identified_at: Timestamp::MIN,
            grouped_at: Timestamp::MIN,
            received_at: Timestamp::MIN,
            is_plain: !has_history,
            latest_orders: Vec::new(),
            latest_changes,
        }
    }

    /// Puts the next instant at which they flip into the queue, unless an earlier one stands there:
    /// when that comes, they are looked at and queued again.
    pub(super) fn queue(&mut self, customer: CustomerId, wakes: &mut Wakes) {
        if let Some(at) = self.member.wake_at()
            && self.queued.is_none_or(|queued| at < queued)
        {
            wakes.push(Reverse((at, customer)));
            self.queued = Some(at);
        }
    }

    /// The latest moment that what is known of them needs.
    pub(super) fn known_to(&self) -> Timestamp {
        self.received_at.max(self.member.last_flip_at())
    }

    /// The customer as conditions see them.
    pub(super) fn subject<'a>(&'a self, context: &'a Context) -> Customer<'a> {
        Customer {
            carts: self.member.carts.open(),
            ..Customer::new(&self.member.profile, context)
        }
    }

    /// Takes what events come to that are folded already.
    pub(super) fn take_events(&mut self, events: FoldedEvents) {
        self.identified_at = events.identified_at.unwrap_or(Timestamp::MIN);
        self.grouped_at = events.grouped_at.unwrap_or(Timestamp::MIN);
        self.received_at = events.received_at;
        self.has_moved = events.has_moved;
        self.latest_changes = LatestChanges::unknown(&events.carts);
        self.member.carts = events.carts;
    }

    /// Takes what the log told of them, which is folded already.
    pub(super) fn take_told(&mut self, of: ToldOf) {
        self.known |= of.known;
        self.has_moved |= !of.moved.is_empty();
        let received = of.told.iter().map(|told| told.event.received_at);
        self.received_at = self
            .received_at
            .max(received.max().unwrap_or(Timestamp::MIN));
        self.told = of.told;
        self.merged = of.merged;
        self.shared = of.shared;
        self.is_parted = of.is_parted;
        // Of whom others left, files may have told.
        self.has_history |= of.is_parted;
    }

    /// True for one of whom the history knows all, without looking elsewhere.
    pub(super) fn is_whole(&self) -> bool {
        self.merged.is_empty() && !self.is_parted
    }

    fn places(&self) -> RowPlaces<'_> {
        RowPlaces {
            customer: self.member.profile.customer,
            ids: &self.merged,
            shared: &self.shared,
            is_parted: self.is_parted,
        }
    }

    /// Drops what the history has by now.
    pub(super) fn forget_moved(&mut self, moved_to: u64) {
        let count = self.told.partition_point(|told| told.offset < moved_to);
        if count > 0 {
            self.told.drain(..count);
            self.told.shrink_to_fit();
            self.has_moved = true;
        }
    }

    /// What the history has of their events.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn moved(
        &self,
        history: &History,
        whose: Whose<'_>,
    ) -> Result<Moved, PipelineError> {
        if !self.has_moved {
            return Ok(Moved::default());
        }
        let owner = |identity, under| whose.owner(identity, under);
        let events = self.places().events(history, &owner)?;
        Ok(Moved {
            to: history.moved_to(),
            events: events.into_iter().map(Told::from).collect(),
        })
    }

    /// What the history has of their orders.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn records(
        &self,
        history: &History,
        table: &SymbolTable,
        whose: Whose<'_>,
    ) -> Result<Vec<LineRecord>, PipelineError> {
        let rows = self.order_rows(history, table, whose)?;
        Ok(rows.into_iter().map(|row| row.record).collect())
    }

    /// What the history has of their orders, as rows.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn order_rows(
        &self,
        history: &History,
        table: &SymbolTable,
        whose: Whose<'_>,
    ) -> Result<Vec<OrderRow>, PipelineError> {
        if !self.has_history {
            return Ok(Vec::new());
        }
        let owner = |identity, under| whose.owner(identity, under);
        Ok(self.places().orders(history, table, &owner)?)
    }

    /// Takes over what was told of somebody who turned out to be the same.
    pub(super) fn take_over(&mut self, from: CustomerId, gone: Self) {
        self.known |= gone.known;
        self.has_history |= gone.has_history;
        self.has_moved |= gone.has_moved;
        self.received_at = self.received_at.max(gone.received_at);
        self.merged.push(from);
        self.merged.extend(gone.merged);
        self.shared.extend(gone.shared);
        self.is_parted |= gone.is_parted;
        self.told.extend(gone.told);
        self.told.sort_by_key(|told| told.offset);
    }

    /// Gives up what is of some identities, which are another customer from now on: what was told of
    /// them, and where more may lie.
    pub(super) fn part(&mut self, unmerged: &Unmerged) -> Leaving {
        let leaves = |id: CustomerId| unmerged.along.contains(&id);
        let of_leaving = |told: &mut Told| leaves(CustomerId(told.event.identity.0));
        let told = self.told.extract_if(.., of_leaving).collect();
        let merged = self.merged.extract_if(.., |id| leaves(*id)).collect();
        self.is_parted = true;
        let mut shared = unmerged.through.clone();
        shared.push(self.member.profile.customer);
        shared.extend(self.merged.iter().chain(&self.shared));
        shared.sort_unstable();
        shared.dedup();
        Leaving {
            told,
            merged,
            shared,
            has_moved: self.has_moved,
            has_history: self.has_history,
        }
    }

    /// Whether anything was told of them or lies in the history.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn is_somebody(
        &self,
        history: &History,
        table: &SymbolTable,
        whose: Whose<'_>,
    ) -> Result<bool, PipelineError> {
        if !self.told.is_empty() || !self.moved(history, whose)?.events.is_empty() {
            return Ok(true);
        }
        let owner = |identity, under| whose.owner(identity, under);
        Ok(!self.order_rows(history, table, whose)?.is_empty()
            || self.has_history && !self.places().declared(history, &owner)?.is_empty())
    }

    /// Takes what is theirs of somebody whom they left.
    pub(super) fn arrive(&mut self, leaving: Leaving, known: bool) {
        let customer = self.member.profile.customer;
        self.known = known;
        self.is_parted = true;
        self.has_moved |= leaving.has_moved;
        self.has_history |= leaving.has_history;
        let others = leaving.merged.into_iter().filter(|&id| id != customer);
        self.merged.extend(others);
        self.shared.extend(leaving.shared);
        for mut told in leaving.told {
            told.event.customer = customer;
            self.received_at = self.received_at.max(told.event.received_at);
            self.told.push(told);
        }
        self.told.sort_by_key(|told| told.offset);
    }

    /// Folds the next event by offset; says what was folded again.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(super) fn tell(
        &mut self,
        told: Told,
        folding: &mut Folding<'_>,
    ) -> Result<Retold, PipelineError> {
        let in_order = self.fold_event(&told, folding)?;
        self.received_at = self.received_at.max(told.event.received_at);
        self.told.push(told);
        if in_order {
            return Ok(Retold::Nothing);
        }
        self.refold(folding)?;
        Ok(Retold::Everything)
    }

    /// Keeps an event that is folded afterwards, with all others.
    pub(super) fn keep(&mut self, told: Told) {
        self.known |= !told.event.anonymous;
        self.received_at = self.received_at.max(told.event.received_at);
        self.told.push(told);
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
                    let (profile, zone) = (&mut self.member.profile, folding.orders.zone());
                    traits::declare(profile, &event.properties, folding.table, zone);
                    folding.changes.push(Change::Declared);
                }
                Ok(in_order)
            }
            EventKind::Track => {
                let in_order = self.fold_order_told(told, folding)?;
                Ok(in_order && self.fold_seen(told, folding))
            }
            EventKind::Page | EventKind::Screen => Ok(self.fold_seen(told, folding)),
            EventKind::Group => {
                // An older one changes nothing: the account is that of the latest.
                if let Some(account) = told.account()
                    && event.occurred_at >= self.grouped_at
                {
                    self.grouped_at = event.occurred_at;
                    self.member.profile.account = folding.table.intern(account);
                    folding.changes.push(Change::Account);
                }
                Ok(true)
            }
            EventKind::Alias => Ok(true),
        }
    }

    /// Folds what visits, and conditions on events and carts, see; says false when a visit or the
    /// change of a cart is too late to be put in its place.
    fn fold_seen(&mut self, told: &Told, folding: &mut Folding<'_>) -> bool {
        let changes = &mut *folding.changes;
        if visits::is_of_visit(told) {
            let silence_ms = folding.orders.session_silence_ms();
            if !visits::take(&mut self.member.profile, told, folding.table, silence_ms) {
                return false;
            }
            changes.push(Change::Visit);
        }
        retell::fold_event(&mut self.member.states, told, folding.program, |change| {
            changes.push(change);
        });
        match carts::of(told, folding.orders, folding.table) {
            Some(change) => {
                changes.push(Change::Carts);
                let open_ms = folding.orders.cart_open_ms();
                self.latest_changes
                    .take(change, &mut self.member.carts, open_ms)
            }
            None => true,
        }
    }

    fn fold_order_told(
        &mut self,
        told: &Told,
        folding: &mut Folding<'_>,
    ) -> Result<bool, PipelineError> {
        let Some(order) = orders::of(told, folding.orders.currency()) else {
            return Ok(true);
        };
        let customer = self.member.profile.customer;
        let is_new = folding.orders.is_new(order.key(), customer);
        let placed_at = told.event.occurred_at;
        if !(order.is_placed() && is_new) {
            return Ok(false);
        }
        let Some(place) = self.place_of(placed_at, order.key()) else {
            return Ok(false);
        };
        let records = folding
            .orders
            .assemble(&order, told, placed_at, folding.table)?;
        folding
            .ledger
            .resolve(&records, folding.products, folding.now);
        let Member {
            profile, states, ..
        } = &mut self.member;
        if records.iter().any(|record| record.kind != RecordKind::Sale) {
            return Ok(false);
        }
        let mut counted = folding.ledger.orders();
        let (Some(order), None) = (counted.next(), counted.next()) else {
            return Ok(records.is_empty());
        };
        let is_last = place == profile.orders.len();
        // What went back before it may be of a late order.
        if !(is_last || self.is_plain) || !profile.insert(place, &order) {
            return Ok(false);
        }
        folding.program.fold(states, &order);
        folding.changes.extend(folding.program.changes_of_order());
        let from_end = profile.orders.len() - 1 - place;
        let place = self.latest_orders.len() - from_end;
        self.latest_orders
            .insert(place, (order.occurred_at, order.key));
        if self.latest_orders.len() >= 2 * ORDERS_KEPT {
            self.latest_orders.drain(..ORDERS_KEPT);
        }
        Ok(true)
    }

    /// The place by time of an order among those that count; `None` when it is too early to tell.
    fn place_of(&self, at: Timestamp, key: u64) -> Option<usize> {
        let orders = self.member.profile.orders.len();
        let last = self.member.profile.last_order_at();
        if last.is_none_or(|last| last < at) {
            return Some(orders);
        }
        let before = |known: &(Timestamp, OrderKey)| *known < (at, OrderKey(key));
        let place = self.latest_orders.partition_point(before);
        let is_known = place > 0 || self.latest_orders.len() == orders;
        is_known.then(|| orders - (self.latest_orders.len() - place))
    }

    /// Folds everything again.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(super) fn refold(&mut self, folding: &mut Folding<'_>) -> Result<(), PipelineError> {
        let customer = self.member.profile.customer;
        let mut records = self.records(folding.history, folding.table, folding.whose)?;
        let mut declared: Vec<DeclaredRow> = Vec::new();
        if self.has_history {
            let owner = |identity, under| folding.whose.owner(identity, under);
            let rows = self.places().declared(folding.history, &owner)?;
            declared.extend(rows.into_iter().map(|row| DeclaredRow {
                customer,
                occurred_at: row.occurred_at,
                import: row.import,
                traits: row.traits.into(),
            }));
        }
        let moved = self.moved(folding.history, folding.whose)?;
        let told = moved.and(&self.told);
        folding
            .orders
            .add_told(customer, &told, &mut records, folding.table)?;
        records.sort_by_key(|r| (r.occurred_at, r.order, r.import, r.line));
        self.is_plain = records.iter().all(|record| record.kind == RecordKind::Sale);
        let seen = records.partition_point(|record| record.occurred_at <= folding.now);
        folding
            .ledger
            .resolve(&records, folding.products, folding.now);
        let Member {
            profile,
            states,
            carts,
            ..
        } = &mut self.member;
        profile.reset(customer);
        folding.program.reset(states);
        self.latest_orders.clear();
        for order in folding.ledger.orders() {
            profile.fold(&order);
            folding.program.fold(states, &order);
            self.latest_orders.push((order.occurred_at, order.key));
        }
        let over = self.latest_orders.len().saturating_sub(ORDERS_KEPT);
        self.latest_orders.drain(..over);
        profile.refunds_minor += folding.ledger.refunded_elsewhere_minor();
        declared.retain(|row| row.occurred_at <= folding.now);
        Declaring::new(folding.table)
            .declare(profile, &declared)
            .map_err(PipelineError::Declared)?;
        let last = retell::declare(profile, &told, folding.table, folding.orders.zone());
        self.identified_at = last.unwrap_or(Timestamp::MIN);
        let silence_ms = folding.orders.session_silence_ms();
        visits::take_all(profile, &told, folding.table, silence_ms);
        let last = retell::join(profile, &told, folding.table);
        self.grouped_at = last.unwrap_or(Timestamp::MIN);
        retell::fold_events(states, &told, folding.program);
        let (mut latest, mut now) = (LatestChanges::default(), Carts::default());
        let (orders, table) = (&*folding.orders, folding.table);
        retell::changes_of(&told, &records[..seen], orders, table, |change| {
            // They come by time: each is the latest.
            latest.take(change, &mut now, orders.cart_open_ms());
        });
        (*carts, self.latest_changes) = (now, latest);
        Ok(())
    }
}
