//! `/health` and `/metrics`.

use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::answer::Problem;
use crate::state::Server;

/// `GET /health`: 200 as long as events are taken.
pub(crate) async fn health(State(server): State<Arc<Server>>) -> Response {
    if server.takes_events() {
        Json(serde_json::json!({"status": "ok"})).into_response()
    } else {
        // A server that is told to stop does not listen any more by then.
        let message = "no events are taken any more, since the disk refused or something failed: \
                       the server ends, and its messages say why";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "failed", message);
        problem.into_response()
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
        (
            "events_limited_total",
            "Events refused because their write key sends too many.",
            &counts.limited,
        ),
    ];
    let mut text = String::new();
    for (name, help, count) in metrics {
        add(
            &mut text,
            "counter",
            name,
            help,
            count.load(Ordering::Relaxed),
        );
    }
    add(
        &mut text,
        "counter",
        "transitions_total",
        "Times that a customer entered or left a segment.",
        server.transitions.found(),
    );
    let connections = &server.connections;
    add(
        &mut text,
        "counter",
        "connections_refused_total",
        "Connections refused because there were as many as there may be.",
        connections.refused(),
    );
    let unmoved = usize::try_from(server.live.unmoved()).unwrap_or(usize::MAX);
    let gauges = [
        (
            "connections",
            "Connections now, idle ones included.",
            connections.open(),
        ),
        (
            "body_bytes",
            "Bytes of tracking bodies that are being read or wait for the disk.",
            server.budget.used(),
        ),
        (
            "records_waiting",
            "Records on disk that are not folded yet.",
            server.live.waiting(),
        ),
        (
            "records_unmoved",
            "Records of the log that are not moved to the history yet.",
            unmoved,
        ),
    ];
    for (name, help, value) in gauges {
        add(&mut text, "gauge", name, help, value);
    }
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

fn add(text: &mut String, kind: &str, name: &str, help: &str, value: impl Display) {
    let _ = writeln!(
        text,
        "# HELP regulars_{name} {help}\n# TYPE regulars_{name} {kind}\nregulars_{name} {value}"
    );
}
