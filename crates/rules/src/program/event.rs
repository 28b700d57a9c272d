//! Values folded from events: what each keeps, what it is worth at `now`, when it next changes.
//!
//! Events come in any order, none later than the `now` of an evaluation after it. A state is what is
//! needed of the set of events that were folded, and so the same in whatever order they came: of
//! counts the k latest times, of sums each number in millionths, of distinct values the latest time
//! of each. What has left the window that ends at the latest event is dropped: `now` is not earlier.
//! Only what is not empty has a slot, so that a customer who did nothing costs nothing.

use regulars_core::{Event, EventKind, List, PropertyValue, Timestamp, TraitValue, Window, Zone};

use super::measure::{cap_for, flip_of, flip_of_sum};
use super::pairs::Pairs;
use super::slots::{Amounts, Slots};
use super::{Faults, Keep, mutated};
use crate::check::{EventSpec, EventValue, EventsSpec, MILLIONTHS, ValueTest};
use crate::tree::{Decimal, EventCall, PropertyPath, WhichOrder};

/// A value of events as it is folded, for all windows over which it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EventProgram {
    pub(crate) value: EventValue,
    /// One, or several lengths of time.
    windows: Vec<Window>,
    /// Number of the first of them among the windows of all values.
    pub(super) first_window: u32,
    /// Counts beyond this make no difference to any test; the k latest are kept.
    cap: usize,
}

pub(super) type EventSlots = Slots<EventSlot>;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum EventSlot {
    /// A count over all time.
    Count(i64),
    /// A sum over all time.
    Sum(Box<i128>),
    /// Times of the latest events, ascending.
    Times(Vec<Timestamp>),
    /// Numbers with their times, ascending, and their sum.
    Amounts(Box<Amounts>),
    /// Each value with its latest time, ascending.
    Distinct(Vec<(Timestamp, Box<str>)>),
    /// Values of all time, sorted.
    DistinctEver(Vec<Box<str>>),
    /// Time of the first or last event.
    Time(Timestamp),
    /// Times of the latest first event, and of the latest that ends the wait.
    NotFollowed {
        first: Option<Timestamp>,
        then: Option<Timestamp>,
    },
    Followed(Box<Pairs>),
}

impl EventSlot {
    /// How many times, amounts or values are kept.
    pub(super) fn entries(&self) -> usize {
        match self {
            Self::Count(_) | Self::Sum(_) | Self::Time(_) | Self::NotFollowed { .. } => 1,
            Self::Times(times) => times.len(),
            Self::Amounts(amounts) => amounts.len(),
            Self::Distinct(values) => values.len(),
            Self::DistinctEver(values) => values.len(),
            Self::Followed(pairs) => pairs.len(),
        }
    }
}

impl EventProgram {
    pub(super) fn new(spec: EventSpec) -> Self {
        Self {
            value: spec.value,
            windows: vec![spec.window],
            first_window: 0,
            cap: 0,
        }
    }

    /// The place of the window among those of this value, to which it is added when the same
    /// events serve it; `None` when they do not.
    pub(super) fn place_of(&mut self, spec: &EventSpec) -> Option<u32> {
        if self.value != spec.value {
            return None;
        }
        let known = self.windows.iter().position(|known| *known == spec.window);
        let place = known.or_else(|| {
            let is_list = matches!(
                self.value,
                EventValue::Count(_) | EventValue::Sum(..) | EventValue::Distinct(..)
            );
            let of_all_time = spec.window == Window::Ever || self.windows[0] == Window::Ever;
            (is_list && !of_all_time).then(|| {
                self.windows.push(spec.window);
                self.windows.len() - 1
            })
        });
        place.map(|place| place as u32)
    }

    /// Makes room for a test: afterwards the kept part tells whether it passes.
    pub(super) fn serve(&mut self, test: &ValueTest, keep: Keep) {
        self.cap = self.cap.max(cap_for(test, keep));
    }

