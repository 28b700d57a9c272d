//! What an import would do: every file read to its end, nothing stored.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use regulars_core::{Currency, Symbols, Timestamp, Zone};
use regulars_ingest::{Batch, OrderBatch, Recognition, RefundBatch, open};
use regulars_store::Store;
use regulars_store::vault::Blocked;
use serde::Serialize;

use super::ahead::ahead;
use super::named::{Named, Who, is_return};
use super::rates::Rates;
use super::sources::{check_questions, fingerprint, known_fingerprints, recognise_all};
use super::{
    ImportOptions, RejectPolicy, RepeatPolicy, StoredRows, mappings, reject_limit, today_ends,
};
use crate::error::PipelineError;
use crate::progress::{Progress, Unit};
use crate::workspace::Workspace;

/// Lines that a tally names.
const LINES: usize = 5;

/// What an import would do.
#[derive(Debug, Clone, Serialize)]
pub struct DryRun {
    /// Each file, in the order given.
    pub files: Vec<DryFile>,
    /// Share of rejected rows above which an import stops.
    pub max_rejected_share: f64,
}

/// What would become of one file.
#[derive(Debug, Clone, Serialize)]
pub struct DryFile {
    /// How it is read.
    #[serde(flatten)]
    pub recognition: Recognition,
    /// True when it was imported before just so and would be skipped.
    pub skipped: bool,
    /// Rows.
    pub rows: u64,
    /// Rows that would be rejected.
    pub rejected: u64,
    /// Why they would be, the most frequent reason first.
    pub rejects: Vec<RejectTally>,
    /// Rows of orders that nothing in the file gives a customer.
    pub rows_without_customer: u64,
    /// Rows of refunds that name no order.
    pub rows_without_order: u64,
    /// Rows of orders without an order id: orders of their own, which no later import can replace.
    pub rows_without_order_id: u64,
    /// Rows of the same source that earlier imports brought without order ids, when this file has
    /// some.
    pub stored_without_order_id: StoredRows,
    /// Orders that rows of this file give to different customers, of its first four million.
    pub reassigned_orders: u64,
    /// Rows of orders and refunds that are dated later than the import.
    pub future_rows: u64,
    /// Line of the first of them.
    pub first_future_line: Option<u64>,
    /// Why the import would stop at this file, if it would.
    pub stops: Option<String>,
}

/// Rejected rows of one column and one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectTally {
    /// Header of the column; empty when rows as a whole are at fault.
    pub column: String,
    /// Why, for a person.
    pub reason: String,
    /// Rows.
    pub rows: u64,
    /// The first lines.
    pub lines: Vec<u64>,
}

impl DryRun {
    /// Why the import would stop, at the first file at which it would.
    pub fn stops(&self) -> Option<&str> {
        self.files.iter().find_map(|file| file.stops.as_deref())
    }

    /// Rows that would be rejected.
    pub fn rejected(&self) -> u64 {
        self.files.iter().map(|file| file.rejected).sum()
    }
}

/// Reads files as an import would, and stores nothing.
///
/// # Errors
/// When a file is of no kind that can be read; what would stop an import later is in the answer.
pub fn dry_run(
    workspace: &Workspace,
    store: &Store,
    files: &[PathBuf],
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<DryRun, PipelineError> {
    let mut options = options.clone();
    options.read.remembered = mappings::load(workspace)?;
    let recognitions = recognise_all(files, &options.read)?;
    let stored_without = StoredRows::without_order_id(store, &options.source)?;
    let mut known: HashSet<String> = known_fingerprints(store)?.into_keys().collect();
    let mut dry = DryRun {
        files: Vec::new(),
        max_rejected_share: workspace.config().import.max_rejected_share,
    };
    for (path, recognition) in files.iter().zip(recognitions) {
        let fingerprint = fingerprint(workspace, path, &options, &recognition)?;
        let repeated = !known.insert(fingerprint);
        let mut looking = Looking {
            workspace,
            options: &options,
            progress,
            file: DryFile::of(recognition),
            tallies: BTreeMap::new(),
            unknown: HashMap::new(),
            last_named: String::new(),
            named: Named::default(),
            blocked: workspace.config().identity.blocked(),
        };
        if repeated && options.repeats == RepeatPolicy::Skip {
            looking.file.skipped = true;
        } else {
            looking.look(path)?;
            if looking.named.has_order_ids() {
                looking.file.stored_without_order_id = stored_without.clone();
            }
        }
        dry.files.push(looking.file);
    }
    Ok(dry)
}

impl DryFile {
    fn of(recognition: Recognition) -> Self {
        Self {
            recognition,
            skipped: false,
            rows: 0,
            rejected: 0,
            rejects: Vec::new(),
            rows_without_customer: 0,
            rows_without_order: 0,
            rows_without_order_id: 0,
            stored_without_order_id: StoredRows::default(),
            reassigned_orders: 0,
            future_rows: 0,
            first_future_line: None,
            stops: None,
        }
    }
}

/// A file on its way through.
struct Looking<'a> {
    workspace: &'a Workspace,
    options: &'a ImportOptions,
    progress: &'a dyn Progress,
    file: DryFile,
    tallies: BTreeMap<(String, String), (u64, Vec<u64>)>,
    /// Rows that name their order and not its customer, by order.
    unknown: HashMap<String, u64>,
    /// The last order whose customer was named: such rows mostly follow it.
    last_named: String,
    /// Whose the orders are.
    named: Named,
    blocked: Blocked,
}

