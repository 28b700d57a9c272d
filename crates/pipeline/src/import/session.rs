//! One import under way: reads every file, then writes what they said.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use regulars_core::{CustomerId, Symbols};
use regulars_ingest::{Batch, Reject, open};
use regulars_store::Transaction;
use regulars_store::history::SymbolTable;
use regulars_store::spill::{Slice, Spilled};

use super::ahead::ahead;
use super::apart::Apart;
use super::assemble::OrderCounts;
use super::events::holds_events;
use super::frame;
use super::intake::ProductNames;
use super::intake::{Intake, IntakeCounts};
use super::owners::{self, ClaimBook, Settled};
use super::partitions::{Assembly, Shuffled, home};
use super::people::{self, Person};
use super::rates::Rates;
use super::refunds::{self, RefundCounts, RefundIntake};
use super::rejects::RejectFile;
use super::report::FileReport;
use super::row::Row;
use super::sources::SourceFile;
use super::tables::{AdSpendTable, ProductTable};
use super::{ImportOptions, RejectPolicy, reject_limit, today_ends};
use crate::error::PipelineError;
use crate::progress::{Progress, Unit};
use crate::workspace::Workspace;

/// What an import gathers while it reads.
pub(super) struct Session<'a> {
    workspace: &'a Workspace,
    options: &'a ImportOptions,
    progress: &'a dyn Progress,
    import: u64,
    rates: Rates,
    symbols: Symbols,
    rejects: RejectFile,
    people: Vec<Person>,
    products: ProductTable,
    ad_spend: AdSpendTable,
    nameless_rows: u64,
}

/// Rows of orders and of refunds, on disk.
pub(super) struct Taken {
    by_identity: Spilled<Slice>,
    pub(super) intake: IntakeCounts,
    refunds: RefundIntake,
}

/// Memory for the buffers that rows wait in before they are written to their slice.
const SPILL_BUDGET_BYTES: usize = 32 << 20;

/// The same for rows that wait for the customer of their order.
const PENDING_BUDGET_BYTES: usize = 1 << 20;

impl<'a> Session<'a> {
    /// Begins the import with the number `import`; nothing is read yet.
    pub(super) fn begin(
        workspace: &'a Workspace,
        options: &'a ImportOptions,
        progress: &'a dyn Progress,
        import: u64,
    ) -> Result<Self, PipelineError> {
        Ok(Self {
            workspace,
            options,
            progress,
            import,
            rates: Rates::new(workspace.config()),
            symbols: Symbols::default(),
            rejects: RejectFile::begin(&workspace.rejects_dir(), import)?,
            people: Vec::new(),
            products: ProductTable::default(),
            ad_spend: AdSpendTable::default(),
            nameless_rows: 0,
        })
    }

    /// Keeps rows aside that were rejected before, by file.
    pub(super) fn take_rejected(
        &mut self,
        rejected: &[(String, Vec<Reject>)],
    ) -> Result<(), PipelineError> {
        for (file, rejects) in rejected {
            self.rejects.add(file, rejects)?;
        }
        Ok(())
    }

    /// Reads every file but those of events; rows of orders go to the slice of their identity.
    pub(super) fn read_all(
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
            if !source.skip && !holds_events(source) {
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
        let before = intake.counts.rows_without_order_id;
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
                // Files of events were taken before.
                Batch::Events(_) => {}
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
        report.rows_without_order_id = gathered.0.rows_without_order_id - before;
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
            rejects: self.rejects.path().map(Path::to_owned),
        })
    }

    /// Assembles orders, gives each to its owner and its refunds with it, and writes them.
    pub(super) fn write_orders(
        &self,
        transaction: &mut Transaction<'_>,
        taken: Taken,
    ) -> Result<(OrderCounts, RefundCounts), PipelineError> {
        let Taken {
            by_identity,
            intake,
            refunds,
        } = taken;
        let (refund_rows, mut refunded, mut refunds) = refunds.finish()?;
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
        let (book, apart) = (ClaimBook::new(transaction)?, Apart::new(transaction)?);
        let mut written = assembly.write_all(transaction, (&book, &apart), self.progress)?;
        let (credits, credited) = apart.finish()?;
        refunded.extend(credited);
        let (contested, followed) = owners::contested(book, refunded, transaction)?;
        let mut settled = Settled::default();
        let mut counted_twice = 0;
        if !contested.is_empty() {
            let claimants = assembly.claimants(&contested)?;
            counted_twice = owners::more_than_orders(&claimants);
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
        counts.orders = counts.orders.saturating_sub(counted_twice);
        refunds::write(
            transaction,
            (&refund_rows, &credits),
            (&followed, &settled),
            (&self.symbols, &self.rates),
            &mut refunds,
        )?;
        let astray = followed.astray(&settled);
        transaction.apply_moves(&moves, &settled.stored, &astray)?;
        Ok((counts, refunds))
    }

    /// Writes what customers files declared; returns how many customers that are.
    pub(super) fn write_customers(
        &mut self,
        transaction: &mut Transaction<'_>,
    ) -> Result<u64, PipelineError> {
        let people = std::mem::take(&mut self.people);
        people::write(transaction, people, self.import)
    }

    /// Puts products and ad spend into their tables.
    pub(super) fn save_tables(
        &mut self,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), PipelineError> {
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

    /// Rows that name nothing, and where rejected rows are.
    pub(super) fn finish(self) -> Result<(u64, Option<PathBuf>), PipelineError> {
        Ok((self.nameless_rows, self.rejects.finish()?))
    }
}

fn has_guests(intake: &IntakeCounts) -> bool {
    intake.guest_rows > 0
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
