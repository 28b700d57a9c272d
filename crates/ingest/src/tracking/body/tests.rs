use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp(1_795_589_600_000);

fn batch(body: &[u8]) -> Result<Received<'_>, BodyError> {
    read(Endpoint::Batch, body, NOW, &Limits::default())
}

fn code(body: &[u8]) -> &'static str {
    batch(body).unwrap_err().code()
}

#[test]
fn good_events_are_kept_beside_bad_ones() {
    let long = "x".repeat(10_240);
    let deep = "[".repeat(3_000) + &"]".repeat(3_000);
    let large = "x".repeat(40_000);
    let body = format!(
        r#"{{"writeKey":"wk","batch":[
            {{"type":"track","event":"a","userId":"1"}}, 5,
            {{"type":"track","event":"b"}},
            {{"type":"fly","event":"b","userId":"1"}},
            {{"event":"b","userId":"1"}},
            {{"type":"track","event":"b","userId":"{long}"}},
            {{"type":"track","event":"b","userId":"1","properties":{deep}}},
            {{"type":"track","event":"b","userId":"1","properties":{{"a":{deep}}}}},
            {{"type":"track","event":"b","userId":"1","x":"{large}"}},
            {{"type":"Identify","userId":2}}]}}"#
    );
    let received = batch(body.as_bytes()).unwrap();
    assert_eq!(received.write_key.as_deref(), Some("wk"));
    let taken: Vec<_> = received
        .events
        .iter()
        .map(|event| (event.index, event.kind))
        .collect();
    // Properties that are no object count as none.
    assert_eq!(
        taken,
        [
            (0, EventKind::Track),
            (6, EventKind::Track),
            (9, EventKind::Identify)
        ]
    );
    let rejected: Vec<_> = received
        .rejected
        .iter()
        .map(|rejected| (rejected.index, rejected.code))
        .collect();
    assert_eq!(
        rejected,
        [
            (1, RejectCode::NotAnObject),
            (2, RejectCode::NoId),
            (3, RejectCode::UnknownType),
            (4, RejectCode::UnknownType),
            (5, RejectCode::IdTooLong),
            (7, RejectCode::TooDeep),
            (8, RejectCode::EventTooLarge),
        ]
    );
    let json = serde_json::to_string(&received.rejected[1]).unwrap();
    assert!(
        json.starts_with(r#"{"index":2,"code":"no_id","message":"the event says"#),
        "{json}"
    );
}

#[test]
fn bodies_that_hold_nothing_say_what_is_wrong() {
    for (body, expected) in [
        (&b""[..], "empty_body"),
        (b" \n", "empty_body"),
        (b"\0\0", "empty_body"),
        (b"nonsense", "invalid_json"),
        (b"{\"batch\":[", "invalid_json"),
        (b"{\"batch\":[]}}", "invalid_json"),
        (b"{\"batch\":[\"\\x\"]}", "invalid_json"),
        (b"[]", "not_an_object"),
        (b"5", "not_an_object"),
        (b"{}", "no_batch"),
        (b"{\"batch\":{\"a\":[1]}}", "no_batch"),
        (b"{\"batch\":null}", "no_batch"),
        (b"{\"batch\":\"x\"}", "no_batch"),
        (b"{\"batch\":-1.5e3}", "no_batch"),
        (b"{\"batch\":[]}", "empty_batch"),
        (b"{\"batch\":[1]}", "no_usable_event"),
    ] {
        assert_eq!(code(body), expected, "{}", String::from_utf8_lossy(body));
        assert!(!batch(body).unwrap_err().is_too_large());
    }
    let error = batch(b"{\"batch\":[{]}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the body is not JSON (line 1, column 12: key must be a string): send UTF-8 JSON"
    );
}

