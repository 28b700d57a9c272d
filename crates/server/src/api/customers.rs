//! Customers: who they are, what happened to them, where they are and why.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use regulars_core::{CustomerId, SegmentName, Timestamp};
use regulars_pipeline::live::{Happening, LiveCustomer, Place};
use regulars_pipeline::{
    Base, LastChange, OrderView, SegmentView, TraitView, explain as explain_then, find as find_in,
    view,
};
use regulars_rules::Explanation;
use regulars_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::asked::{Asked, Named};
use super::{Reader, ask, transitions};
use crate::answer::Problem;
use crate::past::{self, Moment};
use crate::recorded;
use crate::state::Server;

/// A customer.
#[derive(Debug, Serialize)]
pub(crate) struct CustomerNow {
    customer_id: String,
    as_of: String,
    currency: String,
    currency_exponent: u32,
    lifecycle: String,
    traits: Vec<TraitView>,
    declared: std::collections::BTreeMap<String, Value>,
    account: std::collections::BTreeMap<String, Value>,
    orders: Vec<OrderView>,
    segments: Vec<Membership>,
}

/// A segment that the customer is in.
#[derive(Debug, Serialize)]
pub(crate) struct Membership {
    #[serde(flatten)]
    segment: SegmentView,
    /// When they entered; null for members since before transitions were recorded.
    since: Option<String>,
}

/// A past moment, if it is one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    as_of: Option<String>,
    restated: Option<bool>,
}

impl When {
    /// The moment; `segment` may be one that exists when it is asked for.
    fn moment(self, segment: Option<&str>) -> Result<Option<Moment>, Problem> {
        let restated = self.restated.unwrap_or(false);
        match self.as_of {
            Some(text) => Ok(Some(Moment {
                at: transitions::instant("as_of", &text)?,
                restated,
                segment: segment.map(str::to_owned),
            })),
            None if restated => {
                let message = "`restated` needs a moment: give `as_of` too";
                Err(Problem::new(StatusCode::BAD_REQUEST, "bad_query", message))
            }
            None => Ok(None),
        }
    }
}

/// `GET /api/v1/customers/{customer}?as_of&restated`.
pub(crate) async fn show(
    _: Reader,
    State(server): State<Arc<Server>>,
    Named(name): Named<String>,
    Asked(when): Asked<When>,
) -> Result<Response, Problem> {
    match when.moment(None)? {
        None => Ok(show_now(&server, name).await?.into_response()),
        Some(moment) => {
            let look =
                move |store: &Store, base: &Base| view(store, base, find_in(store, base, &name)?);
            Ok(Json(past::at(&server, moment, look).await?).into_response())
        }
    }
}

async fn show_now(server: &Arc<Server>, name: String) -> Result<Json<CustomerNow>, Problem> {
    let customer = find(server, &name).await?;
    let found = ask(server, move |server| {
        let live = &server.live;
        live.settle_of(vec![customer])?;
        let now = live.now();
        live.ask_of(vec![customer], move |engine| {
            (engine.canonical(customer), engine.customer(customer, now))
        })
    });
    let (customer, found) = found.await?;
    let found = found.map_err(|error| Problem::of(&error))?;
    let LiveCustomer {
        as_of,
        currency,
        currency_exponent,
        lifecycle,
        traits,
        declared,
        account,
        orders,
        segments,
    } = found.ok_or_else(|| nobody(&name))?;
    let inside = segments.iter().map(|of| of.segment.clone()).collect();
    let mut entered = entered(server, customer, inside).await?;
    let segments = segments.into_iter().map(|segment| Membership {
        since: entered
            .remove(segment.segment.as_str())
            .map(|at| at.to_string()),
        segment,
    });
    Ok(Json(CustomerNow {
        customer_id: name,
        as_of,
        currency,
        currency_exponent,
        lifecycle,
        traits,
        declared,
        account,
        orders,
        segments: segments.collect(),
    }))
}

/// Which part of a timeline.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    limit: Option<usize>,
    before: Option<String>,
}

/// What happened to a customer, the latest first.
#[derive(Debug, Serialize)]
pub(crate) struct Timeline {
    happenings: Vec<Happening>,
    /// What to give as `before` for what happened earlier; null at the beginning.
    next: Option<String>,
}

/// `GET /api/v1/customers/{customer}/timeline?limit&before`.
pub(crate) async fn timeline(
    _: Reader,
    State(server): State<Arc<Server>>,
    Named(name): Named<String>,
    Asked(part): Asked<Part>,
) -> Result<Json<Timeline>, Problem> {
    let before = part.before.as_deref().map(place).transpose()?;
    let limit = part.limit.unwrap_or(100).clamp(1, 1_000);
    let customer = find(&server, &name).await?;
    let found = ask(&server, move |server| {
        let live = &server.live;
        live.ask_of(vec![customer], move |engine| {
            engine.timeline(customer, before, limit + 1)
        })
    });
    let found = found.await?.map_err(|error| Problem::of(&error))?;
    let mut found = found.ok_or_else(|| nobody(&name))?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    let next = last.map(|((at, number), _)| format!("{}.{number}", at.0));
    let happenings = found.into_iter().map(|(_, happening)| happening);
    Ok(Json(Timeline {
        happenings: happenings.collect(),
        next,
    }))
}

