//! Connections to addresses that were checked.
//!
//! A host is resolved once for a connection, every address that it has must pass the guard, and the
//! connection is opened to one of those very addresses: what a name server says a moment later
//! changes nothing. Addresses written as such take the same way.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::guard::Guard;
use crate::outcome::{Barrier, Fault, Outcome};
use crate::target::{host_of, is_https, port_of};

/// The addresses of a host, some time later.
pub type Resolved = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Tells the addresses of a host.
pub trait Resolve: fmt::Debug + Send + Sync {
    /// All addresses of `host`, with `port`.
    fn resolve(&self, host: &str, port: u16) -> Resolved;
}

/// Asks the operating system.
#[derive(Debug)]
pub(crate) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str, port: u16) -> Resolved {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, port)).await?;
            Ok(found.collect())
        })
    }
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("{0}")]
    Blocked(#[from] Barrier),
    #[error("{0}")]
    Failed(#[from] Fault),
}

impl From<ConnectError> for Outcome {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Blocked(why) => Self::Blocked { why },
            ConnectError::Failed(error) => Self::Unreachable { error },
        }
    }
}

/// A connection, with or without TLS.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Wire for S {}

impl Connection for Box<dyn Wire> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// Opens connections for the HTTP client.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) guard: Arc<Guard>,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) tls: TlsConnector,
    pub(crate) timeout: Duration,
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Box<dyn Wire>>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let deadline = Instant::now() + connector.timeout;
            let opened = timeout_at(deadline, connector.open(&uri, deadline)).await;
            let wire = opened.unwrap_or(Err(Fault::ConnectTimedOut.into()))?;
            Ok(TokioIo::new(wire))
        })
    }
}

impl Connector {
    async fn open(&self, uri: &Uri, deadline: Instant) -> Result<Box<dyn Wire>, ConnectError> {
        let host = host_of(uri);
        let addresses = self.checked_addresses(host, port_of(uri)).await?;
        let stream = connect_to_one(&addresses, deadline).await?;
        // Requests are small and written at once; not a reason to fail.
        let _ = stream.set_nodelay(true);
        if !is_https(uri) {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Fault::UnknownHost)?;
        let secured = self.tls.connect(name, stream).await.map_err(tls_fault)?;
        Ok(Box::new(secured))
    }

    /// The addresses of a host, when all of them may be called.
    async fn checked_addresses(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, ConnectError> {
        let addresses = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => {
                let found = self.resolver.resolve(host, port).await;
                found.map_err(|_| Fault::UnknownHost)?
            }
        };
        if addresses.is_empty() {
            return Err(Fault::UnknownHost.into());
        }
        for address in &addresses {
            self.guard.check_address(address.ip())?;
        }
        Ok(addresses)
    }
}

/// Tries addresses one after the other, each with its part of the time that is left.
async fn connect_to_one(
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<TcpStream, ConnectError> {
    let mut fault = Fault::ConnectFailed;
    for (tried, &address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let others = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let until = Instant::now() + left / others;
        match timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fault = Fault::ConnectionRefused;
            }
            Ok(Err(_)) => fault = Fault::ConnectFailed,
            Err(_) => fault = Fault::ConnectTimedOut,
        }
    }
    Err(fault.into())
}

fn tls_fault(error: io::Error) -> Fault {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(rustls::Error::InvalidCertificate(_)) => Fault::Certificate,
        _ => Fault::Tls,
    }
}

/// The [`ConnectError`] that an error of the HTTP client comes from.
pub(crate) fn connect_error(error: &(dyn Error + 'static)) -> Option<ConnectError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<ConnectError>() {
            return Some(*found);
        }
        next = error.source();
    }
    None
}
