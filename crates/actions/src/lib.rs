//! What leaves the house: transitions, as signed requests to the destinations that want them.
//!
//! [`Destination`] says who wants what, [`payload`] what it looks like, [`signature`] that it is
//! ours, [`Outbox`] what is to be sent when, and [`Client`] sends it. All but the client is pure:
//! no clock, no chance, no network. The client is the only thing in the workspace that calls out.

mod destination;
mod target;

pub mod payload;
pub mod signature;

mod circuit;
mod delivery;
mod outbox;
mod outcome;
mod schedule;

mod client;
mod connect;
mod guard;

pub use circuit::{CircuitSettings, CircuitState};
pub use client::{Client, ClientError, ClientSettings};
pub use connect::{Resolve, Resolved};
pub use delivery::{Attempt, Delivery, DeliveryId, DeliveryIdError, Mark, Status};
pub use destination::{
    CauseKind, Destination, DestinationError, DestinationId, Form, SecretId, Segments,
};
pub use guard::{Cidr, CidrError, Guard, Ports};
pub use outbox::{
    Due, Enqueued, LaneView, Outbox, OutboxSettings, OutboxSettingsError, ReplayError, Retention,
};
pub use outcome::{AttemptError, Barrier, Fault, Outcome, Unsendable};
pub use schedule::{Schedule, ScheduleError, parse_retry_after};
pub use target::{Target, TargetError};
