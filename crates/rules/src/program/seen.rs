//! The latest event that each value of events took in: for explanations of one customer.

use std::collections::BTreeMap;

use regulars_core::{Event, Timestamp};
use serde::{Serialize, Serializer};

use super::{LeafStates, Program};

/// An event that a condition looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedEvent {
    /// The tracking call.
    pub kind: &'static str,
    /// What was tracked, or the page or screen; of `group` the account; else empty.
    pub name: String,
    /// When it happened, as RFC 3339 in UTC.
    #[serde(serialize_with = "as_text")]
    pub occurred_at: Timestamp,
    /// When it arrived, as RFC 3339 in UTC.
    #[serde(serialize_with = "as_text")]
    pub received_at: Timestamp,
}

fn as_text<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(at)
}

/// Of each value of events the latest event that it took in. Nothing of it is in the states of
/// customers: it is made of all events of one when somebody asks.
#[derive(Debug, Clone, Default)]
pub struct LatestEvents {
    states: LeafStates,
    by_value: BTreeMap<u32, ExplainedEvent>,
}

impl LatestEvents {
    pub(crate) fn of(&self, value: u32) -> Option<&ExplainedEvent> {
        self.by_value.get(&value)
    }
}

impl Program {
    /// Notes an event of a customer, in any order; of those of the same time the one noted last is
    /// the latest.
    pub fn note_event(&self, latest: &mut LatestEvents, event: &Event<'_>) {
        let LatestEvents { states, by_value } = latest;
        let seen = ExplainedEvent {
            kind: event.kind.name(),
            name: event.name.to_owned(),
            occurred_at: event.occurred_at,
            received_at: event.received_at,
        };
        self.fold_event_with(states, event, |change| {
            let super::Change::Events(value) = change else {
                return;
            };
            let known = by_value.entry(value).or_insert_with(|| seen.clone());
            if known.occurred_at <= seen.occurred_at {
                known.clone_from(&seen);
            }
        });
    }
}
