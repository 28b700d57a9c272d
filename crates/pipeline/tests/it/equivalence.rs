//! What is told live, told again after a start, and folded by a batch command comes to the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use regulars_core::{CustomerId, Direction, Partition, Timestamp};
use regulars_ingest::tracking::{Endpoint, Limits, read};
use regulars_pipeline::live::{Engine, Live, LiveOptions, Sender, StartOptions, Trust};
use regulars_pipeline::{Base, Silent};
use regulars_store::history::Family;
use regulars_store::log::{LogRecord, Logged, MergeRule};
use serde_json::{Value, json};

use crate::parting;
use crate::scratch::Scratch;

pub(crate) const START: i64 = 1_795_615_380_000;
pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const RULES: &str = r#"
[[segment]]
name = "carts_now"
rule = "carts where value >= 30 and idle for 3 hours >= 1"

[[segment]]
name = "viewers"
rule = "events 'Product Viewed' where price > 10 in last 12 hours >= 2"

[[segment]]
name = "sums"
rule = "sum of price of events 'Product Viewed' in last 30 hours > 40"

[[segment]]
name = "left_checkout"
rule = "event 'Checkout Started' then not event 'Order Completed' within 2 hours"

[[segment]]
name = "web_spend"
rule = "revenue where category = 'Coats' in last 40 hours > 25"

[[segment]]
name = "german"
rule = "country = 'DE' and not (orders >= 3)"

[[segment]]
name = "came_by_ads"
rule = "first_channel = 'ads'"

[[segment]]
name = "curious"
rule = "distinct product_id of events 'Product Viewed' in last 20 hours >= 2"

[[segment]]
name = "quick"
rule = "event 'Product Added' then event 'Order Completed' within 3 hours"

[[segment]]
name = "born_late"
rule = "traits.birthday after 1990-06-01 and traits.seen within 3 days"

[[segment]]
name = "phones"
rule = "events where context.device = 'mobile' and context.source = 'ads' in last 30 hours >= 1"

[[segment]]
name = "visitors"
rule = "sessions >= 3 and last_session within 20 hours"

[[segment]]
name = "short_visits"
rule = "last_session_events = 1 or average_session_minutes < 40 or bounce_share > 0.5"

[[segment]]
name = "by_ads"
rule = "first_source = 'ads' or last_source = 'mail' and first_landing_page = '/a'"

[[segment]]
name = "at_desks"
rule = "device = 'desktop' and browser = 'Firefox' and days_since_last_session < 2"

[[segment]]
name = "runners"
rule = "traits.interests contains 'Running' and not (traits.interests contains 'run')"

[[segment]]
name = "tagged"
rule = "events 'Product Viewed' where tags contains 'new' in last 20 hours >= 1"

[[segment]]
name = "of_pro_account"
rule = "account.plan = 'pro' and not (account.seats < 20)"

[[segment]]
name = "renewed"
rule = "account.renewed within 2 days or account = 'a-1'"

[[segment]]
name = "of_buyers"
rule = "account_orders >= 2 and account_revenue < 90 or account_last_order within 2 days"

[[segment]]
name = "of_active"
rule = "account_active_customers >= 2 or account_last_activity before 1 day ago"

[[segment]]
name = "of_several"
rule = "account_customers between 2 and 3 and orders <= 1"

[[segment]]
name = "pro_viewers"
rule = "account.'address.city' = 'Ulm' and events 'Product Viewed' in last 12 hours >= 1"

[[segment]]
name = "either"
rule = "(in segment viewers or in segment carts_now) and not in segment german"
"#;

/// Segments of those whose account is so.
const ACCOUNTS: [&str; 6] = [
    "of_pro_account",
    "renewed",
    "of_buyers",
    "of_active",
    "of_several",
    "pro_viewers",
];

pub(crate) type Memberships = BTreeMap<CustomerId, Vec<String>>;

