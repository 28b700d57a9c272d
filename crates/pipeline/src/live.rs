//! The live path: events in, everyone kept up to date, transitions out.
//!
//! ```text
//! service (threads, queues) ─► identify (whose is it) ─► log ─► engine (who moved)
//!                                                                 └ person (one customer) ─► orders, carts, traits
//! start (from disk to everyone) ─► definitions (versions of segments)
//! ```

mod carts;
mod definitions;
mod engine;
mod identify;
pub(crate) mod orders;
mod person;
pub(crate) mod retell;
mod service;
mod start;
pub(crate) mod told;
mod traits;
mod why;

pub use engine::Engine;
pub use service::{Answer, Appended, Clock, Live, LiveOptions, NotTaken, OnTransitions, Stopped};
pub use start::StartOptions;
