//! Customers of whom nothing counts, since the only order that files give them is another's.

use regulars_core::{Cause, CustomerId, Direction, Timestamp};
use regulars_pipeline::live::Live;
use regulars_pipeline::{Base, FoldOptions, Silent, find};
use regulars_store::log::Logged;
use serde_json::{Value, json};

use crate::equivalence::{START, append, check_transitions, of_batch, of_live, start};
use crate::scratch::Scratch;

const RULES: &str = r#"
[[segment]]
name = "anybody"
rule = "not (orders >= 5)"

[[segment]]
name = "buyers"
rule = "orders >= 1"
"#;

/// A workspace in which all that is known of `c-1` is an order of a file.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), RULES).unwrap();
    let orders = "order_id,customer_id,date,total\no-1,c-1,2026-11-20,20.00\n";
    scratch.import(&[scratch.file("orders.csv", orders)]);
    scratch
}

fn call(kind: &str, n: i64, who: Value, rest: Value) -> Value {
    let mut call = json!({
        "type": kind, "messageId": format!("{kind} {n}"), "timestamp": Timestamp(START).to_string(),
    });
    let call_of = call.as_object_mut().unwrap();
    for more in [who, rest] {
        call_of.extend(more.as_object().unwrap().clone());
    }
    call
}

fn ordered(who: Value) -> Value {
    let order = json!({"order_id": "o-1", "total": 20});
    let event = json!({"event": "Order Completed", "properties": order});
    call("track", 1, who, event)
}

fn id_of(live: &Live, name: &'static str) -> CustomerId {
    let found = live.with_store(move |store| store.vault().unwrap().find(name));
    found.flatten().unwrap()
}

/// The segments above that a customer is in; `None` for nobody.
fn own_segments(live: &Live, customer: CustomerId) -> Option<Vec<String>> {
    let known = live.ask(move |engine| engine.customer(customer, Timestamp(START)).unwrap());
    let everyone = of_live(live);
    let segments = everyone.get(&customer);
    assert_eq!(known.flatten().is_some(), segments.is_some());
    let own = |name: &&String| ["anybody", "buyers"].contains(&name.as_str());
    segments.map(|names| names.iter().filter(own).cloned().collect())
}

/// Starts again, where asked for; live, a fold of everything and what was recorded are the same.
fn go_on(scratch: &Scratch, live: Live, again: bool) -> Live {
    if !again {
        return live;
    }
    let told = of_live(&live);
    live.stop().unwrap();
    let batch = of_batch(scratch, START);
    assert_eq!(batch, told);
    check_transitions(scratch, &batch, "stopped");
    let live = start(scratch, START, 1_000_000);
    assert_eq!(of_live(&live), batch);
    live
}

/// What was recorded of a customer and a segment, whose first transition was before the start:
/// sequence, direction and cause.
fn transitions(
    scratch: &Scratch,
    customer: CustomerId,
    segment: &str,
) -> Vec<(u64, Direction, Cause)> {
    let store = scratch.workspace.open_read().unwrap();
    let mut all = Vec::new();
    for entry in store.logged(0) {
        if let (_, Logged::Found(found)) = entry.unwrap() {
            let mut of_both = found.transitions;
            of_both.retain(|of| of.customer == customer && of.segment.as_str() == segment);
            all.extend(
                of_both
                    .into_iter()
                    .map(|of| (of.sequence, of.direction, of.cause)),
            );
        }
    }
    all
}

#[test]
fn who_loses_the_only_order_to_another_is_nobody_until_something_is_told_of_them() {
    for again in [false, true] {
        let scratch = scratch();
        let live = start(&scratch, START, 1_000_000);
        let one = id_of(&live, "c-1");
        let both = ["anybody", "buyers"].map(str::to_owned);
        assert_eq!(own_segments(&live, one).as_deref(), Some(&both[..]));
        append(&live, &[ordered(json!({"userId": "c-2"}))], START);
        let live = go_on(&scratch, live, again);
        assert_eq!(own_segments(&live, one), None);
        let found = live.read_beside(|store| {
            let (config, catalogue) = (scratch.workspace.config(), scratch.catalogue());
            let options = FoldOptions::at(Timestamp(START), 1);
            find(
                store,
                &Base::fold(store, config, &catalogue, options, &Silent)?,
                "c-1",
            )
        });
        let error = found.unwrap().unwrap_err().to_string();
        assert!(error.contains("belongs to another customer now"), "{error}");
        let page = call("page", 2, json!({"userId": "c-1"}), json!({}));
        append(&live, &[page], START);
        let live = go_on(&scratch, live, again);
        assert_eq!(own_segments(&live, one).as_deref(), Some(&both[..1]));
        let live = go_on(&scratch, live, true);
        live.stop().unwrap();
        let of_anybody = transitions(&scratch, one, "anybody");
        let moves: Vec<_> = of_anybody.iter().map(|of| (of.0, of.1)).collect();
        assert_eq!(moves, [(2, Direction::Exited), (3, Direction::Entered)]);
        let cause = &of_anybody[0].2;
        assert!(
            matches!(cause, Cause::Event { name, .. } if name == "Order Completed"),
            "{cause:?}"
        );
        assert_eq!(transitions(&scratch, one, "buyers").len(), 1);
    }
}

#[test]
fn who_is_nobody_is_there_again_with_an_order_that_turns_out_to_be_theirs_after_all() {
    for again in [false, true] {
        let scratch = scratch();
        let live = start(&scratch, START, 1_000_000);
        let one = id_of(&live, "c-1");
        let device = json!({"anonymousId": "d-1"});
        // Of a visitor whom nobody knows the order is not.
        append(&live, &[ordered(device)], START);
        assert!(own_segments(&live, one).is_some());
        let both = json!({"userId": "c-2", "anonymousId": "d-1"});
        append(&live, &[call("identify", 2, both, json!({}))], START);
        let live = go_on(&scratch, live, again);
        assert_eq!(own_segments(&live, one), None);
        live.unmerge("d-1", None).unwrap().unwrap();
        let live = go_on(&scratch, live, again);
        let segments = ["anybody", "buyers"].map(str::to_owned);
        assert_eq!(own_segments(&live, one).as_deref(), Some(&segments[..]));
        let live = go_on(&scratch, live, true);
        live.stop().unwrap();
        for segment in segments {
            let moves = transitions(&scratch, one, &segment);
            let moves: Vec<_> = moves.iter().map(|of| (of.0, of.1)).collect();
            assert_eq!(moves, [(2, Direction::Exited), (3, Direction::Entered)]);
        }
    }
}

#[test]
fn who_is_nobody_and_turns_out_to_be_another_brings_what_files_say_of_them() {
    for again in [false, true] {
        let scratch = scratch();
        let live = start(&scratch, START, 1_000_000);
        append(&live, &[ordered(json!({"userId": "c-2"}))], START);
        let live = go_on(&scratch, live, again);
        let alias = json!({"userId": "c-2", "previousId": "c-1"});
        append(&live, &[call("alias", 2, alias, json!({}))], START);
        let live = go_on(&scratch, live, again);
        let two = id_of(&live, "c-2");
        let seen = live.ask(move |engine| engine.customer(two, Timestamp(START)).unwrap());
        let orders = json!(seen.flatten().unwrap().orders);
        // The order was placed when the file says.
        assert!(orders.to_string().contains("2026-11-20"), "{orders}");
        let live = go_on(&scratch, live, true);
        live.stop().unwrap();
    }
}
