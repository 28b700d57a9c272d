//! The live path at work: three threads and the queues between them.
//!
//! ```text
//! append ─► [queue] ─► writer: repeats dropped, identities, one frame, one sync, answers
//!                        │  (offset, record)                           ▲
//!                        ▼                                             │ what was found
//!                      folder: Engine, record by record ───────────────┘
//!                                                     writer: one frame, one sync ─► told outside
//! ```
//!
//! The writer owns the store, the folder owns everyone; the mover takes records that are done with
//! from the log to the history. An answer is given when the event is on
//! disk; a transition is told when it is on disk.

mod answered;
mod folder;
mod messages;
mod mover;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use regulars_core::{CustomerId, Timestamp};
use regulars_ingest::tracking::TrackedEvent;
use regulars_store::log::Unmerged;
use regulars_store::moved::TransitionRow;
use regulars_store::vault::IdentityKind;
use regulars_store::{Store, StoreError};

use super::engine::Engine;
use super::identify::Sender as EventSender;
use crate::error::PipelineError;
use crate::times::Times;
use crate::workspace::Workspace;
use folder::Folder;
use messages::{About, Loan, Question, Shared, Task, Work};
use mover::Mover;
use writer::{Others, Writer};

/// At a stop in peace, one in so many of [`LiveOptions::move_after`] is enough to be moved.
const MOVED_LAST: u64 = 10;

/// A reader begins so often at most: files are replaced some seconds apart.
const READ_TIMES: usize = 10;

/// Tells the time of day, in milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Is told of transitions that are on disk, in order, with their places.
pub type OnTransitions = Box<dyn FnMut(&[TransitionRow]) + Send>;

/// How the live path runs.
pub struct LiveOptions {
    /// Tells the time.
    pub clock: Clock,
    /// Requests that may wait for the disk.
    pub queue: usize,
    /// Events that may wait to be folded before no more are taken.
    pub behind: usize,
    /// Records that may be in the log, and with them in memory, before no more are taken; more than
    /// [`LiveOptions::move_after`] by far.
    pub unmoved: u64,
    /// Threads that take everyone up anew; never affects the result.
    pub threads: usize,
    /// Records of the log that are moved to the history at a time, once they are folded and what
    /// they cause is on disk; at least 1.
    pub move_after: u64,
    /// Is told of transitions.
    pub on_transitions: OnTransitions,
}

impl fmt::Debug for LiveOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LiveOptions")
            .field("queue", &self.queue)
            .field("behind", &self.behind)
            .field("unmoved", &self.unmoved)
            .field("threads", &self.threads)
            .field("move_after", &self.move_after)
            .finish_non_exhaustive()
    }
}

/// What became of the events of one request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Appended {
    /// Events that are on disk.
    pub stored: usize,
    /// Events that were on disk already.
    pub repeated: usize,
    /// Places of events that name nobody: every id in them is one that many people share.
    pub nobody: Vec<usize>,
}

/// Why events were not taken; none of them was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Try again in a moment.
    #[error("more is waiting than can be kept up with: try again in a second")]
    Busy,
    /// Nothing is taken any more.
    #[error("the server is stopping")]
    Stopping,
    /// The disk refused: nothing is taken any more.
    #[error("the events could not be stored: {0}")]
    Failed(String),
}

/// Is called with what became of a request.
pub type Answer = Box<dyn FnOnce(Result<Appended, NotTaken>) + Send>;

/// The live path of a workspace; stops when [`Live::stop`] is called.
#[derive(Debug)]
pub struct Live {
    tasks: SyncSender<Task>,
    work: Sender<Work>,
    shared: Arc<Shared>,
    behind: usize,
    most_unmoved: u64,
    root: PathBuf,
    clock: ClockHandle,
    /// The mover goes on as long as this is there.
    mover: Mutex<Option<Sender<Sender<()>>>>,
    writer: Mutex<Option<JoinHandle<Result<Stopped, PipelineError>>>>,
}

#[derive(Clone)]
struct ClockHandle(Clock);

impl fmt::Debug for ClockHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}

/// What is left when the live path has stopped.
#[derive(Debug)]
pub struct Stopped {
    /// The store.
    pub store: Store,
}

