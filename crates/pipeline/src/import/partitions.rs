//! The second half of an import of orders: each partition's rows are assembled, sorted and
//! written as a run, a few partitions at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use regulars_core::{CustomerId, OrderKey, Partition, Symbols};
use regulars_store::Transaction;
use regulars_store::history::{History, OrderRunWriter, RunInfo, SymbolTable};
use regulars_store::spill::{Slice, Spilled};
use regulars_store::vault::{IdentityId, Vault};

use super::apart::Apart;
use super::assemble::{Assembled, Frame, OrderCounts, assemble};
use super::frame::{self, Framed};
use super::owners::{CLAIMS_AT_ONCE, ClaimBook, Claimant, Claims, Contested};
use super::rates::Rates;
use super::unchanged::Stored;
use crate::error::PipelineError;
use crate::in_turn::in_turn;
use crate::progress::{Progress, Unit};

/// Where the rows of an import lie: first by the slice of their identity, then those whose
/// identity stands for a customer elsewhere.
#[derive(Debug)]
pub(crate) struct Shuffled {
    pub(crate) by_identity: Spilled<Slice>,
    pub(crate) moved: Spilled<Slice>,
}

/// What all partitions share.
pub(crate) struct Assembly<'a> {
    pub(crate) shuffled: &'a Shuffled,
    pub(crate) vault: &'a Vault,
    /// What was there before.
    pub(crate) history: &'a History,
    pub(crate) symbols: &'a Symbols,
    /// The same, for what is read of the history.
    pub(crate) table: &'a SymbolTable,
    pub(crate) rates: &'a Rates,
    pub(crate) import: u64,
    pub(crate) threads: usize,
}

/// What became of the rows of one partition.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Its run; none when nothing was left to write.
    pub(crate) run: Option<RunInfo>,
    pub(crate) counts: OrderCounts,
}

/// Finds the slice of a row's customer.
pub(crate) fn home(vault: &Vault, identity: u64) -> Slice {
    Slice::of(vault.resolve(IdentityId(identity)))
}

/// Takes orders and the identities under which they came.
type NoteClaims<'n> = &'n dyn Fn(&[(OrderKey, IdentityId)]) -> Result<(), PipelineError>;

