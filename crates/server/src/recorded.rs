//! Recorded transitions: the latest in memory, all others read from their files by whoever asks.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use regulars_core::{CustomerId, Direction, SegmentName, Timestamp};
use regulars_store::WantedTransitions;
use regulars_store::moved::{TransitionPlace, TransitionRow};

use crate::answer::Problem;
use crate::state::Server;

/// Transitions that are read at a time where one of each segment is enough.
const FEW: usize = 1_000;

/// The latest transitions, and how many members each segment has after them.
#[derive(Debug)]
pub struct TransitionLog {
    kept: usize,
    state: Mutex<State>,
    found: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// In the order of their places, without a gap.
    latest: VecDeque<TransitionRow>,
    /// Place of the last one there ever was.
    last: Option<TransitionPlace>,
    sizes: BTreeMap<SegmentName, i64>,
}

impl TransitionLog {
    /// Keeps so many of the latest. `recorded` was before this process began, in order; after it
    /// segments have so many members.
    pub fn new(
        kept: usize,
        recorded: Vec<TransitionRow>,
        sizes: BTreeMap<SegmentName, i64>,
    ) -> Self {
        let mut state = State {
            sizes,
            ..State::default()
        };
        state.push(&recorded, kept);
        Self {
            kept,
            state: Mutex::new(state),
            found: AtomicU64::new(0),
        }
    }

    /// Adds transitions that were found, in order.
    pub fn add(&self, transitions: &[TransitionRow]) {
        let found = transitions.len() as u64;
        self.found.fetch_add(found, Ordering::Relaxed);
        let mut state = self.state();
        for TransitionRow { transition, .. } in transitions {
            let size = state.sizes.entry(transition.segment.clone()).or_default();
            *size += transition.direction.change();
        }
        state.push(transitions, self.kept);
    }

    /// How many were found.
    pub(crate) fn found(&self) -> u64 {
        self.found.load(Ordering::Relaxed)
    }

    /// Members of a segment, after everything before a place.
    pub(crate) fn size(&self, segment: &SegmentName) -> (i64, Option<TransitionPlace>) {
        let state = self.state();
        let size = state.sizes.get(segment).copied().unwrap_or_default();
        let after = state.last.map(|last| TransitionPlace {
            number: last.number + 1,
            ..last
        });
        (size, after)
    }

    /// Those wanted that are at hand, the latest first, at most `most` of them; and the place of the
    /// first that is at hand.
    fn find(
        &self,
        wanted: &WantedTransitions,
        most: usize,
    ) -> (Vec<TransitionRow>, Option<TransitionPlace>) {
        let state = self.state();
        let end = wanted.before.map_or(state.latest.len(), |before| {
            state.latest.partition_point(|row| row.place < before)
        });
        let found = state.latest.range(..end).rev();
        let found = found.filter(|row| wanted.takes(row)).take(most);
        let first = state.latest.front().map(|row| row.place);
        (found.cloned().collect(), first)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, transitions: &[TransitionRow], kept: usize) {
        self.latest.extend(transitions.iter().cloned());
        self.last = self.latest.back().map(|row| row.place).or(self.last);
        let over = self.latest.len().saturating_sub(kept);
        self.latest.drain(..over);
    }
}

/// The latest transitions that are wanted, the latest first, at most `most` of them. Reads files when
/// that many are not at hand.
///
/// # Errors
/// When the server is stopping, or a file cannot be read.
pub(crate) fn transitions(
    server: &Server,
    wanted: &WantedTransitions,
    most: usize,
) -> Result<Vec<TransitionRow>, Problem> {
    let (mut found, first) = server.transitions.find(wanted, most);
    if found.len() < most {
        let mut earlier = wanted.clone();
        earlier.before = match (first, wanted.before) {
            (Some(first), Some(before)) => Some(first.min(before)),
            (first, before) => first.or(before),
        };
        let most = most - found.len();
        let read = server
            .live
            .read_beside(|store| Ok(store.transitions(&earlier, most)?));
        let read = read.ok_or_else(Problem::stopping)?;
        found.extend(read.map_err(|error| Problem::failed(&error))?);
    }
    Ok(found)
}

/// When a customer entered the segments that they are in; those without a transition are left out.
///
/// # Errors
/// As [`transitions`].
pub(crate) fn entered(
    server: &Server,
    customer: CustomerId,
    mut segments: BTreeSet<String>,
) -> Result<HashMap<String, Timestamp>, Problem> {
    let mut entered = HashMap::new();
    let mut wanted = WantedTransitions {
        customers: Some(BTreeSet::from([customer])),
        ..WantedTransitions::default()
    };
    while !segments.is_empty() {
        let rows = transitions(server, &wanted, FEW)?;
        let is_last = rows.len() < FEW;
        wanted.before = rows.last().map(|row| row.place);
        for TransitionRow { transition, .. } in rows {
            let segment = transition.segment.as_str();
            if segments.remove(segment) && transition.direction == Direction::Entered {
                entered.insert(segment.to_owned(), transition.occurred_at);
            }
        }
        if is_last {
            break;
        }
    }
    Ok(entered)
}
