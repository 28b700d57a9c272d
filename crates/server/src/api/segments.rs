//! Segments: what they are, their sizes and members, and rules that are none yet.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use regulars_core::CustomerId;
use regulars_pipeline::{Origin, Segment};
use serde::{Deserialize, Serialize};

use super::asked::{Asked, Named, Told};
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

/// A segment as a whole.
#[derive(Debug, Serialize)]
pub(crate) struct SegmentWhole {
    segment: String,
    title: String,
    family: String,
    origin: Origin,
    meaning: String,
    play: Vec<String>,
    rule: String,
    in_words: String,
    as_of: String,
    customers: usize,
    everyone: usize,
}

/// `GET /api/v1/segments/{segment}`.
pub(crate) async fn show(
    _: Reader,
    State(server): State<Arc<Server>>,
    Named(name): Named<String>,
) -> Result<Json<SegmentWhole>, Problem> {
    let found = ask(&server, move |server| {
        let now = server.live.now();
        server.live.ask(move |engine| {
            let Segment {
                title,
                family,
                origin,
                meaning,
                play,
                ..
            } = engine.catalogue().get(&name)?.clone();
            let segment = engine.catalogue().get(&name)?;
            Ok(SegmentWhole {
                rule: segment.rule_text(),
                in_words: segment.in_words(),
                as_of: engine.now().max(now).to_string(),
                customers: engine.size(&name)?,
                everyone: engine.customers(),
                segment: name,
                title,
                family,
                origin,
                meaning,
                play,
            })
        })
    });
    let found = found.await?;
    Ok(Json(found.map_err(
        |error: regulars_pipeline::PipelineError| Problem::of(&error),
    )?))
}

/// A rule that is no segment yet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    rule: String,
}

/// How many customers a rule would have.
#[derive(Debug, Serialize)]
pub(crate) struct Previewed {
    rule: String,
    in_words: String,
    customers: usize,
    everyone: usize,
}

/// `POST /api/v1/segments/preview`.
pub(crate) async fn preview(
    _: Reader,
    State(server): State<Arc<Server>>,
    Told(Rule { rule }): Told<Rule>,
) -> Result<Json<Previewed>, Problem> {
    let preview = ask(&server, move |server| {
        let live = &server.live;
        let now = live.now();
        let mut preview = match live.ask(move |engine| engine.preview(&rule, now))? {
            Ok(preview) => preview,
            Err(error) => return Some(Err(error)),
        };
        // Step by step: what comes in between is folded in between.
        while !preview.is_done() {
            let looked = live.ask(move |engine| {
                engine.preview_some(&mut preview)?;
                Ok(preview)
            });
            preview = match looked? {
                Ok(preview) => preview,
                Err(error) => return Some(Err(error)),
            };
        }
        Some(Ok(preview))
    });
    let preview = preview.await?.map_err(|error| Problem::of(&error))?;
    Ok(Json(Previewed {
        everyone: preview.everyone(),
        customers: preview.customers,
        rule: preview.rule,
        in_words: preview.in_words,
    }))
}

/// How much of a list, and from where on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    limit: Option<usize>,
    pub(super) after: Option<String>,
}

impl Page {
    /// How many at most.
    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(100).clamp(1, 10_000)
    }
}

/// Members of a segment or customers of an account, sorted by id.
#[derive(Debug, Serialize)]
pub(crate) struct Members {
    customers: Vec<String>,
    /// What to give as `after` for the next page; null at the end.
    next: Option<String>,
}

/// `GET /api/v1/segments/{segment}/members?limit&after`.
pub(crate) async fn members(
    _: Reader,
    State(server): State<Arc<Server>>,
    Named(segment): Named<String>,
    Asked(page): Asked<Page>,
) -> Result<Json<Members>, Problem> {
    let members = ask(&server, move |server| {
        server.live.ask(move |engine| engine.members(&segment))
    });
    let members = members.await?.map_err(|error| Problem::of(&error))?;
    page_of(&server, members, page).await
}

/// A page of some customers, by their ids.
pub(super) async fn page_of(
    server: &Arc<Server>,
    customers: Vec<CustomerId>,
    page: Page,
) -> Result<Json<Members>, Problem> {
    let limit = page.limit();
    let mut customers = ask(server, move |server| {
        server.live.with_store(move |store| {
            let vault = store.vault().ok()?;
            let names = customers.iter().filter_map(|&id| vault.external_id(id));
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
