//! An import that names an address with a second customer parts it from the first, with all that is its
//! own, wherever that lies.

use std::collections::BTreeMap;

use regulars_core::Timestamp;
use regulars_pipeline::{WantedRecords, customer_named, identity_records, identity_view, unmerge};
use regulars_store::log::LogRecord;
use serde_json::{Value, json};

use crate::equivalence::{START, append, copy_directory, of_batch, of_live, start};
use crate::scratch::Scratch;

const RULES: &str = r#"
[[segment]]
name = "buyers"
rule = "orders >= 2"

[[segment]]
name = "viewers"
rule = "events 'Product Viewed' in last 2 days >= 3"
"#;

const ADDRESS: &str = "home@example.com";

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), RULES).unwrap();
    scratch
}

/// The same workspace, before what comes.
pub(crate) fn copied(scratch: &Scratch) -> Scratch {
    let copy = Scratch::new();
    let (from, to) = (scratch.workspace.root(), copy.workspace.root());
    std::fs::remove_dir_all(to).unwrap();
    copy_directory(from, to);
    copy
}

/// Parts by hand every address that a file of customers names with another customer than the one
/// that it stands for; gives how many that are. `rows` are its customer ids and addresses.
pub(crate) fn part_by_hand(scratch: &Scratch, rows: &[(String, String)], now: i64) -> usize {
    let mut parted = 0;
    for (customer, email) in rows {
        let mut store = scratch.workspace.open().unwrap();
        let vault = store.vault().unwrap();
        let (of, named) = (vault.find(email), vault.find(customer));
        if of.is_some() && of != named && unmerge(&mut store, email, None, Timestamp(now)).is_ok() {
            parted += 1;
        }
    }
    parted
}

/// Who is where by a batch fold, by what customers are called.
pub(crate) fn named(scratch: &Scratch, now: i64) -> BTreeMap<String, Vec<String>> {
    let members = of_batch(scratch, now);
    let store = scratch.workspace.open_read().unwrap();
    let vault = store.vault().unwrap();
    let name = |customer| vault.external_id(customer).unwrap().to_owned();
    let members = members.into_iter();
    members
        .map(|(customer, segments)| (name(customer), segments))
        .collect()
}

fn view(n: usize) -> Value {
    json!({
        "type": "track", "event": "Product Viewed", "anonymousId": "d-1",
        "messageId": format!("view {n}"), "timestamp": Timestamp(START).to_string(),
    })
}

fn call(kind: &str, fields: Value) -> Value {
    let mut event = fields;
    event["type"] = kind.into();
    event["messageId"] = event.to_string().into();
    event["timestamp"] = Timestamp(START).to_string().into();
    event
}

/// A workspace in which what was told and bought under an address lies under it, under the customer
/// that it stood for, and under the one who that turned out to be.
fn spread() -> Scratch {
    let scratch = scratch();
    scratch.import(&[scratch.file(
        "orders.csv",
        &format!("order_id,email,date,total\no-1,{ADDRESS},2026-11-20,20.00\n"),
    )]);
    let live = start(&scratch, START, 1_000_000);
    let typed = call(
        "identify",
        json!({"anonymousId": "d-1", "traits": {"email": ADDRESS}}),
    );
    append(&live, &[typed, view(1)], START);
    live.move_now().unwrap();
    let named = call(
        "identify",
        json!({"userId": "c-1", "traits": {"email": ADDRESS}}),
    );
    append(&live, &[named, view(2)], START);
    live.move_now().unwrap();
    let alias = call("alias", json!({"previousId": "c-1", "userId": "c-0"}));
    append(&live, &[alias, view(3)], START);
    live.move_now().unwrap();
    live.stop().unwrap();
    scratch.import(&[scratch.file(
        "more.csv",
        &format!("order_id,email,date,total\no-2,{ADDRESS},2026-11-21,30.00\n"),
    )]);
    scratch
}

