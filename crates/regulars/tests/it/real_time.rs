//! Time alone moves customers, in real time.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::Server;
use crate::shop::Shop;

const SEGMENT: &str = "abandoned_carts";

fn track(event: &str, properties: &Value) -> Value {
    json!([{
        "type": "track", "userId": "c-1", "messageId": event, "event": event,
        "properties": properties,
    }])
}

/// Waits for the number-th move of the segment, at most ten seconds; gives it and how long after
/// `from` it was there to be read.
fn wait_for(server: &Server, number: usize, from: Instant) -> (Value, Duration) {
    while from.elapsed() < Duration::from_secs(10) {
        let all = server.get(&format!("/api/v1/transitions?segment={SEGMENT}"));
        // The latest comes first.
        let moves = all["transitions"].as_array().unwrap();
        if moves.len() >= number {
            return (moves[0].clone(), from.elapsed());
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    panic!("nobody moved in {SEGMENT}");
}

#[test]
fn a_cart_left_for_two_seconds_is_noticed_within_a_second() {
    let shop = Shop::empty("EUR");
    let path = shop.root().join("regulars.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    let (before, after) = ("\"2 hours\"", "\"2 seconds\"");
    assert!(settings.contains(before), "{settings}");
    std::fs::write(&path, settings.replace(before, after)).unwrap();
    let server = Server::start(&shop);
    let coat = json!({"product_id": "coat", "price": 140, "quantity": 1});

    let sent = Instant::now();
    server.track(&track("Product Added", &coat));
    let (entered, seen_after) = wait_for(&server, 1, sent);
    assert_eq!(entered["direction"], "entered", "{entered}");
    assert_eq!(entered["cause"]["type"], "time", "{entered}");
    // The cart was changed after `sent`, so its two seconds ended no earlier than that.
    let allowed = Duration::from_secs(2)..=Duration::from_secs(3);
    assert!(allowed.contains(&seen_after), "{seen_after:?}: {entered}");

    let sent = Instant::now();
    let order = json!({"order_id": "o-1", "total": 140, "products": [coat]});
    server.track(&track("Order Completed", &order));
    let (left, seen_after) = wait_for(&server, 2, sent);
    assert_eq!(left["direction"], "exited", "{left}");
    assert!(
        seen_after <= Duration::from_secs(1),
        "{seen_after:?}: {left}"
    );
    server.stop();
}
