//! The HTTP client: one guarded POST at a time, and how it ended.
//!
//! What is not here cannot go wrong: it follows no redirect, heeds no proxy, keeps no cookie, and
//! tells nothing of what a receiver wrote. Every request ends in bounded time with bounded memory.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use regulars_core::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::connect::{Connector, Resolve, SystemResolver, connect_error};
use crate::guard::Guard;
use crate::outcome::{Fault, Outcome};
use crate::schedule::parse_retry_after;
use crate::signature::SignedMessage;
use crate::target::Target;

/// At most this much of an answer is read, in bytes: enough to use the connection again.
const ANSWER_BYTES: usize = 64 * 1024;
/// At most this much is held of the head of an answer, in bytes.
const HEAD_BYTES: usize = 64 * 1024;
const IDLE_CONNECTIONS: usize = 8;
const IDLE_SECONDS: u64 = 30;
const AGENT: &str = concat!("Regulars/", env!("CARGO_PKG_VERSION"));

/// How requests are made, as settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientSettings {
    /// What may be called.
    pub guard: Guard,
    /// Milliseconds for a connection: name, TCP and TLS.
    pub connect_timeout_ms: u64,
    /// Milliseconds for all of a request and its answer.
    pub total_timeout_ms: u64,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            guard: Guard::default(),
            connect_timeout_ms: 3_000,
            total_timeout_ms: 15_000,
        }
    }
}

/// Why there is no client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Correct the file.
    #[error("the certificates of the additional authorities are not readable as PEM")]
    Roots,
    /// A fault of this program.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Sends messages. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: legacy::Client<Connector, Full<Bytes>>,
    guard: Arc<Guard>,
    total_timeout: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// A client that trusts the certificate authorities of Mozilla's list, which is built in, and
    /// those in `extra_roots_pem` (none when empty).
    ///
    /// # Errors
    /// When `extra_roots_pem` is not empty and holds no certificates.
    pub fn new(settings: &ClientSettings, extra_roots_pem: &[u8]) -> Result<Self, ClientError> {
        Self::with_resolver(settings, extra_roots_pem, Arc::new(SystemResolver))
    }

    /// A client that asks `resolver` for the addresses of hosts.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_resolver(
        settings: &ClientSettings,
        extra_roots_pem: &[u8],
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, ClientError> {
        let guard = Arc::new(settings.guard.clone());
        let connector = Connector {
            guard: Arc::clone(&guard),
            resolver,
            tls: TlsConnector::from(Arc::new(tls_config(extra_roots_pem)?)),
            timeout: Duration::from_millis(settings.connect_timeout_ms),
        };
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(IDLE_SECONDS))
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http1_max_buf_size(HEAD_BYTES)
            .build(connector);
        Ok(Self {
            http,
            guard,
            total_timeout: Duration::from_millis(settings.total_timeout_ms),
        })
    }

    /// Posts `message` to `target`. Never waits longer than the settings say, and never fails: how
    /// it ended is the result.
    pub async fn send(&self, target: &Target, message: &SignedMessage) -> Outcome {
        if let Err(why) = self.guard.check_target(target) {
            return Outcome::Blocked { why };
        }
        let deadline = Instant::now() + self.total_timeout;
        let answer = timeout_at(deadline, self.http.request(request(target, message))).await;
        let (head, body) = match answer {
            Ok(Ok(answer)) => answer.into_parts(),
            Ok(Err(error)) => return outcome_of_failure(&error),
            Err(_) => {
                let error = Fault::TimedOut;
                return Outcome::Unreachable { error };
            }
        };
        // The status decides; the rest is read only so that the connection can be used again.
        let _ = timeout_at(deadline, drain(body)).await;
        outcome_of_answer(head.status, &head.headers, message.attempted_at())
    }
}

fn tls_config(extra_roots_pem: &[u8]) -> Result<ClientConfig, ClientError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let known = roots.len();
    for certificate in CertificateDer::pem_slice_iter(extra_roots_pem) {
        let certificate = certificate.map_err(|_| ClientError::Roots)?;
        roots.add(certificate).map_err(|_| ClientError::Roots)?;
    }
    if roots.len() == known && !extra_roots_pem.is_empty() {
        return Err(ClientError::Roots);
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::Tls(error.to_string()))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn request(target: &Target, message: &SignedMessage) -> Request<Full<Bytes>> {
    let header = |text: &str| {
        HeaderValue::from_str(text).expect("hexadecimal digits, numbers and base64 fit headers")
    };
    let mut request = Request::new(Full::new(message.body().clone()));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = target.uri().clone();
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert("webhook-id", header(&message.id().to_string()));
    let timestamp = message.timestamp_seconds().to_string();
    headers.insert("webhook-timestamp", header(&timestamp));
    headers.insert("webhook-signature", header(message.signature()));
    request
}

async fn drain(mut body: Incoming) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > ANSWER_BYTES {
            return;
        }
    }
}

fn outcome_of_answer(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Outcome {
    if status.is_success() {
        return Outcome::Delivered {
            status: status.as_u16(),
        };
    }
    if status == StatusCode::GONE {
        return Outcome::Gone;
    }
    let asked = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    Outcome::Refused {
        status: status.as_u16(),
        retry_after_ms: asked.and_then(|text| parse_retry_after(text, now)),
    }
}

fn outcome_of_failure(error: &legacy::Error) -> Outcome {
    if let Some(error) = connect_error(error) {
        return error.into();
    }
    let source = std::error::Error::source(error);
    let hyper = source.and_then(|source| source.downcast_ref::<hyper::Error>());
    let error = match hyper {
        Some(error) if error.is_parse() => Fault::InvalidAnswer,
        _ => Fault::Closed,
    };
    Outcome::Unreachable { error }
}
