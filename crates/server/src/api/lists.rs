//! Lists of customers, sorted by what they are called, page by page: members, and searches.
//!
//! Names are gone through some at a time; each time the live path says which of them are wanted.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use regulars_core::CustomerId;
use regulars_pipeline::PipelineError;
use regulars_pipeline::live::{Engine, Listed, Search};
use regulars_store::vault::{IdentityKind, Name};
use serde::{Deserialize, Serialize};

use super::asked::{Asked, Named};
use super::{Reader, ask};
use crate::answer::Problem;
use crate::names;
use crate::state::Server;

/// Names that the live path looks at between two records.
const STEP: usize = 2_000;
/// Customers whom a rule is tried on between two records: each is folded for it.
const STEP_OF_RULE: usize = 200;
/// Customers that one page with a rule looks at: then it ends, with fewer than were wanted.
const LOOKED_AT: usize = 20_000;

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
    let look = move |engine: &Engine, ids: &[CustomerId]| engine.inside(&segment, ids);
    page_of(&server, page, look).await
}

/// A page of those customers of whom `look` says something, by their ids.
pub(super) async fn page_of(
    server: &Arc<Server>,
    page: Page,
    look: impl Look<()>,
) -> Result<Json<Members>, Problem> {
    let limit = page.limit();
    let after = page.after.as_deref().map(cursor).transpose()?;
    let walk_of = Walk {
        after,
        limit,
        ..Walk::default()
    };
    let found = ask(server, move |server| Some(walk(server, walk_of, look)));
    let Found { items, next } = found.await??;
    Ok(Json(Members {
        customers: items
            .into_iter()
            .map(|((text, _), ())| text.into())
            .collect(),
        next,
    }))
}

/// Which customers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    q: Option<String>,
    segment: Option<String>,
    #[serde(rename = "where")]
    rule: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

/// Customers, sorted by id.
#[derive(Debug, Serialize)]
pub(crate) struct Customers {
    customers: Vec<Item>,
    /// What to give as `after` for the next page; null at the end.
    next: Option<String>,
}

/// A customer of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Item {
    customer_id: String,
    #[serde(flatten)]
    listed: Listed,
}

/// `GET /api/v1/customers?q&segment&where&limit&after`.
pub(crate) async fn search(
    _: Reader,
    State(server): State<Arc<Server>>,
    Asked(which): Asked<Which>,
) -> Result<Json<Customers>, Problem> {
    let limit = which.limit.unwrap_or(100).clamp(1, 1_000);
    let after = which.after.as_deref().map(cursor).transpose()?;
    let found = ask(&server, move |server| {
        let (segment, rule) = (which.segment, which.rule);
        let walk_of = Walk {
            after,
            limit,
            prefix: which.q.unwrap_or_default().trim().to_owned(),
            with_rule: rule.is_some(),
        };
        let now = server.live.now();
        let search = server.live.ask_of(Vec::new(), move |engine| {
            engine.search(segment.as_deref(), rule.as_deref(), now)
        })?;
        let search: Arc<Search> = match search {
            Ok(search) => Arc::new(search),
            Err(error) => return Some(Err(Problem::of(&error))),
        };
        let look = move |engine: &Engine, ids: &[CustomerId]| engine.found_by(&search, ids);
        Some(match of_email(server, &walk_of.prefix) {
            Ok(None) => walk(server, walk_of, look),
            Ok(Some(one)) => {
                let items = looked(server, vec![one], look);
                items.map(|items| Found { items, next: None })
            }
            Err(problem) => Err(problem),
        })
    });
    let Found { items, next } = found.await??;
    let item = |((text, _), listed): (Name, Listed)| Item {
        customer_id: text.into(),
        listed,
    };
    Ok(Json(Customers {
        customers: items.into_iter().map(item).collect(),
        next,
    }))
}

/// Which names are gone through.
#[derive(Debug, Default)]
struct Walk {
    after: Option<Name>,
    limit: usize,
    /// What customer ids begin with; every name when it is empty.
    prefix: String,
    /// Whether each customer is folded for a rule.
    with_rule: bool,
}