/// What somebody did with a random product or order.
fn tracked(rng: &mut ChaCha8Rng, price: i32) -> (&'static str, Value) {
    let product = json!({
        "product_id": format!("p-{}", rng.random_range(0..3)),
        "price": price,
        "quantity": rng.random_range(1..3),
        "category": if price % 2 == 0 { "Coats" } else { "Hats" },
        "tags": if price % 3 == 0 { json!(["sale", "new"]) } else { json!(["newer"]) },
    });
    let order = format!("o-{}", rng.random_range(0..8));
    let cart = format!("k-{}", rng.random_range(0..3));
    match rng.random_range(0..10) {
        0..=2 => ("Product Viewed", product),
        3 | 4 => {
            let mut item = product;
            item["cart_id"] = cart.into();
            ("Product Added", item)
        }
        5 => ("Checkout Started", json!({"order_id": order})),
        6 | 7 => (
            "Order Completed",
            json!({
                "order_id": order, "total": price, "products": [product],
                "channel": if price % 3 == 0 { "ads" } else { "email" },
                "shipping_address": {"country": if price % 4 == 0 { "AT" } else { "DE" }},
            }),
        ),
        8 => ("Order Cancelled", json!({"order_id": order})),
        _ => ("Order Refunded", json!({"order_id": order})),
    }
}

/// A random event of one of a few customers, which happened up to a day before it arrives.
pub(crate) fn event(rng: &mut ChaCha8Rng, n: usize, now: i64) -> Value {
    let user = match rng.random_range(0..10) {
        0 => format!("x-{}", n % 2),
        _ => format!("c-{}", rng.random_range(0..4)),
    };
    let device = format!("d-{}", rng.random_range(0..5));
    let happened = now - rng.random_range(0..4) * rng.random_range(0..6) * HOUR;
    let price = rng.random_range(1..40);
    let (name, properties) = tracked(rng, price);
    let mut event = json!({
        "type": "track",
        "messageId": format!("m-{n}"),
        "event": name,
        "timestamp": Timestamp(happened).to_string(),
        "properties": properties,
    });
    event["context"] = context(price);
    match rng.random_range(0..12) {
        0..=2 => event["anonymousId"] = device.into(),
        3 => {
            let country = if price % 2 == 0 { "DE" } else { "AT" };
            event = json!({
                "type": "identify", "userId": user, "anonymousId": device,
                "messageId": format!("m-{n}"), "timestamp": Timestamp(happened).to_string(),
                "traits": {
                    "address": {"country": country},
                    "birthday": format!("19{}-05-01", 80 + price % 20),
                    "seen": Timestamp(happened).to_string(),
                    "interests": (["running", "cooking"][price as usize % 2..]),
                },
            });
            if price % 3 > 0 {
                // Named with a second customer, an address is nobody's.
                event["traits"]["email"] = format!("e-{}@example.org", price % 4).into();
                event["traits"]["email_verified"] = true.into();
            }
        }
        4 => {
            // Somebody of whom no more than an address is known.
            let email = format!("e-{}@example.org", rng.random_range(0..4));
            event = json!({
                "type": "identify", "anonymousId": device, "messageId": format!("m-{n}"),
                "timestamp": Timestamp(happened).to_string(), "traits": {"email": email},
            });
        }
        5 | 6 => {
            event = group(&user, &device, price, n, happened);
        }
        7 if price % 4 == 0 => event = alias(&user, &device, price, n, happened),
        _ => event["userId"] = user.into(),
    }
    event
}

/// A call that says that two ids are one customer's: another customer's, or a device's.
fn alias(user: &str, device: &str, price: i32, n: usize, happened: i64) -> Value {
    // Some were never heard of, or will be.
    let other = match price % 12 {
        0 => format!("c-{}", price % 3),
        _ => format!("x-{}", n % 2),
    };
    json!({
        "type": "alias", "userId": user, "messageId": format!("m-{n}"),
        "previousId": if price % 8 == 0 { device } else { &other },
        "timestamp": Timestamp(happened).to_string(),
    })
}

/// One of a few devices, and for some events the campaign that led there.
fn context(price: i32) -> Value {
    let agent = match price % 3 {
        0 => {
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
        }
        1 => "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
        _ => "",
    };
    match price % 4 {
        0 => json!({"userAgent": agent, "campaign": {"source": "ads"}}),
        1 => json!({"userAgent": agent, "campaign": {"source": "mail"}, "page": {"path": "/a"}}),
        2 => json!({"userAgent": agent}),
        _ => json!({}),
    }
}