    /// Number of windows.
    pub(super) fn window_count(&self) -> u32 {
        self.windows.len() as u32
    }

    /// True when it is over all time.
    fn is_ever(&self) -> bool {
        self.windows[0] == Window::Ever
    }

    /// The last instant before each window that ends at `now`.
    pub(super) fn starts(
        &self,
        now: Timestamp,
        zone: &Zone,
        faults: Faults,
    ) -> impl Iterator<Item = Timestamp> {
        (0..self.window_count()).map(move |window| self.start(window, now, zone, faults))
    }

    /// The last instant before the window of that place that ends at `now`.
    pub(super) fn start(
        &self,
        window: u32,
        now: Timestamp,
        zone: &Zone,
        faults: Faults,
    ) -> Timestamp {
        let edge = i64::from(mutated!(faults, WindowEdge));
        self.windows[window as usize]
            .start(now, zone)
            .plus_ms(-edge)
    }

    /// True when an event of that time can make a difference at the `now` of `starts` or later.
    pub(super) fn is_needed_since(&self, at: Timestamp, starts: &[Timestamp]) -> bool {
        let first = self.first_window as usize;
        let mut starts = starts[first..first + self.windows.len()].iter();
        let until = match &self.value {
            EventValue::Count(_) | EventValue::Sum(..) | EventValue::Distinct(..) => at,
            // What follows it may be inside the window.
            EventValue::Followed { ms, .. } => at.plus_ms(*ms),
            // Of these no more than a time or two are kept.
            EventValue::Time(..) | EventValue::NotFollowed { .. } => return true,
        };
        starts.any(|start| until > *start)
    }

    /// Folds an event; says whether it was one of those that the value is of.
    pub(super) fn fold(
        &self,
        slots: &mut EventSlots,
        number: u32,
        event: &Event<'_>,
        zone: &Zone,
        faults: Faults,
    ) -> bool {
        let takes = |events: &EventsSpec| events.take(event, zone, faults);
        let at = event.occurred_at;
        match &self.value {
            EventValue::Count(events) if takes(events) => {
                self.fold_count(slots, number, at, zone, faults);
            }
            EventValue::Sum(events, path) if takes(events) => match property(event, path) {
                TraitValue::Number(value) => {
                    self.fold_amount(slots, number, (at, millionths(value)), zone);
                }
                _ => return false,
            },
            EventValue::Distinct(events, path) if takes(events) => {
                let Some(value) = text_of(property(event, path)) else {
                    return false;
                };
                self.fold_value(slots, number, (at, value), zone, faults);
            }
            EventValue::Time(which, events) if takes(events) => {
                if let EventSlot::Time(time) = slots.get_or(number, || EventSlot::Time(at)) {
                    *time = match which {
                        WhichOrder::First => at.min(*time),
                        WhichOrder::Last => at.max(*time),
                    };
                }
            }
            EventValue::Count(_)
            | EventValue::Sum(..)
            | EventValue::Distinct(..)
            | EventValue::Time(..) => return false,
            EventValue::NotFollowed { first, then, .. } => {
                let (is_first, is_then) = (takes(first), takes(then));
                if !(is_first || is_then) {
                    return false;
                }
                fold_wait(slots, number, at, (is_first, is_then), faults);
            }
            EventValue::Followed { first, then, ms } => {
                let (is_first, is_then) = (takes(first), takes(then));
                if !(is_first || is_then) {
                    return false;
                }
                let empty = || EventSlot::Followed(Box::default());
                if let EventSlot::Followed(pairs) = slots.get_or(number, empty) {
                    if is_first {
                        pairs.insert_first(at, *ms);
                    }
                    if is_then {
                        pairs.insert_then(at);
                    }
                    pairs.settle(*ms, self.windows[0], zone, faults);
                }
            }
        }
        true
    }

