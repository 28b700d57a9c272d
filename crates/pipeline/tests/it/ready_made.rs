//! Every ready-made segment of what customers do is entered and left.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use regulars_core::{Direction, Timestamp};
use regulars_pipeline::Config;
use serde_json::{Value, json};

use crate::equivalence::of_batch;
use crate::live::{MINUTE, Running, START, track};
use crate::scratch::Scratch;

const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What happens to `c-17` so many milliseconds after the start, and the moves that come of it.
struct Step {
    after_ms: i64,
    events: Vec<Value>,
    /// Into or out of the segment, and when.
    moves: Option<(Direction, i64)>,
}

/// Nothing but time goes by.
fn time(after_ms: i64) -> Step {
    Step {
        after_ms,
        events: Vec::new(),
        moves: None,
    }
}

fn happens(after_ms: i64, event: &str, properties: &Value) -> Step {
    Step {
        events: vec![track(event, after_ms, properties)],
        ..time(after_ms)
    }
}

impl Step {
    fn enters(self, at_ms: i64) -> Self {
        Self {
            moves: Some((Direction::Entered, at_ms)),
            ..self
        }
    }

    fn leaves(self, at_ms: i64) -> Self {
        Self {
            moves: Some((Direction::Exited, at_ms)),
            ..self
        }
    }

    /// At the moment at which it happens.
    fn enters_at_once(self) -> Self {
        let at_ms = self.after_ms;
        self.enters(at_ms)
    }

    fn leaves_at_once(self) -> Self {
        let at_ms = self.after_ms;
        self.leaves(at_ms)
    }
}

fn item(cart: &Value, price: i64) -> Value {
    json!({"cart_id": cart, "product_id": "coat", "price": price, "quantity": 1})
}

fn bought(id: &str) -> Value {
    let products = json!([{"product_id": "coat", "price": 140, "quantity": 1}]);
    json!({"order_id": id, "total": 140, "products": products})
}

