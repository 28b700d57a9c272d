//! Several checked rules as one program: equal leaves shared, references resolved.
//!
//! ```text
//! new_states ── fold(order)*, fold_event(event)* ──► LeafStates ─┐
//!                                                    Subject ────┴─ evaluate(now) ──► Memberships
//!                                                                 ├ next_flip(now) ──► the instant of the next change
//!                                                                 └ look(now) ──► Truths ──► Memberships, kept up to date
//! ```
//!
//! Orders are folded in ascending time of occurrence, events in any order, each once, and none
//! later than the `now` of an evaluation after it; `now` never goes back. A state holds what later
//! evaluations need and no more; it is a value, and the same program with the same orders and
//! events gives the same state.

mod accounts;
mod alike;
mod cart;
mod compile;
mod evaluate;
mod event;
mod filter;
mod flips;
mod index;
mod leaf;
mod measure;
mod memberships;
mod pairs;
mod seen;
mod slots;
mod truths;

use regulars_core::{Event, EventKind, Order, SegmentName, Symbols, Timestamp, Zone};

use crate::check::{Availability, CheckedRule, Present, Vocabulary};
use crate::subject::Subject;

pub use accounts::AccountTruths;
pub(crate) use event::EventProgram;
pub use index::Change;
pub(crate) use leaf::{Leaf, LeafSource, Search};
pub use measure::LeafStates;
pub(crate) use measure::MeasureProgram;
pub use memberships::Memberships;
pub use seen::{ExplainedEvent, LatestEvents};
pub use truths::Truths;

/// A checked rule with the name of its segment.
#[derive(Debug, Clone)]
pub struct NamedRule {
    /// Name of the segment.
    pub name: SegmentName,
    /// Who belongs to it.
    pub rule: CheckedRule,
}

/// How much of orders and events a state keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// What truths and flips need: of `count >= k` the k latest. For many customers.
    Needed,
    /// What exact values in explanations need as well. For one customer.
    Values,
}

/// Why rules do not make a program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// Rename one of them.
    #[error("there are two segments `{0}`")]
    Duplicate(SegmentName),
    /// Correct the name, or add the segment.
    #[error("segment `{segment}` refers to the unknown segment `{name}`{}", suggestion(nearest.as_ref()))]
    UnknownSegment {
        /// The segment that refers.
        segment: SegmentName,
        /// The name that it refers to.
        name: SegmentName,
        /// A known name that is close.
        nearest: Option<SegmentName>,
    },
    /// Refer to fewer segments that refer to others.
    #[error(
        "segment `{0}` refers to segments that refer to others, more than {MAX_REFERENCES} deep"
    )]
    TooDeep(SegmentName),
    /// Break the circle.
    #[error("segments refer to each other in a circle: {}", circle(path))]
    Cycle {
        /// The segments of the circle; the last refers to the first.
        path: Vec<SegmentName>,
    },
}

/// The longest chain of segments that refer to each other.
const MAX_REFERENCES: usize = 50;

