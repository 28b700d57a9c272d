//! The outbox: what is to be sent where and when. A pure state machine: `now` and chance are
//! arguments, requests are made by others.
//!
//! 1. A transition goes to a destination once: a delivery that is known is not taken again, and one
//!    that was marked as delivered is not sent again.
//! 2. For each destination and customer deliveries go one after the other, in the order in which
//!    they were enqueued, the next when the one before is delivered, dead or expired. One that is
//!    replayed goes before later ones that still wait.
//! 3. Destinations share nothing: none waits for another.
//! 4. The outbox is a function of the deliveries enqueued and the marks, but for what was in flight
//!    (which is pending again, and may reach a receiver twice, with the same id) and for pauses and
//!    circuits (which begin anew).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use regulars_core::{Cause, Timestamp, Transition};
use serde::Serialize;

use crate::circuit::CircuitState;
use crate::outcome::{AttemptError, Outcome};
use crate::{Attempt, Delivery, DeliveryId, DestinationId, Mark, Status};

use lane::{Hopeless, Lane, Limits, Position};

mod lane;
mod record;
mod settings;
mod verdict;

pub use settings::{OutboxSettings, OutboxSettingsError, Retention};

/// So many deliveries are given up in one step, so that none takes long.
const GIVEN_UP_AT_ONCE: usize = 1_000;

/// What became of a transition that was enqueued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enqueued {
    /// It will be sent: the log keeps that.
    New(DeliveryId),
    /// It had been enqueued before: nothing changed.
    Known(DeliveryId),
    /// There is no such destination.
    UnknownDestination,
}

/// What is to be done now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// To be sent; each is to be reported to [`Outbox::completed`].
    pub attempts: Vec<Attempt>,
    /// To be kept: what became too old, or too many.
    pub marks: Vec<Mark>,
}

/// Why a delivery is not replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// Look at the list of deliveries.
    #[error("there is no delivery `{0}`, or it was forgotten")]
    Unknown(DeliveryId),
    /// Wait for it.
    #[error("delivery `{0}` is still on its way")]
    Unfinished(DeliveryId),
    /// Nothing to do.
    #[error("delivery `{0}` was delivered: only dead and expired ones are replayed")]
    Delivered(DeliveryId),
}

/// How a destination fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LaneView {
    /// False when nothing is sent.
    pub enabled: bool,
    /// Deliveries that wait for an attempt.
    pub pending: usize,
    /// Attempts being made.
    pub in_flight: usize,
    /// Whether the receiver is taken for dead.
    pub circuit: CircuitState,
    /// Until when nothing is sent, if that is so.
    pub held_until: Option<Timestamp>,
}

/// What is to be sent where and when.
#[derive(Debug)]
pub struct Outbox {
    settings: OutboxSettings,
    lanes: BTreeMap<DestinationId, Lane>,
    deliveries: BTreeMap<Position, Delivery>,
    positions: HashMap<DeliveryId, Position, RandomState>,
    delivered: BTreeSet<(Timestamp, Position)>,
    undelivered: BTreeSet<(Timestamp, Position)>,
    tickets: HashMap<Position, u64, RandomState>,
    next_position: Position,
    next_ticket: u64,
}

impl Outbox {
    /// An empty outbox.
    ///
    /// # Errors
    /// When the settings make no sense.
    pub fn new(settings: OutboxSettings) -> Result<Self, OutboxSettingsError> {
        settings.check()?;
        Ok(Self {
            settings,
            lanes: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            positions: HashMap::default(),
            delivered: BTreeSet::new(),
            undelivered: BTreeSet::new(),
            tickets: HashMap::default(),
            next_position: 0,
            next_ticket: 0,
        })
    }

    /// Adds a destination that sends, as its definition says. One that is there sends again: its
    /// circuit is closed, its pauses end.
    pub fn enable(&mut self, destination: &DestinationId) {
        let lane = self.lane(destination);
        lane.enabled = true;
        lane.forgive();
    }

