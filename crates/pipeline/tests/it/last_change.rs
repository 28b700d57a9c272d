//! What last made a customer enter or leave a segment: the event is found wherever it lies.

use regulars_core::{Cause, CustomerId, Direction, SegmentName, Timestamp};
use regulars_pipeline::LastChange;
use regulars_pipeline::live::{Explained, Live};
use regulars_rules::Part;
use serde_json::{Value, json};

use crate::equivalence::{HOUR, START, append, start};
use crate::scratch::Scratch;

const RULES: &str = r#"
[[segment]]
name = "viewers"
rule = "events 'Product Viewed' in last 12 hours >= 2"

[[segment]]
name = "of_pro_account"
rule = "account.plan = 'pro'"
"#;

fn view(customer: Value, n: i64, at: i64) -> Value {
    let mut call = json!({
        "type": "track", "event": "Product Viewed", "messageId": format!("{customer} {n}"),
        "timestamp": Timestamp(at).to_string(),
    });
    let ids = customer.as_object().unwrap().clone();
    call.as_object_mut().unwrap().extend(ids);
    call
}

fn group(customer: &str, plan: &str, at: i64) -> Value {
    json!({
        "type": "group", "userId": customer, "groupId": "a-1", "traits": {"plan": plan},
        "messageId": format!("{customer} {plan}"), "timestamp": Timestamp(at).to_string(),
    })
}

fn id(live: &Live, customer: &str) -> CustomerId {
    live.settle().unwrap();
    let name = customer.to_owned();
    let found = live.with_store(move |store| store.vault().unwrap().find(&name));
    found.flatten().unwrap()
}

fn last(live: &Live, customer: &str, segment: &str, until: i64) -> Option<LastChange> {
    let customer = id(live, customer);
    let of = live.ask(move |engine| (engine.canonical(customer), engine.ids_of(customer)));
    let (customer, ids) = of.unwrap();
    let segment = SegmentName::new(segment).unwrap();
    let read = live.read_beside(|store| {
        let last = LastChange::read(store, (customer, &ids), &segment, Timestamp(until));
        Ok(last?)
    });
    read.unwrap().unwrap()
}

fn explained(live: &Live, customer: &str, segment: &str) -> Explained {
    let explained = live.explain(id(live, customer), segment, Timestamp(START));
    explained.unwrap().unwrap().unwrap()
}

#[test]
fn the_event_of_the_last_change_is_found_in_the_log_and_in_the_history() {
    let scratch = Scratch::new();
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), RULES).unwrap();
    let live = start(&scratch, START, 1);
    let (device, user) = (json!({"anonymousId": "d-1"}), json!({"userId": "c-1"}));
    let both = json!({"userId": "c-1", "anonymousId": "d-1"});
    append(
        &live,
        &[
            view(device, 1, START - HOUR),
            view(both, 2, START - HOUR / 2),
        ],
        START,
    );
    let check = |live: &Live| {
        let change = last(live, "c-1", "viewers", START).unwrap();
        assert_eq!(change.direction, Direction::Entered);
        assert!(matches!(&change.cause, Cause::Event { name, .. } if name == "Product Viewed"));
        let event = change.event.unwrap();
        let name = (event.kind, event.name.as_str());
        assert_eq!(name, ("track", "Product Viewed"));
        assert_eq!(event.occurred_at, Timestamp(START - HOUR / 2));
        assert_eq!(event.received_at, Timestamp(START));
        assert!(
            last(live, "c-1", "viewers", START - 1).is_none(),
            "not known yet"
        );
        assert!(last(live, "c-1", "of_pro_account", START).is_none());
    };
    check(&live);
    live.move_now().unwrap();
    check(&live);
    live.stop().unwrap();
    let later = START + 24 * HOUR;
    let live = start(&scratch, later, 1);
    append(
        &live,
        &[view(user, 3, later), group("c-1", "free", later)],
        later,
    );
    // What time did has no event; what was before it is still known.
    let change = last(&live, "c-1", "viewers", later).unwrap();
    assert_eq!(
        (change.direction, change.cause),
        (Direction::Exited, Cause::CatchUp)
    );
    assert!(change.event.is_none());
    check(&live);
    // What somebody else did of the account is not the customer's own event.
    append(&live, &[group("c-2", "pro", later)], later);
    for moved in [false, true] {
        if moved {
            live.move_now().unwrap();
        }
        let change = last(&live, "c-1", "of_pro_account", later).unwrap();
        assert!(matches!(&change.cause, Cause::Event { name, .. } if name == "group"));
        assert!(change.event.is_none(), "moved: {moved}");
        let own = last(&live, "c-2", "of_pro_account", later).unwrap();
        assert_eq!(own.event.unwrap().name, "a-1", "moved: {moved}");
    }
    live.stop().unwrap();
}

