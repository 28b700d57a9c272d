//! What the orders of somebody whose past is at hand come to, folded from the first that is another.
//!
//! An order that is told of again changes what it comes to and what comes after it by time, and
//! nothing before it. So what all orders before some of them come to is kept ([`Checkpoint`]), and
//! those after the last one that still holds are resolved and folded again: of very many orders
//! few, unless a very old one is told of.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::FixedState;
use regulars_core::{LineRecord, OrderKey, Timestamp};
use regulars_profile::{Ledger, Member, Products, Profile};
use regulars_rules::{LeafStates, Program};

use crate::live::person::ORDERS_KEPT;

/// Orders between two checkpoints, unless what these keep takes more than so many orders.
const BETWEEN: usize = 64;
/// Entries of a checkpoint, whatever is in it.
const OF_CHECKPOINT: usize = 4;

/// What orders are resolved and folded with.
#[derive(Debug)]
pub(in crate::live) struct Resolving<'a> {
    pub(in crate::live) ledger: &'a mut Ledger,
    pub(in crate::live) products: &'a Products,
    pub(in crate::live) program: &'a Program,
    /// Set when a line of an order says what was sold.
    pub(in crate::live) names_products: &'a mut bool,
    /// What is later than this is not known yet.
    pub(in crate::live) now: Timestamp,
}

/// By what orders are sorted.
type Place = (Timestamp, OrderKey);

/// Orders that count, and what some of them come to.
#[derive(Debug, Clone, Default)]
pub(super) struct FoldedOrders {
    /// Of every order; empty before the first fold.
    of: HashMap<OrderKey, Resolved, FixedState>,
    /// Those that count.
    by_time: BTreeSet<Place>,
    checkpoints: Vec<Checkpoint>,
    /// What went back of orders that do not count any more, in minor units.
    elsewhere_minor: i128,
    /// By then something comes that is known already; `None` for never.
    comes_at: Option<Timestamp>,
    entries: usize,
}

/// What an order comes to by itself.
#[derive(Debug, Clone, Copy, Default)]
struct Resolved {
    /// Where it is, if it counts.
    place: Option<Place>,
    /// Else what went back of it.
    elsewhere_minor: i64,
}

/// What the orders before a place come to.
#[derive(Debug, Clone)]
struct Checkpoint {
    /// The first order after it.
    next: Place,
    /// How many are before it.
    orders: usize,
    /// Facts of those alone.
    facts: Profile,
    /// States of those alone.
    states: LeafStates,
}

impl Checkpoint {
    fn entries(&self) -> usize {
        let Profile {
            categories, brands, ..
        } = &self.facts;
        OF_CHECKPOINT + self.states.entries() + categories.len() + brands.len()
    }
}