#[test]
fn a_file_that_names_an_address_with_a_second_customer_parts_it_with_all_that_is_its_own() {
    let scratch = spread();
    let before = named(&scratch, START);
    let is_in = |members: &BTreeMap<String, Vec<String>>, customer: &str, segment: &str| {
        let segments = members.get(customer).into_iter().flatten();
        segments.into_iter().any(|name| name == segment)
    };
    assert!(is_in(&before, "c-0", "buyers") && is_in(&before, "c-0", "viewers"));
    let file = format!("customer_id,email,country\nc-2,{ADDRESS},DE\n");
    let by_hand = copied(&scratch);
    let rows = [("c-2".to_owned(), ADDRESS.to_owned())];
    assert_eq!(part_by_hand(&by_hand, &rows, START), 1);
    for scratch in [&scratch, &by_hand] {
        scratch.import(&[scratch.file("customers.csv", &file)]);
    }
    let after = named(&scratch, START);
    for segment in ["buyers", "viewers"] {
        assert!(is_in(&after, ADDRESS, segment), "{segment}: {after:?}");
        assert!(!is_in(&after, "c-0", segment), "{segment}: {after:?}");
        assert!(!is_in(&after, "c-2", segment), "{segment}: {after:?}");
    }
    assert_eq!(after, named(&by_hand, START), "as if it was parted by hand");
    let live = start(&scratch, START, 1_000_000);
    assert_eq!(of_live(&live), of_batch_while(&live, &scratch));
    // What comes now is the address's own.
    append(&live, &[view(4)], START);
    live.move_now().unwrap();
    let told = of_live(&live);
    live.stop().unwrap();
    assert_eq!(told, of_batch(&scratch, START));
    // A name that went along can be parted in its turn, and takes what is its own from everywhere.
    let mut store = scratch.workspace.open().unwrap();
    unmerge(&mut store, "d-1", None, Timestamp(START)).unwrap();
    drop(store);
    let after = named(&scratch, START);
    assert!(is_in(&after, ADDRESS, "buyers") && !is_in(&after, ADDRESS, "viewers"));
    let live = start(&scratch, START, 1_000_000);
    let told = of_live(&live);
    live.stop().unwrap();
    assert_eq!(told, of_batch(&scratch, START));
}

/// A batch fold of the workspace as it lies on disk while it is served.
fn of_batch_while(
    live: &regulars_pipeline::live::Live,
    scratch: &Scratch,
) -> crate::equivalence::Memberships {
    let copy = Scratch::new();
    let (from, to) = (
        scratch.workspace.root().to_owned(),
        copy.workspace.root().to_owned(),
    );
    live.with_store(move |_| {
        std::fs::remove_dir_all(&to).unwrap();
        copy_directory(&from, &to);
    });
    of_batch(&copy, START)
}

#[test]
fn what_files_part_is_told_among_what_happened_to_the_names_of_a_customer() {
    let scratch = spread();
    let file = format!("customer_id,email,country\nc-2,{ADDRESS},DE\n");
    scratch.import(&[scratch.file("customers.csv", &file)]);
    let store = scratch.workspace.open_read().unwrap();
    let records = store.records(0).unwrap();
    let mut imports = records.iter().filter_map(|(offset, record)| match record {
        LogRecord::ImportAdded(_) => Some(*offset),
        _ => None,
    });
    let import = imports.next_back().unwrap();
    let parted: Vec<_> = records
        .iter()
        .filter_map(|(_, record)| match record {
            LogRecord::Unmerged(unmerged) => Some(unmerged),
            _ => None,
        })
        .collect();
    let vault = store.vault().unwrap();
    let id = |name: &str| vault.find(name).unwrap();
    assert_eq!(parted.len(), 1);
    assert_eq!(parted[0].import, Some(import));
    assert_eq!(parted[0].identity(), Some(id(ADDRESS)));
    assert_eq!(parted[0].from(), Some(id("c-0")));
    assert_eq!((parted[0].along.len(), parted[0].through.len()), (2, 2));
    for name in [ADDRESS, "c-0"] {
        let customer = customer_named(vault, name).unwrap();
        let found = identity_records(&store, &vault.ids_of(customer), WantedRecords::ALL).unwrap();
        let view = identity_view(vault, customer, &found);
        let last = view.history.last().unwrap();
        assert_eq!(last.what, "unmerged");
        assert_eq!(last.name.as_deref(), Some(ADDRESS));
        assert_eq!(last.with.as_deref(), Some("c-0"));
        assert_eq!(
            last.why,
            "a file named the e-mail address with a second customer"
        );
    }
}
