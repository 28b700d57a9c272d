//! A server that is killed again and again while events come in: each acknowledged one is there
//! once, and so is every transition.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use regulars_core::{Direction, TransitionId};
use regulars_store::log::Logged;
use regulars_store::{Store, StoreOptions};
use serde_json::json;

use crate::shop::Shop;

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

/// A server, its address and its write key.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    /// Starts it; the first start tells a write key as well.
    fn start(shop: &Shop, key: &mut Option<String>) -> Self {
        let mut child = shop
            .command(&["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().unwrap().unwrap();
            if let Some(found) = line.trim().strip_prefix("write key") {
                *key = Some(found.trim().to_owned());
            }
            if let Some((_, address)) = line.split_once("listening on http://") {
                break address.trim().to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

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
            let customer = format!("c-{}", number % 13);
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

/// What the log of a stopped server holds.
fn check(shop: &Shop, batches: u64) {
    let options = StoreOptions::default();
    let store = Store::open_read(&shop.root().join("data"), &options).unwrap();
    let mut messages: BTreeMap<u128, u32> = BTreeMap::new();
    let mut ids: BTreeSet<TransitionId> = BTreeSet::new();
    let mut last = BTreeMap::new();
    for entry in store.logged(0) {
        match entry.unwrap().1 {
            Logged::Event(event) => *messages.entry(event.message).or_default() += 1,
            Logged::Found(found) => {
                for transition in found.transitions {
                    assert!(ids.insert(transition.id), "twice: {transition:?}");
                    let key = (transition.customer, transition.segment.clone());
                    let before = last.insert(key, (transition.sequence, transition.direction));
                    let (sequence, direction) = before.unwrap_or((0, Direction::Exited));
                    assert_eq!(transition.sequence, sequence + 1, "{transition:?}");
                    assert_ne!(transition.direction, direction, "{transition:?}");
                }
            }
            _ => {}
        }
    }
    assert_eq!(messages.len() as u64, batches * 20, "every event is there");
    assert!(messages.values().all(|&times| times == 1), "and once");
    assert!(ids.len() > 20, "{}", ids.len());
}

#[test]
fn kills_lose_and_double_nothing() {
    let kills: u64 = std::env::var("REGULARS_KILLS").map_or(3, |text| text.parse().unwrap());
    let shop = Shop::empty("EUR");
    std::fs::write(shop.root().join("segments/kills.toml"), RULES).unwrap();
    let mut key = None;
    let mut batch = 0;
    for round in 0..kills {
        let serving = Serving::start(&shop, &mut key);
        let key = key.clone().unwrap();
        let lives = Duration::from_millis(150 + round * 137 % 700);
        let until = Instant::now() + lives;
        let address = serving.address.clone();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(lives);
            serving.kill();
        });
        // A batch that was not acknowledged is sent again, like an SDK does.
        while Instant::now() < until + Duration::from_millis(50) {
            if send(&address, &key, &body(batch)) {
                batch += 1;
            }
        }
        killer.join().unwrap();
    }
    let serving = Serving::start(&shop, &mut key);
    while !send(&serving.address, key.as_ref().unwrap(), &body(batch)) {}
    batch += 1;
    // A stop in peace ends with everything found.
    let pid = serving.child.id().to_string();
    std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .unwrap();
    let mut child = serving.child;
    assert!(child.wait().unwrap().success());
    check(&shop, batch);
}
