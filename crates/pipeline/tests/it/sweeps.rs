//! Large accounts: however their customers are gone through, what comes of it is what would come of
//! a look at all of them at once, and nobody else waits.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use regulars_core::{Cause, CustomerId, Direction, Timestamp, Transition};
use regulars_pipeline::Silent;
use regulars_pipeline::live::{Engine, Live, LiveOptions, StartOptions};
use regulars_store::Store;
use regulars_store::log::{LogRecord, Logged};
use serde_json::{Value, json};

use crate::equivalence::{HOUR, START, append, copy_directory, start};
use crate::scratch::Scratch;

const RULES: &str = r#"
[[segment]]
name = "of_pro"
rule = "account.plan = 'pro'"

[[segment]]
name = "renewed"
rule = "account.renewed within 3 hours"

[[segment]]
name = "of_buyers"
rule = "account_orders >= 3 and orders < 2"

[[segment]]
name = "pro_viewers"
rule = "account.plan = 'pro' and events 'Product Viewed' in last 2 hours >= 1"

[[segment]]
name = "one_of_two"
rule = "(account.renewed within 3 hours) and not (events 'Product Viewed' in last 3 hours >= 1) or events 'Product Viewed' in last 3 hours >= 1 and not (account.renewed within 3 hours)"

[[segment]]
name = "quiet"
rule = "account_last_activity before 1 hour ago"

[[segment]]
name = "dear_to_few"
rule = "value_tier = 'high' and account_active_customers < 400 or value_tier = 'low' and account.plan = 'pro'"

[[segment]]
name = "of_few"
rule = "account_active_customers < 6"
"#;

/// What a transition is, whenever it was found: when it happened, which way, and why.
type Moves = BTreeMap<(CustomerId, String, u64), (Timestamp, Direction, Option<Cause>)>;

/// Those of some transitions, none of which may be there twice.
fn moves(transitions: impl IntoIterator<Item = Transition>) -> Moves {
    let mut moves = Moves::new();
    for moved in transitions {
        // Whether time went by while nothing ran depends on when it ran.
        let cause = Some(moved.cause).filter(|cause| matches!(cause, Cause::Event { .. }));
        let key = (moved.customer, moved.segment.to_string(), moved.sequence);
        let before = moves.insert(key.clone(), (moved.occurred_at, moved.direction, cause));
        assert_eq!(before, None, "{key:?} twice");
    }
    moves
}

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), RULES).unwrap();
    scratch
}

fn user(n: usize) -> String {
    format!("u-{n}")
}

fn group(user: &str, account: &str, at: i64, traits: &Value) -> Value {
    json!({
        "type": "group", "userId": user, "groupId": account, "traits": traits,
        "messageId": format!("{user} {account} {at}"), "timestamp": Timestamp(at).to_string(),
    })
}

fn tracked(user: &str, name: &str, at: i64, properties: &Value) -> Value {
    json!({
        "type": "track", "userId": user, "event": name, "properties": properties,
        "messageId": format!("{user} {name} {at}"), "timestamp": Timestamp(at).to_string(),
    })
}

/// The first `customers` belong to `acme`, half as many to `bolt`.
fn joined(scratch: &Scratch, customers: usize) {
    let live = start(scratch, START, 1_000_000);
    let of_acme = (0..customers).map(|n| group(&user(n), "acme", START, &json!({})));
    let of_bolt = (0..customers / 2).map(|n| group(&user(9_000 + n), "bolt", START, &json!({})));
    // The first order of all has everyone looked at: it is not that of which the tests are.
    let first = tracked(
        "early",
        "Order Completed",
        START,
        &json!({"order_id": "first", "total": 5}),
    );
    let calls: Vec<Value> = of_acme.chain(of_bolt).chain([first]).collect();
    for calls in calls.chunks(1_000) {
        append(&live, calls, START);
    }
    live.stop().unwrap();
}

