//! Transitions: who moved where, when and why; what they come to for a customer and for a segment.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use regulars_core::{CustomerId, SegmentName, Timestamp};
use regulars_pipeline::{
    Interval, MembershipHistory, SegmentHistory, Span, SpanError, Stay, TransitionView,
};
use regulars_store::WantedTransitions;
use regulars_store::moved::TransitionPlace;
use serde::{Deserialize, Serialize};

use super::asked::{Asked, Named};
use super::{Reader, ask, customers};
use crate::answer::Problem;
use crate::recorded;
use crate::state::Server;

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
    /// What to give as `before` for earlier ones; null when there are none.
    next: Option<String>,
}

/// `GET /api/v1/transitions?since&segment&customer&before&limit`.
pub(crate) async fn list(
    _: Reader,
    State(server): State<Arc<Server>>,
    Asked(which): Asked<Which>,
) -> Result<Json<Transitions>, Problem> {
    let since = which.since.as_deref().map(|text| instant("since", text));
    let limit = which.limit.unwrap_or(100).clamp(1, 10_000);
    let mut wanted = WantedTransitions {
        since: since.transpose()?.unwrap_or(Timestamp::MIN),
        before: which.before.as_deref().map(place).transpose()?,
        ..WantedTransitions::default()
    };
    if let Some(segment) = &which.segment {
        let Ok(segment) = SegmentName::new(segment) else {
            // A segment of that name never was.
            let transitions = Vec::new();
            return Ok(Json(Transitions {
                transitions,
                next: None,
            }));
        };
        wanted.segment = Some(segment);
    }
    let customer = match &which.customer {
        Some(name) => Some(customers::find(&server, name).await?),
        None => None,
    };
    let found = ask(&server, move |server| {
        match customer {
            Some(customer) => {
                server.live.settle_of(vec![customer])?;
                let ids = server
                    .live
                    .ask_of(vec![customer], move |engine| engine.ids_of(customer))?;
                wanted.customers = Some(ids);
            }
            None => server.live.settle()?,
        }
        Some(recorded::transitions(server, &wanted, limit + 1))
    });
    let mut found = found.await??;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more);
    let next = next.map(|last| last.place.to_string());
    let customers = found.iter().map(|row| row.transition.customer).collect();
    let names = names(&server, customers).await?;
    let views = found.iter().zip(&names);
    let views = views.map(|(row, name)| TransitionView::of(row, name.as_deref()));
    Ok(Json(Transitions {
        transitions: views.collect(),
        next,
    }))
}

/// Which stays of a customer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichStays {
    segment: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
}

/// From when to when a customer was in which segment.
#[derive(Debug, Serialize)]
pub(crate) struct Memberships {
    customer_id: String,
    memberships: Vec<Stay>,
    /// What to give as `before` for those that began earlier; null when there are none.
    next: Option<String>,
}

/// `GET /api/v1/customers/{customer}/memberships?segment&before&limit`.
pub(crate) async fn memberships(
    _: Reader,
    State(server): State<Arc<Server>>,
    Named(name): Named<String>,
    Asked(which): Asked<WhichStays>,
) -> Result<Json<Memberships>, Problem> {
    let limit = which.limit.unwrap_or(100).clamp(1, 1_000);
    let before = which.before.as_deref().map(place).transpose()?;
    let segment = which.segment.as_deref().map(segment_of).transpose()?;
    let customer = customers::find(&server, &name).await?;
    let history = ask(&server, move |server| {
        server.live.settle_of(vec![customer])?;
        let (ids, inside) = server.live.ask_of(vec![customer], move |engine| {
            let inside = engine.inside_since_ever(customer).into_iter();
            let customer = engine.canonical(customer);
            let inside: Vec<_> = inside.map(|segment| (customer, segment)).collect();
            (engine.ids_of(customer), inside)
        })?;
        let wanted = WantedTransitions {
            customers: Some(ids),
            segment,
            ..WantedTransitions::default()
        };
        let read = |wanted: &WantedTransitions, most| recorded::transitions(server, wanted, most);
        Some(MembershipHistory::read(
            wanted, before, limit, &inside, read,
        ))
    });
    let history = history.await??;
    let names = names(&server, history.customers()).await?;
    Ok(Json(Memberships {
        customer_id: name,
        memberships: history.views(names),
        next: history.next.map(|next| next.to_string()),
    }))
}

