//! What the end of an attempt means: for its destination, and for its delivery.

use regulars_core::Timestamp;

use super::Outbox;
use super::lane::Position;
use crate::outcome::{AttemptError, Outcome};
use crate::{Delivery, DestinationId, Mark};

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
        position: Position,
        outcome: Outcome,
        now: Timestamp,
        random: f64,
    ) -> Vec<Mark> {
        let delivery = &self.deliveries[&position];
        let attempts = delivery.attempts + 1;
        let dead = |error| Mark::Dead {
            delivery: delivery.id.clone(),
            at: now,
            attempts,
            error,
        };
        match outcome {
            Outcome::Delivered { status } => vec![Mark::Delivered {
                delivery: delivery.id.clone(),
                at: now,
                attempts,
                status,
            }],
            Outcome::Gone => {
                let destination = delivery.id.destination.clone();
                let disabled = Mark::Disabled {
                    destination,
                    at: now,
                };
                vec![dead(AttemptError::Gone), disabled]
            }
            Outcome::Unsendable { why } => vec![dead(AttemptError::Unsendable { why })],
            Outcome::Refused {
                status,
                retry_after_ms,
            } => {
                let error = AttemptError::Refused { status };
                vec![self.retry(delivery, error, retry_after_ms, now, random)]
            }
            Outcome::Unreachable { error } => {
                let error = AttemptError::Unreachable { error };
                vec![self.retry(delivery, error, None, now, random)]
            }
            Outcome::Blocked { why } => {
                let error = AttemptError::Blocked { why };
                vec![self.retry(delivery, error, None, now, random)]
            }
        }
    }

    /// Another attempt, or the end: no attempts left, or the next would be too late.
    fn retry(
        &self,
        delivery: &Delivery,
        error: AttemptError,
        retry_after_ms: Option<i64>,
        now: Timestamp,
        random: f64,
    ) -> Mark {
        let schedule = &self.settings.schedule;
        let attempts = delivery.attempts + 1;
        let id = delivery.id.clone();
        let Some(again_at) = schedule.again_at(attempts, now, random) else {
            return Mark::Dead {
                delivery: id,
                at: now,
                attempts,
                error,
            };
        };
        let asked_ms = retry_after_ms.map_or(0, |ms| schedule.bounded_wait_ms(ms));
        let due_at = again_at.max(now.plus_ms(asked_ms));
        if due_at >= schedule.expires_at(delivery.since) {
            return Mark::Expired {
                delivery: id,
                at: now,
                attempts,
                error: Some(error),
            };
        }
        Mark::Failed {
            delivery: id,
            at: now,
            attempts,
            error,
            due_at,
        }
    }
}
