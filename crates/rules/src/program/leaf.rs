//! One condition of a program: its value, its truth at `now`, its next flip.

use regulars_core::{CivilDate, DAY_MS, Motion, Timestamp, Trait, TraitValue};

use super::truths::Part;
use super::{LeafStates, Program, WindowStarts, cart};
use crate::check::{FilterNode, ValueTest};
use crate::subject::Subject;
use crate::tree::CartProperty;

/// A condition; conditions that ask the same are one leaf.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Leaf {
    pub(crate) source: LeafSource,
    pub(crate) test: ValueTest,
    /// Where an evaluation remembers the trait's value, when other leaves ask for it too.
    pub(crate) memory: Option<u8>,
}

/// Where a leaf's value comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LeafSource {
    Trait(Trait),
    Declared(String),
    /// A trait of the customer's account.
    Account(String),
    /// Number of a measure.
    Measure(u32),
    /// A value of events within a window.
    Events {
        /// Number of the value.
        value: u32,
        /// Place of the window among those of the value.
        window: u32,
    },
    /// How many open carts pass.
    Carts(Option<FilterNode<CartProperty>>),
}

/// How hard a flip is searched for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search {
    /// Not beyond this instant.
    pub(crate) horizon: Timestamp,
    /// After so many entries or steps without a change the last of them is given instead: an
    /// instant up to which the truth does not change.
    pub(crate) most: usize,
}

impl Search {
    /// Until it is found.
    pub(crate) fn exact(horizon: Timestamp) -> Self {
        Self {
            horizon,
            most: usize::MAX,
        }
    }

    /// As far as it costs little.
    pub(crate) fn soon(horizon: Timestamp) -> Self {
        Self { horizon, most: 32 }
    }

    fn is_exact(self) -> bool {
        self.most == usize::MAX
    }
}

/// How far ahead flips of traits that rise, fall or step are looked for: ten years.
pub(crate) const HORIZON_MS: i64 = 3653 * DAY_MS;

impl Leaf {
    /// What the value is of.
    pub(super) fn part(&self) -> Part {
        match self.source {
            LeafSource::Trait(which) if which.is_of_account() => Part::Accounts,
            LeafSource::Account(_) => Part::Accounts,
            LeafSource::Trait(_) | LeafSource::Declared(_) | LeafSource::Measure(_) => Part::Orders,
            LeafSource::Events { .. } => Part::Events,
            LeafSource::Carts(_) => Part::Carts,
        }
    }

