//! Files become history.
//!
//! ```text
//! recognise each file ─► read in batches ─► identities, texts, keys ─► rows, split over slices
//! of partitions on disk ─► each partition: orders assembled, sorted, written ─► one commit
//! ```
//!
//! Either everything of an import counts or nothing: files become visible with one record of the
//! log. The order of files and of rows changes nothing.

mod assemble;
mod dry_run;
mod frame;
mod intake;
mod mappings;
mod owners;
mod partitions;
mod people;
mod rates;
mod refunds;
mod rejects;
mod row;
mod sources;
mod tables;
mod unchanged;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use regulars_core::{CustomerId, Symbols, Timestamp};
use regulars_ingest::{Batch, Entity, ReadOptions, Reader, open};
use regulars_store::history::SymbolTable;
use regulars_store::log::{ImportAdded, LogRecord};
use regulars_store::spill::{Slice, Spilled};
use regulars_store::{Store, Transaction};
use serde::Serialize;

pub use assemble::OrderCounts;
pub use dry_run::{DryFile, DryRun, RejectTally, dry_run};
pub use intake::IntakeCounts;
pub use refunds::RefundCounts;
pub use sources::{currency_of, expand};

use crate::error::PipelineError;
use crate::progress::{Progress, Unit};
use crate::workspace::Workspace;
use intake::{Intake, ProductNames};
use owners::{ClaimBook, Settled};
use partitions::{Assembly, Shuffled, home};
use people::Person;
use rates::Rates;
use refunds::RefundIntake;
use rejects::RejectFile;
use row::Row;
use sources::{SourceFile, imported_files, sources_of};
use tables::{AdSpendTable, ProductTable};

/// How an import is to go.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// How the files are read.
    pub read: ReadOptions,
    /// Names what order ids belong to, where two systems number alike.
    pub source: String,
    /// Takes the good rows however many are bad.
    pub rejects: RejectPolicy,
    /// Reads files again that were imported before.
    pub repeats: RepeatPolicy,
    /// When the import happens, for the log.
    pub recorded_at: Timestamp,
    /// Threads to use.
    pub threads: usize,
}

/// What happens when many rows cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectPolicy {
    /// The import stops above `import.max_rejected_share`.
    Limit,
    /// The good rows are imported.
    Allow,
}

/// What happens to a file that was imported before, byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepeatPolicy {
    /// It is skipped: it adds nothing.
    Skip,
    /// It is read again, as a newer version of everything in it.
    ReadAgain,
}

/// What an import did.
#[derive(Debug, Clone, Serialize)]
pub struct ImportReport {
    /// Each file, in the order given.
    pub files: Vec<FileReport>,
    /// Rows of orders files.
    pub intake: IntakeCounts,
    /// Orders of this import.
    pub orders: OrderCounts,
    /// Refunds from files of refunds.
    pub refunds: RefundCounts,
    /// Customers with declared traits.
    pub customers: u64,
    /// Rows of customers, products or ad spend files that name nothing.
    pub nameless_rows: u64,
    /// Where rejected rows are.
    pub rejects: Option<PathBuf>,
}

/// What became of one file.
#[derive(Debug, Clone, Serialize)]
pub struct FileReport {
    /// The file as it was named.
    pub file: PathBuf,
    /// What its rows are.
    pub entity: Entity,
    /// Rows read.
    pub rows: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// True when it had been imported before, read in the same way, and was skipped.
    pub skipped: bool,
    /// Rows of orders and refunds that are dated later than the import.
    pub future_rows: u64,
    /// Line of the first of them.
    pub first_future_line: Option<u64>,
}

impl ImportReport {
    /// Rejected rows of all files.
    pub fn rejected(&self) -> u64 {
        self.files.iter().map(|file| file.rejected).sum()
    }
}

/// A partition with more runs than this is merged into one after an import: every look opens
/// all of them.
const MOST_RUNS: usize = 8;

