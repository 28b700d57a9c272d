//! What an event or a changed value can make a difference to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use regulars_core::EventKind;

use super::event::EventProgram;
use super::leaf::{Leaf, LeafSource};
use crate::tree::EventCall;

/// Something that happened to a customer. What happens to their account is told apart, by what
/// conditions on it come to ([`AccountTruths`](super::AccountTruths)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// An event was folded into the value of events of this number.
    Events(u32),
    /// An order was folded: any standard trait may be another, but those of visits.
    Order,
    /// An event of a visit was folded: any trait of visits may be another.
    Visit,
    /// A cart was opened, changed or closed.
    Carts,
    /// A declared trait was set, and with it perhaps a standard one that stands in for it.
    Declared,
}

/// By what happens, what it can make a difference to.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    /// Of tracked events, pages and screens: those whose name is asked for.
    named: [HashMap<Box<str>, Readers, foldhash::quality::RandomState>; 3],
    /// The others.
    unnamed: [Readers; 3],
    /// Numbers of the conditions, ascending, for each value of events.
    events: Vec<Vec<u32>>,
    orders: Vec<u32>,
    visits: Vec<u32>,
    carts: Vec<u32>,
    declared: Vec<u32>,
}

/// What looks at events of one name.
#[derive(Debug, Clone, Default)]
pub(super) struct Readers {
    /// Numbers of the values of events, ascending.
    pub(super) values: Vec<u32>,
    /// Paths of the properties that they ask for, sorted.
    pub(super) paths: Vec<Box<str>>,
}

impl Index {
    pub(super) fn new(leaves: &[Leaf], values: &[EventProgram]) -> Self {
        let mut index = Self {
            events: vec![Vec::new(); values.len()],
            ..Self::default()
        };
        for (number, leaf) in (0_u32..).zip(leaves) {
            let list = match &leaf.source {
                LeafSource::Trait(which) if which.is_of_visits() => &mut index.visits,
                // Nothing that happens to one customer: see `AccountTruths`.
                LeafSource::Trait(which) if which.is_of_account() => continue,
                LeafSource::Account(_) => continue,
                LeafSource::Trait(which) => {
                    if which.may_be_declared() {
                        index.declared.push(number);
                    }
                    &mut index.orders
                }
                LeafSource::Measure(_) => &mut index.orders,
                LeafSource::Declared(_) => &mut index.declared,
                LeafSource::Carts(_) => &mut index.carts,
                LeafSource::Events { value, .. } => &mut index.events[*value as usize],
            };
            list.push(number);
        }
        index.add_events(values);
        index
    }

    fn add_events(&mut self, values: &[EventProgram]) {
        let mut named: [BTreeMap<&str, BTreeSet<u32>>; 3] = Default::default();
        let mut unnamed: [BTreeSet<u32>; 3] = Default::default();
        for (number, value) in (0_u32..).zip(values) {
            for events in value.value.events() {
                let calls = match (events.call, events.names.is_empty()) {
                    (EventCall::Event, true) => 0..3,
                    (EventCall::Event, false) => 0..1,
                    (EventCall::Page, _) => 1..2,
                    (EventCall::Screen, _) => 2..3,
                };
                for call in calls {
                    if events.names.is_empty() {
                        unnamed[call].insert(number);
                    }
                    for name in &events.names {
                        named[call].entry(name).or_default().insert(number);
                    }
                }
            }
        }
        let readers = |numbers: BTreeSet<u32>| {
            let mut paths = BTreeSet::new();
            for &number in &numbers {
                let value = &values[number as usize].value;
                value.for_each_path(&mut |path| {
                    paths.insert(Box::from(path));
                });
            }
            Readers {
                values: numbers.into_iter().collect(),
                paths: paths.into_iter().collect(),
            }
        };
        for (call, named) in named.into_iter().enumerate() {
            for (name, values) in named {
                let values = values.union(&unnamed[call]).copied().collect();
                self.named[call].insert(name.into(), readers(values));
            }
        }
        self.unnamed = unnamed.map(readers);
    }

    /// What looks at such events, if anything does.
    pub(super) fn readers(&self, kind: EventKind, name: &str) -> Option<&Readers> {
        let call = match kind {
            EventKind::Track => 0,
            EventKind::Page => 1,
            EventKind::Screen => 2,
            EventKind::Identify | EventKind::Group | EventKind::Alias => return None,
        };
        let readers = self.named[call].get(name).unwrap_or(&self.unnamed[call]);
        (!readers.values.is_empty()).then_some(readers)
    }

    /// Numbers of the conditions whose truth such a change can move, ascending.
    pub(super) fn leaves(&self, change: Change) -> &[u32] {
        match change {
            Change::Events(value) => &self.events[value as usize],
            Change::Order => &self.orders,
            Change::Visit => &self.visits,
            Change::Carts => &self.carts,
            Change::Declared => &self.declared,
        }
    }
}
