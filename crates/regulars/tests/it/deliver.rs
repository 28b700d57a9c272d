//! `destinations` and `deliveries`, while a server uses the workspace and while none does.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::Server;
use crate::shop::Shop;

/// One try for each delivery, and loopback may be called.
fn shop() -> Shop {
    let shop = Shop::empty("EUR");
    shop.own_segment("viewers", "events 'Product Viewed' in last 1 hours >= 1");
    let path = shop.root().join("regulars.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let delays = "delays_seconds = [0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]";
    assert!(text.contains(delays));
    let text = text.replace(delays, "delays_seconds = [0]");
    let none = "allow_private_targets = []";
    assert!(text.contains(none));
    let loopback = "allow_private_targets = [\"127.0.0.0/8\"]";
    std::fs::write(&path, text.replace(none, loopback)).unwrap();
    shop
}

/// An address where nobody listens.
fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/hook", listener.local_addr().unwrap())
}

fn until_dead(shop: &Shop) -> Value {
    let begun = Instant::now();
    loop {
        let list = shop.json(&["deliveries"]);
        if list["deliveries"][0]["status"] == "dead" {
            return list;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{list}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// Attempts before a replay stay, and those after it follow.
fn check_attempts(shop: &Shop, delivery: &str, before: &Value, after: &Value) {
    let told = after["attempts"].as_array().unwrap();
    let first = before["attempts"].as_array().unwrap();
    assert_eq!(told[..first.len()], first[..]);
    // The last one before may have been written after they were asked for.
    let replayed = told.iter().position(|of| of["result"] == "replayed");
    assert!(
        replayed.is_some_and(|place| place >= first.len()),
        "{after}"
    );
    assert_eq!(told.last().unwrap()["result"], "dead");
    let attempts = ["deliveries", "attempts", delivery];
    assert!(shop.good(&attempts).contains("replayed"));
    let unknown = shop.run(&["deliveries", "attempts", "none"]);
    assert_eq!(unknown.status.code(), Some(3), "{unknown:?}");
}

/// A document of each command.
pub(crate) fn samples() -> Vec<(&'static str, Value)> {
    let shop = shop();
    let url = closed();
    let add = [
        "destinations",
        "add",
        &url,
        "--segments",
        "viewers",
        "--allow-http",
    ];
    let added = shop.json(&add);
    let (secret, id) = (&added["secret"], added["id"].as_str().unwrap());
    assert!(secret.as_str().unwrap().starts_with("whsec_"), "{added}");

    let server = Server::start(&shop);
    server.track(&json!([{
        "type": "track", "userId": "c-17", "event": "Product Viewed", "messageId": "m-1",
        "properties": {"product_id": "coat"},
    }]));
    let served = until_dead(&shop);
    let delivery = served["deliveries"][0]["id"].as_str().unwrap();
    let listed = shop.json(&["destinations", "list"]);
    assert_eq!(listed["destinations"][0]["id"], id);
    let attempts = shop.json(&["deliveries", "attempts", delivery]);
    let replayed = shop.json(&["deliveries", "replay", delivery]);
    assert_eq!(replayed["customer_id"], "c-17");
    until_dead(&shop);
    let other = shop.json(&["destinations", "add", "https://example.com/hook"]);
    shop.good(&["destinations", "remove", other["id"].as_str().unwrap()]);
    server.stop();

    let here = shop.json(&["deliveries", "--failed"]);
    assert_eq!(here["deliveries"][0]["id"], delivery);
    let all_attempts = shop.json(&["deliveries", "attempts", delivery]);
    check_attempts(&shop, delivery, &attempts, &all_attempts);
    let here_replayed = shop.json(&["deliveries", "replay", delivery]);
    let waits = shop.json(&["deliveries"]);
    assert_eq!(waits["deliveries"][0]["status"], "pending");
    let rotated = shop.json(&["destinations", "rotate", id]);
    assert_ne!(&rotated["secret"], secret);
    let here_listed = shop.json(&["destinations", "list"]);
    assert!(!here_listed.to_string().contains("whsec_"), "{here_listed}");
    assert!(shop.good(&["destinations", "list"]).contains(id));
    shop.good(&["destinations", "enable", id]);
    shop.good(&["destinations", "remove", id]);
    assert_eq!(
        shop.json(&["destinations", "list"])["destinations"],
        json!([])
    );
    let gone = shop.run(&["destinations", "remove", id]);
    assert_eq!(gone.status.code(), Some(3), "{gone:?}");
    let private = shop.run(&["destinations", "add", "https://10.0.0.1/"]);
    assert_eq!(private.status.code(), Some(4), "{private:?}");
    let unknown = [
        "destinations",
        "add",
        "https://example.com/",
        "--segments",
        "viewrs",
    ];
    assert_eq!(shop.run(&unknown).status.code(), Some(3));
    vec![
        ("destinations add", added),
        ("destinations add", other),
        ("destinations add", rotated),
        ("destinations list", listed),
        ("destinations list", here_listed),
        ("deliveries", served),
        ("deliveries", waits),
        ("deliveries attempts", attempts),
        ("deliveries attempts", all_attempts),
        ("deliveries replay", replayed),
        ("deliveries replay", here_replayed),
    ]
}

#[test]
fn webhooks_are_looked_after_with_a_server_and_without() {
    samples();
}