    pub(crate) fn value<'s, S: Subject>(
        &self,
        program: &Program,
        states: &LeafStates,
        subject: &'s S,
        now: Timestamp,
        starts: &WindowStarts,
    ) -> TraitValue<'s> {
        let of_orders = |measure: u32| starts.orders[measure as usize];
        let of_events = |value: u32, window: u32| {
            let first = program.events[value as usize].first_window;
            starts.events[(first + window) as usize]
        };
        self.value_since(program, states, subject, now, (of_orders, of_events))
    }

    /// As [`Self::value`], of one leaf alone: no window but its own is looked at.
    pub(super) fn value_alone<'s, S: Subject>(
        &self,
        program: &Program,
        states: &LeafStates,
        subject: &'s S,
        now: Timestamp,
    ) -> TraitValue<'s> {
        let (zone, faults) = (&program.zone, program.faults);
        let of_orders = |measure: u32| program.measures[measure as usize].start(now, zone, faults);
        let of_events = |value: u32, window: u32| {
            program.events[value as usize].start(window, now, zone, faults)
        };
        self.value_since(program, states, subject, now, (of_orders, of_events))
    }

    /// The value over windows that start at what the two functions say of measures and of windows
    /// of values of events.
    fn value_since<'s, S: Subject>(
        &self,
        program: &Program,
        states: &LeafStates,
        subject: &'s S,
        now: Timestamp,
        (of_orders, of_events): (impl Fn(u32) -> Timestamp, impl Fn(u32, u32) -> Timestamp),
    ) -> TraitValue<'s> {
        match &self.source {
            LeafSource::Trait(which) => subject.value(*which, now),
            LeafSource::Declared(name) => subject.declared(name),
            LeafSource::Account(name) => subject.account(name),
            LeafSource::Measure(measure) => {
                let (number, start) = (*measure as usize, of_orders(*measure));
                program.measures[number].value(states, *measure, start, program.faults)
            }
            &LeafSource::Events { value, window } => {
                if self.is_ended_by_order(value, program, states, subject, now) {
                    return TraitValue::Missing;
                }
                let start = of_events(value, window);
                program.events[value as usize].value(&states.events, (value, window), start)
            }
            LeafSource::Carts(filter) => {
                let (zone, faults) = (&program.zone, program.faults);
                cart::value(filter.as_ref(), subject.carts(), now, zone, faults)
            }
        }
    }

    pub(crate) fn truth<S: Subject>(
        &self,
        program: &Program,
        states: &LeafStates,
        subject: &S,
        now: Timestamp,
        starts: &WindowStarts,
    ) -> bool {
        self.holds(
            program,
            self.value(program, states, subject, now, starts),
            now,
        )
    }

    /// True when the leaf's value, asked at `now`, passes.
    pub(crate) fn holds(&self, program: &Program, value: TraitValue<'_>, now: Timestamp) -> bool {
        #[cfg(feature = "mutations")]
        if let Some(seeded) = program
            .faults
            .0
            .and_then(|m| m.truth(&self.test, value, now))
        {
            return seeded;
        }
        self.test.holds(value, now, &program.zone)
    }

    /// The first instant after `now` at which the truth changes if nothing happens, as far as
    /// `search` goes.
    pub(crate) fn next_flip<'s, S: Subject>(
        &self,
        program: &Program,
        states: &LeafStates,
        subject: &'s S,
        now: Timestamp,
        search: Search,
    ) -> Option<Timestamp> {
        let zone = &program.zone;
        // Time alone changes the truth of a value that stays only where it is an instant.
        let still = |value: &dyn Fn(Timestamp) -> TraitValue<'s>, now| {
            let ValueTest::Instant(test) = &self.test else {
                return None;
            };
            match value(now) {
                TraitValue::Instant(at) => test.next_flip(at, now, zone),
                _ => None,
            }
        };
        match &self.source {
            LeafSource::Measure(measure) => program.measures[*measure as usize].next_flip(
                states,
                *measure,
                &self.test,
                now,
                zone,
                search.most,
            ),
            &LeafSource::Events { value, .. }
                if self.is_ended_by_order(value, program, states, subject, now) =>
            {
                None
            }
            &LeafSource::Events { value, window } => program.events[value as usize].next_flip(
                &states.events,
                (value, window),
                &self.test,
                (now, search.most),
                zone,
            ),
            LeafSource::Carts(filter) => {
                let (carts, faults) = (subject.carts(), program.faults);
                cart::next_flip(filter.as_ref(), carts, &self.test, now, zone, faults)
            }
            LeafSource::Declared(name) => still(&|_| subject.declared(name), now),
            LeafSource::Account(name) => still(&|_| subject.account(name), now),
            LeafSource::Trait(which) => {
                let value_at = |at| subject.value(*which, at);
                let truth_at = |at| self.test.holds(value_at(at), at, zone);
                match subject.motion(*which) {
                    Motion::Still => still(&value_at, now),
                    Motion::DaysSince(since) => self.flip_of_days(value_at(now), since, now),
                    Motion::Rises | Motion::Falls => {
                        let ms = (now.0, search.horizon.0);
                        flip_of_crossing(&self.test, value_at, truth_at, Timestamp, ms, search)
                    }
                    Motion::RisesDaily | Motion::FallsDaily => {
                        let (today, last) = (zone.date_of(now), zone.date_of(search.horizon));
                        let days = (i64::from(today.0), i64::from(last.0));
                        // Of today there is only what is left of it.
                        let start_of = |day: i64| match i32::try_from(day) {
                            Ok(day) if day > today.0 => zone.start_of(CivilDate(day)),
                            _ => now,
                        };
                        flip_of_crossing(&self.test, value_at, truth_at, start_of, days, search)
                    }
                    Motion::Steps => {
                        let next_step = |at| subject.next_step_after(*which, at);
                        let within_step = |at| still(&value_at, at);
                        flip_of_steps(truth_at, next_step, within_step, now, search)
                    }
                }
            }
        }
    }

    /// True when a wait that orders end began before the customer's last order.
    fn is_ended_by_order<S: Subject>(
        &self,
        value: u32,
        program: &Program,
        states: &LeafStates,
        subject: &S,
        now: Timestamp,
    ) -> bool {
        let of_events = &program.events[value as usize];
        of_events
            .waits_for_order_since(&states.events, value)
            .is_some_and(|began| match subject.value(Trait::LastOrder, now) {
                TraitValue::Instant(ordered) => began < ordered,
                _ => false,
            })
    }

    /// Of a number of whole days: the first day at which the truth differs.
    fn flip_of_days(
        &self,
        value: TraitValue<'_>,
        since: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let (ValueTest::Integer(test), TraitValue::Integer(_)) = (&self.test, value) else {
            return None;
        };
        let today = now.whole_days_since(since);
        let truth = test.holds(today);
        // The truth can only change on reaching a bound or on passing it.
        let bounds = test.bounds();
        let days = bounds
            .iter()
            .flat_map(|&bound| [bound, bound.saturating_add(1)]);
        days.filter(|&day| day > today && test.holds(day) != truth)
            .min()
            .map(|day| since.plus_ms(day.saturating_mul(DAY_MS)))
    }
}

