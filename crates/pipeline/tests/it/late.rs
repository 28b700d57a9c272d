//! Events that come late: each finds its place, and a burst of them is folded again once.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use regulars_core::{Cause, Timestamp, Transition};
use regulars_pipeline::live::Live;
use regulars_pipeline::{Base, FoldOptions, Silent, TraitView, find, view};
use regulars_store::log::Logged;
use serde_json::{Value, json};

use crate::equivalence::{
    HOUR, Memberships, RULES, START, append, event, of_batch, of_live, start, without_channels,
};
use crate::scratch::Scratch;

const NEVER_MOVED: u64 = 1_000_000;

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), RULES).unwrap();
    let orders = "order_id,customer_id,date,total\no-1,c-1,2026-11-20,20.00\n\
                  o-90,c-1,2026-11-22,12.00\no-9,c-2,2026-11-23,31.00\n";
    scratch.import(&[scratch.file("orders.csv", orders)]);
    scratch
}

fn refolds(live: &Live) -> u64 {
    live.ask(|engine| engine.refolds()).unwrap()
}

fn call(kind: &str, n: i64, at: i64, rest: Value) -> Value {
    let mut call = json!({
        "type": kind, "userId": "c-1", "messageId": format!("{kind} {n} {at}"),
        "timestamp": Timestamp(at).to_string(),
    });
    call.as_object_mut()
        .unwrap()
        .extend(rest.as_object().unwrap().clone());
    call
}

/// The `n`th of many calls of somebody, each of which changes the past in another way.
fn late(n: i64) -> Value {
    let at = START - (n * 37 % 2_000) * HOUR / 3 - HOUR;
    let product = json!({"product_id": format!("p-{}", n % 5), "price": 7, "quantity": 1});
    let order = |name: &str, id: i64| {
        json!({"event": name, "properties": {
            "order_id": format!("late-{id}"), "total": 20 + n % 7, "products": [product],
            "channel": (["ads", "email"][n as usize % 2]),
            "shipping_address": {"country": (["DE", "AT", "FR"][n as usize % 3])},
        }})
    };
    match n % 8 {
        0 => call(
            "page",
            n,
            at,
            json!({"context": {"page": {"path": format!("/{n}")}}}),
        ),
        1 => call(
            "track",
            n,
            at,
            json!({"event": "Product Added", "properties": product}),
        ),
        2 => {
            let mut traits = json!({"address": {"country": (["DE", "AT"][n as usize / 8 % 2])}});
            // Each is said by some calls only.
            traits[format!("size_{}", n / 8 % 5)] = n.into();
            call("identify", n, at, json!({"traits": traits}))
        }
        3 | 4 => call("track", n, at, order("Order Completed", n)),
        5 => call("track", n, at, order("Order Updated", n - 1)),
        6 => call("track", n, at, order("Order Cancelled", n - 2)),
        _ => call("track", n, at, order("Order Refunded", n - 4)),
    }
}

/// Traits, declared traits and orders of the customer.
type Seen = [Value; 3];

/// Values of traits by name, but of the one that follows all customers.
fn values(traits: &[TraitView]) -> Value {
    let own = traits.iter().filter(|of| of.name != "usual_range");
    own.map(|of| (of.name.to_string(), of.value.clone()))
        .collect()
}

fn seen_live(live: &Live) -> Seen {
    let found = live.with_store(|store| store.vault().unwrap().find("c-1"));
    let customer = found.flatten().unwrap();
    let seen = live.ask(move |engine| engine.customer(customer, Timestamp(START)).unwrap());
    let seen = seen.flatten().unwrap();
    let orders = json!(seen.orders);
    [values(&seen.traits), json!(seen.declared), orders]
}

/// The same, as everything on disk is folded from the beginning.
fn seen_at_once(scratch: &Scratch, live: &Live) -> Seen {
    let folded = live.read_beside(|store| {
        let options = FoldOptions::at(Timestamp(START), 1);
        let config = scratch.workspace.config();
        let base = Base::fold(store, config, &scratch.catalogue(), options, &Silent)?;
        view(store, &base, find(store, &base, "c-1")?)
    });
    let seen = folded.unwrap().unwrap();
    let orders = json!(seen.orders);
    [values(&seen.traits), json!(seen.declared), orders]
}

