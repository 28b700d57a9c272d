//! What last made a customer enter or leave a segment, with the event that did.
//!
//! A transition keeps the offset of the event that caused it. So the event is found when somebody
//! asks, in the log or in the history, and nothing of it is kept in memory.

use std::collections::BTreeSet;

use regulars_core::{Cause, CustomerId, Direction, SegmentName, Timestamp};
use regulars_rules::ExplainedEvent;
use regulars_store::log::{Logged, StoredEvent};
use regulars_store::moved::TransitionRow;
use regulars_store::{Store, StoreError, WantedTransitions};
use serde::Serialize;

/// Transitions that are read at a time: most often the first is it.
const FEW: usize = 16;

/// The latest transition of a customer and segment.
#[derive(Debug, Clone, Serialize)]
pub struct LastChange {
    /// In or out.
    pub direction: Direction,
    /// The instant of the flip.
    pub occurred_at: String,
    /// The time of what found it.
    pub recorded_at: String,
    /// Why.
    pub cause: Cause,
    /// The event that it followed from; null where it followed from none of the customer's own:
    /// from time, an import or a definition, or from what somebody else of their account did.
    pub event: Option<ExplainedEvent>,
}

impl LastChange {
    /// The latest that was recorded of a customer, who has been called by all of these ids, by
    /// `until`; `None` when nothing was.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn read(
        store: &Store,
        customers: &BTreeSet<CustomerId>,
        segment: &SegmentName,
        until: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let mut wanted = WantedTransitions {
            customers: Some(customers.clone()),
            segment: Some(segment.clone()),
            ..WantedTransitions::default()
        };
        loop {
            let rows = store.transitions(&wanted, FEW)?;
            let known = |row: &&TransitionRow| row.transition.recorded_at <= until;
            if let Some(row) = rows.iter().find(known) {
                return Self::of(store, customers, row).map(Some);
            }
            if rows.len() < FEW {
                return Ok(None);
            }
            wanted.before = rows.last().map(|row| row.place);
        }
    }

    fn of(
        store: &Store,
        customers: &BTreeSet<CustomerId>,
        row: &TransitionRow,
    ) -> Result<Self, StoreError> {
        let transition = &row.transition;
        let mut event = None;
        if let Cause::Event { offset, .. } = transition.cause {
            event = event_at(store, customers, offset)?;
        }
        Ok(Self {
            direction: transition.direction,
            occurred_at: transition.occurred_at.to_string(),
            recorded_at: transition.recorded_at.to_string(),
            cause: transition.cause.clone(),
            event: event.map(|event| ExplainedEvent {
                kind: event.kind.name(),
                name: event.name.into(),
                occurred_at: event.occurred_at,
                received_at: event.received_at,
            }),
        })
    }
}

/// The event of one of these customers at an offset.
fn event_at(
    store: &Store,
    customers: &BTreeSet<CustomerId>,
    offset: u64,
) -> Result<Option<StoredEvent>, StoreError> {
    if offset >= store.moved_to() {
        let entry = store.logged(offset).next().transpose()?;
        return Ok(entry.and_then(|(at, record)| match record {
            Logged::Event(event) if at == offset && customers.contains(&event.customer) => {
                Some(event)
            }
            _ => None,
        }));
    }
    for &customer in customers {
        let rows = store.history().events_of(customer)?;
        if let Some(row) = rows.into_iter().find(|row| row.offset == offset) {
            return Ok(Some(row.event));
        }
    }
    Ok(None)
}
