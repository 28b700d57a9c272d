//! How fast live events are folded, without HTTP and without a disk: everyone of a workspace that
//! holds the made-up shop is put into memory, then its traffic is folded by one thread.
//!
//! `cargo run --release -p regulars-pipeline --example fold_speed -- WORKSPACE [EVENTS [DUE]]`
//!
//! DUE customers put something into a cart at the same instant; two hours later all of them are
//! looked at, while events go on. Prints JSON: events per second of CPU, what each kind of event
//! takes, and what the wake-ups took.

#![allow(clippy::print_stdout, reason = "prints its figures")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use regulars_core::{Cause, CustomerId, EventKind, HOUR_MS, Timestamp};
use regulars_pipeline::live::{Engine, StartOptions};
use regulars_pipeline::{PipelineError, Silent, Workspace};
use regulars_shop::{CustomerNumber, Shop, ShopOptions, Traffic, TrafficEvent};
use regulars_store::log::{Logged, StoredEvent};
use regulars_store::vault::IdentityId;
use serde_json::json;

/// As the binary has it: to make and drop small things is much of the work.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Events with the same time of arrival: those of a batch.
const BATCH: u64 = 100;

fn main() -> Result<(), PipelineError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, usual: u64| {
        let given = arguments.get(at).and_then(|text| text.parse().ok());
        given.unwrap_or(usual)
    };
    let directory = arguments.first().map_or(".", String::as_str);
    let workspace = Workspace::find(Path::new(directory))?;
    let mut store = workspace.open()?;
    let options = StartOptions {
        now: Timestamp(number(3, 1_795_615_380_000) as i64),
        threads: 2,
    };
    let begun = Instant::now();
    let mut engine = Engine::start(&workspace, &mut store, options, &Silent)?;
    engine.fold_tail()?;
    let started = begun.elapsed();
    let vault = store.vault()?;
    // Guests are known by their e-mail addresses only.
    let numbers = (0..engine.customers() as u32).map(CustomerNumber);
    let ids: Vec<CustomerId> = numbers
        .filter_map(|number| vault.find(&number.to_string()))
        .collect();
    let shop = Shop::new(ShopOptions::default()).expect("the usual shop can be made");
    let mut bench = Bench {
        engine,
        now: options.now,
        offset: store.next_offset(),
        traffic: Traffic::new(shop.products(), ids.len() as u32, 0),
        ids,
    };
    // Until most customers have done what they do.
    bench.run(number(1, 1_000_000) / 4)?;
    let measured = bench.run(number(1, 1_000_000))?;
    let stampede = bench.stampede(number(2, 200_000) as usize)?;
    println!(
        "{:#}",
        json!({
            "customers": bench.ids.len(),
            "segments": bench.engine.sizes().len(),
            "start_seconds": started.as_secs_f64(),
            "folded": measured,
            "stampede": stampede,
        })
    );
    Ok(())
}

struct Bench<'s> {
    engine: Engine,
    now: Timestamp,
    offset: u64,
    ids: Vec<CustomerId>,
    traffic: Traffic<'s>,
}

impl Bench<'_> {
    /// Folds so many events; gives what that took.
    fn run(&mut self, events: u64) -> Result<serde_json::Value, PipelineError> {
        let mut kinds: BTreeMap<&str, (u64, Duration)> = BTreeMap::new();
        let (mut cpu, mut found, mut causes) = (Duration::ZERO, 0, 0);
        for _ in 0..events / BATCH {
            let batch: Vec<(TrafficEvent, Logged)> = (0..BATCH).map(|_| self.event()).collect();
            self.now = self.now.plus_ms(1);
            let before = cpu_time();
            for (event, record) in batch {
                let begun = Instant::now();
                self.engine.fold(self.offset, record)?;
                let kind = kinds.entry(event.name).or_default();
                *kind = (kind.0 + 1, kind.1 + begun.elapsed());
                self.offset += 1;
            }
            cpu += cpu_time() - before;
            let transitions = self.engine.take_found();
            found += transitions.len();
            let offsets = transitions.iter().filter_map(|known| match known.cause {
                Cause::Event { offset, .. } => Some(offset),
                _ => None,
            });
            causes += offsets.collect::<BTreeSet<u64>>().len();
        }
        let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
        let by_kind = kinds.into_iter().map(|(name, (count, taken))| {
            let each = micros(taken) / count as f64;
            (name.to_owned(), json!({ "events": count, "micros": each }))
        });
        Ok(json!({
            "events": events,
            "events_per_cpu_second": events as f64 / cpu.as_secs_f64(),
            "transitions": found,
            "events_with_transitions": causes,
            "by_kind": by_kind.collect::<serde_json::Map<_, _>>(),
        }))
    }

    /// Lets many carts be abandoned at one instant, and goes on with events at once.
    fn stampede(&mut self, due: usize) -> Result<serde_json::Value, PipelineError> {
        let due = due.min(self.ids.len());
        for number in 0..due {
            let customer = CustomerNumber(number as u32);
            let event = TrafficEvent {
                customer,
                kind: EventKind::Track,
                name: "Product Added",
            };
            let properties = format!(
                r#"{{"cart_id":"due-{customer}","product_id":"P0001","price":150.00,"quantity":1}}"#
            );
            let record = self.stored(event, properties);
            self.engine.fold(self.offset, record)?;
            self.offset += 1;
        }
        while self.engine.is_behind() {
            self.engine.wake_some();
        }
        self.engine.take_found();
        self.now = self.now.plus_ms(2 * HOUR_MS);
        let begun = cpu_time();
        let (mut events, mut longest) = (0, Duration::ZERO);
        let mut found = 0;
        loop {
            let (_, record) = self.event();
            let before = cpu_time();
            self.engine.fold(self.offset, record)?;
            longest = longest.max(cpu_time() - before);
            self.offset += 1;
            events += 1;
            found += self.engine.take_found().len();
            if !self.engine.is_behind() {
                break;
            }
        }
        Ok(json!({
            "due": due,
            "seconds": (cpu_time() - begun).as_secs_f64(),
            "events_meanwhile": events,
            "longest_event_micros": longest.as_secs_f64() * 1e6,
            "transitions": found,
        }))
    }

    fn event(&mut self) -> (TrafficEvent, Logged) {
        let mut properties = String::with_capacity(256);
        let event = self.traffic.next_into(&mut properties);
        let record = self.stored(event, properties);
        (event, record)
    }

    fn stored(&self, event: TrafficEvent, properties: String) -> Logged {
        let customer = self.ids[event.customer.0 as usize];
        Logged::Event(StoredEvent {
            kind: event.kind,
            anonymous: false,
            identity: IdentityId(customer.0),
            customer,
            occurred_at: self.now,
            received_at: self.now,
            message: u128::from(self.offset),
            name: event.name.into(),
            properties: properties.into(),
            context: r#"{"library":{"name":"fold_speed","version":"1"}}"#.into(),
            sealed: Box::default(),
        })
    }
}

/// CPU time of this thread; on systems that do not tell it, the time of day.
fn cpu_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(
        || std::time::UNIX_EPOCH.elapsed().unwrap_or_default(),
        Duration::from_nanos,
    )
}
