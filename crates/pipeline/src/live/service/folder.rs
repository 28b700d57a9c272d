//! The thread that owns everyone.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};

use regulars_store::log::{Found, LogRecord};

use super::{About, Question, Shared, Work};
use crate::error::PipelineError;
use crate::live::engine::Engine;

/// Records after which it is said how far the folder has come, even if nothing was found.
const SAY_EVERY: u64 = 20_000;
/// Transitions in one record, at most.
const MOST_AT_ONCE: usize = 20_000;
/// Records folded between two looks at what was found.
const AT_ONCE: usize = 256;

/// What the folder has the writer record.
pub(super) enum Told {
    /// What records brought.
    Found(Found),
    /// Limits that depend on everyone.
    Limits(LogRecord),
}

pub(super) struct Folder {
    engine: Engine,
    work: Receiver<Work>,
    found: Sender<Told>,
    shared: Arc<Shared>,
    said_to: u64,
    is_last: bool,
    /// Questions about everyone, each with the numbers of turns of accounts and of looks that everyone
    /// is told of before it is answered.
    waiting: VecDeque<((u64, u32), Question)>,
    /// Whether they wait for new limits.
    awaits_limits: bool,
}

impl Folder {
    pub(super) fn new(
        engine: Engine,
        work: Receiver<Work>,
        found: Sender<Told>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            said_to: engine.folded_to(),
            is_last: false,
            waiting: VecDeque::new(),
            awaits_limits: false,
            engine,
            work,
            found,
            shared,
        }
    }

    /// Folds until it is told to stop; `None` when everyone was given up and nobody came instead.
    pub(super) fn run(mut self) -> Result<Option<Engine>, PipelineError> {
        self.fold_tail()?;
        loop {
            let engine = &self.engine;
            let has_more = engine.is_behind() || engine.is_sweeping() || engine.has_moved();
            let work = if has_more {
                match self.work.try_recv() {
                    Ok(work) => work,
                    Err(TryRecvError::Empty) => {
                        self.engine.wake_some();
                        self.engine.sweep_some();
                        self.engine.forget_some();
                        self.say();
                        self.answer();
                        continue;
                    }
                    Err(TryRecvError::Disconnected) => break,
                }
            } else {
                let Ok(work) = self.work.recv() else { break };
                work
            };
            match work {
                Work::Records(records) => {
                    let folded = records.len();
                    for (n, (offset, record)) in (1..).zip(records) {
                        self.engine.fold(offset, record)?;
                        if n % AT_ONCE == 0 {
                            self.engine.forget_some();
                            self.say();
                        }
                    }
                    self.say();
                    self.answer();
                    // Last, so that whoever sees no more waiting sees the next wake-up too.
                    self.shared.waiting.fetch_sub(folded, Ordering::Release);
                }
                Work::Ask(About::Some(customers), question) => {
                    for customer in customers {
                        self.engine.catch_up(customer);
                    }
                    self.say();
                    question(&self.engine);
                }
                Work::Ask(About::Everyone, question) => {
                    self.waiting.push_back((self.engine.to_tell(), question));
                    self.say();
                    self.answer();
                }
                Work::Exchange { given_up, anew } => {
                    self.say_last();
                    // Whoever asked for everyone waits for them.
                    let _ = given_up.send(self.engine);
                    let Ok(engine) = anew.recv() else {
                        return Ok(None);
                    };
                    self = Self::new(engine, self.work, self.found, self.shared);
                    self.fold_tail()?;
                }
                Work::Moved {
                    history,
                    customers,
                    taken,
                } => {
                    self.engine.take_history(history, customers);
                    // A mover that is gone does not wait.
                    let _ = taken.send(());
                }
                Work::Stop => break,
            }
        }
        self.say_last();
        Ok(Some(self.engine))
    }

    /// Says what the start found, and folds what lay in the log before it.
    fn fold_tail(&mut self) -> Result<(), PipelineError> {
        self.say();
        while self.engine.tail() > 0 {
            let folded = self.engine.fold_some_of_tail(AT_ONCE)?;
            self.say();
            self.shared.waiting.fetch_sub(folded, Ordering::Release);
        }
        Ok(())
    }

    /// Answers the questions about everyone that nobody is to be told anything for any more. While
    /// customers of an account are told, records are folded in between: nobody waits for whoever
    /// asked. Nor are they answered while new limits are due, or on their way into the log.
    fn answer(&mut self) {
        if self.engine.awaits_limits() && !self.is_last {
            self.awaits_limits = true;
            return;
        }
        if std::mem::take(&mut self.awaits_limits) {
            // Whom new limits move belongs to the answers.
            let to_tell = self.engine.to_tell();
            self.waiting.iter_mut().for_each(|(of, _)| *of = to_tell);
        }
        while let Some((_, question)) = self
            .waiting
            .pop_front_if(|(to_tell, _)| self.engine.has_told(*to_tell))
        {
            question(&self.engine);
        }
    }

    /// Says what was found, and how far everything is known.
    fn say_last(&mut self) {
        self.is_last = true;
        self.engine.find_all();
        self.say();
        self.answer();
    }

    /// Says what was found since the last time, and when time makes a difference next.
    fn say(&mut self) {
        // Those of a day that ended in the tail may stand further on in it.
        if !self.is_last
            && self.engine.tail() == 0
            && let Some(limits) = self.engine.due_limits()
        {
            let _ = self.found.send(Told::Limits(limits));
        }
        let wakes = self.engine.next_wake().into_iter();
        let wake = wakes.chain([self.engine.limits_due_at()]).min();
        let wake = wake.map_or(i64::MAX, |at| at.0);
        self.shared.next_wake.store(wake, Ordering::Relaxed);
        if self.engine.holds_back() {
            return;
        }
        let is_settled = self.engine.is_settled();
        let transitions = self.engine.take_found();
        let folded_to = self.engine.folded_to();
        let is_little = !is_settled || folded_to < self.said_to.saturating_add(SAY_EVERY);
        if transitions.is_empty() && is_little && !self.is_last {
            return;
        }
        let found = if is_settled {
            let now = self.engine.looked_to();
            self.said_to = folded_to;
            Found {
                folded_to,
                now,
                transitions,
            }
        } else {
            Found::ahead(transitions)
        };
        for piece in in_pieces(found, MOST_AT_ONCE) {
            // When the writer is gone, nothing can be recorded any more.
            let _ = self.found.send(Told::Found(piece));
        }
    }
}

