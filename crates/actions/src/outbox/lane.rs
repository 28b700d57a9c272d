//! What waits for one destination: a line for each customer, of which only the first may go, and
//! the firsts by the time at which they are due.

use std::collections::{BTreeSet, HashMap, VecDeque};

use foldhash::fast::RandomState;
use regulars_core::{CustomerId, Timestamp};

use crate::circuit::{Circuit, CircuitSettings, CircuitState, Pause};

/// The place of a delivery in the order of all.
pub(super) type Position = u64;

#[derive(Debug, Clone, Copy)]
struct Waiting {
    position: Position,
    due_at: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) enabled: bool,
    pub(super) circuit: Circuit,
    hold: Option<Pause>,
    /// By position; only the first of a line, while it is in flight, may stand before lower ones.
    lines: HashMap<CustomerId, VecDeque<Waiting>, RandomState>,
    /// The first of each line that is not in flight.
    due: BTreeSet<(Timestamp, Position)>,
    in_flight: BTreeSet<Position>,
    /// What waits, by when it is too old.
    pub(super) expiries: BTreeSet<(Timestamp, Position)>,
}

impl Lane {
    pub(super) fn new(enabled: bool) -> Self {
        Self {
            enabled,
            ..Self::default()
        }
    }

    pub(super) fn pending(&self) -> usize {
        self.expiries.len()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Puts a delivery into its customer's line, before all later ones but not before one in flight.
    pub(super) fn put(&mut self, customer: CustomerId, position: Position, due_at: Timestamp) {
        let line = self.lines.entry(customer).or_default();
        let first = line.front().copied();
        let busy = first.is_some_and(|first| self.in_flight.contains(&first.position));
        let from = usize::from(busy);
        let mut rest = line.iter().skip(from);
        let place = match line.back() {
            Some(last) if last.position > position => {
                let later = rest.position(|w| w.position > position);
                later.map_or(line.len(), |i| from + i)
            }
            _ => line.len(),
        };
        line.insert(place, Waiting { position, due_at });
        if place == 0 {
            if let Some(second) = first {
                self.due.remove(&(second.due_at, second.position));
            }
            self.due.insert((due_at, position));
        }
    }

    /// Takes a delivery out, in flight or not; the next of its customer may go then.
    pub(super) fn remove(&mut self, customer: CustomerId, position: Position) {
        self.in_flight.remove(&position);
        let Some(line) = self.lines.get_mut(&customer) else {
            return;
        };
        let Some(place) = line.iter().position(|w| w.position == position) else {
            return;
        };
        let removed = line
            .remove(place)
            .expect("the place was found in this line");
        if place == 0 {
            self.due.remove(&(removed.due_at, position));
            match line.front() {
                Some(next) => {
                    self.due.insert((next.due_at, next.position));
                }
                None => {
                    self.lines.remove(&customer);
                }
            }
        }
    }

    /// The delivery that is due first, if it is due and there is room: it is in flight then.
    pub(super) fn take(&mut self, now: Timestamp, limits: Limits<'_>) -> Option<Position> {
        if !self.has_room(now, limits) || self.held_until(now).is_some() {
            return None;
        }
        let &(due_at, position) = self.due.first()?;
        if due_at > now {
            return None;
        }
        self.due.pop_first();
        self.in_flight.insert(position);
        Some(position)
    }

    /// When [`Lane::take`] may give something if nothing else happens before.
    pub(super) fn next_wake(&self, now: Timestamp, limits: Limits<'_>) -> Option<Timestamp> {
        let &(due_at, _) = self.due.first()?;
        let ready_at = self.held_until(now).map_or(due_at, |held| held.max(due_at));
        self.has_room(ready_at.max(now), limits).then_some(ready_at)
    }

    /// What is to be given up: first what is too old, then the oldest of what is too many.
    pub(super) fn hopeless(
        &self,
        now: Timestamp,
        limits: Limits<'_>,
    ) -> impl Iterator<Item = (Position, Hopeless)> {
        let excess = self.expiries.len().saturating_sub(limits.pending_at_most);
        let oldest = self.expiries.iter().enumerate();
        oldest.map_while(move |(index, &(expires_at, position))| {
            if expires_at <= now {
                Some((position, Hopeless::TooOld))
            } else if index < excess {
                Some((position, Hopeless::TooMany))
            } else {
                None
            }
        })
    }

    /// When something is to be given up if nothing else happens before.
    pub(super) fn gives_up_at(&self, now: Timestamp, limits: Limits<'_>) -> Option<Timestamp> {
        let &(expires_at, _) = self.expiries.first()?;
        let is_full = self.expiries.len() > limits.pending_at_most;
        Some(if is_full { now } else { expires_at })
    }

    /// Whether another attempt may be made at `at`, but for pauses.
    fn has_room(&self, at: Timestamp, limits: Limits<'_>) -> bool {
        let most = match self.circuit.state(at) {
            CircuitState::Closed | CircuitState::Open => limits.concurrency,
            CircuitState::HalfOpen => limits.circuit.probes.min(limits.concurrency),
        };
        self.enabled && self.in_flight.len() < most
    }

    /// Sends nothing for `ms` milliseconds, or longer where that was so before.
    pub(super) fn hold(&mut self, now: Timestamp, ms: i64) {
        let asked = Pause::new(now, ms);
        let kept = self
            .hold
            .filter(|held| held.in_force(now) && held.until > asked.until);
        self.hold = Some(kept.unwrap_or(asked));
    }

    /// Until when nothing is sent: the receiver asked for it, or its circuit is open.
    pub(super) fn held_until(&self, now: Timestamp) -> Option<Timestamp> {
        let pauses = [self.hold, self.circuit.pause()];
        let in_force = pauses.into_iter().flatten().filter(|p| p.in_force(now));
        in_force.map(|pause| pause.until).max()
    }

    /// Forgets what the receiver did, as when somebody says that it is back.
    pub(super) fn forgive(&mut self) {
        self.circuit.reached();
        self.hold = None;
    }
}

/// Why a delivery is given up without an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hopeless {
    TooOld,
    TooMany,
}

/// The settings that a lane heeds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits<'a> {
    pub(super) concurrency: usize,
    pub(super) pending_at_most: usize,
    pub(super) circuit: &'a CircuitSettings,
}
