//! What the SDKs send, as they send it: bodies recorded from the versions in the files' names.

use regulars_core::{Currency, EventKind, Timestamp};
use regulars_ingest::tracking::vocabulary::{StandardEvent, items, order_facts};
use regulars_ingest::tracking::{
    ContactKind, Endpoint, Limits, Received, TimeSource, TrackedEvent, instant, read,
};

fn received(body: &str, at: &str) -> Received<'static> {
    let limits = Limits::default();
    let received = read(
        Endpoint::Batch,
        body.as_bytes(),
        instant(at).unwrap(),
        &limits,
    )
    .unwrap();
    assert_eq!(received.rejected, []);
    Received {
        write_key: received.write_key.map(|key| key.into_owned().into()),
        events: received
            .events
            .into_iter()
            .map(TrackedEvent::into_owned)
            .collect(),
        rejected: Vec::new(),
    }
}

fn kinds(received: &Received<'_>) -> Vec<EventKind> {
    received.events.iter().map(|event| event.kind).collect()
}

const ALL: [EventKind; 6] = [
    EventKind::Identify,
    EventKind::Track,
    EventKind::Page,
    EventKind::Screen,
    EventKind::Group,
    EventKind::Alias,
];

fn is_the_story(events: &[TrackedEvent<'_>]) {
    let [identify, track, page, screen, group, alias] = events else {
        panic!("six events");
    };
    assert_eq!(identify.user_id.as_deref(), Some("u-1"));
    let traits: serde_json::Value = serde_json::from_str(&identify.traits).unwrap();
    assert_eq!(traits["plan"], "gold");
    assert_eq!(traits.get("email").or(traits.get("firstName")), None);
    assert_eq!(identify.contacts.len(), 1);
    assert_eq!(identify.contacts[0].kind, ContactKind::Email);
    assert_eq!(identify.contacts[0].value, "ann@example.com");
    assert!(identify.personal.iter().any(|found| found.value == "Ann"));

    let eur = Currency::new("EUR").unwrap();
    assert_eq!(track.standard, Some(StandardEvent::OrderCompleted));
    let facts = order_facts(&track.properties, eur);
    assert_eq!(facts.order_id.as_deref(), Some("o-1"));
    assert_eq!((facts.total_minor, facts.currency), (Some(1999), Some(eur)));
    let items = items(&track.properties, eur);
    assert_eq!(
        (items[0].key(), items[0].price_minor),
        (Some("p1"), Some(1999))
    );

    assert_eq!(page.name, "Home");
    assert!(
        page.properties.contains(r#""category":"Docs""#),
        "{}",
        page.properties
    );
    assert!(
        page.properties.contains("https://shop.example/\""),
        "{}",
        page.properties
    );
    assert_eq!(screen.name, "Welcome");
    assert_eq!(group.group_id.as_deref(), Some("acme"));
    assert!(group.traits.contains("Acme"));
    assert_eq!(alias.previous_id.as_deref(), Some("anon-1"));
    for event in events {
        assert!(
            event
                .message_id
                .as_ref()
                .is_some_and(|id| !id.contains('~'))
        );
        assert_eq!(event.time_source, TimeSource::Corrected);
        assert!(event.user_id.is_some() || event.anonymous_id.is_some());
        assert!(event.context.contains("library"), "{}", event.context);
    }
}

#[test]
fn segment_analytics_python() {
    let body = include_str!("../../testdata/tracking/segment-analytics-python-2.4.0.json");
    let received = received(body, "2026-11-25T07:00:00Z");
    assert_eq!(received.write_key.as_deref(), Some("wk_test"));
    assert_eq!(kinds(&received)[..6], ALL);
    is_the_story(&received.events[..6]);
    // Sent 0.2 s after it was tracked.
    let age = received.events[0].occurred_at.0 - instant("2026-11-25T07:00:00Z").unwrap().0;
    assert_eq!(age, -200);
    let last = &received.events[6];
    assert_eq!(
        (last.user_id.as_deref(), last.anonymous_id.as_deref()),
        (None, Some("anon-1"))
    );
    assert_eq!(last.original_at, instant("2026-01-02T03:04:05Z"));
}

#[test]
fn rudder_sdk_python() {
    let body = include_str!("../../testdata/tracking/rudder-sdk-python-2.1.9.json");
    let received = received(body, "2026-11-25T07:00:00Z");
    assert_eq!(received.write_key, None);
    assert_eq!(kinds(&received), ALL);
    is_the_story(&received.events);
}

#[test]
fn segment_analytics_node() {
    let body = include_str!("../../testdata/tracking/segment-analytics-node-3.1.0.json");
    let received = received(body, "2026-11-25T07:00:00Z");
    assert_eq!(received.write_key.as_deref(), Some("wk_test"));
    assert_eq!(kinds(&received), ALL);
    is_the_story(&received.events);
}

#[test]
fn rudder_sdk_node() {
    let first = include_str!("../../testdata/tracking/rudder-sdk-node-3.0.13-1.json");
    let second = include_str!("../../testdata/tracking/rudder-sdk-node-3.0.13-2.json");
    let mut events = received(first, "2026-11-25T07:00:00Z").events;
    events.extend(received(second, "2026-11-25T07:00:00Z").events);
    is_the_story(&events);
}

#[test]
fn the_browser_library_sends_one_event_as_text() {
    let body = r#"{"timestamp":"2026-11-25T06:53:00.249Z","integrations":{"Segment.io":true},
        "userId":null,"anonymousId":"5f5a","type":"page","properties":{"path":"/","url":"https://shop.example/"},
        "name":null,"context":{"page":{"path":"/"},"userAgent":"Mozilla/5.0","locale":"en-US"},
        "messageId":"ajs-next-1795589580249-x","writeKey":"wk_test","sentAt":"2026-11-25T06:53:00.260Z",
        "_metadata":{"bundled":["Segment.io"]}}"#;
    let endpoint = Endpoint::named("p").unwrap();
    let received = read(endpoint, body.as_bytes(), Timestamp(0), &Limits::default()).unwrap();
    assert_eq!(received.write_key.as_deref(), Some("wk_test"));
    let event = &received.events[0];
    assert_eq!((event.kind, &*event.name), (EventKind::Page, ""));
    assert_eq!(event.occurred_at, Timestamp(-11));
}

/// The page says what the code knows.
#[test]
fn the_page_names_every_event_and_every_code() {
    let page = include_str!("../../../../docs/tracking.md");
    for event in StandardEvent::ALL {
        assert!(page.contains(event.name()), "{}", event.name());
    }
    let limits = Limits::default();
    let bodies: [&[u8]; 6] = [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"{\"batch\":[]}",
        b"{\"batch\":[1]}",
    ];
    for body in bodies {
        let error = read(Endpoint::Batch, body, Timestamp(0), &limits).unwrap_err();
        assert!(
            page.contains(&format!("`{}`", error.code())),
            "{}",
            error.code()
        );
        for rejected in error.rejected() {
            let code = serde_json::to_string(&rejected.code)
                .unwrap()
                .replace('"', "`");
            assert!(page.contains(&code), "{code}");
        }
    }
}
