//! Deliveries: what was sent, what was not, each attempt, and sending it again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use regulars_pipeline::PipelineError;
use regulars_pipeline::deliver::{self, AttemptsView, DeliveryView, Which};
use regulars_store::Store;
use serde::{Deserialize, Serialize};

use super::asked::{Asked, Named};
use super::destinations::{delivery, problem};
use super::{Admin, Reader, ask};
use crate::answer::Problem;
use crate::state::Server;

/// Which, and how many at most.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    failed: Option<bool>,
    limit: Option<usize>,
}

/// Deliveries, the latest last.
#[derive(Debug, Serialize)]
pub(crate) struct Deliveries {
    deliveries: Vec<DeliveryView>,
}

/// `GET /api/v1/deliveries?failed&limit`.
pub(crate) async fn list(
    _: Reader,
    State(server): State<Arc<Server>>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Deliveries>, Problem> {
    let which = if wanted.failed == Some(true) {
        Which::Failed
    } else {
        Which::All
    };
    let limit = wanted.limit.unwrap_or(100).clamp(1, 10_000);
    let found = delivery(&server)?.deliveries.latest(which, limit);
    let views = ask(&server, move |server| {
        server.live.with_store(move |store| {
            let customers: Vec<_> = found.iter().map(|one| one.customer()).collect();
            let names = deliver::names(store, &customers).into_iter();
            let pairs = found.iter().zip(names);
            pairs
                .map(|(one, told)| DeliveryView::of(one, told.customer_id))
                .collect()
        })
    });
    let deliveries = views.await?;
    Ok(Json(Deliveries { deliveries }))
}

/// `POST /api/v1/deliveries/{id}/replay`.
pub(crate) async fn replay(
    _: Admin,
    State(server): State<Arc<Server>>,
    Named(id): Named<String>,
) -> Result<Json<DeliveryView>, Problem> {
    let replayed: Result<DeliveryView, PipelineError> = ask(&server, move |server| {
        let delivery = server.delivery.as_ref()?;
        let now = server.live.now();
        let replayed = delivery.deliveries.replay(&id, now);
        delivery.changed();
        server.live.with_store(move |store| {
            let replayed = replayed?;
            let told = deliver::names(store, &[replayed.customer()]).pop();
            let customer_id = told.and_then(|told| told.customer_id);
            Ok(DeliveryView::of(&replayed, customer_id))
        })
    })
    .await?;
    Ok(Json(replayed.map_err(|error| problem(&error))?))
}

/// `GET /api/v1/deliveries/{id}/attempts`.
pub(crate) async fn attempts(
    _: Reader,
    State(server): State<Arc<Server>>,
    Named(id): Named<String>,
) -> Result<Json<AttemptsView>, Problem> {
    let read: Result<AttemptsView, PipelineError> = ask(&server, move |server| {
        let delivery = server.delivery.as_ref()?;
        let read = |store: &Store| delivery.deliveries.attempts(store, &id);
        server.live.read_beside(read)
    })
    .await?;
    Ok(Json(read.map_err(|error| problem(&error))?))
}
