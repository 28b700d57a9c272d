//! `/health` and `/metrics`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::answer::Problem;
use crate::metrics::Page;
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
    let mut page = Page::default();
    of_tracking(&mut page, &server);
    page.counter(
        "transitions_total",
        "Times that a customer entered or left a segment.",
        server.transitions.found(),
    );
    page.histogram(
        "transition_seconds",
        "From the answer to an event until a transition that it caused is on disk.",
        server.live.delays(),
    );
    of_connections(&mut page, &server);
    page.gauge(
        "records_waiting",
        "Records on disk that are not folded yet.",
        server.live.waiting(),
    );
    page.gauge(
        "records_unmoved",
        "Records of the log that are not moved to the history yet.",
        server.live.unmoved(),
    );
    of_deliveries(&mut page, &server);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], page.into_text()).into_response()
}

fn of_tracking(page: &mut Page, server: &Server) {
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
            "events_limited_total",
            "Events refused because their write key sends too many.",
            &counts.limited,
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
    for (name, help, count) in metrics {
        page.counter(name, help, count.load(Ordering::Relaxed));
    }
    page.histogram(
        "tracking_seconds",
        "From the head of a request to the tracking API to its answer.",
        &counts.tracking,
    );
}

fn of_connections(page: &mut Page, server: &Server) {
    let connections = &server.connections;
    page.counter(
        "connections_refused_total",
        "Connections refused because there were as many as there may be.",
        connections.refused(),
    );
    page.gauge(
        "connections",
        "Connections now, idle ones included.",
        connections.open(),
    );
    page.gauge(
        "body_bytes",
        "Bytes of tracking bodies that are being read or wait for the disk.",
        server.budget.used(),
    );
}

fn of_deliveries(page: &mut Page, server: &Server) {
    let Some(delivery) = &server.delivery else {
        return;
    };
    let counts = &delivery.counts;
    page.counter(
        "deliveries_delivered_total",
        "Attempts to deliver that the receiver took.",
        counts.delivered.load(Ordering::Relaxed),
    );
    page.counter(
        "deliveries_failed_total",
        "Attempts to deliver that failed.",
        counts.failed.load(Ordering::Relaxed),
    );
    page.histogram(
        "delivery_seconds",
        "Of an attempt to deliver, from its begin to its end.",
        &counts.attempts,
    );
    let destinations = delivery.deliveries.destinations(server.live.now());
    let each = || destinations.iter();
    let pending = each().map(|it| (it.id.as_str(), it.pending));
    page.gauges(
        "deliveries_pending",
        "Deliveries that wait for an attempt.",
        "destination",
        pending,
    );
    let held = each().map(|it| (it.id.as_str(), u8::from(it.held_until.is_some())));
    page.gauges(
        "destination_held",
        "1 while nothing is sent since the receiver fails or asked to wait.",
        "destination",
        held,
    );
    let disabled = each().map(|it| (it.id.as_str(), u8::from(!it.enabled)));
    page.gauges(
        "destination_disabled",
        "1 when it was disabled, or the receiver answered 410.",
        "destination",
        disabled,
    );
}
