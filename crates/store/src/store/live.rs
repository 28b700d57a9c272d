//! What the live path asks of a store: to keep events, and to give them back.

use std::ops::Range;

use regulars_core::Timestamp;

use super::{Store, read_listed};
use crate::StoreError;
use crate::disk::RealDisk;
use crate::log::LogRecord;
use crate::log::live::{self, Found, Logged, StoredEvent};
use crate::log::record::Entry;
use crate::manifest::TableName;
use crate::tables::memberships::{self, MembershipsSaved};
use crate::vault::Vault;

/// Records on their way into the log, to be appended as one frame.
#[derive(Debug, Default)]
pub struct Frame {
    bytes: Vec<u8>,
    /// End of each record in `bytes`.
    ends: Vec<usize>,
}

impl Frame {
    /// Adds an event.
    pub fn event(&mut self, event: &StoredEvent) {
        live::encode_event(event, &mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// Adds something that happened to the workspace and changed no files.
    pub fn record(&mut self, record: &LogRecord) {
        let entry = Entry::new(record.clone(), None);
        self.push(&entry.encode());
    }

    /// Adds what was found.
    pub fn found(&mut self, found: &Found) {
        self.push(&live::encode_found(found));
    }

    /// Adds that it is `now`.
    pub fn tick(&mut self, now: Timestamp) {
        self.push(&live::encode_tick(now));
    }

    /// Adds what became of deliveries.
    pub fn marks(&mut self, json: &[u8]) {
        self.push(&live::encode_marks(json));
    }

    fn push(&mut self, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        self.ends.push(self.bytes.len());
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True without records.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn records(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, &end)| &self.bytes[start..end])
    }
}

impl Store {
    /// Appends the records of `frame`, with the identities that were minted or linked since the
    /// last call before them; when it returns they are durable, all or none. Gives the offsets of
    /// the records of `frame`.
    ///
    /// # Errors
    /// When opened for reading, or the disk refuses; nothing is taken any more after that.
    pub fn append(&mut self, frame: &Frame) -> Result<Range<u64>, StoreError> {
        self.catalog.check_writable()?;
        let journal = match self.vault.get_mut() {
            Some(vault) if vault.has_changed() => {
                self.key()?;
                let key = self.key.get().expect("it was loaded the line before");
                let vault = self.vault.get_mut().expect("it was there a moment ago");
                vault.journal(key)?
            }
            Some(_) | None => None,
        };
        let journal = journal.map(|file| live::encode_identities(&file));
        let mut records: Vec<&[u8]> = Vec::with_capacity(frame.len() + 1);
        records.extend(journal.as_deref());
        records.extend(frame.records());
        let offsets = self.catalog.append_live(&records)?;
        if journal.is_some()
            && let Some(vault) = self.vault.get_mut()
        {
            vault.is_journaled_at(offsets.start);
        }
        Ok(offsets.end - frame.len() as u64..offsets.end)
    }

    /// The vault, to mint and link identities in; they become durable with the next
    /// [`Store::append`].
    ///
    /// # Errors
    /// As [`Store::vault`].
    pub fn live_vault(&mut self) -> Result<&mut Vault, StoreError> {
        self.vault_mut()
    }

    /// The memberships saved last; `None` when none were.
    ///
    /// # Errors
    /// When the file is missing, damaged or of an unknown version.
    pub fn memberships(&self) -> Result<Option<MembershipsSaved>, StoreError> {
        let Some(path) = self.table(TableName::Memberships) else {
            return Ok(None);
        };
        let bytes = read_listed(&RealDisk, &path)?;
        memberships::decode(&path, &bytes).map(Some)
    }

    /// Gives what became of deliveries to `each`, as JSON with the offset of its record, in order.
    ///
    /// # Errors
    /// When the log, or a file of what was moved out of it, is damaged.
    pub fn each_marks(&self, mut each: impl FnMut(u64, &[u8])) -> Result<(), StoreError> {
        let mut take = |offset, bytes: &[u8]| {
            if let Some(json) = live::marks_in(bytes) {
                each(offset, json);
            }
        };
        self.replay(0).each_record(&mut take)?;
        let mut logged = self.catalog.log().read_from(self.moved_to());
        while let Some((offset, bytes)) = logged.next_record()? {
            take(offset, bytes);
        }
        Ok(())
    }

    /// When the latest event arrived; `None` without events.
    ///
    /// # Errors
    /// When the log is damaged.
    pub fn latest_arrival(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut latest = self.history().arrived().map(|(_, last)| last);
        let mut logged = self.catalog.log().read_from(self.moved_to());
        while let Some((_, bytes)) = logged.next_record()? {
            latest = latest.max(live::arrival_in(bytes));
        }
        Ok(latest)
    }

    /// What was not moved out of the log, in order, read by several threads.
    ///
    /// # Errors
    /// When the log is damaged or holds an unknown record.
    pub fn logged_at_once(&self, threads: usize) -> Result<Vec<(u64, Logged)>, StoreError> {
        let log = self.catalog.log();
        log.map_from(self.moved_to(), threads, |offset, bytes| {
            Ok((offset, live::decode(log.dir(), offset, bytes)?))
        })
    }

    /// Everything that the log held from an offset on, in order. Of what was moved out of it events,
    /// ticks and new identities are left out, and records of what was found say transitions only.
    ///
    /// # Errors
    /// When the log, or a file of what was moved out of it, is damaged or holds an unknown record.
    pub fn logged(
        &self,
        from: u64,
    ) -> impl Iterator<Item = Result<(u64, Logged), StoreError>> + '_ {
        let log = self.catalog.log();
        let moved = self.replay(from);
        let mut logged = log.read_from(from.max(self.moved_to()));
        let logged = std::iter::from_fn(move || {
            let next = logged.next_record();
            let read = |(offset, bytes)| Ok((offset, live::decode(log.dir(), offset, bytes)?));
            next.and_then(|next| next.map(read).transpose()).transpose()
        });
        moved.chain(logged)
    }
}