#[test]
fn what_became_of_who_is_no_more_is_no_change_of_who_they_are() {
    let scratch = Scratch::new();
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), RULES).unwrap();
    let live = start(&scratch, START, 1);
    let (one, other) = (json!({"userId": "c-1"}), json!({"userId": "c-2"}));
    append(&live, &[view(one.clone(), 1, START - 4 * HOUR)], START);
    append(&live, &[view(one, 2, START - 3 * HOUR)], START);
    append(&live, &[view(other.clone(), 3, START - 2 * HOUR)], START);
    append(&live, &[view(other, 4, START - HOUR)], START);
    append(&live, &[group("c-2", "pro", START - HOUR)], START);
    let before = last(&live, "c-2", "of_pro_account", START).unwrap();
    assert_eq!(before.direction, Direction::Entered);
    let alias = json!({
        "type": "alias", "userId": "c-1", "previousId": "c-2", "messageId": "alias",
        "timestamp": Timestamp(START).to_string(),
    });
    append(&live, &[alias], START);
    for moved in [false, true] {
        if moved {
            live.move_now().unwrap();
        }
        for name in ["c-1", "c-2"] {
            // Who stays is in it since they entered, whoever else left it by turning out to be them.
            let change = last(&live, name, "viewers", START).unwrap();
            assert_eq!(change.direction, Direction::Entered, "{change:?}");
            assert!(matches!(change.cause, Cause::Event { .. }), "{change:?}");
            let event = change.event.unwrap();
            assert_eq!(event.occurred_at, Timestamp(START - 3 * HOUR));
            let explained = explained(&live, name, "viewers");
            assert!(explained.explanation.holds);
            assert_eq!(explained.customer, id(&live, "c-1"));
            assert_eq!((explained.ids.len(), explained.transitions), (2, 1));
            // What a condition looked at last is of either.
            let Part::Condition { latest_event, .. } = &explained.explanation.because else {
                panic!("{explained:?}");
            };
            let latest = latest_event.as_ref().unwrap();
            assert_eq!(
                latest.occurred_at,
                Timestamp(START - HOUR),
                "moved: {moved}"
            );
            // And they are in what only the other was in, because of the merge.
            let change = last(&live, name, "of_pro_account", START).unwrap();
            assert_eq!(
                (change.direction, change.cause),
                (Direction::Entered, Cause::Merge)
            );
        }
    }
    // Whoever leaves again has their own events, wherever these lie.
    live.unmerge("c-2", None).unwrap().unwrap();
    for (name, latest_at) in [("c-1", START - 3 * HOUR), ("c-2", START - HOUR)] {
        let explained = explained(&live, name, "viewers");
        assert_eq!(explained.customer, id(&live, name));
        let Part::Condition { latest_event, .. } = &explained.explanation.because else {
            panic!("{explained:?}");
        };
        let latest = latest_event.as_ref().unwrap();
        assert_eq!(latest.occurred_at, Timestamp(latest_at), "{name}");
        let change = last(&live, name, "viewers", START).unwrap();
        assert_eq!(change.direction, Direction::Entered, "{change:?}");
        assert_eq!(change.cause == Cause::Unmerge, name == "c-2", "{change:?}");
    }
    live.stop().unwrap();
}
