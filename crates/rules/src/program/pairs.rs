//! Pairs of events of which one follows the other soon enough, in whatever order they are folded.
//!
//! Asked for is the latest second event at `u` that has a first one at `t` with `t < u <= t + ms`.
//! A late event may complete a pair with any that was folded before, so both kinds are kept as long
//! as they can be part of a later pair than the latest known: second events that are later than it,
//! and first events whose time has not run out by then. First events at most `ms` apart form a run,
//! of which only both ends matter: what is later than its beginning and not later than `ms` after
//! its end follows one of them soon enough.

use regulars_core::{Timestamp, Window, Zone};

use super::{Faults, mutated};

/// The latest pair, and what a later one may need.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Pairs {
    /// Time of the latest second event that follows a first one.
    latest: Option<Timestamp>,
    /// First and last time of each run of first events, ascending.
    runs: Vec<(Timestamp, Timestamp)>,
    /// Times of second events later than the latest that follow no first one, ascending.
    alone: Vec<Timestamp>,
}

impl Pairs {
    pub(super) fn latest(&self) -> Option<Timestamp> {
        self.latest
    }

    /// How many times are kept.
    pub(super) fn len(&self) -> usize {
        self.runs.len() + self.alone.len() + usize::from(self.latest.is_some())
    }

    pub(super) fn insert_first(&mut self, at: Timestamp, ms: i64) {
        // All runs that `at` touches become one with it.
        let from = self.runs.partition_point(|run| run.1.plus_ms(ms) < at);
        let until = self.runs.partition_point(|run| run.0 <= at.plus_ms(ms));
        let touched = &self.runs[from..until];
        let begin = touched.first().map_or(at, |run| run.0.min(at));
        let end = touched.last().map_or(at, |run| run.1.max(at));
        self.runs.splice(from..until, [(begin, end)]);
    }

    pub(super) fn insert_then(&mut self, at: Timestamp) {
        if let Err(place) = self.alone.binary_search(&at) {
            self.alone.insert(place, at);
        }
    }

    /// Finds the latest pair and drops what no later one can need.
    pub(super) fn settle(&mut self, ms: i64, window: Window, zone: &Zone, faults: Faults) {
        let follows = |&at: &Timestamp| {
            let at_once = i64::from(mutated!(faults, SequenceAtOnce));
            let short = i64::from(mutated!(faults, SequenceDeadline));
            let is_near = |run: &(Timestamp, Timestamp)| {
                run.0 < at.plus_ms(at_once) && at <= run.1.plus_ms(ms - short)
            };
            self.runs.iter().any(is_near)
        };
        let ends = [
            self.runs.last().map(|run| run.1),
            self.alone.last().copied(),
            self.latest,
        ];
        let last_seen = ends.into_iter().flatten().max();
        let start = last_seen.map_or(Timestamp::MIN, |at| window.start(at, zone));
        let found = self.alone.iter().rev().copied().find(follows);
        self.latest = self.latest.max(found).filter(|&latest| latest > start);
        let passed = self.latest.map_or(start, |latest| latest.max(start));
        self.alone.retain(|&at| at > passed);
        self.runs.retain(|run| run.1.plus_ms(ms) > passed);
        if let Some(run) = self.runs.first_mut() {
            run.0 = run.0.max(run.1.min(passed));
        }
    }
}
