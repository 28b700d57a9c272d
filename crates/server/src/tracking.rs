//! The tracking API: what SDKs send to.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use regulars_ingest::tracking::{
    BodyError, Endpoint, InflateError, RejectCode, Rejected, bearer, inflate, read,
    write_key_of_basic,
};
use regulars_pipeline::live::{Appended, NotTaken, Sender, Trust};
use regulars_store::access::{Grant, Role};
use serde::Serialize;
use tokio::sync::oneshot;

use crate::answer::Problem;
use crate::body;
use crate::state::Server;

/// Compressed bodies may have so many bytes more than the plain ones that they stand for.
const PACKED_BYTES: usize = 64 << 10;

/// What the tracking API answers when events were taken.
#[derive(Debug, Serialize)]
struct Taken {
    success: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rejected: Vec<RejectedEvent>,
}

/// An event that was left out.
#[derive(Debug, Serialize)]
struct RejectedEvent {
    index: usize,
    code: serde_json::Value,
    message: String,
}

impl From<Rejected> for RejectedEvent {
    fn from(rejected: Rejected) -> Self {
        Self {
            index: rejected.index,
            code: serde_json::json!(rejected.code),
            message: rejected.message,
        }
    }
}

/// `POST /v1/{endpoint}`.
pub(crate) async fn take(
    State(server): State<Arc<Server>>,
    Path(endpoint): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let begun = Instant::now();
    let answer = match accept(&server, &endpoint, &headers, body).await {
        Ok(taken) => Json(taken).into_response(),
        Err(problem) => {
            server.counts.refused.fetch_add(1, Ordering::Relaxed);
            server.counts.refusals.add(problem.code);
            problem.into_response()
        }
    };
    server.counts.requests.fetch_add(1, Ordering::Relaxed);
    server.counts.tracking.add(begun.elapsed());
    with_cors(answer)
}

/// `OPTIONS /v1/…`: browsers ask before they send.
pub(crate) async fn preflight() -> Response {
    let mut response = with_cors(StatusCode::NO_CONTENT.into_response());
    let headers = response.headers_mut();
    let fixed = HeaderValue::from_static;
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, fixed("POST, OPTIONS"));
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        fixed(
            "authorization, content-type, content-encoding, x-write-key, x-retry-count, anonymousid",
        ),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, fixed("86400"));
    response
}

/// `GET /v1/projects/{key}/settings`: what the browser library asks first.
pub(crate) async fn settings(
    State(server): State<Arc<Server>>,
    Path(key): Path<String>,
) -> Response {
    if server
        .grant(&key)
        .is_none_or(|grant| !grant.role.is_write())
    {
        return with_cors(Problem::unknown_key().into_response());
    }
    let settings = serde_json::json!({
        "integrations": {"Segment.io": {"apiKey": key, "unbundledIntegrations": [], "addBundledMetadata": true}},
        "plan": {"track": {"__default": {"enabled": true}}},
    });
    with_cors(Json(settings).into_response())
}

fn with_cors(mut response: Response) -> Response {
    let anyone = HeaderValue::from_static("*");
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anyone);
    response
}

async fn accept(
    server: &Server,
    endpoint: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Taken, Problem> {
    let endpoint = Endpoint::named(endpoint).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "unknown_endpoint",
            "send to /v1/track, identify, page, screen, group, alias or batch",
        )
    })?;
    let options = &server.options;
    let limits = &options.limits;
    // Held until the events are on disk, or refused.
    let mut charge = server.budget.charge();
    let most = limits.batch_bytes + PACKED_BYTES;
    let body = body::read(body, most, options.body_patience, &mut charge).await?;
    let encoding = headers.get(header::CONTENT_ENCODING);
    let encoding = encoding.and_then(|encoding| encoding.to_str().ok());
    let body = inflate(&body, encoding, limits.batch_bytes).map_err(|error| of_inflate(&error))?;
    if let Cow::Owned(inflated) = &body {
        charge.add(inflated.len())?;
    }
    let received_at = server.live.now();
    let received = read(endpoint, &body, received_at, limits).map_err(|error| of_body(&error))?;
    let grant = authorise(server, headers, received.write_key.as_deref())?;
    let events = received.events.len();
    let allowed = server.rates.take(&grant.id, events, received_at);
    allowed.map_err(|seconds| {
        server
            .counts
            .limited
            .fetch_add(events as u64, Ordering::Relaxed);
        Problem::too_fast(server.rates.per_second(), seconds)
    })?;
    let rejected = received.rejected.into_iter().map(RejectedEvent::from);
    let rejected: Vec<RejectedEvent> = rejected.collect();
    let events: Vec<_> = received
        .events
        .into_iter()
        .map(regulars_ingest::tracking::TrackedEvent::into_owned)
        .collect();
    let (answer, answered) = oneshot::channel();
    let answer = Box::new(move |appended| {
        drop(charge);
        // Whoever asked may have gone: the events are stored all the same.
        let _ = answer.send(appended);
    });
    server
        .live
        .append(events, sender_of(&grant, headers), received_at, answer);
    let appended = answered.await.map_err(|_| Problem::stopping())?;
    let appended = appended.map_err(|why| {
        if matches!(why, NotTaken::Failed(_)) {
            server.failed.store(true, Ordering::Relaxed);
        }
        of_not_taken(&why)
    })?;
    taken(server, appended, rejected)
}

