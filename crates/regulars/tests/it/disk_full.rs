//! A disk that is full: events are refused, the server ends with a message, nothing acknowledged
//! is lost, and a start after space was freed goes on.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::server::Server;
use crate::shop::Shop;
use crate::stored::{self, doubles};

/// A file system of eight megabytes at the data directory; unmounted when it goes.
struct Small(PathBuf);

impl Small {
    /// `None` where this process may not mount.
    fn mount(data: &Path) -> Option<Self> {
        let moved = data.with_extension("before");
        let keep = Command::new("cp").arg("-a").arg(data).arg(&moved).status();
        assert!(keep.unwrap().success());
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
            .arg(data)
            .stderr(Stdio::null())
            .status();
        if !mount.is_ok_and(|status| status.success()) {
            return None;
        }
        let small = Self(data.to_owned());
        let from = moved.join(".");
        let filled = Command::new("cp").arg("-a").arg(from).arg(data).status();
        assert!(filled.unwrap().success());
        Some(small)
    }

    fn resize(&self, size: &str) {
        let remount = format!("remount,size={size}");
        let done = Command::new("mount")
            .args(["-o", &remount])
            .arg(&self.0)
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Ten events with so much in each that a few hundred batches are megabytes.
fn batch(key: &str, number: usize) -> String {
    // Nothing that packs well.
    let filler = |event: usize| {
        let mut state = (number * 10 + event) as u64 + 1;
        let mut text = String::new();
        for _ in 0..300 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            text.push_str(&format!("{:x}", state >> 16));
        }
        text
    };
    let events: Vec<Value> = (0..10)
        .map(|event| {
            json!({
                "type": "track",
                "userId": format!("c-{}", event % 3),
                "messageId": format!("m-{number}-{event}"),
                "event": "Product Viewed",
                "properties": {"filler": filler(event)},
            })
        })
        .collect();
    json!({"writeKey": key, "batch": events}).to_string()
}

/// Sends until a batch is refused; gives how many were taken, and the refusal.
fn send_until_refused(server: &Server) -> (usize, Value) {
    for number in 0..4_000 {
        let body = batch(&server.key, number);
        let answer = server.send("POST", "/v1/batch", "Accept: */*", &body);
        if answer.status == 200 {
            continue;
        }
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.head.contains("\r\nretry-after: "), "{answer:?}");
        // It is about to end: as long as it answers, it says so.
        let health = server.try_send("GET", "/health", "Accept: */*", "");
        assert!(health.is_none_or(|health| health.status == 503));
        return (number, answer.json());
    }
    panic!("the disk is never full");
}

/// Ends it as the disk does, and checks what it said.
fn ended(server: Server) {
    let (status, said) = server.wait();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("error: cannot "), "{said}");
    assert!(said.contains("/log/seg-"), "{said}");
}

/// Every event of the first `batches` is there, and each once.
fn check(shop: &Shop, batches: usize) {
    let events = stored::events(shop);
    assert_eq!(events.len(), batches * 10);
    assert_eq!(doubles(&events), 0);
}

/// After space was freed: a start, what was refused again, and more.
fn goes_on(shop: &Shop, taken: usize, key: &str) {
    let looked = shop.run(&["doctor"]);
    assert!(looked.status.success(), "{looked:?}");
    let mut server = Server::start(shop);
    server.key = key.to_owned();
    for number in 0..taken + 3 {
        let body = batch(key, number);
        let answer = server.send("POST", "/v1/batch", "Accept: */*", &body);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    server.stop();
    check(shop, taken + 3);
}

#[test]
fn a_small_disk_that_is_full() {
    let shop = Shop::empty("EUR");
    let Some(small) = Small::mount(&shop.root().join("data")) else {
        eprintln!("skipped: this test may not mount a small file system");
        return;
    };
    let server = Server::start(&shop);
    let key = server.key.clone();
    let (taken, refusal) = send_until_refused(&server);
    assert_eq!(refusal["code"], "not_stored", "{refusal}");
    assert!(refusal["message"].as_str().unwrap().contains("disk"));
    assert!(taken > 10, "{taken}");
    ended(server);
    small.resize("64m");
    goes_on(&shop, taken, &key);
}

/// The same by a limit of the process, where nobody may mount: no file may have more than about two
/// megabytes.
#[cfg(unix)]
#[test]
fn a_file_that_may_grow_no_more() {
    let shop = Shop::empty("EUR");
    let server = Server::start_in(&shop, "trap '' XFSZ; ulimit -f 4096;");
    let key = server.key.clone();
    let (taken, refusal) = send_until_refused(&server);
    assert_eq!(refusal["code"], "not_stored", "{refusal}");
    assert!(taken > 10, "{taken}");
    ended(server);
    goes_on(&shop, taken, &key);
}
