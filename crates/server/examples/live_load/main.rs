//! Sends the traffic of the made-up shop to a running server, and says how it answered:
//! `cargo run --release -p regulars-server --example live_load -- MODE ADDRESS KEY [name=value …]`.
//!
//! | mode | what it does |
//! |---|---|
//! | `traffic` | events in batches: as fast as they are answered, or at a rate |
//! | `probe` | one cart after the other is opened; after each answer the transition is asked for |
//! | `carts` | many customers put something into a cart at one instant of the past |
//!
//! `bench/live.py` starts the server and these. Every message id is new. Latencies of a given rate
//! count from the moment at which a request was due, so that a late answer delays none of them.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "prints its figures, tells the time, and waits for the next request to be due"
)]

mod client;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::time::{Duration, Instant};

use client::Client;
use regulars_core::{EventKind, Timestamp};
use regulars_shop::{CustomerNumber, Shop, ShopOptions, Traffic};
use serde_json::{Value, json};

/// What SDKs say of themselves and of the page.
const CONTEXT: &str = r#"{"library":{"name":"live_load","version":"1"},"locale":"de-DE","page":{"path":"/products"}}"#;

/// What is asked for, from the arguments.
struct Load {
    address: String,
    key: String,
    /// API token; for probes.
    token: String,
    seconds: u64,
    connections: u64,
    /// Events in a request.
    batch: u64,
    /// Customers who come, from the first one on; of `carts` how many, each of them new.
    customers: u32,
    /// Events each second of all connections; 0 for as many as are answered.
    rate: u64,
    /// Tells runs apart: message ids and orders of different ones differ.
    run: u64,
    /// Milliseconds since 1970 of the instant of `carts`.
    at: i64,
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, address, key, options @ ..] = arguments.as_slice() else {
        return Err(wrong("live_load MODE ADDRESS KEY [name=value …]"));
    };
    let load = load(address, key, options)?;
    let figures = match mode.as_str() {
        "traffic" => traffic(&load)?,
        "probe" => probe(&load)?,
        "carts" => carts(&load)?,
        _ => return Err(wrong("the mode is `traffic`, `probe` or `carts`")),
    };
    println!("{figures}");
    Ok(())
}

fn load(address: &str, key: &str, options: &[String]) -> io::Result<Load> {
    let mut load = Load {
        address: address.to_owned(),
        key: key.to_owned(),
        token: String::new(),
        seconds: 10,
        connections: 16,
        batch: 100,
        customers: 100_000,
        rate: 0,
        run: 0,
        at: 0,
    };
    for option in options {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let number = value.parse::<u64>();
        match (name, number) {
            ("token", _) => value.clone_into(&mut load.token),
            ("seconds", Ok(number)) => load.seconds = number,
            ("connections", Ok(number)) => load.connections = number.max(1),
            ("batch", Ok(number)) => load.batch = number.max(1),
            ("customers", Ok(number)) => load.customers = number as u32,
            ("rate", Ok(number)) => load.rate = number,
            ("run", Ok(number)) => load.run = number,
            ("at", Ok(number)) => load.at = number as i64,
            _ => return Err(wrong(&format!("cannot read `{option}`"))),
        }
    }
    Ok(load)
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what.to_owned())
}

impl Load {
    fn write_key(&self) -> String {
        format!("X-Write-Key: {}", self.key)
    }
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    latencies: Vec<Duration>,
    names: BTreeMap<&'static str, u64>,
    refused: u64,
}

