//! A data directory that is open, and the one way to change it.

use std::path::{Path, PathBuf};

use regulars_core::{Currency, Partition, Timestamp};

use crate::StoreError;
use crate::history::{CustomerRunWriter, History, OrderRunWriter, RunInfo};
use crate::log::{LogRecord, LogRecordKind};
use crate::spill::Spill;
use crate::tables::{AdSpendRow, ProductRow};
use crate::vault::{Moves, Vault};

/// Where things are that do not have to be in the data directory, and sizes.
#[derive(Debug, Clone, Default)]
pub struct StoreOptions {
    /// File of the key that the vault is encrypted with; `vault/master.key` when `None`.
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

/// An open data directory, locked as long as it lives.
#[derive(Debug)]
pub struct Store {}

impl Store {
    /// Makes a data directory in `dir` (empty or absent) and opens it for writing.
    ///
    /// # Errors
    /// When there is one already, or it cannot be written.
    pub fn create(_dir: &Path, _options: &StoreOptions) -> Result<Self, StoreError> {
        unimplemented!()
    }

    /// Opens for writing; no other process may have it open.
    ///
    /// # Errors
    /// When another process is using it, something is damaged or of an unknown version.
    pub fn open(_dir: &Path, _options: &StoreOptions) -> Result<Self, StoreError> {
        unimplemented!()
    }

    /// Opens for reading; no other process may have it open for writing. Repairs nothing on disk.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_read(_dir: &Path, _options: &StoreOptions) -> Result<Self, StoreError> {
        unimplemented!()
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        unimplemented!()
    }

    /// What opening had to repair.
    pub fn recovery(&self) -> &Recovery {
        unimplemented!()
    }

    /// Currency of all stored amounts; `None` before the first import.
    pub fn currency(&self) -> Option<Currency> {
        unimplemented!()
    }

    /// Offset that the next record of the log will have.
    pub fn next_offset(&self) -> u64 {
        unimplemented!()
    }

    /// The records of the log from an offset on.
    ///
    /// # Errors
    /// When the log is damaged or holds an unknown record.
    pub fn records(&self, _from: u64) -> Result<Vec<(u64, LogRecord)>, StoreError> {
        unimplemented!()
    }

    /// The latest record of a kind, with its offset.
    ///
    /// # Errors
    /// As [`Store::records`].
    pub fn latest(&self, _kind: LogRecordKind) -> Result<Option<(u64, LogRecord)>, StoreError> {
        unimplemented!()
    }

    /// The history as it is now.
    pub fn history(&self) -> History {
        unimplemented!()
    }

    /// All products, sorted by id.
    ///
    /// # Errors
    /// When the file is missing, damaged or of an unknown version.
    pub fn products(&self) -> Result<Vec<ProductRow>, StoreError> {
        unimplemented!()
    }

    /// All ad spend, sorted by date, channel and campaign.
    ///
    /// # Errors
    /// As [`Store::products`].
    pub fn ad_spend(&self) -> Result<Vec<AdSpendRow>, StoreError> {
        unimplemented!()
    }

    /// The vault, loaded when first asked for.
    ///
    /// # Errors
    /// When a file is missing, damaged or of an unknown version, or the key is not the right one.
    pub fn vault(&self) -> Result<&Vault, StoreError> {
        unimplemented!()
    }

    /// Begins a change. Dropped without commit, it leaves nothing behind.
    ///
    /// # Errors
    /// When opened for reading, or poisoned by a failed write.
    pub fn begin(&mut self) -> Result<Transaction<'_>, StoreError> {
        unimplemented!()
    }

    /// Appends a record that changes no files.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub fn record(&mut self, _record: LogRecord) -> Result<u64, StoreError> {
        unimplemented!()
    }

    /// Merges the runs of every partition that has more than `runs` of a family; gives the number
    /// of partitions merged.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub fn compact(&mut self, _runs: usize, _recorded_at: Timestamp) -> Result<usize, StoreError> {
        unimplemented!()
    }
}

/// A change of the store in the making: files are written, then [`Transaction::commit`] makes all
/// of them count at once.
#[derive(Debug)]
pub struct Transaction<'s> {
    _store: &'s mut Store,
}

impl Transaction<'_> {
    /// Offset that the record of this change will have in the log: the `import` of its rows.
    pub fn offset(&self) -> u64 {
        unimplemented!()
    }

    /// The history as it was before.
    pub fn history(&self) -> History {
        unimplemented!()
    }

    /// Sets the currency of all stored amounts.
    ///
    /// # Errors
    /// When another one is set already.
    pub fn set_currency(&mut self, _currency: Currency) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// The vault; what is minted and linked becomes durable with the commit.
    ///
    /// # Errors
    /// As [`Store::vault`].
    pub fn vault(&mut self) -> Result<&mut Vault, StoreError> {
        unimplemented!()
    }

    /// The vault for reading, so that several threads may resolve.
    ///
    /// # Errors
    /// As [`Store::vault`].
    pub fn vault_ref(&self) -> Result<&Vault, StoreError> {
        unimplemented!()
    }

    /// A place on disk to split rows over partitions, with so many bytes of memory for buffers.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn spill(&self, _budget_bytes: usize) -> Result<Spill, StoreError> {
        unimplemented!()
    }

    /// Starts a run of order lines; writers may be used on several threads at once.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn order_run(&self, _partition: Partition) -> Result<OrderRunWriter, StoreError> {
        unimplemented!()
    }

    /// Starts a run of declared traits.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn customer_run(&self, _partition: Partition) -> Result<CustomerRunWriter, StoreError> {
        unimplemented!()
    }

    /// Adds a finished run.
    pub fn add_run(&mut self, _run: RunInfo) {
        unimplemented!()
    }

    /// Replaces all products.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_products(&mut self, _rows: Vec<ProductRow>) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Replaces all ad spend.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_ad_spend(&mut self, _rows: Vec<AdSpendRow>) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Moves the stored rows of `moves.stored` to their new customers.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn apply_moves(&mut self, _moves: &Moves) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Makes the change durable and visible; gives the offset of its record.
    ///
    /// # Errors
    /// When something cannot be written; whether the change happened is then known only after
    /// the store was opened again.
    pub fn commit(self, _record: LogRecord) -> Result<u64, StoreError> {
        unimplemented!()
    }
}