/// A call that puts somebody into an account and gives it traits. Of a visitor as well: what is said
/// of an account counts, whoever says it.
fn group(user: &str, device: &str, price: i32, n: usize, happened: i64) -> Value {
    let who = if price % 5 == 0 {
        ("anonymousId", device)
    } else {
        ("userId", user)
    };
    json!({
        "type": "group", who.0: who.1, "groupId": format!("a-{}", price % 3),
        "messageId": format!("m-{n}"), "timestamp": Timestamp(happened).to_string(),
        "traits": {
            "plan": if price % 2 == 0 { "pro" } else { "free" },
            "seats": price,
            "renewed": Timestamp(happened).to_string(),
            "address": {"city": if price % 4 < 2 { "Ulm" } else { "Bonn" }},
        },
    })
}

/// A name of one of a few customers.
fn name(rng: &mut ChaCha8Rng) -> String {
    let n = rng.random_range(0..4);
    match rng.random_range(0..3) {
        0 => format!("e-{n}@example.org"),
        1 => format!("d-{n}"),
        _ => format!("c-{n}"),
    }
}

/// What an import says of whose an address is; said of several customers, it is nobody's.
fn addresses(rng: &mut ChaCha8Rng) -> Vec<(String, String)> {
    let first = rng.random_range(0..4);
    let row = |n| {
        let (customer, email) = ((first + n) % 4, rng.random_range(0..4));
        (format!("c-{customer}"), format!("e-{email}@example.org"))
    };
    (0..2).map(row).collect()
}

fn customers_file(rows: &[(String, String)]) -> String {
    let mut text = "customer_id,email,first_name,country,consent,created_at\n".to_owned();
    for (customer, email) in rows {
        text.push_str(&format!("{customer},{email},Ann,DE,yes,2026-11-01\n"));
    }
    text
}

/// The workspace as a kill would leave it now.
pub(crate) fn as_killed(scratch: &Scratch, live: &Live) -> Scratch {
    let copy = Scratch::new();
    let (from, to) = (scratch.workspace.root(), copy.workspace.root());
    let segments = "segments/own.toml";
    std::fs::copy(from.join(segments), to.join(segments)).unwrap();
    let (from, to) = (from.join("data"), to.join("data"));
    live.with_store(move |_| {
        std::fs::remove_dir_all(&to).unwrap();
        copy_directory(&from, &to);
    });
    copy
}

pub(crate) fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A live path that moves so many records of the log at a time.
pub(crate) fn start(scratch: &Scratch, now: i64, move_after: u64) -> Live {
    let mut store = scratch.workspace.open().unwrap();
    let options = StartOptions {
        now: Timestamp(now),
        threads: scratch.threads,
    };
    let engine = Engine::start(&scratch.workspace, &mut store, options, &Silent).unwrap();
    let options = LiveOptions {
        clock: std::sync::Arc::new(move || Timestamp(now)),
        queue: 16,
        behind: 10_000,
        unmoved: 1_000_000,
        threads: scratch.threads,
        move_after,
        on_transitions: Box::new(|_| ()),
    };
    Live::start(scratch.workspace.clone(), store, engine, options).unwrap()
}

pub(crate) fn append(live: &Live, events: &[Value], now: i64) {
    append_as(live, &Sender::SHOP, events, now);
}

/// What a page says: it gives way to what the shop says.
const PAGE: Sender = Sender {
    trust: Trust::Client,
    key: None,
};

pub(crate) fn append_as(live: &Live, sender: &Sender, events: &[Value], now: i64) {
    let body = json!({ "batch": events }).to_string();
    let now = Timestamp(now);
    let received = read(Endpoint::Batch, body.as_bytes(), now, &Limits::default()).unwrap();
    let events = received.events.into_iter().map(|event| event.into_owned());
    let (answer, answered) = std::sync::mpsc::channel();
    let answer = Box::new(move |appended: Result<_, _>| answer.send(appended).unwrap());
    live.append(events.collect(), sender.clone(), now, answer);
    answered.recv().unwrap().unwrap();
}

