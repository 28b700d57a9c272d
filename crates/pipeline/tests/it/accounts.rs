//! Accounts: who belongs to one sees its traits in rules, live, after a start and in batch.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use regulars_core::{Cause, Direction, Timestamp, Transition};
use regulars_pipeline::view;
use serde_json::{Value, json};

use crate::equivalence;
use crate::live::{MINUTE, Running, START, track};
use crate::scratch::Scratch;

const RULES: &str = r#"
[[segment]]
name = "of_pro"
rule = "account.plan = 'pro'"

[[segment]]
name = "renewed"
rule = "account.renewed within 1 hour"

[[segment]]
name = "of_acme"
rule = "account = 'acme'"

[[segment]]
name = "of_many"
rule = "account_customers >= 3"

[[segment]]
name = "of_buyers"
rule = "account_orders >= 2 and account_revenue > 50"

[[segment]]
name = "first_of_few"
rule = "orders = 1 and account_orders < 2"

[[segment]]
name = "account_is_quiet"
rule = "account_last_order before 1 hour ago"

[[segment]]
name = "of_two_active"
rule = "account_active_customers >= 2"

[[segment]]
name = "nothing_happens"
rule = "account_last_activity before 2 days ago"

[[segment]]
name = "typo"
rule = "account.plans = 'pro'"
"#;

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), RULES).unwrap();
    scratch
}

/// A call that puts somebody into an account and gives it traits.
fn group(user: &str, account: &str, after_ms: i64, traits: &Value) -> Value {
    json!({
        "type": "group", "userId": user, "groupId": account,
        "messageId": format!("{user} {account} {after_ms}"),
        "timestamp": Timestamp(START + after_ms).to_string(), "traits": traits,
    })
}

/// Who is in a segment, in the given order.
fn inside(running: &Running, segment: &str, users: &[&str]) -> Vec<bool> {
    let is_in = |user: &&str| running.is_in(user, segment);
    users.iter().map(is_in).collect()
}

#[test]
fn everyone_of_an_account_moves_when_its_traits_do() {
    let scratch = scratch();
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    let none = json!({});
    running.send(&[
        group("u-1", "acme", 0, &json!({"plan": "free"})),
        group("u-2", "acme", 0, &none),
        group("u-3", "other", 0, &json!({"plan": "free"})),
    ]);
    let users = ["u-1", "u-2", "u-3"];
    assert_eq!(inside(&running, "of_acme", &users), [true, true, false]);
    assert_eq!(inside(&running, "of_pro", &users), [false; 3]);
    // One says it, and it is so of all.
    running
        .at(10 * MINUTE)
        .send(&[group("u-2", "acme", 9 * MINUTE, &json!({"plan": "pro"}))]);
    assert_eq!(inside(&running, "of_pro", &users), [true, true, false]);
    let first = running.next_of("of_pro");
    let second = running.next_of("of_pro");
    assert_ne!(first.customer, second.customer);
    for entered in [first, second] {
        assert_eq!(entered.direction, Direction::Entered);
        assert_eq!(entered.occurred_at, Timestamp(START + 9 * MINUTE));
        assert!(matches!(&entered.cause, Cause::Event { name, .. } if name == "group"));
    }
    // What was said before and is told late changes nothing.
    running.send(&[group("u-1", "acme", 8 * MINUTE, &json!({"plan": "free"}))]);
    assert_eq!(inside(&running, "of_pro", &users), [true, true, false]);
    // The account is that of the latest call, whenever an older one is told.
    running.at(12 * MINUTE).send(&[
        group("u-1", "other", 12 * MINUTE, &none),
        group("u-1", "acme", 11 * MINUTE, &none),
    ]);
    assert_eq!(inside(&running, "of_pro", &users), [false, true, false]);
    assert_eq!(inside(&running, "of_acme", &users), [false, true, false]);
    let left = running.next_of("of_pro");
    assert_eq!(
        (left.direction, left.occurred_at),
        (Direction::Exited, Timestamp(START + 12 * MINUTE))
    );
    running.stop();
    // A start says the same, and finds nobody who moved.
    let running = Running::start(&scratch, &clock);
    assert_eq!(inside(&running, "of_pro", &users), [false, true, false]);
    running.send(&[group("u-3", "other", 13 * MINUTE, &json!({"plan": "pro"}))]);
    assert_eq!(inside(&running, "of_pro", &users), [true; 3]);
    let seen = running.stop();
    assert_eq!(seen.len(), 2, "{seen:#?}");
}

