//! The live path: events in, everyone kept up to date, transitions out.
//!
//! ```text
//! service (threads, queues) ─► identify (whose is it) ─► log ─► engine (who moved)
//!                                                                 ├ person (one customer) ─► orders, carts, traits, at_hand (their past)
//!                                                                 └ accounts (all members of one)
//! look (one customer as a whole), explain (one of their segments), recorded (memberships and their transitions)
//! preview (a rule, tried on everyone), search
//! start (from disk to everyone) ─► past (what the log tells), definitions (versions of segments)
//! ```

mod accounts;
mod at_hand;
mod carts;
pub(crate) mod contested;
mod definitions;
mod engine;
mod everyone;
mod explain;
pub(crate) mod identify;
mod limits;
mod look;
mod moved;
pub(crate) mod orders;
mod past;
mod person;
mod preview;
mod recorded;
pub(crate) mod retell;
mod search;
mod seen;
mod service;
mod start;
pub(crate) mod told;
mod traits;
pub(crate) mod visits;
pub(crate) mod whose;
mod why;

pub use engine::Engine;
pub use explain::Explained;
pub use identify::{Sender, Trust};
pub use look::{Happening, LiveCustomer, Place};
pub use past::RECORDED_KEPT;
pub use preview::Preview;
pub use search::{Listed, Search};
pub use service::{Answer, Appended, Clock, Live, LiveOptions, NotTaken, OnTransitions, Stopped};
pub use start::StartOptions;
