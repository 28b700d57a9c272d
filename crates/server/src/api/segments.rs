//! Segments: their sizes and members.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};

use super::{Reader, ask};
use crate::answer::Problem;
use crate::state::Server;

/// A segment with its size.
#[derive(Debug, Serialize)]
pub(crate) struct SegmentSize {
    segment: String,
    title: String,
    rule: String,
    in_words: String,
    customers: usize,
}

/// `GET /api/v1/segments`.
pub(crate) async fn list(
    _: Reader,
    State(server): State<Arc<Server>>,
) -> Result<Json<Vec<SegmentSize>>, Problem> {
    let list = ask(&server, |server| {
        server.live.ask(|engine| {
            let sizes = engine.sizes();
            let segments = engine.catalogue().segments().iter().zip(sizes);
            segments
                .map(|(segment, customers)| SegmentSize {
                    segment: segment.name.to_string(),
                    title: segment.title.clone(),
                    rule: segment.rule_text(),
                    in_words: segment.in_words(),
                    customers,
                })
                .collect()
        })
    });
    Ok(Json(list.await?))
}

/// How much of a list, and from where on.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    limit: Option<usize>,
    after: Option<String>,
}

/// Members of a segment, sorted by id.
#[derive(Debug, Serialize)]
pub(crate) struct Members {
    customers: Vec<String>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// `GET /api/v1/segments/{segment}/members?limit&after`.
pub(crate) async fn members(
    _: Reader,
    State(server): State<Arc<Server>>,
    Path(segment): Path<String>,
    Query(page): Query<Page>,
) -> Result<Json<Members>, Problem> {
    let limit = page.limit.unwrap_or(100).clamp(1, 10_000);
    let name = segment.clone();
    let members = ask(&server, move |server| {
        server.live.ask(move |engine| engine.members(&segment).ok())
    });
    let members = members
        .await?
        .ok_or_else(|| Problem::not_found(&format!("segment `{name}`")))?;
    let mut customers = ask(&server, move |server| {
        server.live.with_store(move |store| {
            let vault = store.vault().ok()?;
            let names = members.iter().filter_map(|&id| vault.external_id(id));
            Some(names.map(str::to_owned).collect::<Vec<String>>())
        })?
    })
    .await?;
    customers.sort_unstable();
    if let Some(after) = page.after {
        let from = customers.partition_point(|name| *name <= after);
        customers.drain(..from);
    }
    let more = customers.len() > limit;
    customers.truncate(limit);
    let next = customers.last().filter(|_| more).cloned();
    Ok(Json(Members { customers, next }))
}
