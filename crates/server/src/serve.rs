//! Listens, routes, and stops when it is told to.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use tokio::net::TcpListener;

use crate::state::Server;
use crate::{api, connections, grants, journal, observe, tracking};

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Choose another address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The operating system refused.
    #[error("cannot go on serving: {0}")]
    Serve(std::io::Error),
}

/// A server that listens.
#[derive(Debug)]
pub struct Running {
    listener: TcpListener,
    address: SocketAddr,
    server: Arc<Server>,
}

/// Takes up a port that was bound before.
///
/// # Errors
/// When the operating system refuses.
pub fn serve(server: Server, listener: std::net::TcpListener) -> Result<Running, ServeError> {
    listener.set_nonblocking(true).map_err(ServeError::Serve)?;
    let listener = TcpListener::from_std(listener).map_err(ServeError::Serve)?;
    let address = listener.local_addr().map_err(ServeError::Serve)?;
    Ok(Running {
        listener,
        address,
        server: Arc::new(server),
    })
}

/// Binds a port: before anything else is done, so that nothing is done when it is taken.
///
/// # Errors
/// When the address is taken or not allowed.
pub fn bind(address: SocketAddr) -> Result<std::net::TcpListener, ServeError> {
    let failed = |source| ServeError::Listen { address, source };
    let listener = std::net::TcpListener::bind(address).map_err(failed)?;
    // The library's own queue is short: in a burst who finds it full tries again a second later.
    #[cfg(unix)]
    rustix::net::listen(&listener, ACCEPT_QUEUE).map_err(|error| failed(error.into()))?;
    Ok(listener)
}

/// Connections that may wait to be taken; the system may have a lower bound.
#[cfg(unix)]
const ACCEPT_QUEUE: i32 = 4_096;
/// How long connections may take to end when the server stops.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked at whether events are still taken.
const LOOK_EVERY: Duration = Duration::from_millis(250);

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is ready or no more events can be taken, then finishes what was
    /// begun: requests have ten seconds to end.
    pub async fn until(self, stop: impl Future<Output = ()> + Send + 'static) -> Arc<Server> {
        let app = router(Arc::clone(&self.server));
        let (stop_delivery, stopped) = tokio::sync::oneshot::channel();
        let grants = tokio::spawn(grants::follow(Arc::clone(&self.server)));
        let delivery = self.server.delivery.clone().map(|delivery| {
            let server = Arc::clone(&self.server);
            tokio::spawn(delivery.run(server, stopped))
        });
        let server = Arc::clone(&self.server);
        let stop = async move {
            tokio::select! {
                () = stop => {}
                () = ended(&server) => {}
            }
        };
        let connections = Arc::clone(&self.server.connections);
        let options = &self.server.options;
        connections::take(self.listener, app, connections, options, stop, PATIENCE).await;
        grants.abort();
        drop(stop_delivery);
        if let Some(delivery) = delivery {
            // One that failed has nothing to finish: the log says what is to be sent.
            let _ = delivery.await;
        }
        self.server
    }
}

/// Ready when no more events can be taken.
async fn ended(server: &Server) {
    while server.takes_events() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn router(server: Arc<Server>) -> Router {
    Router::new()
        .route("/v1/projects/{key}/settings", get(tracking::settings))
        .route(
            "/v1/{endpoint}",
            post(tracking::take).options(tracking::preflight),
        )
        .nest("/api/v1", api::routes().layer(from_fn(journal::of_api)))
        .route("/health", get(observe::health))
        .route("/metrics", get(observe::metrics))
        .fallback(api::asked::unknown_route)
        .method_not_allowed_fallback(api::asked::wrong_method)
        .with_state(server)
}
