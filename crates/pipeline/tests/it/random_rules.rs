//! Random rules over what the random events of [`equivalence`](crate::equivalence) say.

use std::collections::BTreeSet;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::equivalence::{
    HOUR, Memberships, START, append, check_transitions, event, of_batch, of_live, start,
};
use crate::scratch::Scratch;

/// Names of the segments begin so.
const PREFIX: &str = "random_";
/// Seeds; the last ones found mistakes.
const SEEDS: [u64; 9] = [0, 1, 2, 3, 21, 22, 24, 165, 213];
/// Segments of one shop.
const SEGMENTS: usize = 16;

/// So many segments; each may ask for those before it.
fn segments(rng: &mut ChaCha8Rng, count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let rule = condition(rng, 2, number);
        text.push_str(&format!(
            "[[segment]]\nname = \"{PREFIX}{number}\"\nrule = \"{rule}\"\n\n"
        ));
    }
    text
}

fn one_of<'t>(rng: &mut ChaCha8Rng, texts: &[&'t str]) -> &'t str {
    texts[rng.random_range(0..texts.len())]
}

fn condition(rng: &mut ChaCha8Rng, depth: usize, before: usize) -> String {
    if depth == 0 || rng.random_bool(0.35) {
        return leaf(rng, before);
    }
    let mut inner = || condition(rng, depth - 1, before);
    let (one, other) = (inner(), inner());
    match rng.random_range(0..5) {
        0 | 1 => format!("({one} and {other})"),
        2 | 3 => format!("({one} or {other})"),
        _ => format!("not ({one})"),
    }
}

fn leaf(rng: &mut ChaCha8Rng, before: usize) -> String {
    match rng.random_range(0..12) {
        0..=2 => of_events(rng),
        3 | 4 => of_orders(rng),
        5 => of_two_events(rng),
        6 => of_carts(rng),
        7 => of_times(rng),
        8 => of_visits(rng),
        9 => of_accounts(rng),
        10 if before > 0 => {
            let not = one_of(rng, &["", "not "]);
            format!("{not}in segment {PREFIX}{}", rng.random_range(0..before))
        }
        _ => of_traits(rng),
    }
}

fn compared(rng: &mut ChaCha8Rng, most: i32) -> String {
    let number = rng.random_range(0..=most);
    match rng.random_range(0..8) {
        0 => format!("= {number}"),
        1 => format!("!= {number}"),
        2 => format!("< {}", number + 1),
        3 => format!("<= {number}"),
        4 => format!(
            "between {number} and {}",
            number + rng.random_range(0..=most)
        ),
        _ => format!(">= {}", number.max(1)),
    }
}

fn window(rng: &mut ChaCha8Rng) -> String {
    match rng.random_range(0..9) {
        0 => "today".to_owned(),
        1 => "this week".to_owned(),
        2 => "in last 2 calendar days".to_owned(),
        3 | 4 => String::new(),
        5 => format!("in last {} minutes", rng.random_range(30..400)),
        6 => format!("in last {} days", rng.random_range(1..4)),
        _ => format!("in last {} hours", rng.random_range(1..50)),
    }
}

fn event_name(rng: &mut ChaCha8Rng) -> &'static str {
    one_of(
        rng,
        &[
            "'Product Viewed'",
            "'Product Added'",
            "'Checkout Started'",
            "'Order Completed'",
            "'Order Cancelled'",
        ],
    )
}

fn event_filter(rng: &mut ChaCha8Rng) -> String {
    match rng.random_range(0..8) {
        0 => format!("where price > {}", rng.random_range(0..40)),
        1 => "where category = 'Coats'".to_owned(),
        2 => "where tags contains 'new' and quantity = 1".to_owned(),
        3 => "where context.device = 'mobile'".to_owned(),
        4 => format!("where product_id != 'p-{}'", rng.random_range(0..3)),
        _ => String::new(),
    }
}

fn of_events(rng: &mut ChaCha8Rng) -> String {
    let (name, filter) = (event_name(rng), event_filter(rng));
    let window = window(rng);
    let (value, most) = match rng.random_range(0..6) {
        0 => ("sum of price of ", 80),
        1 => ("distinct product_id of ", 3),
        _ => ("", 4),
    };
    format!(
        "{value}events {name} {filter} {window} {}",
        compared(rng, most)
    )
}

fn of_two_events(rng: &mut ChaCha8Rng) -> String {
    let (first, second) = (event_name(rng), event_name(rng));
    let filter = event_filter(rng);
    let not = one_of(rng, &["", "not "]);
    let hours = rng.random_range(1..40);
    format!("event {first} {filter} then {not}event {second} within {hours} hours")
}

fn of_orders(rng: &mut ChaCha8Rng) -> String {
    let (value, most) = match rng.random_range(0..4) {
        0 => ("revenue", 90),
        1 => ("items", 5),
        2 => ("distinct categories", 2),
        _ => ("orders", 4),
    };
    let filter = match rng.random_range(0..6) {
        0 => "where category = 'Hats'",
        1 => "where channel = 'ads'",
        2 => "where country = 'AT' or country = 'DE' and quantity >= 2",
        3 => "where value > 15",
        _ => "",
    };
    // An `or` in a filter stands in parentheses.
    let filter = match filter.strip_prefix("where ") {
        Some(inner) if inner.contains(" or ") => format!("where ({inner})"),
        _ => filter.to_owned(),
    };
    let window = window(rng);
    format!("{value} {filter} {window} {}", compared(rng, most))
}

