//! The past of those to whom late events come, at hand.
//!
//! ```text
//! late event ─► nothing at hand ─► refold: history and what was told, once ─► carts, sessions,
//!               at hand ─────────► put in its place ◄──────────────────────── orders, what was said
//! ```
//!
//! An event that is too late for what is kept of everyone has its customer folded again, which
//! reads all of their history. A client that was offline sends many such events, so what the fold
//! saw stays at hand, each part by time, and the next late events find their places there: what
//! comes of each is what another fold would give, in the same order and at the same instants,
//! however the events were put into batches. What conditions on events remember is the same in
//! whatever order events come, and needs none of it.
//!
//! Of no more than [`MOST_PEOPLE`] the past is at hand, and of others than the last one no more than
//! [`MOST_ENTRIES`]; it is put away when their events move to the history, and when they turn out to
//! be one with somebody.

use std::collections::{BTreeSet, HashMap, VecDeque};

use foldhash::fast::FixedState;
use regulars_core::{CustomerId, LineRecord, Symbol, Zone};
use regulars_profile::{Profile, SaidAt, Sessions};
use regulars_store::history::SymbolTable;

use super::carts::AllChanges;
use super::orders::{self, Orders};
use super::told::Told;
use super::{traits, visits};
use crate::error::PipelineError;

/// People whose past is at hand at once.
const MOST_PEOPLE: usize = 256;
/// Sessions, changes of carts, records and orders told of all of them.
const MOST_ENTRIES: usize = 1 << 17;

/// What of one customer's past is at hand.
#[derive(Debug, Clone, Default)]
pub(super) struct AtHand {
    /// When `identify` last said something of each trait.
    said: HashMap<Symbol, SaidAt, FixedState>,
    pub(super) sessions: Sessions,
    pub(super) changes: AllChanges,
    orders: OrdersAtHand,
}

/// Records of orders, and the events that tell of orders.
#[derive(Debug, Clone, Default)]
struct OrdersAtHand {
    /// Sorted as a fold takes them, but for those of `changed` orders.
    records: Vec<LineRecord>,
    /// By key of the order.
    told: HashMap<u64, Vec<Told>, FixedState>,
    /// Orders of which more was told than the records say.
    changed: BTreeSet<u64>,
}

impl AtHand {
    /// Of what was told of a customer, by time, what it changed of their carts, and every record of
    /// their orders, sorted.
    pub(super) fn new(
        by_time: &[&Told],
        changes: AllChanges,
        records: Vec<LineRecord>,
        orders: &Orders,
        table: &SymbolTable,
    ) -> Self {
        let mut said = HashMap::default();
        let mut of_orders = OrdersAtHand {
            records,
            ..OrdersAtHand::default()
        };
        for told in by_time {
            if told.is_identify() {
                traits::each(&told.event.properties, table, orders.zone(), |name, _| {
                    said.insert(table.intern(name), told.said_at());
                });
            }
            if let Some(order) = orders::key_of(told, orders) {
                of_orders
                    .told
                    .entry(order)
                    .or_default()
                    .push((*told).clone());
            }
        }
        Self {
            said,
            sessions: visits::sessions_of(by_time, orders.session_silence_ms()),
            changes,
            orders: of_orders,
        }
    }

    /// How much that is.
    pub(super) fn entries(&self) -> usize {
        let orders = &self.orders;
        self.said.len()
            + self.sessions.kept()
            + self.changes.entries()
            + orders.records.len()
            + orders.told.values().map(Vec::len).sum::<usize>()
    }

    /// Declares what an `identify` says, but for traits of which a later one said something.
    pub(super) fn declare(
        &mut self,
        profile: &mut Profile,
        told: &Told,
        table: &SymbolTable,
        zone: &Zone,
    ) {
        let said_at = told.said_at();
        traits::each(&told.event.properties, table, zone, |name, value| {
            let name = table.intern(name);
            let known = self.said.entry(name).or_insert(said_at);
            if *known <= said_at {
                *known = said_at;
                profile.declare(name, value);
            }
        });
    }

    /// Takes in what an event tells of an order.
    pub(super) fn tell_of_order(&mut self, order: u64, told: &Told) {
        self.orders
            .told
            .entry(order)
            .or_default()
            .push(told.clone());
        self.orders.changed.insert(order);
    }

    /// Every record of the customer's orders, sorted.
    ///
    /// # Errors
    /// When the first rate of a currency begins after the day of its order.
    pub(super) fn records(
        &mut self,
        customer: CustomerId,
        orders: &Orders,
        table: &SymbolTable,
    ) -> Result<&[LineRecord], PipelineError> {
        let OrdersAtHand {
            records,
            told,
            changed,
        } = &mut self.orders;
        let changed = std::mem::take(changed);
        if changed.is_empty() {
            return Ok(records);
        }
        let all: Vec<&Told> = changed
            .iter()
            .filter_map(|key| told.get(key))
            .flatten()
            .collect();
        let offsets: BTreeSet<u64> = all.iter().map(|told| told.offset).collect();
        // What files say of these orders stays, and with it what was told is told again.
        let is_changed = |record: &LineRecord| changed.contains(&record.order.0);
        let of_files =
            |record: &&LineRecord| is_changed(record) && !offsets.contains(&record.import);
        let mut again: Vec<LineRecord> = records.iter().filter(of_files).copied().collect();
        orders.add_told(customer, &all, &mut again, table)?;
        records.retain(|record| !is_changed(record));
        records.extend(again);
        orders::sort(records);
        Ok(records)
    }
}

/// Whose past is at hand, the latest last.
#[derive(Debug, Default)]
pub(super) struct InHands {
    people: VecDeque<(CustomerId, usize)>,
    entries: usize,
}

impl InHands {
    /// Adds somebody with so many entries; gives those whose past is to be put away for it.
    pub(super) fn add(&mut self, customer: CustomerId, entries: usize) -> Vec<CustomerId> {
        self.people.retain(|&(known, count)| {
            let is_other = known != customer;
            self.entries -= if is_other { 0 } else { count };
            is_other
        });
        self.people.push_back((customer, entries));
        self.entries += entries;
        let mut gone = Vec::new();
        while self.people.len() > MOST_PEOPLE
            || self.entries > MOST_ENTRIES && self.people.len() > 1
        {
            let Some((first, count)) = self.people.pop_front() else {
                break;
            };
            self.entries -= count;
            gone.push(first);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_of_few_is_at_hand() {
        let mut hands = InHands::default();
        for n in 0..MOST_PEOPLE as u64 {
            assert!(hands.add(CustomerId(n), 1).is_empty());
        }
        assert!(hands.add(CustomerId(0), 1).is_empty(), "again");
        assert_eq!(hands.add(CustomerId(1_000), 1), [CustomerId(1)]);
        // A large one makes room for itself, however large it is.
        let gone = hands.add(CustomerId(2_000), 2 * MOST_ENTRIES);
        assert_eq!(gone.len(), MOST_PEOPLE);
        assert_eq!(hands.add(CustomerId(3_000), 1), [CustomerId(2_000)]);
        assert_eq!((hands.people.len(), hands.entries), (1, 1));
    }
}