    /// Adds a destination that sends nothing, or stops it. What waits keeps waiting, and expires.
    pub fn disable(&mut self, destination: &DestinationId) {
        self.lane(destination).enabled = false;
    }

    /// Lets a destination send again whose receiver wanted nothing more, so that it stays so when
    /// the log is read again. `None` when there is no such destination.
    pub fn resume(&mut self, destination: &DestinationId, now: Timestamp) -> Option<Mark> {
        self.lanes.contains_key(destination).then(|| {
            let mark = Mark::Enabled {
                destination: destination.clone(),
                at: now,
            };
            self.apply(&mark);
            mark
        })
    }

    /// Removes a destination with all its deliveries.
    pub fn remove(&mut self, destination: &DestinationId) {
        if self.lanes.remove(destination).is_none() {
            return;
        }
        let gone = self.deliveries.values();
        let gone = gone.filter(|delivery| delivery.id.destination == *destination);
        let gone: Vec<Position> = gone.map(|delivery| delivery.position).collect();
        for position in gone {
            self.drop_delivery(position);
        }
    }

    fn lane(&mut self, destination: &DestinationId) -> &mut Lane {
        let lane = self.lanes.entry(destination.clone());
        lane.or_insert_with(|| Lane::new(false))
    }

    /// Takes a transition for a destination, which has said that it wants it. The order of these
    /// calls is the order of delivery for each customer.
    pub fn enqueue(
        &mut self,
        destination: &DestinationId,
        transition: &Arc<Transition>,
    ) -> Enqueued {
        let id = DeliveryId {
            destination: destination.clone(),
            transition: transition.id,
        };
        if !self.lanes.contains_key(destination) {
            return Enqueued::UnknownDestination;
        }
        if self.positions.contains_key(&id) {
            return Enqueued::Known(id);
        }
        let position = self.next_position;
        self.next_position += 1;
        // What became so while nothing was running is as old as it is; what an event told late is
        // news.
        let since = match transition.cause {
            Cause::CatchUp => transition.occurred_at,
            _ => transition.recorded_at,
        };
        let due_at = self.settings.schedule.first_at(since);
        self.positions.insert(id.clone(), position);
        let delivery = Delivery {
            id: id.clone(),
            position,
            transition: Arc::clone(transition),
            status: Status::Pending,
            since,
            due_at,
            attempts: 0,
            changed_at: None,
            took_ms: None,
            answered: None,
            last_error: None,
        };
        self.deliveries.insert(position, delivery);
        self.put_in(position);
        Enqueued::New(id)
    }

    /// What is to be sent at `now`, and what is given up. Of very much that is given up a part comes
    /// at a time: [`Outbox::next_wake`] is now then.
    pub fn next_due(&mut self, now: Timestamp) -> Due {
        let mut due = Due {
            marks: self.give_up(now),
            ..Due::default()
        };
        let limits = limits(&self.settings);
        for lane in self.lanes.values_mut() {
            if lane.hopeless(now, limits).next().is_some() {
                continue;
            }
            while let Some(position) = lane.take(now, limits) {
                let delivery = self.deliveries.get_mut(&position);
                let delivery = delivery.expect("what waits in a lane is a delivery");
                delivery.status = Status::InFlight;
                let expires_at = self.settings.schedule.expires_at(delivery.since);
                lane.expiries.remove(&(expires_at, position));
                let ticket = self.next_ticket;
                self.next_ticket += 1;
                self.tickets.insert(position, ticket);
                due.attempts.push(Attempt {
                    delivery: delivery.id.clone(),
                    transition: Arc::clone(&delivery.transition),
                    number: delivery.attempts + 1,
                    started_at: now,
                    ticket,
                });
            }
        }
        due
    }

