//! What the tracking API does with the body of a request: bytes in, events out.
//!
//! ```text
//! body ─inflate─► bytes ─text─► JSON text ─body─► items ─event─► TrackedEvent
//!                                                          ├─ instant: the client's clock corrected
//!                                                          ├─ merge:   context of the batch
//!                                                          ├─ seal:    personal data taken out
//!                                                          └─ surroundings: device, campaign, …
//! ```
//!
//! Nothing here knows HTTP, a store or a clock. What always holds: a bad event does not touch its
//! neighbours; nothing that was accepted is cut short; what stands in [`TrackedEvent::properties`],
//! [`TrackedEvent::traits`] and [`TrackedEvent::context`] has no personal data in it; no message
//! repeats what the body said.

mod agent;
mod archive;
mod auth;
mod body;
mod error;
mod event;
mod flatten;
mod inflate;
mod instant;
mod json;
mod merge;
mod rewrite;
mod seal;
mod surroundings;
mod text;
pub mod vocabulary;

use serde::{Deserialize, Serialize};

pub use archive::ArchivedEvent;
pub(crate) use archive::{archived, is_call};
pub use auth::{bearer, write_key_of_basic};
pub use body::{Received, read};
pub use error::{BodyError, InflateError, RejectCode, Rejected};
pub use event::{TimeSource, TrackedEvent};
pub use flatten::{flatten, flatten_at, list_of};
pub use inflate::inflate;
pub use instant::instant;
pub use seal::{Contact, ContactKind, ContactSource, ExternalId, Personal};
pub use surroundings::{surroundings_of, with_surroundings};

use regulars_core::EventKind;

/// What the tracking API is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// The body is one event.
    One(EventKind),
    /// The body is many events.
    Batch,
}

impl Endpoint {
    /// The endpoint of the last segment of a path: `identify`, `track`, `page`, `screen`,
    /// `group`, `alias`, `batch` (also `import`), or the first letter of one.
    pub fn named(segment: &str) -> Option<Self> {
        Some(match segment {
            "identify" | "i" => Self::One(EventKind::Identify),
            "track" | "t" => Self::One(EventKind::Track),
            "page" | "p" => Self::One(EventKind::Page),
            "screen" | "s" => Self::One(EventKind::Screen),
            "group" | "g" => Self::One(EventKind::Group),
            "alias" | "a" => Self::One(EventKind::Alias),
            "batch" | "b" | "import" => Self::Batch,
            _ => return None,
        })
    }
}

/// What a body may hold at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of one event, as sent.
    pub event_bytes: usize,
    /// Bytes of a batch, inflated.
    pub batch_bytes: usize,
    /// Events of a batch.
    pub batch_events: usize,
    /// Bytes of an id of a person, device or account.
    pub id_bytes: usize,
    /// Bytes of the name of an event, page or screen.
    pub name_bytes: usize,
    /// Objects and lists within one another in an event.
    pub depth: usize,
    /// Milliseconds that an event may lie after its arrival before it is taken to have happened
    /// when it arrived.
    pub ahead_ms: i64,
    /// Scalar properties that rules can look at.
    pub properties: usize,
    /// Objects within one another down to which properties have a path.
    pub property_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            event_bytes: 32 << 10,
            batch_bytes: 500 << 10,
            batch_events: 2_500,
            id_bytes: 512,
            name_bytes: 512,
            depth: 100,
            ahead_ms: 0,
            properties: 250,
            property_depth: 6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_have_long_and_short_names() {
        for (long, short) in [
            ("identify", "i"),
            ("track", "t"),
            ("page", "p"),
            ("screen", "s"),
            ("group", "g"),
            ("alias", "a"),
            ("batch", "b"),
        ] {
            assert_eq!(Endpoint::named(long), Endpoint::named(short));
            assert!(Endpoint::named(long).is_some());
        }
        assert_eq!(Endpoint::named("Track"), None);
        assert_eq!(Endpoint::named(""), None);
    }
}
