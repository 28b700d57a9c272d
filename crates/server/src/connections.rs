//! Connections: how many there may be, how long one may say nothing, and who gives way.
//!
//! ```text
//! accept ─► a seat is free? ─► one task: requests one after the other, idle between them
//!               │ hardly: the connection that has been idle longest gives way
//!               └ no: 503, closed
//! ```
//!
//! A connection is busy from the end of a request's head until all of its answer is on its way,
//! and idle otherwise: a head that comes byte by byte is idle, and so is the end of an answer that
//! nobody reads.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::ErrorKind;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::StatusCode;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tower_service::Service as _;

use crate::answer::Problem;
use crate::state::ServerOptions;

/// One part in so many of the connections is for those that give way, until they have gone.
const SPARE: usize = 16;
/// A connection that gives way has so long to send the rest of its last answer.
const GIVES_WAY: Duration = Duration::from_millis(500);
/// Bytes that the head of a request may have, and about what a connection holds of what it reads.
const LARGEST_HEAD: usize = 64 << 10;
/// Idle connections are looked at so often.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// When the system has no more of something that connections need, none is taken for so long.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    seats: Mutex<Seats>,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Seats {
    taken: usize,
    /// Counts up with every connection that becomes idle.
    turn: u64,
    /// Longest idle first.
    idle: BTreeMap<u64, Idle>,
}

#[derive(Debug)]
struct Idle {
    since: Instant,
    gives_way: Arc<Notify>,
}

/// One connection among all.
#[derive(Debug)]
struct Seat {
    all: Arc<Connections>,
    gives_way: Arc<Notify>,
    /// Its key in `idle`; 0 while it is busy.
    turn: AtomicU64,
}

impl Connections {
    /// Number of connections.
    pub(crate) fn open(&self) -> usize {
        self.lock().taken
    }

    /// Number of connections that were refused since the start.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for a new connection; `None` when all of `at_most` are taken. Who is idle gives way
    /// a little before that.
    fn seat(self: &Arc<Self>, at_most: usize) -> Option<Seat> {
        let mut seats = self.lock();
        if seats.taken + (at_most / SPARE).max(1) >= at_most {
            seats.send_away();
        }
        if seats.taken >= at_most {
            return None;
        }
        seats.taken += 1;
        drop(seats);
        let seat = Seat {
            all: Arc::clone(self),
            gives_way: Arc::new(Notify::new()),
            turn: AtomicU64::new(0),
        };
        seat.idle();
        Some(seat)
    }

    /// Sends away whoever has been idle for longer than `patience`.
    fn sweep(&self, patience: Duration) {
        let mut seats = self.lock();
        while let Some(first) = seats.idle.first_entry() {
            if first.get().since.elapsed() < patience {
                return;
            }
            first.remove().gives_way.notify_one();
        }
    }
}

impl Seats {
    /// Lets the one that has been idle longest give way, if anybody is idle.
    fn send_away(&mut self) {
        if let Some((_, idle)) = self.idle.pop_first() {
            idle.gives_way.notify_one();
        }
    }
}

impl Seat {
    fn is_busy(&self) -> bool {
        self.turn.load(Ordering::Relaxed) == 0
    }

    fn busy(&self) {
        let turn = self.turn.swap(0, Ordering::Relaxed);
        self.all.lock().idle.remove(&turn);
    }

    fn idle(&self) {
        let mut seats = self.all.lock();
        seats.turn += 1;
        let turn = seats.turn;
        let idle = Idle {
            since: Instant::now(),
            gives_way: Arc::clone(&self.gives_way),
        };
        seats.idle.insert(turn, idle);
        self.turn.store(turn, Ordering::Relaxed);
    }
}

/// As long as it lives, the connection is busy.
struct Busy(Arc<Seat>);

impl Busy {
    fn new(seat: &Arc<Seat>) -> Self {
        seat.busy();
        Self(Arc::clone(seat))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.idle();
    }
}

/// The body of an answer, dropped when all of it is on its way.
struct Answer {
    body: Body,
    _busy: Busy,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.busy();
        self.all.lock().taken -= 1;
    }
}

/// Takes connections until `stop` is ready; then gives those that are busy so long to end.
pub(crate) async fn take(
    listener: TcpListener,
    router: Router,
    connections: Arc<Connections>,
    options: &ServerOptions,
    stop: impl Future<Output = ()>,
    patience: Duration,
) {
    let (stopping, stopped) = watch::channel(false);
    let mut stop = pin!(stop);
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    let full = full();
    let mut builder = Builder::new();
    builder
        .max_buf_size(LARGEST_HEAD)
        .timer(TokioTimer::new())
        .header_read_timeout(options.idle_patience);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = sweep.tick() => {
                // What hyper does not see: an answer that is not read.
                connections.sweep(options.idle_patience + GIVES_WAY);
                continue;
            }
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, _)) => match connections.seat(options.connections) {
                Some(seat) => {
                    let connection = serve_one(
                        builder.clone(),
                        stream,
                        router.clone(),
                        Arc::new(seat),
                        stopped.clone(),
                    );
                    tokio::spawn(connection);
                }
                None => {
                    connections.refused.fetch_add(1, Ordering::Relaxed);
                    // It is told if that is possible without waiting.
                    let _ = stream.try_write(full.as_bytes());
                }
            },
            // Whoever it was has gone again.
            Err(error) if is_of_one(error.kind()) => {}
            // Descriptors or memory are used up.
            Err(_) => {
                connections.lock().send_away();
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
    drop(listener);
    drop(stopped);
    // Nobody is there to be told when there are no connections.
    let _ = stopping.send(true);
    let _ = tokio::time::timeout(patience, stopping.closed()).await;
}

fn is_of_one(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    )
}

/// What those are told who get no seat.
fn full() -> String {
    let problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "too_many_connections",
        "the server has as many connections as it may have: try again in a second",
    );
    let body = serde_json::to_string(&problem).expect("a problem is plain data");
    let length = body.len();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
         retry-after: 1\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

async fn serve_one(
    builder: Builder,
    stream: TcpStream,
    router: Router,
    seat: Arc<Seat>,
    mut stopping: watch::Receiver<bool>,
) {
    // Small answers leave at once; where the system does not know how, a little later.
    let _ = stream.set_nodelay(true);
    let at_work = Arc::clone(&seat);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut router = router.clone();
        let busy = Busy::new(&at_work);
        async move {
            let answer = router.call(request).await;
            answer.map(|answer| answer.map(|body| Answer { body, _busy: busy }))
        }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // However it ended: what it asked for is answered, or nobody waits for it.
        _ = connection.as_mut() => return,
        () = seat.gives_way.notified() => {}
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
    connection.as_mut().graceful_shutdown();
    let gone = tokio::time::timeout(GIVES_WAY, connection.as_mut()).await;
    if gone.is_err() && seat.is_busy() {
        // A request is at work: whoever stops the server says how long it may take.
        let _ = connection.await;
    }
}
