//! A kill while transitions that were found at once are recorded, piece after piece.

use std::collections::BTreeSet;

use regulars_core::{Cause, Direction, Timestamp, Transition, TransitionId};
use regulars_pipeline::Silent;
use regulars_pipeline::live::{Engine, StartOptions};
use regulars_store::Frame;
use regulars_store::log::{Found, LogRecord, Logged, StoredEvent};
use serde_json::{Value, json};

use crate::equivalence::{
    HOUR, RULES, START, append, check_transitions, copy_directory, of_batch, start,
};
use crate::scratch::Scratch;

const LATER: i64 = START + 5 * HOUR;

/// The same workspace elsewhere.
pub(crate) fn copy(scratch: &Scratch) -> Scratch {
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
    drop(store);
    killed(scratch)
}

/// What a start finds of which nothing is recorded, as a kill comes right after it.
fn killed(scratch: &Scratch) -> Vec<Transition> {
    let mut store = scratch.workspace.open().unwrap();
    let options = StartOptions {
        now: Timestamp(LATER),
        threads: 1,
    };
    let mut engine = Engine::start(&scratch.workspace, &mut store, options, &Silent).unwrap();
    engine.fold_tail().unwrap();
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
    let by_events = |found: &&Transition| matches!(found.cause, Cause::Event { .. });
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

/// Puts segments of such names and rules into use at the next start.
fn define(scratch: &Scratch, segments: &[(&str, &str)]) {
    let segment = |(name, rule): &(&str, &str)| {
        format!("[[segment]]\nname = \"{name}\"\nrule = \"\"\"{rule}\"\"\"\n")
    };
    let text: String = segments.iter().map(segment).collect();
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), text).unwrap();
}

fn by_id(mut transitions: Vec<Transition>) -> Vec<Transition> {
    transitions.sort_by_key(|transition| transition.id);
    transitions
}

const ONCE: &str = "events 'Product Viewed' in last 12 hours >= 1";
const OFTEN: &str = "events 'Product Viewed' in last 12 hours >= 9";
/// Another rule that is true of the same customers.
const ONCE_TOO: &str = "events 'Product Viewed' in last 13 hours >= 1";

/// A workspace whose next start has six customers enter `edited` and leave `removed`, each by the
/// second version, and what a kill right after that start leaves; what it found.
fn edited() -> (Scratch, Vec<Transition>) {
    let scratch = Scratch::new();
    define(&scratch, &[("edited", OFTEN), ("removed", OFTEN)]);
    let live = start(&scratch, START, u64::MAX);
    append(&live, &calls("Product Viewed", START, 1), START);
    live.stop().unwrap();
    define(&scratch, &[("edited", OFTEN), ("removed", ONCE)]);
    start(&scratch, START, u64::MAX).stop().unwrap();
    define(&scratch, &[("edited", ONCE)]);
    let found = killed(&scratch);
    let of = |name, direction| {
        let of = |found: &&Transition| found.segment.as_str() == name;
        let of: Vec<&Transition> = found.iter().filter(of).collect();
        for found in &of {
            assert_eq!(
                (found.version, found.direction),
                (2, direction),
                "{found:?}"
            );
            assert_eq!(found.cause, Cause::Definition, "{found:?}");
        }
        of.len()
    };
    assert_eq!(of("edited", Direction::Entered), 6);
    assert_eq!(of("removed", Direction::Exited), 6);
    (scratch, found)
}

#[test]
fn a_kill_between_pieces_leaves_version_and_cause_of_what_definitions_change() {
    let (scratch, all) = edited();
    for recorded in [0, 1, all.len() / 2, all.len() - 1, all.len()] {
        let scratch = copy(&scratch);
        let (piece, rest) = all.split_at(recorded);
        let found = killed_after(&scratch, &[], piece);
        assert_eq!(by_id(found), by_id(rest.to_vec()), "{recorded} recorded");
        start(&scratch, LATER, u64::MAX).stop().unwrap();
        let report = format!("{recorded} recorded");
        check_transitions(&scratch, &of_batch(&scratch, LATER), &report);
    }
}

