//! The REST API: who is who, who is where, who moved.

mod access;
mod accounts;
pub(crate) mod asked;
mod customers;
mod deliveries;
mod destinations;
mod document;
mod edit;
mod identity;
mod lists;
mod operations;
mod page;
mod schemas;
mod segments;
mod transitions;
mod workspace;

pub use document::openapi;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts};
use axum::http::request::Parts;
use axum::routing::{delete, get, post};
use regulars_ingest::tracking::bearer;

use crate::answer::Problem;
use crate::state::Server;
use operations::Needs;

/// Bytes that a request may hold.
const LARGEST_BODY: usize = 64 << 10;

pub(crate) fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/segments", get(segments::list))
        .route("/segments/preview", post(segments::preview))
        .route(
            "/segments/{segment}",
            get(segments::show).put(edit::define).delete(edit::remove),
        )
        .route("/segments/{segment}/members", get(lists::members))
        .route("/segments/{segment}/history", get(transitions::history))
        .route("/customers", get(lists::search))
        .route("/customers/{customer}", get(customers::show))
        .route("/customers/{customer}/timeline", get(customers::timeline))
        .route(
            "/customers/{customer}/memberships",
            get(transitions::memberships),
        )
        .route(
            "/customers/{customer}/segments/{segment}",
            get(customers::explain),
        )
        .route("/customers/{customer}/identity", get(identity::show))
        .route("/customers/{customer}/unmerge", post(identity::unmerge))
        .route("/accounts", get(accounts::list))
        .route("/accounts/{account}", get(accounts::show))
        .route("/accounts/{account}/customers", get(accounts::customers))
        .route("/transitions", get(transitions::list))
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/{id}/attempts", get(deliveries::attempts))
        .route("/deliveries/{id}/replay", post(deliveries::replay))
        .route(
            "/destinations",
            get(destinations::list).post(destinations::add),
        )
        .route("/destinations/{id}", delete(destinations::remove))
        .route("/destinations/{id}/rotate", post(destinations::rotate))
        .route("/destinations/{id}/enable", post(destinations::enable))
        .route("/keys", get(access::keys).post(access::make_key))
        .route("/keys/{id}", delete(access::revoke_key))
        .route("/tokens", get(access::tokens).post(access::make_token))
        .route("/tokens/{id}", delete(access::revoke_token))
        .route("/workspace/lend", post(workspace::lend))
        .route("/openapi.json", get(document::show))
        .route("/docs", get(page::show))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

/// Somebody who may read.
pub(crate) struct Reader;

impl FromRequestParts<Arc<Server>> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Problem> {
        server.allow(token_of(parts), Needs::Reader.roles())?;
        Ok(Self)
    }
}

/// Somebody who may change segments.
pub(crate) struct Analyst;

impl FromRequestParts<Arc<Server>> for Analyst {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Problem> {
        server.allow(token_of(parts), Needs::Analyst.roles())?;
        Ok(Self)
    }
}

/// A command on the machine of the server.
pub(crate) struct Local;

impl FromRequestParts<Arc<Server>> for Local {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Problem> {
        server.allow_local(token_of(parts))?;
        Ok(Self)
    }
}

fn token_of(parts: &Parts) -> Option<&str> {
    let header = parts.headers.get("authorization")?;
    bearer(header.to_str().ok()?)
}

/// Somebody who may give and take back keys and tokens.
pub(crate) struct Admin;

impl FromRequestParts<Arc<Server>> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Problem> {
        server.allow(token_of(parts), Needs::Admin.roles())?;
        Ok(Self)
    }
}

/// Runs what waits for another thread where it keeps nobody waiting.
pub(crate) async fn ask<T: Send + 'static>(
    server: &Arc<Server>,
    question: impl FnOnce(&Server) -> Option<T> + Send + 'static,
) -> Result<T, Problem> {
    let server = Arc::clone(server);
    let answer = tokio::task::spawn_blocking(move || question(&server)).await;
    answer.ok().flatten().ok_or_else(Problem::stopping)
}
