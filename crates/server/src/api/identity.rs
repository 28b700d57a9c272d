//! Identity: the names of a customer, what was taken for one and what was not, and undoing it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use regulars_pipeline::{
    IdentityView, UnmergedView, WantedRecords, customer_named, identity_records, identity_view,
};
use regulars_store::vault::IdentityKind;
use serde::Deserialize;

use super::asked::{Asked, Named};
use super::{Admin, ask};
use crate::answer::Problem;
use crate::state::Server;

/// Which part of what happened.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichEvents {
    after: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/v1/customers/{customer}/identity?limit&after`.
pub(crate) async fn show(
    _: Admin,
    State(server): State<Arc<Server>>,
    Named(name): Named<String>,
    Asked(which): Asked<WhichEvents>,
) -> Result<Json<IdentityView>, Problem> {
    let after = which.after.as_deref().map(place).transpose()?;
    let most = which.limit.unwrap_or(100).clamp(1, 1_000);
    let wanted = WantedRecords { after, most };
    let found = ask(&server, move |server| {
        let live = &server.live;
        let found = live.with_store(move |store| {
            let vault = store.vault()?;
            let customer = customer_named(vault, &name)?;
            Ok((customer, vault.ids_of(customer)))
        })?;
        let (customer, ids) = match found {
            Ok(found) => found,
            Err(error) => return Some(Err(error)),
        };
        // The log is read on this thread: neither the writer nor the folder waits for it.
        let records = match live.read_beside(|store| identity_records(store, &ids, wanted))? {
            Ok(records) => records,
            Err(error) => return Some(Err(error)),
        };
        live.with_store(move |store| Ok(identity_view(store.vault()?, customer, &records)))
    });
    found.await?.map(Json).map_err(|error| Problem::of(&error))
}

/// What kind of name is parted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichName {
    kind: Option<String>,
}

/// `POST /api/v1/customers/{customer}/unmerge?kind`.
pub(crate) async fn unmerge(
    _: Admin,
    State(server): State<Arc<Server>>,
    Named(name): Named<String>,
    Asked(which): Asked<WhichName>,
) -> Result<Json<UnmergedView>, Problem> {
    let kind = which.kind.as_deref().map(kind_named).transpose()?;
    let unmerged = ask(&server, move |server| {
        let live = &server.live;
        match live.unmerge(&name, kind)? {
            Ok(unmerged) => live.with_store(move |store| {
                let vault = store.vault()?;
                Ok(UnmergedView::of(vault, &unmerged))
            }),
            Err(error) => Some(Err(error)),
        }
    });
    unmerged
        .await?
        .map(Json)
        .map_err(|error| Problem::of(&error))
}

fn kind_named(name: &str) -> Result<IdentityKind, Problem> {
    IdentityKind::named(name).ok_or_else(|| {
        let kinds: Vec<&str> = IdentityKind::ALL.iter().map(|kind| kind.name()).collect();
        let message = format!("`kind` is one of {}, not `{name}`", kinds.join(", "));
        Problem::new(StatusCode::BAD_REQUEST, "bad_query", message)
    })
}

fn place(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| {
        let message = "`after` must be what `next` was in the answer before";
        Problem::new(StatusCode::BAD_REQUEST, "bad_cursor", message)
    })
}
