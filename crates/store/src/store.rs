//! A data directory that is open.

mod beside;
mod live;
mod moving;
mod transaction;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use regulars_core::{Currency, Timestamp};

pub use beside::WantedTransitions;
pub use live::Frame;
pub use transaction::{Reassigned, Superseded, Transaction};

use crate::StoreError;
use crate::catalog::{Access, Catalog, HISTORY, LOG, MASTER_KEY, Replaced, TABLES, VAULT};
use crate::disk::{self, Disk, RealDisk};
use crate::history::History;
use crate::log::live as records;
use crate::log::record::Entry;
use crate::log::{HistoryCompacted, LogRecord, LogRecordKind, SEGMENT_BYTES};
use crate::manifest::TableName;
use crate::spill::{Part, Spill};
use crate::tables::{self, AdSpendRow, ProductRow};
use crate::vault::{Blocked, MasterKey, Vault};

const FORMAT_NAME: &str = "regulars-data";
const FORMAT_VERSION: u32 = 1;
const TMP: &str = "tmp";

/// Where things are that do not have to be in the data directory.
#[derive(Debug, Clone, Default)]
pub struct StoreOptions {
    /// File of the key that the vault is encrypted with; `vault/master.key` when `None`. Made with
    /// the data directory if it is not there.
    pub master_key: Option<PathBuf>,
}

/// What opening had to repair after a process that did not end well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes cut from the end of the log: a record that was never acknowledged.
    pub cut_bytes: u64,
    /// Records of the log that the manifest did not know yet.
    pub replayed_records: u64,
    /// Files of unfinished work that were removed.
    pub removed_files: Vec<String>,
}

/// An open data directory, locked as long as it lives (see [`Store::beside`]).
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    access: Access,
    catalog: Catalog,
    key_path: PathBuf,
    key: OnceLock<MasterKey>,
    vault: OnceLock<Vault>,
    /// Values that name nobody.
    blocked: Arc<Blocked>,
    recovery: Recovery,
    spills: AtomicU64,
    /// Unlocked when closed; `None` for one [beside](Store::beside) another, which has it.
    _lock: Option<File>,
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.access == Access::Write {
            // It is empty unless something still spills; what stays is removed by the next writer.
            let _ = fs::remove_dir(self.dir.join(TMP));
        }
    }
}

impl Store {
    /// Makes a data directory at `dir` and opens it for writing.
    ///
    /// # Errors
    /// When there is one already, or it cannot be written.
    pub fn create(dir: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        let format = dir.join("FORMAT");
        if format.exists() {
            return Err(StoreError::AlreadyAStore(dir.to_owned()));
        }
        for name in [LOG, HISTORY, TABLES, VAULT] {
            let path = dir.join(name);
            fs::create_dir_all(&path).map_err(StoreError::io("create", &path))?;
        }
        let line = format!("{FORMAT_NAME} {FORMAT_VERSION}\n");
        disk::replace(&RealDisk, &format, line.as_bytes())
            .map_err(StoreError::io("create", &format))?;
        let store = Self::open(dir, options)?;
        store.key()?;
        Ok(store)
    }

    /// Opens for writing; no other process may have it open.
    ///
    /// # Errors
    /// When another process is using it, something is damaged or of an unknown version.
    pub fn open(dir: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        Self::open_as(dir, options, Access::Write, SEGMENT_BYTES)
    }

