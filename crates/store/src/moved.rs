//! What was moved out of the log: events into runs of the history, the rest into files of its own.
//!
//! ```text
//! log, a range of it ─► LogMove::read ─► whose is what now (the vault) ─► Moving::write ─► Store::finish_move
//!      (any thread)                        (where the store is)             (any thread)     (where the store is)
//!
//! events                      ─► history/events-p<partition>-<from>-<to>.parquet, tables/messages-….parquet
//! transitions                 ─► tables/transitions-<from>-<to>.parquet
//! records, ends of deliveries ─► tables/records-<from>-<to>.records
//! identities                  ─► vault/identities-<from>-<to>.vault
//! ticks                       ─► nowhere: all that they caused is in the transitions
//! ```
//!
//! Names come from the range of offsets, so that a move that a crash broke off is made again over
//! what it left. The files are durable before the record that lists them, the manifest is before a
//! segment of the log goes.

mod events;
pub(crate) mod messages;
pub(crate) mod records;
pub(crate) mod transitions;

mod replay;
mod write;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use regulars_core::Timestamp;

pub(crate) use replay::Replay;
pub use transitions::{NotAPlace, TransitionPlace, TransitionRow};
pub use write::MovedFiles;

use crate::StoreError;
use crate::log::live::{self, Logged};
use crate::log::record::Entry;
use crate::log::{LogReader, LogRecord};
use crate::manifest::Manifest;
use crate::vault::{IdentityId, MasterKey};
use events::MovedEvents;
use messages::MessageRow;

/// Bytes of records that are moved at a time, about: events may be long.
pub(crate) const MOST_BYTES: usize = 256 << 20;
/// More files of a kind than this are merged.
pub(crate) const MOST_FILES: usize = 8;

/// A range of the log that is to be moved.
#[derive(Debug)]
pub struct LogMove {
    pub(crate) place: Place,
    pub(crate) reader: LogReader,
    /// Bytes of records after which it ends early.
    pub(crate) most_bytes: usize,
    /// The directory of the log, for messages.
    pub(crate) log_dir: PathBuf,
}

/// Where the files of a move go.
#[derive(Debug)]
pub(crate) struct Place {
    /// The data directory.
    pub(crate) dir: PathBuf,
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) manifest: Arc<Manifest>,
    /// Missing where no identity was ever made.
    pub(crate) key: Option<MasterKey>,
}

/// What a range of the log holds.
#[derive(Debug)]
pub struct Moving {
    pub(crate) place: Place,
    events: MovedEvents,
    pub(crate) messages: Vec<MessageRow>,
    pub(crate) transitions: Vec<TransitionRow>,
    /// With their offsets, as they are kept.
    pub(crate) records: Vec<(u64, Vec<u8>)>,
    /// Files of the vault as the log holds them.
    pub(crate) journals: Vec<Vec<u8>>,
    pub(crate) log_dir: PathBuf,
}

impl LogMove {
    /// Reads the range, as much of it as memory should hold at a time.
    ///
    /// # Errors
    /// When the log is damaged or holds an unknown record.
    pub fn read(mut self) -> Result<Moving, StoreError> {
        let vault_from = self.place.manifest.vault_from;
        let mut moving = Moving {
            place: self.place,
            events: MovedEvents::default(),
            messages: Vec::new(),
            transitions: Vec::new(),
            records: Vec::new(),
            journals: Vec::new(),
            log_dir: self.log_dir,
        };
        let mut read_bytes = 0;
        while let Some((offset, bytes)) = self.reader.next_record()? {
            if read_bytes >= self.most_bytes {
                moving.place.to = offset;
                break;
            }
            read_bytes += bytes.len();
            if let Some(event) = live::event_in(bytes) {
                moving.messages.push(MessageRow {
                    received_at: event.received_at,
                    message: event.message,
                });
                moving.events.push(offset, &event, bytes);
                continue;
            }
            if let Some(journal) = live::identities_in(bytes) {
                if offset >= vault_from {
                    moving.journals.push(journal.to_vec());
                }
                continue;
            }
            match live::decode(&moving.log_dir, offset, bytes)? {
                Logged::Found(found) => {
                    let rows = TransitionRow::of_record(offset, found.transitions);
                    moving.transitions.extend(rows);
                }
                Logged::Workspace(record) => moving.records.push((offset, kept(*record))),
                Logged::Marks(_) => moving.records.push((offset, bytes.to_vec())),
                // An event that can be read was taken before.
                Logged::Event(_) | Logged::Tick(_) | Logged::Identities => {}
            }
        }
        Ok(moving)
    }
}

/// A record without what it did to the files, which the manifest knows.
fn kept(record: LogRecord) -> Vec<u8> {
    Entry::new(record, None).encode()
}

impl Moving {
    /// Under which identities the events came, sorted, each once.
    pub fn identities(&self) -> Vec<IdentityId> {
        let identities = self.events.iter().map(|event| event.identity);
        identities.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Number of events.
    pub fn events(&self) -> usize {
        self.events.len()
    }

    /// When the first and the last event arrived.
    fn arrived(&self) -> Option<(Timestamp, Timestamp)> {
        let arrived = self.messages.iter().map(|row| row.received_at);
        Some((arrived.clone().min()?, arrived.max()?))
    }
}
