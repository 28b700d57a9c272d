//! A kill while transitions that were found at once are recorded, piece after piece.

use std::collections::BTreeSet;

use regulars_core::{Timestamp, Transition, TransitionId};
use regulars_pipeline::Silent;
use regulars_pipeline::live::{Engine, StartOptions};
use regulars_store::Frame;
use regulars_store::log::{Found, Logged, StoredEvent};
use serde_json::{Value, json};

use crate::equivalence::{
    HOUR, RULES, START, append, check_transitions, copy_directory, of_batch, start,
};
use crate::scratch::Scratch;

const LATER: i64 = START + 5 * HOUR;

fn copy(scratch: &Scratch) -> Scratch {
    let copy = Scratch::new();
    let (from, to) = (scratch.workspace.root(), copy.workspace.root());
    std::fs::copy(from.join("segments/own.toml"), to.join("segments/own.toml")).unwrap();
    std::fs::remove_dir_all(to.join("data")).unwrap();
    copy_directory(&from.join("data"), &to.join("data"));
    copy
}

/// Calls of some customers: first who they are, later what they do.
fn calls(name: &str, at: i64, times: i64) -> Vec<Value> {
    let of = |customer: i64, n: i64| {
        json!({
            "type": "track", "userId": format!("c-{customer}"), "event": name,
            "messageId": format!("{name} {customer} {n}"),
            "timestamp": Timestamp(at + n).to_string(),
            "properties": {"product_id": format!("p-{n}"), "price": 30 + n, "cart_id": "k"},
        })
    };
    let all = (0..6).flat_map(|customer| (0..times).map(move |n| (customer, n)));
    all.map(|(customer, n)| of(customer, n)).collect()
}

/// What the log has from an offset on.
fn logged(scratch: &Scratch, from: u64) -> (Vec<StoredEvent>, Vec<Transition>) {
    let store = scratch.workspace.open_read().unwrap();
    let (mut events, mut transitions) = (Vec::new(), Vec::new());
    for entry in store.logged(from) {
        match entry.unwrap().1 {
            Logged::Event(event) => events.push(event),
            Logged::Found(found) => transitions.extend(found.transitions),
            _ => {}
        }
    }
    (events, transitions)
}

/// The workspace as a kill leaves it after a first piece; what the next start finds.
fn killed_after(
    scratch: &Scratch,
    events: &[StoredEvent],
    piece: &[Transition],
) -> Vec<Transition> {
    let mut store = scratch.workspace.open().unwrap();
    let mut frame = Frame::default();
    events.iter().for_each(|event| frame.event(event));
    frame.found(&Found {
        folded_to: 0,
        now: Timestamp::MIN,
        transitions: piece.to_vec(),
    });
    store.append(&frame).unwrap();
    let options = StartOptions {
        now: Timestamp(LATER),
        threads: 1,
    };
    let mut engine = Engine::start(&scratch.workspace, &mut store, options, &Silent).unwrap();
    engine.take_found()
}

fn ids(transitions: &[Transition]) -> BTreeSet<TransitionId> {
    let ids = transitions.iter().map(|transition| transition.id);
    ids.collect()
}

#[test]
fn a_kill_between_pieces_sends_nobody_back_and_forth() {
    let scratch = Scratch::new();
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), RULES).unwrap();
    let live = start(&scratch, START, u64::MAX);
    append(&live, &calls("Product Viewed", START, 1), START);
    let stopped = live.stop().unwrap().unwrap();
    let from = stopped.store.next_offset();
    drop(stopped);
    let (before, without_events) = (copy(&scratch), copy(&scratch));
    let live = start(&scratch, LATER, u64::MAX);
    append(&live, &calls("Product Viewed", LATER - HOUR, 3), LATER);
    append(&live, &calls("Product Added", LATER - HOUR / 2, 1), LATER);
    live.stop().unwrap();
    let (events, all) = logged(&scratch, from);
    let by_events = |found: &&Transition| matches!(found.cause, regulars_core::Cause::Event { .. });
    assert!(all.iter().filter(by_events).count() > 12, "{all:#?}");
    // Whatever was recorded before the kill, the next start finds the others and no more.
    for recorded in [0, 1, all.len() / 2, all.len()] {
        let scratch = copy(&before);
        let (piece, rest) = all.split_at(recorded);
        let found = killed_after(&scratch, &events, piece);
        assert_eq!(ids(&found), ids(rest), "{recorded} recorded");
        assert_eq!(found.len(), rest.len(), "{recorded} recorded");
        for found in &found {
            let same = rest.iter().find(|known| known.id == found.id).unwrap();
            assert_eq!(found.occurred_at, same.occurred_at, "{found:?}");
            assert_eq!(found.direction, same.direction, "{found:?}");
        }
        start(&scratch, LATER, u64::MAX).stop().unwrap();
        let report = format!("{recorded} recorded");
        check_transitions(&scratch, &of_batch(&scratch, LATER), &report);
    }
    // What was told and is not so any more goes on from what was told.
    let piece: Vec<Transition> = all.iter().filter(by_events).cloned().collect();
    let found = killed_after(&without_events, &[], &piece);
    assert!(found.len() > 5, "{found:#?}");
    assert!(ids(&found).is_disjoint(&ids(&piece)));
    for found in &found {
        let of = |known: &&Transition| {
            (known.customer, &known.segment) == (found.customer, &found.segment)
        };
        let last = piece.iter().rfind(of).unwrap();
        assert_eq!(found.sequence, last.sequence + 1, "{found:?}");
        assert!(found.occurred_at >= last.occurred_at, "{found:?}");
    }
    start(&without_events, LATER, u64::MAX).stop().unwrap();
    let batch = of_batch(&without_events, LATER);
    check_transitions(&without_events, &batch, "without the events");
}
