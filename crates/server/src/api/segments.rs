//! Segments: what they are, their sizes, and rules that are none yet.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use regulars_pipeline::{Origin, Segment};
use serde::{Deserialize, Serialize};

use super::asked::{Named, Told};
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
    hints: Vec<String>,
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
        let mut preview = match live.ask_of(Vec::new(), move |engine| engine.preview(&rule, now))? {
            Ok(preview) => preview,
            Err(error) => return Some(Err(error)),
        };
        // Step by step: what comes in between is folded in between.
        while !preview.is_done() {
            let looked = live.ask_of(Vec::new(), move |engine| {
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
        hints: preview.hints(),
        rule: preview.rule().to_owned(),
        in_words: preview.in_words().to_owned(),
    }))
}
