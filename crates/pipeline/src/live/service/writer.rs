//! The thread that owns the store.

use std::collections::HashSet;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use foldhash::fast::FixedState;
use regulars_core::{DAY_MS, Timestamp, Transition};
use regulars_store::log::{Found, LogRecord, Logged, MergeAccepted, StoredEvent};
use regulars_store::{Frame, Store};

use super::{Answer, Appended, Clock, NotTaken, OnTransitions, Shared, Stopped, Task, Work};
use crate::error::PipelineError;
use crate::live::engine::Engine;
use crate::live::identify;

/// Events in one frame, about.
const EVENTS_AT_ONCE: usize = 5_000;
/// A look at the clock at least so often.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Repeats are told for so long.
const REPEATS_MS: i64 = 7 * DAY_MS;

pub(super) struct Writer {
    store: Store,
    tasks: Receiver<Task>,
    found: Receiver<Found>,
    work: Sender<Work>,
    shared: Arc<Shared>,
    clock: Clock,
    on_transitions: OnTransitions,
    seen: Seen,
    now: Timestamp,
    /// The latest tick.
    ticked_to: Timestamp,
}

/// What goes into one frame.
#[derive(Default)]
struct Batch {
    frame: Frame,
    records: Vec<Logged>,
    answers: Vec<(Answer, Appended)>,
    told: Vec<Transition>,
    events: usize,
}

impl Batch {
    fn merge(&mut self, merge: MergeAccepted) {
        self.frame.merge(&merge);
        let record = LogRecord::MergeAccepted(merge);
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
        store: Store,
        tasks: Receiver<Task>,
        found: Receiver<Found>,
        work: Sender<Work>,
        shared: Arc<Shared>,
        clock: Clock,
        on_transitions: OnTransitions,
    ) -> Result<Self, PipelineError> {
        let now = clock();
        let seen = Seen::of(&store, now)?;
        Ok(Self {
            store,
            tasks,
            found,
            work,
            shared,
            clock,
            on_transitions,
            seen,
            now,
            ticked_to: Timestamp::MIN,
        })
    }

    /// Writes until it is told to stop, or the disk refuses.
    pub(super) fn run(
        mut self,
        folder: JoinHandle<Result<Engine, PipelineError>>,
    ) -> Result<Stopped, PipelineError> {
        let mut stopping = false;
        while !stopping {
            let mut batch = Batch::default();
            match self.tasks.recv_timeout(self.patience()) {
                Ok(task) => stopping = self.take(task, &mut batch)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => stopping = true,
            }
            while !stopping && batch.events < EVENTS_AT_ONCE {
                let Ok(task) = self.tasks.try_recv() else {
                    break;
                };
                stopping = self.take(task, &mut batch)?;
            }
            self.gather(&mut batch);
            self.tick(&mut batch);
            self.write(batch)?;
            if folder.is_finished() {
                break;
            }
        }
        let _ = self.work.send(Work::Stop);
        let engine = match folder.join() {
            Ok(engine) => engine?,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let mut batch = Batch::default();
        self.gather(&mut batch);
        self.write(batch)?;
        let now = self.time();
        engine.save(&mut self.store, now)?;
        Ok(Stopped {
            store: self.store,
            engine,
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
        Duration::from_millis(left.unsigned_abs()).min(LOOK_EVERY)
    }

    /// The time, which never goes back.
    fn time(&mut self) -> Timestamp {
        self.now = self.now.max((self.clock)());
        self.now
    }

    /// Takes a task; says whether it is the last.
    fn take(&mut self, task: Task, batch: &mut Batch) -> Result<bool, PipelineError> {
        match task {
            Task::Append {
                events,
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
                    let identified = identify::identify(vault, event, message, received_at)?;
                    match identified {
                        Ok((merges, event)) => {
                            merges.into_iter().for_each(|merge| batch.merge(merge));
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
            Task::Store(change) => {
                self.gather(batch);
                self.write(std::mem::take(batch))?;
                change(&mut self.store);
            }
            Task::Stop => return Ok(true),
        }
        Ok(false)
    }

    /// Puts what the folder found into the frame.
    fn gather(&mut self, batch: &mut Batch) {
        while let Ok(found) = self.found.try_recv() {
            self.found(found, batch);
        }
    }

    fn found(&mut self, found: Found, batch: &mut Batch) {
        batch.frame.found(&found);
        batch.told.extend(found.transitions.iter().cloned());
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
        if !batch.told.is_empty() {
            (self.on_transitions)(&batch.told);
        }
        let records: Vec<(u64, Logged)> = offsets.zip(batch.records).collect();
        self.shared
            .waiting
            .fetch_add(records.len(), Ordering::Relaxed);
        // Only a folder that failed is gone, which is noticed after this.
        let _ = self.work.send(Work::Records(records));
        // Last: who has an answer and asks a question is told what comes of the events.
        for (answer, appended) in batch.answers {
            answer(Ok(appended));
        }
        Ok(())
    }
}

/// Messages of the last days, so that a repeat is told from a new one.
#[derive(Debug, Default)]
struct Seen {
    /// By day of arrival, the latest last.
    days: VecDeque<(i64, HashSet<u128, FixedState>)>,
}

impl Seen {
    /// What the log holds of the days before `now`.
    fn of(store: &Store, now: Timestamp) -> Result<Self, PipelineError> {
        let mut seen = Self::default();
        for entry in store.logged(0) {
            if let (_, Logged::Event(event)) = entry?
                && event.received_at.0 > now.0 - REPEATS_MS
            {
                seen.note(event.message, event.received_at);
            }
        }
        Ok(seen)
    }

    /// True when the message was noted before.
    fn contains(&self, message: u128) -> bool {
        self.days.iter().any(|(_, known)| known.contains(&message))
    }

    /// Notes a message.
    fn note(&mut self, message: u128, received_at: Timestamp) {
        let day = received_at.0.div_euclid(DAY_MS);
        if self.days.back().is_none_or(|(last, _)| *last < day) {
            self.days.push_back((day, HashSet::default()));
        }
        while self
            .days
            .front()
            .is_some_and(|(first, _)| first * DAY_MS + DAY_MS + REPEATS_MS < received_at.0)
        {
            self.days.pop_front();
        }
        if let Some((_, today)) = self.days.back_mut() {
            today.insert(message);
        }
    }
}
