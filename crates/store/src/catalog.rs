//! Log and manifest together: the two steps that make a change of the files count.
//!
//! ```text
//! files written and synced ─► their directories synced ─► record in the log ─► manifest replaced
//!                             └──────────────── Catalog::commit ──────────────────────────────┘
//! ```
//!
//! The record in the log is the moment at which the change has happened. A crash before it leaves
//! files that nobody lists; a crash after it leaves a manifest that is behind. [`Catalog::open`]
//! takes up the records that the manifest does not know; [`Catalog::remove_unlisted`] removes the
//! files that nobody lists.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::StoreError;
use crate::disk::Disk;
use crate::log::live;
use crate::log::record::Entry;
use crate::log::{Log, LogRecord};
use crate::manifest::{Change, Manifest};

pub(crate) const HISTORY: &str = "history";
pub(crate) const TABLES: &str = "tables";
pub(crate) const VAULT: &str = "vault";
pub(crate) const LOG: &str = "log";
/// Stands in the vault's directory, but is listed nowhere.
pub(crate) const MASTER_KEY: &str = "master.key";

/// Whether this process may change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

#[derive(Debug)]
pub(crate) struct Catalog {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    log: Log,
    manifest: Arc<Manifest>,
    replayed: u64,
    /// The manifest on disk could not be replaced: the log is ahead of it.
    behind: bool,
    /// Files that are listed no more, which somebody may still read.
    replaced: Vec<PathBuf>,
}

/// When files that a change replaces are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replaced {
    /// At once: nobody else reads them.
    Removed,
    /// With [`Catalog::remove_replaced`], when nobody reads them any more.
    Kept,
}

