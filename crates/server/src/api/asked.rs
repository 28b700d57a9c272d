//! What requests say, read with errors in the form of all others.

use std::sync::Arc;

use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;

use crate::answer::Problem;
use crate::state::Server;

/// The part of the path that stands for something.
pub(crate) struct Named<T>(pub(crate) T);

/// What comes after the question mark.
pub(crate) struct Asked<T>(pub(crate) T);

/// The JSON of a body.
pub(crate) struct Told<T>(pub(crate) T);

impl<T, S> FromRequestParts<S> for Named<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Path::from_request_parts(parts, state).await;
        let Path(value) = read.map_err(|error| {
            let message = format!("the path cannot be read: {}", error.body_text());
            Problem::new(StatusCode::BAD_REQUEST, "bad_path", message)
        })?;
        Ok(Self(value))
    }
}

impl<T, S> FromRequestParts<S> for Asked<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Query::from_request_parts(parts, state).await;
        let Query(value) = read.map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, "bad_query", error.body_text())
        })?;
        Ok(Self(value))
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<Server>> for Told<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, server: &Arc<Server>) -> Result<Self, Problem> {
        let patience = server.options.body_patience;
        let read = axum::Json::from_request(request, server);
        let read = tokio::time::timeout(patience, read).await;
        let read = read.map_err(|_| Problem::too_slow(patience))?;
        let axum::Json(value) = read.map_err(|error| of_json(&error))?;
        Ok(Self(value))
    }
}

fn of_json(error: &JsonRejection) -> Problem {
    match error {
        JsonRejection::BytesRejection(error) => of_bytes(error),
        JsonRejection::MissingJsonContentType(_) => Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_json",
            "send JSON, with `Content-Type: application/json`",
        ),
        error => Problem::new(StatusCode::BAD_REQUEST, "bad_body", error.body_text()),
    }
}

/// A body that is too large, or that ended too early.
fn of_bytes(error: &BytesRejection) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    cut_short()
}

/// A body that is too large.
pub(crate) fn too_large() -> Problem {
    let message = "the body is larger than may be sent: send less at once";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
}

/// A body that ended too early.
pub(crate) fn cut_short() -> Problem {
    let message = "the body did not arrive whole: send it again";
    Problem::new(StatusCode::BAD_REQUEST, "body_cut_short", message)
}

/// No such path.
pub(crate) async fn unknown_route() -> impl IntoResponse {
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown_route",
        "there is nothing at this path: /api/v1/docs lists what there is",
    )
}

/// A path that is known with another method only.
pub(crate) async fn wrong_method() -> impl IntoResponse {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong_method",
        "this path does not take this method: the header `Allow` says which ones it does, and \
         /api/v1/docs lists them all",
    )
}