/// The workspace as it lies on disk, elsewhere.
fn copy_of(root: &Path) -> Scratch {
    let copy = scratch();
    let to = copy.workspace.root().join("data");
    std::fs::remove_dir_all(&to).unwrap();
    copy_directory(&root.join("data"), &to);
    copy
}

/// Something that happens to a random customer of an account, or to the account.
fn random_event(rng: &mut ChaCha8Rng, customers: usize, at: i64) -> Value {
    let (account, user) = match rng.random_range(0..3) {
        0 => ("bolt", user(9_000 + rng.random_range(0..customers / 2))),
        _ => ("acme", user(rng.random_range(0..customers))),
    };
    let late = at - rng.random_range(0..3) * HOUR / 2;
    match rng.random_range(0..10) {
        0..=2 => {
            let plan = ["free", "pro"][rng.random_range(0..2)];
            group(&user, account, late, &json!({"plan": plan}))
        }
        3 => {
            let renewed = json!({"renewed": Timestamp(late).to_string()});
            group(&user, account, at, &renewed)
        }
        4 => group(
            &user,
            ["acme", "bolt"][rng.random_range(0..2)],
            at,
            &json!({}),
        ),
        5 | 6 => {
            let order = format!("o-{}", rng.random_range(0..40));
            tracked(
                &user,
                "Order Completed",
                late,
                &json!({"order_id": order, "total": rng.random_range(1..90)}),
            )
        }
        7 => json!({
            "type": "alias", "userId": user, "previousId": format!("d-{at}"),
            "messageId": format!("alias {at}"), "timestamp": Timestamp(at).to_string(),
        }),
        _ => tracked(
            &user,
            "Product Viewed",
            late,
            &json!({"product_id": "coat"}),
        ),
    }
}

/// Two runs found the same; the first difference is told.
fn check(found: &Moves, expected: &Moves, what: &str) {
    let differs = |one: &Moves, other: &Moves| {
        let differing = one
            .iter()
            .find(|&(key, moved)| other.get(key) != Some(moved));
        differing.map(|(key, moved)| format!("{key:?} {moved:?}, not {:?}", other.get(key)))
    };
    let missing = differs(expected, found);
    assert_eq!(missing, None, "missing: {what}");
    let invented = differs(found, expected);
    assert_eq!(invented, None, "invented: {what}");
}

/// What the log has from an offset on that an engine folds.
fn records_since(scratch: &Scratch, offset: u64) -> Vec<(u64, Logged)> {
    let store = scratch.workspace.open_read().unwrap();
    let records = store.logged(offset).map(Result::unwrap);
    let told = |record: &Logged| {
        matches!(
            record,
            Logged::Event(_) | Logged::Tick(_) | Logged::Workspace(_)
        )
    };
    records.filter(|(_, record)| told(record)).collect()
}

fn engine_of(scratch: &Scratch, now: i64) -> (Engine, Store) {
    let mut store = scratch.workspace.open().unwrap();
    let options = StartOptions {
        now: Timestamp(now),
        threads: 1,
    };
    let engine = Engine::start(&scratch.workspace, &mut store, options, &Silent).unwrap();
    (engine, store)
}