#[test]
fn a_thousand_late_events_of_a_customer_are_folded_again_once() {
    let scratch = scratch();
    let live = start(&scratch, START, NEVER_MOVED);
    // What is known of them is the latest of all.
    let now: Vec<Value> = (0..8)
        .map(|n| {
            let mut call = late(n);
            call["timestamp"] = Timestamp(START).to_string().into();
            call["messageId"] = format!("now {n}").into();
            call
        })
        .collect();
    append(&live, &now, START);
    let before = refolds(&live);
    let calls: Vec<Value> = (8..1_008).map(late).collect();
    for batch in calls.chunks(250) {
        append(&live, batch, START);
        assert_eq!(seen_live(&live), seen_at_once(&scratch, &live));
    }
    assert!(
        refolds(&live) <= before + 1,
        "{} and {before}",
        refolds(&live)
    );
    let told = of_live(&live);
    live.stop().unwrap();
    assert_eq!(
        without_channels(&of_batch(&scratch, START)),
        without_channels(&told)
    );
}

/// Transitions of all time, but for what differs from workspace to workspace.
fn transitions(scratch: &Scratch) -> Vec<(String, u64, String, Timestamp, Timestamp, String)> {
    let store = scratch.workspace.open_read().unwrap();
    let mut all = Vec::new();
    for entry in store.logged(0) {
        if let (_, Logged::Found(found)) = entry.unwrap() {
            all.extend(found.transitions.iter().map(told));
        }
    }
    all.sort();
    all
}

fn told(found: &Transition) -> (String, u64, String, Timestamp, Timestamp, String) {
    let cause = match &found.cause {
        Cause::Event { name, .. } => name.clone(),
        cause => format!("{cause:?}"),
    };
    let (segment, direction) = (found.segment.to_string(), format!("{:?}", found.direction));
    (
        segment,
        found.sequence,
        direction,
        found.occurred_at,
        found.recorded_at,
        cause,
    )
}

/// Tells the events of some hours in batches of a size; where `moves`, everything goes to the
/// history again and again, so that late events are folded again from there.
fn tell(scratch: &Scratch, hours: &[(i64, Vec<Value>)], size: usize, moves: bool) -> Memberships {
    let (first, _) = hours[0];
    let mut live = start(scratch, first, if moves { 1 } else { NEVER_MOVED });
    for (now, events) in hours {
        if *now > first {
            live.stop().unwrap();
            live = start(scratch, *now, if moves { 1 } else { NEVER_MOVED });
        }
        for (n, batch) in events.chunks(size).enumerate() {
            append(&live, batch, *now);
            if moves && n % 3 == 0 {
                live.move_now().unwrap();
            }
        }
    }
    let memberships = of_live(&live);
    live.stop().unwrap();
    memberships
}

#[test]
fn late_events_come_to_the_same_in_whatever_batches() {
    for seed in 0..2 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut n = 0;
        let hours: Vec<(i64, Vec<Value>)> = (0..2)
            .map(|day| {
                let now = START + day * 11 * HOUR;
                let events = (0..24).map(|_| {
                    n += 1;
                    let mut event = event(&mut rng, n, now);
                    if event["event"] == "Order Completed" {
                        let names = ["Completed", "Updated", "Completed", "Refunded"];
                        event["event"] = format!("Order {}", names[n % 4]).into();
                    }
                    // Three in four are told up to two days late.
                    let late = rng.random_range(0..4).min(1) * rng.random_range(0..48 * 4);
                    event["timestamp"] = Timestamp(now - late * HOUR / 4).to_string().into();
                    event
                });
                (now, events.collect())
            })
            .collect();
        let reference = scratch();
        let expected = tell(&reference, &hours, 1, true);
        let all = transitions(&reference);
        assert!(all.len() > 20, "seed {seed}: {}", all.len());
        let now = hours.last().unwrap().0;
        assert_eq!(
            without_channels(&of_batch(&reference, now)),
            without_channels(&expected),
            "seed {seed}"
        );
        for size in [1, 7, 24] {
            let scratch = scratch();
            tell(&scratch, &hours, size, false);
            similar(
                &transitions(&scratch),
                &all,
                &format!("seed {seed}, batches of {size}"),
            );
        }
    }
}

fn similar<T: std::fmt::Debug + PartialEq>(some: &[T], others: &[T], report: &str) {
    let differ = some.iter().zip(others).find(|(one, other)| one != other);
    assert!(differ.is_none(), "{report}: {differ:#?}");
    assert_eq!(some.len(), others.len(), "{report}");
}