/// Of a value that only rises or only falls, and may do so at each of the places from the first to
/// the last, whose instants `at` gives: the first instant at which it has crossed a bound that
/// matters, found by bisection.
fn flip_of_crossing<'s>(
    test: &ValueTest,
    value_at: impl Fn(Timestamp) -> TraitValue<'s>,
    truth_at: impl Fn(Timestamp) -> bool,
    at: impl Fn(i64) -> Timestamp,
    (first, last): (i64, i64),
    search: Search,
) -> Option<Timestamp> {
    let truth = truth_at(at(first));
    let mut from = first;
    loop {
        // The truth is the same as long as the value stays on the same side of every bound.
        let side = test.side_of(value_at(at(from)));
        let has_left = |place| test.side_of(value_at(at(place))) != side;
        if from >= last || !has_left(last) {
            return None;
        }
        let (mut inside, mut outside) = (from, last);
        while outside - inside > 1 {
            let middle = inside + (outside - inside) / 2;
            if has_left(middle) {
                outside = middle;
            } else {
                inside = middle;
            }
            // Half of the way without a change is enough, and then it is looked at again.
            let left = outside - inside;
            if !search.is_exact() && left > 1 && left <= inside - first {
                return Some(at(inside));
            }
        }
        if truth_at(at(outside)) != truth {
            return Some(at(outside));
        }
        from = outside;
    }
}

/// Of a value that may jump at certain instants: goes from one to the next.
fn flip_of_steps(
    truth_at: impl Fn(Timestamp) -> bool,
    next_step: impl Fn(Timestamp) -> Option<Timestamp>,
    within_step: impl Fn(Timestamp) -> Option<Timestamp>,
    now: Timestamp,
    search: Search,
) -> Option<Timestamp> {
    let mut truth = None;
    let mut from = now;
    let mut steps = 0;
    loop {
        let step = next_step(from).filter(|&step| step > from && step <= search.horizon);
        if let Some(flip) = within_step(from)
            && step.is_none_or(|step| flip < step)
        {
            return Some(flip);
        }
        let step = step?;
        steps += 1;
        let truth = *truth.get_or_insert_with(|| truth_at(now));
        if truth_at(step) != truth || steps >= search.most {
            return Some(step);
        }
        from = step;
    }
}
