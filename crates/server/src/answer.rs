//! Answers in case of trouble: JSON that says what is wrong and what to do.

use std::io::Write as _;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use regulars_pipeline::PipelineError;
use serde::Serialize;

/// A problem, in the form of RFC 9457, with the `code` and `message` that tracking SDKs read.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    #[serde(skip)]
    status: StatusCode,
    /// For a program.
    pub(crate) code: &'static str,
    /// For a person: what is wrong and what to do.
    message: String,
    title: &'static str,
    #[serde(rename = "status")]
    number: u16,
    #[serde(skip)]
    retry_after_seconds: Option<u32>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            title: status.canonical_reason().unwrap_or_default(),
            number: status.as_u16(),
            retry_after_seconds: None,
        }
    }

    /// Asks to try again after so many seconds.
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    pub(crate) fn unknown_key() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unknown_key",
            "the write key is missing or unknown: send it as the user name of HTTP Basic \
             authentication; `regulars keys create` makes one",
        )
    }

    pub(crate) fn no_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unknown_token",
            "the token is missing or unknown: send `Authorization: Bearer TOKEN`; `regulars \
             tokens create` makes one",
        )
    }

    pub(crate) fn not_allowed(role: &str) -> Self {
        let message = format!("a token of role `{role}` may not do this: use one that may");
        Self::new(StatusCode::FORBIDDEN, "not_allowed", message)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is no {what}"),
        )
    }

    /// What a question to the live path ended with.
    pub(crate) fn of(error: &PipelineError) -> Self {
        match error {
            PipelineError::NotFound { .. } => {
                Self::new(StatusCode::NOT_FOUND, "not_found", error.to_string())
            }
            PipelineError::Rule(_) => {
                Self::new(StatusCode::BAD_REQUEST, "bad_rule", error.to_string())
            }
            PipelineError::SeveralKinds { .. } => {
                Self::new(StatusCode::BAD_REQUEST, "several_kinds", error.to_string())
            }
            error => Self::failed(error),
        }
    }

    /// Why a segment cannot be changed.
    pub(crate) fn of_segment(error: &PipelineError) -> Self {
        match error {
            PipelineError::Segment { .. } => {
                Self::new(StatusCode::BAD_REQUEST, "bad_segment", error.to_string())
            }
            error => Self::of(error),
        }
    }

    /// Settings or segments on disk make no sense.
    pub(crate) fn of_workspace(error: &PipelineError) -> Self {
        let message = format!("the workspace makes no sense as it is: {error}");
        Self::new(StatusCode::CONFLICT, "bad_workspace", message)
    }

    /// Something went wrong here; what it was is not the asker's business.
    pub(crate) fn failed(error: &dyn std::error::Error) -> Self {
        // Whoever runs the server reads it there; when nobody can, nothing is lost.
        let _ = writeln!(std::io::stderr(), "a request failed: {error}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "failed",
            "the server could not do this: its messages say why",
        )
    }

    /// More is under way than there is room for.
    pub(crate) fn busy() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "more is waiting than can be kept up with: try again in a second",
        )
        .retry_after(1)
    }

    /// A body did not arrive in time.
    pub(crate) fn too_slow(patience: Duration) -> Self {
        let seconds = patience.as_secs();
        let message = format!("the body took longer than {seconds} seconds: send it again");
        Self::new(StatusCode::REQUEST_TIMEOUT, "too_slow", message)
    }

    /// A write key sends more than it may.
    pub(crate) fn too_fast(per_second: u64, seconds: u32) -> Self {
        let message = format!(
            "this write key may send {per_second} events a second: send again in {seconds} s, and \
             less at once; `events_per_second` in regulars.toml says how many"
        );
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_fast", message).retry_after(seconds)
    }

    pub(crate) fn stopping() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "stopping",
            "the server is stopping: try again in a few seconds",
        )
        .retry_after(5)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(&self)).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