impl Assembly<'_> {
    /// Assembles and writes every partition; claims go into `book`, and credits that claim nothing
    /// into `apart`.
    pub(crate) fn write_all(
        &self,
        transaction: &Transaction<'_>,
        (book, apart): (&ClaimBook, &Apart),
        progress: &dyn Progress,
    ) -> Result<BTreeMap<Partition, Written>, PipelineError> {
        progress.begin("writing", Partition::COUNT as u64, Unit::Partitions);
        let all: Vec<Partition> = Partition::all().collect();
        let none = Claims::default();
        self.each(&all, progress, |partition| {
            let note = |claims: &[(OrderKey, IdentityId)]| book.note(claims);
            self.write(transaction, partition, &none, &note, Some(apart))
        })
    }

    /// Assembles and writes some partitions again, without the orders of `lost` and the credits that
    /// were kept apart.
    pub(crate) fn write_again(
        &self,
        transaction: &Transaction<'_>,
        partitions: &BTreeSet<Partition>,
        lost: &Claims,
        progress: &dyn Progress,
    ) -> Result<BTreeMap<Partition, Written>, PipelineError> {
        progress.begin("writing again", partitions.len() as u64, Unit::Partitions);
        let partitions: Vec<Partition> = partitions.iter().copied().collect();
        self.each(&partitions, progress, |partition| {
            self.write(transaction, partition, lost, &|_| Ok(()), None)
        })
    }

    /// The versions of contested orders in this import.
    pub(crate) fn claimants(&self, contested: &Contested) -> Result<Vec<Claimant>, PipelineError> {
        let mut claimants = Vec::new();
        for &partition in &contested.partitions {
            self.assemble(partition, &mut OrderCounts::default(), &mut |lines| {
                for line in lines.iter().map(|line| &line.record) {
                    if contested.contains(line.order) && !line.is_apart() {
                        claimants.push(Claimant {
                            order: line.order,
                            customer: line.customer,
                            import: line.import,
                            updated_at: line.updated_at,
                            status: line.status,
                        });
                    }
                }
                Ok(())
            })?;
        }
        Ok(claimants)
    }

    /// Does `work` for each partition on several threads.
    fn each(
        &self,
        partitions: &[Partition],
        progress: &dyn Progress,
        work: impl Fn(Partition) -> Result<Written, PipelineError> + Sync,
    ) -> Result<BTreeMap<Partition, Written>, PipelineError> {
        let done = AtomicUsize::new(0);
        let written = in_turn(
            partitions.len(),
            self.threads,
            || (),
            |(), index| {
                let written = work(partitions[index])?;
                progress.advance(done.fetch_add(1, Ordering::Relaxed) as u64 + 1);
                Ok((partitions[index], written))
            },
        )?;
        Ok(written.into_iter().collect())
    }

    fn write(
        &self,
        transaction: &Transaction<'_>,
        partition: Partition,
        lost: &Claims,
        note: NoteClaims<'_>,
        apart: Option<&Apart>,
    ) -> Result<Written, PipelineError> {
        let mut claims = Vec::with_capacity(CLAIMS_AT_ONCE);
        let mut run: Option<OrderRunWriter> = None;
        let mut counts = OrderCounts::default();
        let mut unchanged_orders = 0;
        let mut stored: Option<Stored<'_>> = None;
        self.assemble(partition, &mut counts, &mut |lines| {
            let stored = match &mut stored {
                Some(stored) => stored,
                none => none.insert(Stored::open(self.history, partition, self.table)?),
            };
            let unchanged = stored.unchanged(lines)?;
            unchanged_orders += unchanged.len() as u64;
            for line in lines {
                let is_unchanged = unchanged.contains(&line.record.order);
                if line.record.is_apart() {
                    if let Some(apart) = apart.filter(|_| !is_unchanged) {
                        apart.keep(line)?;
                    }
                    continue;
                }
                if lost.contains(&(line.record.order, line.record.customer)) {
                    continue;
                }
                let identity = IdentityId(line.identity);
                let claim = (line.record.order, identity);
                if claims.last() != Some(&claim) {
                    if claims.len() == CLAIMS_AT_ONCE {
                        note(&claims)?;
                        claims.clear();
                    }
                    claims.push(claim);
                }
                if is_unchanged {
                    continue;
                }
                let run = match &mut run {
                    Some(run) => run,
                    none => none.insert(transaction.order_run(partition)?),
                };
                run.push(self.symbols, &line.record, &line.order_id, identity)?;
            }
            Ok(())
        })?;
        note(&claims)?;
        let run = run.map(|run| run.finish(self.symbols)).transpose()?;
        counts.unchanged_orders = unchanged_orders;
        Ok(Written { run, counts })
    }

    /// Assembles the rows of a partition's customers, one after the other; one slice of them is
    /// in memory at a time.
    fn assemble(
        &self,
        partition: Partition,
        counts: &mut OrderCounts,
        each: &mut dyn FnMut(&[Assembled]) -> Result<(), PipelineError>,
    ) -> Result<(), PipelineError> {
        for slice in Slice::of_partition(partition) {
            self.assemble_slice(slice, counts, each)?;
        }
        Ok(())
    }

    fn assemble_slice(
        &self,
        slice: Slice,
        counts: &mut OrderCounts,
        each: &mut dyn FnMut(&[Assembled]) -> Result<(), PipelineError>,
    ) -> Result<(), PipelineError> {
        let spilled = [
            self.shuffled.by_identity.read(slice)?,
            self.shuffled.moved.read(slice)?,
        ];
        // Rows are sorted where they lie: only those of one customer at a time are read.
        let mut framed: Vec<(CustomerId, Framed<'_>)> = spilled
            .iter()
            .flat_map(|bytes| frame::each(bytes))
            .map(|row| (self.vault.resolve(IdentityId(row.identity)), row))
            .filter(|(customer, _)| Slice::of(*customer) == slice)
            .collect();
        framed.sort_by_key(|(customer, _)| *customer);
        let mut rows = Vec::new();
        for same_customer in framed.chunk_by(|a, b| a.0 == b.0) {
            let frame = Frame {
                customer: same_customer[0].0,
                import: self.import,
                symbols: self.symbols,
                rates: self.rates,
            };
            rows.clear();
            rows.extend(same_customer.iter().map(|(_, framed)| framed.row()));
            each(&assemble(frame, &mut rows, counts)?)?;
        }
        Ok(())
    }
}
