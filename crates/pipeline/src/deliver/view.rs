//! Destinations and deliveries as commands and API show them.

use regulars_actions::{AttemptError, CauseKind, Delivery, Form, LaneView, Segments, Status};
use regulars_core::Direction;
use serde::Serialize;

use super::registry::Known;

/// A delivery for whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryView {
    /// Names it: `destination.transition`.
    pub id: String,
    /// Where to.
    pub destination: String,
    /// Which transition; the `webhook-id`.
    pub transition_id: String,
    /// Whose.
    pub customer_id: Option<String>,
    /// Of which segment.
    pub segment: String,
    /// Entered or exited.
    pub direction: Direction,
    /// When the customer moved.
    pub occurred_at: String,
    /// How far it is.
    pub status: Status,
    /// Attempts that ended, since the last replay.
    pub attempts: u32,
    /// When the next is due; `null` when there is none.
    pub due_at: Option<String>,
    /// When an attempt last ended, or it expired or was replayed.
    pub changed_at: Option<String>,
    /// Milliseconds that the last attempt took.
    pub took_ms: Option<i64>,
    /// What the receiver answered when it took it.
    pub answered: Option<u16>,
    /// What went wrong last, for programs.
    pub last_error: Option<AttemptError>,
    /// The same in words.
    pub last_error_text: Option<String>,
}

impl DeliveryView {
    /// Of a delivery to a customer of that name.
    pub fn of(delivery: &Delivery, customer_id: Option<String>) -> Self {
        let waits = delivery.status == Status::Pending;
        Self {
            id: delivery.id.to_string(),
            destination: delivery.id.destination.to_string(),
            transition_id: delivery.transition.id.to_string(),
            customer_id,
            segment: delivery.transition.segment.to_string(),
            direction: delivery.transition.direction,
            occurred_at: delivery.transition.occurred_at.to_string(),
            status: delivery.status,
            attempts: delivery.attempts,
            due_at: waits.then(|| delivery.due_at.to_string()),
            changed_at: delivery.changed_at.map(|at| at.to_string()),
            took_ms: delivery.took_ms,
            answered: delivery.answered,
            last_error: delivery.last_error,
            last_error_text: delivery.last_error.map(|error| error.to_string()),
        }
    }
}

/// A destination for whoever asks; without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DestinationView {
    /// Its name.
    pub id: String,
    /// Where requests go, without what follows `?`, which may be a secret of the receiver's.
    pub url: String,
    /// What they look like.
    pub form: Form,
    /// Of which segments.
    pub segments: Segments,
    /// For which causes.
    pub causes: Vec<CauseKind>,
    /// When it was added.
    pub created_at: String,
    /// Whether anything is sent: false when it was disabled or the receiver answered 410.
    pub enabled: bool,
    /// Deliveries that wait for an attempt.
    pub pending: usize,
    /// Attempts being made.
    pub in_flight: usize,
    /// Until when nothing is sent, if that is so.
    pub held_until: Option<String>,
}

impl DestinationView {
    /// Of a destination that fares like that.
    pub fn of(known: &Known, lane: Option<LaneView>) -> Self {
        let destination = &known.destination;
        let url = destination.url.as_str();
        let url = url.split_once('?').map_or(url, |(address, _)| address);
        Self {
            id: destination.id.to_string(),
            url: url.to_owned(),
            form: destination.form,
            segments: destination.segments.clone(),
            causes: destination.causes.iter().copied().collect(),
            created_at: known.created_at.to_string(),
            enabled: lane.map_or(destination.enabled, |lane| lane.enabled),
            pending: lane.map_or(0, |lane| lane.pending),
            in_flight: lane.map_or(0, |lane| lane.in_flight),
            held_until: lane
                .and_then(|lane| lane.held_until)
                .map(|at| at.to_string()),
        }
    }
}
