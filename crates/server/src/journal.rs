//! What the server says while it works: changes by the API, and tracking requests that it refused.
//!
//! Never whose an event was, nor anything that a client sent: routes stand as they are declared,
//! refusals with their code. What clients can cause at will is counted and said once in a while, so
//! that nobody fills a disk with it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tracing::{debug, info, warn};

/// Refusals of the same kind are said so often at most.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Says what was asked of the API, and how that went.
pub(crate) async fn of_api(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let status = response.status().as_u16();
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    if response.status().is_server_error() {
        warn!(%method, route, status, took_ms, "a request to the API failed");
    } else if matches!(method, Method::GET | Method::HEAD) {
        debug!(%method, route, status, took_ms, "asked by the API");
    } else {
        info!(%method, route, status, took_ms, "changed by the API");
    }
    response
}

/// Tracking requests that were refused, by code.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<&'static str, Refused>>);

#[derive(Debug)]
struct Refused {
    said_at: Instant,
    since: u64,
}

impl Refusals {
    /// Counts one, and says how many there were when that was not said lately.
    pub(crate) fn add(&self, code: &'static str) {
        if let Some(requests) = self.count(code, Instant::now()) {
            warn!(code, requests, "tracking requests were refused");
        }
    }

    /// How many there were since it was said last, when it is to be said now.
    fn count(&self, code: &'static str, now: Instant) -> Option<u64> {
        let mut by_code = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(refused) = by_code.get_mut(code) else {
            let first = Refused {
                said_at: now,
                since: 0,
            };
            by_code.insert(code, first);
            return Some(1);
        };
        refused.since += 1;
        if now.duration_since(refused.said_at) < SAY_EVERY {
            return None;
        }
        refused.said_at = now;
        Some(std::mem::take(&mut refused.since))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{Refusals, SAY_EVERY};

    #[test]
    fn a_flood_of_refusals_is_said_once_in_a_while() {
        let refusals = Refusals::default();
        let start = Instant::now();
        assert_eq!(refusals.count("unknown_key", start), Some(1));
        for _ in 0..1_000 {
            assert_eq!(refusals.count("unknown_key", start), None);
        }
        assert_eq!(refusals.count("busy", start), Some(1));
        assert_eq!(
            refusals.count("unknown_key", start + SAY_EVERY),
            Some(1_001)
        );
    }
}