fn suggestion(nearest: Option<&SegmentName>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

fn circle(path: &[SegmentName]) -> String {
    let names = path.iter().chain(path.first());
    names
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(" → ")
}

/// Rules compiled together. Segments are numbered in the order in which they were given.
#[derive(Debug, Clone)]
pub struct Program {
    segments: Vec<Segment>,
    /// What decides about all segments.
    everything: Scope,
    leaves: Vec<Leaf>,
    /// Leaf numbers by what they look at, ascending.
    parts: [Vec<u32>; truths::Part::COUNT],
    measures: Vec<MeasureProgram>,
    events: Vec<EventProgram>,
    index: index::Index,
    zone: Zone,
    faults: Faults,
}

/// One segment of a program.
#[derive(Debug, Clone)]
struct Segment {
    name: SegmentName,
    rule: CheckedRule,
    code: Vec<Op>,
    /// The leaf of each condition, in the order of the text.
    conditions: Vec<u32>,
    /// What decides about it, references included.
    scope: Scope,
}

/// The part of a program that decides about one segment, or about all.
#[derive(Debug, Clone, Default)]
struct Scope {
    /// Segment numbers, each after those that it refers to.
    segments: Vec<u32>,
    /// Leaf numbers, ascending.
    leaves: Vec<u32>,
    /// The boolean programs of the segments, one after the other.
    code: Vec<Op>,
}

/// One step of a boolean program with a single accumulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    /// Sets the accumulator.
    Constant(bool),
    /// Sets the accumulator to a leaf's truth.
    Leaf(u32),
    /// Sets the accumulator to a segment's membership.
    Segment(u32),
    /// Inverts the accumulator.
    Not,
    /// Goes on at this step when the accumulator is false.
    JumpIfFalse(u32),
    /// Goes on at this step when the accumulator is true.
    JumpIfTrue(u32),
    /// Ends the program of a segment: the customer is a member when the accumulator is true.
    Member(u32),
}

/// The last instant before each window of a program, at some `now`.
#[derive(Debug, Clone, Default)]
pub struct WindowStarts {
    orders: Vec<Timestamp>,
    events: Vec<Timestamp>,
}

/// Working memory of evaluations, to be used again from customer to customer.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    known: Vec<u64>,
    truth: Vec<u64>,
    members: Memberships,
    flips: Vec<Option<Timestamp>>,
    /// Window starts at the `now` of the last evaluation: the next one is often at the same.
    starts: WindowStarts,
    starts_at: Option<Timestamp>,
}

impl Scratch {
    /// Makes `starts` those of `now`.
    fn look_from(&mut self, program: &Program, now: Timestamp) {
        if self.starts_at != Some(now) {
            self.starts = program.window_starts(now);
            self.starts_at = Some(now);
        }
    }
}

impl Program {
    /// Compiles rules. Texts in filters are looked up in `symbols`: one that is interned later is
    /// not seen, so compile after the orders' texts are known.
    ///
    /// # Errors
    /// When names are given twice, unknown, go in a circle, or refer to each other too deeply.
    pub fn compile(
        rules: &[NamedRule],
        vocabulary: &Vocabulary,
        symbols: &Symbols,
        keep: Keep,
    ) -> Result<Self, CompileError> {
        compile::compile(rules, vocabulary, symbols, keep)
    }

    /// Number of segments.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// Name of a segment.
    pub fn segment_name(&self, segment: usize) -> &SegmentName {
        &self.segments[segment].name
    }

    /// Number of the segment of that name.
    pub fn segment_index(&self, name: &SegmentName) -> Option<usize> {
        self.segments
            .iter()
            .position(|segment| segment.name == *name)
    }

    /// The checked rule of a segment.
    pub fn rule(&self, segment: usize) -> &CheckedRule {
        &self.segments[segment].rule
    }

    /// Number of different conditions.
    pub fn leaf_count(&self) -> usize {
        self.leaves.len()
    }

    /// Number of different values folded from orders.
    pub fn measure_count(&self) -> usize {
        self.measures.len()
    }

    /// Number of different values folded from events; one within several windows is one.
    pub fn event_value_count(&self) -> usize {
        self.events.len()
    }

    /// The state of a customer without orders and events.
    pub fn new_states(&self) -> LeafStates {
        LeafStates::default()
    }

    /// Brings a state back to that of a customer without orders and events.
    pub fn reset(&self, states: &mut LeafStates) {
        states.clear();
    }

    /// Takes the orders out of a state; what events left there stays.
    pub fn reset_orders(&self, states: &mut LeafStates) {
        states.clear_orders();
    }

    /// Folds an order into a state. Orders come in ascending time, ties by key.
    pub fn fold(&self, states: &mut LeafStates, order: &Order<'_>) {
        states.fold(&self.measures, order, None, &self.zone, self.faults);
    }