#[test]
fn sweeps_find_what_a_look_at_everyone_at_once_finds_and_go_on_between_events() {
    const CUSTOMERS: usize = 1_200;
    // At one event some customers of accounts, some of a look at everyone and the customer of the
    // event are looked at.
    const SEGMENTS: usize = 20;
    const MOST: usize = (256 + 64 + 8 + 8) * SEGMENTS;
    for seed in 0..3 {
        let base = scratch();
        joined(&base, CUSTOMERS);
        let (one, other) = (
            copy_of(base.workspace.root()),
            copy_of(base.workspace.root()),
        );
        let from = base.workspace.open_read().unwrap().next_offset();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut now = START;
        for _ in 0..3 {
            // Over midnight.
            now += rng.random_range(3..6) * HOUR;
            let live = start(&base, now, 1_000_000);
            let events: Vec<Value> = (0..12)
                .map(|n| random_event(&mut rng, CUSTOMERS, now - 12 + n))
                .collect();
            append(&live, &events, now);
            live.stop().unwrap();
        }
        let (mut at_once, _store) = engine_of(&one, START);
        let (mut in_pieces, _other_store) = engine_of(&other, START);
        let (mut expected, mut found) = (at_once.take_found(), in_pieces.take_found());
        let (mut most, mut sweeping, mut limits) = (0, 0, 0);
        for (offset, record) in records_since(&base, from) {
            at_once.fold(offset, record.clone()).unwrap();
            at_once.find_all();
            expected.extend(at_once.take_found());
            // What waited for earlier ones is found before new limits come into force.
            let is_of_limits = matches!(&record, Logged::Workspace(of) if matches!(**of, LogRecord::CutpointsSet(_)));
            in_pieces.fold(offset, record).unwrap();
            let of_record = in_pieces.take_found();
            if is_of_limits {
                limits += 1;
            } else {
                most = most.max(of_record.len());
            }
            sweeping += usize::from(in_pieces.is_sweeping());
            found.extend(of_record);
        }
        in_pieces.find_all();
        found.extend(in_pieces.take_found());
        assert!(expected.len() > 5 * CUSTOMERS, "{} moves", expected.len());
        assert!(most <= MOST, "{most} moves found at one record");
        assert!(limits > 0, "limits stayed as they were");
        assert!(
            sweeping > 10,
            "sweeps were open after {sweeping} records only"
        );
        let (expected, found) = (moves(expected), moves(found));
        check(&found, &expected, &format!("seed {seed}"));
        assert_eq!(in_pieces.sizes(), at_once.sizes(), "seed {seed}");
    }
}

/// Starts, and lets somebody look at the workspace each time transitions are on disk.
fn watched(
    scratch: &Scratch,
    (now, move_after): (i64, u64),
    mut each: impl FnMut(&[Transition]) + Send + 'static,
) -> Live {
    let (engine, store) = engine_of(scratch, now);
    let options = LiveOptions {
        clock: Arc::new(move || Timestamp(now)),
        queue: 16,
        behind: 10_000,
        unmoved: 1_000_000,
        threads: 1,
        move_after,
        on_transitions: Box::new(move |rows| {
            let transitions: Vec<Transition> =
                rows.iter().map(|row| row.transition.clone()).collect();
            each(&transitions);
        }),
    };
    Live::start(scratch.workspace.clone(), store, engine, options).unwrap()
}

/// All transitions of a workspace but those of limits that follow everyone, which are computed anew
/// at each start.
fn recorded(scratch: &Scratch) -> Moves {
    let store = scratch.workspace.open_read().unwrap();
    let records = store.logged(0).map(|entry| entry.unwrap().1);
    let transitions = records.flat_map(|record| match record {
        Logged::Found(found) => found.transitions,
        _ => Vec::new(),
    });
    moves(transitions.filter(|moved| !matches!(moved.cause, Cause::Models)))
}

/// Changes of both accounts, and what their customers do meanwhile, all of which comes at once.
fn upheaval(customers: usize, at: i64) -> Vec<Value> {
    let later = |ms: i64| at - 1_000 + ms;
    let mut events = vec![
        group(&user(0), "acme", later(0), &json!({"plan": "pro"})),
        group(&user(9_000), "bolt", later(1), &json!({"plan": "pro"})),
    ];
    let last = customers - 1;
    events.push(tracked(&user(last), "Product Viewed", later(2), &json!({})));
    events.push(group(&user(last - 1), "bolt", later(3), &json!({})));
    let order = |n: i64| json!({"order_id": n, "total": 5});
    events.extend(
        (0..4).map(|n| tracked(&user(last - 2), "Order Completed", later(4 + n), &order(n))),
    );
    events.push(group(&user(1), "acme", later(10), &json!({"plan": "free"})));
    events.push(tracked("stranger", "Product Viewed", later(11), &json!({})));
    events.push(group(&user(2), "acme", later(12), &json!({"plan": "pro"})));
    events.push(json!({
        "type": "alias", "userId": user(3), "previousId": user(4), "messageId": "alias",
        "timestamp": Timestamp(later(13)).to_string(),
    }));
    events
}

