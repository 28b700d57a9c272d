//! Times the summary that the purchase models are fitted on (x, `t_x`, T and the mean of the
//! repeat purchases of each customer, by days), from the stored history of a workspace:
//! `cargo run --release -p regulars-pipeline --example rfm_summary -- shop 2` (workspace, threads).

#![allow(clippy::print_stdout, reason = "prints its timings")]

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use regulars_core::{CustomerId, Grain, Partition, TimeUnit, Timestamp, Zone};
use regulars_pipeline::{PipelineError, Workspace, as_of};
use regulars_profile::{Ledger, Products, Profile, PurchaseHistory};
use regulars_store::Store;
use regulars_store::history::{SymbolTable, VersionsFrom};

fn main() -> Result<(), PipelineError> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().unwrap_or_else(|| ".".to_owned());
    let threads = arguments
        .next()
        .and_then(|threads| threads.parse().ok())
        .unwrap_or(2);
    let workspace = Workspace::find(Path::new(&directory))?;
    let store = workspace.open_read()?;
    let (now, _) = as_of(&store, workspace.config(), None)?;
    let zone = workspace.config().zone();
    for _ in 0..3 {
        let start = Instant::now();
        let summaries = summarise(&store, &zone, now, threads)?;
        let seconds = start.elapsed().as_secs_f64();
        let repeats: u64 = summaries.iter().map(|s| u64::from(s.x)).sum();
        let ages: f64 = summaries.iter().map(|s| s.t).sum();
        let spend: i64 = summaries.iter().map(|s| s.repeat_spend_minor).sum();
        println!(
            "customers {} repeats {repeats} days {ages:.0} repeat_spend_minor {spend} seconds {seconds:.6}",
            summaries.len()
        );
    }
    Ok(())
}

/// The summaries of everyone who has ordered by `now`, partition by partition.
fn summarise(
    store: &Store,
    zone: &Zone,
    now: Timestamp,
    threads: usize,
) -> Result<Vec<PurchaseHistory>, PipelineError> {
    let next = AtomicUsize::new(0);
    let parts = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= Partition::COUNT {
                        return;
                    }
                    let part = partition(store, zone, now, Partition(index as u16));
                    parts.lock().expect("no thread panics").push((index, part));
                }
            });
        }
    });
    let mut parts = parts.into_inner().expect("all threads have ended");
    parts.sort_by_key(|(index, _)| *index);
    let mut all = Vec::new();
    for (_, part) in parts {
        all.extend(part?);
    }
    Ok(all)
}

fn partition(
    store: &Store,
    zone: &Zone,
    now: Timestamp,
    partition: Partition,
) -> Result<Vec<PurchaseHistory>, PipelineError> {
    let (symbols, products) = (SymbolTable::default(), Products::default());
    let (mut ledger, mut profile) = (Ledger::default(), Profile::new(CustomerId(0)));
    let history = store.history();
    let mut reader = history.partition(partition, &symbols, VersionsFrom::Files)?;
    let today = zone.date_of(now);
    let mut summaries = Vec::new();
    while let Some(records) = reader.next_customer()? {
        ledger.resolve(records, &products, now);
        profile.reset(records[0].customer);
        for order in ledger.orders() {
            profile.fold(&order);
        }
        let grains = (TimeUnit::Day, Grain::Day);
        summaries.extend(PurchaseHistory::of(&profile.orders, zone, grains, today));
    }
    Ok(summaries)
}
