//! The deliveries and the orders that they stand in, as marks and checkpoints change them.
//!
//! Every change takes a delivery out of all orders and puts it into those of its new status, so
//! that none is left over.

use std::collections::BTreeSet;

use regulars_core::Timestamp;

use super::Outbox;
use super::lane::Position;
use crate::{Delivery, Mark, Schedule, Status};

impl Outbox {
    /// Does what a mark says, as when the log is read again. A mark of something unknown does
    /// nothing.
    pub fn apply(&mut self, mark: &Mark) {
        let (id, at) = match mark {
            Mark::Delivered { delivery, at, .. }
            | Mark::Failed { delivery, at, .. }
            | Mark::Dead { delivery, at, .. }
            | Mark::Expired { delivery, at, .. }
            | Mark::Replayed { delivery, at } => (delivery, *at),
            Mark::Disabled { destination, .. } => {
                if let Some(lane) = self.lanes.get_mut(destination) {
                    lane.enabled = false;
                }
                return;
            }
            Mark::Enabled { destination, .. } => {
                if self.lanes.contains_key(destination) {
                    self.enable(destination);
                }
                return;
            }
        };
        let Some(&position) = self.positions.get(id) else {
            return;
        };
        self.take_out(position);
        let delivery = self.deliveries.get_mut(&position);
        let delivery = delivery.expect("every position is that of a delivery");
        note(delivery, mark, at, &self.settings.schedule);
        self.put_in(position);
    }

    /// Takes up a delivery of an earlier outbox, as a checkpoint keeps it; what was in flight is
    /// pending again. One that is known already, or whose destination is not, is left out.
    pub fn restore(&mut self, mut delivery: Delivery) {
        let position = delivery.position;
        let known =
            self.positions.contains_key(&delivery.id) || self.deliveries.contains_key(&position);
        if known || !self.lanes.contains_key(&delivery.id.destination) {
            return;
        }
        if delivery.status == Status::InFlight {
            delivery.status = Status::Pending;
        }
        self.next_position = self.next_position.max(position + 1);
        self.positions.insert(delivery.id.clone(), position);
        self.deliveries.insert(position, delivery);
        self.put_in(position);
    }

    /// Removes a delivery from every order that it stands in.
    fn take_out(&mut self, position: Position) {
        let delivery = &self.deliveries[&position];
        self.tickets.remove(&position);
        if let Some(lane) = self.lanes.get_mut(&delivery.id.destination) {
            lane.remove(delivery.customer(), position);
            let expires_at = self.settings.schedule.expires_at(delivery.since);
            lane.expiries.remove(&(expires_at, position));
        }
        let finished_at = delivery.changed_at.unwrap_or(delivery.since);
        self.delivered.remove(&(finished_at, position));
        self.undelivered.remove(&(finished_at, position));
    }

    /// Puts a delivery into the orders that its status calls for.
    pub(super) fn put_in(&mut self, position: Position) {
        let delivery = &self.deliveries[&position];
        let finished_at = delivery.changed_at.unwrap_or(delivery.since);
        match delivery.status {
            Status::Delivered => {
                self.delivered.insert((finished_at, position));
            }
            Status::Dead | Status::Expired => {
                self.undelivered.insert((finished_at, position));
            }
            Status::Pending | Status::InFlight => {
                if let Some(lane) = self.lanes.get_mut(&delivery.id.destination) {
                    lane.put(delivery.customer(), position, delivery.due_at);
                    let expires_at = self.settings.schedule.expires_at(delivery.since);
                    lane.expiries.insert((expires_at, position));
                }
            }
        }
    }

    pub(super) fn drop_delivery(&mut self, position: Position) {
        self.take_out(position);
        if let Some(delivery) = self.deliveries.remove(&position) {
            self.positions.remove(&delivery.id);
        }
    }

    /// Forgets what finished longer ago than the settings keep it, and all but the latest of the
    /// rest; returns how many. A forgotten delivery would be taken for a new one: call this for
    /// what is not read from the log again.
    pub fn forget(&mut self, now: Timestamp) -> usize {
        let kept = self.settings.retention;
        let old = |finished: &BTreeSet<(Timestamp, Position)>, seconds: u32, at_most: usize| {
            let before = now.plus_ms(-i64::from(seconds) * 1000);
            let excess = finished.len().saturating_sub(at_most);
            let finished = finished.iter().enumerate();
            let old = finished.take_while(|&(index, &(at, _))| index < excess || at < before);
            old.map(|(_, &(_, position))| position).collect::<Vec<_>>()
        };
        let mut gone = old(
            &self.delivered,
            kept.delivered_seconds,
            kept.delivered_at_most,
        );
        gone.extend(old(
            &self.undelivered,
            kept.undelivered_seconds,
            kept.undelivered_at_most,
        ));
        for &position in &gone {
            self.drop_delivery(position);
        }
        gone.len()
    }
}

/// Writes what a mark of `at` says into its delivery.
fn note(delivery: &mut Delivery, mark: &Mark, at: Timestamp, schedule: &Schedule) {
    delivery.changed_at = Some(at);
    match *mark {
        Mark::Delivered {
            attempts,
            took_ms,
            status,
            ..
        } => {
            delivery.status = Status::Delivered;
            delivery.attempts = attempts;
            delivery.took_ms = Some(took_ms);
            delivery.answered = Some(status);
        }
        Mark::Dead {
            attempts,
            took_ms,
            error,
            ..
        } => {
            delivery.status = Status::Dead;
            delivery.attempts = attempts;
            delivery.took_ms = took_ms.or(delivery.took_ms);
            delivery.last_error = Some(error);
        }
        Mark::Expired {
            attempts,
            took_ms,
            error,
            ..
        } => {
            delivery.status = Status::Expired;
            delivery.attempts = attempts;
            delivery.took_ms = took_ms.or(delivery.took_ms);
            delivery.last_error = error;
        }
        Mark::Failed {
            attempts,
            took_ms,
            error,
            due_at,
            ..
        } => {
            delivery.status = Status::Pending;
            delivery.attempts = attempts;
            delivery.took_ms = Some(took_ms);
            delivery.last_error = Some(error);
            delivery.due_at = due_at;
        }
        Mark::Replayed { .. } => {
            delivery.status = Status::Pending;
            delivery.attempts = 0;
            delivery.since = at;
            delivery.due_at = schedule.first_at(at);
        }
        Mark::Disabled { .. } | Mark::Enabled { .. } => (),
    }
}
