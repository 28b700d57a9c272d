//! What was moved out of the log, and how more of it is: see [`crate::moved`].

#[cfg(test)]
mod tests;

use std::sync::Arc;

use regulars_core::Timestamp;

use super::Store;
use crate::StoreError;
use crate::catalog::Replaced;
use crate::history::tiers::{MergedRuns, RunMerge};
use crate::log::live;
use crate::log::record::Entry;
use crate::log::{HistoryCompacted, LogRecord, RecordsMoved};
use crate::manifest::{Change, MovedKind};
use crate::moved::messages::MessageRow;
use crate::moved::records::KeptRecord;
use crate::moved::transitions::TransitionRow;
use crate::moved::{LogMove, MOST_BYTES, MOST_FILES, MovedFiles, Place, Replay};
use crate::tables;

impl Store {
    /// Records of the log before this offset were moved out of it.
    pub fn moved_to(&self) -> u64 {
        self.catalog.manifest().moved.to
    }

    /// Begins to move the records of the log before `to`, or as many of them as memory should hold
    /// at a time; `None` when they are moved already. One
    /// move at a time, each ended by [`Store::finish_move`] or dropped.
    ///
    /// # Errors
    /// When the master key cannot be read.
    pub fn begin_move(&self, to: u64) -> Result<Option<LogMove>, StoreError> {
        let log = self.catalog.log();
        let (from, to) = (self.moved_to(), to.min(log.next_offset()));
        if to <= from {
            return Ok(None);
        }
        let has_identities = !self.vault()?.is_empty();
        Ok(Some(LogMove {
            place: Place {
                dir: self.dir.clone(),
                from,
                to,
                manifest: Arc::clone(self.catalog.manifest()),
                key: has_identities.then(|| self.key().cloned()).transpose()?,
            },
            reader: log.read(from..to),
            most_bytes: MOST_BYTES,
            log_dir: log.dir().to_owned(),
        }))
    }

    /// Makes a move count, then removes the segments of the log that hold nothing else. Messages
    /// that arrived before `messages_since` are forgotten.
    ///
    /// # Errors
    /// When something cannot be written; whether it was moved is then known only after the store
    /// was opened again.
    pub fn finish_move(
        &mut self,
        moved: MovedFiles,
        messages_since: Timestamp,
        recorded_at: Timestamp,
    ) -> Result<(), StoreError> {
        let MovedFiles {
            mut change,
            vault_from,
            to,
        } = moved;
        let manifest = self.catalog.manifest();
        if vault_from != manifest.vault_from {
            // A commit in between wrote them all to the vault.
            change.add_vault.clear();
        }
        if let Some(moved) = &mut change.moved {
            let messages = manifest.moved.of(MovedKind::Messages, 0);
            let old = messages.filter(|file| file.last_at < messages_since);
            moved.drop.extend(old.map(|file| file.file.clone()));
        }
        let record = LogRecord::RecordsMoved(RecordsMoved { to, recorded_at });
        self.catalog
            .commit(record, Some(change), Replaced::Removed)?;
        if let Some(vault) = self.vault.get_mut() {
            vault.saved_before(to);
        }
        Ok(())
    }

    /// The runs of events that are too many in their partition, to be merged.
    pub fn run_merges(&self) -> Vec<RunMerge> {
        RunMerge::plan(&self.history(), MOST_FILES, self.next_offset())
    }

    /// Makes merged runs count. The files that they replace stay for readers of an earlier
    /// [`Store::history`] until [`Store::remove_replaced`].
    ///
    /// # Errors
    /// As [`Store::finish_move`].
    pub fn finish_merges(
        &mut self,
        merged: Vec<MergedRuns>,
        recorded_at: Timestamp,
    ) -> Result<(), StoreError> {
        if merged.is_empty() {
            return Ok(());
        }
        let mut change = Change::default();
        for MergedRuns { run, dropped } in merged {
            change.add_runs.push(run);
            change.drop_runs.extend(dropped);
        }
        let record = LogRecord::HistoryCompacted(HistoryCompacted { recorded_at });
        self.catalog.commit(record, Some(change), Replaced::Kept)?;
        Ok(())
    }

    /// Removes the files that merged runs replaced: nobody reads them any more.
    pub fn remove_replaced(&mut self) {
        self.catalog.remove_replaced();
    }

    /// Calls `each` with the arrival of messages that were moved out of the log; all that arrived
    /// from `since` on are among them.
    ///
    /// # Errors
    /// When a file is missing, damaged or of an unknown version.
    pub fn messages(
        &self,
        since: Timestamp,
        mut each: impl FnMut(Timestamp, u128),
    ) -> Result<(), StoreError> {
        let files = self.catalog.manifest().moved.of(MovedKind::Messages, 0);
        for file in files.filter(|file| file.last_at >= since) {
            let rows: Vec<MessageRow> = tables::load(&self.table_path(&file.file))?;
            rows.iter()
                .for_each(|row| each(row.received_at, row.message));
        }
        Ok(())
    }

    /// The records of the workspace that were moved out of the log, with their offsets.
    ///
    /// # Errors
    /// When a file is missing, damaged or of an unknown version.
    pub fn moved_records(&self) -> Result<Vec<(u64, LogRecord)>, StoreError> {
        let mut found = Vec::new();
        for (offset, bytes) in self.kept_records(0)? {
            if !live::is_live(&bytes) {
                let log = self.catalog.log().dir();
                found.push((offset, Entry::decode(log, offset, &bytes)?.record));
            }
        }
        Ok(found)
    }

    /// Transitions that were moved out of the log, in order: all from an offset on, and at least so many if there are so many.
    ///
    /// # Errors
    /// As [`Store::moved_records`].
    pub fn moved_transitions(
        &self,
        from: u64,
        at_least: usize,
    ) -> Result<Vec<TransitionRow>, StoreError> {
        let files = self.catalog.manifest().moved.of(MovedKind::Transitions, 0);
        let mut newest_first: Vec<_> = files.collect();
        newest_first.reverse();
        let (mut parts, mut count) = (Vec::new(), 0);
        for file in newest_first {
            if file.to <= from && count >= at_least {
                break;
            }
            let rows: Vec<TransitionRow> = tables::load(&self.table_path(&file.file))?;
            count += rows.len();
            parts.push(rows);
        }
        Ok(parts.into_iter().rev().flatten().collect())
    }

    pub(super) fn replay(&self, from: u64) -> Replay {
        Replay::new(&self.dir, self.catalog.manifest(), from)
    }

    pub(super) fn kept_records(&self, from: u64) -> Result<Vec<KeptRecord>, StoreError> {
        self.replay(from).kept_records()
    }
}
