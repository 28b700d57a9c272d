//! A server that is killed again and again while events come in and webhooks leave: each
//! acknowledged event is there once, so is every transition, each is received, and the state is
//! that of an undisturbed replay.
//!
//! `REGULARS_KILLS` says how many kills there are; a few without it.

#![allow(
    clippy::disallowed_methods,
    reason = "a server is killed after some time, whatever it is at"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use regulars_core::Direction;
use regulars_store::log::Logged;
use regulars_store::{Store, StoreOptions};
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::server::Server;
use crate::shop::Shop;
use crate::stored::{self, doubles};

const RULES: &str = r#"
[[segment]]
name = "viewers"
rule = "events 'Product Viewed' in last 7 days >= 3"

[[segment]]
name = "quick"
rule = "events 'Product Viewed' in last 1 minutes >= 1"

[[segment]]
name = "buyers"
rule = "orders >= 1"
"#;
/// Segments whose webhooks are sent.
const SENT: [&str; 3] = ["viewers", "quick", "buyers"];
/// Segments that do not move while the state is compared.
const LASTING: [&str; 2] = ["viewers", "buyers"];

/// Sends a batch; true when it was acknowledged.
fn send(address: &str, key: &str, body: &str) -> bool {
    let sent = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        write!(
            stream,
            "POST /v1/batch HTTP/1.1\r\nHost: x\r\nX-Write-Key: {key}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    sent().unwrap_or(false)
}

fn body(batch: u64) -> String {
    let events: Vec<_> = (0..20)
        .map(|n| {
            let number = batch * 20 + n;
            // Some come again and again, some are new.
            let customer = match number % 3 {
                0 => format!("c-{}", number % 13),
                _ => format!("n-{}", number / 40),
            };
            let order = json!({"order_id": format!("o-{number}"), "total": 10});
            let (name, properties) = match number % 7 {
                6 => ("Order Completed", order),
                _ => ("Product Viewed", json!({"product_id": "p"})),
            };
            json!({"type": "track", "event": name, "userId": customer,
                   "messageId": format!("m-{number}"), "properties": properties})
        })
        .collect();
    json!({ "batch": events }).to_string()
}

/// A workspace whose webhooks go to `receiver`.
fn shop(receiver: &Receiver) -> Shop {
    let shop = Shop::empty("EUR");
    std::fs::write(shop.root().join("segments/kills.toml"), RULES).unwrap();
    let settings = shop.root().join("regulars.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let none = "allow_private_targets = []";
    assert!(text.contains(none));
    let loopback = "allow_private_targets = [\"127.0.0.0/8\"]";
    std::fs::write(settings, text.replace(none, loopback)).unwrap();
    let segments = SENT.join(",");
    let url = &receiver.url;
    let add = [
        "destinations",
        "add",
        url,
        "--segments",
        &segments,
        "--allow-http",
        "--quiet",
    ];
    shop.good(&add);
    shop
}

/// What the log of a stopped server holds.
#[derive(Default)]
struct InLog {
    /// How often each transition is there.
    transitions: BTreeMap<String, u64>,
    /// Those that are sent.
    sent: BTreeSet<String>,
}

impl InLog {
    fn read(shop: &Shop) -> Self {
        let data = shop.root().join("data");
        let store = Store::open_read(&data, &StoreOptions::default()).unwrap();
        let mut found = Self::default();
        let mut last = BTreeMap::new();
        for entry in store.logged(0) {
            let Logged::Found(record) = entry.unwrap().1 else {
                continue;
            };
            for transition in record.transitions {
                let key = (transition.customer, transition.segment.clone());
                let before = last.insert(key, (transition.sequence, transition.direction));
                let (sequence, direction) = before.unwrap_or((0, Direction::Exited));
                assert_eq!(transition.sequence, sequence + 1, "{transition:?}");
                assert_ne!(transition.direction, direction, "{transition:?}");
                let id = transition.id.to_string();
                if SENT.contains(&transition.segment.as_str()) {
                    found.sent.insert(id.clone());
                }
                *found.transitions.entry(id).or_default() += 1;
            }
        }
        found
    }
}

/// Who is in the lasting segments, asked of the server or, without one, of the log.
fn members(shop: &Shop) -> Vec<BTreeSet<String>> {
    let ids = |segment: &str| {
        let members = shop.json(&["segments", "members", segment]);
        let members = members["members"].as_array().unwrap().iter();
        let id = |member: &Value| member["customer_id"].as_str().unwrap().to_owned();
        members.map(id).collect()
    };
    LASTING.map(ids).into()
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn kills_lose_and_double_nothing() {
    let kills: u64 = std::env::var("REGULARS_KILLS").map_or(3, |text| text.parse().unwrap());
    let receiver = Receiver::start();
    let shop = shop(&receiver);
    let mut key = String::new();
    let mut batch = 0;
    for round in 0..kills {
        let server = Server::start(&shop);
        if round == 0 {
            key.clone_from(&server.key);
        }
        let lives = Duration::from_millis(40 + round * 137 % 400);
        let until = Instant::now() + lives;
        let address = server.address.clone();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(lives);
            server.kill();
        });
        // A batch that was not acknowledged is sent again, like an SDK does.
        while Instant::now() < until + Duration::from_millis(20) {
            if send(&address, &key, &body(batch)) {
                batch += 1;
            }
        }
        killer.join().unwrap();
    }
    let server = Server::start(&shop);
    while !send(&server.address, &key, &body(batch)) {}
    batch += 1;
    let live = members(&shop);
    // A stop in peace ends with everything found.
    server.stop();
    let replayed = members(&shop);
    let events = stored::events(&shop);
    let in_log = InLog::read(&shop);
    // What was found last is sent by the next server.
    let server = Server::start(&shop);
    let all_received = || {
        let received = receiver.received();
        in_log.sent.iter().all(|id| received.contains_key(id))
    };
    wait_until("every transition is received", all_received);
    server.stop();
    let received = receiver.received();
    let known = InLog::read(&shop).sent;
    let receipts: u64 = received.values().sum();
    println!(
        "{kills} kills: {} events acknowledged, {} stored, {} of them twice; \
         {} transitions in the log, {} of them twice; {} of these to be sent, {receipts} webhooks \
         received with {} ids",
        batch * 20,
        events.len(),
        doubles(&events),
        in_log.transitions.len(),
        doubles(&in_log.transitions),
        in_log.sent.len(),
        received.len(),
    );
    assert_eq!(events.len() as u64, batch * 20, "every event is there");
    assert_eq!(doubles(&events), 0, "and once");
    assert_eq!(doubles(&in_log.transitions), 0, "so is every transition");
    assert!(in_log.sent.len() > 20, "{}", in_log.sent.len());
    for id in received.keys() {
        assert!(known.contains(id), "{id} was sent and is not in the log");
    }
    assert_eq!(live, replayed, "the state is that of a replay");
}