impl Live {
    /// Starts the threads. What [`Engine::start`] found is recorded first; what lay in the log and is
    /// still to be folded waits as it did before the process ended.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(
        workspace: Workspace,
        store: Store,
        mut engine: Engine,
        options: LiveOptions,
    ) -> Result<Self, PipelineError> {
        let (tasks, queue) = sync_channel(options.queue);
        let (work, records): (Sender<Work>, Receiver<Work>) = channel();
        let (found, findings) = channel();
        let shared = Arc::new(Shared {
            next_wake: AtomicI64::new(i64::MIN),
            waiting: AtomicUsize::new(engine.tail()),
            unmoved: AtomicU64::new(store.next_offset().saturating_sub(store.moved_to())),
            recorded_to: AtomicU64::new(engine.recorded_to),
            delays: Times::default(),
            loans: AtomicU64::new(0),
            files: Mutex::new(()),
        });
        let clock = ClockHandle(Arc::clone(&options.clock));
        let known = (engine.take_messages(), engine.take_refusals());
        let folder = Folder::new(engine, records, found, Arc::clone(&shared));
        let (behind, most_unmoved) = (options.behind, options.unmoved);
        let root = workspace.root().to_owned();
        let ends = writer::Ends {
            tasks: queue,
            found: findings,
            work: work.clone(),
        };
        let records = options.move_after.max(1);
        let (ask_mover, asked) = channel();
        let mover = Mover {
            tasks: tasks.clone(),
            work: work.clone(),
            shared: Arc::clone(&shared),
            clock: Arc::clone(&options.clock),
            records,
            asked,
        };
        let writer = Writer::new(workspace, store, ends, Arc::clone(&shared), options, known);
        let others = Others {
            folder: spawn("folder", move || folder.run())?,
            mover: spawn("mover", move || mover.run())?,
            move_last: records.div_ceil(MOVED_LAST),
        };
        let writer = spawn("writer", move || writer.run(others))?;
        Ok(Self {
            tasks,
            work,
            shared,
            behind,
            most_unmoved,
            root,
            clock,
            mover: Mutex::new(Some(ask_mover)),
            writer: Mutex::new(Some(writer)),
        })
    }

    /// The time that is.
    pub fn now(&self) -> Timestamp {
        (self.clock.0)()
    }

    /// Directory of the workspace.
    pub fn workspace(&self) -> &Path {
        &self.root
    }

    /// True as long as events are taken.
    pub fn is_running(&self) -> bool {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.as_ref().is_some_and(|writer| !writer.is_finished())
    }

    /// How often the data was lent.
    pub fn loans(&self) -> u64 {
        self.shared.loans.load(Ordering::Relaxed)
    }

    /// Records on disk that are not folded yet.
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// From the answer to an event until a transition that it caused was on disk, since the start.
    pub fn delays(&self) -> &Times {
        &self.shared.delays
    }

    /// Records on disk that are not moved to the history yet.
    pub fn unmoved(&self) -> u64 {
        self.shared.unmoved.load(Ordering::Relaxed)
    }

    /// Stores events; `answer` is called when they are on disk, or at once when they are not
    /// taken.
    pub fn append(
        &self,
        events: Vec<TrackedEvent<'static>>,
        sender: EventSender,
        received_at: Timestamp,
        answer: Answer,
    ) {
        if self.waiting() > self.behind || self.unmoved() > self.most_unmoved {
            return answer(Err(NotTaken::Busy));
        }
        let task = Task::Append {
            events,
            sender,
            received_at,
            answer,
        };
        let (answer, why) = match self.tasks.try_send(task) {
            Ok(()) => return,
            Err(TrySendError::Full(Task::Append { answer, .. })) => (answer, NotTaken::Busy),
            Err(TrySendError::Disconnected(Task::Append { answer, .. })) => {
                (answer, NotTaken::Stopping)
            }
            Err(_) => return,
        };
        answer(Err(why));
    }

    /// Records what became of deliveries.
    pub fn mark(&self, json: Vec<u8>) {
        // When the writer is gone, so is the reason to record anything.
        let _ = self.tasks.send(Task::Marks(json));
    }

    /// Lets a name that was merged into a customer stand for itself again: see
    /// [`unmerge`](crate::unmerge). `None` when the live path has stopped. Waits until it is recorded.
    ///
    /// # Errors
    /// When the name is not known, is of several kinds, or stands for itself.
    pub fn unmerge(
        &self,
        name: &str,
        kind: Option<IdentityKind>,
    ) -> Option<Result<Unmerged, PipelineError>> {
        let (answer, answered) = channel();
        let name = name.to_owned();
        let task = Task::Unmerge { name, kind, answer };
        self.tasks.send(task).ok()?;
        let unmerged = answered.recv().ok()?;
        // It is on disk when what is taken after it is.
        self.with_store(|_| ())?;
        Some(unmerged)
    }

    /// Lets `ask` look at everyone, after all records that were stored before and all that these
    /// cause; `None` when the live path has stopped. Waits for the answer, which may take a while
    /// where many customers of an account are still to be told that it changed: events go on
    /// meanwhile.
    pub fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Option<T> {
        self.question(About::Everyone, ask)
    }

    /// As [`Self::ask`], when the answer depends on no memberships but those of some customers, or
    /// on none: it waits for nobody else.
    pub fn ask_of<T: Send + 'static>(
        &self,
        customers: Vec<CustomerId>,
        ask: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Option<T> {
        self.question(About::Some(customers), ask)
    }

    fn question<T: Send + 'static>(
        &self,
        about: About,
        ask: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = channel();
        let question = Box::new(move |engine: &Engine| {
            let _ = answer.send(ask(engine));
        });
        self.work.send(Work::Ask(about, question)).ok()?;
        answered.recv().ok()
    }

    /// Lets `change` work on the store between two frames; `None` when the live path has stopped.
    /// Waits for the answer.
    pub fn with_store<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Store) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = channel();
        let change = Box::new(move |store: &mut Store| {
            let _ = answer.send(change(store));
        });
        self.tasks.send(Task::Store(change)).ok()?;
        answered.recv().ok()
    }

    /// Lets `read` look at the data as it is on disk now, on the thread that asks: nobody waits for it.
    /// It begins again when files that it reads are replaced meanwhile. `None` when the live path has
    /// stopped.
    ///
    /// # Errors
    /// Whatever `read` fails with.
    pub fn read_beside<T>(
        &self,
        mut read: impl FnMut(&Store) -> Result<T, PipelineError>,
    ) -> Option<Result<T, PipelineError>> {
        read_patiently(|| {
            let store = self.with_store(|store| store.beside())?;
            Some(read(&store))
        })
    }

    /// Lets `use_it` have the data to itself: when it begins, everything stored before is folded,
    /// what was found is on disk and told, and no file is open. Events wait meanwhile, and so does
    /// whoever asks. Afterwards settings, segments and data are read again, and everyone is taken
    /// up anew with what is new in them. Waits until that is done; `None` when the live path has
    /// stopped.
    ///
    /// # Errors
    /// When the settings or segments of the workspace make no sense: nothing is lent then.
    pub fn lend(
        &self,
        use_it: impl FnOnce() + Send + 'static,
    ) -> Option<Result<(), PipelineError>> {
        let (done, waits) = channel();
        let use_it = Box::new(use_it);
        self.tasks.send(Task::Lend(Loan { use_it, done })).ok()?;
        waits.recv().ok()
    }

    /// Waits until everything stored before is folded, and what was found of it is on disk and
    /// told; `None` when the live path has stopped.
    pub fn settle(&self) -> Option<()> {
        self.ask(|_| ())?;
        self.with_store(|_| ())
    }

    /// As [`Self::settle`], as far as it concerns some customers.
    pub fn settle_of(&self, customers: Vec<CustomerId>) -> Option<()> {
        self.ask_of(customers, |_| ())?;
        self.with_store(|_| ())
    }

    /// Waits until what is folded by now, and whose transitions are on disk, is moved from the log to
    /// the history, as far as [`LiveOptions::move_after`] says that it is enough; `None` when the
    /// live path has stopped.
    pub fn move_now(&self) -> Option<()> {
        self.settle()?;
        let (done, is_done) = channel();
        let mover = self.mover.lock().unwrap_or_else(PoisonError::into_inner);
        mover.as_ref()?.send(done).ok()?;
        drop(mover);
        is_done.recv().ok()
    }

    /// Takes no more, finishes what was taken, and gives back what is left; `None` when it was
    /// stopped before.
    ///
    /// # Errors
    /// When a thread had to give up before.
    pub fn stop(&self) -> Result<Option<Stopped>, PipelineError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(writer) = writer.take() else {
            return Ok(None);
        };
        drop(
            self.mover
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        // One that is gone already says why when it is joined.
        let _ = self.tasks.send(Task::Stop);
        match writer.join() {
            Ok(stopped) => stopped.map(Some),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// Reads files, and again when they were replaced meanwhile.
pub(super) fn read_patiently<T>(
    mut read: impl FnMut() -> Option<Result<T, PipelineError>>,
) -> Option<Result<T, PipelineError>> {
    for _ in 1..READ_TIMES {
        match read()? {
            Err(PipelineError::Store(StoreError::Missing(_))) => {}
            done => return Some(done),
        }
    }
    read()
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, PipelineError> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    let spawned = thread.spawn(run);
    spawned.map_err(|source| PipelineError::Thread { source })
}