    fn fold_count(
        &self,
        slots: &mut EventSlots,
        number: u32,
        at: Timestamp,
        zone: &Zone,
        faults: Faults,
    ) {
        let empty = || match self.is_ever() {
            true => EventSlot::Count(0),
            false => EventSlot::Times(Vec::new()),
        };
        match slots.get_or(number, empty) {
            EventSlot::Count(count) => *count = count.saturating_add(1),
            EventSlot::Times(times) => {
                if mutated!(faults, LateEventsDropped) && times.last() > Some(&at) {
                    return;
                }
                if mutated!(faults, EventTiesMerged) && times.contains(&at) {
                    return;
                }
                insert(times, at);
                times.drain(..times.len().saturating_sub(self.cap));
                self.forget(times, zone, |&time| time);
            }
            _ => {}
        }
    }

    fn fold_amount(
        &self,
        slots: &mut EventSlots,
        number: u32,
        (at, amount): (Timestamp, i64),
        zone: &Zone,
    ) {
        if amount == 0 {
            return;
        }
        let empty = || match self.is_ever() {
            true => EventSlot::Sum(Box::new(0)),
            false => EventSlot::Amounts(Box::new(Amounts::new(self.windows.len()))),
        };
        match slots.get_or(number, empty) {
            EventSlot::Sum(sum) => **sum += i128::from(amount),
            EventSlot::Amounts(amounts) => {
                amounts.add(at, amount);
                let latest = amounts.latest().unwrap_or(at);
                amounts.forget(|window| self.windows[window].start(latest, zone));
            }
            _ => {}
        }
    }

    fn fold_value(
        &self,
        slots: &mut EventSlots,
        number: u32,
        (at, value): (Timestamp, Box<str>),
        zone: &Zone,
        faults: Faults,
    ) {
        let empty = || match self.is_ever() {
            true => EventSlot::DistinctEver(Vec::new()),
            false => EventSlot::Distinct(Vec::new()),
        };
        match slots.get_or(number, empty) {
            // Of more values than are needed the first in the order of texts are kept, so that it
            // makes no difference in which order they came.
            EventSlot::DistinctEver(values) => {
                if let Err(place) = values.binary_search(&value) {
                    values.insert(place, value);
                    values.truncate(self.cap);
                }
            }
            EventSlot::Distinct(values) => {
                if let Some(place) = values.iter().position(|(_, known)| *known == value) {
                    if values[place].0 >= at || mutated!(faults, DistinctKeepsFirst) {
                        return;
                    }
                    values.remove(place);
                }
                insert(values, (at, value));
                values.drain(..values.len().saturating_sub(self.cap));
                self.forget(values, zone, |&(time, _)| time);
            }
            _ => {}
        }
    }

    /// Drops what has left all windows that end at the latest entry.
    fn forget<T>(&self, entries: &mut Vec<T>, zone: &Zone, time: impl Fn(&T) -> Timestamp) {
        let Some(latest) = entries.last() else {
            return;
        };
        let starts = self
            .windows
            .iter()
            .map(|window| window.start(time(latest), zone));
        let Some(start) = starts.min() else {
            return;
        };
        entries.drain(..entries.partition_point(|entry| time(entry) <= start));
    }