/// What the word of a write key is worth. One that a browser sends from a page is public, whatever it
/// was made for.
fn sender_of(grant: &Grant, headers: &HeaderMap) -> Sender {
    let is_public = grant.role == Role::WriteClient || headers.contains_key(header::ORIGIN);
    let trust = if is_public {
        Trust::Client
    } else {
        Trust::Server
    };
    Sender {
        trust,
        key: Some(Arc::from(grant.id.as_str())),
    }
}

/// What is answered when events are on disk.
fn taken(
    server: &Server,
    appended: Appended,
    mut rejected: Vec<RejectedEvent>,
) -> Result<Taken, Problem> {
    let Appended {
        stored,
        repeated,
        nobody,
    } = appended;
    rejected.extend(nobody.into_iter().map(names_nobody));
    rejected.sort_by_key(|rejected| rejected.index);
    let counts = &server.counts;
    counts.events.fetch_add(stored as u64, Ordering::Relaxed);
    counts
        .repeated
        .fetch_add(repeated as u64, Ordering::Relaxed);
    counts
        .rejected
        .fetch_add(rejected.len() as u64, Ordering::Relaxed);
    if stored + repeated == 0 && !rejected.is_empty() {
        let message = rejected.swap_remove(0).message;
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "no_usable_event",
            message,
        ));
    }
    Ok(Taken {
        success: true,
        rejected,
    })
}

fn names_nobody(index: usize) -> RejectedEvent {
    RejectedEvent {
        index,
        code: serde_json::json!(RejectCode::NoId),
        message: "every id of the event is one that many people share (such as `null`, `0`, \
                  `anonymous`): send the customer's own id"
            .to_owned(),
    }
}

/// Finds the write key: HTTP Basic, Bearer, `X-Write-Key` or the body's `writeKey`.
fn authorise(
    server: &Server,
    headers: &HeaderMap,
    in_body: Option<&str>,
) -> Result<Grant, Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = text("authorization").unwrap_or_default();
    let basic = write_key_of_basic(authorization);
    let candidates = [
        basic.as_deref(),
        bearer(authorization),
        text("x-write-key"),
        in_body,
    ];
    let known = |key: &str| {
        let grant = server.grant(key);
        grant.filter(|grant| grant.role.is_write())
    };
    let mut candidates = candidates.into_iter().flatten();
    candidates.find_map(known).ok_or_else(Problem::unknown_key)
}

fn of_inflate(error: &InflateError) -> Problem {
    let status = match error {
        InflateError::UnknownEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        InflateError::Damaged => StatusCode::BAD_REQUEST,
        InflateError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
    };
    Problem::new(status, error.code(), error.to_string())
}

fn of_body(error: &BodyError) -> Problem {
    let status = if error.is_too_large() {
        StatusCode::PAYLOAD_TOO_LARGE
    } else {
        StatusCode::BAD_REQUEST
    };
    Problem::new(status, error.code(), error.to_string())
}

fn of_not_taken(why: &NotTaken) -> Problem {
    match why {
        NotTaken::Busy => Problem::busy(),
        NotTaken::Stopping => Problem::stopping(),
        // What exactly is for whoever runs the server, not for everyone with a write key.
        NotTaken::Failed(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not_stored",
            "the events could not be stored, since the server's disk refused: send them again \
             later; the server's messages say why",
        )
        .retry_after(5),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use regulars_core::Timestamp;
    use regulars_pipeline::live::Trust;
    use regulars_store::access::{Access, Role};

    use super::sender_of;

    #[test]
    fn what_a_browser_sends_is_the_word_of_a_public_key() {
        let dir = tempfile::TempDir::new().unwrap();
        let mut access = Access::load(dir.path()).unwrap();
        for role in [Role::Write, Role::WriteClient] {
            access.grant(role, "shop", Timestamp(0)).unwrap();
        }
        let mut page = HeaderMap::new();
        page.insert("origin", "https://shop.example".parse().unwrap());
        let trusts = |headers: &HeaderMap| {
            let all = access.grants().iter();
            all.map(|grant| sender_of(grant, headers).trust)
                .collect::<Vec<_>>()
        };
        assert_eq!(trusts(&HeaderMap::new()), [Trust::Server, Trust::Client]);
        assert_eq!(trusts(&page), [Trust::Client, Trust::Client]);
    }
}
