//! Sends what is due: one task that asks what is to be done, and one for each request.
//!
//! ```text
//! loop: the file of destinations ─► what is due ─► who and why, for all at once ─► a task each
//!       how they ended ─► marks, many at a time ─► the log
//! ```

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use regulars_actions::{Attempt, Client, ClientError, ClientSettings, Outcome};
use regulars_core::Timestamp;
use regulars_pipeline::deliver::{self, Deliveries};
use regulars_pipeline::{PipelineError, Times};
use regulars_store::Store;
use regulars_store::moved::TransitionRow;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, oneshot};
use tokio::time::{sleep, timeout};

use crate::state::Server;

/// Marks wait for others for so long.
const MARKS_WAIT: Duration = Duration::from_millis(100);
/// A look at the clock and at the file of destinations at least so often.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What is being sent when the server stops has so long to end; it is sent again otherwise.
const STOP_WAIT: Duration = Duration::from_secs(3);

/// What is to be sent, and the means to send it.
#[derive(Debug)]
pub struct Delivery {
    pub(crate) deliveries: Deliveries,
    client: Client,
    /// For destinations whose address may be `http://`.
    plain: Client,
    changed: Notify,
    /// Hash of the file of destinations as it was taken up last.
    seen: Mutex<Option<u64>>,
    file: std::path::PathBuf,
    settings: ClientSettings,
    pub(crate) counts: Counts,
}

/// Attempts since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) delivered: AtomicU64,
    pub(crate) failed: AtomicU64,
    /// How long they took.
    pub(crate) attempts: Times,
}

impl Counts {
    fn add(&self, outcome: &Outcome, took: Duration) {
        let is_delivered = matches!(outcome, Outcome::Delivered { .. });
        let count = if is_delivered {
            &self.delivered
        } else {
            &self.failed
        };
        count.fetch_add(1, Ordering::Relaxed);
        self.attempts.add(took);
    }
}

/// An attempt that ended.
type Ended = (Attempt, Outcome);