/// Many at once in pieces of `most`; only the last says how far everything is known, and before it
/// the others count for nothing.
fn in_pieces(found: Found, most: usize) -> Vec<Found> {
    let mut pieces = Vec::new();
    let mut rest = found.transitions;
    while rest.len() > most {
        let later = rest.split_off(most);
        pieces.push(Found::ahead(rest));
        rest = later;
    }
    pieces.push(Found {
        transitions: rest,
        ..found
    });
    pieces
}

#[cfg(test)]
mod tests {
    use regulars_core::{
        Cause, CustomerId, Direction, SegmentName, Timestamp, Transition, TransitionId,
    };

    use super::*;

    #[test]
    fn only_the_last_piece_says_how_far_everything_is_known() {
        let transition = |sequence: u64| Transition {
            id: TransitionId(sequence.into()),
            customer: CustomerId(1),
            segment: SegmentName::new("a").unwrap(),
            version: 1,
            sequence,
            direction: Direction::Entered,
            occurred_at: Timestamp(1),
            recorded_at: Timestamp(1),
            cause: Cause::Time,
        };
        for (count, sizes) in [(0, &[0][..]), (3, &[3]), (7, &[3, 3, 1])] {
            let found = Found {
                folded_to: 9,
                now: Timestamp(5),
                transitions: (0..count).map(transition).collect(),
            };
            let pieces = in_pieces(found.clone(), 3);
            let counts: Vec<usize> = pieces.iter().map(|piece| piece.transitions.len()).collect();
            assert_eq!(counts, sizes);
            let (last, others) = pieces.split_last().unwrap();
            assert_eq!((last.folded_to, last.now), (9, Timestamp(5)));
            assert!(others.iter().all(|piece| piece.folded_to == 0));
            let all = pieces.iter().flat_map(|piece| piece.transitions.clone());
            assert_eq!(all.collect::<Vec<_>>(), found.transitions);
        }
    }
}