/// What a page has.
struct Found<T> {
    items: Vec<(Name, T)>,
    next: Option<String>,
}

/// Goes through names until there are enough of whom `look` says something.
fn walk<T: Send + 'static>(
    server: &Server,
    walk: Walk,
    look: impl Look<T>,
) -> Result<Found<T>, Problem> {
    names::catch_up(server)?;
    let Walk {
        mut after,
        limit,
        prefix,
        with_rule,
    } = walk;
    let step = if with_rule { STEP_OF_RULE } else { STEP };
    let mut items: Vec<(Name, T)> = Vec::new();
    let mut looked_at = 0;
    loop {
        let mut names = server.names.after(after.as_ref(), &prefix, step);
        let is_last = names.len() < step;
        let end = names.last().map(|(name, _)| name.clone());
        // An e-mail is sealed: nobody finds it by its beginning.
        names.retain(|((_, kind), _)| prefix.is_empty() || *kind == IdentityKind::CustomerId);
        looked_at += names.len();
        items.extend(looked(server, names, look.clone())?);
        if items.len() > limit {
            items.truncate(limit);
            let next = items.last().map(|(name, _)| text_of(name));
            return Ok(Found { items, next });
        }
        if is_last {
            return Ok(Found { items, next: None });
        }
        if with_rule && looked_at >= LOOKED_AT {
            let next = end.as_ref().map(text_of);
            return Ok(Found { items, next });
        }
        after = end;
    }
}

/// Says something of those customers who are wanted.
pub(super) trait Look<T>:
    Fn(&Engine, &[CustomerId]) -> Result<Vec<Option<T>>, PipelineError> + Clone + Send + 'static
{
}

impl<T, F> Look<T> for F where
    F: Fn(&Engine, &[CustomerId]) -> Result<Vec<Option<T>>, PipelineError> + Clone + Send + 'static
{
}

/// What `look` says of the customers of some names.
fn looked<T: Send + 'static>(
    server: &Server,
    names: Vec<(Name, CustomerId)>,
    look: impl Look<T>,
) -> Result<Vec<(Name, T)>, Problem> {
    let (names, ids): (Vec<Name>, Vec<CustomerId>) = names.into_iter().unzip();
    let asked = ids.clone();
    let looked = server.live.ask_of(asked, move |engine| look(engine, &ids));
    let looked = looked.ok_or_else(Problem::stopping)?;
    let looked = looked.map_err(|error| Problem::of(&error))?;
    let found = names.into_iter().zip(looked);
    let found = found.filter_map(|(name, found)| Some((name, found?)));
    Ok(found.collect())
}

/// The customer whom a whole e-mail stands for.
fn of_email(server: &Server, email: &str) -> Result<Option<(Name, CustomerId)>, Problem> {
    let email = email.to_owned();
    let found = server.live.with_store(move |store| {
        let vault = store.vault().ok()?;
        let identity = vault.lookup(IdentityKind::Email, &email)?;
        let customer = vault.resolve(identity);
        let kind = if customer.0 == identity.0 {
            IdentityKind::Email
        } else {
            IdentityKind::CustomerId
        };
        Some(((vault.external_id(customer)?.into(), kind), customer))
    });
    found.ok_or_else(Problem::stopping)
}

/// What `next` says.
fn text_of((text, kind): &Name) -> String {
    match kind {
        IdentityKind::CustomerId => format!("c:{text}"),
        IdentityKind::Email => format!("e:{text}"),
        IdentityKind::Anonymous => format!("a:{text}"),
        IdentityKind::Previous => format!("p:{text}"),
    }
}

/// Reads what `next` was.
fn cursor(text: &str) -> Result<Name, Problem> {
    let kind = match text.get(..2) {
        Some("c:") => IdentityKind::CustomerId,
        Some("e:") => IdentityKind::Email,
        _ => {
            let message = "`after` must be what `next` was in the answer before";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_cursor", message));
        }
    };
    Ok((text[2..].into(), kind))
}
