//! Files become history.
//!
//! ```text
//! recognise each file ─► read in batches ─► identities, texts, keys ─► rows, split over slices
//! of partitions on disk ─► each partition: orders assembled, sorted, written ─► one commit
//! ```
//!
//! Either everything of an import counts or nothing: files become visible with one record of the
//! log. The order of files and of rows changes nothing.

mod session;

mod ahead;
mod apart;
pub(crate) mod assemble;
mod dry_run;
mod events;
mod frame;
pub(crate) mod intake;
mod mappings;
mod named;
mod owners;
mod partitions;
mod people;
pub(crate) mod rates;
mod refunds;
mod rejects;
mod report;
pub(crate) mod row;
mod sources;
mod tables;
mod unchanged;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use regulars_core::Timestamp;
use regulars_ingest::ReadOptions;
use regulars_store::log::{ImportAdded, LogRecord, Unmerged};
use regulars_store::{Store, Transaction};

pub use assemble::OrderCounts;
pub use dry_run::{DryFile, DryRun, RejectTally, dry_run};
pub use events::EventCounts;
pub use intake::IntakeCounts;
pub use refunds::RefundCounts;
pub use report::{FileReport, ImportReport, StoredRows};
pub use sources::{currency_of, expand};

use crate::error::PipelineError;
use crate::live::identify::unmerged;
use crate::progress::Progress;
use crate::workspace::Workspace;
use session::Session;
use sources::{SourceFile, imported_files, sources_of};

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
    /// Set by the import right before anything of it counts: events that it puts into the log, or
    /// all of it.
    pub commits: Arc<AtomicBool>,
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
        return Ok(ImportReport::nothing_new(&sources, &options.source));
    }
    let stored_without = match sources.iter().any(SourceFile::brings_orders) {
        true => StoredRows::without_order_id(store, &options.source)?,
        false => StoredRows::default(),
    };
    let events = events::take(workspace, store, &sources, options, progress)?;
    let mut transaction = store.begin()?;
    transaction.set_currency(workspace.config().workspace.currency)?;
    let import = transaction.offset();
    let mut session = Session::begin(workspace, options, progress, import)?;
    session.take_rejected(&events.rejected)?;
    let (taken, mut reports) = session.read_all(&mut transaction, &sources)?;
    for (place, report) in events.reports {
        reports[place] = report;
    }
    let intake = taken.intake;
    let (orders, refunds) = session.write_orders(&mut transaction, taken)?;
    let customers = session.write_customers(&mut transaction)?;
    session.save_tables(&mut transaction)?;
    let (nameless_rows, rejects) = session.finish()?;
    let has_order_ids = intake.rows > intake.rows_without_order_id;
    let report = ImportReport {
        files: reports,
        intake,
        orders,
        refunds,
        customers,
        events: events.counts,
        nameless_rows,
        source: options.source.clone(),
        stored_without_order_id: match has_order_ids {
            true => stored_without,
            false => StoredRows::default(),
        },
        rejects,
    };
    let notes = serde_json::to_value(&report).expect("a report is plain data");
    let parted = parted(&transaction, options.recorded_at)?;
    options.commits.store(true, Ordering::SeqCst);
    let added = LogRecord::ImportAdded(ImportAdded {
        files: imported_files(&sources, &report),
        recorded_at: options.recorded_at,
        notes,
    });
    transaction.commit_with(added, parted)?;
    let taken = sources.iter().filter(|source| !source.skip);
    let recognitions: Vec<_> = taken.map(|source| &source.recognition).collect();
    mappings::keep(workspace, &recognitions, &options.read)?;
    store.compact(MOST_RUNS, options.recorded_at)?;
    Ok(report)
}

/// Records of the addresses that left the customer for whom they stood. No row moves for it: those of
/// an address are found where they lie, as after an [`unmerge`](crate::unmerge).
fn parted(
    transaction: &Transaction<'_>,
    recorded_at: Timestamp,
) -> Result<Vec<LogRecord>, PipelineError> {
    let vault = transaction.vault_ref()?;
    let import = Some(transaction.offset());
    let record = |parted| {
        let unmerged = unmerged(vault, parted, recorded_at, None);
        LogRecord::Unmerged(Unmerged { import, ..unmerged })
    };
    Ok(vault.parted().iter().map(record).collect())
}

/// The end of the day of an import: an order that is dated later is from the future.
fn today_ends(workspace: &Workspace, recorded_at: Timestamp) -> Timestamp {
    let zone = workspace.config().zone();
    zone.end_of(zone.date_of(recorded_at))
}

/// The share of rejected rows in per cent, when it is above the limit.
fn reject_limit(rejected: u64, rows: u64, limit: f64) -> Option<u64> {
    let share = rejected as f64 / rows.max(1) as f64;
    (share > limit).then(|| (share * 100.0).round() as u64)
}
