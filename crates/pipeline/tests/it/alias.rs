//! `alias` says that two ids are one customer's, before or after anything else is known of either: the
//! order in which calls arrive changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use regulars_core::Timestamp;
use regulars_pipeline::live::{Sender, Trust};
use regulars_pipeline::{WantedRecords, customer_named, identity_records, identity_view};
use regulars_store::vault::IdentityKind;
use serde_json::{Value, json};

use crate::equivalence::{START, append_as, of_batch, of_live, start};
use crate::parting::named;
use crate::scratch::Scratch;

const RULES: &str = r#"
[[segment]]
name = "viewers"
rule = "events 'Product Viewed' in last 2 days >= 6"

[[segment]]
name = "one_view"
rule = "events 'Product Viewed' in last 2 days = 1"

[[segment]]
name = "buyers"
rule = "orders >= 1"
"#;

const SHOP: Sender = Sender::SHOP;
const PAGE: Sender = Sender {
    trust: Trust::Client,
    key: None,
};

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), RULES).unwrap();
    scratch
}

/// A call as of the start; every one with a message of its own.
fn call(kind: &str, mut fields: Value) -> Value {
    fields["type"] = kind.into();
    fields["messageId"] = fields.to_string().into();
    fields["timestamp"] = Timestamp(START).to_string().into();
    fields
}

fn view(mut who: Value) -> Value {
    who["event"] = "Product Viewed".into();
    call("track", who)
}

fn alias(previous: &str, user: &str) -> Value {
    call("alias", json!({"previousId": previous, "userId": user}))
}

/// Calls that do not contradict each other.
fn calls() -> Vec<(&'static Sender, Value)> {
    let address = json!({"email": "p@example.com"});
    vec![
        (&SHOP, alias("p", "u")),
        (&SHOP, view(json!({"userId": "p"}))),
        (&SHOP, alias("q", "u")),
        (&PAGE, view(json!({"anonymousId": "q"}))),
        (&SHOP, alias("u", "w")),
        (&SHOP, view(json!({"userId": "u"}))),
        (
            &PAGE,
            call("identify", json!({"anonymousId": "d", "userId": "p"})),
        ),
        (&PAGE, view(json!({"anonymousId": "d"}))),
        (
            &SHOP,
            call("identify", json!({"userId": "p", "traits": address})),
        ),
        (&SHOP, alias("never", "w")),
        // A page joins a visitor with a customer, but not two customers.
        (&PAGE, alias("k", "w")),
        (&PAGE, view(json!({"anonymousId": "k"}))),
        (&SHOP, view(json!({"userId": "k"}))),
        // What a page says of an id gives way to what the shop says.
        (&PAGE, alias("r", "thief")),
        (&SHOP, alias("r", "w")),
        (&SHOP, view(json!({"userId": "r"}))),
        (&SHOP, call("identify", json!({"userId": "thief"}))),
        // A device that is said to be a customer's who is known under no other name.
        (
            &SHOP,
            call("alias", json!({"previousId": "s", "anonymousId": "e"})),
        ),
        (&SHOP, view(json!({"userId": "s"}))),
    ]
}

/// Who is who after them, by kind and text: read off the calls.
fn expected() -> BTreeSet<BTreeSet<(IdentityKind, &'static str)>> {
    use IdentityKind::{Anonymous, CustomerId, Email};
    let all: [&[(IdentityKind, &str)]; 4] = [
        &[
            (CustomerId, "w"),
            (CustomerId, "u"),
            (CustomerId, "p"),
            (CustomerId, "r"),
            (Anonymous, "q"),
            (Anonymous, "d"),
            (Anonymous, "k"),
            (Email, "p@example.com"),
        ],
        &[(CustomerId, "k")],
        &[(CustomerId, "thief")],
        &[(CustomerId, "s"), (Anonymous, "e")],
    ];
    all.into_iter()
        .map(|one| one.iter().copied().collect())
        .collect()
}