fn of_carts(rng: &mut ChaCha8Rng) -> String {
    let filter = match rng.random_range(0..4) {
        0 => format!("value >= {}", rng.random_range(0..90)),
        1 => format!("items < {}", rng.random_range(1..5)),
        2 => format!("idle for {} hours", rng.random_range(1..40)),
        _ => format!(
            "value >= {} and idle for {} minutes",
            rng.random_range(0..40),
            rng.random_range(1..900)
        ),
    };
    format!("carts where {filter} {}", compared(rng, 2))
}

fn of_times(rng: &mut ChaCha8Rng) -> String {
    let of = one_of(
        rng,
        &[
            "last_order",
            "first_order",
            "last_session",
            "traits.seen",
            "account_last_activity",
            "account_last_order",
        ],
    );
    match rng.random_range(0..5) {
        0 => format!("{of} within {} hours", rng.random_range(1..60)),
        1 => format!("{of} before {} hours ago", rng.random_range(1..60)),
        2 => format!("{of} today"),
        3 => format!("{of} after 2026-11-25"),
        _ => format!("{of} is {}set", one_of(rng, &["", "not "])),
    }
}

fn of_visits(rng: &mut ChaCha8Rng) -> String {
    match rng.random_range(0..5) {
        0 => format!("sessions {}", compared(rng, 6)),
        1 => format!("days_since_last_session < {}", rng.random_range(1..3)),
        2 => "last_source = 'mail'".to_owned(),
        3 => "device = 'mobile'".to_owned(),
        _ => format!("bounce_share > 0.{}", rng.random_range(1..9)),
    }
}

fn of_accounts(rng: &mut ChaCha8Rng) -> String {
    match rng.random_range(0..6) {
        0 => format!("account_orders {}", compared(rng, 5)),
        1 => format!("account_revenue > {}", rng.random_range(0..200)),
        2 => format!("account_customers {}", compared(rng, 3)),
        3 => format!("account_active_customers {}", compared(rng, 3)),
        4 => format!("account.seats < {}", rng.random_range(1..40)),
        _ => format!("account.plan = '{}'", one_of(rng, &["pro", "free"])),
    }
}

fn of_traits(rng: &mut ChaCha8Rng) -> String {
    match rng.random_range(0..8) {
        0 => format!("orders {}", compared(rng, 5)),
        1 => format!("revenue > {}", rng.random_range(0..120)),
        2 => format!("average_order_value <= {}", rng.random_range(1..40)),
        3 => format!("country = '{}'", one_of(rng, &["DE", "AT"])),
        4 => format!("first_channel = '{}'", one_of(rng, &["ads", "email"])),
        5 => "traits.interests contains 'running'".to_owned(),
        6 => "traits.birthday after 1990-06-01".to_owned(),
        _ => "top_category = 'Coats'".to_owned(),
    }
}

/// Of the random segments only: the limits of others are computed at a start and stay.
fn random_ones(memberships: &Memberships) -> Memberships {
    let is_random = |name: &&String| name.starts_with(PREFIX);
    let of_one = |names: &Vec<String>| names.iter().filter(is_random).cloned().collect();
    let all = memberships.iter();
    all.map(|(&customer, names)| (customer, of_one(names)))
        .collect()
}

#[test]
fn random_rules_are_the_same_live_started_again_and_in_a_batch() {
    let (mut entered, mut asked) = (BTreeSet::new(), 0);
    for seed in SEEDS {
        let mut rng = ChaCha8Rng::seed_from_u64(1_000 + seed);
        let scratch = Scratch::new();
        let rules = segments(&mut rng, SEGMENTS);
        asked += SEGMENTS;
        std::fs::write(scratch.workspace.segments_dir().join("own.toml"), &rules).unwrap();
        if seed % 3 == 0 {
            let orders = "order_id,customer_id,date,total,channel\no-1,c-1,2026-11-24,20.00,ads\n\
                          o-9,c-2,2026-11-23,31.00,\n";
            scratch.import(&[scratch.file("orders.csv", orders)]);
        }
        let (mut now, mut n) = (START, 0);
        for round in 0..3 {
            let move_after = [1, 7, 1_000_000][rng.random_range(0..3)];
            let live = start(&scratch, now, move_after);
            let report =
                format!("seed {seed}, round {round}, {move_after} moved at a time\n{rules}");
            for _ in 0..4 {
                let mut more = || {
                    n += 1;
                    event(&mut rng, n, now)
                };
                let events: Vec<_> = (0..6).map(|_| more()).collect();
                append(&live, &events, now);
                if rng.random_bool(0.3) {
                    live.move_now().unwrap();
                }
            }
            let told = of_live(&live);
            live.stop().unwrap();
            let batch = of_batch(&scratch, now);
            assert_eq!(
                random_ones(&batch),
                random_ones(&told),
                "batch and live: {report}"
            );
            let again = start(&scratch, now, move_after);
            assert_eq!(of_live(&again), batch, "started again and batch: {report}");
            again.stop().unwrap();
            check_transitions(&scratch, &batch, &report);
            let members = batch.values().flatten();
            entered.extend(members.map(|name| format!("{seed} {name}")));
            now += rng.random_range(1..20) * HOUR;
        }
    }
    let entered = entered.iter().filter(|name| name.contains(PREFIX)).count();
    assert!(
        entered * 2 > asked,
        "{entered} of {asked} segments had any member"
    );
}