#[test]
fn time_takes_all_members_out_at_the_same_instant() {
    let scratch = scratch();
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    let renewed = |at: i64| json!({"renewed": Timestamp(START + at).to_string()});
    running.send(&[
        group("u-1", "acme", 0, &renewed(0)),
        group("u-2", "acme", 0, &json!({})),
    ]);
    assert_eq!(inside(&running, "renewed", &["u-1", "u-2"]), [true; 2]);
    // What was due before a call happened before it, whenever that is found out.
    running
        .at(90 * MINUTE)
        .send(&[group("u-1", "acme", 80 * MINUTE, &renewed(80 * MINUTE))]);
    assert_eq!(inside(&running, "renewed", &["u-1", "u-2"]), [true; 2]);
    let mut moves: Vec<Transition> = running.stop();
    moves.retain(|moved| moved.segment.as_str() == "renewed");
    moves.sort_by_key(|moved| (moved.sequence, moved.customer));
    let told: Vec<(i64, bool)> = moves
        .iter()
        .map(|moved| (moved.occurred_at.0 - START, moved.cause == Cause::Time))
        .collect();
    let (out, again) = ((60 * MINUTE, true), (80 * MINUTE, false));
    assert_eq!(told, [(0, false), (0, false), out, out, again, again]);
}

/// An order of somebody.
fn order(user: &str, order: &str, after_ms: i64, total: f64) -> Value {
    let mut event = track(
        "Order Completed",
        after_ms,
        &json!({"order_id": order, "total": total}),
    );
    event["userId"] = user.into();
    event["messageId"] = format!("{user} {order} {after_ms}").into();
    event
}

/// What happened to a segment: how long after the start, and whether somebody entered.
fn moves(all: &[Transition], segment: &str) -> Vec<(i64, bool)> {
    let of_segment = all.iter().filter(|moved| moved.segment.as_str() == segment);
    let mut moves: Vec<(i64, bool)> = of_segment
        .map(|moved| {
            let entered = moved.direction == Direction::Entered;
            ((moved.occurred_at.0 - START) / MINUTE, entered)
        })
        .collect();
    moves.sort_unstable();
    moves
}

#[test]
fn what_customers_of_an_account_come_to_is_kept_up_to_date() {
    let scratch = scratch();
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    let users = ["u-1", "u-2", "u-3"];
    let join = |user: &str, after: i64| group(user, "acme", after * MINUTE, &json!({}));
    running.send(&[join("u-1", 0), join("u-2", 0), order("u-1", "o-1", 0, 40.0)]);
    assert_eq!(inside(&running, "of_buyers", &users), [false; 3]);
    assert_eq!(
        inside(&running, "first_of_few", &users),
        [true, false, false]
    );
    // An order of one is an order of the account.
    running
        .at(30 * MINUTE)
        .send(&[order("u-2", "o-2", 30 * MINUTE, 20.0)]);
    assert_eq!(inside(&running, "of_buyers", &users), [true, true, false]);
    // The second order is never the first of few: what an event changes is seen at once.
    assert_eq!(inside(&running, "first_of_few", &users), [false; 3]);
    running.at(40 * MINUTE).send(&[join("u-3", 40)]);
    assert_eq!(inside(&running, "of_many", &users), [true; 3]);
    // An order that another customer of the account turns out to have placed stays one of it, of
    // the time at which it was placed.
    running
        .at(50 * MINUTE)
        .send(&[order("u-3", "o-2", 31 * MINUTE, 20.0)]);
    assert_eq!(inside(&running, "of_buyers", &users), [true; 3]);
    // Two customers who are one are one customer of the account, and all are told.
    running.at(60 * MINUTE).send(&[json!({
        "type": "alias", "userId": "u-1", "previousId": "u-2", "messageId": "alias",
        "timestamp": Timestamp(START + 60 * MINUTE).to_string(),
    })]);
    assert_eq!(inside(&running, "of_many", &users), [false; 3]);
    running.at(91 * MINUTE);
    assert_eq!(running.next_of("account_is_quiet").cause, Cause::Time);
    let seen = running.stop();
    let enter = |at: i64| (at, true);
    assert_eq!(
        moves(&seen, "of_buyers")[..3],
        [enter(30), enter(30), enter(40)]
    );
    assert_eq!(moves(&seen, "first_of_few"), [(0, true), (30, false)]);
    assert_eq!(moves(&seen, "account_is_quiet"), [enter(90), enter(90)]);
    // A start and a batch command say the same.
    let names = ["of_buyers", "of_many", "first_of_few", "account_is_quiet"];
    let live = equivalence::start(&scratch, START + 91 * MINUTE, 1_000);
    let told = live.ask(move |engine| names.map(|name| engine.size(name).unwrap()));
    live.stop().unwrap();
    let batch = equivalence::of_batch(&scratch, START + 91 * MINUTE);
    let count = |name: &str| {
        let members = batch.values();
        members
            .filter(|of| of.iter().any(|segment| segment == name))
            .count()
    };
    assert_eq!(told.unwrap(), [2, 0, 0, 2]);
    assert_eq!(names.map(count), [2, 0, 0, 2]);
}

