//! A start after a kill, with records in the log that nothing was found of yet: they are folded while new
//! ones are taken, and come to what they would have come to.

use regulars_core::{Timestamp, Transition};
use regulars_pipeline::Silent;
use regulars_pipeline::live::{Engine, StartOptions};
use regulars_store::log::{Found, LogRecordKind, Logged};
use regulars_store::{Frame, Store};
use serde_json::{Value, json};

use crate::equivalence::{
    HOUR, Memberships, RULES, START, append, as_killed, check_transitions, of_batch, of_live, start,
};
use crate::pieces::copy;
use crate::scratch::Scratch;

/// Hours after the start in which events come; in between a day ends.
const HOURS: [i64; 3] = [1, 9, 11];
const LATER: i64 = START + 12 * HOUR;
const CUSTOMERS: usize = 8;
/// Of whom something goes back after the kill, by a file; of the second something did before.
const RETURNS: &str = "refund_id,order_id,customer_id,date,amount\n\
                       r-0,o-0,c-0,2026-12-24,3.00\nr-1,o-1,c-1,2026-11-21,4.00\n";

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), RULES).unwrap();
    let mut orders = "order_id,customer_id,date,total\n".to_owned();
    for n in 0..CUSTOMERS {
        orders.push_str(&format!("o-{n},c-{n},2026-11-20,2{n}.00\n"));
    }
    let orders = scratch.file("orders.csv", &orders);
    let refunds = scratch.file("refunds.csv", RETURNS);
    scratch.import(&[orders, refunds]);
    scratch
}

/// Calls of every customer: what they look at, what they put into their cart and order.
fn calls(at: i64) -> Vec<Value> {
    let of = |customer: usize, (n, name): (i64, &str)| {
        json!({
            "type": "track", "userId": format!("c-{customer}"), "event": name,
            "messageId": format!("{name} {customer} {at}"),
            "timestamp": Timestamp(at + n).to_string(),
            "properties": {
                "order_id": format!("o-{customer}-{at}"), "cart_id": "k", "total": 30,
                "product_id": "p", "price": 30, "category": "Coats",
            },
        })
    };
    let names = ["Product Viewed", "Product Added", "Order Completed"];
    let all = (0..CUSTOMERS).flat_map(|who| (0..).zip(names).map(move |what| (who, what)));
    all.map(|(customer, what)| of(customer, what)).collect()
}

/// A workspace before some events came, and what the log of a server that folded them has of them.
fn before_and_after(scratch: &Scratch) -> (Scratch, Vec<Logged>) {
    let live = start(scratch, START, u64::MAX);
    append(&live, &calls(START), START);
    let stopped = live.stop().unwrap().unwrap();
    let from = stopped.store.next_offset();
    drop(stopped);
    let before = copy(scratch);
    let live = start(scratch, LATER, u64::MAX);
    for hour in HOURS {
        let at = START + hour * HOUR;
        for calls in calls(at).chunks(CUSTOMERS) {
            append(&live, calls, at);
            live.settle().unwrap();
        }
    }
    live.stop().unwrap();
    let store = scratch.workspace.open_read().unwrap();
    let records = store.logged(from).map(|entry| entry.unwrap().1);
    // Memberships are saved last, at the stop, which says that a file is there.
    let is_saved = |record: &Logged| match record {
        Logged::Workspace(record) => record.kind() == LogRecordKind::MembershipsSaved,
        _ => false,
    };
    let records: Vec<Logged> = records.take_while(|record| !is_saved(record)).collect();
    let is_of_limits = |record: &Logged| match record {
        Logged::Workspace(record) => record.kind() == LogRecordKind::CutpointsSet,
        _ => false,
    };
    assert!(records.iter().any(is_of_limits), "{records:?}");
    (before, records)
}

/// The workspace as a kill leaves it after these records.
pub(crate) fn killed<'r>(
    before: &Scratch,
    records: impl IntoIterator<Item = &'r Logged>,
) -> Scratch {
    let mut frame = Frame::default();
    for record in records {
        match record {
            Logged::Event(event) => frame.event(event),
            Logged::Found(found) => frame.found(found),
            Logged::Tick(now) => frame.tick(*now),
            Logged::Workspace(record) => frame.record(record),
            other => panic!("{other:?}"),
        }
    }
    let killed = copy(before);
    killed.workspace.open().unwrap().append(&frame).unwrap();
    killed
}

fn events(records: &[Logged]) -> impl Iterator<Item = &Logged> {
    let is_event = |record: &&Logged| matches!(record, Logged::Event(_));
    records.iter().filter(is_event)
}

/// What a start of a killed server comes to, before the tail is folded.
fn engine(killed: &Scratch) -> (Engine, Store) {
    let mut store = killed.workspace.open().unwrap();
    let options = StartOptions {
        now: Timestamp(LATER),
        threads: 1,
    };
    let engine = Engine::start(&killed.workspace, &mut store, options, &Silent).unwrap();
    (engine, store)
}