/// Sends events for some time; gives counts, rates and latencies.
fn traffic(load: &Load) -> io::Result<Value> {
    let shop = Shop::new(ShopOptions::default()).map_err(|error| wrong(&error.to_string()))?;
    let begun = Instant::now();
    let end = begun + Duration::from_secs(load.seconds);
    let seen: Vec<Seen> = std::thread::scope(|scope| {
        let run = |n| {
            let stream = load.run * 1_000 + n;
            let traffic = Traffic::new(shop.products(), load.customers, stream);
            scope.spawn(move || connection(load, traffic, stream, end))
        };
        let threads: Vec<_> = (0..load.connections).map(run).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|seen| seen.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect::<io::Result<_>>()
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let mut latencies: Vec<Duration> = Vec::new();
    let (mut names, mut refused) = (BTreeMap::new(), 0);
    for one in seen {
        latencies.extend(one.latencies);
        refused += one.refused;
        for (name, count) in one.names {
            *names.entry(name).or_insert(0) += count;
        }
    }
    let events = latencies.len() as u64 * load.batch;
    Ok(json!({
        "events": events,
        "seconds": seconds,
        "events_per_second": events as f64 / seconds,
        "requests_per_second": latencies.len() as f64 / seconds,
        "refused": refused,
        "names": names,
        "latency": percentiles(latencies),
    }))
}

/// One connection, one request after the other.
fn connection(
    load: &Load,
    mut traffic: Traffic<'_>,
    stream: u64,
    end: Instant,
) -> io::Result<Seen> {
    let mut client = Client::connect(&load.address, &load.write_key())?;
    let mut seen = Seen::default();
    let pause = Duration::from_secs_f64(match load.rate {
        0 => 0.0,
        rate => (load.batch * load.connections) as f64 / rate as f64,
    });
    let (mut due, mut sent) = (Instant::now(), 0);
    let (mut body, mut names) = (String::new(), Vec::new());
    while due < end && Instant::now() < end {
        body.clear();
        names.clear();
        body.push_str("{\"batch\":[");
        for n in 0..load.batch {
            body.push_str(if n == 0 { "" } else { "," });
            sent += 1;
            names.push(write_event(&mut body, &mut traffic, stream, sent));
        }
        body.push_str("]}");
        if load.rate == 0 {
            due = Instant::now();
        } else if let Some(left) = due.checked_duration_since(Instant::now()) {
            std::thread::sleep(left);
        }
        if client.post("/v1/batch", &body)? == 200 {
            seen.latencies.push(due.elapsed());
            for name in &names {
                *seen.names.entry(name).or_insert(0) += 1;
            }
        } else {
            seen.refused += 1;
            std::thread::sleep(Duration::from_millis(20));
        }
        due += pause;
    }
    Ok(seen)
}

/// Writes the next event of the traffic; gives its name.
fn write_event(
    body: &mut String,
    traffic: &mut Traffic<'_>,
    stream: u64,
    number: u64,
) -> &'static str {
    body.push_str("{\"properties\":");
    let event = traffic.next_into(body);
    let call = match event.kind {
        EventKind::Page => r#""type":"page","name""#,
        _ => r#""type":"track","event""#,
    };
    let _ = write!(
        body,
        r#",{call}:"{}","userId":"{}","messageId":"m-{stream}-{number}","context":{CONTEXT}}}"#,
        event.name, event.customer,
    );
    event.name
}

/// Opens carts of customers of its own, one after the other, and asks for the transition as soon
/// as the event is answered; the answer comes when the transition is on disk and in the outbox.
fn probe(load: &Load) -> io::Result<Value> {
    let mut tracking = Client::connect(&load.address, &load.write_key())?;
    let mut reading = Client::connect(
        &load.address,
        &format!("Authorization: Bearer {}", load.token),
    )?;
    let end = Instant::now() + Duration::from_secs(load.seconds);
    let pause = Duration::from_secs_f64(1.0 / load.rate.max(1) as f64);
    let (mut answered, mut moved) = (Vec::new(), Vec::new());
    let (mut due, mut n) = (Instant::now(), 0_u64);
    while due < end {
        if let Some(left) = due.checked_duration_since(Instant::now()) {
            std::thread::sleep(left);
        }
        n += 1;
        let customer = format!("probe-{}-{n}", load.run);
        let body = json!({
            "userId": customer, "event": "Product Added", "messageId": customer,
            "properties": {"cart_id": customer, "product_id": "P0001", "price": 10, "quantity": 1},
        });
        let begun = Instant::now();
        if tracking.post("/v1/track", &body.to_string())? == 200 {
            answered.push(begun.elapsed());
            let begun = Instant::now();
            let path =
                format!("/api/v1/transitions?limit=1&segment=open_carts&customer={customer}");
            let (status, text) = reading.get(&path)?;
            if status != 200 || !text.contains("\"entered\"") {
                return Err(io::Error::other(format!("no transition: {status} {text}")));
            }
            moved.push(begun.elapsed());
        }
        due = (due + pause).max(Instant::now());
    }
    Ok(json!({
        "probes": n,
        "answered": percentiles(answered),
        "in_outbox": percentiles(moved),
    }))
}

/// No shop has so many customers.
const FIRST_OF_CARTS: u32 = 1_000_000_000;

/// Lets customers of its own, who do nothing else, put something into a cart at the same instant of
/// the past.
fn carts(load: &Load) -> io::Result<Value> {
    let mut client = Client::connect(&load.address, &load.write_key())?;
    let at = Timestamp(load.at).to_string();
    let mut customer = 0;
    while customer < load.customers {
        let until = (customer + 500).min(load.customers);
        let events = (customer..until).map(|number| {
            let id = CustomerNumber(FIRST_OF_CARTS + number).to_string();
            json!({
                "type": "track", "userId": id, "event": "Product Added", "timestamp": at,
                "messageId": format!("due-{}-{number}", load.run),
                "properties": {"cart_id": format!("due-{id}"), "product_id": "P0001",
                               "price": 150, "quantity": 1, "currency": "EUR"},
            })
        });
        let body = json!({ "batch": events.collect::<Vec<_>>() }).to_string();
        match client.post("/v1/batch", &body)? {
            200 => customer = until,
            503 => std::thread::sleep(Duration::from_millis(20)),
            status => return Err(io::Error::other(format!("status {status}"))),
        }
    }
    Ok(json!({ "carts": customer }))
}

/// Milliseconds by share.
fn percentiles(mut latencies: Vec<Duration>) -> Value {
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = (latencies.len() as f64 * share) as usize;
        let found = latencies.get(index.min(latencies.len().saturating_sub(1)));
        found.map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    };
    json!({ "p50_ms": at(0.5), "p99_ms": at(0.99), "p999_ms": at(0.999), "max_ms": at(1.0) })
}
