use regulars_core::Timestamp;

use crate::tracking::{Endpoint, Limits, TrackedEvent, read};

use super::*;

fn event(kind: EventKind, body: &str) -> TrackedEvent<'static> {
    let body = format!(
        r#"{{"userId":"u","groupId":"g","previousId":"p","event":"e",{}"#,
        body.strip_prefix('{').unwrap()
    );
    let limits = Limits::default();
    let received = read(Endpoint::One(kind), body.as_bytes(), Timestamp(0), &limits).unwrap();
    received.events[0].clone().into_owned()
}

fn track(body: &str) -> TrackedEvent<'static> {
    event(EventKind::Track, body)
}

/// The JSON that is kept in clear of an event.
fn rest<'e>(event: &'e TrackedEvent<'_>) -> [&'e str; 4] {
    [
        &event.properties,
        &event.traits,
        &event.context,
        &event.integrations,
    ]
}

/// JSON without spaces between its parts.
fn compact(json: &str) -> String {
    serde_json::from_str::<serde_json::Value>(json)
        .unwrap()
        .to_string()
}

fn paths<'e>(event: &'e TrackedEvent<'_>) -> Vec<&'e str> {
    event.personal.iter().map(|found| &*found.path).collect()
}

#[test]
fn traits_of_a_person_keep_what_many_share() {
    let event = event(
        EventKind::Identify,
        r#"{"traits":{"email":"ann@example.com","firstName":"Ann","lastName":"Lindqvist",
            "name":"Ann Lindqvist","phone":491701234567,"username":"annl77","avatar":"https://x/a.png",
            "address":{"street":"Main St 5","city":"Berlin","postalCode":"10115","country":"DE","state":"BE"},
            "birthday":"1990-01-02","gender":"f","title":"Ms","age":36,"plan":"gold","id":"u-1",
            "description":"likes cats","company":{"name":"Acme","id":"c1","industry":"steel"},
            "emailSubscribed":true,"phones":["+49 30 123456","+49 30 654321"],"email_verified":true}}"#,
    );
    assert_eq!(
        compact(&event.traits),
        concat!(
            r#"{"address":{"city":"Berlin","country":"DE","state":"BE"},"birthday":"1990-01-02","#,
            r#""gender":"f","title":"Ms","age":36,"plan":"gold","#,
            r#""company":{"name":"Acme","id":"c1","industry":"steel"},"#,
            r#""emailSubscribed":true,"phones":[],"email_verified":true}"#
        )
    );
    assert_eq!(
        paths(&event),
        [
            "traits.email",
            "traits.firstName",
            "traits.lastName",
            "traits.name",
            "traits.phone",
            "traits.username",
            "traits.avatar",
            "traits.address.street",
            "traits.address.postalCode",
            "traits.id",
            "traits.description",
            "traits.phones.0",
            "traits.phones.1",
        ]
    );
    assert_eq!(event.personal[4].value, "491701234567");
}

#[test]
fn names_of_things_stay_and_those_of_people_go() {
    let kept = r#"{"name":"Shirt","brand":"B","products":[{"product_id":"p","name":"Hat"}],"email_id":"7"}"#;
    assert_eq!(
        track(&format!(r#"{{"properties":{kept}}}"#)).properties,
        kept
    );
    let event = track(
        r#"{"properties":{"name":"Ann Smith","email":"a@b.cd","customer":{"name":"Bob","id":1,"tier":"x"},
            "recipient":"Carl C","products":[{"name":"Hat"}],"company":"Acme"}}"#,
    );
    assert_eq!(
        compact(&event.properties),
        r#"{"customer":{"tier":"x"},"products":[{"name":"Hat"}],"company":"Acme"}"#
    );
    let event = self::event(
        EventKind::Group,
        r#"{"traits":{"name":"Acme","phone":"123 456","plan":"b"}}"#,
    );
    assert_eq!(event.traits, r#"{"name":"Acme","plan":"b"}"#);
}

#[test]
fn the_context_keeps_the_device_and_not_whose_it_is() {
    let event = track(
        r#"{"context":{"ip":"203.0.113.9","userAgent":"Mozilla/5.0 (X11)","locale":"de-DE",
            "device":{"id":"B5372DB0-C21E","advertisingId":"7A3CBEA0","token":"ff15bc0c20c4",
                "name":"Ann's iPhone","type":"ios","model":"iPhone7,2","adTrackingEnabled":true},
            "location":{"city":"Berlin","latitude":52.5200066,"longitude":13.404954},
            "userAgentData":{"mobile":true,"platform":"Linux"},"app":{"name":"Shop","version":"2"},
            "page":{"url":"https://shop.example/c?email=ann%40example.com&size=m","search":"?email=ann%40example.com",
                "referrer":"https://x.example/u/ann@example.com"}}}"#,
    );
    assert_eq!(
        compact(&event.context),
        concat!(
            r#"{"userAgent":"Mozilla/5.0 (X11)","locale":"de-DE","#,
            r#""device":{"type":"ios","model":"iPhone7,2","adTrackingEnabled":true},"#,
            r#""location":{"city":"Berlin"},"#,
            r#""userAgentData":{"mobile":true,"platform":"Linux"},"app":{"name":"Shop","version":"2"},"#,
            r#""page":{"url":"https://shop.example/c?size=m","search":"","referrer":"https://x.example/u/[removed]"}}"#
        )
    );
}