/// Imports files into a workspace.
///
/// # Errors
/// When a file cannot be read as a whole, too many rows cannot, a rate is missing, or the store
/// cannot be written; nothing is imported then.
pub fn import(
    workspace: &Workspace,
    store: &mut Store,
    files: &[PathBuf],
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<ImportReport, PipelineError> {
    let mut options = options.clone();
    options.read.remembered = mappings::load(workspace)?;
    let options = &options;
    let sources = sources_of(workspace, store, files, options)?;
    if sources.iter().all(|source| source.skip) {
        return Ok(nothing_new(&sources));
    }
    let mut transaction = store.begin()?;
    transaction.set_currency(workspace.config().workspace.currency)?;
    let import = transaction.offset();
    let mut session = Session {
        workspace,
        options,
        progress,
        rates: Rates::new(workspace.config()),
        symbols: Symbols::default(),
        rejects: RejectFile::begin(&workspace.rejects_dir(), import)?,
        people: Vec::new(),
        products: ProductTable::default(),
        ad_spend: AdSpendTable::default(),
        nameless_rows: 0,
    };
    let (taken, reports) = session.read_all(&mut transaction, &sources)?;
    let intake = taken.intake;
    let (orders, refunds) = session.write_orders(&mut transaction, taken)?;
    let customers = people::write(
        &mut transaction,
        std::mem::take(&mut session.people),
        import,
    )?;
    session.save_tables(&mut transaction)?;
    let report = ImportReport {
        files: reports,
        intake,
        orders,
        refunds,
        customers,
        nameless_rows: session.nameless_rows,
        rejects: session.rejects.finish()?,
    };
    let notes = serde_json::to_value(&report).expect("a report is plain data");
    transaction.commit(LogRecord::ImportAdded(ImportAdded {
        files: imported_files(&sources, &report),
        recorded_at: options.recorded_at,
        notes,
    }))?;
    let taken = sources.iter().filter(|source| !source.skip);
    let recognitions: Vec<_> = taken.map(|source| &source.recognition).collect();
    mappings::keep(workspace, &recognitions, &options.read)?;
    store.compact(MOST_RUNS, options.recorded_at)?;
    Ok(report)
}

impl FileReport {
    fn note_future(&mut self, occurred_at: &[Option<Timestamp>], lines: &[u64], until: Timestamp) {
        for (at, line) in occurred_at.iter().zip(lines) {
            if at.is_some_and(|at| at > until) {
                self.future_rows += 1;
                self.first_future_line.get_or_insert(*line);
            }
        }
    }
}

/// The end of the day of an import: an order that is dated later is from the future.
fn today_ends(workspace: &Workspace, recorded_at: Timestamp) -> Timestamp {
    let zone = workspace.config().zone();
    zone.end_of(zone.date_of(recorded_at))
}

fn has_guests(intake: &IntakeCounts) -> bool {
    intake.guest_rows > 0
}

fn nothing_new(sources: &[SourceFile]) -> ImportReport {
    ImportReport {
        files: sources.iter().map(SourceFile::report).collect(),
        intake: IntakeCounts::default(),
        orders: OrderCounts::default(),
        refunds: RefundCounts::default(),
        customers: 0,
        nameless_rows: 0,
        rejects: None,
    }
}

/// What an import gathers while it reads.
struct Session<'a> {
    workspace: &'a Workspace,
    options: &'a ImportOptions,
    progress: &'a dyn Progress,
    rates: Rates,
    symbols: Symbols,
    rejects: RejectFile,
    people: Vec<Person>,
    products: ProductTable,
    ad_spend: AdSpendTable,
    nameless_rows: u64,
}

/// Rows of orders and of refunds, on disk.
struct Taken {
    by_identity: Spilled<Slice>,
    intake: IntakeCounts,
    refunds: RefundIntake,
}

/// Memory for the buffers that rows wait in before they are written to their slice.
const SPILL_BUDGET_BYTES: usize = 32 << 20;

/// The same for rows that wait for the customer of their order.
const PENDING_BUDGET_BYTES: usize = 1 << 20;