#[test]
fn an_account_falls_silent_to_the_millisecond() {
    let scratch = scratch();
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    let day = 24 * 60 * MINUTE;
    let viewed = |user: &str, after_ms: i64| {
        let mut event = track("Product Viewed", after_ms, &json!({"product_id": "coat"}));
        event["userId"] = user.into();
        event["messageId"] = format!("{user} {after_ms}").into();
        event
    };
    let join = |user: &str| group(user, "acme", 0, &json!({}));
    running.send(&[join("u-1"), join("u-2"), join("u-3")]);
    let users = ["u-1", "u-2", "u-3"];
    assert_eq!(inside(&running, "of_two_active", &users), [false; 3]);
    running.send(&[viewed("u-1", 0), viewed("u-2", 0)]);
    assert_eq!(inside(&running, "of_two_active", &users), [true; 3]);
    // What u-1 does later keeps u-1 active, and nobody else.
    let later = 5 * MINUTE;
    running.at(later).send(&[viewed("u-1", later)]);
    let quiet = running.at(later + 2 * day).next_of("nothing_happens");
    assert_eq!(quiet.occurred_at, Timestamp(START + later + 2 * day));
    let left = running.at(30 * day).next_of("of_two_active");
    assert_eq!(left.direction, Direction::Exited);
    assert_eq!(inside(&running, "of_two_active", &users), [false; 3]);
    let seen = running.stop();
    let at = |days: i64| days * 24 * 60;
    let expected = [(0, true); 3].into_iter().chain([(at(30), false); 3]);
    assert_eq!(moves(&seen, "of_two_active"), expected.collect::<Vec<_>>());
    let left = seen
        .iter()
        .filter(|moved| moved.segment.as_str() == "of_two_active");
    let mut left = left.filter(|moved| moved.direction == Direction::Exited);
    assert!(left.all(|moved| moved.occurred_at == Timestamp(START + 30 * day)));
}