#[test]
fn too_much_is_told_from_wrong() {
    let events = vec![r#"{"type":"track","event":"e","userId":"u"}"#; 2_501].join(",");
    let many = format!(r#"{{"batch":[{events}]}}"#);
    let large = format!(r#"{{"batch":["{}"]}}"#, "x".repeat(512_000));
    let context = "x".repeat(30_000);
    let events = vec![r#"{"type":"track","event":"e","userId":"u"}"#; 100].join(",");
    let shared = format!(r#"{{"batch":[{events}],"context":{{"a":"{context}"}}}}"#);
    for (body, expected) in [
        (&many, "too_many_events"),
        (&large, "batch_too_large"),
        (&shared, "context_too_large"),
    ] {
        let error = batch(body.as_bytes()).unwrap_err();
        assert_eq!(error.code(), expected);
        assert!(error.is_too_large());
    }
}

#[test]
fn what_the_batch_says_holds_for_each_event() {
    let body =
        br#"{"batch":[{"type":"track","event":"e","userId":"u","context":{"app":{"name":"a"}}},
        {"type":"page","anonymousId":"v","integrations":{"X":false}}],
        "context":{"app":{"name":"b","version":"2"},"ip":"203.0.113.9"},
        "integrations":{"All":true,"X":true},"sentAt":"2026-11-25T06:53:20Z"}"#;
    let received = batch(body).unwrap();
    let [track, page] = &received.events[..] else {
        panic!("two events");
    };
    assert_eq!(track.context, r#"{"app":{"name":"a","version":"2"}}"#);
    assert_eq!(track.personal[0].path, "context.ip");
    assert_eq!(track.integrations, r#"{"All":true,"X":true}"#);
    assert_eq!(page.context, r#"{"app":{"name":"b","version":"2"}}"#);
    assert_eq!(page.integrations, r#"{"X":false,"All":true}"#);
}

#[test]
fn the_key_of_an_event_is_that_of_a_batch_without_one() {
    let body =
        br#"{"batch":[{"type":"page","userId":"u"},{"type":"page","userId":"u","writeKey":"k"}]}"#;
    assert_eq!(batch(body).unwrap().write_key.as_deref(), Some("k"));
    let body = br#"{"event":"e","userId":"u","writeKey":"k"}"#;
    let one = read(
        Endpoint::One(EventKind::Track),
        body,
        NOW,
        &Limits::default(),
    );
    assert_eq!(one.unwrap().write_key.as_deref(), Some("k"));
}

#[test]
fn a_broken_character_does_not_cost_the_batch() {
    for body in [
        &b"\xEF\xBB\xBF{\"batch\":[{\"type\":\"track\",\"event\":\"e\",\"userId\":\"u\"}]}\0"[..],
        b"{\"batch\":[{\"type\":\"track\",\"event\":\"\xFF\",\"userId\":\"u\"}]}",
        b"{\"batch\":[{\"type\":\"track\",\"event\":\"a\0b\",\"userId\":\"u\"}]}",
        b"{\"batch\":[{\"type\":\"track\",\"event\":\"\\ud800\",\"userId\":\"u\"}]}",
        b"{\"batch\":[{\"type\":\"track\",\"event\":\"e\",\"userId\":\"u\",\"properties\":{\"\\udc00\":1}}]}",
        b"{\"batch\":[{\"type\":\"track\",\"event\":\"\xFF\n\",\"userId\":\"u\"}]}",
    ] {
        let received = batch(body).unwrap();
        assert_eq!(received.events.len(), 1);
        serde_json::from_str::<serde_json::Value>(&received.events[0].properties).unwrap();
    }
}

#[test]
fn deep_bodies_cost_no_stack() {
    for open in [
        "[",
        "{\"a\":",
        "{\"batch\":[",
        "{\"batch\":",
        "{\"context\":",
    ] {
        let mut body = open.repeat(500_000 / open.len());
        body.truncate(500_000);
        assert!(batch(body.as_bytes()).is_err());
        assert!(
            read(
                Endpoint::One(EventKind::Page),
                body.as_bytes(),
                NOW,
                &Limits::default()
            )
            .is_err()
        );
    }
    let depth = 100_000;
    let body = format!("{{\"batch\":[{}{}]}}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(code(body.as_bytes()), "no_usable_event");
}

/// A batch of every kind of event, with all that events have.
const GOOD: &str = include_str!("../../../testdata/tracking/segment-analytics-python-2.4.0.json");

fn endpoints() -> impl Strategy<Value = Endpoint> {
    prop_oneof![
        Just(Endpoint::Batch),
        Just(Endpoint::One(EventKind::Track)),
        Just(Endpoint::One(EventKind::Identify)),
        Just(Endpoint::One(EventKind::Group)),
    ]
}

/// What comes of a body is JSON, whatever the body was.
fn holds(endpoint: Endpoint, body: &[u8]) -> Result<(), TestCaseError> {
    match read(endpoint, body, NOW, &Limits::default()) {
        Ok(received) => {
            prop_assert!(!received.events.is_empty());
            for event in &received.events {
                for json in [
                    &event.properties,
                    &event.traits,
                    &event.context,
                    &event.integrations,
                ] {
                    let value = serde_json::from_str::<serde_json::Value>(json);
                    prop_assert!(value.is_ok_and(|value| value.is_object()), "{json}");
                }
                prop_assert!(event.user_id.is_some() || event.anonymous_id.is_some());
                let _ = event.scalars(&Limits::default());
            }
        }
        Err(error) => prop_assert!(!error.to_string().is_empty()),
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..200), endpoint in endpoints()) {
        holds(endpoint, &body)?;
    }

    #[test]
    fn no_json_panics(
        body in r#"\{("(batch|type|event|userId|properties|context|traits|sentAt|email|name)":(\[|\{|"track"|"a@b.cd\?x=y&email=z"|1e5|null|\]|\}|,|"\\u00e9\\ud800"))*"#,
        endpoint in endpoints(),
    ) {
        holds(endpoint, body.as_bytes())?;
    }

    #[test]
    fn no_damage_to_a_good_body_panics(
        damage in proptest::collection::vec((0..GOOD.len(), any::<u8>(), 0_usize..4), 1..6),
        endpoint in endpoints(),
    ) {
        let mut body = GOOD.as_bytes().to_vec();
        for (at, byte, what) in damage {
            let at = at.min(body.len().saturating_sub(1));
            match what {
                0 => body[at] = byte,
                1 => body.insert(at, byte),
                2 => {
                    body.remove(at);
                }
                _ => body[at] = b"{}[]\":,\\@%"[usize::from(byte) % 10],
            }
        }
        holds(endpoint, &body)?;
    }

    #[test]
    fn no_truncated_body_panics(length in 0..GOOD.len()) {
        holds(Endpoint::Batch, &GOOD.as_bytes()[..length])?;
    }
}
