//! Transitions: who moved where, when and why.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use regulars_core::{Timestamp, Transition};
use serde::{Deserialize, Serialize};

use super::{Reader, ask};
use crate::answer::Problem;
use crate::state::Server;

/// Since when, and how many at most.
#[derive(Debug, Deserialize)]
pub(crate) struct Since {
    since: Option<String>,
    limit: Option<usize>,
}

/// A transition, for whoever asks.
#[derive(Debug, Serialize)]
pub(crate) struct TransitionView {
    id: String,
    customer_id: Option<String>,
    segment: String,
    version: u32,
    sequence: u64,
    direction: regulars_core::Direction,
    occurred_at: String,
    recorded_at: String,
    cause: regulars_core::Cause,
}

/// `GET /api/v1/transitions?since&limit`.
pub(crate) async fn list(
    _: Reader,
    State(server): State<Arc<Server>>,
    Query(since): Query<Since>,
) -> Result<Json<Vec<TransitionView>>, Problem> {
    let at = match &since.since {
        None => Timestamp::MIN,
        Some(text) => regulars_ingest::tracking::instant(text).ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "bad_instant",
                "`since` must be an instant such as 2026-11-01T12:00:00Z",
            )
        })?,
    };
    let limit = since.limit.unwrap_or(100).clamp(1, 10_000);
    let found = server.transitions.since(at, limit);
    let named = ask(&server, move |server| {
        server.live.with_store(move |store| {
            let vault = store.vault().ok();
            let name = |transition: Transition| {
                let customer = vault.and_then(|vault| vault.external_id(transition.customer));
                view(customer.map(str::to_owned), transition)
            };
            found.into_iter().map(name).collect()
        })
    });
    Ok(Json(named.await?))
}

fn view(customer_id: Option<String>, transition: Transition) -> TransitionView {
    TransitionView {
        id: transition.id.to_string(),
        customer_id,
        segment: transition.segment.to_string(),
        version: transition.version,
        sequence: transition.sequence,
        direction: transition.direction,
        occurred_at: transition.occurred_at.to_string(),
        recorded_at: transition.recorded_at.to_string(),
        cause: transition.cause,
    }
}
