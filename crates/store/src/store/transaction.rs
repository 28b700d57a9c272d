//! A change of the store in the making.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use regulars_core::{Currency, CustomerId, OrderKey, Partition};

use super::Store;
use crate::StoreError;
use crate::catalog::{HISTORY, Replaced, TABLES, VAULT};
use crate::disk::{self, RealDisk};
use crate::history::{
    CustomerRunWriter, EventRunWriter, History, OrderRunWriter, RunInfo, rewrite,
};
use crate::log::LogRecord;
use crate::manifest::{Change, TableName};
use crate::spill::{Part, Spill};
use crate::tables::memberships::{self, MembershipsSaved};
use crate::tables::{self, AdSpendRow, ProductRow, TableRow};
use crate::vault::{IdentityId, Moves, Vault};

/// More files of the vault than this are merged into one.
const VAULT_FILES: usize = 8;

/// A change of the store in the making: files are written, then [`Transaction::commit`] makes all
/// of them count at once. Dropped without commit, it leaves nothing behind.
///
/// ```text
/// let mut transaction = store.begin()?;
/// let offset = transaction.offset();            // goes into the rows as their `import`
/// …transaction.vault()?.lookup_or_mint(…)…      // one thread
/// let mut run = transaction.order_run(partition)?;  // any number of threads
/// …run.push(…)…
/// transaction.add_run(run.finish(&symbols)?);
/// transaction.apply_moves(&transaction.vault()?.moves(), &[], &[])?;
/// transaction.commit(LogRecord::ImportAdded(…))?;
/// ```
#[derive(Debug)]
pub struct Transaction<'s> {
    store: &'s mut Store,
    change: Change,
    /// Files begun, to be removed when nothing comes of them.
    begun: Mutex<Vec<PathBuf>>,
    numbers: AtomicU64,
    state: State,
}

/// Stored versions of an order under an identity that does not, or no longer, stand for its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Superseded {
    /// The order.
    pub order: OrderKey,
    /// The identity: who stands for whom says nothing of under whom the rows lie.
    pub identity: IdentityId,
    /// Where the rows lie.
    pub partition: Partition,
}

/// Stored refunds, and credits of documents of their own, that lie elsewhere than with the owner of
/// their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reassigned {
    /// The order.
    pub order: OrderKey,
    /// Its owner, moves of the same transaction taken into account.
    pub customer: CustomerId,
    /// An identity that stands for the owner, under which the order came.
    pub identity: IdentityId,
    /// Where the refunds lie.
    pub partition: Partition,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing counts yet.
    Open,
    /// The commit was begun: only opening the store again tells what became of it.
    Undecided,
    Committed,
}

impl<'s> Transaction<'s> {
    pub(super) fn new(store: &'s mut Store) -> Self {
        if let Some(vault) = store.vault.get_mut() {
            vault.begin();
        }
        Self {
            store,
            change: Change::default(),
            begun: Mutex::new(Vec::new()),
            numbers: AtomicU64::new(0),
            state: State::Open,
        }
    }

    /// Offset that the record of this change will have in the log: the `import` of its rows.
    pub fn offset(&self) -> u64 {
        self.store.next_offset()
    }

    /// The history as it was before.
    pub fn history(&self) -> History {
        self.store.history()
    }

    /// The currency of all stored amounts.
    pub fn currency(&self) -> Option<Currency> {
        self.store.currency().or(self.change.currency)
    }

    /// Sets the currency of all stored amounts; before the first run of order lines.
    ///
    /// # Errors
    /// When another one is set already.
    pub fn set_currency(&mut self, currency: Currency) -> Result<(), StoreError> {
        match self.currency() {
            Some(stored) if stored != currency => Err(StoreError::OtherCurrency {
                stored,
                asked: currency,
            }),
            Some(_) => Ok(()),
            None => {
                self.change.currency = Some(currency);
                Ok(())
            }
        }
    }

    /// The vault; what is minted and linked becomes durable with the commit.
    ///
    /// # Errors
    /// As [`Store::vault`].
    pub fn vault(&mut self) -> Result<&mut Vault, StoreError> {
        self.store.vault_mut()
    }

    /// The vault for reading, so that several threads may resolve.
    ///
    /// # Errors
    /// As [`Store::vault`].
    pub fn vault_ref(&self) -> Result<&Vault, StoreError> {
        self.store.vault()
    }

    /// The products as they were before.
    ///
    /// # Errors
    /// As [`Store::products`].
    pub fn products(&self) -> Result<Vec<ProductRow>, StoreError> {
        self.store.products()
    }

    /// The ad spend as it was before.
    ///
    /// # Errors
    /// As [`Store::products`].
    pub fn ad_spend(&self) -> Result<Vec<AdSpendRow>, StoreError> {
        self.store.ad_spend()
    }

