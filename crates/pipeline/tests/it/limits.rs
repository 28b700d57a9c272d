//! Limits that depend on everyone: computed at the end of a day, recorded, and the same for whoever
//! looks on that day.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use regulars_core::{Cause, CustomerId, Direction, Timestamp};
use regulars_pipeline::{CONFIG_FILE, Workspace};
use regulars_store::log::{LogRecord, Logged};
use serde_json::json;

use crate::equivalence::{HOUR, of_batch, of_live, start};
use crate::live::{MINUTE, Running, START, track};
use crate::pieces::copy;
use crate::scratch::Scratch;
use crate::tail::killed;

/// From the start to the end of that day, in UTC.
const MIDNIGHT: i64 = 9 * HOUR + 57 * MINUTE;

/// A shop of ten customers who spent 10 to 100: the two highest are in the high tier.
fn shop() -> Scratch {
    let scratch = Scratch::new();
    let mut orders = "order_id,customer_id,date,total\n".to_owned();
    for n in 1..=10 {
        orders += &format!("o-{n},c-{n},2026-11-{:02},{n}0.00\n", n + 10);
    }
    scratch.import(&[scratch.file("orders.csv", &orders)]);
    scratch
}

fn order(id: &str, after_ms: i64, total: u32) -> serde_json::Value {
    track(
        "Order Completed",
        after_ms,
        &json!({ "order_id": id, "total": total }),
    )
}

/// When limits were recorded.
fn recorded(scratch: &Scratch) -> Vec<Timestamp> {
    let store = scratch.workspace.open_read().unwrap();
    let records = store.records(0).unwrap().into_iter();
    let limits = records.filter_map(|(_, record)| match record {
        LogRecord::CutpointsSet(set) => Some(set.as_of),
        _ => None,
    });
    limits.collect()
}

#[test]
fn at_the_end_of_a_day_everyone_is_seen_against_new_limits() {
    let scratch = shop();
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    // Limits of the start: 90 and more is high. Whoever comes is seen against them.
    running.at(MINUTE).send(&[order("live-1", MINUTE, 500)]);
    let entered = running.next_of("value_high");
    assert!(matches!(entered.cause, Cause::Event { .. }), "{entered:?}");
    running.at(MIDNIGHT - 1);
    assert!(running.is_in("c-9", "value_high"));
    // Of eleven who ordered the three highest are high: 90 still is. With a day gone the limits are
    // computed anew, although nothing happened.
    running.at(MIDNIGHT + 30).wait_for_limits(MIDNIGHT);
    let mut other = order("live-2", MIDNIGHT + 40, 400);
    other["userId"] = json!("c-1");
    running.at(MIDNIGHT + 40).send(&[other]);
    running.next_of("value_high");
    running
        .at(MIDNIGHT + 24 * HOUR)
        .wait_for_limits(MIDNIGHT + 24 * HOUR);
    // 500, 410 and 100 are the three highest of eleven now.
    let left = running.next_of("value_high");
    assert_eq!(
        (left.cause, left.direction),
        (Cause::Models, Direction::Exited)
    );
    assert_eq!(left.occurred_at, Timestamp(START + MIDNIGHT + 24 * HOUR));
    assert!(!running.is_in("c-9", "value_high"));
    assert!(running.is_in("c-10", "value_high"));
    running.stop();
    let as_of = recorded(&scratch);
    let at = |after: i64| Timestamp(START + after);
    assert_eq!(as_of, [at(0), at(MIDNIGHT + 30), at(MIDNIGHT + 24 * HOUR)]);

    // The same for whoever looks on that day: another who starts, and one who folds the history.
    let later = START + MIDNIGHT + 30 * HOUR;
    clock.store(later, Ordering::Relaxed);
    let again = Running::start(&scratch, &clock);
    again.send(&[order("live-3", MIDNIGHT + 30 * HOUR, 1)]);
    let told = again.stop();
    let causes: Vec<_> = told.iter().filter(|it| it.cause == Cause::Models).collect();
    assert!(causes.is_empty(), "{causes:?}");
    assert_eq!(recorded(&scratch).len(), 3);
    starts_as_a_fold(&scratch, later);
}

