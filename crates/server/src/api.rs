//! The REST API: who is who, who is where, who moved.

mod customers;
mod deliveries;
mod destinations;
mod segments;
mod transitions;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::routing::{delete, get, post};
use regulars_ingest::tracking::bearer;
use regulars_store::access::Role;

use crate::answer::Problem;
use crate::state::Server;

pub(crate) fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/segments", get(segments::list))
        .route("/segments/{segment}/members", get(segments::members))
        .route("/customers/{customer}", get(customers::show))
        .route(
            "/customers/{customer}/segments/{segment}",
            get(customers::explain),
        )
        .route("/transitions", get(transitions::list))
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/{id}/replay", post(deliveries::replay))
        .route(
            "/destinations",
            get(destinations::list).post(destinations::add),
        )
        .route("/destinations/{id}", delete(destinations::remove))
        .route("/destinations/{id}/rotate", post(destinations::rotate))
        .route("/destinations/{id}/enable", post(destinations::enable))
}

/// Somebody who may read.
pub(crate) struct Reader;

impl FromRequestParts<Arc<Server>> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Problem> {
        let header = parts.headers.get("authorization");
        let header = header.and_then(|value| value.to_str().ok());
        server.allow(header.and_then(bearer), &[Role::ReadOnly, Role::Analyst])?;
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