#[test]
fn customers_of_a_large_account_move_at_the_same_moment_however_many_they_are() {
    const CUSTOMERS: usize = 900;
    let scratch = scratch();
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    let user = |n: usize| format!("u-{n}");
    let joins: Vec<Value> = (0..CUSTOMERS)
        .map(|n| group(&user(n), "acme", 0, &json!({})))
        .collect();
    running.send(&joins);
    // Before all of them were looked at, things happen to some: they stay, order, leave, and the
    // account changes again.
    let mut events = vec![group("u-0", "acme", MINUTE, &json!({"plan": "pro"}))];
    let later = |n: usize| 2 * MINUTE + n as i64;
    events.extend((880..884).map(|n| order(&user(n), &user(n), later(n), 1.0)));
    events.extend((890..894).map(|n| group(&user(n), "other", later(n), &json!({}))));
    running.at(3 * MINUTE).send(&events);
    running
        .at(4 * MINUTE)
        .send(&[group("u-1", "acme", 4 * MINUTE, &json!({"plan": "free"}))]);
    assert!(!running.is_in("u-0", "of_pro") && !running.is_in("u-899", "of_pro"));
    let seen = running.stop();
    let mut expected = vec![(1, true); CUSTOMERS];
    expected.extend([(2, false); 4]);
    expected.extend(vec![(4, false); CUSTOMERS - 4]);
    assert_eq!(moves(&seen, "of_pro"), expected);
    let of_pro = seen
        .iter()
        .filter(|moved| moved.segment.as_str() == "of_pro");
    let entered = of_pro.filter(|moved| moved.direction == Direction::Entered);
    for moved in entered {
        assert_eq!(moved.recorded_at, Timestamp(START + 3 * MINUTE));
        assert!(matches!(&moved.cause, Cause::Event { name, .. } if name == "group"));
    }
}

#[test]
fn moved_calls_and_an_earlier_moment_count_as_well() {
    let scratch = scratch();
    let calls = [
        group(
            "u-1",
            "acme",
            0,
            &json!({"plan": "free", "address": {"city": "Ulm"}}),
        ),
        group("u-2", "acme", 0, &json!({})),
        track("Product Viewed", 0, &json!({"product_id": "coat"})),
    ];
    for move_after in [1, 1_000] {
        let live = equivalence::start(&scratch, START, move_after);
        equivalence::append(&live, &calls, START);
        live.move_now().unwrap();
        live.stop().unwrap();
    }
    let later = START + 10 * MINUTE;
    let live = equivalence::start(&scratch, later, 1_000);
    let call = group("u-2", "acme", 9 * MINUTE, &json!({"plan": "pro"}));
    equivalence::append(&live, &[call], later);
    live.move_now().unwrap();
    live.stop().unwrap();
    let of_pro = |now: i64| {
        let members = equivalence::of_batch(&scratch, now).into_values();
        members
            .filter(|names| names.contains(&"of_pro".to_owned()))
            .count()
    };
    assert_eq!((of_pro(later - 1), of_pro(later)), (0, 2));
    let base = scratch.fold_at(Timestamp(later));
    let store = scratch.workspace.open_read().unwrap();
    let customer = store.vault().unwrap().find("u-1").unwrap();
    let shown = view(&store, &base, base.position(customer).unwrap()).unwrap();
    let traits = json!({"plan": "pro", "address.city": "Ulm", "city": "Ulm"});
    assert_eq!(serde_json::to_value(&shown.account).unwrap(), traits);
    let account = shown.traits.iter().find(|of| of.name == "account").unwrap();
    assert_eq!(account.value, "acme");
}

#[test]
fn what_no_account_has_is_told_with_what_to_do() {
    let scratch = scratch();
    let hints = |now: i64, segment: &str| {
        let base = scratch.fold_at(Timestamp(now));
        let number = base.catalogue.segments().iter();
        let number = number
            .map(|of| of.name.as_str())
            .position(|of| of == segment);
        let number = number.unwrap();
        base.hints(number, &base.availability()[number])
    };
    let customers = "customer_id,email\nu-9,nine@example.org\n";
    scratch.import(&[scratch.file("customers.csv", customers)]);
    let before = hints(START, "of_acme");
    assert_eq!(
        before,
        ["nobody belongs to an account: send `group` calls to the tracking API"]
    );
    let before = hints(START, "of_pro");
    assert_eq!(
        before,
        ["no account has a trait `plan`: send it with `group`"]
    );
    let live = equivalence::start(&scratch, START, 1_000);
    let call = group("u-1", "acme", 0, &json!({"plan": "free"}));
    equivalence::append(&live, &[call], START);
    live.stop().unwrap();
    assert!(hints(START, "of_pro").is_empty() && hints(START, "of_acme").is_empty());
    let near = "no account has a trait `plans`: did you mean `account.plan`?";
    assert_eq!(hints(START, "typo"), [near]);
}
