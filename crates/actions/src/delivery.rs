//! A delivery: one transition on its way to one destination; and the marks that the log keeps of it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use regulars_core::{CustomerId, Timestamp, Transition, TransitionId};
use serde::{Deserialize, Serialize};

use crate::DestinationId;
use crate::outcome::AttemptError;

/// Identity of a delivery, written `crm.0000…c0ffee`: a transition goes to a destination once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeliveryId {
    /// Where to.
    pub destination: DestinationId,
    /// Which transition.
    pub transition: TransitionId,
}

/// Not the identity of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the id of a delivery is the name of a destination, a full stop, and 32 hexadecimal digits"
)]
pub struct DeliveryIdError;

impl fmt::Display for DeliveryId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.destination, self.transition)
    }
}

impl FromStr for DeliveryId {
    type Err = DeliveryIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (destination, transition) = text.split_once('.').ok_or(DeliveryIdError)?;
        Ok(Self {
            destination: destination.parse().map_err(|_| DeliveryIdError)?,
            transition: transition.parse().map_err(|_| DeliveryIdError)?,
        })
    }
}

impl TryFrom<String> for DeliveryId {
    type Error = DeliveryIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<DeliveryId> for String {
    fn from(id: DeliveryId) -> Self {
        id.to_string()
    }
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for its turn or its next attempt.
    Pending,
    /// An attempt is being made.
    InFlight,
    /// The receiver has it.
    Delivered,
    /// Given up; can be replayed.
    Dead,
    /// Became too old; can be replayed.
    Expired,
}

impl Status {
    /// True when nothing more happens by itself.
    pub fn is_finished(self) -> bool {
        match self {
            Self::Pending | Self::InFlight => false,
            Self::Delivered | Self::Dead | Self::Expired => true,
        }
    }
}

/// One transition on its way to one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its identity.
    pub id: DeliveryId,
    /// Its place in the order of all deliveries, counted from 0: where a list goes on.
    pub position: u64,
    /// What is delivered.
    pub transition: Arc<Transition>,
    /// How far it is.
    pub status: Status,
    /// What its age is counted from: the transition's `recorded_at`, its `occurred_at` when it
    /// happened while nothing was running, or the last replay.
    pub since: Timestamp,
    /// When the next attempt is due, if there is one.
    pub due_at: Timestamp,
    /// Attempts that ended, since the last replay.
    pub attempts: u32,
    /// When an attempt last ended, or the delivery expired or was replayed.
    pub changed_at: Option<Timestamp>,
    /// Milliseconds that the last attempt took.
    pub took_ms: Option<i64>,
    /// What the receiver answered when it took it.
    pub answered: Option<u16>,
    /// What went wrong last.
    pub last_error: Option<AttemptError>,
}

impl Delivery {
    /// Whose transition it is.
    pub fn customer(&self) -> CustomerId {
        self.transition.customer
    }
}

/// An attempt to be made now. Whoever takes it tells the outbox how it ended; until then nothing
/// else is sent for this customer to this destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Of which delivery.
    pub delivery: DeliveryId,
    /// What is to be sent.
    pub transition: Arc<Transition>,
    /// Which attempt since the last replay, counted from 1.
    pub number: u32,
    /// When it was handed out.
    pub started_at: Timestamp,
    pub(crate) ticket: u64,
}

/// What the log keeps: applied in order to the deliveries, marks give the outbox again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Mark {
    /// The receiver took it.
    Delivered {
        /// Which.
        delivery: DeliveryId,
        /// When.
        at: Timestamp,
        /// Attempts, this one included.
        attempts: u32,
        /// Milliseconds that it took.
        took_ms: i64,
        /// What it answered.
        status: u16,
    },
    /// An attempt failed; there will be another.
    Failed {
        /// Which.
        delivery: DeliveryId,
        /// When.
        at: Timestamp,
        /// Attempts, this one included.
        attempts: u32,
        /// Milliseconds that it took.
        took_ms: i64,
        /// What went wrong.
        error: AttemptError,
        /// When it is tried again.
        due_at: Timestamp,
    },
    /// Given up.
    Dead {
        /// Which.
        delivery: DeliveryId,
        /// When.
        at: Timestamp,
        /// Attempts that were made.
        attempts: u32,
        /// Milliseconds that the last one took, if it was given up with that.
        took_ms: Option<i64>,
        /// What went wrong.
        error: AttemptError,
    },
    /// Became too old.
    Expired {
        /// Which.
        delivery: DeliveryId,
        /// When.
        at: Timestamp,
        /// Attempts that were made.
        attempts: u32,
        /// Milliseconds that the last one took, if it expired with that.
        took_ms: Option<i64>,
        /// What went wrong last, if anything was tried.
        error: Option<AttemptError>,
    },
    /// Somebody asked for it again.
    Replayed {
        /// Which.
        delivery: DeliveryId,
        /// When.
        at: Timestamp,
    },
    /// The receiver wants nothing more: nothing is sent until somebody enables the destination.
    Disabled {
        /// Which.
        destination: DestinationId,
        /// When.
        at: Timestamp,
    },
    /// Somebody said that the receiver is back: what waits is sent.
    Enabled {
        /// Which.
        destination: DestinationId,
        /// When.
        at: Timestamp,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_delivery_reads_as_written() {
        let text = "crm-2.000000000000000000000000000000ab";
        let id: DeliveryId = text.parse().unwrap();
        assert_eq!(id.transition, TransitionId(0xab));
        assert_eq!(id.to_string(), text);
        for wrong in [
            "",
            "crm",
            "crm.ab",
            ".000000000000000000000000000000ab",
            "A.b",
        ] {
            assert_eq!(wrong.parse::<DeliveryId>(), Err(DeliveryIdError), "{wrong}");
        }
    }

    #[test]
    fn a_mark_reads_as_written() {
        let mark = Mark::Failed {
            delivery: "crm.000000000000000000000000000000ab".parse().unwrap(),
            at: Timestamp(5),
            attempts: 1,
            took_ms: 3,
            error: AttemptError::Refused { status: 500 },
            due_at: Timestamp(9),
        };
        let written = serde_json::to_string(&mark).unwrap();
        let expected = "{\"type\":\"failed\",\"delivery\":\"crm.000000000000000000000000000000ab\",\
            \"at\":5,\"attempts\":1,\"took_ms\":3,\"error\":{\"type\":\"refused\",\"status\":500},\"due_at\":9}";
        assert_eq!(written, expected);
        assert_eq!(serde_json::from_str::<Mark>(&written).unwrap(), mark);
    }
}
