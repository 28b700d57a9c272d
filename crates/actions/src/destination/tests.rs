use regulars_core::{CustomerId, Direction, Timestamp, TransitionId};
use serde_json::{Value, json};

use super::*;

fn definition() -> Value {
    json!({ "version": 1, "id": "crm", "url": "https://example.com/hook?token=1", "secret_ids": ["crm-1"] })
}

fn read(change: impl FnOnce(&mut Value)) -> Result<Destination, String> {
    let mut written = definition();
    change(&mut written);
    serde_json::from_value(written).map_err(|error| error.to_string())
}

#[test]
fn what_is_left_out_has_its_usual_value() {
    let destination = read(|_| ()).unwrap();
    assert_eq!(destination.form, Form::Standard);
    assert_eq!(destination.segments, Segments::All);
    assert!(destination.enabled);
    assert!(!destination.causes.contains(&CauseKind::Definition));
    assert!(!destination.causes.contains(&CauseKind::Import));
    assert!(!destination.allow_http);
    assert_eq!(destination.causes.len(), 6);
}

#[test]
fn json_and_toml_say_the_same() {
    let destination = read(|written| {
        written["segments"] = json!(["open_carts", "lapsing"]);
        written["form"] = json!("segment_identify");
        written["causes"] = json!(["event", "definition"]);
        written["enabled"] = json!(false);
    })
    .unwrap();
    let as_json = serde_json::to_string(&destination).unwrap();
    assert_eq!(
        serde_json::from_str::<Destination>(&as_json).unwrap(),
        destination
    );
    let as_toml = toml::to_string(&destination).unwrap();
    let expected = r#"version = 1
id = "crm"
url = "https://example.com/hook?token=1"
form = "segment_identify"
segments = ["lapsing", "open_carts"]
causes = ["event", "definition"]
secret_ids = ["crm-1"]
enabled = false
allow_http = false
"#;
    assert_eq!(as_toml, expected);
    assert_eq!(
        toml::from_str::<Destination>(&as_toml).unwrap(),
        destination
    );
    let all = read(|_| ()).unwrap();
    assert_eq!(serde_json::to_value(&all).unwrap()["segments"], "all");
    assert_eq!(
        toml::from_str::<Destination>(&toml::to_string(&all).unwrap()).unwrap(),
        all
    );
}

#[test]
fn a_definition_that_makes_no_sense_says_what_to_change() {
    let cases: [(&str, Value, &str); 12] = [
        (
            "version",
            json!(2),
            "a destination of version 2 is not known here: this program reads version 1",
        ),
        (
            "id",
            json!("Crm"),
            "names of destinations and of their secrets have up to 64",
        ),
        ("id", json!("-a"), "names of destinations"),
        ("id", json!("a.b"), "names of destinations"),
        (
            "url",
            json!("ftp://example.com/secret"),
            "an address begins with `https://`",
        ),
        (
            "segments",
            json!([]),
            "`segments` is empty: name segments, or write \"all\"",
        ),
        ("segments", json!("some"), "`segments` is \"all\" or a list"),
        ("causes", json!([]), "`causes` is empty"),
        ("causes", json!(["whim"]), "unknown variant `whim`"),
        (
            "secret_ids",
            json!([]),
            "`secret_ids` needs between 1 and 4 different names",
        ),
        (
            "secret_ids",
            json!(["a", "a"]),
            "`secret_ids` needs between 1 and 4 different names",
        ),
        ("enable", json!(true), "unknown field `enable`"),
    ];
    for (field, value, expected) in cases {
        let found = read(|written| written[field] = value).unwrap_err();
        assert!(found.contains(expected), "{field}: {found}");
        assert!(!found.contains("secret") || field != "url", "{found}");
    }
}

#[test]
fn a_destination_hears_what_it_asked_for() {
    let transition = |segment: &str, cause| Transition {
        id: TransitionId(1),
        customer: CustomerId(1),
        segment: SegmentName::new(segment).unwrap(),
        version: 1,
        sequence: 1,
        direction: Direction::Entered,
        occurred_at: Timestamp(0),
        recorded_at: Timestamp(0),
        cause,
    };
    let one = read(|written| written["segments"] = json!(["lapsing"])).unwrap();
    assert!(one.wants(&transition("lapsing", Cause::Time)));
    assert!(!one.wants(&transition("loyal", Cause::Time)));
    assert!(!one.wants(&transition("lapsing", Cause::Definition)));
    let all = read(|written| written["causes"] = json!(["definition"])).unwrap();
    assert!(all.wants(&transition("loyal", Cause::Definition)));
    let off = read(|written| written["enabled"] = json!(false)).unwrap();
    assert!(!off.wants(&transition("lapsing", Cause::Time)));
}
