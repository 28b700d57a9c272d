//! Who is whom: what joins the names of a customer, what does not, and that it can be undone.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use regulars_core::{Cause, Currency, Direction, Timestamp};
use regulars_pipeline::live::{Sender, Trust};
use regulars_pipeline::{Config, unmerge};
use regulars_store::log::{LogRecord, MergeRule, Refusal};
use serde_json::{Value, json};

use crate::live::{MINUTE, Running, START};
use crate::scratch::Scratch;

const BUYERS: &str = r#"
[[segment]]
name = "buyers"
rule = "orders >= 1"

[[segment]]
name = "viewers"
rule = "events 'Product Viewed' in last 2 days >= 2"
"#;

pub(crate) fn scratch_with(config: Config) -> Scratch {
    let scratch = Scratch::with_config(config);
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), BUYERS).unwrap();
    scratch
}

pub(crate) fn scratch() -> Scratch {
    scratch_with(Config::new("test", Currency::new("USD").unwrap(), "UTC"))
}

pub(crate) fn clock() -> Arc<AtomicI64> {
    Arc::new(AtomicI64::new(START))
}

pub(crate) fn client() -> Sender {
    Sender {
        trust: Trust::Client,
        key: Some("page".into()),
    }
}

pub(crate) fn server() -> Sender {
    Sender {
        trust: Trust::Server,
        key: Some("shop".into()),
    }
}