#[test]
fn a_segment_that_is_edited_after_a_kill_goes_on_from_what_was_recorded() {
    let (scratch, all) = edited();
    let of = |all: &[Transition], name: &str| -> Vec<Transition> {
        let of = |found: &&Transition| found.segment.as_str() == name;
        all.iter().filter(of).cloned().collect()
    };
    let (entered, left) = (of(&all, "edited"), of(&all, "removed"));
    let piece = [&entered[..3], &left[..3]].concat();
    let check = |segments: &[(&str, &str)]| {
        let scratch = copy(&scratch);
        define(&scratch, segments);
        let found = killed_after(&scratch, &[], &piece);
        start(&scratch, LATER, u64::MAX).stop().unwrap();
        let batch = of_batch(&scratch, LATER);
        check_transitions(&scratch, &batch, &format!("{segments:?}"));
        (of(&found, "edited"), of(&found, "removed"))
    };
    let who = |of: &[Transition]| -> BTreeSet<_> {
        let who = of.iter().map(|found| (found.customer, found.sequence));
        who.collect()
    };
    let next = |of: &[Transition]| -> BTreeSet<_> {
        let next = of.iter().map(|found| (found.customer, found.sequence + 1));
        next.collect()
    };
    // By its third version they are in it as well, and one that is back has everyone again.
    let (edited, removed) = check(&[("edited", ONCE_TOO), ("removed", ONCE)]);
    assert_eq!(who(&edited), who(&entered[3..]), "{edited:#?}");
    assert_eq!(who(&removed), next(&left[..3]), "{removed:#?}");
    for found in edited.iter().chain(&removed) {
        let of = (found.version, found.direction, &found.cause);
        assert_eq!(of, (3, Direction::Entered, &Cause::Definition), "{found:?}");
    }
    // By another one nobody is: those who were told to be leave.
    let (edited, removed) = check(&[("edited", OFTEN)]);
    assert_eq!(who(&edited), next(&entered[..3]), "{edited:#?}");
    assert_eq!(who(&removed), who(&left[3..]), "{removed:#?}");
    for (found, version) in edited.iter().zip([3; 3]).chain(removed.iter().zip([2; 3])) {
        let of = (found.version, found.direction, &found.cause);
        let expected = (version, Direction::Exited, &Cause::Definition);
        assert_eq!(of, expected, "{found:?}");
    }
}

#[test]
fn who_turned_out_to_be_another_leaves_what_only_a_first_piece_has_them_enter() {
    let (scratch, all) = edited();
    // A merge as a server records it.
    let merged = copy(&scratch);
    let stopped = start(&merged, LATER, u64::MAX).stop().unwrap().unwrap();
    let from = stopped.store.next_offset();
    drop(stopped);
    let live = start(&merged, LATER, u64::MAX);
    let alias = json!({
        "type": "alias", "userId": "c-0", "previousId": "c-1", "messageId": "alias",
        "timestamp": Timestamp(LATER).to_string(),
    });
    append(&live, &[alias], LATER);
    live.stop().unwrap();
    let mut frame = Frame::default();
    frame.found(&Found::ahead(all));
    let mut gone = Vec::new();
    let store = merged.workspace.open_read().unwrap();
    for entry in store.logged(from) {
        match entry.unwrap().1 {
            Logged::Event(event) => frame.event(&event),
            Logged::Workspace(record) => {
                if let LogRecord::MergeAccepted(merge) = &*record {
                    gone.push(merge.from);
                    frame.record(&record);
                }
            }
            _ => {}
        }
    }
    assert_eq!(gone.len(), 1);
    // Nobody belongs to the segment by the time of the next start.
    define(&scratch, &[("edited", OFTEN)]);
    scratch.workspace.open().unwrap().append(&frame).unwrap();
    let found = killed(&scratch);
    let left: Vec<_> = found
        .iter()
        .filter(|it| it.segment.as_str() == "edited")
        .collect();
    assert_eq!(left.len(), 6, "{left:#?}");
    for left in left {
        let of = (left.direction, left.sequence, left.version);
        assert_eq!(of, (Direction::Exited, 2, 3), "{left:?}");
        let is_gone = gone.contains(&left.customer);
        let cause = if is_gone {
            Cause::Merge
        } else {
            Cause::Definition
        };
        assert_eq!(left.cause, cause, "{left:?}");
    }
}