    /// Opens for reading, beside other readers; no other process may have it open for writing.
    /// Repairs nothing on disk.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_read(dir: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        Self::open_as(dir, options, Access::Read, SEGMENT_BYTES)
    }

    fn open_as(
        dir: &Path,
        options: &StoreOptions,
        access: Access,
        segment_bytes: u64,
    ) -> Result<Self, StoreError> {
        check_format(dir)?;
        let lock = lock(dir, access)?;
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let catalog = Catalog::open(disk, dir, access, segment_bytes)?;
        check_files(dir, &catalog)?;
        let mut recovery = Recovery {
            cut_bytes: catalog.log().cut_bytes(),
            replayed_records: catalog.replayed(),
            removed_files: Vec::new(),
        };
        if access == Access::Write {
            recovery.removed_files = catalog.remove_unlisted()?;
            let tmp = dir.join(TMP);
            match fs::remove_dir_all(&tmp) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::io("remove", &tmp)(error));
                }
                Ok(()) | Err(_) => {}
            }
        }
        let own_key = || dir.join(VAULT).join(MASTER_KEY);
        Ok(Self {
            dir: dir.to_owned(),
            access,
            catalog,
            key_path: options.master_key.clone().unwrap_or_else(own_key),
            key: OnceLock::new(),
            vault: OnceLock::new(),
            blocked: Arc::default(),
            recovery,
            spills: AtomicU64::new(0),
            _lock: Some(lock),
        })
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What opening had to repair.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Currency of all stored amounts; `None` before the first import.
    pub fn currency(&self) -> Option<Currency> {
        self.catalog.manifest().currency
    }

    /// Offset that the next record of the log will have.
    pub fn next_offset(&self) -> u64 {
        self.catalog.log().next_offset()
    }

    /// The records of the workspace from an offset on: those of the live path are left out.
    ///
    /// # Errors
    /// When the log, or a file of what was moved out of it, is damaged or holds an unknown record.
    pub fn records(&self, from: u64) -> Result<Vec<(u64, LogRecord)>, StoreError> {
        self.records_in(from..self.next_offset())
    }

    fn records_in(&self, range: Range<u64>) -> Result<Vec<(u64, LogRecord)>, StoreError> {
        let log = self.catalog.log();
        let mut found = self.moved_records()?;
        found.retain(|(offset, _)| range.contains(offset));
        let mut logged = log.read(range.start.max(self.moved_to())..range.end);
        while let Some((offset, bytes)) = logged.next_record()? {
            if !records::is_live(bytes) {
                found.push((offset, Entry::decode(log.dir(), offset, bytes)?.record));
            }
        }
        Ok(found)
    }

    /// Every record of a kind, in order; what the log holds after the latest is not read. Merges that
    /// came with events are none of it.
    ///
    /// # Errors
    /// As [`Store::records`].
    pub fn records_of(&self, kind: LogRecordKind) -> Result<Vec<(u64, LogRecord)>, StoreError> {
        let Some(latest) = self.latest_offset(kind) else {
            return Ok(Vec::new());
        };
        let mut found = self.records_in(0..latest + 1)?;
        found.retain(|(_, record)| record.kind() == kind);
        Ok(found)
    }

    /// Gives every record of the workspace to `each`, in order, a file of them in memory
    /// at a time.
    ///
    /// # Errors
    /// As [`Store::records`].
    pub fn each_record(&self, mut each: impl FnMut(u64, LogRecord)) -> Result<(), StoreError> {
        let log = self.catalog.log();
        let mut failed = None;
        let mut take = |offset, bytes: &[u8]| {
            if failed.is_some() || records::is_live(bytes) {
                return;
            }
            match Entry::decode(log.dir(), offset, bytes) {
                Ok(entry) => each(offset, entry.record),
                Err(error) => failed = Some(error),
            }
        };
        self.replay(0).each_record(&mut take)?;
        let mut logged = log.read_from(self.moved_to());
        while let Some((offset, bytes)) = logged.next_record()? {
            take(offset, bytes);
        }
        failed.map_or(Ok(()), Err)
    }

    /// Offset of the latest record of a kind; of merges that came with events it knows nothing.
    pub fn latest_offset(&self, kind: LogRecordKind) -> Option<u64> {
        self.catalog.manifest().latest.get(&kind).copied()
    }

    /// The latest record of a kind, with its offset.
    ///
    /// # Errors
    /// As [`Store::records`].
    pub fn latest(&self, kind: LogRecordKind) -> Result<Option<(u64, LogRecord)>, StoreError> {
        let Some(&at) = self.catalog.manifest().latest.get(&kind) else {
            return Ok(None);
        };
        let log = self.catalog.log();
        let found = if at < self.moved_to() {
            let kept = self.kept_records(at)?;
            kept.into_iter().find(|(offset, _)| *offset == at)
        } else {
            log.read(at..at + 1).next().transpose()?
        };
        let Some((offset, bytes)) = found else {
            let detail = format!("record {at} is missing");
            return Err(StoreError::damaged(log.dir(), detail));
        };
        let record = Entry::decode(log.dir(), offset, &bytes)?.record;
        Ok(Some((offset, record)))
    }

    /// The history as it is now.
    pub fn history(&self) -> History {
        History::new(self.dir.join(HISTORY), Arc::clone(self.catalog.manifest()))
    }

    /// All products, sorted by id.
    ///
    /// # Errors
    /// When the file is missing, damaged or of an unknown version.
    pub fn products(&self) -> Result<Vec<ProductRow>, StoreError> {
        self.table(TableName::Products)
            .map_or_else(|| Ok(Vec::new()), |path| tables::load(&path))
    }

    /// All ad spend, sorted by date, channel and campaign.
    ///
    /// # Errors
    /// As [`Store::products`].
    pub fn ad_spend(&self) -> Result<Vec<AdSpendRow>, StoreError> {
        self.table(TableName::AdSpend)
            .map_or_else(|| Ok(Vec::new()), |path| tables::load(&path))
    }

    fn table(&self, name: TableName) -> Option<PathBuf> {
        let file = self.catalog.manifest().tables.get(&name)?;
        Some(self.table_path(file))
    }

    fn table_path(&self, file: &str) -> PathBuf {
        self.dir.join(TABLES).join(file)
    }

    /// The vault, loaded when first asked for.
    ///
    /// # Errors
    /// When a file is missing, damaged or of an unknown version, or the key is not the right one.
    pub fn vault(&self) -> Result<&Vault, StoreError> {
        if let Some(vault) = self.vault.get() {
            return Ok(vault);
        }
        let files = &self.catalog.manifest().vault;
        let mut loaded = if files.is_empty() {
            Vault::default()
        } else {
            Vault::load(&RealDisk, &self.dir.join(VAULT), files, self.key()?)?
        };
        let log = self.catalog.log();
        let mut logged = log.read_from(self.catalog.manifest().vault_from);
        while let Some((offset, bytes)) = logged.next_record()? {
            if let Some(file) = records::identities_in(bytes) {
                loaded.take_journal((log.dir(), offset), file, self.key()?)?;
            }
        }
        loaded.block(Arc::clone(&self.blocked));
        Ok(self.vault.get_or_init(|| loaded))
    }

    /// Values of the workspace's own that name nobody from now on, as long as the store is open.
    pub fn block_identities(&mut self, blocked: Blocked) {
        self.blocked = Arc::new(blocked);
        if let Some(vault) = self.vault.get_mut() {
            vault.block(Arc::clone(&self.blocked));
        }
    }

    fn vault_mut(&mut self) -> Result<&mut Vault, StoreError> {
        self.vault()?;
        Ok(self.vault.get_mut().expect("it was loaded the line before"))
    }

    /// The master key, made when there is none and nothing was encrypted yet.
    fn key(&self) -> Result<&MasterKey, StoreError> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let key = match MasterKey::load(&self.key_path)? {
            Some(key) => key,
            None if self.access == Access::Write
                && self.catalog.manifest().vault.is_empty()
                && self.catalog.log().next_offset() == 0 =>
            {
                let key = MasterKey::create(&self.key_path)?;
                if let Some(dir) = self.key_path.parent() {
                    RealDisk
                        .sync_dir(dir)
                        .map_err(StoreError::io("sync", dir))?;
                }
                key
            }
            None => {
                return Err(StoreError::MasterKey {
                    path: self.key_path.clone(),
                    detail: "there is no such file, and the vault was encrypted with it".to_owned(),
                });
            }
        };
        Ok(self.key.get_or_init(|| key))
    }

    fn spill<P: Part>(&self, budget_bytes: usize) -> Result<Spill<P>, StoreError> {
        let number = self.spills.fetch_add(1, Ordering::Relaxed);
        Spill::new(&self.dir.join(TMP), number, budget_bytes)
    }

    /// Begins a change. Dropped without commit, it leaves nothing behind.
    ///
    /// # Errors
    /// When opened for reading, or poisoned by a failed write.
    pub fn begin(&mut self) -> Result<Transaction<'_>, StoreError> {
        self.catalog.check_writable()?;
        Ok(Transaction::new(self))
    }

    /// Appends a record that changes no files.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub fn record(&mut self, record: LogRecord) -> Result<u64, StoreError> {
        self.catalog.commit(record, None, Replaced::Removed)
    }

    /// Merges the runs of every partition and family that has more than `runs` of them, which says
    /// the same in fewer files; gives the number of partitions merged.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub fn compact(&mut self, runs: usize, recorded_at: Timestamp) -> Result<usize, StoreError> {
        let mut transaction = self.begin()?;
        let merged = transaction.merge_runs(runs)?;
        if merged > 0 {
            transaction.commit(LogRecord::HistoryCompacted(HistoryCompacted {
                recorded_at,
            }))?;
        }
        Ok(merged)
    }
}