#[test]
fn a_kill_within_sweeps_loses_doubles_and_invents_no_transition() {
    for move_after in [50, 1_000_000] {
        kill_within_sweeps(move_after);
    }
}

/// Kills while transitions are written, where so many records are moved to the history at a time.
fn kill_within_sweeps(move_after: u64) {
    const CUSTOMERS: usize = 2_500;
    let base = scratch();
    joined(&base, CUSTOMERS);
    let now = START + HOUR;
    // As a kill leaves it each time when some of the transitions are on disk.
    let killed = Arc::new(Mutex::new(Vec::new()));
    let (kills, root) = (Arc::clone(&killed), base.workspace.root().to_owned());
    let live = Arc::new(watched(&base, (now, move_after), move |_| {
        let mut kills = kills.lock().unwrap();
        if kills.len() < 4 {
            kills.push(copy_of(&root));
        }
    }));
    append(&live, &upheaval(CUSTOMERS, now), now);
    // What was found so far is on disk before the folder goes on.
    let is_open = |live: &Arc<Live>| {
        let writer = Arc::clone(live);
        live.ask_of(Vec::new(), move |engine| {
            writer.with_store(|_| ()).unwrap();
            engine.is_sweeping()
        })
    };
    while is_open(&live).unwrap() {}
    live.stop().unwrap();
    // Nothing of what is killed happened to the base itself.
    let expected = recorded(&base);
    assert!(expected.len() > 4 * CUSTOMERS);
    let mut within = 0;
    for killed in killed.lock().unwrap().iter() {
        let so_far = recorded(killed).len();
        within += usize::from(so_far < expected.len());
        let live = start(killed, now, move_after);
        live.settle().unwrap();
        live.stop().unwrap();
        let what = format!("killed after {so_far} transitions");
        check(&recorded(killed), &expected, &what);
    }
    assert!(within > 1, "{within} kills within");
}

#[test]
fn somebody_else_is_told_and_answered_while_an_account_is_swept() {
    const CUSTOMERS: usize = 3_000;
    let base = scratch();
    joined(&base, CUSTOMERS);
    let now = START + HOUR;
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let live = Arc::new(watched(&base, (now, 1_000_000), move |moved| {
        tell.lock().unwrap().extend_from_slice(moved);
    }));
    let find = |name: String| {
        let found = live.with_store(move |store| store.vault().unwrap().find(&name));
        found.flatten().unwrap()
    };
    let (last, first) = (find(user(CUSTOMERS - 1)), find(user(9_001)));
    // The folder is held until the events, and the question behind them, stand in its queue.
    let (hold, held) = channel::<()>();
    let holder = Arc::clone(&live);
    let holder =
        std::thread::spawn(move || holder.ask_of(Vec::new(), move |_| held.recv().is_ok()));
    append(&live, &upheaval(CUSTOMERS, now), now);
    let asker = Arc::clone(&live);
    let asker = std::thread::spawn(move || {
        asker.ask_of(vec![last], move |engine| {
            let names = |customer| engine.segments_of(customer).unwrap();
            (engine.is_sweeping(), names(last), names(first))
        })
    });
    std::thread::park_timeout(Duration::from_millis(200));
    hold.send(()).unwrap();
    assert_eq!(holder.join().unwrap(), Some(true));
    let (is_sweeping, of_last, of_first) = asker.join().unwrap().unwrap();
    assert!(is_sweeping);
    let is_pro =
        |names: &[regulars_core::SegmentName]| names.iter().any(|name| name.as_str() == "of_pro");
    assert!(is_pro(&of_last) && !is_pro(&of_first));
    // What is asked of everyone is answered when everyone was told.
    let sizes = live.ask(|engine| (engine.is_sweeping(), engine.size("of_pro").unwrap()));
    assert_eq!(sizes, Some((false, CUSTOMERS + CUSTOMERS / 2 - 1)));
    live.settle().unwrap();
    let place = |customer| {
        let told = told.lock().unwrap();
        told.iter()
            .position(|moved: &Transition| moved.customer == customer)
    };
    let stranger = find("stranger".to_owned());
    let all = told.lock().unwrap().len();
    let said = place(stranger).unwrap();
    assert!(said < all / 2, "said at {said} of {all}");
    live.stop().unwrap();
}