/// What became of the tiers, in order: who, when, and why.
fn moves(scratch: &Scratch, from: u64) -> Vec<(CustomerId, String, Direction, Timestamp, Cause)> {
    let store = scratch.workspace.open_read().unwrap();
    let records = store.logged(from).map(|entry| entry.unwrap().1);
    let found = records.filter_map(|record| match record {
        Logged::Found(found) => Some(found.transitions),
        _ => None,
    });
    let tiers = found
        .flatten()
        .filter(|it| it.segment.as_str().starts_with("value_"));
    let mut moves: Vec<_> = tiers
        .map(|it| {
            let cause = match it.cause {
                // Its place in the log is another.
                Cause::Event { name, .. } => Cause::Event { offset: 0, name },
                cause => cause,
            };
            (
                it.customer,
                it.segment.to_string(),
                it.direction,
                it.occurred_at,
                cause,
            )
        })
        .collect();
    moves.sort_by(|a, b| (a.3, a.0, &a.1).cmp(&(b.3, b.0, &b.1)));
    moves
}

#[test]
fn a_kill_after_the_end_of_a_day_changes_nothing_of_what_it_brought() {
    let scratch = shop();
    let stopped = start(&scratch, START, 1_000_000).stop().unwrap().unwrap();
    let from = stopped.store.next_offset();
    drop(stopped);
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), "").unwrap();
    let before = copy(&scratch);
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    let of = |customer: &str, at: i64, total: u32| {
        let mut order = order(&format!("{customer} {at}"), at, total);
        order["userId"] = json!(customer);
        order
    };
    // 90 and more is high on this day, 100 and more on the next one.
    running.at(MINUTE).send(&[of("c-3", MINUTE, 500)]);
    running.at(2 * MINUTE).send(&[of("c-4", 2 * MINUTE, 50)]);
    running.at(MIDNIGHT + 1).wait_for_limits(MIDNIGHT);
    let later = MIDNIGHT + MINUTE;
    running.at(later).send(&[of("c-5", later, 45)]);
    running.stop();
    let undisturbed = moves(&scratch, from);
    let of_limits = undisturbed.iter().filter(|it| it.4 == Cause::Models);
    assert!(of_limits.count() >= 4, "{undisturbed:?}");

    let store = scratch.workspace.open_read().unwrap();
    let records: Vec<Logged> = store.logged(from).map(|entry| entry.unwrap().1).collect();
    drop(store);
    let is_of_limits = |record: &Logged| match record {
        Logged::Workspace(record) => matches!(**record, LogRecord::CutpointsSet(_)),
        _ => false,
    };
    let is_told = |record: &&Logged| {
        is_of_limits(record) || matches!(record, Logged::Event(_) | Logged::Tick(_))
    };
    let killed = killed(&before, records.iter().filter(is_told));
    start(&killed, START + later, 1_000_000).stop().unwrap();
    assert_eq!(moves(&killed, from), undisturbed);
    starts_as_a_fold(&killed, START + later);
}

#[test]
fn files_and_settings_and_another_day_bring_new_limits_at_a_start() {
    let mut scratch = shop();
    start(&scratch, START, 1_000_000).stop().unwrap();
    start(&scratch, START + HOUR, 1_000_000).stop().unwrap();
    assert_eq!(recorded(&scratch).len(), 1);
    let more = "order_id,customer_id,date,total\nnew,c-77,2026-11-22,900.00\n";
    scratch.import(&[scratch.file("more.csv", more)]);
    starts_as_a_fold(&scratch, START + 2 * HOUR);
    assert_eq!(recorded(&scratch).len(), 2);
    start(&scratch, START + 24 * HOUR, 1_000_000)
        .stop()
        .unwrap();
    assert_eq!(recorded(&scratch).len(), 3);
    // What was said of an earlier moment stays as it was.
    let then = of_batch(&scratch, START + 2 * HOUR);
    assert!(then.values().flatten().any(|name| name == "value_high"));

    let path = scratch.workspace.root().join(CONFIG_FILE);
    let mut config = std::fs::read_to_string(&path).unwrap();
    config = config.replace("high_share = 0.2", "high_share = 0.5");
    std::fs::write(&path, config).unwrap();
    scratch.workspace = Workspace::find(scratch.workspace.root()).unwrap();
    starts_as_a_fold(&scratch, START + 25 * HOUR);
    assert_eq!(recorded(&scratch).len(), 4);
}

/// Whoever starts sees everyone as whoever folds the history.
fn starts_as_a_fold(scratch: &Scratch, now: i64) {
    let live = start(scratch, now, 1_000_000);
    let told = of_live(&live);
    live.stop().unwrap();
    assert_eq!(told, of_batch(scratch, now));
}