/// A segment, and what leads into it and out of it.
type Way = (&'static str, Vec<Step>);

fn ways_of_carts() -> Vec<Way> {
    let none = json!({});
    let (cart, no_cart) = (json!("k-1"), Value::Null);
    let emptied = happens(HOUR, "Product Removed", &item(&cart, 10)).leaves_at_once();
    vec![
        (
            "open_carts",
            vec![
                happens(0, "Added to Cart", &item(&cart, 10)).enters_at_once(),
                emptied,
                happens(2 * HOUR, "Product Added", &item(&no_cart, 10)).enters_at_once(),
                happens(3 * HOUR, "Order Completed", &bought("o-1")).leaves_at_once(),
                happens(4 * HOUR, "Product Added", &item(&no_cart, 10)).enters_at_once(),
                time(40 * DAY).leaves(4 * HOUR + 30 * DAY),
            ],
        ),
        (
            "abandoned_carts",
            vec![
                happens(0, "Product Added", &item(&no_cart, 10)),
                time(3 * HOUR).enters(2 * HOUR),
                // An order of another cart takes along what is in none.
                happens(4 * HOUR, "Order Completed", &{
                    let mut order = bought("o-1");
                    order["cart_id"] = cart.clone();
                    order
                })
                .leaves_at_once(),
            ],
        ),
        (
            "high_value_abandoned_carts",
            vec![
                happens(0, "Product Added", &item(&cart, 100)),
                time(3 * HOUR).enters(2 * HOUR),
                happens(4 * HOUR, "Product Added", &item(&cart, 1)).leaves_at_once(),
            ],
        ),
        (
            "browsing_without_cart",
            vec![
                happens(0, "Product Viewed", &none),
                happens(1, "product_viewed", &none).enters_at_once(),
                happens(2, "Product Added", &item(&cart, 10)).leaves_at_once(),
            ],
        ),
    ]
}

fn ways_of_mails() -> Vec<Way> {
    let none = json!({});
    let mails = |from_ms: i64, name: &str| -> Vec<Step> {
        (0..4)
            .map(|n| happens(from_ms + n, name, &json!({})))
            .collect()
    };
    let mut sent = mails(0, "Email Sent");
    sent.extend([
        happens(4, "Email Sent", &none).enters_at_once(),
        happens(DAY, "Email Opened", &none).leaves_at_once(),
        time(91 * DAY).enters(91 * DAY),
        happens(92 * DAY, "Email Link Clicked", &none).leaves_at_once(),
    ]);
    let mut delivered = mails(0, "Email Delivered");
    delivered.extend([
        happens(4, "Email Delivered", &none).enters_at_once(),
        time(91 * DAY).leaves(90 * DAY),
    ]);
    vec![
        (
            "engaged_by_email",
            vec![
                happens(0, "Email Opened", &none).enters_at_once(),
                time(31 * DAY).leaves(30 * DAY),
            ],
        ),
        ("disengaged_by_email", sent),
        ("disengaged_by_email", delivered),
    ]
}

fn other_ways() -> Vec<Way> {
    let none = json!({});
    vec![
        (
            "checkout_left",
            vec![
                happens(0, "Checkout Started", &none),
                time(2 * HOUR).enters(HOUR),
                happens(3 * HOUR, "Order Completed", &bought("o-1")).leaves_at_once(),
            ],
        ),
        (
            "first_purchase_48h",
            vec![
                happens(0, "Order Completed", &bought("o-1")),
                time(3 * DAY).enters(2 * DAY),
                happens(4 * DAY, "Order Completed", &bought("o-2")).leaves_at_once(),
            ],
        ),
        (
            "detractors",
            vec![
                happens(0, "NPS Answered", &json!({"score": "6"})).enters_at_once(),
                // Once more: nothing moves until the answer is another.
                happens(1, "NPS Answered", &json!({"score": 2})),
                happens(DAY, "NPS Answered", &json!({"score": 10})).leaves_at_once(),
                happens(2 * DAY, "NPS Answered", &json!({"score": "10"})),
                happens(3 * DAY, "NPS Answered", &json!({"score": 0})).enters_at_once(),
                time(200 * DAY).leaves(183 * DAY),
            ],
        ),
        (
            "trial_ending",
            vec![
                happens(0, "Trial Started", &none),
                time(12 * DAY).enters(11 * DAY),
                happens(13 * DAY, "Trial Converted", &none).leaves_at_once(),
                happens(20 * DAY, "Trial Started", &none),
                time(32 * DAY).enters(31 * DAY),
                time(35 * DAY).leaves(34 * DAY),
            ],
        ),
    ]
}

/// Each segment with ways into it and out of it.
fn ways() -> Vec<Way> {
    let all = [ways_of_carts(), ways_of_mails(), other_ways()];
    all.into_iter().flatten().collect()
}

#[test]
fn each_is_entered_and_left_when_it_says() {
    let catalogue = Scratch::new().catalogue();
    let live = catalogue.segments().iter();
    let mut untried: BTreeSet<&str> = live
        .filter(|segment| segment.family == "live")
        .map(|segment| segment.name.as_str())
        .collect();
    for (segment, steps) in ways() {
        let scratch = Scratch::new();
        let clock = Arc::new(AtomicI64::new(START));
        let running = Running::start(&scratch, &clock);
        let mut expected = Vec::new();
        for step in steps {
            running.at(step.after_ms);
            if !step.events.is_empty() {
                running.send(&step.events);
            }
            if let Some((direction, at_ms)) = step.moves {
                let moved = running.next_of(segment);
                let found = (moved.direction, moved.occurred_at.0 - START);
                assert_eq!(found, (direction, at_ms), "{segment}");
                expected.push(moved.id);
            }
        }
        let all = running.stop();
        let of_segment = all.iter().filter(|moved| moved.segment.as_str() == segment);
        let ids: Vec<_> = of_segment.map(|moved| moved.id).collect();
        assert_eq!(ids, expected, "{segment} moves at no other time");
        untried.remove(segment);
    }
    assert_eq!(untried, ["lapsing"].into(), "each other one is tried");
}

/// Orders of three customers, every ten days; the last one of `c-17` five days before the start.
const ORDERS: &str = "order_id,customer_id,date,total
1,c-17,2026-10-01,10.00
2,c-17,2026-10-11,10.00
3,c-17,2026-10-21,10.00
4,c-17,2026-10-31,10.00
5,c-17,2026-11-10,10.00
6,c-17,2026-11-20,10.00
7,c-18,2026-10-01,10.00
8,c-18,2026-10-11,10.00
9,c-18,2026-10-22,10.00
10,c-19,2026-10-01,10.00
11,c-19,2026-10-12,10.00
";

#[test]
fn who_lapses_comes_back_with_an_order() {
    let scratch = Scratch::new();
    scratch.import(&[scratch.file("orders.csv", ORDERS)]);
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    assert!(!running.is_in("c-17", "lapsing"));
    running.at(20 * DAY);
    let entered = running.next_of("lapsing");
    assert_eq!(entered.direction, Direction::Entered);
    assert!(
        entered.occurred_at > Timestamp(START + 4 * DAY),
        "{entered:?}"
    );
    running.send(&[track("Order Completed", 20 * DAY, &bought("o-1"))]);
    let left = running.next_of("lapsing");
    assert_eq!(left.direction, Direction::Exited);
    assert_eq!(left.customer, entered.customer);
    running.stop();
}

#[test]
fn an_order_of_a_file_ends_carts_and_checkouts_that_were_left() {
    let scratch = Scratch::new();
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    let segments = ["checkout_left", "abandoned_carts"];
    running.send(&[
        track("Checkout Started", 0, &json!({})),
        track("Product Added", 0, &item(&json!("k-1"), 10)),
    ]);
    running.at(3 * HOUR);
    running.next_of("abandoned_carts");
    running.stop();
    let is_in = |now: i64| {
        let memberships = of_batch(&scratch, START + now);
        let held = |name: &&str| {
            let all = memberships.values().flatten();
            all.filter(|segment| segment == name).count()
        };
        segments.iter().map(held).collect::<Vec<_>>()
    };
    assert_eq!(is_in(3 * HOUR), [1, 1]);
    let before = "order_id,customer_id,date,total\n1,c-17,2026-11-25T14:02:00Z,10.00\n";
    scratch.import(&[scratch.file("before.csv", before)]);
    assert_eq!(is_in(3 * HOUR), [1, 1], "it was placed before");
    let after = "order_id,customer_id,date,total\n2,c-17,2026-11-25T14:30:00Z,10.00\n";
    scratch.import(&[scratch.file("after.csv", after)]);
    assert_eq!(is_in(3 * HOUR), [0, 0]);
    let running = Running::start(&scratch, &clock);
    for segment in segments {
        assert!(!running.is_in("c-17", segment), "{segment}");
    }
    running.stop();
}

#[test]
fn thresholds_of_carts_and_trials_are_settings() {
    let config = Scratch::new().workspace.config().clone();
    let mut settings = config.settings();
    settings.carts.open_days = 2;
    settings.carts.abandoned_after = "90 seconds".to_owned();
    settings.carts.high_value = 20.0;
    let config: Config = config.with_settings(settings);
    let scratch = Scratch::with_config(config);
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    running.send(&[track("Product Added", 0, &item(&json!("k-1"), 20))]);
    running.at(2 * MINUTE);
    let entered = running.next_of("high_value_abandoned_carts");
    assert_eq!(entered.occurred_at, Timestamp(START + 90_000));
    running.at(3 * DAY);
    let left = running.next_of("high_value_abandoned_carts");
    assert_eq!(left.occurred_at, Timestamp(START + 2 * DAY));
    running.stop();
}
