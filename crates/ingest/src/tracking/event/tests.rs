use super::*;

use crate::tracking::{BodyError, Contact, ContactKind, ContactSource, Endpoint, Received, read};

const NOW: Timestamp = Timestamp(1_795_589_600_000);

fn one(kind: EventKind, body: &str) -> Result<Received<'_>, BodyError> {
    read(
        Endpoint::One(kind),
        body.as_bytes(),
        NOW,
        &Limits::default(),
    )
}

fn event(kind: EventKind, body: &str) -> TrackedEvent<'_> {
    one(kind, body).unwrap().events.remove(0)
}

/// Why one event is not taken.
fn refusal(kind: EventKind, body: &str) -> RejectCode {
    match one(kind, body).unwrap_err() {
        BodyError::NoUsableEvent(rejected) => rejected[0].code,
        other => panic!("{other}"),
    }
}

fn track(body: &str) -> TrackedEvent<'_> {
    event(EventKind::Track, body)
}

#[test]
fn a_track_call_says_what_it_says() {
    let event = track(
        r#"{"type":"track","event":"order_completed","userId":"u-1","anonymousId":null,
            "messageId":"m-1","properties":{"order_id":"o-1","total":19.99},
            "context":{"groupId":"acme","library":{"name":"x"}},"timestamp":"2026-11-25T06:53:00Z",
            "sentAt":"2026-11-25T06:53:05Z","integrations":{"All":true}}"#,
    );
    assert_eq!(event.kind, EventKind::Track);
    assert_eq!(event.name, "order_completed");
    assert_eq!(event.known_name(), "Order Completed");
    assert_eq!(event.user_id.as_deref(), Some("u-1"));
    assert_eq!(event.anonymous_id, None);
    assert_eq!(event.message_id.as_deref(), Some("m-1"));
    assert_eq!(event.group_id.as_deref(), Some("acme"));
    assert_eq!(event.occurred_at, NOW.plus_ms(-5_000));
    assert_eq!(event.time_source, TimeSource::Corrected);
    assert_eq!(event.properties, r#"{"order_id":"o-1","total":19.99}"#);
    assert_eq!(event.integrations, r#"{"All":true}"#);
    assert_eq!(event.traits, "{}");
    assert_eq!(event.scalars(&Limits::default()).0.len(), 2);
    assert!(event.personal.is_empty());
    assert!(matches!(event.properties, Cow::Borrowed(_)));
}

#[test]
fn ids_come_as_texts_numbers_and_nothing() {
    let user = |sent: &str| {
        let body = format!(r#"{{"event":"e","anonymousId":"a","userId":{sent}}}"#);
        track(&body).into_owned().user_id.map(Cow::into_owned)
    };
    for (sent, expected) in [
        ("17", Some("17")),
        ("17.0", Some("17")),
        (
            "123456789012345678901234567890",
            Some("123456789012345678901234567890"),
        ),
        ("9007199254740993", Some("9007199254740993")),
        ("\" u \"", Some("u")),
        ("\"a\\u0000b\"", Some("ab")),
        ("\"\\ud800\"", Some("\u{FFFD}")),
        ("\"\\u00e9\"", Some("é")),
        ("null", None),
        ("\"\"", None),
        ("\" \"", None),
        ("true", None),
        ("{}", None),
        ("[1]", None),
    ] {
        assert_eq!(user(sent).as_deref(), expected, "{sent}");
    }
    let snake = track(r#"{"event":"e","user_id":"u","anonymous_id":"a","message_id":5}"#);
    assert_eq!(snake.user_id.as_deref(), Some("u"));
    assert_eq!(snake.anonymous_id.as_deref(), Some("a"));
    assert_eq!(snake.message_id.as_deref(), Some("5"));
}

#[test]
fn of_a_key_sent_twice_the_last_counts() {
    let event = track(r#"{"event":"a","userId":"1","userId":"2","event":"b"}"#);
    assert_eq!((&*event.name, event.user_id.as_deref()), ("b", Some("2")));
}

#[test]
fn long_message_ids_stay_apart() {
    let id = |tail: &str| {
        let body = format!(
            r#"{{"event":"e","userId":"u","messageId":"{}{tail}"}}"#,
            "m".repeat(99)
        );
        track(&body).into_owned().message_id.unwrap().into_owned()
    };
    assert_eq!(id("1"), format!("{}1", "m".repeat(99)));
    let (a, b) = (id("12"), id("13"));
    assert_ne!(a, b);
    assert_eq!(a, id("12"));
    assert!(a.len() <= 100, "{a}");
}

#[test]
fn what_is_missing_is_named() {
    let long = "x".repeat(10_240);
    let long_id = format!(r#"{{"event":"e","userId":"{long}"}}"#);
    let long_name = format!(r#"{{"event":"{long}","userId":"u"}}"#);
    let deep = format!(
        r#"{{"event":"e","userId":"u","properties":{{"a":{}1{}}}}}"#,
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let large = format!(
        r#"{{"event":"e","userId":"u","a":"{}"}}"#,
        "x".repeat(33_000)
    );
    for (kind, body, code) in [
        (EventKind::Track, r#"{"event":"e"}"#, RejectCode::NoId),
        (
            EventKind::Track,
            r#"{"event":"e","userId":null,"anonymousId":""}"#,
            RejectCode::NoId,
        ),
        (
            EventKind::Track,
            r#"{"userId":"u"}"#,
            RejectCode::NoEventName,
        ),
        (
            EventKind::Alias,
            r#"{"userId":"u"}"#,
            RejectCode::NoPreviousId,
        ),
        (EventKind::Group, r#"{"userId":"u"}"#, RejectCode::NoGroupId),
        (
            EventKind::Group,
            r#"{"userId":"u","groupId":"ann@example.org"}"#,
            RejectCode::PersonalGroupId,
        ),
        (
            EventKind::Group,
            r#"{"userId":"u","context":{"groupId":"of-ann%40example.org"}}"#,
            RejectCode::PersonalGroupId,
        ),
        (EventKind::Track, &long_id, RejectCode::IdTooLong),
        (EventKind::Track, &long_name, RejectCode::NameTooLong),
        (EventKind::Track, &deep, RejectCode::TooDeep),
        (EventKind::Track, &large, RejectCode::EventTooLarge),
    ] {
        assert_eq!(refusal(kind, body), code);
    }
    let error = one(EventKind::Track, &large).unwrap_err();
    assert_eq!(
        (error.code(), error.is_too_large()),
        ("event_too_large", true)
    );
    let error = one(EventKind::Track, r#"{"event":"e"}"#).unwrap_err();
    assert_eq!(
        (error.code(), error.is_too_large()),
        ("no_usable_event", false)
    );
}

#[test]
fn traits_of_the_context_are_the_persons() {
    let event = event(
        EventKind::Identify,
        r#"{"userId":"u","context":{"traits":{"plan":"gold","size":1},"os":{"name":"x"}},
            "traits":{"plan":"silver"}}"#,
    );
    assert_eq!(event.traits, r#"{"plan":"silver","size":1}"#);
    assert_eq!(event.context, r#"{"os":{"name":"x"}}"#);
    let body = r#"{"userId":"u","groupId":"g","traits":{"name":"Acme","plan":"b"},
            "context":{"traits":{"plan":"gold","name":"Ann Smith"}}}"#;
    let group = self::event(EventKind::Group, body);
    assert_eq!(group.traits, r#"{"name":"Acme","plan":"b"}"#);
    assert_eq!(group.context, r#"{"traits":{"plan":"gold"}}"#);
    assert_eq!(group.personal[0].path, "context.traits.name");
    let body = r#"{"userId":"u","event":"e","context":{"traits":{"plan":"gold"}}}"#;
    assert_eq!(track(body).traits, r#"{"plan":"gold"}"#);
}

#[test]
fn an_account_called_like_an_address_is_sealed() {
    let event = track(
        r#"{"userId":"u","event":"e","context":{"groupId":"ann@example.org"},
            "properties":{"by":"ann@example.org"}}"#,
    );
    assert_eq!(event.group_id, None);
    let sealed: Vec<(&str, &str)> = event
        .personal
        .iter()
        .map(|personal| (&*personal.path, &*personal.value))
        .collect();
    assert!(
        sealed.contains(&("groupId", "ann@example.org")),
        "{sealed:?}"
    );
    assert!(!format!("{}{}", event.context, event.properties).contains("ann@"));
}

#[test]
fn pages_have_a_category() {
    for (body, properties) in [
        (
            r#"{"userId":"u","name":"Home","category":"Docs"}"#,
            r#"{"category":"Docs"}"#,
        ),
        (
            r#"{"userId":"u","name":"Home","category":"Docs","properties":{"url":"x"}}"#,
            r#"{"category":"Docs","url":"x"}"#,
        ),
        (
            r#"{"userId":"u","name":"Home","category":"Docs","properties":{"category":"D"}}"#,
            r#"{"category":"D"}"#,
        ),
    ] {
        let event = event(EventKind::Page, body);
        assert_eq!((&*event.name, &*event.properties), ("Home", properties));
    }
}

#[test]
fn the_id_of_an_account_belongs_to_nobody() {
    for (group, rest) in [
        ("+49 (170) 123-4567", ""),
        (
            "01701234567",
            r#","context":{"traits":{"phone":"0170 123-4567"}}"#,
        ),
        ("of 203.0.113.9", r#","context":{"ip":"203.0.113.9"}"#),
        (
            "Ann Lindqvist",
            r#","context":{"traits":{"name":"Ann Lindqvist"}}"#,
        ),
        ("team_user-12345", ""),
    ] {
        let body = format!(r#"{{"userId":"user-12345","groupId":"{group}"{rest}}}"#);
        let refused = refusal(EventKind::Group, &body);
        assert_eq!(refused, RejectCode::PersonalGroupId, "{group}");
    }
    // A word, a number and a company are an account's.
    for (group, rest) in [
        (
            "Lindqvist",
            r#","context":{"traits":{"last_name":"Lindqvist"}}"#,
        ),
        ("4917012345678", ""),
        ("+1", ""),
        ("Acme Ltd.", r#","traits":{"name":"Acme Ltd."}"#),
    ] {
        let body = format!(r#"{{"userId":"user-12345","groupId":"{group}"{rest}}}"#);
        let event = event(EventKind::Group, &body);
        assert_eq!(event.group_id.as_deref(), Some(group));
    }
    let other =
        track(r#"{"userId":"u","event":"e","context":{"groupId":"+491701234567","traits":{}}}"#);
    assert_eq!(other.group_id, None);
    assert_eq!(other.personal[0].path, "groupId");
    assert!(!other.context.contains("groupId"), "{}", other.context);
}

#[test]
fn external_ids_and_contacts_are_candidates_for_identity() {
    let event = event(
        EventKind::Identify,
        r#"{"userId":"u","traits":{"email":" Ann@Example.COM ","email_verified":true,
            "phone":"+49 (170) 12345-67"},"context":{"externalIds":[
            {"id":"x1","type":"ga_client_id","collection":"users","encoding":"none"},
            {"id":"acc","type":"crm","collection":"accounts"},{"id":7,"type":"shop"},{"id":"y"}]}}"#,
    );
    let contact = |kind, value: &str, verified| Contact {
        kind,
        source: ContactSource::Traits,
        value: value.to_owned(),
        verified,
    };
    assert_eq!(
        event.contacts,
        [
            contact(ContactKind::Email, "ann@example.com", Some(true)),
            contact(ContactKind::Phone, "+491701234567", None),
        ]
    );
    let ids: Vec<_> = event
        .external_ids
        .iter()
        .map(|external| (&*external.kind, &*external.id))
        .collect();
    assert_eq!(ids, [("ga_client_id", "x1"), ("shop", "7")]);
    assert_eq!(event.context, "{}");
    assert_eq!(event.traits, r#"{"email_verified":true}"#);
}

#[test]
fn times_are_corrected_clamped_or_those_of_arrival() {
    let at = |times: &str| {
        let body = format!(r#"{{"event":"e","userId":"u"{times}}}"#);
        let event = track(&body);
        (event.occurred_at.0 - NOW.0, event.time_source)
    };
    assert_eq!(at(""), (0, TimeSource::Arrival));
    assert_eq!(at(r#","timestamp":"soon""#), (0, TimeSource::Arrival));
    assert_eq!(
        at(r#","timestamp":"2026-11-25T06:53:10Z""#),
        (-10_000, TimeSource::Client)
    );
    assert_eq!(
        at(r#","timestamp":1795589590000,"sentAt":null"#),
        (-10_000, TimeSource::Client)
    );
    // The clock of the client is a year behind.
    assert_eq!(
        at(r#","originalTimestamp":"2025-11-25T06:53:10Z","sentAt":"2025-11-25T06:53:13Z""#),
        (-3_000, TimeSource::Corrected)
    );
    assert_eq!(
        at(r#","timestamp":"2031-01-01T00:00:00Z""#),
        (0, TimeSource::Future)
    );
    let (past, source) = at(r#","timestamp":"0001-01-01T00:00:00Z""#);
    assert_eq!(source, TimeSource::Client);
    assert!(past < -60_000_000_000_000);
}