impl FoldedOrders {
    /// How much the checkpoints take.
    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    /// Folds orders of which each stands by itself, when some of all changed; gives how many were
    /// resolved. `None` when one does not stand by itself, and nothing is known of any.
    pub(super) fn fold<A: Iterator<Item = OrderKey>>(
        &mut self,
        (member, latest): (&mut Member, &mut Vec<Place>),
        (changed, all): (&[OrderKey], impl Fn() -> A),
        records_of: impl Fn(OrderKey, &mut Vec<LineRecord>),
        resolving: &mut Resolving<'_>,
    ) -> Option<usize> {
        let mut resolved = 0;
        let mut records = Vec::new();
        let mut resolve = |order: OrderKey, resolving: &mut Resolving<'_>| {
            records.clear();
            records_of(order, &mut records);
            resolved += 1;
            resolving.resolve(&records);
            coming(&records, resolving.now)
        };
        let is_known = !self.of.is_empty() && self.comes_at.is_none_or(|at| resolving.now < at);
        let mut again = changed.to_vec();
        if !is_known {
            *self = Self::default();
            again = all().collect();
        }
        let mut first: Option<Place> = None;
        for order in again {
            let coming = resolve(order, resolving);
            self.comes_at = self.comes_at.into_iter().chain(coming).min();
            let mut places = resolving.places();
            let place = places.next();
            if places.next().is_some() {
                *self = Self::default();
                return None;
            }
            drop(places);
            let before = self.note(order, place, resolving.ledger.refunded_elsewhere_minor());
            first = [first, place, before].into_iter().flatten().min();
        }
        let Member {
            profile, states, ..
        } = member;
        self.go_back(first, profile, states, resolving.program);
        let last = self.checkpoints.last();
        let (from, mut since) = (last.map(|last| last.next), 0);
        let from = from.unwrap_or((Timestamp::MIN, OrderKey(0)));
        let mut between = last.map_or(BETWEEN, |last| last.entries().max(BETWEEN));
        for &place in self.by_time.range(from..) {
            if since >= between {
                let checkpoint = Checkpoint {
                    next: place,
                    orders: profile.orders.len(),
                    facts: profile.facts_of_orders(),
                    states: states.of_orders(),
                };
                (between, since) = (checkpoint.entries().max(BETWEEN), 0);
                self.checkpoints.push(checkpoint);
            }
            since += 1;
            resolve(place.1, resolving);
            resolving.fold(profile, states);
        }
        self.entries = self.checkpoints.iter().map(Checkpoint::entries).sum();
        let elsewhere_minor = i64::try_from(self.elsewhere_minor).unwrap_or(i64::MAX);
        profile.refunds_minor = profile.refunds_minor.saturating_add(elsewhere_minor);
        latest.clear();
        latest.extend(self.by_time.iter().rev().take(ORDERS_KEPT));
        latest.reverse();
        Some(resolved)
    }

    /// Notes what an order comes to; gives where it was before.
    fn note(
        &mut self,
        order: OrderKey,
        place: Option<Place>,
        elsewhere_minor: i64,
    ) -> Option<Place> {
        let now = Resolved {
            place,
            elsewhere_minor,
        };
        let before = self.of.insert(order, now).unwrap_or_default();
        if let Some(place) = before.place {
            self.by_time.remove(&place);
        }
        self.by_time.extend(place);
        self.elsewhere_minor += i128::from(elsewhere_minor) - i128::from(before.elsewhere_minor);
        before.place
    }

    /// Goes back to the last checkpoint before `first`, the first order that is another; to the last
    /// one where none is.
    fn go_back(
        &mut self,
        first: Option<Place>,
        profile: &mut Profile,
        states: &mut LeafStates,
        program: &Program,
    ) {
        if let Some(first) = first {
            let holds = |checkpoint: &Checkpoint| checkpoint.next <= first;
            let count = self.checkpoints.partition_point(holds);
            self.checkpoints.truncate(count);
        }
        match self.checkpoints.last() {
            Some(last) => {
                profile.go_back(last.orders, &last.facts);
                states.set_orders(&last.states);
            }
            None => {
                profile.reset_orders();
                program.reset_orders(states);
            }
        }
    }
}

impl Resolving<'_> {
    fn resolve(&mut self, records: &[LineRecord]) {
        self.ledger.resolve(records, self.products, self.now);
    }

    fn places(&self) -> impl Iterator<Item = Place> + use<'_> {
        let orders = self.ledger.orders();
        orders.map(|order| (order.occurred_at, order.key))
    }

    /// Folds the orders that were resolved.
    fn fold(&self, profile: &mut Profile, states: &mut LeafStates) {
        for order in self.ledger.orders() {
            profile.fold(&order);
            self.program.fold(states, &order);
        }
    }

    /// Folds all orders again; `latest` become the latest of those that count.
    pub(in crate::live) fn fold_all(
        &mut self,
        member: &mut Member,
        latest: &mut Vec<Place>,
        records: &[LineRecord],
    ) {
        self.resolve(records);
        *self.names_products |= names_products(records, self.now);
        let Member {
            profile, states, ..
        } = member;
        profile.reset_orders();
        self.program.reset_orders(states);
        self.fold(profile, states);
        latest.clear();
        latest.extend(self.places());
        let over = latest.len().saturating_sub(ORDERS_KEPT);
        latest.drain(..over);
        profile.refunds_minor += self.ledger.refunded_elsewhere_minor();
    }
}

/// Whether any line says what was sold by now.
pub(in crate::live) fn names_products(records: &[LineRecord], now: Timestamp) -> bool {
    let mut seen = records.iter().filter(|record| record.occurred_at <= now);
    seen.any(LineRecord::names_product)
}

/// When the first of some records comes, or ends an order, that is later than now.
fn coming(records: &[LineRecord], now: Timestamp) -> Option<Timestamp> {
    let times = records
        .iter()
        .flat_map(|record| [record.occurred_at, record.ended_by()]);
    times.filter(|&at| at > now).min()
}
