//! Measures how fast bodies of the tracking API are read: batches of 100 track events of 668
//! bytes, on one thread.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Instant;

use regulars_core::Timestamp;
use regulars_ingest::tracking::{Endpoint, Limits, read};

const EVENTS: usize = 100;
const ROUNDS: usize = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let body = body()?;
    let limits = Limits::default();
    let (mut taken, mut personal) = (0, 0);
    let start = Instant::now();
    for round in 0..ROUNDS {
        let received_at = Timestamp(1_795_589_600_000 + i64::try_from(round)?);
        let received = read(Endpoint::Batch, body.as_bytes(), received_at, &limits)?;
        taken += received.events.len();
        personal += received
            .events
            .iter()
            .map(|event| event.personal.len())
            .sum::<usize>();
    }
    let seconds = start.elapsed().as_secs_f64();
    writeln!(
        std::io::stdout(),
        "{taken} events of {} bytes, {personal} personal values: {:.0} events/s, {:.1} MB/s",
        body.len() / EVENTS,
        taken as f64 / seconds,
        (body.len() * ROUNDS) as f64 / seconds / 1e6,
    )?;
    Ok(())
}

fn body() -> Result<String, std::fmt::Error> {
    let mut body = r#"{"batch":["#.to_owned();
    for index in 0..EVENTS {
        let comma = if index == 0 { "" } else { "," };
        write!(
            body,
            "{comma}{{\"type\":\"track\",\"event\":\"Product Added\",\"userId\":\"customer-{:06}\",\
             \"anonymousId\":\"5f5ad7e0-2a4b-4c3e-9a0f-{index:012}\",\"messageId\":\"node-next-1795589580250-bed2b170-b80d-4c0a-9ea6-{index:012}\",\
             \"timestamp\":\"2026-11-25T06:53:00.250Z\",\"properties\":{{\"cart_id\":\"c-{index}\",\"product_id\":\"507f1f77bcf86cd79943\",\
             \"sku\":\"G-{index}\",\"category\":\"Games\",\"name\":\"Monopoly: 3rd Edition\",\"brand\":\"Hasbro\",\"variant\":\"200 pieces\",\
             \"price\":18.99,\"quantity\":1,\"currency\":\"EUR\",\"position\":3}},\
             \"context\":{{\"ip\":\"203.0.113.9\",\"locale\":\"de-DE\",\"userAgent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\",\
             \"library\":{{\"name\":\"@segment/analytics-node\",\"version\":\"3.1.0\"}}}},\"integrations\":{{}}}}",
            index * 7
        )?;
    }
    body.push_str(r#"],"sentAt":"2026-11-25T06:53:00.253Z","writeKey":"wk_test"}"#);
    Ok(body)
}
