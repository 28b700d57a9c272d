//! The thread that moves records of the log to the history, so that neither the log nor memory grows
//! with events.
//!
//! ```text
//! recorded and folded up to here ─► a range of the log, read and written to files
//!     ─► committed between two frames (writer) ─► the new history (folder)
//!     ─► too many runs: merged, committed, and removed when the folder reads them no more
//! ```
//!
//! It reads and encodes beside the other threads; the writer stands still only for what needs the
//! store: whose some thousand identities are, and the commit.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use regulars_core::{CustomerId, Timestamp};
use regulars_store::moved::{LogMove, Moving};
use regulars_store::vault::IdentityId;
use regulars_store::{Store, StoreError};

use super::{Clock, Shared, Task, Work};
use crate::error::PipelineError;
use crate::live::past::REPEATS_MS;

/// How often it is looked whether there is enough to move.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Identities that are looked up between two frames.
const IDENTITIES_AT_ONCE: usize = 4_096;

pub(super) struct Mover {
    pub(super) tasks: SyncSender<Task>,
    pub(super) work: Sender<Work>,
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Clock,
    /// Records that are moved at a time.
    pub(super) records: u64,
    /// Who asks to look at once, and is told when that is done. Says when to stop, by the other end's
    /// going away; so does a writer that is gone.
    pub(super) asked: Receiver<Sender<()>>,
}

/// Why a move ended early. What it wrote is listed nowhere, and is written again the next time.
enum Ended {
    /// The live path is stopping.
    Stopping,
    /// The data was lent to somebody meanwhile.
    Lent,
    Failed(PipelineError),
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Mover {
    /// Moves until it is told to stop, or the disk refuses.
    pub(super) fn run(self) {
        loop {
            let asked = match self.asked.recv_timeout(LOOK_EVERY) {
                Ok(asked) => Some(asked),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            match self.move_some() {
                // Somebody who is gone does not wait.
                Ok(()) | Err(Ended::Lent) => drop(asked.map(|asked| asked.send(()))),
                Err(Ended::Stopping) => return,
                Err(Ended::Failed(error)) => {
                    // A writer that is gone says why itself.
                    let _ = self.tasks.send(Task::Fail(error));
                    return;
                }
            }
        }
    }

    /// Moves as long as there is enough.
    fn move_some(&self) -> Result<(), Ended> {
        loop {
            let loans = self.shared.loans.load(Ordering::Relaxed);
            let recorded = self.shared.recorded_to.load(Ordering::Relaxed);
            let records = self.records;
            let begun = self.with_store(loans, move |store, _| {
                let to = store.moved_to() + records;
                if recorded < to {
                    return Ok(None);
                }
                store.begin_move(to)
            })?;
            let Some(begun) = begun else { return Ok(()) };
            self.move_range(loans, begun)?;
            self.merge_runs(loans)?;
        }
    }

    fn move_range(&self, loans: u64, begun: LogMove) -> Result<(), Ended> {
        let begun_at = Instant::now();
        let moving = self.with_files(loans, || begun.read())?;
        let events = moving.events();
        let owners = self.owners(loans, &moving)?;
        let files = self.with_files(loans, || moving.write(&owners))?;
        let mut customers = owners;
        customers.sort_unstable();
        customers.dedup();
        let now = (self.clock)();
        let since = now.plus_ms(-REPEATS_MS);
        let taken = self.with_store(loans, move |store, work| {
            store.finish_move(files, since, now)?;
            Ok(tell_folder(store, work, customers))
        })?;
        taken.recv().map_err(|_| Ended::Stopping)?;
        let took_ms = begun_at.elapsed().as_millis() as u64;
        tracing::debug!(events, took_ms, "events were moved to the history");
        Ok(())
    }

    /// The customers that the identities of a move stand for.
    fn owners(&self, loans: u64, moving: &Moving) -> Result<Vec<CustomerId>, Ended> {
        let identities = moving.identities();
        let mut owners = Vec::with_capacity(identities.len());
        for some in identities.chunks(IDENTITIES_AT_ONCE) {
            let some = some.to_vec();
            owners.extend(self.with_store(loans, move |store, _| owners_of(store, &some))?);
        }
        Ok(owners)
    }

    fn merge_runs(&self, loans: u64) -> Result<(), Ended> {
        let merges = self.with_store(loans, |store, _| Ok(store.run_merges()))?;
        if merges.is_empty() {
            return Ok(());
        }
        let mut merged = Vec::with_capacity(merges.len());
        for merge in merges {
            merged.push(self.with_files(loans, || merge.write())?);
        }
        let now = (self.clock)();
        let taken = self.with_store(loans, move |store, work| {
            store.finish_merges(merged, now)?;
            Ok(tell_folder(store, work, Vec::new()))
        })?;
        taken.recv().map_err(|_| Ended::Stopping)?;
        self.with_store(loans, |store, _| {
            store.remove_replaced();
            Ok(())
        })
    }

    /// Lets `ask` work on the store between two frames, unless it was lent in between.
    fn with_store<T: Send + 'static>(
        &self,
        loans: u64,
        ask: impl FnOnce(&mut Store, &Sender<Work>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Ended> {
        let (answer, answered) = channel();
        let (shared, work) = (Arc::clone(&self.shared), self.work.clone());
        let ask = Box::new(move |store: &mut Store| {
            let is_lent = shared.loans.load(Ordering::Relaxed) != loans;
            let _ = answer.send((!is_lent).then(|| ask(store, &work)));
        });
        let sent = self.tasks.send(Task::Store(ask));
        sent.map_err(|_| Ended::Stopping)?;
        let answer = answered.recv().map_err(|_| Ended::Stopping)?;
        Ok(answer.ok_or(Ended::Lent)??)
    }

    /// Lets `work` read and write files that nobody else knows of.
    fn with_files<T>(
        &self,
        loans: u64,
        work: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, Ended> {
        let files = &self.shared.files;
        let _held = files.lock().unwrap_or_else(PoisonError::into_inner);
        if self.shared.loans.load(Ordering::Relaxed) != loans {
            return Err(Ended::Lent);
        }
        Ok(work()?)
    }
}

/// Gives the folder the history as it is now; who waits for the answer knows when it reads the one
/// before no more.
fn tell_folder(store: &Store, work: &Sender<Work>, customers: Vec<CustomerId>) -> Receiver<()> {
    let (taken, is_taken) = channel();
    let moved = Work::Moved {
        history: store.history(),
        customers,
        taken,
    };
    // A folder that is gone is noticed by the answer that does not come.
    let _ = work.send(moved);
    is_taken
}

fn owners_of(store: &Store, identities: &[IdentityId]) -> Result<Vec<CustomerId>, StoreError> {
    let vault = store.vault()?;
    let resolved = identities.iter().map(|&identity| vault.resolve(identity));
    Ok(resolved.collect())
}

/// Moves everything before an offset, when nothing else is going on.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn move_all(store: &mut Store, to: u64, now: Timestamp) -> Result<(), PipelineError> {
    while let Some(begun) = store.begin_move(to)? {
        let moving = begun.read()?;
        let owners = owners_of(store, &moving.identities())?;
        let files = moving.write(&owners)?;
        store.finish_move(files, now.plus_ms(-REPEATS_MS), now)?;
    }
    let mut merged = Vec::new();
    for merge in store.run_merges() {
        merged.push(merge.write()?);
    }
    store.finish_merges(merged, now)?;
    store.remove_replaced();
    Ok(())
}