    /// Marks what is too old or too many, at most [`GIVEN_UP_AT_ONCE`].
    fn give_up(&mut self, now: Timestamp) -> Vec<Mark> {
        let limits = limits(&self.settings);
        let lanes = self.lanes.values();
        let hopeless = lanes.flat_map(|lane| lane.hopeless(now, limits));
        let marks = hopeless.take(GIVEN_UP_AT_ONCE).map(|(position, why)| {
            let delivery = &self.deliveries[&position];
            let (id, attempts) = (delivery.id.clone(), delivery.attempts);
            match why {
                Hopeless::TooOld => Mark::Expired {
                    delivery: id,
                    at: now,
                    attempts,
                    took_ms: None,
                    error: delivery.last_error,
                },
                Hopeless::TooMany => Mark::Dead {
                    delivery: id,
                    at: now,
                    attempts,
                    took_ms: None,
                    error: AttemptError::Crowded,
                },
            }
        });
        let marks: Vec<Mark> = marks.collect();
        for mark in &marks {
            self.apply(mark);
        }
        marks
    }

    /// When something is to be done next if nothing else happens; not after `now` when it is now.
    pub fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let limits = limits(&self.settings);
        let lanes = self.lanes.values();
        let wakes = lanes.flat_map(|lane| {
            let sends_at = lane.next_wake(now, limits);
            sends_at.into_iter().chain(lane.gives_up_at(now, limits))
        });
        wakes.min()
    }

    /// Takes note of how an attempt ended; `random` is drawn evenly from 0 to 1. The marks are to
    /// be kept. An attempt that is not known any more (its destination was removed) leaves none.
    pub fn completed(
        &mut self,
        attempt: &Attempt,
        outcome: Outcome,
        now: Timestamp,
        random: f64,
    ) -> Vec<Mark> {
        let Some(&position) = self.positions.get(&attempt.delivery) else {
            return Vec::new();
        };
        if self.tickets.get(&position) != Some(&attempt.ticket) {
            return Vec::new();
        }
        self.learn(&attempt.delivery.destination, outcome, now);
        let marks = self.marks_of(attempt, position, outcome, now, random);
        for mark in &marks {
            self.apply(mark);
        }
        marks
    }

    /// Sends a dead or expired delivery again, with all its attempts and from now on.
    ///
    /// # Errors
    /// When it is unknown, still on its way, or delivered.
    pub fn replay(&mut self, id: &DeliveryId, now: Timestamp) -> Result<Mark, ReplayError> {
        let delivery = self.get(id);
        let delivery = delivery.ok_or_else(|| ReplayError::Unknown(id.clone()))?;
        match delivery.status {
            Status::Pending | Status::InFlight => Err(ReplayError::Unfinished(id.clone())),
            Status::Delivered => Err(ReplayError::Delivered(id.clone())),
            Status::Dead | Status::Expired => {
                let mark = Mark::Replayed {
                    delivery: id.clone(),
                    at: now,
                };
                self.apply(&mark);
                Ok(mark)
            }
        }
    }

    /// A delivery.
    pub fn get(&self, id: &DeliveryId) -> Option<&Delivery> {
        self.deliveries.get(self.positions.get(id)?)
    }

    /// All deliveries from a position on, in the order in which they were enqueued.
    pub fn deliveries_from(&self, position: u64) -> impl DoubleEndedIterator<Item = &Delivery> {
        self.deliveries
            .range(position..)
            .map(|(_, delivery)| delivery)
    }

    /// How each destination fares.
    pub fn lanes(&self, now: Timestamp) -> impl Iterator<Item = (&DestinationId, LaneView)> {
        self.lanes.iter().map(move |(id, lane)| {
            let view = LaneView {
                enabled: lane.enabled,
                pending: lane.pending(),
                in_flight: lane.in_flight(),
                circuit: lane.circuit.state(now),
                held_until: lane.held_until(now),
            };
            (id, view)
        })
    }
}

fn limits(settings: &OutboxSettings) -> Limits<'_> {
    Limits {
        concurrency: settings.concurrency,
        pending_at_most: settings.pending_at_most,
        circuit: &settings.circuit,
    }
}

#[cfg(test)]
mod tests;