    /// A place on disk to split rows over parts, with so many bytes of memory for buffers.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn spill<P: Part>(&self, budget_bytes: usize) -> Result<Spill<P>, StoreError> {
        self.store.spill(budget_bytes)
    }

    /// Starts a run of order lines; writers may be used on several threads at once.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn order_run(&self, partition: Partition) -> Result<OrderRunWriter, StoreError> {
        let file = self.begin_file(HISTORY, &format!("orders-p{:02}", partition.0), "parquet");
        OrderRunWriter::create(&self.dir(HISTORY), file, partition, self.currency())
    }

    /// Starts a run of declared traits.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn customer_run(&self, partition: Partition) -> Result<CustomerRunWriter, StoreError> {
        let file = self.begin_file(
            HISTORY,
            &format!("customers-p{:02}", partition.0),
            "parquet",
        );
        CustomerRunWriter::create(&self.dir(HISTORY), file, partition)
    }

    /// Starts a run of events.
    pub(crate) fn event_run(&self, partition: Partition) -> Result<EventRunWriter, StoreError> {
        let file = self.begin_file(HISTORY, &format!("events-p{:02}", partition.0), "parquet");
        EventRunWriter::create(&self.dir(HISTORY), file, partition)
    }

    /// Adds a finished run. One without rows is left out.
    pub fn add_run(&mut self, run: RunInfo) {
        if run.rows > 0 {
            self.change.add_runs.push(run);
        }
    }

    /// Takes runs that were there before out of the history.
    pub(crate) fn drop_runs(&mut self, files: impl Iterator<Item = String>) {
        self.change.drop_runs.extend(files);
    }

    /// Replaces all products.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_products(&mut self, rows: Vec<ProductRow>) -> Result<(), StoreError> {
        self.save_table(TableName::Products, "products", rows)
    }

    /// Replaces all ad spend.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_ad_spend(&mut self, rows: Vec<AdSpendRow>) -> Result<(), StoreError> {
        self.save_table(TableName::AdSpend, "ad-spend", rows)
    }

    /// Replaces the saved memberships.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_memberships(&mut self, saved: &MembershipsSaved) -> Result<(), StoreError> {
        let name = self.begin_file(TABLES, "memberships", "members");
        let path = self.dir(TABLES).join(&name);
        disk::write_new(&RealDisk, &path, &memberships::encode(saved))?;
        self.change.tables.insert(TableName::Memberships, name);
        Ok(())
    }

    /// Rows are kept in their own order, so that a table is the same whatever the order in which it
    /// was read.
    fn save_table<R: TableRow + Ord>(
        &mut self,
        table: TableName,
        name: &str,
        mut rows: Vec<R>,
    ) -> Result<(), StoreError> {
        rows.sort_unstable();
        let file = self.begin_file(TABLES, name, "parquet");
        tables::save(&self.dir(TABLES).join(&file), &rows)?;
        self.change.tables.insert(table, file);
        Ok(())
    }

    /// Moves the stored rows of `moves.stored`, and of all that stand for them, to their new customers,
    /// and takes out those of `superseded`; refunds follow the owner of their order as `reassigned` says, and events the
    /// customer that their identity stands for. Once in a transaction. The runs that this transaction adds are not looked at.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn apply_moves(
        &mut self,
        moves: &Moves,
        superseded: &[Superseded],
        reassigned: &[Reassigned],
    ) -> Result<(), StoreError> {
        rewrite::apply_moves(self, &moves.stored, superseded, reassigned)
    }

    /// Merges the runs of every partition and family that has more than `runs` of them; gives the
    /// number of partitions merged. Not together with [`Transaction::apply_moves`].
    pub(super) fn merge_runs(&mut self, runs: usize) -> Result<usize, StoreError> {
        rewrite::merge_runs(self, runs)
    }

    /// Makes the change durable and visible; gives the offset of its record.
    ///
    /// # Errors
    /// When something cannot be written; whether the change happened is then known only after
    /// the store was opened again.
    pub fn commit(self, record: LogRecord) -> Result<u64, StoreError> {
        self.commit_with(record, Vec::new())
    }

    /// The same, with records that come right after its own: all or none.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub fn commit_with(
        mut self,
        record: LogRecord,
        besides: Vec<LogRecord>,
    ) -> Result<u64, StoreError> {
        self.write_vault()?;
        self.state = State::Undecided;
        let change = std::mem::take(&mut self.change);
        let change = (change != Change::default()).then_some(change);
        let offset = self
            .store
            .catalog
            .commit_with(record, besides, change, Replaced::Removed)?;
        self.state = State::Committed;
        if let Some(vault) = self.store.vault.get_mut() {
            vault.saved();
        }
        Ok(offset)
    }

    fn write_vault(&mut self) -> Result<(), StoreError> {
        let Some(vault) = self.store.vault.get().filter(|vault| vault.has_changed()) else {
            return Ok(());
        };
        let before = &self.store.catalog.manifest().vault;
        let bytes = if before.len() >= VAULT_FILES {
            self.change.drop_vault.extend(before.iter().cloned());
            vault.encode_all(self.store.key()?)?
        } else {
            vault.encode_additions(self.store.key()?)?
        };
        let name = self.begin_file(VAULT, "identities", "vault");
        let path = self.dir(VAULT).join(&name);
        disk::write_new(&RealDisk, &path, &bytes)?;
        self.change.add_vault.push(name);
        Ok(())
    }

    fn dir(&self, name: &str) -> PathBuf {
        self.store.dir.join(name)
    }

    /// A name that no file has had: the offset belongs to this change alone.
    fn begin_file(&self, dir: &str, name: &str, extension: &str) -> String {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let file = format!("{name}-{:012}-{number}.{extension}", self.offset());
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.push(self.dir(dir).join(&file));
        file
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.state == State::Committed {
            return;
        }
        // What was minted and linked is forgotten with it.
        if self.store.vault.get().is_some_and(Vault::has_changed) {
            self.store.vault = std::sync::OnceLock::new();
        }
        if self.state == State::Open {
            let begun = self.begun.get_mut().unwrap_or_else(PoisonError::into_inner);
            for path in begun {
                // What cannot be removed now is removed when the store is opened next.
                let _ = std::fs::remove_file(path);
            }
        }
    }
}