impl Looking<'_> {
    fn look(&mut self, path: &PathBuf) -> Result<(), PipelineError> {
        if let Err(open) = check_questions(std::slice::from_ref(&self.file.recognition)) {
            self.file.stops = Some(open.to_string());
            return Ok(());
        }
        let stopped = self.read_all(path);
        self.file.rejects = tallied(std::mem::take(&mut self.tallies));
        match stopped {
            Ok(()) => {}
            Err(
                error @ (PipelineError::Ingest(_)
                | PipelineError::NoRate { .. }
                | PipelineError::Currency(_)),
            ) => {
                self.file.stops = Some(error.to_string());
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        self.file.rows_without_customer += self.unknown.values().sum::<u64>();
        self.file.reassigned_orders = self.named.reassigned;
        let limit = self.workspace.config().import.max_rejected_share;
        let (rejected, rows) = (self.file.rejected, self.file.rows);
        if self.options.rejects == RejectPolicy::Limit
            && let Some(percent) = reject_limit(rejected, rows, limit)
        {
            self.file.stops = Some(format!(
                "{rejected} of {rows} rows of `{}` cannot be read ({percent} %), more than `import.max_rejected_share` allows; `--allow-rejects` imports the others",
                path.display()
            ));
        }
        Ok(())
    }

    fn read_all(&mut self, path: &PathBuf) -> Result<(), PipelineError> {
        let reader = open(path, &self.file.recognition, &self.options.read)?;
        self.progress.begin(
            &format!("reading {}", path.display()),
            reader.progress().bytes_total,
            Unit::Bytes,
        );
        let mut rates = Rates::new(self.workspace.config());
        let until = today_ends(self.workspace, self.options.recorded_at);
        let (progress, zone) = (self.progress, self.workspace.config().zone());
        ahead(reader, progress, &mut |batch| {
            self.file.rows += batch.rows_read();
            self.file.rejected += batch.rejected().len() as u64;
            for reject in batch.rejected() {
                let key = (reject.column.clone(), reject.reason.to_string());
                let (rows, lines) = self.tallies.entry(key).or_default();
                *rows += 1;
                if lines.len() < LINES {
                    lines.push(reject.line);
                }
            }
            match &batch {
                Batch::Orders(batch) => self.take_orders(batch, until),
                Batch::Refunds(batch) => self.take_refunds(batch, until),
                Batch::Customers(_) | Batch::Products(_) | Batch::AdSpend(_) | Batch::Events(_) => {
                }
            }
            check_rates(&batch, &mut rates, &zone)
        })?;
        if self.unknown.is_empty() {
            return Ok(());
        }
        // An export may name the customer of an order on a row that comes later.
        let reader = open(path, &self.file.recognition, &self.options.read)?;
        ahead(reader, progress, &mut |batch| {
            let Batch::Orders(batch) = &batch else {
                return Ok(());
            };
            for row in 0..batch.line.len() {
                if names_customer(batch, row, &self.blocked) {
                    self.unknown.remove(text(batch.order_id.as_ref(), row));
                }
            }
            Ok(())
        })
    }

    fn take_refunds(&mut self, batch: &RefundBatch, until: Timestamp) {
        self.note_future(&batch.occurred_at, &batch.line, until);
        let nameless = batch.order_id.iter().filter(|order| order.is_empty());
        self.file.rows_without_order += nameless.count() as u64;
    }

    fn note_future(&mut self, occurred_at: &[Option<Timestamp>], lines: &[u64], until: Timestamp) {
        for (at, line) in occurred_at.iter().zip(lines) {
            if at.is_some_and(|at| at > until) {
                self.file.future_rows += 1;
                self.file.first_future_line.get_or_insert(*line);
            }
        }
    }

    fn take_orders(&mut self, batch: &OrderBatch, until: Timestamp) {
        self.note_future(&batch.occurred_at, &batch.line, until);
        for row in 0..batch.line.len() {
            let order = text(batch.order_id.as_ref(), row);
            if names_customer(batch, row, &self.blocked) {
                self.last_named.clear();
                self.last_named.push_str(order);
                if order.is_empty() {
                    self.file.rows_without_order_id += 1;
                } else if !is_return(batch, row) {
                    self.named.note(order, who(batch, row, &self.blocked));
                }
                continue;
            }
            match order {
                "" => self.file.rows_without_customer += 1,
                order if order == self.last_named => {}
                order => *self.unknown.entry(order.to_owned()).or_default() += 1,
            }
        }
    }
}

fn text(column: Option<&regulars_ingest::TextColumn>, row: usize) -> &str {
    column.map_or("", |column| column.get(row))
}

fn names_customer(batch: &OrderBatch, row: usize, blocked: &Blocked) -> bool {
    who(batch, row, blocked).is_some()
}

/// The customer that a row names: by id, else by e-mail.
fn who<'b>(batch: &'b OrderBatch, row: usize, blocked: &Blocked) -> Option<Who<'b>> {
    let names = |text: &&str| !text.is_empty() && !blocked.contains(text);
    let customer = Some(text(batch.customer_id.as_ref(), row)).filter(names);
    let email = || Some(text(batch.email.as_ref(), row)).filter(names);
    customer
        .map(Who::Customer)
        .or_else(|| email().map(Who::Email))
}

