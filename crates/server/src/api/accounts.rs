//! Accounts: what is known of each, and who belongs to it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use regulars_pipeline::live::{AccountFigures, LiveAccount};
use serde::Serialize;

use super::asked::{Asked, Named};
use super::lists::{Members, Page, page_of};
use super::{Reader, ask};
use crate::answer::Problem;
use crate::state::Server;

/// Accounts, sorted by id.
#[derive(Debug, Serialize)]
pub(crate) struct Accounts {
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
    let accounts = ask(&server, move |server| {
        let now = server.live.now();
        let live = &server.live;
        live.ask(move |engine| engine.accounts(page.after.as_deref(), limit + 1, now))
    });
    let mut accounts = accounts.await?;
    let more = accounts.len() > limit;
    accounts.truncate(limit);
    let last = accounts.last().filter(|_| more);
    let next = last.map(|last| last.account.clone());
    Ok(Json(Accounts { accounts, next }))
}

/// `GET /api/v1/accounts/{account}`.
pub(crate) async fn show(
    _: Reader,
    State(server): State<Arc<Server>>,
    Named(name): Named<String>,
) -> Result<Json<LiveAccount>, Problem> {
    let wanted = name.clone();
    let found = ask(&server, move |server| {
        let live = &server.live;
        live.settle()?;
        let now = live.now();
        live.ask(move |engine| engine.account(&wanted, now))
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
        live.ask(move |engine| engine.customers_of_account(&wanted))
    });
    let customers = found.await?.ok_or_else(|| unknown(&name))?;
    page_of(&server, customers, page).await
}

fn unknown(name: &str) -> Problem {
    Problem::not_found(&format!("account `{name}`"))
}