impl Catalog {
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        access: Access,
        segment_bytes: u64,
    ) -> Result<Self, StoreError> {
        let manifest_path = dir.join("manifest.json");
        let mut manifest = Manifest::load(disk.as_ref(), &manifest_path)?.unwrap_or_default();
        let log_dir = dir.join(LOG);
        let known = (manifest.moved.to, manifest.applied);
        let mut log = match access {
            Access::Write => Log::open(Arc::clone(&disk), &log_dir, segment_bytes, known)?,
            Access::Read => Log::open_read(Arc::clone(&disk), &log_dir, known)?,
        };
        let mut replayed = 0;
        let mut records = log.read_from(manifest.applied);
        while let Some((offset, bytes)) = records.next_record()? {
            if live::is_live(bytes) {
                continue;
            }
            let entry = Entry::decode(log.dir(), offset, bytes)?;
            manifest.apply(offset, entry.record.kind(), entry.change.as_ref());
            replayed += 1;
        }
        if replayed > 0 && access == Access::Write {
            manifest.save(disk.as_ref(), &manifest_path)?;
            log.cut(manifest.moved.to);
        }
        let manifest = Arc::new(manifest);
        Ok(Self {
            disk,
            dir: dir.to_owned(),
            log,
            manifest,
            replayed,
            behind: false,
            replaced: Vec::new(),
        })
    }

    /// Both as they are now, to be read on another thread.
    pub(crate) fn beside(&self) -> Self {
        Self {
            disk: Arc::clone(&self.disk),
            dir: self.dir.clone(),
            log: self.log.beside(),
            manifest: Arc::clone(&self.manifest),
            replayed: 0,
            behind: false,
            replaced: Vec::new(),
        }
    }

    pub(crate) fn manifest(&self) -> &Arc<Manifest> {
        &self.manifest
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Records that opening took up.
    pub(crate) fn replayed(&self) -> u64 {
        self.replayed
    }

    pub(crate) fn check_writable(&self) -> Result<(), StoreError> {
        if self.behind {
            return Err(StoreError::Poisoned(self.dir.clone()));
        }
        self.log.check_writable()
    }

    /// Makes a change count. The files it adds are written and synced already.
    pub(crate) fn commit(
        &mut self,
        record: LogRecord,
        change: Option<Change>,
        when: Replaced,
    ) -> Result<u64, StoreError> {
        self.commit_with(record, Vec::new(), change, when)
    }

    /// The same, with records that come right after its own: all or none.
    pub(crate) fn commit_with(
        &mut self,
        record: LogRecord,
        besides: Vec<LogRecord>,
        change: Option<Change>,
        when: Replaced,
    ) -> Result<u64, StoreError> {
        self.check_writable()?;
        if let Some(change) = &change {
            self.sync_directories(change)?;
        }
        let replaced = change
            .as_ref()
            .map(|change| self.replaced_by(change))
            .unwrap_or_default();
        let besides = besides.into_iter().map(|record| Entry::new(record, None));
        let entries: Vec<Entry> = std::iter::once(Entry::new(record, change))
            .chain(besides)
            .collect();
        let encoded: Vec<Vec<u8>> = entries.iter().map(Entry::encode).collect();
        let bytes: Vec<&[u8]> = encoded.iter().map(Vec::as_slice).collect();
        let offsets = self.log.append(&bytes)?;
        let offset = offsets.start;
        self.behind = true;
        let manifest = Arc::make_mut(&mut self.manifest);
        for (offset, entry) in offsets.zip(&entries) {
            manifest.apply(offset, entry.record.kind(), entry.change.as_ref());
        }
        manifest.save(self.disk.as_ref(), &self.dir.join("manifest.json"))?;
        self.behind = false;
        self.log.cut(self.manifest.moved.to);
        self.replaced.extend(replaced);
        if when == Replaced::Removed {
            self.remove_replaced();
        }
        Ok(offset)
    }

    /// Removes the files that are listed no more.
    pub(crate) fn remove_replaced(&mut self) {
        for path in self.replaced.drain(..) {
            // One that cannot be removed now (a reader may hold it open) is removed when the store
            // is opened next: it is listed nowhere.
            let _ = self.disk.remove(&path);
        }
    }

    /// Appends records of the live path as one frame, which changes no files; when it returns they
    /// are durable, all or none.
    pub(crate) fn append_live(&mut self, records: &[&[u8]]) -> Result<Range<u64>, StoreError> {
        self.check_writable()?;
        self.log.append(records)
    }

    /// Files that are listed now and will not be.
    fn replaced_by(&self, change: &Change) -> Vec<PathBuf> {
        let tables = change
            .tables
            .keys()
            .filter_map(|table| self.manifest.tables.get(table));
        let runs = change
            .drop_runs
            .iter()
            .map(|file| self.dir.join(HISTORY).join(file));
        let vault = change
            .drop_vault
            .iter()
            .map(|file| self.dir.join(VAULT).join(file));
        let moved = change.moved.iter().flat_map(|moved| &moved.drop);
        let moved = moved.map(|file| self.dir.join(TABLES).join(file));
        runs.chain(tables.map(|file| self.dir.join(TABLES).join(file)))
            .chain(vault)
            .chain(moved)
            .collect()
    }

    fn sync_directories(&self, change: &Change) -> Result<(), StoreError> {
        let touched = [
            (HISTORY, !change.add_runs.is_empty()),
            (TABLES, !change.tables.is_empty() || change.moved.is_some()),
            (VAULT, !change.add_vault.is_empty()),
        ];
        for (name, _) in touched.into_iter().filter(|(_, touched)| *touched) {
            let dir = self.dir.join(name);
            self.disk
                .sync_dir(&dir)
                .map_err(StoreError::io("sync", &dir))?;
        }
        Ok(())
    }

    /// Removes what unfinished work left behind; gives the names, relative to the data directory.
    /// Files that no transaction of ours names are somebody else's and stay.
    pub(crate) fn remove_unlisted(&self) -> Result<Vec<String>, StoreError> {
        let manifest = &self.manifest;
        let runs = manifest.runs.iter().map(|run| run.file.as_str()).collect();
        let tables = manifest.tables.values().map(String::as_str);
        let moved = manifest.moved.files.iter().map(|moved| moved.file.as_str());
        let tables = tables.chain(moved).collect();
        let vault = manifest
            .vault
            .iter()
            .map(String::as_str)
            .chain([MASTER_KEY])
            .collect();
        let mut removed = Vec::new();
        let listed: [(&str, BTreeSet<&str>); 3] =
            [(HISTORY, runs), (TABLES, tables), (VAULT, vault)];
        for (name, listed) in listed {
            let dir = self.dir.join(name);
            for file in self.disk.list(&dir).map_err(StoreError::io("list", &dir))? {
                if !listed.contains(file.as_str()) && is_named_by_us(&file) {
                    let path = dir.join(&file);
                    self.disk
                        .remove(&path)
                        .map_err(StoreError::io("remove", &path))?;
                    removed.push(format!("{name}/{file}"));
                }
            }
        }
        Ok(removed)
    }
}

/// True for the names that transactions give: `<what>-<offset>-<number>.parquet`, `.vault`,
/// `.members` or `.records`.
pub(crate) fn is_named_by_us(file: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((stem, extension)) = file.rsplit_once('.') else {
        return false;
    };
    let mut parts = stem.rsplitn(3, '-');
    let numbered = parts.next().is_some_and(is_number) && parts.next().is_some_and(is_number);
    let what = parts.next().unwrap_or_default();
    let known = [
        "orders",
        "customers",
        "products",
        "ad-spend",
        "identities",
        "memberships",
        "events",
        "transitions",
        "messages",
        "records",
    ];
    matches!(extension, "parquet" | "vault" | "members" | "records")
        && numbered
        && known.iter().any(|name| what.starts_with(name))
}
