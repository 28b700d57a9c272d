//! Identity: the names of a customer, what was taken for one and what was not, and undoing it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use regulars_pipeline::{
    IdentityView, UnmergedView, customer_named, identity_records, identity_view,
};

use super::asked::Named;
use super::{Admin, ask};
use crate::answer::Problem;
use crate::state::Server;

/// `GET /api/v1/customers/{customer}/identity`.
pub(crate) async fn show(
    _: Admin,
    State(server): State<Arc<Server>>,
    Named(name): Named<String>,
) -> Result<Json<IdentityView>, Problem> {
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
        let records = match live.read_beside(|store| identity_records(store, &ids))? {
            Ok(records) => records,
            Err(error) => return Some(Err(error)),
        };
        live.with_store(move |store| Ok(identity_view(store.vault()?, customer, &records)))
    });
    found.await?.map(Json).map_err(|error| Problem::of(&error))
}

/// `POST /api/v1/customers/{customer}/unmerge`.
pub(crate) async fn unmerge(
    _: Admin,
    State(server): State<Arc<Server>>,
    Named(name): Named<String>,
) -> Result<Json<UnmergedView>, Problem> {
    let unmerged = ask(&server, move |server| {
        let live = &server.live;
        match live.unmerge(&name)? {
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