/// Who is who by the vault.
fn found(scratch: &Scratch) -> BTreeSet<BTreeSet<(IdentityKind, &'static str)>> {
    let store = scratch.workspace.open_read().unwrap();
    let vault = store.vault().unwrap();
    let mut customers: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (kind, text) in expected().into_iter().flatten() {
        let identity = vault.lookup(kind, text).unwrap();
        let of = customers.entry(vault.resolve(identity)).or_default();
        of.insert((kind, text));
    }
    assert_eq!(vault.find("never"), vault.find("w"));
    customers.into_values().collect()
}

#[test]
fn the_order_of_calls_does_not_change_who_is_who() {
    let mut first: Option<BTreeMap<String, Vec<String>>> = None;
    for seed in 0..12 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut calls = calls();
        calls.shuffle(&mut rng);
        let order: Vec<String> = calls.iter().map(|(_, call)| call.to_string()).collect();
        let order = order.join("\n");
        let scratch = scratch();
        let live = start(&scratch, START, 3);
        for (number, (sender, call)) in calls.into_iter().enumerate() {
            append_as(&live, sender, &[call], START);
            if number % 4 == 0 {
                live.move_now().unwrap();
            }
        }
        let told = of_live(&live);
        live.stop().unwrap();
        assert_eq!(found(&scratch), expected(), "{order}");
        assert_eq!(told, of_batch(&scratch, START), "{order}");
        let live = start(&scratch, START, 3);
        assert_eq!(told, of_live(&live), "started again: {order}");
        live.stop().unwrap();
        let named = named(&scratch, START);
        assert!(named["w"].contains(&"viewers".to_owned()), "{order}");
        let first = first.get_or_insert_with(|| named.clone());
        assert_eq!(*first, named, "{order}");
    }
}

#[test]
fn a_file_brings_whom_alias_named_before() {
    let orders = "order_id,customer_id,date,total\no-1,p,2026-11-20,20.00\n";
    let people = "customer_id,email,country\nq,q@example.com,DE\n";
    let mut found = Vec::new();
    for files_first in [true, false] {
        let scratch = scratch();
        let import = || {
            scratch.import(&[scratch.file("orders.csv", orders)]);
            scratch.import(&[scratch.file("people.csv", people)]);
        };
        if files_first {
            import();
        }
        let live = start(&scratch, START, 1_000);
        let calls = [
            alias("p", "u"),
            alias("q", "u"),
            view(json!({"userId": "u"})),
        ];
        append_as(&live, &SHOP, &calls, START);
        // A page's word joins no two customers, whenever they are known.
        append_as(
            &live,
            &PAGE,
            &[alias("p", "thief"), alias("q", "thief")],
            START,
        );
        live.stop().unwrap();
        if !files_first {
            import();
        }
        let live = start(&scratch, START, 1_000);
        let told = of_live(&live);
        live.stop().unwrap();
        assert_eq!(told, of_batch(&scratch, START));
        let store = scratch.workspace.open_read().unwrap();
        let vault = store.vault().unwrap();
        for name in ["p", "q", "q@example.com"] {
            assert_eq!(vault.find(name), vault.find("u"), "{name}");
        }
        drop(store);
        found.push(named(&scratch, START));
    }
    assert!(found[0]["u"].contains(&"buyers".to_owned()));
    assert_eq!(found[0], found[1]);
}

#[test]
fn a_previous_id_that_nobody_used_is_a_name_with_a_reason() {
    let scratch = scratch();
    let live = start(&scratch, START, 1_000);
    append_as(&live, &SHOP, &[alias("old", "u")], START);
    let names = |live: &regulars_pipeline::live::Live| {
        live.with_store(|store| {
            let vault = store.vault().unwrap();
            let customer = customer_named(vault, "old").unwrap();
            let records =
                identity_records(store, &vault.ids_of(customer), WantedRecords::ALL).unwrap();
            let view = identity_view(vault, customer, &records);
            let names: Vec<_> = view
                .names
                .into_iter()
                .map(|it| (it.name, it.kind))
                .collect();
            (names, view.history.len())
        })
        .unwrap()
    };
    let name = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
    let user = name("u", "customer_id");
    let expected = vec![user.clone(), name("old", "previous_id")];
    assert_eq!(names(&live), (expected, 1));
    append_as(&live, &SHOP, &[view(json!({"userId": "old"}))], START);
    assert_eq!(names(&live), (vec![user, name("old", "customer_id")], 2));
    live.stop().unwrap();
}
