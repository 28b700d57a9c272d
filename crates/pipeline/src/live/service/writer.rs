//! The thread that owns the store.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use regulars_core::{Symbols, Timestamp};
use regulars_rules::Keep;
use regulars_store::log::{Found, LogRecord, Logged, StoredEvent};
use regulars_store::moved::TransitionRow;
use regulars_store::{Frame, Store, StoreError};

use super::answered::Answered;
use super::folder::Told;
use super::mover::move_all;
use super::{
    Answer, Appended, Clock, LiveOptions, Loan, NotTaken, OnTransitions, Shared, Stopped, Task,
    Work,
};
use crate::catalogue::Catalogue;
use crate::error::PipelineError;
use crate::identity;
use crate::live::engine::Engine;
use crate::live::identify::{self, Arrival, Refusals, Rules};
use crate::live::seen::Seen;
use crate::live::start::StartOptions;
use crate::progress::Silent;
use crate::workspace::{CONFIG_FILE, Workspace};

/// Events in one frame, about.
const EVENTS_AT_ONCE: usize = 5_000;
/// A look at the clock at least so often.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Nor more often than this.
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// Settings and segments that make no sense when lent data comes back are read again so often.
const REREAD_EVERY: Duration = Duration::from_secs(1);
/// And so many times.
const REREAD_TIMES: u32 = 60;
/// Data that was lent is asked for again so often.
const RETURNED_EVERY: Duration = Duration::from_millis(20);

/// The writer's ends of the queues.
pub(super) struct Ends {
    pub(super) tasks: Receiver<Task>,
    pub(super) found: Receiver<Told>,
    pub(super) work: Sender<Work>,
}

pub(super) struct Writer {
    workspace: Workspace,
    store: Store,
    ends: Ends,
    threads: usize,
    shared: Arc<Shared>,
    clock: Clock,
    on_transitions: OnTransitions,
    seen: Seen,
    answered: Answered,
    rules: Rules,
    now: Timestamp,
    /// The latest tick.
    ticked_to: Timestamp,
}

/// What comes after a task.
enum Next {
    Task,
    Loan(Loan),
    End,
}

/// The threads that work beside the writer.
pub(super) struct Others {
    /// Gives back everyone, unless they were given up and nobody came instead.
    pub(super) folder: JoinHandle<Result<Option<Engine>, PipelineError>>,
    pub(super) mover: JoinHandle<()>,
    /// Records that are enough to be moved at a stop in peace.
    pub(super) move_last: u64,
}

/// What goes into one frame.
#[derive(Default)]
struct Batch {
    frame: Frame,
    records: Vec<Logged>,
    answers: Vec<(Answer, Appended)>,
    events: usize,
    /// What was found of all records before this offset is in here or on disk.
    folded_to: u64,
}

impl Batch {
    fn record(&mut self, record: LogRecord) {
        self.frame.record(&record);
        self.records.push(Logged::Workspace(Box::new(record)));
    }

    fn event(&mut self, event: StoredEvent) {
        self.frame.event(&event);
        self.records.push(Logged::Event(event));
        self.events += 1;
    }
}

impl Writer {
    pub(super) fn new(
        workspace: Workspace,
        store: Store,
        ends: Ends,
        shared: Arc<Shared>,
        options: LiveOptions,
        (seen, refusals): (Seen, Refusals),
    ) -> Self {
        let now = (options.clock)();
        Self {
            rules: Rules::new(&workspace.config().identity, refusals),
            workspace,
            store,
            ends,
            threads: options.threads,
            shared,
            clock: options.clock,
            on_transitions: options.on_transitions,
            seen,
            answered: Answered::default(),
            now,
            ticked_to: Timestamp::MIN,
        }
    }

