//! Destinations: where transitions go.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use regulars_pipeline::PipelineError;
use regulars_pipeline::deliver::{self, DestinationView, NewDestination};
use serde::Serialize;

use super::asked::{Named, Told};
use super::{Admin, Reader, ask};
use crate::answer::Problem;
use crate::delivery::Delivery;
use crate::state::Server;

/// All destinations, oldest first.
#[derive(Debug, Serialize)]
pub(crate) struct Destinations {
    destinations: Vec<DestinationView>,
}

/// A destination with a secret that is shown this once.
#[derive(Debug, Serialize)]
pub(crate) struct WithSecret {
    #[serde(flatten)]
    destination: DestinationView,
    secret: String,
}

/// `GET /api/v1/destinations`.
pub(crate) async fn list(
    _: Reader,
    State(server): State<Arc<Server>>,
) -> Result<Json<Destinations>, Problem> {
    let destinations = delivery(&server)?
        .deliveries
        .destinations(server.live.now());
    Ok(Json(Destinations { destinations }))
}

/// `POST /api/v1/destinations`.
pub(crate) async fn add(
    _: Admin,
    State(server): State<Arc<Server>>,
    Told(wanted): Told<NewDestination>,
) -> Result<(StatusCode, Json<WithSecret>), Problem> {
    let (known, secret) = change(&server, move |delivery, store, now| {
        let offset = store.next_offset();
        deliver::add(store.dir(), delivery.guard(), wanted, offset, now)
    })
    .await?;
    let added = WithSecret {
        destination: DestinationView::of(&known, None),
        secret: secret.reveal(),
    };
    Ok((StatusCode::CREATED, Json(added)))
}

/// `DELETE /api/v1/destinations/{id}`.
pub(crate) async fn remove(
    _: Admin,
    State(server): State<Arc<Server>>,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    change(&server, move |_, store, _| {
        deliver::remove(store.dir(), &id)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/destinations/{id}/rotate`.
pub(crate) async fn rotate(
    _: Admin,
    State(server): State<Arc<Server>>,
    Named(id): Named<String>,
) -> Result<Json<WithSecret>, Problem> {
    let wanted = id.clone();
    let rotate = change(&server, move |_, store, _| {
        deliver::rotate(store.dir(), &wanted)
    });
    let secret = rotate.await?.reveal();
    let now = server.live.now();
    let mut views = delivery(&server)?.deliveries.destinations(now).into_iter();
    let destination = views
        .find(|view| view.id == id)
        .ok_or_else(|| Problem::not_found(&format!("destination `{id}`")))?;
    Ok(Json(WithSecret {
        destination,
        secret,
    }))
}

/// `POST /api/v1/destinations/{id}/enable`: after the receiver answered 410.
pub(crate) async fn enable(
    _: Admin,
    State(server): State<Arc<Server>>,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    let delivery = delivery(&server)?;
    let resumed = delivery.deliveries.resume(&id, server.live.now());
    resumed.map_err(|error| problem(&error))?;
    delivery.changed();
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the file of destinations and takes it up, between two frames of the log, so that each
/// transition is before or after it.
async fn change<T: Send + 'static>(
    server: &Arc<Server>,
    change: impl FnOnce(
        &Delivery,
        &regulars_store::Store,
        regulars_core::Timestamp,
    ) -> Result<T, PipelineError>
    + Send
    + 'static,
) -> Result<T, Problem> {
    let delivery = Arc::clone(delivery(server)?);
    let changed = ask(server, move |server| {
        let now = server.live.now();
        server.live.with_store(move |store| {
            let changed = change(&delivery, store, now)?;
            delivery.take_up(store, now)?;
            Ok(changed)
        })
    });
    changed
        .await?
        .map_err(|error: PipelineError| problem(&error))
}

pub(crate) fn delivery(server: &Server) -> Result<&Arc<Delivery>, Problem> {
    let delivery = server.delivery.as_ref();
    delivery.ok_or_else(|| Problem::not_found("delivery in this server"))
}

pub(crate) fn problem(error: &PipelineError) -> Problem {
    let message = error.to_string();
    match error {
        PipelineError::NotFound { .. } => Problem::new(StatusCode::NOT_FOUND, "not_found", message),
        PipelineError::Destination(_) => {
            Problem::new(StatusCode::BAD_REQUEST, "bad_destination", message)
        }
        _ => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", message),
    }
}
