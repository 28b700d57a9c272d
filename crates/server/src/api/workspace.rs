//! The data, lent to a command on this machine that needs it for itself.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use http_body::Frame;
use tokio::sync::oneshot;

use super::{Local, ask};
use crate::answer::Problem;
use crate::state::Server;

/// What the answer begins with as soon as the data is free.
const LENT: &[u8] = b"lent\n";

/// `POST /api/v1/workspace/lend`: the answer does not end; the data is lent as long as the
/// connection is open.
pub(crate) async fn lend(_: Local, State(server): State<Arc<Server>>) -> Result<Response, Problem> {
    let (begin, begun) = oneshot::channel();
    let (held, given_back) = std::sync::mpsc::channel::<Infallible>();
    let lending = Arc::clone(&server);
    let ended = tokio::spawn(async move {
        ask(&lending, move |server| {
            server.live.lend(move || {
                // One who has gone already does not hold it.
                let _ = begin.send(());
                let _ = given_back.recv();
            })
        })
        .await
    });
    if begun.await.is_ok() {
        let body = Held {
            greeting: Some(Bytes::from_static(LENT)),
            _held: held,
        };
        return Ok(Response::new(Body::new(body)));
    }
    match ended.await {
        Ok(Ok(Err(error))) => {
            let message = format!("the workspace cannot be taken up again as it is: {error}");
            Err(Problem::new(StatusCode::CONFLICT, "bad_workspace", message))
        }
        Ok(Ok(Ok(()))) | Err(_) => Err(Problem::stopping()),
        Ok(Err(problem)) => Err(problem),
    }
}

/// A body that greets, and goes when the connection does.
struct Held {
    greeting: Option<Bytes>,
    _held: Sender<Infallible>,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.greeting.take() {
            Some(greeting) => Poll::Ready(Some(Ok(Frame::data(greeting)))),
            None => Poll::Pending,
        }
    }
}