pub(crate) fn call(kind: &str, n: usize, fields: &Value) -> Value {
    let mut event = json!({
        "type": kind, "messageId": format!("{kind} {n}"),
        "timestamp": Timestamp(START).to_string(),
    });
    for (name, value) in fields.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

pub(crate) fn view(n: usize, who: &Value) -> Value {
    let mut event = call("track", n, who);
    event["event"] = "Product Viewed".into();
    event
}

pub(crate) fn refusals(scratch: &Scratch) -> Vec<(MergeRule, Refusal, Option<String>)> {
    let store = scratch.workspace.open_read().unwrap();
    let records = store.records(0).unwrap().into_iter();
    let refused = records.filter_map(|(_, record)| match record {
        LogRecord::MergeRefused(refused) => Some(refused),
        _ => None,
    });
    refused
        .map(|refused| (refused.evidence.rule, refused.refusal, refused.evidence.key))
        .collect()
}

/// Where a live path, one that starts anew, and a batch fold say that somebody is.
pub(crate) fn agree(scratch: &Scratch, clock: &Arc<AtomicI64>, expected: &[(&str, &str, bool)]) {
    let running = Running::start(scratch, clock);
    for &(customer, segment, inside) in expected {
        let is = running.is_in(customer, segment);
        assert_eq!(is, inside, "{customer} in {segment} after a start");
    }
    running.stop();
    let now = clock.load(Ordering::Relaxed);
    let members = crate::equivalence::of_batch(scratch, now);
    let store = scratch.workspace.open_read().unwrap();
    for &(customer, segment, inside) in expected {
        let id = store.vault().unwrap().find(customer).unwrap();
        let segments = members.get(&id).cloned().unwrap_or_default();
        let is = segments.iter().any(|name| name == segment);
        assert_eq!(is, inside, "{customer} in {segment} by a batch fold");
    }
}

#[test]
fn only_a_server_merges_two_customers_who_are_known() {
    let (scratch, clock) = (scratch(), clock());
    let running = Running::start(&scratch, &clock);
    let (one, other) = (json!({"userId": "c-1"}), json!({"userId": "c-2"}));
    running.send(&[view(1, &one), view(2, &other)]);
    let alias = json!({"previousId": "c-1", "userId": "c-2"});
    running.send_as(
        &client(),
        &[call("alias", 1, &alias), call("alias", 2, &alias)],
    );
    assert!(!running.is_in("c-1", "viewers") && !running.is_in("c-2", "viewers"));
    // A visitor may become a customer by any key.
    let visitor = json!({"anonymousId": "d-1"});
    let named = json!({"anonymousId": "d-1", "userId": "c-1"});
    running.send_as(&client(), &[view(3, &visitor), call("identify", 1, &named)]);
    assert!(running.is_in("c-1", "viewers"));
    running.send_as(&server(), &[call("alias", 3, &alias)]);
    assert!(running.is_in("c-2", "viewers"));
    running.stop();
    // Said once, however often it is asked for.
    let page = Some("page".to_owned());
    assert_eq!(
        refusals(&scratch),
        [(MergeRule::Alias, Refusal::ClientSideKey, page)]
    );
    let whole = [("c-1", "viewers", true), ("c-2", "viewers", true)];
    agree(&scratch, &clock, &whole);
}

#[test]
fn what_a_visitor_types_in_is_nobody_until_somebody_says_that_it_is_theirs() {
    let (scratch, clock) = (scratch(), clock());
    scratch.import(&[scratch.file(
        "orders.csv",
        "order_id,email,date,total\no-1,ann@example.com,2026-11-20,20.00\n",
    )]);
    let running = Running::start(&scratch, &clock);
    let typed = json!({"anonymousId": "d-1", "traits": {"email": "ann@example.com"}});
    let views = [1, 2].map(|n| view(n, &json!({"anonymousId": "d-1"})));
    running.send_as(&client(), &[call("identify", 1, &typed)]);
    running.send_as(&client(), &views);
    assert!(!running.is_in("ann@example.com", "viewers"));
    let signed_in = json!({
        "anonymousId": "d-1", "traits": {"email": "ann@example.com", "email_verified": true},
    });
    running.send_as(&client(), &[call("identify", 2, &signed_in)]);
    assert!(running.is_in("ann@example.com", "viewers"));
    // What is known already needs no word.
    running.send_as(&client(), &[call("identify", 4, &typed)]);
    // A server may say that an address is not the person's own.
    let not_own = json!({
        "anonymousId": "d-2", "traits": {"email": "ann@example.com", "email_verified": false},
    });
    running.send_as(&server(), &[call("identify", 3, &not_own)]);
    running.stop();
    let said = |key: &str| (MergeRule::Email, Refusal::Unverified, Some(key.to_owned()));
    assert_eq!(refusals(&scratch), [said("page"), said("shop")]);
    agree(&scratch, &clock, &[("ann@example.com", "viewers", true)]);
}

#[test]
fn an_address_brings_its_orders_along_until_a_second_customer_has_it() {
    let (scratch, clock) = (scratch(), clock());
    scratch.import(&[scratch.file(
        "orders.csv",
        "order_id,email,date,total\no-1,home@example.com,2026-11-20,20.00\n",
    )]);
    let running = Running::start(&scratch, &clock);
    assert!(running.is_in("home@example.com", "buyers"));
    // Seen by a device that the address names, before and after it is somebody's.
    let device = json!({"anonymousId": "d-1"});
    let typed = json!({"anonymousId": "d-1", "traits": {"email": "home@example.com"}});
    running.send(&[call("identify", 1, &typed), view(1, &device)]);
    let named =
        |id: &str| json!({"userId": id, "traits": {"email": "Home@Example.com", "plan": id}});
    running.send(&[call("identify", 2, &named("c-1")), view(2, &device)]);
    for segment in ["buyers", "viewers"] {
        assert!(running.is_in("c-1", segment), "{segment}");
    }
    assert_eq!(running.next_of("buyers").cause, Cause::Merge);
    running.at(MINUTE);
    // A page cannot take it from them.
    let mut taken = named("c-3");
    taken["traits"]["email_verified"] = true.into();
    running.send_as(&client(), &[call("identify", 3, &taken)]);
    assert!(running.is_in("c-1", "buyers"));
    running.send(&[call("identify", 4, &named("c-2"))]);
    let after = [
        ("c-1", "buyers", false),
        ("c-1", "viewers", false),
        ("c-2", "buyers", false),
        ("home@example.com", "buyers", true),
        ("home@example.com", "viewers", true),
        ("d-1", "viewers", true),
    ];
    for (customer, segment, inside) in after {
        let is = running.is_in(customer, segment);
        assert_eq!(is, inside, "{customer} in {segment}");
    }
    let transitions = running.stop();
    let unmerged: Vec<_> = transitions
        .iter()
        .filter(|found| found.cause == Cause::Unmerge)
        .map(|found| (found.segment.as_str(), found.direction, found.occurred_at))
        .collect();
    let at = Timestamp(START + MINUTE);
    let of = |direction| ["buyers", "viewers"].map(|segment| (segment, direction, at));
    for expected in [of(Direction::Entered), of(Direction::Exited)].concat() {
        assert!(unmerged.contains(&expected), "{expected:?} in {unmerged:?}");
    }
    // Nobody's transitions are counted from the beginning again.
    let mut ids: Vec<_> = transitions.iter().map(|found| found.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), transitions.len());
    agree(&scratch, &clock, &after);
}