/// Reads what `next` was.
fn place(text: &str) -> Result<Place, Problem> {
    let parts = text.split_once('.');
    let read = parts.and_then(|(at, number)| Some((at.parse().ok()?, number.parse().ok()?)));
    let (at, number) = read.ok_or_else(|| {
        let message = "`before` must be what `next` was in the answer before";
        Problem::new(StatusCode::BAD_REQUEST, "bad_cursor", message)
    })?;
    Ok((Timestamp(at), number))
}

/// Why a customer is in a segment or not.
#[derive(Debug, Serialize)]
pub(crate) struct Explained {
    customer_id: String,
    as_of: String,
    currency: String,
    /// When they last entered, if they are in; null as in [`Membership`].
    since: Option<String>,
    /// What last made them enter or leave it; null when nothing was recorded.
    last_change: Option<LastChange>,
    explanation: Explanation,
}

/// `GET /api/v1/customers/{customer}/segments/{segment}?as_of&restated`: why, and when that changes.
pub(crate) async fn explain(
    _: Reader,
    State(server): State<Arc<Server>>,
    Named((name, segment)): Named<(String, String)>,
    Asked(when): Asked<When>,
) -> Result<Response, Problem> {
    match when.moment(Some(&segment))? {
        None => Ok(explain_now(&server, name, segment).await?.into_response()),
        Some(moment) => {
            let look = move |store: &Store, base: &Base| {
                explain_then(store, base, find_in(store, base, &name)?, &segment)
            };
            Ok(Json(past::at(&server, moment, look).await?).into_response())
        }
    }
}

async fn explain_now(
    server: &Arc<Server>,
    name: String,
    segment: String,
) -> Result<Json<Explained>, Problem> {
    let customer = find(server, &name).await?;
    let asked = segment.clone();
    let explained = ask(server, move |server| {
        server.live.settle_of(vec![customer])?;
        let now = server.live.now();
        server.live.ask_of(vec![customer], move |engine| {
            let explained = engine.explain_with_events(customer, &asked, now);
            let (ids, currency) = (engine.ids_of(customer), engine.currency());
            (
                (engine.canonical(customer), ids),
                engine.now().max(now),
                currency,
                explained,
            )
        })
    });
    let ((customer, ids), now, currency, explained) = explained.await?;
    let explained = explained.map_err(|error| Problem::of(&error))?;
    let explanation = explained.ok_or_else(|| nobody(&name))?;
    let inside = BTreeSet::from_iter(explanation.holds.then(|| segment.clone()));
    let since = entered(server, customer, inside).await?.remove(&segment);
    let last_change = last_change(server, ids, segment).await?;
    Ok(Json(Explained {
        last_change,
        customer_id: name,
        as_of: now.to_string(),
        currency: currency.code().to_owned(),
        since: since.map(|at| at.to_string()),
        explanation,
    }))
}

/// What last made a customer of these ids enter or leave a segment.
async fn last_change(
    server: &Arc<Server>,
    ids: BTreeSet<CustomerId>,
    segment: String,
) -> Result<Option<LastChange>, Problem> {
    let Ok(segment) = SegmentName::new(&segment) else {
        return Ok(None);
    };
    let read = ask(server, move |server| {
        server.live.read_beside(|store| {
            let last = LastChange::read(store, &ids, &segment, Timestamp::MAX);
            Ok(last?)
        })
    });
    read.await?.map_err(|error| Problem::failed(&error))
}

/// When a customer entered those segments that they are in, as far as it was recorded.
async fn entered(
    server: &Arc<Server>,
    customer: CustomerId,
    mut inside: BTreeSet<String>,
) -> Result<HashMap<String, Timestamp>, Problem> {
    let entered = ask(server, move |server| {
        let ever = server.live.ask_of(vec![customer], move |engine| {
            engine.inside_since_ever(customer)
        })?;
        for segment in ever {
            inside.remove(segment.as_str());
        }
        Some(recorded::entered(server, customer, inside))
    });
    entered.await?
}

fn nobody(name: &str) -> Problem {
    Problem::not_found(&format!("customer `{name}`"))
}

/// The customer of that external id.
pub(super) async fn find(server: &Arc<Server>, name: &str) -> Result<CustomerId, Problem> {
    let wanted = name.to_owned();
    let found = ask(server, move |server| {
        let live = &server.live;
        live.with_store(move |store| store.vault().ok().and_then(|vault| vault.find(&wanted)))
    });
    found.await?.ok_or_else(|| nobody(name))
}