#[test]
fn time_wakes_an_account_once_and_not_its_customers() {
    const CUSTOMERS: usize = 1_500;
    const MINUTE: i64 = HOUR / 60;
    let base = scratch();
    joined(&base, CUSTOMERS);
    let live = start(&base, START, 1_000_000);
    let renewed = json!({"renewed": Timestamp(START).to_string()});
    append(
        &live,
        &[group(&user(0), "acme", START - 1, &renewed)],
        START,
    );
    live.stop().unwrap();
    let (mut engine, _store) = engine_of(&base, START);
    engine.take_found();
    let mut offset = engine.folded_to();
    let mut tick = |engine: &mut Engine, at: i64| {
        engine.fold(offset, Logged::Tick(Timestamp(at))).unwrap();
        offset += 1;
        engine.take_found()
    };
    let later = START + 3 * HOUR + MINUTE;
    let first = tick(&mut engine, later);
    assert!(engine.is_sweeping());
    assert!((1..=3 * 256).contains(&first.len()), "{}", first.len());
    engine.find_all();
    let left = first.into_iter().chain(engine.take_found());
    let left = left.filter(|moved| moved.segment.as_str() == "renewed");
    let at: Vec<(Timestamp, Direction)> = left
        .map(|moved| (moved.occurred_at, moved.direction))
        .collect();
    let end = (Timestamp(START + 3 * HOUR), Direction::Exited);
    assert_eq!(at, vec![end; CUSTOMERS]);
}

#[test]
fn an_account_whose_customers_fall_silent_is_not_looked_at_for_each_of_them() {
    const CUSTOMERS: usize = 1_500;
    let base = scratch();
    joined(&base, CUSTOMERS);
    let later = START + HOUR;
    let live = start(&base, later, 1_000_000);
    let viewed = (0..CUSTOMERS).map(|n| {
        let at = later - n as i64 * 1_000;
        tracked(&user(n), "Product Viewed", at, &json!({}))
    });
    append(&live, &viewed.collect::<Vec<_>>(), later);
    live.stop().unwrap();
    let (mut engine, _store) = engine_of(&base, later);
    engine.take_found();
    let silent = later - CUSTOMERS as i64 * 1_000 + 30 * 24 * HOUR;
    let mut looks = 0;
    let mut found = Vec::new();
    let mut offset = engine.folded_to();
    while let Some(at) = engine.next_wake().filter(|at| at.0 < silent + 24 * HOUR) {
        engine.fold(offset, Logged::Tick(at)).unwrap();
        offset += 1;
        looks += usize::from(at.0 > silent);
        found.extend(engine.take_found());
    }
    engine.find_all();
    found.extend(engine.take_found());
    let few = found
        .iter()
        .filter(|moved| moved.segment.as_str() == "of_few");
    // When the sixth of those who were active last no longer is.
    let at = Timestamp(later - 5 * 1_000 + 30 * 24 * HOUR);
    let entered = few.filter(|moved| moved.occurred_at == at).count();
    assert_eq!(entered, CUSTOMERS);
    assert!((2..CUSTOMERS / 10).contains(&looks), "{looks} looks");
}