#[test]
fn what_people_write_goes_and_what_they_choose_stays() {
    let written = |name: &str, properties: &str| {
        let body = format!(r#"{{"event":"{name}","properties":{properties}}}"#);
        track(&body).properties.into_owned()
    };
    assert_eq!(
        written(
            "Product Reviewed",
            r#"{"product_id":"p","rating":5,"title":"Nice","body":"Fits me"}"#
        ),
        r#"{"product_id":"p","rating":5}"#
    );
    assert_eq!(
        written(
            "ticket_created",
            r#"{"ticket_id":"t","subject":"Help","description":"I am…","priority":"high"}"#
        ),
        r#"{"ticket_id":"t","priority":"high"}"#
    );
    let long = "word ".repeat(30);
    assert_eq!(
        written(
            "Survey Answered",
            &format!(r#"{{"question_id":"q","answer":"Blue","b":{{"answer":"{long}"}}}}"#)
        ),
        r#"{"question_id":"q","answer":"Blue","b":{}}"#
    );
    assert_eq!(
        written(
            "Promotion Viewed",
            r#"{"title":"Sale","description":"all"}"#
        ),
        r#"{"title":"Sale","description":"all"}"#
    );
}

#[test]
fn keys_and_json_within_strings_are_no_hiding_place() {
    let event = track(
        r#"{"event":"Mail to ann@example.com","properties":{"ann@example.com":3,"bob@example.com":{"a":1},
            "e\u006dail":"x","raw":"{\"email\":\"y\",\"deep\":[{\"phone\":\"123456\"}],\"size\":1}",
            "list":["carl@example.com","ok"],"user":"Ann Lee <lee@example.com>","esc":"dan\u0040example.com"}}"#,
    );
    assert_eq!(event.name, "Mail to [removed]");
    assert_eq!(
        compact(&event.properties),
        r#"{"raw":"{\"deep\":[{}],\"size\":1}","list":["ok"]}"#
    );
    let values: Vec<_> = event.personal.iter().map(|found| &*found.value).collect();
    assert_eq!(
        values,
        [
            "ann@example.com",
            "3",
            "bob@example.com",
            r#"{"a":1}"#,
            "x",
            "y",
            "123456",
            "carl@example.com",
            "Ann Lee <lee@example.com>",
            "dan@example.com",
            "ann@example.com",
        ]
    );
}

#[test]
fn ids_that_can_be_told_go_out_of_texts() {
    let event = track(
        r#"{"userId":"customer-000123","properties":{"url":"/u/customer-000123/x","a":"customer-000123",
            "order_id":"customer-0001234","userId":"other"},"context":{"page":{"path":"/?c=customer-000123&d=1"}}}"#,
    );
    assert_eq!(
        compact(&event.properties),
        r#"{"url":"/u/[removed]/x","order_id":"customer-0001234"}"#
    );
    assert_eq!(event.context, r#"{"page":{"path":"/?c=[removed]&d=1"}}"#);
}

/// Bodies in which each value stands in many places.
#[test]
fn no_personal_value_is_left_anywhere() {
    let values = [
        "ann.lindqvist@example.com",
        "Ann Lindqvist",
        "Lindqvist",
        "+46 70 123 45 67",
        "Storgatan 12 B",
        "114 55",
        "203.0.113.77",
        "2001:db8::8a2e:370:7334",
        "ann_l_1990",
        "B5372DB0-C21E-11E4-8DFC-AA07A5B093DB",
        "Jag fick fel storlek, ring mig",
        "Åsa Öberg",
    ];
    let keys = [
        "email",
        "name",
        "last_name",
        "phone",
        "street",
        "postal_code",
        "ip",
        "ip_address",
        "username",
        "advertisingId",
        "comment",
        "fullName",
    ];
    let url = |value: &str| {
        let mut encoded = String::new();
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        encoded
    };
    let ascii = |value: &str| {
        let mut escaped = String::new();
        for unit in value.encode_utf16() {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
        escaped
    };
    for (value, key) in values.iter().zip(keys) {
        for kind in [
            EventKind::Identify,
            EventKind::Track,
            EventKind::Page,
            EventKind::Group,
        ] {
            let (encoded, escaped) = (url(value), ascii(value));
            let body = format!(
                r#"{{"name":"About {value}","traits":{{"{key}":"{value}","greeting":"Dear {value}!"}},
                    "properties":{{"user":{{"{key}":"{value}"}},"list":[{{"{key}":["{escaped}"]}},"{value}"],
                        "text":"so {value}, yes","again":"{value}","escaped":"x {escaped} y",
                        "link":"https://shop.example/?{key}={encoded}&size=m",
                        "other":"https://shop.example/?q={encoded}#top"}},
                    "context":{{"traits":{{"{key}":"{value}"}},"page":{{"url":"https://a.b/?a=1&{key}={encoded}",
                        "title":"{value} - profile"}}}}}}"#
            );
            let event = event(kind, &body);
            assert!(
                event.personal.iter().any(|found| found.value == *value),
                "{key}"
            );
            let rest = rest(&event);
            let plain = rest
                .map(|json| format!("{json}\n{}", compact(json)))
                .join("\n");
            let plain = format!("{}\n{plain}\n{}", event.name, look::decoded(&plain));
            assert!(!plain.contains(value), "{key} of {kind:?}: {plain}");
        }
    }
}
