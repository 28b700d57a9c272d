//! Explanations name events: what made the last change, and what each condition looked at last.

use serde_json::{Value, json};

use crate::served::{search, shop, told};
use crate::server::Server;

/// What `explain` says without a server of who was moved by an event, and of who was by time.
pub(crate) fn samples() -> [Value; 2] {
    let shop = shop();
    shop.own_segment("fresh", "events 'Products Searched' in last 1 seconds >= 1");
    let server = Server::start(&shop);
    told(&server);
    let left = |page: &Value| page["transitions"].to_string().contains("\"time\"");
    while !left(&server.get("/api/v1/transitions?segment=fresh&customer=c-1")) {
        std::thread::park_timeout(std::time::Duration::from_millis(100));
    }
    // Without a server now is the latest event.
    server.track(&json!([search("c-2", 2)]));
    server.stop();
    ["searchers", "fresh"].map(|segment| shop.json(&["explain", "c-1", segment]))
}

#[test]
fn the_event_that_made_the_last_change_is_named() {
    let shop = shop();
    let server = Server::start(&shop);
    // Told months late.
    let mut late = search("c-1", 2);
    late["timestamp"] = "2026-01-05T10:00:00.000Z".into();
    late["sentAt"] = Value::Null;
    server.track(&json!([search("c-1", 1), late, search("c-2", 1)]));
    let path = "/api/v1/customers/c-1/segments/searchers";
    let change = server.get(path)["last_change"].clone();
    assert_eq!(change["direction"], "entered", "{change:#}");
    assert_eq!(change["cause"]["name"], "Products Searched");
    let event = &change["event"];
    assert_eq!(event["kind"], "track", "{change:#}");
    assert_eq!(event["occurred_at"], "2026-01-05T10:00:00Z");
    assert_ne!(event["received_at"], event["occurred_at"]);
    let because = server.get(path)["explanation"]["because"].clone();
    let (latest, value) = (&because["latest_event"], &because["value"]);
    assert_eq!(latest["name"], "Products Searched", "{because:#}");
    assert_eq!(value["integer"], 2, "{because:#}");
    assert!(latest["occurred_at"].as_str() > event["occurred_at"].as_str());
    let never = server.get("/api/v1/customers/c-2/segments/searchers");
    assert_eq!(never["last_change"], Value::Null, "{never:#}");
    let words = "because of `Products Searched` of 2026-01-05 10:00, which came on ";
    let shown = shop.good(&["explain", "c-1", "searchers"]);
    assert!(shown.contains(words), "{shown}");
    server.stop();
    // A command says the same from the files.
    let here = shop.json(&["explain", "c-1", "searchers"]);
    assert_eq!(here["last_change"], change, "{here:#}");
    let because = &here["explanation"]["because"];
    assert_eq!(&because["latest_event"], latest, "{here:#}");
    assert!(shop.good(&["explain", "c-1", "searchers"]).contains(words));
    let before = ["explain", "c-1", "searchers", "--as-of", "2026-01-06"];
    let then = shop.run(&before);
    assert_ne!(
        then.status.code(),
        Some(0),
        "nobody was known then: {then:?}"
    );
}