pub(crate) fn check_format(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join("FORMAT");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::NotAStore(dir.to_owned()));
        }
        Err(error) => return Err(StoreError::io("read", &path)(error)),
    };
    match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        [FORMAT_NAME, version] if *version == FORMAT_VERSION.to_string() => Ok(()),
        [FORMAT_NAME, version] => Err(StoreError::UnknownVersion {
            path: dir.to_owned(),
            what: "data directory",
            found: (*version).to_owned(),
            known: FORMAT_VERSION,
        }),
        _ => Err(StoreError::damaged(&path, "it does not name a version")),
    }
}

/// Locks a file of a data directory, made if it is not there, for as long as it is open.
///
/// # Errors
/// When another process has it locked, or it cannot be opened.
pub fn lock_alone(dir: &Path, name: &str) -> Result<File, StoreError> {
    let path = dir.join(name);
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(StoreError::io("open", &path))?;
    let locked = file.try_lock();
    is_locked((dir, &path), locked).map(|()| file)
}

pub(crate) fn lock(dir: &Path, access: Access) -> Result<File, StoreError> {
    const LOCK: &str = "LOCK";
    match access {
        Access::Write => lock_alone(dir, LOCK),
        Access::Read => {
            let path = dir.join(LOCK);
            let file = File::open(&path).map_err(StoreError::io("open", &path))?;
            let locked = file.try_lock_shared();
            is_locked((dir, &path), locked).map(|()| file)
        }
    }
}

