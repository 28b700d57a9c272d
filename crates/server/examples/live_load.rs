//! Sends events to a running server as fast as it answers, and says how fast that was:
//! `cargo run --release -p regulars-server --example live_load -- ADDRESS KEY SECONDS CONNECTIONS BATCH CUSTOMERS`.
//!
//! Customers are drawn by Zipf's law. Every message id is new. Of ten events six are views of
//! products, two fill carts, one begins a checkout, one is an order.

#![allow(clippy::print_stdout, reason = "prints its figures")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

/// What is sent, from the arguments.
struct Load {
    address: String,
    key: String,
    seconds: u64,
    connections: u64,
    batch: u64,
    customers: u64,
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, usual: u64| {
        let given = arguments.get(at).and_then(|text| text.parse().ok());
        given.unwrap_or(usual)
    };
    let text = |at: usize| arguments.get(at).cloned().unwrap_or_default();
    let load = Load {
        address: text(0),
        key: text(1),
        seconds: number(2, 10),
        connections: number(3, 16),
        batch: number(4, 100),
        customers: number(5, 100_000),
    };
    let messages = AtomicU64::new(0);
    let end = Instant::now() + Duration::from_secs(load.seconds);
    let start = Instant::now();
    let mut latencies: Vec<Duration> = std::thread::scope(|scope| {
        let run = |n| {
            let (load, messages) = (&load, &messages);
            scope.spawn(move || connection(load, n, messages, end))
        };
        let threads: Vec<_> = (0..load.connections).map(run).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .flat_map(|latencies| latencies.expect("no panic").expect("the server answers"))
            .collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = (latencies.len() as f64 * share) as usize;
        let found = latencies.get(index.min(latencies.len().saturating_sub(1)));
        found.map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    };
    let events = latencies.len() as u64 * load.batch;
    println!(
        "{}",
        json!({
            "events": events,
            "events_per_second": events as f64 / seconds,
            "requests_per_second": latencies.len() as f64 / seconds,
            "p50_ms": at(0.5),
            "p99_ms": at(0.99),
            "max_ms": at(1.0),
        })
    );
    Ok(())
}

/// One connection, one request after the other; gives how long each took.
fn connection(
    load: &Load,
    n: u64,
    messages: &AtomicU64,
    end: Instant,
) -> io::Result<Vec<Duration>> {
    let stream = TcpStream::connect(&load.address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    let mut random = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let first = messages.fetch_add(load.batch, Ordering::Relaxed);
        let body = body(load, first, &mut random);
        let head = format!(
            "POST /v1/batch HTTP/1.1\r\nHost: {}\r\nX-Write-Key: {}\r\nContent-Length: {}\r\n\r\n",
            load.address,
            load.key,
            body.len()
        );
        let begun = Instant::now();
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let status = answer(&mut answers)?;
        if status == 200 {
            latencies.push(begun.elapsed());
        } else {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(latencies)
}

fn body(load: &Load, first: u64, random: &mut u64) -> String {
    let mut next = || {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        *random
    };
    let events: Vec<_> = (0..load.batch)
        .map(|n| {
            // Zipf with exponent 1, by inversion of the continuous law.
            let share = (next() >> 11) as f64 / (1_u64 << 53) as f64;
            let customer = (load.customers as f64).powf(share) as u64;
            let price = 5 + next() % 90;
            let product = json!({
                "product_id": format!("p-{}", next() % 500), "name": "A product with a name",
                "category": format!("category {}", next() % 12), "price": price, "quantity": 1,
                "cart_id": format!("k-{customer}"), "currency": "EUR", "position": n,
                "url": "https://shop.example/products/a-product-with-a-name",
            });
            let (name, properties) = match next() % 10 {
                0..=5 => ("Product Viewed", product),
                6 | 7 => ("Product Added", product),
                8 => (
                    "Checkout Started",
                    json!({"order_id": format!("o-{}", first + n)}),
                ),
                _ => (
                    "Order Completed",
                    json!({"order_id": format!("o-{}", first + n), "total": price,
                           "cart_id": format!("k-{customer}"), "products": [product]}),
                ),
            };
            json!({
                "type": "track", "event": name, "userId": format!("c-{customer}"),
                "messageId": format!("m-{}-{}", std::process::id(), first + n),
                "properties": properties,
                "context": {"library": {"name": "load", "version": "1"},
                            "locale": "de-DE", "page": {"path": "/products"}},
            })
        })
        .collect();
    json!({ "batch": events }).to_string()
}

/// The status of the next answer, whose body is read and dropped.
fn answer(answers: &mut BufReader<TcpStream>) -> io::Result<u16> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let mut length = 0;
    loop {
        line.clear();
        answers.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body)?;
    Ok(status.unwrap_or(0))
}
