//! `accounts`: the same documents with a server and without.

use serde_json::{Value, json};

use crate::server::Server;
use crate::shop::Shop;

/// Calls that make two accounts: one with customers, an order and traits of each kind, and one that
/// only a visitor named.
fn calls() -> Value {
    let call = |who: &str, id: &str, account: &str, traits: Value| {
        json!({
            "type": "group", who: id, "groupId": account, "traits": traits,
            "messageId": format!("{id} {account}"), "timestamp": "2026-01-05T00:00:00Z",
        })
    };
    json!([
        call("userId", "K2", "acme/1", json!({"plan": "pro", "seats": 3, "fee": 1.5})),
        call("userId", "K1", "acme/1", json!({"trial": true})),
        call("anonymousId", "d-1", "bolt", json!({})),
        {
            "type": "track", "userId": "K1", "event": "Order Completed", "messageId": "o",
            "timestamp": "2026-01-06T10:00:00Z",
            "properties": {"order_id": "o-1", "total": 12.5},
        },
    ])
}

const COMMANDS: [(&str, &[&str]); 3] = [
    ("accounts", &["accounts"]),
    ("accounts show", &["accounts", "show", "acme/1"]),
    ("accounts customers", &["accounts", "customers", "acme/1"]),
];

/// A shop with these accounts, whose log has the calls.
fn shop() -> Shop {
    let shop = Shop::empty("EUR");
    let server = Server::start(&shop);
    server.track(&calls());
    server.stop();
    shop
}

/// The document of each command.
pub(crate) fn samples() -> Vec<(&'static str, Value)> {
    let shop = shop();
    let mut samples: Vec<(&str, Value)> = COMMANDS
        .map(|(command, words)| (command, shop.json(words)))
        .into();
    let bolt = shop.json(&["accounts", "show", "bolt"]);
    samples.push(("accounts show", bolt));
    samples
}

#[test]
fn accounts_are_the_same_with_a_server_and_without() {
    let shop = shop();
    let documents = |shop: &Shop| {
        COMMANDS.map(|(_, words)| {
            let mut document = shop.json(words);
            // A server answers for now, a command for the latest event.
            document["as_of"].take();
            document
        })
    };
    let alone = documents(&shop);
    let server = Server::start(&shop);
    assert_eq!(documents(&shop), alone);
    let limited = shop.json(&["accounts", "customers", "acme/1", "--limit", "1"]);
    assert_eq!(limited["customers"], json!([{"customer_id": "K1"}]));
    let none = shop.run(&["accounts", "show", "none"]);
    assert_eq!(none.status.code(), Some(3));
    server.stop();
    let [list, acme, customers] = alone;
    let names: Vec<&Value> = list["accounts"].as_array().unwrap().iter().collect();
    assert_eq!(
        (&names[0]["account"], &names[1]["account"]),
        (&json!("acme/1"), &json!("bolt"))
    );
    assert_eq!(
        (&names[0]["customers"], &names[1]["customers"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(acme["revenue_minor"], 1250);
    assert_eq!(
        acme["traits"],
        json!({"plan": "pro", "seats": 3, "fee": 1.5, "trial": true})
    );
    let two = json!([{"customer_id": "K1"}, {"customer_id": "K2"}]);
    assert_eq!(
        customers,
        json!({"account": "acme/1", "customers": two, "as_of": null})
    );
    let none = shop.run(&["accounts", "show", "none"]);
    assert_eq!(none.status.code(), Some(3));
    let error = String::from_utf8(none.stderr).unwrap();
    assert!(
        error.contains("account `none`") && error.contains("groupId"),
        "{error}"
    );
}

#[test]
fn accounts_come_in_every_form() {
    let shop = shop();
    let text = |words: &[&str]| {
        let told = shop.run(words);
        assert_eq!(told.status.code(), Some(0), "{words:?}");
        String::from_utf8(told.stdout).unwrap()
    };
    let csv = text(&["accounts", "--format", "csv"]);
    let header =
        "account,customers,active_customers,orders,revenue_minor,last_order_at,last_activity_at";
    assert_eq!(csv.lines().next(), Some(header));
    assert!(
        csv.contains("\nacme/1,2,") && csv.contains("\nbolt,0,0,0,0,,\n"),
        "{csv}"
    );
    let lines = text(&["accounts", "customers", "acme/1", "--format", "jsonl"]);
    assert_eq!(
        lines,
        "{\"customer_id\":\"K1\"}\n{\"customer_id\":\"K2\"}\n"
    );
    let table = text(&["accounts", "show", "acme/1"]);
    assert!(
        table.contains("12.50 EUR") && table.contains("plan"),
        "{table}"
    );
    // Before the calls there was none.
    let before = text(&["accounts", "--as-of", "2025-01-01", "--format", "csv"]);
    assert_eq!(before, format!("{header}\n"));
}
