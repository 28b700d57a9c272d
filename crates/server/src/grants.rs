//! Follows the file of grants: what other processes change in it holds here within a second.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::state::Server;

/// The file is read so often: it is small, and its time of modification does not tell two changes
/// in one tick apart.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Reads the file again and again; never ends. One that cannot be read changes nothing, and that
/// is said once.
pub(crate) async fn follow(server: Arc<Server>) {
    let mut said = None;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let server = Arc::clone(&server);
        let reloaded = tokio::task::spawn_blocking(move || {
            let access = server.access.write();
            access.unwrap_or_else(PoisonError::into_inner).reload()
        });
        let trouble = match reloaded.await {
            Ok(Err(error)) => Some(error.to_string()),
            Ok(Ok(())) | Err(_) => None,
        };
        if trouble != said {
            if let Some(trouble) = &trouble {
                tracing::error!("keys and tokens stay as they were: {trouble}");
            }
            said = trouble;
        }
    }
}
