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
//! It is counted in *entries*, also while it grows. Those who needed their past latest have it at
//! hand, of others than the last one no more than [`MOST_ENTRIES`], and of nobody more than
//! [`MOST_OF_ONE`]. It is put away when their events move to the history, and when they turn out to
//! be one with somebody.

mod folded;
mod orders;

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;
use regulars_core::{CustomerId, LineRecord, OrderKey, Symbol, Timestamp, Zone};
use regulars_profile::{AllSessions, Carts, Member, Profile, SaidAt};
use regulars_store::history::SymbolTable;

use super::carts::{AllChanges, Change, LatestChanges};
use super::orders::{self as told_orders, OrderTold, Orders};
use super::person::Folding;
use super::told::Told;
use super::{traits, visits};
use crate::error::PipelineError;
pub(super) use folded::{Resolving, names_products};
use orders::OrdersAtHand;

/// Entries of all whose past is at hand.
const MOST_ENTRIES: usize = 1 << 17;
/// Entries of one customer; the past of who has more is read anew for each late event.
const MOST_OF_ONE: usize = 1 << 20;
/// Entries that somebody is, whatever is at hand of them.
const OF_PERSON: usize = 8;
/// What of one customer's past is at hand.
#[derive(Debug, Clone, Default)]
pub(super) struct AtHand {
    /// When `identify` last said something of each trait.
    said: HashMap<Symbol, SaidAt, FixedState>,
    sessions: AllSessions,
    changes: AllChanges,
    orders: OrdersAtHand,
    /// Whether something was put in its place that came late, since it was last noted.
    is_used: bool,
    /// Entries when they were last noted.
    noted: usize,
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
        let mut of_orders = OrdersAtHand::default();
        for told in by_time {
            if told.is_identify() {
                traits::each(&told.event.properties, table, orders.zone(), |name, _| {
                    said.insert(table.intern(name), told.said_at());
                });
            }
            if let Some(order) = told_orders::of(told, orders.currency()) {
                of_orders.keep(&order, told);
            }
        }
        of_orders.put_all(records);
        Self {
            said,
            sessions: visits::sessions_of(by_time, orders.session_silence_ms()),
            changes,
            orders: of_orders,
            is_used: false,
            noted: 0,
        }
    }

    /// How much that is.
    fn entries(&self) -> usize {
        OF_PERSON
            + self.said.len()
            + self.sessions.len()
            + self.changes.entries()
            + self.orders.entries()
    }

    /// The entries, when they are to be noted: after something came late, and when they grew by a
    /// quarter.
    pub(super) fn entries_to_note(&mut self) -> Option<usize> {
        let entries = self.entries();
        let has_grown = entries > self.noted + self.noted / 4;
        (std::mem::take(&mut self.is_used) || has_grown).then(|| {
            self.noted = entries;
            entries
        })
    }

    /// Every session, to put one of `at` among them.
    pub(super) fn sessions_at(&mut self, at: Timestamp) -> &mut AllSessions {
        self.is_used |= self.sessions.end() > Some(at);
        &mut self.sessions
    }

    /// Takes in a change of carts, and brings `carts` up to date.
    pub(super) fn change_carts(&mut self, change: Change, carts: &mut Carts, open_ms: i64) {
        self.is_used |= self.changes.take(change, carts, open_ms);
    }

    /// The latest changes of carts.
    pub(super) fn into_latest_changes(self, open_ms: i64) -> LatestChanges {
        self.changes.into_latest(open_ms)
    }

    /// Declares what an `identify` says, but for traits of which a later one said something.
    pub(super) fn declare(
        &mut self,
        profile: &mut Profile,
        told: &Told,
        table: &SymbolTable,
        zone: &Zone,
    ) {
        let (said_at, mut is_used) = (told.said_at(), false);
        traits::each(&told.event.properties, table, zone, |name, value| {
            let name = table.intern(name);
            let known = self.said.entry(name).or_insert(said_at);
            if *known <= said_at {
                *known = said_at;
                profile.declare(name, value);
            } else {
                is_used = true;
            }
        });
        self.is_used |= is_used;
    }

    /// Takes in what an event tells of an order; false when it leaves no trace.
    pub(super) fn tell_of_order(&mut self, order: &OrderTold<'_>, told: &Told) -> bool {
        self.orders.tell(order, told)
    }

    /// Folds the customer's orders again, as far as something was told of them; `latest` become the
    /// latest of those that count.
    ///
    /// # Errors
    /// When the first rate of a currency begins after the day of its order.
    pub(super) fn fold_orders(
        &mut self,
        (member, latest): (&mut Member, &mut Vec<(Timestamp, OrderKey)>),
        folding: &mut Folding<'_>,
    ) -> Result<(), PipelineError> {
        self.is_used = true;
        let made_with = (&*folding.orders, folding.table);
        let resolving = &mut folding.resolving;
        self.orders.fold((member, latest), made_with, resolving)?;
        Ok(())
    }
}