pub(crate) fn of_live(live: &Live) -> Memberships {
    live.ask(|engine| {
        let everyone = engine.customer_ids().into_iter();
        everyone
            .map(|customer| {
                let segments = engine.segments_of(customer).unwrap();
                (customer, segments.iter().map(ToString::to_string).collect())
            })
            .collect()
    })
    .unwrap()
}

pub(crate) fn of_batch(scratch: &Scratch, now: i64) -> Memberships {
    let base: Base = scratch.fold_at(Timestamp(now));
    let parts = base.evaluate(1, Vec::new, |all, _, folded, members| {
        let names = members
            .iter()
            .map(|n| base.program.segment_name(n).to_string());
        all.push((folded.profile.customer, names.collect::<Vec<_>>()));
    });
    parts.into_iter().flatten().collect()
}

/// Segments of one customer's own facts.
const OWN: [&str; 18] = [
    "carts_now",
    "viewers",
    "sums",
    "left_checkout",
    "web_spend",
    "german",
    "curious",
    "quick",
    "phones",
    "visitors",
    "short_visits",
    "by_ads",
    "at_desks",
    "runners",
    "tagged",
    "came_by_ads",
    "born_late",
    "either",
];

/// Without the segments of channels: a server has those of the channels that there were at its start.
pub(crate) fn without_channels(memberships: &Memberships) -> Memberships {
    let is_of_channel = |name: &&String| name.starts_with("channel_");
    memberships
        .iter()
        .map(|(&customer, names)| {
            let others = names.iter().filter(|name| !is_of_channel(name));
            (customer, others.cloned().collect())
        })
        .collect()
}

/// What the transitions of all time add up to is who is where now; a stopped live path left it so.
pub(crate) fn check_transitions(scratch: &Scratch, memberships: &Memberships, report: &str) {
    let store = scratch.workspace.open_read().unwrap();
    let mut last = BTreeMap::new();
    for entry in store.logged(0) {
        let (_, Logged::Found(found)) = entry.unwrap() else {
            continue;
        };
        for found in found.transitions {
            let key = (found.customer, found.segment.to_string());
            let now = (found.sequence, found.direction);
            if let Some((sequence, direction)) = last.insert(key, now) {
                let follows = found.sequence == sequence + 1 && found.direction != direction;
                assert!(follows, "{found:?} after {sequence}: {report}");
            }
        }
    }
    for ((customer, segment), (_, direction)) in last {
        let segments = memberships.get(&customer);
        let inside = segments.is_some_and(|segments| segments.contains(&segment));
        let told = direction == Direction::Entered;
        assert_eq!(inside, told, "{customer} in {segment}: {report}");
    }
}

/// Rows of events in the history, and the most runs of a partition.
fn moved(scratch: &Scratch) -> (u64, usize) {
    let history = scratch.workspace.open_read().unwrap().history();
    let runs = Partition::all().map(|partition| history.runs(Family::Events, partition).count());
    (history.summary(Family::Events).rows, runs.max().unwrap())
}

/// Notes the rules of the merges that there were; gives how many were undone, and how often a server
/// took over what a page had said.
fn identities(scratch: &Scratch, rules: &mut BTreeSet<MergeRule>) -> (usize, usize) {
    let records = scratch.workspace.open_read().unwrap().records(0).unwrap();
    let (mut unmerged, mut taken_over) = (0, 0);
    for (_, record) in records {
        match record {
            LogRecord::MergeAccepted(merge) => {
                rules.extend(merge.evidence.map(|evidence| evidence.rule));
            }
            LogRecord::Unmerged(parted) if parted.into.is_some() => taken_over += 1,
            LogRecord::Unmerged(_) => unmerged += 1,
            _ => {}
        }
    }
    (unmerged, taken_over)
}

/// Tells events in pieces, and does between them what may be done at any time.
fn tell(live: &Live, events: &[Value], now: i64, rng: &mut ChaCha8Rng) {
    for events in events.chunks(5) {
        let sender = if rng.random_bool(0.5) {
            &PAGE
        } else {
            &Sender::SHOP
        };
        append_as(live, sender, events, now);
        if rng.random_bool(0.5) {
            live.move_now().unwrap();
        }
        if rng.random_bool(0.4) {
            // What is nobody's or stands for itself already is not found.
            let _ = live.unmerge(&name(rng), None).unwrap();
        }
        if rng.random_bool(0.1) {
            live.lend(|| ()).unwrap().unwrap();
        }
    }
}

