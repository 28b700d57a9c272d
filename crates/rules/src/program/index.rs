//! What an event or a changed value can make a difference to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use regulars_core::{EventKind, Trait};

use super::Segment;
use super::event::EventProgram;
use super::leaf::{Leaf, LeafSource};
use crate::tree::EventCall;

/// Something that happened to a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// An event was folded.
    Event {
        /// Its tracking call.
        kind: EventKind,
        /// Its name.
        name: &'a str,
    },
    /// The value of a standard trait changed. What an order makes of traits in windows (`orders in
    /// last 30 days`) stands under [`Change::Order`].
    Trait(Trait),
    /// The value of a declared trait changed.
    Declared(&'a str),
    /// An order was folded.
    Order,
    /// A cart was opened, changed or closed.
    Carts,
}

/// By what changes, what it can make a difference to.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    /// Of tracked events, pages and screens: those whose name is asked for.
    named: [HashMap<Box<str>, Touched, foldhash::quality::RandomState>; 3],
    /// The others.
    unnamed: [Touched; 3],
    traits: BTreeMap<Trait, Vec<u32>>,
    declared: BTreeMap<String, Vec<u32>>,
    orders: Vec<u32>,
    carts: Vec<u32>,
}

/// What an event touches, ascending numbers.
#[derive(Debug, Clone, Default)]
struct Touched {
    /// Values of events.
    values: Vec<u32>,
    segments: Vec<u32>,
}

impl Index {
    pub(super) fn new(segments: &[Segment], leaves: &[Leaf], values: &[EventProgram]) -> Self {
        let mut index = Self::default();
        let mut segments_of_value = vec![BTreeSet::new(); values.len()];
        for (number, segment) in (0_u32..).zip(segments) {
            for &leaf in &segment.scope.leaves {
                let list = match &leaves[leaf as usize].source {
                    LeafSource::Trait(which) => index.traits.entry(*which).or_default(),
                    LeafSource::Declared(name) => index.declared.entry(name.clone()).or_default(),
                    LeafSource::Measure(_) => &mut index.orders,
                    LeafSource::Carts(_) => &mut index.carts,
                    LeafSource::Events(value) => {
                        segments_of_value[*value as usize].insert(number);
                        continue;
                    }
                };
                if list.last() != Some(&number) {
                    list.push(number);
                }
            }
        }
        index.add_events(values, &segments_of_value);
        index
    }

    fn add_events(&mut self, values: &[EventProgram], segments_of_value: &[BTreeSet<u32>]) {
        let mut named: [BTreeMap<&str, BTreeSet<u32>>; 3] = Default::default();
        let mut unnamed: [BTreeSet<u32>; 3] = Default::default();
        for (number, value) in (0_u32..).zip(values) {
            for events in value.spec.value.events() {
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
        let touched = |values: BTreeSet<u32>| {
            let segments = values.iter().flat_map(|&v| &segments_of_value[v as usize]);
            let segments: BTreeSet<u32> = segments.copied().collect();
            Touched {
                values: values.into_iter().collect(),
                segments: segments.into_iter().collect(),
            }
        };
        for (call, named) in named.into_iter().enumerate() {
            for (name, values) in named {
                let values = values.union(&unnamed[call]).copied().collect();
                self.named[call].insert(name.into(), touched(values));
            }
        }
        self.unnamed = unnamed.map(touched);
    }

    fn touched(&self, kind: EventKind, name: &str) -> Option<&Touched> {
        let call = match kind {
            EventKind::Track => 0,
            EventKind::Page => 1,
            EventKind::Screen => 2,
            EventKind::Identify | EventKind::Group | EventKind::Alias => return None,
        };
        Some(self.named[call].get(name).unwrap_or(&self.unnamed[call]))
    }

    /// Numbers of the values that look at such events, ascending.
    pub(super) fn values(&self, kind: EventKind, name: &str) -> &[u32] {
        self.touched(kind, name)
            .map_or(&[], |touched| &touched.values)
    }

    /// Numbers of the segments that the change can move a customer into or out of, ascending.
    pub(super) fn segments(&self, change: Change<'_>) -> &[u32] {
        match change {
            Change::Event { kind, name } => self
                .touched(kind, name)
                .map_or(&[], |touched| &touched.segments),
            Change::Trait(which) => self.traits.get(&which).map_or(&[], Vec::as_slice),
            Change::Declared(name) => self.declared.get(name).map_or(&[], Vec::as_slice),
            Change::Order => &self.orders,
            Change::Carts => &self.carts,
        }
    }
}