/// Starts a killed server, which comes to what a batch comes to, and tells each transition once.
fn check(killed: &Scratch, report: &str) -> Memberships {
    let live = start(killed, LATER, u64::MAX);
    // Time moves with what comes.
    let last = json!({
        "type": "page", "userId": "c-0", "messageId": "last", "timestamp": Timestamp(LATER).to_string(),
    });
    append(&live, &[last], LATER);
    let told = of_live(&live);
    live.stop().unwrap();
    let batch = of_batch(killed, LATER);
    assert_eq!(told, batch, "{report}");
    check_transitions(killed, &told, report);
    let again = start(killed, LATER, u64::MAX);
    assert_eq!(of_live(&again), told, "again: {report}");
    again.stop().unwrap();
    told
}

#[test]
fn orders_of_the_tail_are_put_in_their_places() {
    let (before, records) = before_and_after(&scratch());
    let killed = killed(&before, events(&records));
    let (mut engine, store) = engine(&killed);
    // That memberships were saved stands before them.
    assert_eq!(engine.tail(), 1 + 3 * 3 * CUSTOMERS);
    engine.fold_tail().unwrap();
    // What goes back of the first customer later may be of any of their orders.
    assert_eq!((engine.tail(), engine.refolds()), (0, 1));
    drop((engine, store));
    check(&killed, "after the kill");
}

#[test]
fn only_what_follows_the_last_that_was_found_is_folded_record_by_record() {
    let (before, records) = before_and_after(&scratch());
    let undisturbed = check(&killed(&before, &records), "all of them");
    let mut tails = Vec::new();
    for kept in (0..records.len()).step_by(9) {
        let killed = killed(&before, &records[..kept]);
        let (engine, store) = engine(&killed);
        tails.push(engine.tail());
        drop((engine, store));
        check(&killed, &format!("{kept} records"));
        // What was not kept comes again.
        let live = start(&killed, LATER, u64::MAX);
        for hour in HOURS {
            let at = START + hour * HOUR;
            append(&live, &calls(at), at);
        }
        assert_eq!(of_live(&live), undisturbed, "{kept} records");
        live.stop().unwrap();
    }
    // Something is found of each few records.
    let most = tails.iter().copied().max().unwrap();
    assert!(most > 0 && most <= 3 * CUSTOMERS, "{tails:?}");
}

#[test]
fn events_are_taken_while_the_tail_is_folded() {
    let (before, records) = before_and_after(&scratch());
    let killed = killed(&before, events(&records));
    let live = start(&killed, LATER, u64::MAX);
    append(&live, &calls(LATER), LATER);
    let halfway = as_killed(&killed, &live);
    let told = of_live(&live);
    assert_eq!(live.waiting(), 0);
    live.stop().unwrap();
    let batch = of_batch(&killed, LATER);
    assert_eq!(told, batch);
    check_transitions(&killed, &told, "with more");
    assert_eq!(check(&halfway, "killed again"), told);
}

#[test]
fn what_is_recorded_ahead_of_the_tail_is_counted_and_not_said_again() {
    let (before, records) = before_and_after(&scratch());
    let found = records.iter().filter_map(|record| match record {
        Logged::Found(found) => Some(&found.transitions),
        _ => None,
    });
    let found: Vec<Transition> = found.flatten().cloned().collect();
    for recorded in [1, found.len() / 2, found.len()] {
        let ahead = Logged::Found(Found::ahead(found[..recorded].to_vec()));
        let killed = killed(&before, events(&records).chain([&ahead]));
        let (mut engine, store) = engine(&killed);
        let mut sizes = engine.recorded_sizes();
        engine.fold_tail().unwrap();
        let now = engine.sizes();
        for said in engine.take_found() {
            assert!(!found[..recorded].iter().any(|known| known.id == said.id));
            *sizes.entry(said.segment).or_default() += said.direction.change();
        }
        let sizes: Vec<i64> = engine
            .catalogue()
            .segments()
            .iter()
            .map(|of| sizes[&of.name])
            .collect();
        let now: Vec<i64> = now.into_iter().map(|size| size as i64).collect();
        assert_eq!(sizes, now, "{recorded} recorded");
        drop((engine, store));
        check(&killed, &format!("{recorded} recorded ahead"));
    }
}

#[test]
fn kills_while_the_tail_of_other_segments_is_folded_lose_and_double_nothing() {
    let (before, records) = before_and_after(&scratch());
    let ahead = records.iter().find_map(|record| match record {
        Logged::Found(found) => Some(Found::ahead(found.transitions.clone())),
        _ => None,
    });
    let ahead = Logged::Found(ahead.unwrap());
    for recorded in [None, Some(&ahead)] {
        let mut killed = killed(&before, events(&records).chain(recorded));
        let rules = RULES.replace("in last 12 hours >= 2", "in last 13 hours >= 3");
        assert_ne!(rules, RULES);
        let path = killed.workspace.segments_dir().join("own.toml");
        // One is edited, and one is no more.
        let rules = rules.replace("name = \"left_checkout\"", "name = \"left\"");
        std::fs::write(path, rules).unwrap();
        for kill in 0..4 {
            let live = start(&killed, LATER, u64::MAX);
            if kill > 1 {
                append(&live, &calls(LATER + kill), LATER + kill);
            }
            let next = as_killed(&killed, &live);
            live.stop().unwrap();
            check(&killed, &format!("{kill} kills before"));
            killed = next;
        }
        check(&killed, "after all kills");
    }
}