/// Whose past is at hand, and who needed it when.
#[derive(Debug, Default)]
pub(super) struct InHands {
    /// When each last needed it, and their entries.
    people: HashMap<CustomerId, (u64, usize), FixedState>,
    /// The latest last.
    by_use: BTreeMap<u64, CustomerId>,
    entries: usize,
    uses: u64,
}

impl InHands {
    /// Notes that somebody with so many entries needed their past; gives those whose past is to be
    /// put away for it.
    pub(super) fn note(&mut self, customer: CustomerId, entries: usize) -> Vec<CustomerId> {
        self.remove(customer);
        if entries > MOST_OF_ONE {
            return vec![customer];
        }
        self.uses += 1;
        self.people.insert(customer, (self.uses, entries));
        self.by_use.insert(self.uses, customer);
        self.entries += entries;
        let mut gone = Vec::new();
        while self.entries > MOST_ENTRIES
            && let Some((_, &first)) = self.by_use.first_key_value()
            && first != customer
        {
            self.remove(first);
            gone.push(first);
        }
        gone
    }

    /// Somebody's past is not at hand any more.
    pub(super) fn remove(&mut self, customer: CustomerId) {
        if let Some((used, entries)) = self.people.remove(&customer) {
            self.by_use.remove(&used);
            self.entries -= entries;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_of_those_who_needed_it_latest_is_at_hand() {
        let mut hands = InHands::default();
        let most = (MOST_ENTRIES / OF_PERSON) as u64;
        for n in 0..most {
            assert!(hands.note(CustomerId(n), OF_PERSON).is_empty());
        }
        assert!(hands.note(CustomerId(0), OF_PERSON).is_empty(), "again");
        let next = CustomerId(most);
        assert_eq!(hands.note(next, OF_PERSON), [CustomerId(1)]);
        // A large one makes room for itself, and whoever comes next for themselves.
        let large = CustomerId(most + 1);
        let gone = hands.note(large, 2 * MOST_ENTRIES);
        assert_eq!(gone.len() as u64, most);
        assert_eq!(hands.note(next, OF_PERSON), [large]);
        assert_eq!((hands.people.len(), hands.entries), (1, OF_PERSON));
        hands.remove(next);
        assert_eq!((hands.by_use.len(), hands.entries), (0, 0));
    }

    #[test]
    fn two_large_ones_by_turns_do_not_put_each_other_away() {
        let mut hands = InHands::default();
        let (one, other) = (CustomerId(1), CustomerId(2));
        let half = MOST_ENTRIES / 2;
        for n in 10..100 {
            assert!(hands.note(one, half - 16 * OF_PERSON).is_empty());
            assert!(hands.note(other, half).is_empty());
            // Others come and go.
            let gone = hands.note(CustomerId(n), OF_PERSON);
            assert!(!gone.contains(&one) && !gone.contains(&other));
        }
    }

    #[test]
    fn a_past_that_grew_by_a_quarter_is_noted_and_nobodys_grows_without_end() {
        let mut at_hand = AtHand::default();
        assert_eq!(at_hand.entries_to_note(), Some(OF_PERSON), "as it is made");
        let mut noted = Vec::new();
        for n in 0..1_000 {
            at_hand.sessions_at(Timestamp(n)).put(Timestamp(n), 1);
            noted.extend(at_hand.entries_to_note());
        }
        assert_eq!(noted[..2], [OF_PERSON + 3, OF_PERSON + 6]);
        assert!(noted.len() < 25 && noted.last() > Some(&800), "{noted:?}");
        at_hand.sessions_at(Timestamp(5)).put(Timestamp(5), 1);
        assert_eq!(
            at_hand.entries_to_note(),
            Some(OF_PERSON + 1_000),
            "it was needed"
        );
        assert_eq!(at_hand.entries_to_note(), None);
        let mut hands = InHands::default();
        let one = CustomerId(1);
        assert!(hands.note(one, MOST_OF_ONE).is_empty());
        assert_eq!(hands.note(one, MOST_OF_ONE + 1), [one]);
        assert_eq!((hands.people.len(), hands.entries), (0, 0));
    }
}
