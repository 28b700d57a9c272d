//! Writes what a range of the log holds to files.

use std::fs;
use std::path::{Path, PathBuf};

use regulars_core::{CustomerId, Timestamp};

use super::events::MovedEvents;
use super::messages::MessageRow;
use super::records::KeptRecord;
use super::transitions::TransitionRow;
use super::{MOST_FILES, Moving, Place, records};
use crate::StoreError;
use crate::catalog::{HISTORY, TABLES, VAULT};
use crate::disk::{Disk, RealDisk};
use crate::history::tiers::first_to_merge;
use crate::history::{EventRunWriter, RunInfo};
use crate::manifest::{Change, MovedChange, MovedFile, MovedKind};
use crate::store::read_listed;
use crate::tables;
use crate::vault::Vault;

/// Files of a range of the log, to be committed.
#[derive(Debug)]
pub struct MovedFiles {
    pub(crate) change: Change,
    /// As the manifest said when the move began.
    pub(crate) vault_from: u64,
    /// End of the range.
    pub(crate) to: u64,
}

impl Moving {
    /// Writes the files, durably; `owners` are the customers that [`Moving::identities`] stand for.
    ///
    /// # Errors
    /// When a file cannot be written, or one that is merged with a new one cannot be read.
    pub fn write(mut self, owners: &[CustomerId]) -> Result<MovedFiles, StoreError> {
        let identities = self.identities();
        self.events.sort(|identity| {
            let at = identities.binary_search(&identity).ok()?;
            owners.get(at).copied()
        });
        let arrived = self.arrived();
        let place = &self.place;
        let mut change = Change {
            add_runs: place.write_events(&self.events)?,
            ..Change::default()
        };
        let mut moved = MovedChange {
            to: place.to,
            arrived,
            ..MovedChange::default()
        };
        moved.add.extend(place.write_messages(&self.messages)?);
        place.write_transitions(self.transitions, &mut moved)?;
        place.write_records(self.records, &mut moved)?;
        if let Some(key) = place.key.as_ref().filter(|_| !self.journals.is_empty()) {
            let bytes = Vault::file_of_journals(&self.log_dir, &self.journals, key)?;
            let name = place.name("identities", place.from, "vault");
            write_file(&place.dir.join(VAULT).join(&name), &bytes)?;
            change.add_vault.push(name);
        }
        change.moved = Some(moved);
        Ok(MovedFiles {
            change,
            vault_from: place.manifest.vault_from,
            to: place.to,
        })
    }
}

impl Place {
    /// The name of a file of the range from `from` to the end of this move.
    fn name(&self, what: &str, from: u64, extension: &str) -> String {
        format!("{what}-{from:012}-{:012}.{extension}", self.to)
    }

    /// One run for each partition that has any.
    fn write_events(&self, events: &MovedEvents) -> Result<Vec<RunInfo>, StoreError> {
        let mut runs = Vec::new();
        for places in events.by_partition() {
            let partition = places[0].customer.partition();
            let what = format!("events-p{:02}", partition.0);
            let name = self.name(&what, self.from, "parquet");
            let mut writer = EventRunWriter::create(&self.dir.join(HISTORY), name, partition)?;
            for place in places {
                writer.push_event(place.offset, &events.get(place))?;
            }
            runs.push(writer.finish()?);
        }
        Ok(runs)
    }

    fn write_messages(&self, rows: &[MessageRow]) -> Result<Option<MovedFile>, StoreError> {
        let Some(last) = rows.iter().map(|row| row.received_at).max() else {
            return Ok(None);
        };
        let name = self.name("messages", self.from, "parquet");
        tables::save(&self.table(&name), rows)?;
        let file = self.moved_file(name, MovedKind::Messages, self.from, last)?;
        Ok(Some(file))
    }

    fn write_transitions(
        &self,
        new: Vec<TransitionRow>,
        moved: &mut MovedChange,
    ) -> Result<(), StoreError> {
        if new.is_empty() {
            return Ok(());
        }
        let (mut rows, mut from) = (Vec::new(), self.from);
        for earlier in self.to_merge(MovedKind::Transitions) {
            rows.extend(tables::load::<TransitionRow>(&self.table(&earlier.file))?);
            from = from.min(earlier.from);
            moved.drop.insert(earlier.file.clone());
        }
        rows.extend(new);
        let recorded_at = rows.iter().map(|row| row.transition.recorded_at);
        let last = recorded_at.max().unwrap_or(Timestamp::MIN);
        let name = self.name("transitions", from, "parquet");
        tables::save(&self.table(&name), &rows)?;
        let file = self.moved_file(name, MovedKind::Transitions, from, last)?;
        moved.add.push(file);
        Ok(())
    }

    fn write_records(
        &self,
        new: Vec<KeptRecord>,
        moved: &mut MovedChange,
    ) -> Result<(), StoreError> {
        if new.is_empty() {
            return Ok(());
        }
        let (mut all, mut from) = (Vec::new(), self.from);
        for earlier in self.to_merge(MovedKind::Records) {
            let path = self.table(&earlier.file);
            all.extend(records::decode(&path, &read_listed(&RealDisk, &path)?)?);
            from = from.min(earlier.from);
            moved.drop.insert(earlier.file.clone());
        }
        all.extend(new);
        let name = self.name("records", from, "records");
        write_file(&self.table(&name), &records::encode(&all))?;
        let file = self.moved_file(name, MovedKind::Records, from, Timestamp::MIN)?;
        moved.add.push(file);
        Ok(())
    }

    /// Earlier files of a kind that are merged with a new one.
    fn to_merge(&self, kind: MovedKind) -> impl Iterator<Item = &MovedFile> {
        let earlier: Vec<&MovedFile> = self.manifest.moved.of(kind, 0).collect();
        let ranges = earlier.iter().map(|file| file.to - file.from);
        let sizes: Vec<u64> = ranges.chain([self.to - self.from]).collect();
        let first = first_to_merge(&sizes, MOST_FILES).unwrap_or(earlier.len());
        earlier.into_iter().skip(first)
    }

    fn table(&self, name: &str) -> PathBuf {
        self.dir.join(TABLES).join(name)
    }

    fn moved_file(
        &self,
        name: String,
        kind: MovedKind,
        from: u64,
        last_at: Timestamp,
    ) -> Result<MovedFile, StoreError> {
        let path = self.table(&name);
        let metadata = fs::metadata(&path).map_err(StoreError::io("look at", &path))?;
        Ok(MovedFile {
            file: name,
            kind,
            from,
            to: self.to,
            last_at,
            bytes: metadata.len(),
        })
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = RealDisk
        .create(path)
        .map_err(StoreError::io("create", path))?;
    file.write(bytes).map_err(StoreError::io("write", path))?;
    file.sync().map_err(StoreError::io("sync", path))
}
