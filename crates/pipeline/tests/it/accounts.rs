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