/// Whether there are rates for the currencies of a batch, on the first day of each.
fn check_rates(batch: &Batch, rates: &mut Rates, zone: &Zone) -> Result<(), PipelineError> {
    let mut symbols = Symbols::default();
    let (codes, file, dates) = match batch {
        Batch::Refunds(batch) => {
            rates.admit(batch.file_currency, &mut symbols)?;
            let dates = Some(&batch.occurred_at);
            (batch.currency.as_ref(), batch.file_currency, dates)
        }
        Batch::Orders(batch) => {
            rates.admit(batch.file_currency, &mut symbols)?;
            let dates = Some(&batch.occurred_at);
            (batch.currency.as_ref(), batch.file_currency, dates)
        }
        Batch::Products(batch) if batch.unit_cost.is_some() || batch.unit_price.is_some() => {
            (batch.currency.as_ref(), batch.file_currency, None)
        }
        Batch::AdSpend(batch) => {
            let dates = Some(&batch.date);
            (batch.currency.as_ref(), batch.file_currency, dates)
        }
        Batch::Products(_) | Batch::Customers(_) | Batch::Events(_) => return Ok(()),
    };
    let mut first: BTreeMap<Option<&str>, Option<Timestamp>> = BTreeMap::new();
    for row in 0..batch.len() {
        let at = dates.and_then(|dates| dates[row]);
        let known = first.entry(codes.and_then(|codes| codes.get(row)));
        let known = known.or_insert(at);
        *known = (*known).into_iter().chain(at).min();
    }
    for (code, at) in first {
        let named = code.and_then(|code| Currency::new(code).ok());
        let currency = named.unwrap_or(file);
        rates.admit(currency, &mut symbols)?;
        if let Some(at) = at {
            rates.convert_minor(0, currency, zone.date_of(at))?;
        }
    }
    Ok(())
}

fn tallied(tallies: BTreeMap<(String, String), (u64, Vec<u64>)>) -> Vec<RejectTally> {
    let tally = |((column, reason), (rows, lines))| RejectTally {
        column,
        reason,
        rows,
        lines,
    };
    let mut all: Vec<RejectTally> = tallies.into_iter().map(tally).collect();
    all.sort_by_key(|tally| std::cmp::Reverse(tally.rows));
    all
}
