//! HTTP: the tracking API that SDKs send to, and the REST API that everybody asks.
//!
//! ```text
//! every connection               connections: how many, how long idle, who gives way
//! /v1/{track,identify,batch,…}   tracking: body ─► events ─► live path ─► 200 when they are on disk
//! /api/v1/…                      api: customers, segments, transitions, keys and tokens; its description and page
//! /health, /metrics              observe
//! webhooks                       delivery: what is due is sent, what became of it goes to the log
//! ```
//!
//! Nothing here decides anything about customers: requests become calls of the live path.

mod serve;

mod connections;
mod tracking;

mod body;
mod rate;

mod api;
mod delivery;
mod grants;
mod observe;

mod answer;
mod journal;
mod metrics;
mod names;
mod past;
mod recorded;
mod state;

pub use api::openapi;
pub use delivery::Delivery;
pub use recorded::TransitionLog;
pub use serve::{Running, ServeError, bind, serve};
pub use state::{Server, ServerOptions};
