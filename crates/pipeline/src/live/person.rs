//! One customer on the live path: what was told of them, and what it comes to.
//!
//! What is told in order is folded as it comes. Whatever changes the past (a new version of an
//! order, a refund, what is told late, a merge) is folded again from the beginning, from the history
//! and from what was told since; what follows soon finds the past at hand ([`AtHand`]) and changes
//! only what it is of. All ways give the same. The history has rows of files and, by and by, the
//! events.

mod again;
mod telling;

pub(super) use again::Moved;

use std::cmp::Reverse;
use std::collections::HashMap;

use foldhash::fast::FixedState;
use regulars_core::{CustomerId, OrderKey, Timestamp};
use regulars_profile::{Carts, Context, Customer, Member, Profile};
use regulars_rules::{Change, LeafStates, Program};
use regulars_store::history::{History, OrderRow, SymbolTable};
use regulars_store::log::Unmerged;
use regulars_store::tables::memberships::SavedMember;
use regulars_store::vault::IdentityId;

use super::at_hand::{AtHand, Resolving};
use super::carts::LatestChanges;
use super::engine::Wakes;
use super::orders::Orders;
use super::told::{Told, ToldOf};
use super::whose::{Parted, RowPlaces};
use crate::base::FoldedEvents;
use crate::error::PipelineError;

/// One customer.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) member: Member,
    /// Whether they have another name than an anonymous id; who has none is a visitor.
    pub(super) named: bool,
    /// Whether anything of them counts: an event, an order, or what a file declared. Somebody with a
    /// name of whom nothing does is nobody: their orders turned out to be another's, or are yet to
    /// come.
    pub(super) counts: bool,
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
    /// Turns of accounts before this one they were told of.
    pub(super) turns_seen: u64,
    /// Looks at everyone that they were part of, or came after.
    pub(super) looks_seen: u32,
    /// Time of the latest identify so far.
    identified_at: Timestamp,
    /// Time of the latest `group` so far.
    grouped_at: Timestamp,
    /// When the latest event arrived.
    received_at: Timestamp,
    /// When something went back last: an order after it takes no part in that.
    returned_at: Timestamp,
    /// Time and key of the latest orders that count, so that one that comes late finds its place.
    latest_orders: Vec<(Timestamp, OrderKey)>,
    /// Unless all of them are at hand.
    latest_changes: LatestChanges,
    /// The past, once something was folded again.
    pub(super) at_hand: Option<Box<AtHand>>,
}

/// Orders whose key is kept, at least.
pub(super) const ORDERS_KEPT: usize = 32;

/// What was folded again when an event was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retold {
    /// Nothing: [`Folding::changes`] says what the event changed.
    Nothing,
    /// All orders, or everything that is known of the customer.
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
    pub(super) orders: &'a mut Orders,
    pub(super) resolving: Resolving<'a>,
    /// What the events that are folded change, for conditions.
    pub(super) changes: &'a mut Vec<Change>,
    /// How often somebody was folded again from the beginning, to stay.
    pub(super) refolds: &'a mut u64,
    /// Whether the past of who is folded again stays at hand.
    pub(super) keeps_past: bool,
}

impl Person {
    /// Somebody of whom nothing is known yet.
    pub(super) fn new(customer: CustomerId, program: &Program) -> Self {
        Self::with(Profile::new(customer), program.new_states(), program)
    }

    /// Somebody as history and log tell, of whom something went back last at `returned_at`.
    pub(super) fn folded(
        profile: Profile,
        states: LeafStates,
        program: &Program,
        returned_at: Option<Timestamp>,
    ) -> Self {
        Self {
            named: true,
            counts: true,
            has_history: true,
            returned_at: returned_at.unwrap_or(Timestamp::MIN),
            ..Self::with(profile, states, program)
        }
    }

    /// Somebody who comes to this; their last order ended every cart before it.
    fn with(profile: Profile, states: LeafStates, program: &Program) -> Self {
        let last_order_at = profile.last_order_at();
        let mut member = Member::new(profile, states, program);
        if let Some(at) = last_order_at {
            member.carts = Carts::after_order(at);
        }
        let latest_changes = LatestChanges::unknown(&member.carts);
        Self {
            member,
            named: false,
            counts: false,
            told: Vec::new(),
            has_moved: false,
            merged: Vec::new(),
            shared: Vec::new(),
            is_parted: false,
            has_history: false,
            queued: None,
            turns_seen: 0,
            looks_seen: 0,
            identified_at: Timestamp::MIN,
            grouped_at: Timestamp::MIN,
            received_at: Timestamp::MIN,
            returned_at: Timestamp::MIN,
            latest_orders: Vec::new(),
            latest_changes,
            at_hand: None,
        }
    }

    /// True for a customer: not for a visitor, and not for nobody.
    pub(super) fn is_customer(&self) -> bool {
        self.named && self.counts
    }

    /// True for somebody with a name of whom nothing counts.
    pub(super) fn is_nobody(&self) -> bool {
        self.named && !self.counts
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
        self.named |= of.known;
        self.counts |= !of.told.is_empty() || !of.moved.is_empty();
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

    /// Where the rows of the history that are theirs lie.
    pub(super) fn places(&self) -> RowPlaces<'_> {
        RowPlaces {
            customer: self.member.profile.customer,
            ids: &self.merged,
            shared: &self.shared,
            is_parted: self.is_parted,
        }
    }

    /// Puts their past away: what is kept of everyone stays.
    pub(super) fn put_past_away(&mut self, cart_open_ms: i64) {
        if let Some(at_hand) = self.at_hand.take() {
            self.latest_changes = at_hand.into_latest_changes(cart_open_ms);
        }
    }

    /// Drops what the history has by now.
    pub(super) fn forget_moved(&mut self, moved_to: u64, cart_open_ms: i64) {
        self.put_past_away(cart_open_ms);
        let count = self.told.partition_point(|told| told.offset < moved_to);
        if count > 0 {
            self.told.drain(..count);
            self.told.shrink_to_fit();
            self.has_moved = true;
        }
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
        self.named |= gone.named;
        self.counts |= gone.counts;
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

    /// Whether anything was told of them or lies in the history, if only an order that is another's.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn has_anything(
        &self,
        history: &History,
        table: &SymbolTable,
        whose: Whose<'_>,
    ) -> Result<bool, PipelineError> {
        if !self.told.is_empty() || !self.moved(history, whose)?.is_empty() {
            return Ok(true);
        }
        let owner = |identity, under| whose.owner(identity, under);
        Ok(!self.order_rows(history, table, whose)?.is_empty()
            || self.has_history && !self.places().declared(history, &owner)?.is_empty())
    }

    /// Goes on counting transitions that there were before they were nobody.
    pub(super) fn recall(&mut self, gone: Option<SavedMember>) {
        let Some(SavedMember {
            last_flip_at,
            entries,
            ..
        }) = gone
        else {
            return;
        };
        for (segment, sequence, inside) in entries {
            let segment = usize::from(segment);
            self.member.recall(segment, sequence, inside, last_flip_at);
        }
    }

    /// Takes what is theirs of somebody whom they left.
    pub(super) fn arrive(&mut self, leaving: Leaving, named: bool) {
        let customer = self.member.profile.customer;
        self.named |= named;
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

    /// Keeps an event, which is folded before or afterwards, with all others.
    pub(super) fn keep(&mut self, told: Told) {
        self.named |= !told.event.anonymous;
        self.counts = true;
        self.received_at = self.received_at.max(told.event.received_at);
        self.told.push(told);
    }
}