    /// The value over what is later than `start`, where a window begins: a number, or of times an
    /// instant or missing.
    pub(super) fn value(
        &self,
        slots: &EventSlots,
        (number, window): (u32, u32),
        start: Timestamp,
    ) -> TraitValue<'static> {
        let count = |entries: usize| TraitValue::Integer(entries as i64);
        let instant = |at: Option<Timestamp>| at.map_or(TraitValue::Missing, TraitValue::Instant);
        match slots.get(number) {
            None => match self.value {
                EventValue::Count(_) | EventValue::Sum(..) | EventValue::Distinct(..) => count(0),
                EventValue::Time(..)
                | EventValue::Followed { .. }
                | EventValue::NotFollowed { .. } => TraitValue::Missing,
            },
            Some(EventSlot::Count(value)) => TraitValue::Integer(*value),
            Some(EventSlot::Sum(sum)) => TraitValue::Integer(clamped(**sum)),
            Some(EventSlot::Times(times)) => count(later_than(times, start, |&time| time).len()),
            Some(EventSlot::Amounts(amounts)) => {
                TraitValue::Integer(clamped(amounts.since(window as usize, start)))
            }
            Some(EventSlot::Distinct(values)) => {
                count(later_than(values, start, |&(time, _)| time).len())
            }
            Some(EventSlot::DistinctEver(values)) => count(values.len()),
            // Where a start leaves out what is over, others would show it.
            Some(slot) => instant(self.instant(slot).filter(|&at| at > start)),
        }
    }

    /// True when it is a wait that orders end.
    pub(super) fn ends_by_orders(&self) -> bool {
        let value = &self.value;
        matches!(value, EventValue::NotFollowed { ends_by_orders, .. } if *ends_by_orders)
    }

    /// When a wait that orders end began.
    pub(super) fn waits_for_order_since(
        &self,
        slots: &EventSlots,
        number: u32,
    ) -> Option<Timestamp> {
        match slots.get(number) {
            Some(EventSlot::NotFollowed { first, .. }) if self.ends_by_orders() => *first,
            _ => None,
        }
    }

    /// The instant of a slot that is one.
    fn instant(&self, slot: &EventSlot) -> Option<Timestamp> {
        match (slot, &self.value) {
            (EventSlot::Time(at), _) => Some(*at),
            (EventSlot::Followed(pairs), _) => pairs.latest(),
            (EventSlot::NotFollowed { first, then }, EventValue::NotFollowed { ms, .. }) => first
                .filter(|first| then.is_none_or(|then| then <= *first))
                .map(|first| first.plus_ms(*ms)),
            _ => None,
        }
    }

    /// True when the value may be greater than what is kept shows.
    pub(crate) fn is_at_cap(&self, value: TraitValue<'_>) -> bool {
        let is_capped = match self.value {
            EventValue::Count(_) => !self.is_ever(),
            EventValue::Distinct(..) => true,
            EventValue::Sum(..)
            | EventValue::Time(..)
            | EventValue::Followed { .. }
            | EventValue::NotFollowed { .. } => false,
        };
        matches!(value, TraitValue::Integer(count) if is_capped && count >= 0 && count as usize >= self.cap)
    }

    /// The first instant after `now` at which the truth of `test` changes if nothing happens.
    pub(super) fn next_flip(
        &self,
        slots: &EventSlots,
        (number, place): (u32, u32),
        test: &ValueTest,
        (now, most): (Timestamp, usize),
        zone: &Zone,
    ) -> Option<Timestamp> {
        let window = self.windows[place as usize];
        let start = || window.start(now, zone);
        match slots.get(number)? {
            EventSlot::Count(_) | EventSlot::Sum(_) | EventSlot::DistinctEver(_) => None,
            EventSlot::Times(times) => {
                let inside = later_than(times, start(), |&time| time);
                let entries = inside.iter().map(|&time| (time, 1));
                flip_of(window, entries, test, (now, most), zone)
            }
            EventSlot::Amounts(amounts) => {
                let inside = amounts.inside(place as usize);
                flip_of_sum(window, inside, test, (now, most), zone)
            }
            EventSlot::Distinct(values) => {
                let inside = later_than(values, start(), |&(time, _)| time);
                let entries = inside.iter().map(|&(time, _)| (time, 1));
                flip_of(window, entries, test, (now, most), zone)
            }
            slot => match (test, self.instant(slot)?) {
                (ValueTest::Instant(test), at) => test.next_flip(at, now, zone),
                _ => None,
            },
        }
    }
}

