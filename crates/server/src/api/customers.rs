//! Customers: where they are and why.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use regulars_core::CustomerId;
use serde::Serialize;
use serde_json::Value;

use super::{Reader, ask};
use crate::answer::Problem;
use crate::state::Server;

/// A customer.
#[derive(Debug, Serialize)]
pub(crate) struct CustomerNow {
    customer_id: String,
    as_of: String,
    segments: Vec<String>,
}

/// `GET /api/v1/customers/{customer}`.
pub(crate) async fn show(
    _: Reader,
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
) -> Result<Json<CustomerNow>, Problem> {
    let customer = find(&server, &name).await?;
    let found = ask(&server, move |server| {
        server
            .live
            .ask(move |engine| (engine.now(), engine.segments_of(customer)))
    });
    let (now, segments) = found.await?;
    let segments = segments.ok_or_else(|| nobody(&name))?;
    Ok(Json(CustomerNow {
        customer_id: name,
        as_of: now.to_string(),
        segments: segments.iter().map(ToString::to_string).collect(),
    }))
}

/// `GET /api/v1/customers/{customer}/segments/{segment}`: why, and when that changes.
pub(crate) async fn explain(
    _: Reader,
    State(server): State<Arc<Server>>,
    Path((name, segment)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let customer = find(&server, &name).await?;
    let asked = segment.clone();
    let explained = ask(&server, move |server| {
        server
            .live
            .ask(move |engine| engine.explain(customer, &asked).ok())
    });
    let explained = explained
        .await?
        .ok_or_else(|| Problem::not_found(&format!("segment `{segment}`")))?
        .ok_or_else(|| nobody(&name))?;
    Ok(Json(serde_json::json!(explained)))
}

fn nobody(name: &str) -> Problem {
    Problem::not_found(&format!("customer `{name}`"))
}

/// The customer of that external id.
async fn find(server: &Arc<Server>, name: &str) -> Result<CustomerId, Problem> {
    let wanted = name.to_owned();
    let found = ask(server, move |server| {
        server
            .live
            .with_store(move |store| store.vault().ok().and_then(|vault| vault.find(&wanted)))
    });
    found.await?.ok_or_else(|| nobody(name))
}
