//! Transitions: who moved where, when and why.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use regulars_core::{Timestamp, Transition};
use serde::{Deserialize, Serialize};

use super::asked::Asked;
use super::{Reader, ask, customers};
use crate::answer::Problem;
use crate::state::{Server, Wanted};

/// Which transitions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    since: Option<String>,
    segment: Option<String>,
    customer: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
}

/// Transitions, the latest first.
#[derive(Debug, Serialize)]
pub(crate) struct Transitions {
    transitions: Vec<TransitionView>,
    /// What to give as `before` for earlier ones; null when there are none that are kept.
    next: Option<String>,
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

/// `GET /api/v1/transitions?since&segment&customer&before&limit`.
pub(crate) async fn list(
    _: Reader,
    State(server): State<Arc<Server>>,
    Asked(which): Asked<Which>,
) -> Result<Json<Transitions>, Problem> {
    let since = which.since.as_deref().map(instant).transpose()?;
    let limit = which.limit.unwrap_or(100).clamp(1, 10_000);
    let customer = match &which.customer {
        Some(name) => Some(customers::find(&server, name).await?),
        None => None,
    };
    let wanted = Wanted {
        since: since.unwrap_or(Timestamp::MIN),
        segment: which.segment,
        customer,
        before: which.before,
    };
    ask(&server, |server| server.live.settle()).await?;
    let found = server.transitions.find(&wanted, limit + 1);
    let mut found = found.ok_or_else(|| {
        let message = "`before` names no transition that is kept: begin without it";
        Problem::new(StatusCode::BAD_REQUEST, "bad_cursor", message)
    })?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found
        .last()
        .filter(|_| more)
        .map(|last| last.id.to_string());
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
    Ok(Json(Transitions {
        transitions: named.await?,
        next,
    }))
}

fn instant(text: &str) -> Result<Timestamp, Problem> {
    regulars_ingest::tracking::instant(text).ok_or_else(|| {
        let message = "`since` must be an instant such as 2026-11-01T12:00:00Z";
        Problem::new(StatusCode::BAD_REQUEST, "bad_instant", message)
    })
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
