//! How fast the history is written and folded: 20 million made-up order lines of 1 million
//! customers, on two threads.
//!
//! `cargo run --release -p regulars-store --example history_speed [-- <million lines> [<directory>]]`

#![allow(clippy::print_stdout, reason = "an example that prints its figures")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use regulars_core::{
    Currency, CustomerId, LineRecord, OrderKey, Partition, Symbol, Symbols, Timestamp,
};
use regulars_store::history::{Family, SymbolTable, VersionsFrom};
use regulars_store::log::{HistoryCompacted, LogRecord};
use regulars_store::vault::{IdentityId, IdentityKind};
use regulars_store::{Store, StoreError, StoreOptions};

const THREADS: usize = 2;
const LINES_PER_CUSTOMER: usize = 20;

fn main() -> Result<(), StoreError> {
    let mut arguments = std::env::args().skip(1);
    let million = arguments
        .next()
        .map_or(20, |n| n.parse().expect("a number of million lines"));
    let scratch = tempfile::tempdir().expect("a temporary directory can be made");
    let dir = arguments
        .next()
        .map_or_else(|| scratch.path().join("data"), PathBuf::from);
    let customers = million * 1_000_000 / LINES_PER_CUSTOMER;
    let options = StoreOptions::default();
    if !dir.join("FORMAT").exists() {
        write(&dir, customers)?;
    }
    let store = Store::open_read(&dir, &options)?;
    let summary = store.history().summary(Family::Orders);
    println!(
        "{} lines in {} runs, {} bytes",
        summary.rows, summary.runs, summary.bytes
    );
    for _ in 0..3 {
        fold(&store)?;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let wanted: Vec<CustomerId> = (0..100)
        .map(|_| customer_of(rng.random_range(0..customers)))
        .collect();
    let start = Instant::now();
    let symbols = SymbolTable::default();
    let mut rows = 0;
    for customer in wanted {
        rows += store.history().timeline(customer, &symbols)?.len();
    }
    println!(
        "timeline: {rows} rows of 100 customers, {:?} each",
        start.elapsed() / 100
    );
    Ok(())
}

/// Spreads numbers over the partitions, as random ids are.
fn customer_of(number: usize) -> CustomerId {
    CustomerId((number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// What the made-up orders name.
struct Texts {
    products: Vec<Symbol>,
    categories: Vec<Symbol>,
    brands: Vec<Symbol>,
    channels: Vec<Symbol>,
    countries: Vec<Symbol>,
}

impl Texts {
    fn new(symbols: &mut Symbols) -> Self {
        let mut texts = |name: &str, count: usize| -> Vec<Symbol> {
            (0..count)
                .map(|n| symbols.intern(&format!("{name}-{n:05}")))
                .collect()
        };
        Self {
            products: texts("product", 5000),
            categories: texts("category", 40),
            brands: texts("brand", 200),
            channels: texts("channel", 8),
            countries: texts("country", 25),
        }
    }
}

fn write(dir: &std::path::Path, customers: usize) -> Result<(), StoreError> {
    let mut store = Store::create(dir, &StoreOptions::default())?;
    let mut symbols = Symbols::default();
    let shop = Texts::new(&mut symbols);
    let mut by_partition = vec![Vec::new(); Partition::COUNT];
    for number in 0..customers {
        let customer = customer_of(number);
        by_partition[customer.partition().index()].push(customer);
    }
    by_partition
        .iter_mut()
        .for_each(|part| part.sort_unstable());
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let mut transaction = store.begin()?;
    transaction.set_currency(Currency::new("EUR").expect("a currency"))?;
    let shared = &transaction;
    let runs = each_partition(|partition| {
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(partition.0));
        let mut run = shared.order_run(partition)?;
        let mut rows: Vec<LineRecord> = Vec::new();
        for &customer in &by_partition[partition.index()] {
            rows.clear();
            while rows.len() < LINES_PER_CUSTOMER {
                let order = OrderKey(rng.random());
                let occurred_at = Timestamp(rng.random_range(1_600_000_000_000..1_750_000_000_000));
                let channel = shop.channels[rng.random_range(0..shop.channels.len())];
                let country = shop.countries[customer.0 as usize % shop.countries.len()];
                for line in 0..rng.random_range(1..5) {
                    let product = rng.random_range(0..shop.products.len());
                    let price = 499 + (product as i64 * 37) % 9000;
                    rows.push(LineRecord {
                        line,
                        product: shop.products[product],
                        category: shop.categories[product % shop.categories.len()],
                        brand: shop.brands[product % shop.brands.len()],
                        channel,
                        country,
                        quantity: f64::from(rng.random_range(1..4_u8)),
                        net_minor: price,
                        discount_minor: Some(if rng.random_bool(0.3) { price / 10 } else { 0 }),
                        cost_minor: Some(price * 6 / 10),
                        refunded_minor: if rng.random_bool(0.02) { price } else { 0 },
                        ..LineRecord::new(customer, order, 0, occurred_at)
                    });
                }
            }
            rows.truncate(LINES_PER_CUSTOMER);
            rows.sort_by_key(|row| (row.occurred_at, row.order, row.line));
            for row in &rows {
                let order_id = format!("#{}", row.order.0 % 100_000_000);
                run.push(&symbols, row, &order_id, IdentityId(customer.0))?;
            }
        }
        run.finish(&symbols)
    })?;
    for run in runs {
        transaction.add_run(run);
    }
    let recorded_at = Timestamp(0);
    transaction.commit(LogRecord::HistoryCompacted(HistoryCompacted {
        recorded_at,
    }))?;
    println!(
        "write: {:.2} s wall, {:.2} s CPU (with making up the rows), {} MB peak",
        start.elapsed().as_secs_f64(),
        cpu_seconds() - cpu,
        peak_megabytes()
    );
    vault(&mut store, customers)
}

fn fold(store: &Store) -> Result<(), StoreError> {
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let symbols = SymbolTable::default();
    let history = store.history();
    let sums = each_partition(|partition| {
        let mut reader = history.partition(partition, &symbols, VersionsFrom::Files)?;
        let (mut customers, mut lines, mut net, mut orders) = (0_u64, 0_u64, 0_i64, 0_u64);
        while let Some(rows) = reader.next_customer()? {
            customers += 1;
            lines += rows.len() as u64;
            net += rows
                .iter()
                .map(|row| row.net_minor - row.refunded_minor)
                .sum::<i64>();
            let repeats = rows
                .windows(2)
                .filter(|pair| pair[0].order == pair[1].order)
                .count();
            orders += (rows.len() - repeats) as u64;
        }
        Ok((customers, lines, net, orders))
    })?;
    let total = sums.iter().fold((0, 0, 0, 0), |a, b| {
        (a.0 + b.0, a.1 + b.1, a.2 + b.2, a.3 + b.3)
    });
    println!(
        "fold: {:.2} s wall, {:.2} s CPU, {} MB peak: {total:?}, {} texts",
        start.elapsed().as_secs_f64(),
        cpu_seconds() - cpu,
        peak_megabytes(),
        symbols.into_symbols().len(),
    );
    Ok(())
}

/// Mints, loads and looks up as many identities as there are customers.
fn vault(store: &mut Store, customers: usize) -> Result<(), StoreError> {
    let name = |number: usize| format!("customer-{number:08}@example.com");
    let mut transaction = store.begin()?;
    let start = Instant::now();
    for number in 0..customers {
        transaction
            .vault()?
            .lookup_or_mint(IdentityKind::Email, &name(number))?;
    }
    println!(
        "vault: minting {:?} each",
        start.elapsed() / customers as u32
    );
    let recorded_at = Timestamp(0);
    transaction.commit(LogRecord::HistoryCompacted(HistoryCompacted {
        recorded_at,
    }))?;
    let dir = store.dir().to_owned();
    let before = resident_megabytes();
    let start = Instant::now();
    // The lock is of the process that holds it: a second look at the same files needs a copy.
    let copy = tempfile::tempdir().expect("a temporary directory can be made");
    for part in ["FORMAT", "LOCK", "manifest.json"] {
        std::fs::copy(dir.join(part), copy.path().join(part)).expect("copied");
    }
    for part in ["log", "vault", "history", "tables"] {
        #[cfg(unix)]
        std::os::unix::fs::symlink(dir.join(part), copy.path().join(part)).expect("linked");
    }
    let again = Store::open_read(copy.path(), &StoreOptions::default())?;
    let loaded = again.vault()?;
    println!(
        "vault: {} identities loaded in {:?}, {} MB more",
        loaded.len(),
        start.elapsed(),
        resident_megabytes() - before
    );
    let mut transaction = store.begin()?;
    let texts: Vec<String> = (0..customers).map(name).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let wanted: Vec<u32> = (0..20_000_000)
        .map(|_| rng.random_range(0..customers as u32))
        .collect();
    let vault = transaction.vault()?;
    let start = Instant::now();
    let mut sum = 0_u64;
    for &number in &wanted {
        let id = vault.lookup_or_mint(IdentityKind::Email, &texts[number as usize])?;
        sum = sum.wrapping_add(id.0);
    }
    println!(
        "vault: 20 million look-ups in random order, {} ns each ({sum})",
        start.elapsed().as_nanos() / wanted.len() as u128
    );
    Ok(())
}

/// Runs `work` on every partition, on two threads; results in the order of partitions.
fn each_partition<T: Send>(
    work: impl Fn(Partition) -> Result<T, StoreError> + Sync,
) -> Result<Vec<T>, StoreError> {
    let next = AtomicUsize::new(0);
    let mut done: Vec<(usize, Result<T, StoreError>)> = std::thread::scope(|scope| {
        let worker = || {
            let mut mine = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= Partition::COUNT {
                    return mine;
                }
                mine.push((index, work(Partition(index as u16))));
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(worker)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

fn status(key: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

fn peak_megabytes() -> u64 {
    status("VmHWM:") / 1024
}

fn resident_megabytes() -> u64 {
    status("VmRSS:") / 1024
}

/// User and system time of this process, from its 14th and 15th field in hundredths of a second.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(2);
    fields
        .filter_map(|field| field.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}
