//! Files of events: each becomes the record that it would have become had it arrived live.
//!
//! Events go into the log in frames of some thousand. Each is told from a repeat by its message,
//! or by all that it says, so that an import that broke off is finished by doing it again, and a
//! file that was imported before adds nothing. A file is read twice: once to see that not too many
//! rows are bad, and once to take them.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::Ordering;

use foldhash::fast::FixedState;
use regulars_core::{Partition, Timestamp};
use regulars_ingest::tracking::ArchivedEvent;
use regulars_ingest::{Batch, Entity, Reject, open};
use regulars_store::log::Logged;
use regulars_store::{Frame, Store};
use serde::Serialize;

use super::ahead::ahead;
use super::rejects::RejectFile;
use super::report::FileReport;
use super::sources::SourceFile;
use super::{ImportOptions, RejectPolicy, reject_limit};
use crate::error::PipelineError;
use crate::live::identify::{self, Arrival, Refusals, Rules, Sender};
use crate::progress::{Progress, Unit};
use crate::workspace::Workspace;

/// Events in one frame, about.
const EVENTS_AT_ONCE: usize = 5_000;

/// What became of the events of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct EventCounts {
    /// Events that are new.
    pub events: u64,
    /// Events that were there already.
    pub repeated: u64,
    /// Events that name nobody: every id in them is one that many people share.
    pub nameless: u64,
}

/// What files of events said.
#[derive(Debug, Default)]
pub(super) struct EventsTaken {
    pub(super) counts: EventCounts,
    /// By the place of the file among those of the import.
    pub(super) reports: Vec<(usize, FileReport)>,
    /// Rows that could not be read, by file.
    pub(super) rejected: Vec<(String, Vec<Reject>)>,
}

/// Takes the events of every file that holds some.
///
/// # Errors
/// When a file cannot be read as a whole, too many rows of one cannot, or the log cannot be
/// written.
pub(super) fn take(
    workspace: &Workspace,
    store: &mut Store,
    sources: &[SourceFile],
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<EventsTaken, PipelineError> {
    let mut taken = EventsTaken::default();
    let files: Vec<(usize, &SourceFile)> = sources
        .iter()
        .enumerate()
        .filter(|(_, source)| holds_events(source) && !source.skip)
        .collect();
    for &(place, source) in &files {
        let mut report = source.report();
        let mut rejected = Vec::new();
        read(source, options, progress, "checking", &mut |events, bad| {
            report.rows += (events.len() + bad.len()) as u64;
            report.rejected += bad.len() as u64;
            rejected.extend(bad);
            Ok(())
        })?;
        let limit = workspace.config().import.max_rejected_share;
        if let Some(percent) = reject_limit(report.rejected, report.rows, limit)
            && options.rejects == RejectPolicy::Limit
        {
            let file = source.path.display().to_string();
            let mut kept = RejectFile::begin(&workspace.rejects_dir(), store.next_offset())?;
            kept.add(&file, &rejected)?;
            return Err(PipelineError::TooManyRejects {
                file,
                rejected: report.rejected,
                rows: report.rows,
                percent,
                rejects: kept.path().map(Path::to_owned),
            });
        }
        taken
            .rejected
            .push((source.path.display().to_string(), rejected));
        taken.reports.push((place, report));
    }
    if files.is_empty() {
        return Ok(taken);
    }
    options.commits.store(true, Ordering::SeqCst);
    let mut known = Known {
        messages: messages(store)?,
        rules: Rules::new(&workspace.config().identity, Refusals::of_store(store)?),
    };
    let mut frame = Frame::default();
    for (_, source) in files {
        read(source, options, progress, "reading", &mut |events, _| {
            for event in events {
                taken
                    .counts
                    .add(put(store, &mut frame, &mut known, event, options)?);
                if frame.len() >= EVENTS_AT_ONCE {
                    store.append(&frame)?;
                    frame.clear();
                }
            }
            Ok(())
        })?;
    }
    if !frame.is_empty() {
        store.append(&frame)?;
    }
    Ok(taken)
}

pub(super) fn holds_events(source: &SourceFile) -> bool {
    source.recognition.entity == Entity::Events
}

/// What tells whether an event is new, and whose it is.
struct Known {
    messages: HashSet<u128, FixedState>,
    rules: Rules,
}

/// Is given some events of a file, and rows that could not be read.
type Take<'t> = dyn FnMut(Vec<ArchivedEvent>, Vec<Reject>) -> Result<(), PipelineError> + 't;

fn read(
    source: &SourceFile,
    options: &ImportOptions,
    progress: &dyn Progress,
    phase: &str,
    take: &mut Take<'_>,
) -> Result<(), PipelineError> {
    let reader = open(&source.path, &source.recognition, &options.read)?;
    let bytes = reader.progress().bytes_total;
    progress.begin(&format!("{phase} {}", source.name()), bytes, Unit::Bytes);
    ahead(reader, progress, &mut |batch| match batch {
        Batch::Events(batch) => take(batch.events, batch.rejected),
        _ => Ok(()),
    })
}

/// Messages of every event that is known.
fn messages(store: &Store) -> Result<HashSet<u128, FixedState>, PipelineError> {
    let mut known = HashSet::default();
    let history = store.history();
    for partition in Partition::all() {
        let mut events = history.events(partition)?;
        while let Some(rows) = events.next_customer()? {
            known.extend(rows.iter().map(|row| row.event.message));
        }
    }
    for entry in store.logged(store.moved_to()) {
        if let (_, Logged::Event(event)) = entry? {
            known.insert(event.message);
        }
    }
    Ok(known)
}

enum Put {
    New,
    Repeated,
    Nobody,
}

/// Puts an event into the frame.
fn put(
    store: &mut Store,
    frame: &mut Frame,
    known: &mut Known,
    archived: ArchivedEvent,
    options: &ImportOptions,
) -> Result<Put, PipelineError> {
    let mut event = archived.event;
    // As it stands in the file: a later import of it is told as a repeat.
    let message = identify::message_of(&event);
    // Nothing happened after it was imported.
    let at = |instant: Timestamp| instant.min(options.recorded_at);
    event.occurred_at = at(event.occurred_at);
    let received_at = at(archived.received_at);
    if known.messages.contains(&message) {
        return Ok(Put::Repeated);
    }
    let vault = store.live_vault()?;
    let arrival = Arrival {
        event: &event,
        message,
        received_at,
        sender: &Sender::SHOP,
    };
    match identify::identify(vault, &mut known.rules, arrival)? {
        Ok((records, event)) => {
            records.iter().for_each(|record| frame.record(record));
            frame.event(&event);
            known.messages.insert(message);
            Ok(Put::New)
        }
        Err(identify::Nobody) => Ok(Put::Nobody),
    }
}

impl EventCounts {
    fn add(&mut self, put: Put) {
        match put {
            Put::New => self.events += 1,
            Put::Repeated => self.repeated += 1,
            Put::Nobody => self.nameless += 1,
        }
    }
}