    /// Folds an event into a state: in any order, each once. One that no condition reads costs a
    /// look at its name.
    pub fn fold_event(&self, states: &mut LeafStates, event: &Event<'_>) {
        self.fold_event_with(states, event, |_| ());
    }

    /// As [`Self::fold_event`]; gives what the event changed to `each`.
    pub fn fold_event_with(
        &self,
        states: &mut LeafStates,
        event: &Event<'_>,
        mut each: impl FnMut(Change),
    ) {
        let readers = self.index.readers(event.kind, event.name);
        for &value in readers.map_or(&[][..], |readers| &readers.values) {
            let program = &self.events[value as usize];
            if program.fold(&mut states.events, value, event, &self.zone, self.faults) {
                each(Change::Events(value));
            }
        }
    }

    /// Paths of the properties that conditions ask of events of this kind and name, sorted; `None`
    /// when no condition looks at such events.
    pub fn reads(&self, kind: EventKind, name: &str) -> Option<&[Box<str>]> {
        let readers = self.index.readers(kind, name)?;
        Some(&readers.paths)
    }

    /// True when a condition on orders tells this text from others: interned after the program was
    /// compiled, it is not seen by it.
    pub fn asks_for_text(&self, text: &str) -> bool {
        let mut filters = self
            .measures
            .iter()
            .filter_map(|it| it.spec.filter.as_ref());
        filters.any(|node| filter::asks_for_text(node, text))
    }

    /// What an order changes: what is asked of orders, and the waits of events that it ends.
    pub fn changes_of_order(&self) -> impl Iterator<Item = Change> {
        let ended = (0_u32..).zip(&self.events);
        let ended = ended.filter(|(_, value)| value.ends_by_orders());
        let ended = ended.map(|(number, _)| Change::Events(number));
        std::iter::once(Change::Order).chain(ended)
    }

    /// As [`Self::fold`], for a state that is evaluated at the `now` of `starts` and later only:
    /// conditions whose window the order has left by then are passed over.
    pub fn fold_since(&self, states: &mut LeafStates, order: &Order<'_>, starts: &WindowStarts) {
        states.fold(
            &self.measures,
            order,
            Some(&starts.orders),
            &self.zone,
            self.faults,
        );
    }

    /// As [`Self::fold_event`], for a state that is evaluated at the `now` of `starts` and later only:
    /// values whose windows the event has left by then are passed over.
    pub fn fold_event_since(
        &self,
        states: &mut LeafStates,
        event: &Event<'_>,
        starts: &WindowStarts,
    ) {
        let readers = self.index.readers(event.kind, event.name);
        for &value in readers.map_or(&[][..], |readers| &readers.values) {
            let program = &self.events[value as usize];
            if program.is_needed_since(event.occurred_at, &starts.events) {
                program.fold(&mut states.events, value, event, &self.zone, self.faults);
            }
        }
    }

    /// Where the windows of all conditions start when they end at `now`.
    pub fn window_starts(&self, now: Timestamp) -> WindowStarts {
        let of_orders = |measure: &MeasureProgram| measure.start(now, &self.zone, self.faults);
        let of_events = |value| EventProgram::starts(value, now, &self.zone, self.faults);
        WindowStarts {
            orders: self.measures.iter().map(of_orders).collect(),
            events: self.events.iter().flat_map(of_events).collect(),
        }
    }

    /// Working memory for evaluations of this program.
    pub fn new_scratch(&self) -> Scratch {
        let words = self.leaves.len().div_ceil(64);
        Scratch {
            known: vec![0; words],
            truth: vec![0; words],
            members: self.no_memberships(),
            ..Scratch::default()
        }
    }

    /// The empty set of segments.
    pub fn no_memberships(&self) -> Memberships {
        Memberships::none_of(self.segments.len())
    }

    /// Which segments the customer is in at `now`.
    pub fn evaluate<S: Subject>(
        &self,
        states: &LeafStates,
        subject: &S,
        now: Timestamp,
        scratch: &mut Scratch,
        memberships: &mut Memberships,
    ) {
        let code = &self.everything.code;
        evaluate::evaluate(self, code, states, subject, now, scratch, memberships);
    }