/// Which part of the history of a segment, and in which steps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichPart {
    since: Option<String>,
    until: Option<String>,
    by: Option<Span>,
}

/// How many entered and left a segment.
#[derive(Debug, Serialize)]
pub(crate) struct History {
    segment: String,
    by: Span,
    time_zone: String,
    intervals: Vec<Interval>,
}

/// `GET /api/v1/segments/{segment}/history?since&until&by`.
pub(crate) async fn history(
    _: Reader,
    State(server): State<Arc<Server>>,
    Named(name): Named<String>,
    Asked(part): Asked<WhichPart>,
) -> Result<Json<History>, Problem> {
    let segment = segment_of(&name)?;
    let since = part.since.as_deref().map(|text| instant("since", text));
    let until = part.until.as_deref().map(|text| instant("until", text));
    let (since, until) = (since.transpose()?, until.transpose()?);
    let by = part.by.unwrap_or(Span::Day);
    let answer = ask(&server, move |server| {
        server.live.settle()?;
        let asked = segment.clone();
        let known = server.live.ask_of(Vec::new(), move |engine| {
            engine.catalogue().get(asked.as_str())?;
            Ok((engine.now(), engine.zone().clone()))
        })?;
        let (now, zone) = match known {
            Ok(known) => known,
            Err(error) => return Some(Err(Problem::of(&error))),
        };
        // What happens now belongs to it.
        let now = now.max(server.live.now()).plus_ms(1);
        let until = until.unwrap_or(now).min(now);
        let since = since.unwrap_or(until.plus_ms(-SegmentHistory::DEFAULT_MS));
        let (members, before) = server.transitions.size(&segment);
        let wanted = WantedTransitions {
            segment: Some(segment),
            before,
            ..WantedTransitions::default()
        };
        let read = |wanted: &WantedTransitions, most| recorded::transitions(server, wanted, most);
        let read = SegmentHistory::read(wanted, (since, until), (by, &zone), read);
        Some(read.map(|history| (history.intervals(Some(members)), zone)))
    });
    let (intervals, zone) = answer.await??;
    Ok(Json(History {
        segment: name,
        by,
        time_zone: zone.name().to_owned(),
        intervals,
    }))
}

impl From<SpanError> for Problem {
    fn from(error: SpanError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_query", error.to_string())
    }
}

/// What customers are called, in their order.
async fn names(
    server: &Arc<Server>,
    customers: Vec<CustomerId>,
) -> Result<Vec<Option<String>>, Problem> {
    let names = ask(server, move |server| {
        server.live.with_store(move |store| {
            let vault = store.vault().ok();
            let name = |&customer| Some(vault?.external_id(customer)?.to_owned());
            customers.iter().map(name).collect()
        })
    });
    names.await
}

fn segment_of(name: &str) -> Result<SegmentName, Problem> {
    SegmentName::new(name).map_err(|_| Problem::not_found(&format!("segment `{name}`")))
}

/// Reads what `next` was.
fn place(text: &str) -> Result<TransitionPlace, Problem> {
    text.parse().map_err(|_| {
        let message = "`before` must be what `next` was in the answer before";
        Problem::new(StatusCode::BAD_REQUEST, "bad_cursor", message)
    })
}

/// Reads an instant.
pub(super) fn instant(name: &str, text: &str) -> Result<Timestamp, Problem> {
    regulars_ingest::tracking::instant(text).ok_or_else(|| {
        let message = format!("`{name}` must be an instant such as 2026-11-01T12:00:00Z");
        Problem::new(StatusCode::BAD_REQUEST, "bad_instant", message)
    })
}