impl Session<'_> {
    /// Reads every file; rows of orders go to the slice of their identity.
    fn read_all(
        &mut self,
        transaction: &mut Transaction<'_>,
        sources: &[SourceFile],
    ) -> Result<(Taken, Vec<FileReport>), PipelineError> {
        let mut spill = transaction.spill(SPILL_BUDGET_BYTES)?;
        let mut refunds = RefundIntake::new(transaction)?;
        let mut reports = Vec::new();
        let mut counts = IntakeCounts::default();
        let mut names = HashMap::new();
        for (file, source) in sources.iter().enumerate() {
            let mut report = source.report();
            if !source.skip {
                let mut symbols = std::mem::take(&mut self.symbols);
                let mut rates = self.rates.clone();
                let pending = transaction.spill(PENDING_BUDGET_BYTES)?;
                let vault = transaction.vault()?;
                let known_as = &self.options.source;
                let mut intake = Intake::new(vault, &mut symbols, &mut rates, known_as, pending);
                intake.counts = counts;
                intake.product_names = std::mem::take(&mut names);
                let mut bytes = Vec::with_capacity(256);
                let mut put = |row: &Row| {
                    frame::write(row, &mut bytes);
                    Ok(spill.append(Slice::of(CustomerId(row.identity)), &bytes)?)
                };
                let number = file as u32;
                let refunds = &mut refunds;
                (counts, names) =
                    self.read_file(source, number, intake, &mut put, refunds, &mut report)?;
                self.symbols = symbols;
                self.rates = rates;
            }
            reports.push(report);
        }
        self.products.take_names(&names, &self.symbols);
        let taken = Taken {
            by_identity: spill.finish()?,
            intake: counts,
            refunds,
        };
        Ok((taken, reports))
    }

    /// Reads one file: a thread of its own parses ahead of what takes the rows in.
    fn read_file(
        &mut self,
        source: &SourceFile,
        file: u32,
        mut intake: Intake<'_>,
        put: &mut dyn FnMut(&Row) -> Result<(), PipelineError>,
        refunds: &mut RefundIntake,
        report: &mut FileReport,
    ) -> Result<(IntakeCounts, ProductNames), PipelineError> {
        let reader = open(&source.path, &source.recognition, &self.options.read)?;
        self.progress.begin(
            &format!("reading {}", source.name()),
            reader.progress().bytes_total,
            Unit::Bytes,
        );
        let zone = self.workspace.config().zone();
        let name = source.path.display().to_string();
        let until = today_ends(self.workspace, self.options.recorded_at);
        ahead(reader, self.progress, &mut |batch| {
            report.rows += batch.rows_read();
            report.rejected += batch.rejected().len() as u64;
            self.rejects.add(&name, batch.rejected())?;
            match &batch {
                Batch::Refunds(batch) => {
                    report.note_future(&batch.occurred_at, &batch.line, until);
                    let Intake {
                        source,
                        symbols,
                        rates,
                        ..
                    } = &mut intake;
                    refunds.take(batch, file, source, symbols, rates)?;
                }
                Batch::Orders(batch) => {
                    report.note_future(&batch.occurred_at, &batch.line, until);
                    intake.take(batch, file, put)?;
                }
                Batch::Customers(batch) => {
                    self.nameless_rows += people::take(intake.vault, batch, &mut self.people)?;
                }
                Batch::Products(batch) => {
                    self.nameless_rows += self.products.take(batch, intake.rates)?;
                }
                Batch::AdSpend(batch) => {
                    self.nameless_rows += self.ad_spend.take(batch, file, intake.rates, &zone)?;
                }
            }
            Ok(())
        })?;
        refunds.end_file();
        let waiting = intake.waiting_for();
        let mut found = HashMap::new();
        if !waiting.is_empty() {
            let reader = open(&source.path, &source.recognition, &self.options.read)?;
            ahead(reader, self.progress, &mut |batch| match &batch {
                Batch::Orders(batch) => intake.find_customers(batch, &waiting, &mut found),
                _ => Ok(()),
            })?;
        }
        let gathered = intake.end_file(&found, put)?;
        self.check_rejects(report)?;
        Ok(gathered)
    }

    fn check_rejects(&self, report: &FileReport) -> Result<(), PipelineError> {
        let limit = self.workspace.config().import.max_rejected_share;
        let Some(percent) = reject_limit(report.rejected, report.rows, limit)
            .filter(|_| self.options.rejects == RejectPolicy::Limit)
        else {
            return Ok(());
        };
        Err(PipelineError::TooManyRejects {
            file: report.file.display().to_string(),
            rejected: report.rejected,
            rows: report.rows,
            percent,
            rejects: self.rejects.path().unwrap_or(Path::new("")).to_owned(),
        })
    }

    /// Assembles orders, gives each to its owner and its refunds with it, and writes them.
    fn write_orders(
        &self,
        transaction: &mut Transaction<'_>,
        taken: Taken,
    ) -> Result<(OrderCounts, RefundCounts), PipelineError> {
        let Taken {
            by_identity,
            intake,
            refunds,
        } = taken;
        let (refund_rows, refunded, mut refunds) = refunds.finish()?;
        let moves = transaction.vault()?.moves();
        let any = !moves.fresh.is_empty() || has_guests(&intake);
        let moved = reroute(transaction, &by_identity, any)?;
        let shuffled = Shuffled { by_identity, moved };
        let assembly = Assembly {
            shuffled: &shuffled,
            vault: transaction.vault_ref()?,
            history: &transaction.history(),
            symbols: &self.symbols,
            table: &SymbolTable::new(self.symbols.clone()),
            rates: &self.rates,
            import: transaction.offset(),
            threads: self.options.threads,
        };
        let book = ClaimBook::new(transaction)?;
        let mut written = assembly.write_all(transaction, &book, self.progress)?;
        let (contested, followed) = owners::contested(book, refunded, transaction)?;
        let mut settled = Settled::default();
        if !contested.is_empty() {
            let claimants = assembly.claimants(&contested)?;
            settled = owners::settle(&contested, claimants, transaction)?;
            let partitions = &contested.partitions;
            written.extend(assembly.write_again(
                transaction,
                partitions,
                &settled.new,
                self.progress,
            )?);
        }
        let mut counts = OrderCounts {
            reassigned_orders: settled.owners.len() as u64,
            ..OrderCounts::default()
        };
        for of_partition in written.into_values() {
            counts.add(of_partition.counts);
            if let Some(run) = of_partition.run {
                transaction.add_run(run);
            }
        }
        refunds::write(
            transaction,
            &refund_rows,
            (&followed, &settled),
            (&self.symbols, &self.rates),
            &mut refunds,
        )?;
        let astray = followed.astray(&settled);
        transaction.apply_moves(&moves, &settled.stored, &astray)?;
        Ok((counts, refunds))
    }

    fn save_tables(&mut self, transaction: &mut Transaction<'_>) -> Result<(), PipelineError> {
        let products = std::mem::take(&mut self.products);
        if let Some(rows) = products.merge(transaction.products()?) {
            transaction.save_products(rows)?;
        }
        let ad_spend = std::mem::take(&mut self.ad_spend);
        if let Some(rows) = ad_spend.merge(transaction.ad_spend()?) {
            transaction.save_ad_spend(rows)?;
        }
        Ok(())
    }
}

