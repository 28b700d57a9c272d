//! What the live path keeps: events, who they are of, and what came of them.

use regulars_core::{CustomerId, EventKind, Timestamp};
use regulars_store::log::{
    Found, ImportAdded, LogRecord, LogRecordKind, Logged, ModelsFitted, StoredEvent,
};
use regulars_store::vault::{IdentityId, IdentityKind, Trust};
use regulars_store::{Frame, Store, StoreOptions};
use tempfile::TempDir;

fn event(identity: IdentityId, customer: CustomerId, name: &str) -> StoredEvent {
    StoredEvent {
        kind: EventKind::Track,
        anonymous: false,
        identity,
        customer,
        occurred_at: Timestamp(1),
        received_at: Timestamp(2),
        message: 3,
        name: name.into(),
        properties: "{}".into(),
        context: "{}".into(),
        sealed: Box::default(),
    }
}

fn open(dir: &TempDir) -> Store {
    Store::open(&dir.path().join("data"), &StoreOptions::default()).unwrap()
}

/// One event of a visitor, who may be named on the way.
fn visit(store: &mut Store, anonymous: &str, user: Option<&str>, name: &str) -> CustomerId {
    let vault = store.live_vault().unwrap();
    let visitor = vault
        .lookup_or_mint(IdentityKind::Anonymous, anonymous)
        .unwrap();
    let identity = match user {
        None => visitor,
        Some(user) => {
            let user = vault
                .lookup_or_mint(IdentityKind::CustomerId, user)
                .unwrap();
            vault.link(visitor, user, Trust::Client);
            user
        }
    };
    let customer = vault.resolve(identity);
    let mut frame = Frame::default();
    frame.event(&event(identity, customer, name));
    store.append(&frame).unwrap();
    customer
}

#[test]
fn what_arrived_last_and_what_there_is_of_a_kind_is_known() {
    let dir = TempDir::new().unwrap();
    let mut store = Store::create(&dir.path().join("data"), &StoreOptions::default()).unwrap();
    assert_eq!(store.latest_arrival().unwrap(), None);
    assert!(
        store
            .records_of(LogRecordKind::ModelsFitted)
            .unwrap()
            .is_empty()
    );
    let fitted = |as_of: i64| {
        LogRecord::ModelsFitted(ModelsFitted {
            as_of: Timestamp(as_of),
            recorded_at: Timestamp(9),
            body: serde_json::Value::Null,
        })
    };
    let customer = visit(&mut store, "a-1", None, "Product Viewed");
    store.record(fitted(5)).unwrap();
    let mut frame = Frame::default();
    for received_at in [7, 4] {
        frame.event(&StoredEvent {
            received_at: Timestamp(received_at),
            ..event(IdentityId(customer.0), customer, "Product Viewed")
        });
    }
    store.append(&frame).unwrap();
    store.record(fitted(3)).unwrap();
    assert_eq!(store.latest_arrival().unwrap(), Some(Timestamp(7)));
    let of_kind = store.records_of(LogRecordKind::ModelsFitted).unwrap();
    let records: Vec<LogRecord> = of_kind.into_iter().map(|(_, record)| record).collect();
    assert_eq!(records, [fitted(5), fitted(3)]);
    let logged: Vec<(u64, Logged)> = store.logged(0).map(Result::unwrap).collect();
    assert_eq!(store.logged_at_once(2).unwrap(), logged);
}

#[test]
fn identities_are_as_durable_as_the_events_that_need_them() {
    let dir = TempDir::new().unwrap();
    let mut store = Store::create(&dir.path().join("data"), &StoreOptions::default()).unwrap();
    let anonymous = visit(&mut store, "a-1", None, "Product Viewed");
    let known = visit(&mut store, "a-1", Some("c-1"), "Signed In");
    assert_ne!(anonymous, known);
    // The device is the first one's for ever.
    let other = visit(&mut store, "a-1", Some("c-2"), "Signed In");
    drop(store);

    let mut store = open(&dir);
    let vault = store.vault().unwrap();
    let visitor = vault.lookup(IdentityKind::Anonymous, "a-1").unwrap();
    assert_eq!(vault.resolve(visitor), known);
    assert_eq!(vault.find("c-2"), Some(other));
    assert_eq!(vault.find("a-1"), Some(known));
    let customers = vault.customers();
    assert_eq!(customers, [("c-1", known), ("c-2", other)]);

    // An import writes them into the vault's files, and they are not lost with the journal.
    let mut transaction = store.begin().unwrap();
    let vault = transaction.vault().unwrap();
    vault
        .lookup_or_mint(IdentityKind::CustomerId, "c-3")
        .unwrap();
    let record = LogRecord::ImportAdded(ImportAdded {
        files: Vec::new(),
        recorded_at: Timestamp(9),
        notes: serde_json::Value::Null,
    });
    transaction.commit(record).unwrap();
    visit(&mut store, "a-9", Some("c-4"), "Signed In");
    drop(store);
    let store = open(&dir);
    let names: Vec<&str> = store
        .vault()
        .unwrap()
        .customers()
        .iter()
        .map(|c| c.0)
        .collect();
    assert_eq!(names, ["c-1", "c-2", "c-3", "c-4"]);
    let records = store.records(0).unwrap();
    assert_eq!(records.len(), 1, "{records:?}");
}

#[test]
fn what_was_appended_comes_back_in_order() {
    let dir = TempDir::new().unwrap();
    let mut store = Store::create(&dir.path().join("data"), &StoreOptions::default()).unwrap();
    let customer = visit(&mut store, "a-1", None, "Cart Viewed");
    let found = Found {
        folded_to: 2,
        now: Timestamp(2),
        transitions: Vec::new(),
    };
    let mut frame = Frame::default();
    frame.tick(Timestamp(5));
    frame.found(&found);
    frame.marks(b"[1]");
    let offsets = store.append(&frame).unwrap();
    assert_eq!(offsets, 2..5);
    drop(store);
    let store = open(&dir);
    let logged: Vec<_> = store.logged(0).map(Result::unwrap).collect();
    let offsets: Vec<u64> = logged.iter().map(|(offset, _)| *offset).collect();
    assert_eq!(offsets, [0, 1, 2, 3, 4]);
    let identity = IdentityId(customer.0);
    let records: Vec<Logged> = logged.into_iter().map(|(_, logged)| logged).collect();
    let expected = [
        Logged::Identities,
        Logged::Event(event(identity, customer, "Cart Viewed")),
        Logged::Tick(Timestamp(5)),
        Logged::Found(found),
        Logged::Marks(b"[1]".to_vec()),
    ];
    assert_eq!(records, expected);
    let from_three: Vec<_> = store
        .logged(3)
        .map(Result::unwrap)
        .map(|(at, _)| at)
        .collect();
    assert_eq!(from_three, [3, 4]);
}

#[test]
fn the_journal_of_identities_is_not_readable() {
    let dir = TempDir::new().unwrap();
    let mut store = Store::create(&dir.path().join("data"), &StoreOptions::default()).unwrap();
    visit(
        &mut store,
        "visitor-with-a-long-name",
        Some("jane@example.org"),
        "Signed In",
    );
    let log = dir.path().join("data/log");
    for file in std::fs::read_dir(log).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for text in ["jane@example", "visitor-with"] {
            let found = bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes());
            assert!(!found, "{text}");
        }
    }
}