    /// Whether the customer is in `segment` at `now`: as [`Self::evaluate`], which it looks at no
    /// more of than that segment needs.
    pub fn evaluate_one<S: Subject>(
        &self,
        segment: usize,
        states: &LeafStates,
        subject: &S,
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> bool {
        let code = &self.segments[segment].scope.code;
        let mut members = std::mem::take(&mut scratch.members);
        evaluate::evaluate(self, code, states, subject, now, scratch, &mut members);
        let inside = members.contains(segment);
        scratch.members = members;
        inside
    }

    /// The first instant after `now` at which the customer enters or leaves `segment` if nothing
    /// happens; `None` when that is never, or not within ten years for a trait that rises or falls.
    pub fn next_flip<S: Subject>(
        &self,
        segment: usize,
        states: &LeafStates,
        subject: &S,
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Option<Timestamp> {
        let segment_scope = &self.segments[segment].scope;
        let watched = [u32::try_from(segment).expect("segments are numbered in 32 bits")];
        flips::next_flip(self, segment_scope, &watched, states, subject, now, scratch)
    }

    /// The first instant after `now` at which the customer enters or leaves any segment if nothing
    /// happens.
    pub fn next_flip_of_any<S: Subject>(
        &self,
        states: &LeafStates,
        subject: &S,
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Option<Timestamp> {
        let all = &self.everything;
        flips::next_flip(self, all, &all.segments, states, subject, now, scratch)
    }

    /// How far each segment can be answered with the data that is there, by segment number.
    pub fn availability(&self, present: Present<'_>) -> Vec<Availability> {
        let mut known = vec![Availability::Known; self.segments.len()];
        for &segment in &self.everything.segments {
            let of_segment = |name: &SegmentName| {
                self.segment_index(name)
                    .map_or(Availability::Known, |index| known[index].clone())
            };
            let availability = self.segments[segment as usize]
                .rule
                .availability(present, &of_segment);
            known[segment as usize] = availability;
        }
        known
    }

    /// The leaves of a segment's conditions, in the order of the text.
    pub(crate) fn conditions(&self, segment: usize) -> &[u32] {
        &self.segments[segment].conditions
    }

    pub(crate) fn leaf(&self, leaf: u32) -> &Leaf {
        &self.leaves[leaf as usize]
    }

    pub(crate) fn measure(&self, measure: u32) -> &MeasureProgram {
        &self.measures[measure as usize]
    }

    pub(crate) fn event_value(&self, value: u32) -> &EventProgram {
        &self.events[value as usize]
    }

    pub(crate) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// How far ahead of `now` flips are looked for that must be searched.
    pub(crate) fn horizon(&self, now: Timestamp) -> Timestamp {
        now.plus_ms(leaf::HORIZON_MS)
    }

    /// The same program with a seeded bug.
    #[cfg(feature = "mutations")]
    #[must_use]
    pub fn with_mutation(mut self, mutation: crate::Mutation) -> Self {
        if mutation == crate::Mutation::CalendarInUtc {
            self.zone = Zone::utc();
        }
        self.faults = Faults(Some(mutation));
        self
    }
}

/// Which seeded bug is switched on: none, outside of the test that asks for one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults(#[cfg(feature = "mutations")] pub(crate) Option<crate::Mutation>);

/// True when the seeded bug of that name is switched on; always false without the feature
/// `mutations`, where the name is not even compiled.
macro_rules! mutated {
    ($faults:expr, $name:ident) => {{
        #[cfg(feature = "mutations")]
        let on = $faults.0 == Some(crate::Mutation::$name);
        #[cfg(not(feature = "mutations"))]
        let on = {
            let _: crate::program::Faults = $faults;
            false
        };
        on
    }};
}
pub(crate) use mutated;
