//! What a server says while it works: lines for people, JSON for programs, and nothing of persons.

use serde_json::{Value, json};

use crate::server::Server;
use crate::shop::Shop;

/// A server that works with good and bad requests; gives what it said.
fn said(options: &[&str]) -> String {
    let shop = Shop::empty("EUR");
    let server = Server::start_with(&shop, options);
    server.track(&json!([{
        "type": "identify",
        "userId": "ada@example.com",
        "messageId": "m-1",
        "traits": {"email": "ada@example.com", "phone": "+44 20 7946 0958", "lastName": "Lovelace"},
    }]));
    let event = json!({"type": "track", "event": "Lovelace", "userId": "ada@example.com"});
    let body = json!({"batch": [event], "writeKey": "wrong-lovelace"});
    let kind = "Content-Type: application/json";
    for _ in 0..3 {
        assert_eq!(
            server
                .send("POST", "/v1/batch", kind, &body.to_string())
                .status,
            401
        );
    }
    server.get("/api/v1/customers/ada@example.com");
    let made = server.ask(
        "POST",
        "/api/v1/keys",
        &server.token,
        r#"{"label": "of Ada Lovelace"}"#,
    );
    assert_eq!(made.status, 201, "{made:?}");
    let said = server.stop_and_read();
    for personal in ["ada@", "7946", "Lovelace", "lovelace", "m-1"] {
        assert!(!said.contains(personal), "{personal} in {said}");
    }
    said
}

#[test]
fn a_program_reads_lines_of_json() {
    let said = said(&["--log-format", "json", "--log-level", "debug"]);
    let mut lines: Vec<Value> = Vec::new();
    for line in said.lines().skip_while(|line| !line.starts_with('{')) {
        // What the first start shows, it shows to people.
        if !line.starts_with("These are") && !line.starts_with("  ") {
            lines
                .push(serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
        }
    }
    let find = |message: &str| {
        let mut found = lines.iter().filter(|line| line["message"] == message);
        let line = found
            .next()
            .unwrap_or_else(|| panic!("no {message} in {said}"));
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
        line
    };
    let changed = find("changed by the API");
    assert_eq!(changed["level"], "INFO");
    assert_eq!(changed["method"], "POST");
    assert_eq!(changed["route"], "/api/v1/keys");
    assert_eq!(changed["status"], 201);
    assert!(changed["took_ms"].is_u64(), "{changed}");
    let asked = find("asked by the API");
    assert_eq!(asked["route"], "/api/v1/customers/{customer}");
    let refused = find("tracking requests were refused");
    assert_eq!(refused["level"], "WARN");
    assert_eq!(refused["code"], "unknown_key");
    assert_eq!(refused["requests"], 1);
    let steps = lines
        .iter()
        .filter(|line| line["message"] == "a step is done");
    let steps: Vec<&str> = steps
        .filter(|line| line["took_ms"].is_u64())
        .filter_map(|line| line["step"].as_str())
        .collect();
    assert_eq!(steps[..2], ["the data is opened", "the log is read"]);
    assert!(steps.contains(&"everyone is looked at"), "{steps:?}");
    find("stopping: what was taken is finished");
    let refusals = said.matches("tracking requests were refused").count();
    assert_eq!(refusals, 1, "{said}");
}

#[test]
fn people_read_lines() {
    let said = said(&[]);
    assert!(
        said.contains("WARN tracking requests were refused code="),
        "{said}"
    );
    assert!(
        said.contains("INFO changed by the API method=POST"),
        "{said}"
    );
    assert!(!said.contains("asked by the API"), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
}

#[test]
fn no_more_is_said_than_asked_for() {
    let said = said(&["--log-level", "error"]);
    assert!(!said.contains("WARN"), "{said}");
    assert!(!said.contains("INFO"), "{said}");
}