/// The share of rejected rows in per cent, when it is above the limit.
fn reject_limit(rejected: u64, rows: u64, limit: f64) -> Option<u64> {
    let share = rejected as f64 / rows.max(1) as f64;
    (share > limit).then(|| (share * 100.0).round() as u64)
}

/// Batches that may wait to be taken in.
const BATCHES_AHEAD: usize = 4;

/// Gives every batch of `reader` to `each`, while a thread of its own reads the next ones.
fn ahead(
    mut reader: Reader,
    progress: &dyn Progress,
    each: &mut dyn FnMut(Batch) -> Result<(), PipelineError>,
) -> Result<(), PipelineError> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(BATCHES_AHEAD);
        let parsing = scope.spawn(move || -> Result<(), PipelineError> {
            while let Some(batch) = reader.next_batch()? {
                // The other side hangs up when it fails; its own error is the one that counts.
                if sender.send((batch, reader.progress().bytes_read)).is_err() {
                    break;
                }
            }
            Ok(())
        });
        for (batch, bytes_read) in receiver {
            each(batch)?;
            progress.advance(bytes_read);
        }
        parsing.join().expect("a reader does not panic")
    })
}

/// Rows whose identity stands for a customer of another slice go to that slice.
fn reroute(
    transaction: &Transaction<'_>,
    by_identity: &Spilled<Slice>,
    any: bool,
) -> Result<Spilled<Slice>, PipelineError> {
    let mut moved = transaction.spill(SPILL_BUDGET_BYTES / 2)?;
    if any {
        let vault = transaction.vault_ref()?;
        for slice in Slice::all() {
            for framed in frame::each(&by_identity.read(slice)?) {
                let target = home(vault, framed.identity);
                if target != slice {
                    moved.append(target, framed.bytes)?;
                }
            }
        }
    }
    Ok(moved.finish()?)
}