impl Delivery {
    /// Of deliveries of the store in `data`.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(
        deliveries: Deliveries,
        data: &std::path::Path,
        settings: &ClientSettings,
    ) -> Result<Self, ClientError> {
        let mut plain = settings.clone();
        plain.guard.allow_http = true;
        let file = regulars_store::destinations::path(data);
        Ok(Self {
            deliveries,
            client: Client::new(settings, b"")?,
            plain: Client::new(&plain, b"")?,
            changed: Notify::new(),
            seen: Mutex::new(None),
            file,
            settings: settings.clone(),
            counts: Counts::default(),
        })
    }

    /// Takes transitions that are in the log, in its order.
    pub fn add(&self, transitions: &[TransitionRow]) {
        self.deliveries
            .add(transitions.iter().map(|row| &row.transition));
        self.changed.notify_one();
    }

    /// Says that there is something new to do.
    pub(crate) fn changed(&self) {
        self.changed.notify_one();
    }

    /// What may be called.
    pub(crate) fn guard(&self) -> &regulars_actions::Guard {
        &self.settings.guard
    }

    /// Takes up the file of destinations.
    pub(crate) fn take_up(&self, store: &Store, now: Timestamp) -> Result<(), PipelineError> {
        let seen = content(&self.file);
        self.deliveries.take_up(store, now)?;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        self.changed.notify_one();
        Ok(())
    }

    /// Sends until `stop` is dropped, or the live path has stopped.
    pub(crate) async fn run(self: Arc<Self>, server: Arc<Server>, mut stop: oneshot::Receiver<()>) {
        let (done, mut ended) = unbounded_channel();
        let mut unmarked: Option<Instant> = None;
        let mut looked = Instant::now();
        let mut in_flight = 0_usize;
        loop {
            if looked.elapsed() >= LOOK_EVERY {
                self.look_at_file(&server).await;
                looked = Instant::now();
            }
            let Some(sent) = self.send_due(&server, &done).await else {
                break;
            };
            in_flight += sent;
            if unmarked.is_some_and(|since| since.elapsed() >= MARKS_WAIT) {
                self.mark(&server).await;
                unmarked = None;
            }
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep(self.patience(&server, unmarked)) => {}
                Some(first) = ended.recv() => {
                    in_flight -= self.take_ended(&server, first, &mut ended);
                }
                _ = &mut stop => break,
            }
            unmarked = unmarked.or_else(|| self.deliveries.has_marks().then(Instant::now));
        }
        let finish = async {
            while in_flight > 0 {
                let Some(first) = ended.recv().await else {
                    return;
                };
                in_flight -= self.take_ended(&server, first, &mut ended);
            }
        };
        // What does not end in time is in flight no more when the log is read again.
        let _ = timeout(STOP_WAIT, finish).await;
        self.mark(&server).await;
    }

    /// How long there is nothing to do if nothing happens.
    fn patience(&self, server: &Server, unmarked: Option<Instant>) -> Duration {
        let now = server.live.now();
        let wake = self.deliveries.next_wake(now);
        let left = wake.map(|at| at.0.saturating_sub(now.0).max(0).unsigned_abs());
        let left = left.map_or(LOOK_EVERY, Duration::from_millis);
        let marks = unmarked.map(|since| MARKS_WAIT.saturating_sub(since.elapsed()));
        left.min(marks.unwrap_or(LOOK_EVERY)).min(LOOK_EVERY)
    }

    /// Begins to send what is due; says how much. `None` when the live path has stopped.
    async fn send_due(
        self: &Arc<Self>,
        server: &Arc<Server>,
        done: &UnboundedSender<Ended>,
    ) -> Option<usize> {
        let due = self.deliveries.due(server.live.now());
        if !due.untold.is_empty() {
            let asked = Arc::clone(server);
            let told = move || deliver::tell(&asked.live, due.untold);
            let told = tokio::task::spawn_blocking(told).await.ok().flatten()?;
            self.deliveries.take_told(told);
        }
        let now = server.live.now();
        let mut sent = 0;
        for attempt in due.attempts {
            match self.deliveries.message(&attempt, now) {
                None => {}
                Some(Err(why)) => {
                    let outcome = Outcome::Unsendable { why };
                    let random = random();
                    self.deliveries.completed(&attempt, outcome, now, random);
                }
                Some(Ok(message)) => {
                    let client = if message.allow_http {
                        self.plain.clone()
                    } else {
                        self.client.clone()
                    };
                    let (done, this) = (done.clone(), Arc::clone(self));
                    sent += 1;
                    tokio::spawn(async move {
                        let begun = Instant::now();
                        let outcome = client.send(&message.url, &message.message).await;
                        this.counts.add(&outcome, begun.elapsed());
                        say(&attempt, &outcome);
                        // When nobody listens any more, it counts as never made.
                        let _ = done.send((attempt, outcome));
                    });
                }
            }
        }
        Some(sent)
    }

    /// Takes note of attempts that ended; says of how many.
    fn take_ended(
        &self,
        server: &Server,
        first: Ended,
        ended: &mut UnboundedReceiver<Ended>,
    ) -> usize {
        let now = server.live.now();
        let mut count = 0;
        let mut next = Some(first);
        while let Some((attempt, outcome)) = next {
            let random = random();
            self.deliveries.completed(&attempt, outcome, now, random);
            count += 1;
            next = ended.try_recv().ok();
        }
        count
    }

    /// Gives the log what it is to keep.
    async fn mark(&self, server: &Arc<Server>) {
        let Some(marks) = self.deliveries.take_marks() else {
            return;
        };
        let server = Arc::clone(server);
        // The queue may be full: whoever waits for it keeps nobody else waiting.
        let _ = tokio::task::spawn_blocking(move || server.live.mark(marks)).await;
    }

    /// Takes up the file of destinations when somebody changed it. One that cannot be read
    /// changes nothing.
    async fn look_at_file(self: &Arc<Self>, server: &Arc<Server>) {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = content(&self.file);
        if now == seen {
            return;
        }
        let (this, asked) = (Arc::clone(self), Arc::clone(server));
        let taken = move || {
            let now = asked.live.now();
            let taken = asked.live.with_store(move |store| this.take_up(store, now));
            taken.map(|taken| taken.is_ok())
        };
        if tokio::task::spawn_blocking(taken).await.ok().flatten() == Some(false) {
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = now;
        }
    }
}

/// Says what went wrong with an attempt.
fn say(attempt: &Attempt, outcome: &Outcome) {
    if let Some(error) = outcome.error() {
        tracing::warn!(
            destination = %attempt.delivery.destination,
            transition = %attempt.delivery.transition,
            attempt = attempt.number,
            %error,
            "an attempt to deliver failed"
        );
    }
}

/// Of the whole file: two changes can fall into one tick of its time of modification.
fn content(file: &std::path::Path) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    std::fs::read(file).ok()?.hash(&mut hasher);
    Some(hasher.finish())
}

/// Evenly from 0 to 1; 1, the longest wait, when the system has no random numbers.
fn random() -> f64 {
    getrandom::u32().map_or(1.0, |drawn| f64::from(drawn) / f64::from(u32::MAX))
}
