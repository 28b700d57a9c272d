//! Made-up rows, and the shortest way to put them into a store.

use std::collections::BTreeMap;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use regulars_core::{
    Currency, CustomerId, LineRecord, OrderKey, OrderStatus, Partition, RecordKind, RefundKey,
    Symbol, Symbols, Timestamp,
};
use regulars_store::history::{OrderRow, SymbolTable};
use regulars_store::log::{HistoryCompacted, LogRecord};
use regulars_store::vault::IdentityId;
use regulars_store::{Store, StoreOptions};

pub(crate) fn create(dir: &Path) -> Store {
    Store::create(dir, &StoreOptions::default()).unwrap()
}

pub(crate) fn open(dir: &Path) -> Store {
    Store::open(dir, &StoreOptions::default()).unwrap()
}

pub(crate) fn record(number: i64) -> LogRecord {
    LogRecord::HistoryCompacted(HistoryCompacted {
        recorded_at: Timestamp(number),
    })
}

/// A row with its texts, so that rows of different symbol tables compare.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plain {
    pub(crate) row: OrderRow,
    pub(crate) texts: [String; 5],
}

pub(crate) fn plain(row: &OrderRow, symbols: &Symbols) -> Plain {
    let mut row = row.clone();
    let record = &mut row.record;
    let text = |symbol: &mut Symbol| {
        symbols
            .text(std::mem::replace(symbol, Symbol::NONE))
            .to_owned()
    };
    let texts = [
        text(&mut record.product),
        text(&mut record.category),
        text(&mut record.brand),
        text(&mut record.channel),
        text(&mut record.country),
    ];
    Plain { row, texts }
}

/// Customers of a few partitions, so that runs and customers meet.
pub(crate) fn customer(number: u64) -> CustomerId {
    let partition = number % 3;
    CustomerId((partition << 58) | (number * 7919))
}

/// Rows of one import, unsorted. Small ranges make ties and repeats frequent.
pub(crate) fn rows(seed: u64, import: u64, count: usize, symbols: &mut Symbols) -> Vec<OrderRow> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let constant = rng.random_bool(0.5);
    (0..count)
        .map(|number| {
            let mut text = |kind: &str, count: u32| match rng.random_range(0..count) {
                0 => Symbol::NONE,
                n => symbols.intern(&format!("{kind} {n}")),
            };
            let product = text("product", 30);
            let category = text("category", 5);
            let brand = text("brand", 4);
            let channel = if constant {
                Symbol::NONE
            } else {
                text("channel", 3)
            };
            let country = if constant {
                symbols.intern("DE")
            } else {
                Symbol::NONE
            };
            let mut maybe = |share: f64| {
                (!constant && rng.random_bool(share)).then(|| rng.random_range(-5..1000_i64))
            };
            let (updated_at, ended_at) = (maybe(0.5).map(Timestamp), maybe(0.1).map(Timestamp));
            let (discount_minor, cost_minor) = (maybe(0.6), maybe(0.9));
            let beside_minor = maybe(0.3);
            let refund = maybe(0.1).map_or(0, |key| key.unsigned_abs());
            let kinds = [RecordKind::Sale, RecordKind::Credit, RecordKind::Refund];
            let statuses = [
                OrderStatus::Placed,
                OrderStatus::Unpaid,
                OrderStatus::Refunded,
                OrderStatus::Cancelled,
            ];
            let order = rng.random_range(0..200_u64);
            let customer = customer(rng.random_range(0..40));
            let record = LineRecord {
                customer,
                order: OrderKey(order.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                import,
                updated_at,
                occurred_at: Timestamp(rng.random_range(-1000..1000)),
                ended_at,
                kind: if constant {
                    RecordKind::Sale
                } else {
                    kinds[rng.random_range(0..3)]
                },
                status: if constant {
                    statuses[2]
                } else {
                    statuses[rng.random_range(0..4)]
                },
                line: number as u32,
                refund: RefundKey(refund),
                product,
                category,
                brand,
                channel,
                country,
                quantity: f64::from(rng.random_range(0..8)) / 4.0,
                net_minor: rng.random_range(-3..5000),
                discount_minor,
                cost_minor,
                beside_minor,
                refunded_minor: if constant { 0 } else { rng.random_range(0..3) },
            };
            let identity = IdentityId(rng.random_range(0..90));
            OrderRow {
                record,
                order_id: format!("#{order}"),
                identity,
            }
        })
        .collect()
}

/// What the files are sorted by.
pub(crate) fn sort(rows: &mut [OrderRow]) {
    rows.sort_by_key(|row| {
        let record = &row.record;
        (
            record.customer,
            record.occurred_at,
            record.order,
            record.import,
            record.line,
        )
    });
}

/// Imports rows in one transaction, a run for each partition.
pub(crate) fn import(store: &mut Store, rows: &[OrderRow], symbols: &Symbols) -> u64 {
    let mut transaction = store.begin().unwrap();
    transaction
        .set_currency(Currency::new("EUR").unwrap())
        .unwrap();
    let mut by_partition: BTreeMap<Partition, Vec<OrderRow>> = BTreeMap::new();
    for row in rows {
        by_partition
            .entry(row.record.customer.partition())
            .or_default()
            .push(row.clone());
    }
    for (partition, mut rows) in by_partition {
        sort(&mut rows);
        let mut run = transaction.order_run(partition).unwrap();
        run.write(symbols, &rows).unwrap();
        transaction.add_run(run.finish(symbols).unwrap());
    }
    transaction.commit(record(0)).unwrap()
}

/// Everything in the history, through the full reader, by customer.
pub(crate) fn everything(store: &Store) -> Vec<Plain> {
    let table = SymbolTable::default();
    let mut all = Vec::new();
    let mut rows = Vec::new();
    for partition in Partition::all() {
        let mut reader = store.history().orders(partition, &table).unwrap();
        while let Some(of_customer) = reader.next_customer().unwrap() {
            rows.extend_from_slice(of_customer);
        }
    }
    let symbols = table.into_symbols();
    all.extend(rows.iter().map(|row| plain(row, &symbols)));
    all
}

/// The same from the rows themselves.
pub(crate) fn expected(mut rows: Vec<OrderRow>, symbols: &Symbols) -> Vec<Plain> {
    sort(&mut rows);
    rows.iter().map(|row| plain(row, symbols)).collect()
}
