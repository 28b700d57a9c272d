//! What the end of an attempt means: for its destination, and for its delivery.

use regulars_core::Timestamp;

use super::Outbox;
use super::lane::Position;
use crate::outcome::{AttemptError, Outcome};
use crate::{Attempt, Delivery, DestinationId, Mark, Schedule};

impl Outbox {
    /// What an outcome says of its destination: pauses and the circuit.
    pub(super) fn learn(&mut self, destination: &DestinationId, outcome: Outcome, now: Timestamp) {
        let settings = &self.settings;
        let Some(lane) = self.lanes.get_mut(destination) else {
            return;
        };
        if let Outcome::Refused {
            status,
            retry_after_ms,
        } = outcome
        {
            let asked_ms = retry_after_ms.map(|ms| settings.schedule.bounded_wait_ms(ms));
            match (status, asked_ms) {
                (429 | 502..=504, Some(ms)) => lane.hold(now, ms),
                (429 | 502 | 504, None) => lane.hold(now, settings.schedule.throttle_ms()),
                _ => (),
            }
        }
        match outcome {
            Outcome::Unsendable { .. } => (),
            Outcome::Unreachable { .. }
            | Outcome::Blocked { .. }
            | Outcome::Refused {
                status: 408 | 500..,
                ..
            } => lane.circuit.failed(now, &settings.circuit),
            Outcome::Delivered { .. } | Outcome::Gone | Outcome::Refused { .. } => {
                lane.circuit.reached();
            }
        }
    }

    /// What an outcome makes of its delivery.
    pub(super) fn marks_of(
        &self,
        attempt: &Attempt,
        position: Position,
        outcome: Outcome,
        now: Timestamp,
        random: f64,
    ) -> Vec<Mark> {
        let delivery = &self.deliveries[&position];
        let ended = Ended {
            delivery,
            at: now,
            attempts: delivery.attempts + 1,
            took_ms: now.0.saturating_sub(attempt.started_at.0).max(0),
        };
        let schedule = &self.settings.schedule;
        let retry = |error, asked_ms| ended.retry(schedule, error, asked_ms, random);
        match outcome {
            Outcome::Delivered { status } => vec![ended.delivered(status)],
            Outcome::Gone => {
                let disabled = Mark::Disabled {
                    destination: delivery.id.destination.clone(),
                    at: now,
                };
                vec![ended.dead(AttemptError::Gone), disabled]
            }
            Outcome::Unsendable { why } => vec![ended.dead(AttemptError::Unsendable { why })],
            Outcome::Refused {
                status,
                retry_after_ms,
            } => {
                let asked_ms = retry_after_ms.unwrap_or(0);
                vec![retry(AttemptError::Refused { status }, asked_ms)]
            }
            Outcome::Unreachable { error } => vec![retry(AttemptError::Unreachable { error }, 0)],
            Outcome::Blocked { why } => vec![retry(AttemptError::Blocked { why }, 0)],
        }
    }
}

/// An attempt that has just ended.
#[derive(Debug)]
struct Ended<'a> {
    delivery: &'a Delivery,
    at: Timestamp,
    /// This one included.
    attempts: u32,
    took_ms: i64,
}

impl Ended<'_> {
    /// Another attempt, or the end: no attempts left, or the next would be too late.
    fn retry(&self, schedule: &Schedule, error: AttemptError, asked_ms: i64, random: f64) -> Mark {
        let Some(again_at) = schedule.again_at(self.attempts, self.at, random) else {
            return self.dead(error);
        };
        let due_at = again_at.max(self.at.plus_ms(schedule.bounded_wait_ms(asked_ms)));
        if due_at >= schedule.expires_at(self.delivery.since) {
            return self.expired(error);
        }
        Mark::Failed {
            delivery: self.delivery.id.clone(),
            at: self.at,
            attempts: self.attempts,
            took_ms: self.took_ms,
            error,
            due_at,
        }
    }

    fn delivered(&self, status: u16) -> Mark {
        Mark::Delivered {
            delivery: self.delivery.id.clone(),
            at: self.at,
            attempts: self.attempts,
            took_ms: self.took_ms,
            status,
        }
    }

    fn dead(&self, error: AttemptError) -> Mark {
        Mark::Dead {
            delivery: self.delivery.id.clone(),
            at: self.at,
            attempts: self.attempts,
            took_ms: Some(self.took_ms),
            error,
        }
    }

    fn expired(&self, error: AttemptError) -> Mark {
        Mark::Expired {
            delivery: self.delivery.id.clone(),
            at: self.at,
            attempts: self.attempts,
            took_ms: Some(self.took_ms),
            error: Some(error),
        }
    }
}