/// Imports whose addresses are: what this parts is as if it had been parted by hand before. Gives how
/// many that are.
fn import_both_ways(
    scratch: &Scratch,
    name: &str,
    rows: &[(String, String)],
    now: i64,
    report: &str,
) -> usize {
    let by_hand = parting::copied(scratch);
    let parted = parting::part_by_hand(&by_hand, rows, now);
    for scratch in [scratch, &by_hand] {
        scratch.import(&[scratch.file(name, &customers_file(rows))]);
    }
    assert_eq!(
        parting::named(scratch, now),
        parting::named(&by_hand, now),
        "by an import and by hand: {report}"
    );
    parted
}

#[test]
fn live_restarted_and_batch_agree() {
    let (mut rows_moved, mut most_runs) = (0, 0);
    let (mut merges, mut unmerges, mut taken_over, mut parted) = (BTreeSet::new(), 0, 0, 0);
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for seed in 0..6 {
        let scratch = Scratch::new();
        std::fs::write(scratch.workspace.segments_dir().join("own.toml"), RULES).unwrap();
        if seed % 2 == 0 {
            let orders = "order_id,customer_id,email,date,total\n\
                          o-1,c-1,,2026-11-20,20.00\no-9,c-2,,2026-11-23,31.00\n\
                          o-10,,e-1@example.org,2026-11-24,17.00\n";
            scratch.import(&[scratch.file("orders.csv", orders)]);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut now = START;
        let mut n = 0;
        for round in 0..4 {
            let move_after = [1, 5, 17, 1_000_000][rng.random_range(0..4)];
            let live = start(&scratch, now, move_after);
            let batch: Vec<Value> = (0..12)
                .map(|_| {
                    n += 1;
                    event(&mut rng, n, now)
                })
                .collect();
            tell(&live, &batch, now, &mut rng);
            let report =
                format!("seed {seed}, round {round}, {move_after} records moved at a time");
            let told = of_live(&live);
            let killed = as_killed(&scratch, &live);
            live.stop().unwrap();
            let again = start(&killed, now, move_after);
            assert_eq!(
                without_channels(&of_live(&again)),
                without_channels(&told),
                "started after a kill and live: {report}"
            );
            again.stop().unwrap();
            let batch = of_batch(&scratch, now);
            seen.extend(batch.values().flatten().cloned());
            assert_eq!(
                without_channels(&batch),
                without_channels(&told),
                "batch and live: {report}"
            );
            let again = start(&scratch, now, move_after);
            assert_eq!(of_live(&again), batch, "started again and batch: {report}");
            again.stop().unwrap();
            check_transitions(&scratch, &batch, &report);
            if rng.random_bool(0.4) {
                let name = format!("customers-{round}.csv");
                parted += import_both_ways(&scratch, &name, &addresses(&mut rng), now, &report);
                let batch = of_batch(&scratch, now);
                let again = start(&scratch, now, move_after);
                assert_eq!(of_live(&again), batch, "after an import: {report}");
                again.stop().unwrap();
                check_transitions(&scratch, &batch, &format!("import, {report}"));
            }
            now += rng.random_range(1..30) * HOUR;
        }
        let (undone, taken) = identities(&scratch, &mut merges);
        unmerges += undone;
        taken_over += taken;
        let (rows, runs) = moved(&scratch);
        rows_moved += rows;
        most_runs = most_runs.max(runs);
    }
    for name in ACCOUNTS.iter().chain(&OWN).copied() {
        assert!(seen.contains(name), "nobody was ever in {name}");
    }
    let rules = [MergeRule::Device, MergeRule::Email, MergeRule::Alias];
    assert!(
        merges == BTreeSet::from(rules) && unmerges > 4 && taken_over > 0 && parted > 0,
        "{merges:?}, {unmerges} unmerged, {taken_over} taken over, {parted} by files"
    );
    assert!(
        rows_moved > 100 && most_runs > 2,
        "{rows_moved} rows, {most_runs} runs"
    );
}
