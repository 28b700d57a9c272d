//! Values folded from events: what each keeps, what it is worth at `now`, when it next changes.
//!
//! Events come in any order, none later than the `now` of an evaluation after it. A state is what is
//! needed of the set of events that were folded, and so the same in whatever order they came: of
//! counts the k latest times, of sums each number in millionths, of distinct values the latest time
//! of each. What has left the window that ends at the latest event is dropped: `now` is not earlier.
//! Only what is not empty has a slot, so that a customer who did nothing costs nothing.

mod fold;

use regulars_core::{Timestamp, TraitValue, Window, Zone};

use super::measure::{cap_for, flip_of, flip_of_sum};
use super::pairs::Pairs;
use super::slots::{Amounts, Slots};
use super::{Faults, Keep, mutated};
use crate::check::{EventSpec, EventValue, ValueTest};

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

fn clamped(sum: i128) -> i64 {
    sum.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// The entries of an ascending list that are later than `start`.
fn later_than<T>(entries: &[T], start: Timestamp, time: impl Fn(&T) -> Timestamp) -> &[T] {
    &entries[entries.partition_point(|entry| time(entry) <= start)..]
}