    /// Writes until it is told to stop, or the disk refuses.
    pub(super) fn run(mut self, others: Others) -> Result<Stopped, PipelineError> {
        loop {
            let mut batch = Batch::default();
            let mut next = match self.ends.tasks.recv_timeout(self.patience()) {
                Ok(task) => self.take(task, &mut batch)?,
                Err(RecvTimeoutError::Timeout) => Next::Task,
                Err(RecvTimeoutError::Disconnected) => Next::End,
            };
            while matches!(next, Next::Task) && batch.events < EVENTS_AT_ONCE {
                let Ok(task) = self.ends.tasks.try_recv() else {
                    break;
                };
                next = self.take(task, &mut batch)?;
            }
            self.gather(&mut batch);
            self.tick(&mut batch);
            self.write(batch)?;
            match next {
                Next::Loan(loan) => self = self.lend(loan)?,
                Next::Task if !others.folder.is_finished() => {}
                Next::Task | Next::End => break,
            }
        }
        self.end(others)
    }

    /// Finishes what was taken.
    fn end(mut self, others: Others) -> Result<Stopped, PipelineError> {
        // A mover that asks this thread for something gets no answer, and ends.
        self.ends.tasks = channel().1;
        if let Err(panic) = others.mover.join() {
            std::panic::resume_unwind(panic);
        }
        let _ = self.ends.work.send(Work::Stop);
        let engine = match others.folder.join() {
            Ok(engine) => engine?,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        self.write_found()?;
        let now = self.time();
        if let Some(engine) = engine {
            engine.save(&mut self.store, now)?;
            // To take millions apart takes seconds, and nobody waits for it.
            std::thread::spawn(move || drop(engine));
        }
        let recorded = self.shared.recorded_to.load(Ordering::Relaxed);
        if recorded.saturating_sub(self.store.moved_to()) >= others.move_last {
            move_all(&mut self.store, recorded, now)?;
        }
        Ok(Stopped { store: self.store })
    }

    /// Writes what the folder found since the last frame.
    fn write_found(&mut self) -> Result<(), PipelineError> {
        let mut batch = Batch::default();
        self.gather(&mut batch);
        self.write(batch)
    }

    /// Gives the data to somebody else, and takes everyone up anew when they are done.
    fn lend(mut self, loan: Loan) -> Result<Self, PipelineError> {
        let Loan { use_it, done } = loan;
        if let Err(error) = reread(&self.workspace) {
            // Who asked may have gone: nothing was done.
            let _ = done.send(Err(error));
            return Ok(self);
        }
        let (given_up, engine) = channel();
        let (anew, awaited) = channel();
        let exchange = Work::Exchange {
            given_up,
            anew: awaited,
        };
        let _ = self.ends.work.send(exchange);
        let Ok(engine) = engine.recv() else {
            // A folder that failed is noticed after this.
            return Ok(self);
        };
        self.write_found()?;
        let now = self.time();
        engine.save(&mut self.store, now)?;
        drop(engine);
        // A move that was begun is over: what it wrote counts for nothing.
        let shared = Arc::clone(&self.shared);
        let files = shared.files.lock().unwrap_or_else(PoisonError::into_inner);
        shared.loans.fetch_add(1, Ordering::Relaxed);
        drop(self.store);
        tracing::info!("the data is lent to a command");
        let lent_at = Instant::now();
        use_it();
        let mut store = reopened(&self.workspace)?;
        drop(files);
        let workspace = reread_patiently(&self.workspace)?;
        store.block_identities(workspace.config().identity.blocked());
        let options = StartOptions {
            now: now.max((self.clock)()),
            threads: self.threads,
        };
        // They are read again, and are many.
        self.seen = Seen::default();
        let mut engine = Engine::start(&workspace, &mut store, options, &Silent)?;
        // They are known since the first start.
        engine.take_recorded();
        // Files may have brought events that come live as well.
        self.seen = engine.take_messages();
        let refusals = engine.take_refusals();
        let took_ms = lent_at.elapsed().as_millis() as u64;
        tracing::info!(took_ms, "the data is back, and everyone is taken up anew");
        shared.waiting.fetch_add(engine.tail(), Ordering::Relaxed);
        let _ = anew.send(engine);
        let _ = done.send(Ok(()));
        Ok(Self {
            rules: Rules::new(&workspace.config().identity, refusals),
            workspace,
            store,
            // Who is due since before is due again.
            ticked_to: Timestamp::MIN,
            ..self
        })
    }

    /// How long to wait for a task: until somebody flips.
    fn patience(&self) -> Duration {
        let wake = self.shared.next_wake.load(Ordering::Relaxed);
        if wake <= self.ticked_to.0 {
            // The folder knows that it is that late already.
            return LOOK_EVERY;
        }
        let left = wake.saturating_sub((self.clock)().0).max(0);
        // A little at least: where time cannot go on, as when the folder is behind, looking again
        // at once would keep a core busy.
        Duration::from_millis(left.unsigned_abs()).clamp(LOOK_AGAIN, LOOK_EVERY)
    }

    /// The time, which never goes back.
    fn time(&mut self) -> Timestamp {
        self.now = self.now.max((self.clock)());
        self.now
    }

    /// Takes a task.
    fn take(&mut self, task: Task, batch: &mut Batch) -> Result<Next, PipelineError> {
        match task {
            Task::Append {
                events,
                sender,
                received_at,
                answer,
            } => {
                let mut appended = Appended::default();
                for event in &events {
                    let message = identify::message_of(event);
                    if self.seen.contains(message) {
                        appended.repeated += 1;
                        continue;
                    }
                    let vault = self.store.live_vault()?;
                    let arrival = Arrival {
                        event,
                        message,
                        received_at,
                        sender: &sender,
                    };
                    match identify::identify(vault, &mut self.rules, arrival)? {
                        Ok((records, event)) => {
                            records.into_iter().for_each(|record| batch.record(record));
                            self.seen.note(message, received_at);
                            batch.event(event);
                            appended.stored += 1;
                        }
                        Err(identify::Nobody) => appended.nobody.push(event.index),
                    }
                }
                batch.answers.push((answer, appended));
            }
            Task::Marks(json) => {
                batch.frame.marks(&json);
                batch.records.push(Logged::Marks(json));
            }
            Task::Unmerge { name, kind, answer } => {
                let now = self.time();
                let unmerged = identity::part(self.store.live_vault()?, &name, kind, now);
                if let Ok(unmerged) = &unmerged {
                    batch.record(LogRecord::Unmerged(unmerged.clone()));
                }
                // Whoever asked may have gone: it is done all the same.
                let _ = answer.send(unmerged);
            }
            Task::Store(change) => {
                self.gather(batch);
                self.write(std::mem::take(batch))?;
                change(&mut self.store);
                self.count_unmoved();
            }
            Task::Lend(loan) => return Ok(Next::Loan(loan)),
            Task::Fail(error) => return Err(error),
            Task::Stop => return Ok(Next::End),
        }
        Ok(Next::Task)
    }

    /// Puts what the folder found into the frame.
    fn gather(&mut self, batch: &mut Batch) {
        while let Ok(told) = self.ends.found.try_recv() {
            match told {
                Told::Found(found) => self.found(found, batch),
                Told::Limits(limits) => batch.record(limits),
            }
        }
    }

    fn found(&mut self, found: Found, batch: &mut Batch) {
        batch.frame.found(&found);
        batch.folded_to = batch.folded_to.max(found.folded_to);
        batch.records.push(Logged::Found(found));
    }

    /// Adds that time went by, when somebody flips.
    fn tick(&mut self, batch: &mut Batch) {
        let now = self.time();
        if self.shared.waiting.load(Ordering::Acquire) == 0
            && self.shared.next_wake.load(Ordering::Relaxed) <= now.0
            && self.shared.next_wake.load(Ordering::Relaxed) > self.ticked_to.0
        {
            self.ticked_to = now;
            batch.frame.tick(now);
            batch.records.push(Logged::Tick(now));
        }
    }

    fn count_unmoved(&self) {
        let (to, moved_to) = (self.store.next_offset(), self.store.moved_to());
        let unmoved = to.saturating_sub(moved_to);
        self.shared.unmoved.store(unmoved, Ordering::Relaxed);
    }

    fn write(&mut self, batch: Batch) -> Result<(), PipelineError> {
        if batch.frame.is_empty() {
            for (answer, appended) in batch.answers {
                answer(Ok(appended));
            }
            return Ok(());
        }
        let offsets = match self.store.append(&batch.frame) {
            Ok(offsets) => offsets,
            Err(error) => {
                let why = NotTaken::Failed(error.to_string());
                for (answer, _) in batch.answers {
                    answer(Err(why.clone()));
                }
                return Err(error.into());
            }
        };
        self.count_unmoved();
        self.shared
            .recorded_to
            .fetch_max(batch.folded_to, Ordering::Relaxed);
        let (on_disk_at, frame) = (Instant::now(), offsets.clone());
        let records: Vec<(u64, Logged)> = offsets.zip(batch.records).collect();
        for (_, record) in &records {
            if let Logged::Found(Found {
                transitions,
                folded_to,
                ..
            }) = record
            {
                let found = (&transitions[..], *folded_to);
                self.answered.count(found, on_disk_at, &self.shared.delays);
            }
        }
        if batch.events > 0 {
            self.answered.note(frame, on_disk_at);
        }
        let told: Vec<TransitionRow> = records.iter().flat_map(rows_of).collect();
        if !told.is_empty() {
            (self.on_transitions)(&told);
        }
        self.shared
            .waiting
            .fetch_add(records.len(), Ordering::Relaxed);
        // Only a folder that failed is gone, which is noticed after this.
        let _ = self.ends.work.send(Work::Records(records));
        // Last: who has an answer and asks a question is told what comes of the events.
        for (answer, appended) in batch.answers {
            answer(Ok(appended));
        }
        Ok(())
    }
}

/// The transitions of a record, with their places.
fn rows_of((offset, record): &(u64, Logged)) -> Vec<TransitionRow> {
    match record {
        Logged::Found(found) => {
            TransitionRow::of_record(*offset, found.transitions.clone()).collect()
        }
        Logged::Workspace(_)
        | Logged::Event(_)
        | Logged::Tick(_)
        | Logged::Marks(_)
        | Logged::Identities => Vec::new(),
    }
}

/// The workspace as it lies on disk now; its segments make sense.
fn reread(workspace: &Workspace) -> Result<Workspace, PipelineError> {
    let before = workspace.config().workspace.currency;
    let workspace = Workspace::find(workspace.root())?;
    let asked = workspace.config().workspace.currency;
    if asked != before {
        return Err(PipelineError::OtherCurrency {
            path: workspace.root().join(CONFIG_FILE),
            stored: before,
            asked,
        });
    }
    let catalogue = Catalogue::load(workspace.config(), Some(&workspace.segments_dir()))?;
    catalogue.compile(&Symbols::default(), Keep::Needed)?;
    Ok(workspace)
}

/// The workspace, as soon as it makes sense: somebody may be writing it at this moment. After a
/// minute it never will.
fn reread_patiently(workspace: &Workspace) -> Result<Workspace, PipelineError> {
    for _ in 0..REREAD_TIMES {
        if let Ok(workspace) = reread(workspace) {
            return Ok(workspace);
        }
        std::thread::park_timeout(REREAD_EVERY);
    }
    reread(workspace)
}

/// The data, as soon as nobody else uses it.
fn reopened(workspace: &Workspace) -> Result<Store, PipelineError> {
    loop {
        match workspace.open() {
            Err(PipelineError::Store(StoreError::InUse(_))) => {
                std::thread::park_timeout(RETURNED_EVERY);
            }
            opened => return opened,
        }
    }
}
