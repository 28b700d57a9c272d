use proptest::prelude::*;
use regulars_core::{CustomerId, SegmentName, Timestamp};

use super::*;

fn transition(direction: Direction, cause: Cause) -> Transition {
    Transition {
        id: TransitionId(0xc0ffee),
        customer: CustomerId(7),
        segment: SegmentName::new("first_time_shopper").unwrap(),
        version: 3,
        sequence: 2,
        direction,
        occurred_at: Timestamp(1_700_000_000_250),
        recorded_at: Timestamp(1_700_000_001_000),
        cause,
    }
}

fn body(transition: &Transition, form: Form, who: Who<'_>, why: &str) -> Result<Value, Unsendable> {
    let space = "my_shop";
    let story = Story {
        transition,
        who,
        why,
        space,
    };
    let bytes = story.body(form)?;
    Ok(serde_json::from_slice(&bytes).unwrap())
}

const KNOWN: Who<'_> = Who {
    customer_id: Some("u123"),
    anonymous_id: None,
};

#[test]
fn a_standard_webhook_says_who_moved_where_when_and_why() {
    let cause = Cause::Event {
        offset: 41,
        name: "Order Completed".to_owned(),
    };
    let entered = transition(Direction::Entered, cause);
    let found = body(&entered, Form::Standard, KNOWN, "orders = 1").unwrap();
    let expected = json!({
        "type": "segment.entered",
        "timestamp": "2023-11-14T22:13:20.250Z",
        "data": {
            "transition_id": "00000000000000000000000000c0ffee",
            "customer_id": "u123",
            "anonymous_id": null,
            "segment": "first_time_shopper",
            "version": 3,
            "sequence": 2,
            "direction": "entered",
            "occurred_at": "2023-11-14T22:13:20.250Z",
            "recorded_at": "2023-11-14T22:13:21Z",
            "cause": { "type": "event", "offset": 41, "name": "Order Completed" },
            "why": "orders = 1",
        },
    });
    assert_eq!(found, expected);
    let exited = transition(Direction::Exited, Cause::Time);
    let found = body(&exited, Form::Standard, Who::default(), "").unwrap();
    assert_eq!(found["type"], "segment.exited");
    assert_eq!(found["data"]["customer_id"], Value::Null);
    assert_eq!(found["data"]["cause"], json!({ "type": "time" }));
}

/// Segment, "Using Engage Data", "Audience generated events".
#[test]
fn the_segment_form_is_the_one_of_audiences() {
    let exited = transition(Direction::Exited, Cause::Time);
    let found = body(&exited, Form::Segment, KNOWN, "").unwrap();
    let context = json!({ "personas": {
        "computation_class": "audience",
        "computation_id": "aud_first_time_shopper",
        "computation_key": "first_time_shopper",
        "namespace": "my_shop",
        "space_id": "my_shop",
    } });
    let expected = json!({
        "type": "track",
        "messageId": "00000000000000000000000000c0ffee",
        "userId": "u123",
        "timestamp": "2023-11-14T22:13:20.250Z",
        "context": context,
        "event": "Audience Exited",
        "properties": { "audience_key": "first_time_shopper", "first_time_shopper": false },
    });
    assert_eq!(found, expected);

    let entered = transition(Direction::Entered, Cause::Time);
    let found = body(&entered, Form::Segment, KNOWN, "").unwrap();
    assert_eq!(found["event"], "Audience Entered");
    assert_eq!(found["properties"]["first_time_shopper"], true);
    let found = body(&entered, Form::SegmentIdentify, KNOWN, "").unwrap();
    assert_eq!(found["type"], "identify");
    assert_eq!(found["traits"], json!({ "first_time_shopper": true }));
    assert_eq!(found["context"], context);
}

#[test]
fn the_segment_form_needs_somebody_to_name() {
    let entered = transition(Direction::Entered, Cause::Time);
    let found = body(&entered, Form::Segment, Who::default(), "");
    assert_eq!(found, Err(Unsendable::NobodyKnown));
    let visitor = Who {
        customer_id: None,
        anonymous_id: Some("a1"),
    };
    let found = body(&entered, Form::Segment, visitor, "").unwrap();
    assert_eq!(found["anonymousId"], "a1");
    assert!(found.get("userId").is_none());
}

#[test]
fn ids_are_never_cut() {
    let entered = transition(Direction::Entered, Cause::Time);
    let id = "i".repeat(BODY_BYTES);
    let who = Who {
        customer_id: Some(&id),
        anonymous_id: None,
    };
    for form in [Form::Standard, Form::Segment, Form::SegmentIdentify] {
        assert_eq!(body(&entered, form, who, ""), Err(Unsendable::TooLarge));
    }
}

proptest! {
    #[test]
    fn a_body_stays_small_and_says_as_much_as_fits(
        why in "(?s).{0,50}", name in "(?s).{0,50}", repeat in 1_usize..1_200,
    ) {
        let cause = Cause::Event { offset: 1, name: name.repeat(repeat) };
        let entered = transition(Direction::Entered, cause);
        let why = why.repeat(repeat);
        let story = Story { transition: &entered, who: KNOWN, why: &why, space: "" };
        let bytes = story.body(Form::Standard).unwrap();
        prop_assert!(bytes.len() < BODY_BYTES);
        let read: Value = serde_json::from_slice(&bytes).unwrap();
        let told = read["data"]["why"].as_str().unwrap();
        if told == why {
            return Ok(());
        }
        prop_assert!(why.starts_with(told.strip_suffix(CUT).unwrap()));
        // One more character would not have fitted.
        prop_assert!(bytes.len() + 6 >= BODY_BYTES - 1);
    }
}
