//! Accounts: what is known of each, and who belongs to it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use regulars_core::CustomerId;
use regulars_pipeline::live::Engine;
use regulars_pipeline::{AccountFigures, AccountView};
use serde::Serialize;

use super::asked::{Asked, Named};
use super::lists::{Members, Page, page_of};
use super::{Reader, ask};
use crate::answer::Problem;
use crate::state::Server;

/// Accounts that the live path says something of between two records.
const STEP: usize = 500;

/// Accounts, sorted by id.
#[derive(Debug, Serialize)]
pub(crate) struct Accounts {
    /// The moment of all that follows.
    as_of: String,
    /// Currency of all amounts.
    currency: String,
    /// Digits after the point of that currency.
    currency_exponent: u32,
    accounts: Vec<AccountFigures>,
    /// What to give as `after` for the next page; null at the end.
    next: Option<String>,
}

/// `GET /api/v1/accounts?limit&after`.
pub(crate) async fn list(
    _: Reader,
    State(server): State<Arc<Server>>,
    Asked(page): Asked<Page>,
) -> Result<Json<Accounts>, Problem> {
    let limit = page.limit();
    let found = ask(&server, move |server| {
        let live = &server.live;
        let at = live.now();
        let terms = move |engine: &Engine| (engine.now().max(at), engine.currency());
        let (now, currency) = live.ask_of(Vec::new(), terms)?;
        let (mut after, mut accounts) = (page.after, Vec::new());
        loop {
            let step = STEP.min(limit + 1 - accounts.len());
            let from = after.take();
            let look = move |engine: &Engine| engine.accounts(from.as_deref(), step, now);
            let found: Vec<AccountFigures> = live.ask_of(Vec::new(), look)?;
            let is_last = found.len() < step;
            accounts.extend(found);
            if is_last || accounts.len() > limit {
                return Some((now, currency, accounts));
            }
            after = accounts.last().map(|last| last.account.clone());
        }
    });
    let (now, currency, mut accounts) = found.await?;
    let more = accounts.len() > limit;
    accounts.truncate(limit);
    let last = accounts.last().filter(|_| more);
    let next = last.map(|last| last.account.clone());
    Ok(Json(Accounts {
        as_of: now.to_string(),
        currency: currency.code().to_owned(),
        currency_exponent: currency.exponent(),
        accounts,
        next,
    }))
}

/// `GET /api/v1/accounts/{account}`.
pub(crate) async fn show(
    _: Reader,
    State(server): State<Arc<Server>>,
    Named(name): Named<String>,
) -> Result<Json<AccountView>, Problem> {
    let wanted = name.clone();
    let found = ask(&server, move |server| {
        let (live, now) = (&server.live, server.live.now());
        live.ask_of(Vec::new(), move |engine| engine.account(&wanted, now))
    });
    Ok(Json(found.await?.ok_or_else(|| unknown(&name))?))
}

/// `GET /api/v1/accounts/{account}/customers?limit&after`.
pub(crate) async fn customers(
    _: Reader,
    State(server): State<Arc<Server>>,
    Named(name): Named<String>,
    Asked(page): Asked<Page>,
) -> Result<Json<Members>, Problem> {
    let wanted = name.clone();
    let found = ask(&server, move |server| {
        let live = &server.live;
        live.ask_of(Vec::new(), move |engine| engine.has_account(&wanted))
    });
    if !found.await? {
        return Err(unknown(&name));
    }
    let look = move |engine: &Engine, ids: &[CustomerId]| Ok(engine.inside_account(&name, ids));
    page_of(&server, page, look).await
}

fn unknown(name: &str) -> Problem {
    Problem::not_found(&format!("account `{name}`"))
}