#[test]
fn a_customer_has_so_many_names_and_no_more() {
    let mut config = Config::new("test", Currency::new("USD").unwrap(), "UTC");
    config.identity.emails_per_customer = 2;
    config.identity.anonymous_ids_per_customer = 1;
    config.identity.customer_ids_per_customer = 2;
    let (scratch, clock) = (scratch_with(config), clock());
    let running = Running::start(&scratch, &clock);
    for n in 1..=3 {
        let typed = json!({
            "anonymousId": format!("d-{n}"), "traits": {"email": format!("e-{n}@example.com")},
        });
        running.send(&[call("identify", n, &typed), view(n, &typed)]);
        let named = json!({"userId": "c-1", "traits": {"email": format!("e-{n}@example.com")}});
        running.send(&[call("identify", 10 + n, &named)]);
        let alias = json!({"previousId": format!("old-{n}"), "userId": "c-1"});
        let old = view(20 + n, &json!({"userId": format!("old-{n}")}));
        running.send(&[old, call("alias", n, &alias)]);
    }
    running.stop();
    let store = scratch.workspace.open_read().unwrap();
    let vault = store.vault().unwrap();
    let is_same = |name: &str| vault.find(name) == vault.find("c-1");
    // The second address has a device of its own, which would be one too many.
    let names = ["e-1@example.com", "d-1", "old-1"];
    assert!(names.into_iter().all(is_same));
    let names = ["e-2@example.com", "d-2", "old-2", "e-3@example.com", "d-3"];
    assert!(!names.into_iter().any(is_same));
    drop(store);
    let shop = None::<String>;
    let of = |rule, refusal| (rule, refusal, shop.clone());
    assert_eq!(
        refusals(&scratch),
        [
            of(MergeRule::Email, Refusal::AnonymousIds),
            of(MergeRule::Alias, Refusal::CustomerIds),
            of(MergeRule::Email, Refusal::AnonymousIds),
            of(MergeRule::Alias, Refusal::CustomerIds),
        ]
    );
}

#[test]
fn values_that_a_workspace_blocks_name_nobody_live_and_in_files() {
    let mut config = Config::new("test", Currency::new("USD").unwrap(), "UTC");
    config.identity.blocked = vec!["kiosk".to_owned(), "till@example.com".to_owned()];
    let (scratch, clock) = (scratch_with(config), clock());
    let report = scratch.import(&[scratch.file(
        "orders.csv",
        "order_id,customer_id,email,date,total\n\
         o-1,KIOSK,till@example.com,2026-11-20,20.00\n\
         o-2,c-1,till@example.com,2026-11-20,20.00\n",
    )]);
    assert_eq!(report.intake.rows_without_customer, 1);
    let running = Running::start(&scratch, &clock);
    let shared = json!({"userId": "c-1", "anonymousId": "Kiosk"});
    running.send(&[view(1, &shared)]);
    let other = json!({"userId": "c-2", "anonymousId": "kiosk"});
    running.send(&[view(2, &other), view(3, &other)]);
    assert!(!running.is_in("c-1", "viewers") && running.is_in("c-2", "viewers"));
    running.stop();
    let store = scratch.workspace.open_read().unwrap();
    let vault = store.vault().unwrap();
    assert_eq!(vault.find("kiosk"), None);
    assert_eq!(vault.find("till@example.com"), None);
}

