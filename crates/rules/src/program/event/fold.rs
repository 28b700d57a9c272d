//! How an event is folded: whether a value takes it, and what it adds to what is kept.

use regulars_core::{Event, EventKind, List, PropertyValue, Timestamp, TraitValue, Zone};

use super::{EventProgram, EventSlot, EventSlots};
use crate::check::{EventValue, EventsSpec, MILLIONTHS, ValueTest};
use crate::program::slots::Amounts;
use crate::program::{Faults, mutated};
use crate::tree::{Decimal, EventCall, PropertyPath, WhichOrder};

impl EventProgram {
    /// Folds an event; says whether it was one of those that the value is of.
    pub(in crate::program) fn fold(
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

/// Inserts into an ascending list.
fn insert<T: Ord>(entries: &mut Vec<T>, entry: T) {
    if entries.last().is_none_or(|last| *last <= entry) {
        entries.push(entry);
        return;
    }
    entries.insert(entries.partition_point(|known| *known <= entry), entry);
}
