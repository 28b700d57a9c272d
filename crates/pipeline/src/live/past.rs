//! What a start takes from the log, read once: what was recorded of memberships, what events tell,
//! which messages arrived lately, and what is to be folded anew.

mod members;

use std::collections::VecDeque;

use regulars_core::{DAY_MS, Timestamp, Transition};
use regulars_store::Store;
use regulars_store::log::{Found, LogRecord, LogRecordKind, Logged};
use regulars_store::moved::TransitionRow;

pub(super) use members::{Members, Recall};

use super::identify::Refusals;
use super::seen::{Seen, Unsorted};
use super::told::Tellings;
use super::whose::Earlier;
use crate::error::PipelineError;

/// Transitions of the log that are at hand after a start.
pub const RECORDED_KEPT: usize = 100_000;
/// Repeats are told for so long.
pub(super) const REPEATS_MS: i64 = 7 * DAY_MS;

/// What was recorded of memberships.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) folded_to: u64,
    pub(super) now: Timestamp,
    pub(super) members: Members,
    /// Transitions ahead of these ([`Found::is_ahead`]), in order: records of the tail cause them.
    pub(super) ahead: Vec<Transition>,
}

/// What lies before a start.
#[derive(Debug)]
pub(super) struct Past {
    /// `None` on the first start of a workspace.
    pub(super) recorded: Option<Recorded>,
    /// Whether files were imported since.
    pub(super) imported: bool,
    pub(super) tellings: Tellings,
    /// Records that are to be folded as if they came now.
    pub(super) tail: VecDeque<(u64, Logged)>,
    /// The latest transitions, in order.
    pub(super) transitions: VecDeque<TransitionRow>,
    /// Messages of the last days.
    pub(super) messages: Seen,
    /// What was refused to names.
    pub(super) refusals: Refusals,
}

impl Past {
    /// Whether any event, or limits of everyone, are to be folded as if they came now.
    pub(super) fn has_tail(&self) -> bool {
        self.tail.iter().any(|(_, record)| match record {
            Logged::Event(_) => true,
            Logged::Workspace(record) => matches!(**record, LogRecord::CutpointsSet(_)),
            _ => false,
        })
    }

    /// Reads it; messages that arrived before `messages_since` are left out.
    ///
    /// # Errors
    /// When a file of the store is missing or damaged.
    pub(super) fn read(
        store: &Store,
        messages_since: Timestamp,
        threads: usize,
    ) -> Result<Self, PipelineError> {
        // Who is who is read beside what was told.
        let entries = std::thread::scope(|scope| {
            let vault = scope.spawn(|| store.vault().map(drop));
            let entries = store.logged_at_once(threads);
            vault.join().expect("reading does not panic").and(entries)
        })?;
        let mut recorded = saved(store)?;
        let saved_to = recorded.as_ref().map_or(0, |recorded| recorded.folded_to);
        let mut transitions = Latest::default();
        let mut messages = Unsorted::default();
        store.messages(messages_since, |received_at, message| {
            messages.add(message, received_at);
        })?;
        for row in store.moved_transitions(saved_to, RECORDED_KEPT)? {
            let is_since = row.place.offset >= saved_to;
            if let Some(recorded) = recorded.as_mut().filter(|_| is_since) {
                recorded.members.note(&row.transition);
            }
            transitions.note(row);
        }
        let mut logged: VecDeque<(u64, Logged)> = VecDeque::with_capacity(entries.len());
        for (offset, record) in entries {
            match record {
                Logged::Found(found) => {
                    if let Some(recorded) = recorded.as_mut().filter(|_| offset >= saved_to) {
                        recorded.take(found.clone());
                    }
                    let rows = TransitionRow::of_record(offset, found.transitions);
                    rows.for_each(|row| transitions.note(row));
                }
                record => {
                    if let Logged::Event(event) = &record
                        && event.received_at >= messages_since
                    {
                        messages.add(event.message, event.received_at);
                    }
                    logged.push_back((offset, record));
                }
            }
        }
        let imported = match &recorded {
            Some(recorded) => {
                let latest = store.latest_offset(LogRecordKind::ImportAdded);
                latest.is_some_and(|at| at >= recorded.folded_to)
            }
            None => false,
        };
        let told_to = match &recorded {
            Some(recorded) if !imported => recorded.folded_to,
            Some(_) | None => u64::MAX,
        };
        let first = logged.partition_point(|(offset, _)| *offset < told_to);
        // The vault is ahead by what the tail says of who is whom.
        let earlier = Earlier::than(logged.range(first..).map(|(_, record)| record));
        let mut tellings = Tellings::begin(store, Timestamp::MAX, earlier)?;
        for (offset, record) in logged.drain(..first) {
            tellings.take(store, offset, record)?;
        }
        tellings.finish(store)?;
        let mut refusals = std::mem::take(&mut tellings.refusals);
        for (_, record) in &logged {
            if let Logged::Workspace(record) = record {
                refusals.note(record);
            }
        }
        Ok(Self {
            recorded,
            imported,
            tellings,
            tail: logged,
            transitions: transitions.0,
            messages: messages.sorted(),
            refusals,
        })
    }
}

/// The latest transitions, in order.
#[derive(Debug, Default)]
struct Latest(VecDeque<TransitionRow>);

impl Latest {
    fn note(&mut self, transition: TransitionRow) {
        if self.0.len() == RECORDED_KEPT {
            self.0.pop_front();
        }
        self.0.push_back(transition);
    }
}

impl Recorded {
    fn take(&mut self, found: Found) {
        if found.is_ahead() {
            self.ahead.extend(found.transitions);
            return;
        }
        self.folded_to = self.folded_to.max(found.folded_to);
        self.now = self.now.max(found.now);
        let ahead = std::mem::take(&mut self.ahead);
        let transitions = ahead.iter().chain(&found.transitions);
        transitions.for_each(|found| self.members.note(found));
    }
}

/// The memberships of the last file.
fn saved(store: &Store) -> Result<Option<Recorded>, PipelineError> {
    let saved = store.memberships()?;
    Ok(saved.map(|saved| Recorded {
        folded_to: saved.folded_to,
        now: saved.now,
        members: Members::of(saved),
        ahead: Vec::new(),
    }))
}