fn is_locked(
    (dir, path): (&Path, &Path),
    locked: Result<(), TryLockError>,
) -> Result<(), StoreError> {
    match locked {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(StoreError::io("lock", path)(error)),
    }
}

/// Every listed run, and every file of what was moved, is there and as long as it was.
fn check_files(dir: &Path, catalog: &Catalog) -> Result<(), StoreError> {
    let manifest = catalog.manifest();
    let runs = manifest.runs.iter();
    let runs = runs.map(|run| (dir.join(HISTORY).join(&run.file), run.bytes));
    let moved = manifest.moved.files.iter();
    let moved = moved.map(|file| (dir.join(TABLES).join(&file.file), file.bytes));
    for (path, bytes) in runs.chain(moved) {
        let length = fs::metadata(&path)
            .map_err(missing_or("look at", &path))?
            .len();
        if length != bytes {
            let detail = format!("it has {length} bytes where {bytes} were written");
            return Err(StoreError::damaged(&path, detail));
        }
    }
    Ok(())
}

/// The content of a file that the manifest lists.
pub(crate) fn read_listed(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>, StoreError> {
    disk.read(path).map_err(missing_or("read", path))
}

/// The error for a file that the manifest lists.
pub(crate) fn missing_or(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |error| match error.kind() {
        io::ErrorKind::NotFound => StoreError::Missing(path),
        _ => StoreError::io(action, &path)(error),
    }
}