fn fold_wait(
    slots: &mut EventSlots,
    number: u32,
    at: Timestamp,
    (is_first, is_then): (bool, bool),
    faults: Faults,
) {
    let empty = || EventSlot::NotFollowed {
        first: None,
        then: None,
    };
    if let EventSlot::NotFollowed { first, then } = slots.get_or(number, empty) {
        if is_first && !(mutated!(faults, FirstStartCounts) && first.is_some()) {
            *first = (*first).max(Some(at));
        }
        if is_then {
            *then = (*then).max(Some(at));
        }
    }
}

impl EventsSpec {
    /// True when the event is one of these.
    fn take(&self, event: &Event<'_>, zone: &Zone, faults: Faults) -> bool {
        let is_of_call = match (self.call, event.kind) {
            (EventCall::Event, EventKind::Track)
            | (EventCall::Page, EventKind::Page)
            | (EventCall::Screen, EventKind::Screen) => true,
            (EventCall::Event, EventKind::Page | EventKind::Screen) => self.names.is_empty(),
            _ => false,
        };
        let is_named = || self.names.is_empty() || self.names.iter().any(|name| name == event.name);
        // Properties are no instants: `now` takes no part.
        let passes = |path: &PropertyPath, test: &ValueTest| {
            let value = property(event, path);
            // Many clients send numbers as texts.
            if let (ValueTest::Number(_), TraitValue::Text(text)) = (test, value)
                && !mutated!(faults, NumbersInTextsDiffer)
                && let Ok(number) = text.parse::<Decimal>()
            {
                let number = TraitValue::Number(number.to_f64());
                return test.holds(number, Timestamp::MIN, zone);
            }
            test.holds(value, Timestamp::MIN, zone)
        };
        let filter = self.filter.as_ref();
        is_of_call && is_named() && filter.is_none_or(|filter| filter.holds(&passes))
    }
}

/// A property of an event; the empty text is one that is not known, as everywhere.
fn property<'a>(event: &Event<'a>, path: &PropertyPath) -> TraitValue<'a> {
    match event.properties.get(&path.0) {
        Some(PropertyValue::Text(text)) if !text.is_empty() => TraitValue::Text(text),
        Some(PropertyValue::Number(number)) if !number.is_nan() => TraitValue::Number(*number),
        Some(PropertyValue::Flag(flag)) => TraitValue::Flag(*flag),
        Some(PropertyValue::List(list)) => {
            List::of(list).map_or(TraitValue::Missing, TraitValue::List)
        }
        Some(PropertyValue::Text(_) | PropertyValue::Number(_)) | None => TraitValue::Missing,
    }
}

/// A value as a text, by which different ones are told apart: `7` and `'7'` are the same product.
fn text_of(value: TraitValue<'_>) -> Option<Box<str>> {
    match value {
        TraitValue::Text(text) => Some(text.into()),
        // Minus zero is zero.
        TraitValue::Number(number) => Some((number + 0.0).to_string().into()),
        TraitValue::Flag(flag) => Some(flag.to_string().into()),
        TraitValue::Missing
        | TraitValue::Integer(_)
        | TraitValue::Money(_)
        | TraitValue::Instant(_)
        | TraitValue::List(_) => None,
    }
}

fn millionths(number: f64) -> i64 {
    (number * MILLIONTHS).round() as i64
}

fn clamped(sum: i128) -> i64 {
    sum.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// The entries of an ascending list that are later than `start`.
fn later_than<T>(entries: &[T], start: Timestamp, time: impl Fn(&T) -> Timestamp) -> &[T] {
    &entries[entries.partition_point(|entry| time(entry) <= start)..]
}

/// Inserts into an ascending list.
fn insert<T: Ord>(entries: &mut Vec<T>, entry: T) {
    if entries.last().is_none_or(|last| *last <= entry) {
        entries.push(entry);
        return;
    }
    entries.insert(entries.partition_point(|known| *known <= entry), entry);
}
