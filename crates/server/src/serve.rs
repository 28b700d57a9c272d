//! Listens, routes, and stops when it is told to.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tokio::net::TcpListener;

use crate::state::Server;
use crate::{api, observe, tracking};

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

/// Begins to listen.
///
/// # Errors
/// When the address is taken or not allowed.
pub async fn serve(server: Server, address: SocketAddr) -> Result<Running, ServeError> {
    let failed = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Running {
        listener,
        address,
        server: Arc::new(server),
    })
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is ready, then finishes what was begun and gives the server back.
    ///
    /// # Errors
    /// When the operating system refuses to go on.
    pub async fn until(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Server, ServeError> {
        let app = router(Arc::clone(&self.server));
        let (stop_delivery, stopped) = tokio::sync::oneshot::channel();
        let delivery = self.server.delivery.clone().map(|delivery| {
            let server = Arc::clone(&self.server);
            tokio::spawn(delivery.run(server, stopped))
        });
        let served = axum::serve(self.listener, app)
            .with_graceful_shutdown(stop)
            .await;
        drop(stop_delivery);
        if let Some(delivery) = delivery {
            // One that failed has nothing to finish: the log says what is to be sent.
            let _ = delivery.await;
        }
        served.map_err(ServeError::Serve)?;
        Ok(Arc::into_inner(self.server).expect("nobody is served any more"))
    }
}

fn router(server: Arc<Server>) -> Router {
    // Compressed bodies may have a little more than the plain ones they stand for.
    let most = server.options.limits.batch_bytes + (64 << 10);
    Router::new()
        .route("/v1/projects/{key}/settings", get(tracking::settings))
        .route(
            "/v1/{endpoint}",
            post(tracking::take).options(tracking::preflight),
        )
        .layer(DefaultBodyLimit::max(most))
        .nest("/api/v1", api::routes())
        .route("/health", get(observe::health))
        .route("/metrics", get(observe::metrics))
        .fallback(api::asked::unknown_route)
        .method_not_allowed_fallback(api::asked::wrong_method)
        .with_state(server)
}
