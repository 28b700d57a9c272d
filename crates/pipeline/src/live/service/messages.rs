//! What the threads of the live path ask of each other, and what all of them see.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize};
use std::sync::mpsc::{Receiver, Sender};

use regulars_core::{CustomerId, Timestamp};
use regulars_ingest::tracking::TrackedEvent;
use regulars_store::Store;
use regulars_store::history::History;
use regulars_store::log::{Logged, Unmerged};
use regulars_store::vault::IdentityKind;

use super::{Answer, EventSender};
use crate::error::PipelineError;
use crate::live::engine::Engine;
use crate::times::Times;

/// What the writer is asked to do.
pub(super) enum Task {
    Append {
        events: Vec<TrackedEvent<'static>>,
        sender: EventSender,
        received_at: Timestamp,
        answer: Answer,
    },
    Marks(Vec<u8>),
    Unmerge {
        name: String,
        kind: Option<IdentityKind>,
        answer: Sender<Result<Unmerged, PipelineError>>,
    },
    Store(Box<dyn FnOnce(&mut Store) + Send>),
    Lend(Loan),
    /// Events cannot be moved: nothing is taken any more.
    Fail(PipelineError),
    Stop,
}

/// The data for somebody else.
pub(super) struct Loan {
    /// Has the data to itself until it returns.
    pub(super) use_it: Box<dyn FnOnce() + Send>,
    /// Is told when everyone is taken up anew, or why nothing was lent.
    pub(super) done: Sender<Result<(), PipelineError>>,
}

/// Looks at everyone.
pub(super) type Question = Box<dyn FnOnce(&Engine) + Send>;

/// Whom a question is about.
pub(super) enum About {
    /// Those who are still to be told of a change of their account are told first, some at a time.
    Everyone,
    /// Only these are.
    Some(Vec<CustomerId>),
}

/// What the folder is asked to do.
pub(super) enum Work {
    Records(Vec<(u64, Logged)>),
    Ask(About, Question),
    /// Gives everyone up, and goes on with those that come instead.
    Exchange {
        given_up: Sender<Engine>,
        anew: Receiver<Engine>,
    },
    /// The history has events of these customers that it did not have before.
    Moved {
        history: History,
        customers: Vec<CustomerId>,
        /// Is told when the history before is read no more.
        taken: Sender<()>,
    },
    Stop,
}

/// What both threads and those who ask see.
#[derive(Debug)]
pub(super) struct Shared {
    /// When somebody flips next, in milliseconds; `i64::MAX` for never.
    pub(super) next_wake: AtomicI64,
    /// Records that wait to be folded.
    pub(super) waiting: AtomicUsize,
    /// Records that the log has and the history has not.
    pub(super) unmoved: AtomicU64,
    /// Every transition that records before this offset cause is on disk.
    pub(super) recorded_to: AtomicU64,
    /// From the answer to an event until a transition that it caused was on disk.
    pub(super) delays: Times,
    /// How often the data was lent.
    pub(super) loans: AtomicU64,
    /// Held while files of the data are read or written that the writer knows nothing of, and while
    /// the data is lent.
    pub(super) files: Mutex<()>,
}
