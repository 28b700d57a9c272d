//! `/health` and `/metrics`.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::answer::Problem;
use crate::state::Server;

/// `GET /health`: 200 as long as events are taken.
pub(crate) async fn health(State(server): State<Arc<Server>>) -> Response {
    if server.live.is_running() {
        Json(serde_json::json!({"status": "ok"})).into_response()
    } else {
        Problem::stopping().into_response()
    }
}

/// `GET /metrics`: counts since the start, in the text form of Prometheus.
pub(crate) async fn metrics(State(server): State<Arc<Server>>) -> Response {
    let counts = &server.counts;
    let metrics = [
        ("events_stored_total", "Events on disk.", &counts.events),
        (
            "events_repeated_total",
            "Events that were on disk already.",
            &counts.repeated,
        ),
        (
            "events_rejected_total",
            "Events that could not be taken.",
            &counts.rejected,
        ),
        (
            "tracking_requests_total",
            "Requests to the tracking API.",
            &counts.requests,
        ),
        (
            "tracking_requests_refused_total",
            "Of these, answered with an error.",
            &counts.refused,
        ),
    ];
    let mut text = String::new();
    for (name, help, count) in metrics {
        let count = count.load(Ordering::Relaxed);
        let _ = writeln!(
            text,
            "# HELP regulars_{name} {help}\n# TYPE regulars_{name} counter\nregulars_{name} {count}"
        );
    }
    let waiting = server.live.waiting();
    let _ = writeln!(
        text,
        "# HELP regulars_records_waiting Records on disk that are not folded yet.\n\
         # TYPE regulars_records_waiting gauge\nregulars_records_waiting {waiting}"
    );
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
