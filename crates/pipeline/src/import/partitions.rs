//! The second half of an import of orders: each partition's rows are assembled, sorted and
//! written as a run, a few partitions at a time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use regulars_core::{CustomerId, Partition, Symbols, Timestamp};
use regulars_store::Transaction;
use regulars_store::history::RunInfo;
use regulars_store::spill::Spilled;
use regulars_store::vault::{IdentityId, Vault};

use super::assemble::{Frame, OrderCounts, assemble};
use super::frame::{self, Framed};
use super::rates::Rates;
use crate::error::PipelineError;
use crate::progress::{Progress, Unit};

/// Where the rows of an import lie: first by the partition of their identity, then those whose
/// identity stands for a customer elsewhere.
#[derive(Debug)]
pub(crate) struct Shuffled {
    pub(crate) by_identity: Spilled,
    pub(crate) moved: Spilled,
}

/// What all partitions share.
pub(crate) struct Assembly<'a> {
    pub(crate) shuffled: &'a Shuffled,
    pub(crate) vault: &'a Vault,
    pub(crate) symbols: &'a Symbols,
    pub(crate) rates: &'a Rates,
    pub(crate) import: u64,
}

/// The runs of an import and what was met in making them.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) runs: Vec<RunInfo>,
    pub(crate) counts: OrderCounts,
    pub(crate) rows: u64,
    /// Time of the last order.
    pub(crate) last_at: Option<Timestamp>,
}

/// Finds the partition of a row's customer.
pub(crate) fn home(vault: &Vault, identity: u64) -> Partition {
    vault.resolve(IdentityId(identity)).partition()
}

/// Assembles and writes every partition on `threads` threads.
pub(crate) fn write_partitions(
    transaction: &Transaction<'_>,
    assembly: &Assembly<'_>,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Written, PipelineError> {
    progress.begin("writing", Partition::COUNT as u64, Unit::Partitions);
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Result<Written, PipelineError>>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= Partition::COUNT {
                        return;
                    }
                    let written = write_partition(transaction, assembly, Partition(index as u16));
                    let failed = written.is_err();
                    results
                        .lock()
                        .expect("no thread panics while it holds it")
                        .push(written);
                    if failed {
                        next.store(Partition::COUNT, Ordering::Relaxed);
                    }
                    progress.advance(index as u64 + 1);
                }
            });
        }
    });
    let mut all = Written::default();
    for written in results.into_inner().expect("all threads have ended") {
        let written = written?;
        all.runs.extend(written.runs);
        all.counts.add(written.counts);
        all.rows += written.rows;
        all.last_at = all.last_at.max(written.last_at);
    }
    all.runs.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(all)
}

fn write_partition(
    transaction: &Transaction<'_>,
    assembly: &Assembly<'_>,
    partition: Partition,
) -> Result<Written, PipelineError> {
    let spilled = [
        assembly.shuffled.by_identity.read(partition)?,
        assembly.shuffled.moved.read(partition)?,
    ];
    // Rows are sorted where they lie: only those of one customer at a time are read.
    let mut framed: Vec<(CustomerId, Framed<'_>)> = spilled
        .iter()
        .flat_map(|bytes| frame::each(bytes))
        .map(|row| (assembly.vault.resolve(IdentityId(row.identity)), row))
        .filter(|(customer, _)| customer.partition() == partition)
        .collect();
    let mut written = Written::default();
    if framed.is_empty() {
        return Ok(written);
    }
    framed.sort_by_key(|(customer, _)| *customer);
    let mut run = transaction.order_run(partition)?;
    let mut rows = Vec::new();
    for same_customer in framed.chunk_by(|a, b| a.0 == b.0) {
        let frame = Frame {
            customer: same_customer[0].0,
            import: assembly.import,
            symbols: assembly.symbols,
            rates: assembly.rates,
        };
        rows.clear();
        rows.extend(same_customer.iter().map(|(_, framed)| framed.row()));
        for row in assemble(frame, &mut rows, &mut written.counts)? {
            let identity = IdentityId(row.identity);
            run.push(assembly.symbols, &row.record, &row.order_id, identity)?;
            written.rows += 1;
            written.last_at = written.last_at.max(Some(row.record.occurred_at));
        }
    }
    if written.rows > 0 {
        written.runs.push(run.finish(assembly.symbols)?);
    }
    Ok(written)
}