#[test]
fn a_name_that_is_parted_while_nothing_runs_takes_along_what_is_its_own() {
    let (scratch, clock) = (scratch(), clock());
    scratch.import(&[scratch.file(
        "orders.csv",
        "order_id,email,date,total\no-1,ann@example.com,2026-11-20,20.00\n",
    )]);
    // By a file, too, an address is merged that can be parted.
    scratch.import(&[scratch.file(
        "customers.csv",
        "customer_id,email,country\nc-1,ann@example.com,DE\n",
    )]);
    let running = Running::start(&scratch, &clock);
    running.send(&[view(1, &json!({"userId": "c-1"}))]);
    assert!(running.is_in("c-1", "buyers"));
    running.stop();
    let mut store = scratch.workspace.open().unwrap();
    let at = Timestamp(START + MINUTE);
    let unmerged = unmerge(&mut store, "ann@example.com", None, at).unwrap();
    assert!(!unmerged.anonymous && unmerged.evidence.is_none());
    let refused = unmerge(&mut store, "ann@example.com", None, at).unwrap_err();
    assert!(
        refused.to_string().contains("stands for itself"),
        "{refused}"
    );
    drop(store);
    clock.store(START + 2 * MINUTE, Ordering::Relaxed);
    let running = Running::start(&scratch, &clock);
    let mut moved = [running.next_of("buyers"), running.next_of("buyers")];
    moved.sort_by_key(|moved| moved.direction);
    for (moved, direction) in moved.iter().zip([Direction::Entered, Direction::Exited]) {
        assert_eq!((&moved.cause, moved.occurred_at), (&Cause::Unmerge, at));
        assert_eq!(moved.direction, direction);
    }
    running.stop();
    // A file says it again in vain.
    scratch.import(&[scratch.file(
        "more.csv",
        "customer_id,email,country\nc-1,ann@example.com,AT\n",
    )]);
    let after = [
        ("c-1", "buyers", false),
        ("ann@example.com", "buyers", true),
    ];
    agree(&scratch, &clock, &after);
}

/// What was bought by an address lies under it in the history, whoever it turned out to be.
#[test]
fn an_order_that_a_file_gives_to_another_leaves_whoever_the_address_turned_out_to_be() {
    let (scratch, clock) = (scratch(), clock());
    scratch.import(&[scratch.file(
        "orders.csv",
        "order_id,email,date,total\no-1,ann@example.com,2026-11-20,20.00\n",
    )]);
    let running = Running::start(&scratch, &clock);
    let named = json!({"userId": "c-1", "traits": {"email": "ann@example.com"}});
    running.send(&[call("identify", 1, &named)]);
    assert!(running.is_in("c-1", "buyers"));
    running.stop();
    scratch.import(&[scratch.file(
        "corrected.csv",
        "order_id,customer_id,date,total\no-1,c-2,2026-11-20,25.00\n",
    )]);
    let after = [("c-1", "buyers", false), ("c-2", "buyers", true)];
    agree(&scratch, &clock, &after);
    let report = scratch.import(&[scratch.file(
        "again.csv",
        "order_id,customer_id,date,total\no-1,c-2,2026-11-20,25.00\no-2,c-2,2026-11-21,5.00\n",
    )]);
    assert_eq!(report.intake.rows, 2);
    agree(&scratch, &clock, &after);
}
