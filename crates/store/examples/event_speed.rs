//! How fast events move from the log to the history and are read there:
//! `cargo run --release -p regulars-store --example event_speed -- [EVENTS] [CUSTOMERS] [AT_ONCE]`.
//!
//! A third of the customers' events are of a tenth of them. Nothing else goes on meanwhile.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "prints its figures, and ends when something fails"
)]

use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use regulars_core::{CustomerId, EventKind, Partition, Timestamp};
use regulars_store::history::Family;
use regulars_store::log::StoredEvent;
use regulars_store::vault::{IdentityId, IdentityKind};
use regulars_store::{Frame, Store, StoreOptions};

fn event(rng: &mut ChaCha8Rng, identity: IdentityId, number: u64) -> StoredEvent {
    let product = rng.random_range(0..5_000);
    let price = rng.random_range(100..20_000);
    StoredEvent {
        kind: EventKind::Track,
        anonymous: false,
        identity,
        customer: CustomerId(identity.0),
        occurred_at: Timestamp(1_795_615_380_000 + number as i64),
        received_at: Timestamp(1_795_615_380_000 + number as i64),
        message: rng.random(),
        name: "Product Viewed".into(),
        properties: format!(
            "{{\"product_id\":\"p-{product}\",\"name\":\"Product {product}\",\"price\":{price},\
             \"currency\":\"EUR\",\"category\":\"c-{}\"}}",
            product % 40
        )
        .into(),
        context:
            "{\"library\":{\"name\":\"analytics.js\",\"version\":\"2.1\"},\"locale\":\"de-DE\"}"
                .into(),
        sealed: Box::default(),
    }
}

fn main() {
    let arguments: Vec<u64> = std::env::args()
        .skip(1)
        .map(|text| text.parse().unwrap())
        .collect();
    let argument = |at: usize, usual: u64| arguments.get(at).copied().unwrap_or(usual);
    let (events, customers) = (argument(0, 2_000_000), argument(1, 100_000));
    let at_once = argument(2, 250_000);
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::create(&dir.path().join("data"), &StoreOptions::default()).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let vault = store.live_vault().unwrap();
    let identities: Vec<IdentityId> = (0..customers)
        .map(|n| vault.lookup_or_mint(IdentityKind::CustomerId, &format!("c-{n}")))
        .map(Result::unwrap)
        .collect();
    let (mut moving, mut committing, mut merging) = (0.0, 0.0_f64, 0.0);
    let mut frame = Frame::default();
    for number in 0..events {
        let few = customers.div_ceil(10);
        let of = if rng.random_bool(0.3) { few } else { customers };
        let identity = identities[rng.random_range(0..of) as usize];
        frame.event(&event(&mut rng, identity, number));
        if frame.len() == 5_000 || number + 1 == events {
            store.append(&frame).unwrap();
            frame.clear();
        }
        if (number + 1) % at_once == 0 {
            let began = Instant::now();
            let begun = store.begin_move(store.next_offset()).unwrap().unwrap();
            let read = begun.read().unwrap();
            let owners: Vec<CustomerId> = read
                .identities()
                .iter()
                .map(|identity| CustomerId(identity.0))
                .collect();
            let files = read.write(&owners).unwrap();
            moving += began.elapsed().as_secs_f64();
            let began = Instant::now();
            store
                .finish_move(files, Timestamp(0), Timestamp(0))
                .unwrap();
            committing = committing.max(began.elapsed().as_secs_f64());
            let began = Instant::now();
            let merged = store.run_merges().into_iter();
            let merged = merged.map(|merge| merge.write().unwrap()).collect();
            store.finish_merges(merged, Timestamp(0)).unwrap();
            store.remove_replaced();
            merging += began.elapsed().as_secs_f64();
        }
    }
    let history = store.history();
    let summary = history.summary(Family::Events);
    println!("{events} events of {customers} customers, {at_once} moved at a time");
    println!("moved: {:.0} events a second", events as f64 / moving);
    println!(
        "merged: {merging:.1} s in all, {} runs are left",
        summary.runs
    );
    println!("longest commit: {:.0} ms", committing * 1_000.0);
    println!(
        "{:.0} bytes for each event",
        summary.bytes as f64 / summary.rows.max(1) as f64
    );
    look(&store, &identities, &mut rng);
}

/// Reads everyone, then some customers.
fn look(store: &Store, identities: &[IdentityId], rng: &mut ChaCha8Rng) {
    let history = store.history();
    let began = Instant::now();
    let mut read = 0;
    for partition in Partition::all() {
        let mut reader = history.events(partition).unwrap();
        while let Some(rows) = reader.next_customer().unwrap() {
            read += rows.len();
        }
    }
    println!(
        "read by customer: {:.0} events a second",
        read as f64 / began.elapsed().as_secs_f64()
    );
    let began = Instant::now();
    let looks = 200;
    for _ in 0..looks {
        let identity = identities[rng.random_range(0..identities.len())];
        history.events_of(CustomerId(identity.0)).unwrap();
    }
    let each = began.elapsed().as_secs_f64() / f64::from(looks);
    println!("one customer: {:.2} ms", each * 1_000.0);
}
