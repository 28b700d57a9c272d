use std::fs;
use std::path::Path;

use regulars_core::{CustomerId, Partition, Timestamp};
use regulars_store::history::CustomerRow;
use regulars_store::vault::{IdentityId, IdentityKind, Trust};
use regulars_store::{Store, StoreError, StoreOptions};

use crate::sample::{create, open, record};

/// True when a file anywhere below holds the text.
fn is_readable(dir: &Path, text: &str) -> bool {
    fs::read_dir(dir).unwrap().any(|entry| {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            return is_readable(&entry.path(), text);
        }
        let bytes = fs::read(entry.path()).unwrap();
        bytes
            .windows(text.len())
            .any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
    })
}

#[test]
fn nothing_personal_is_readable_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let mut store = create(&path);
    let mut transaction = store.begin().unwrap();
    let mut rows = Vec::new();
    for number in 0..300 {
        let vault = transaction.vault().unwrap();
        let email = format!("someone{number}@example.com");
        let identity = vault.lookup_or_mint(IdentityKind::Email, &email).unwrap();
        let account = vault.lookup_or_mint(IdentityKind::CustomerId, &format!("ACC-{number}"));
        vault.link(identity, account.unwrap(), Trust::Server);
        let sealed = vault.seal(identity, format!("Someone {number}, {email}").as_bytes());
        rows.push(CustomerRow {
            customer: vault.resolve(identity),
            identity,
            occurred_at: Timestamp(0),
            import: 0,
            traits: "{\"newsletter\":true}".to_owned(),
            sealed: Some(sealed.unwrap()),
        });
    }
    rows.sort_by_key(|row| row.customer);
    for partition in Partition::all() {
        let mut run = transaction.customer_run(partition).unwrap();
        for row in rows
            .iter()
            .filter(|row| row.customer.partition() == partition)
        {
            run.push(row).unwrap();
        }
        transaction.add_run(run.finish().unwrap());
    }
    transaction.commit(record(0)).unwrap();
    drop(store);
    assert!(is_readable(&path, "PAR1"), "the search works");
    for text in ["example.com", "someone", "ACC-"] {
        assert!(!is_readable(&path, text), "{text}");
    }
    let store = open(&path);
    let vault = store.vault().unwrap();
    let customer = vault.find("SomeOne7@example.com").unwrap();
    assert_eq!(vault.external_id(customer), Some("ACC-7"));
    let row = store.history().declared(customer).unwrap().remove(0);
    let plain = vault.open(row.identity, &row.sealed.unwrap()).unwrap();
    assert_eq!(plain, b"Someone 7, someone7@example.com");
}

#[test]
fn many_commits_are_merged_and_say_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let mut store = create(&path);
    let mut known: Vec<(String, IdentityId, CustomerId)> = Vec::new();
    for round in 0..30 {
        let mut transaction = store.begin().unwrap();
        let vault = transaction.vault().unwrap();
        let id = vault
            .lookup_or_mint(IdentityKind::CustomerId, &format!("c{round}"))
            .unwrap();
        let email = format!("e{}@example.com", round / 3);
        let email_id = vault.lookup_or_mint(IdentityKind::Email, &email).unwrap();
        if round % 3 == 0 || round % 2 == 0 {
            vault.link(email_id, id, Trust::Server);
        }
        transaction.commit(record(round)).unwrap();
        let vault = store.vault().unwrap();
        known = known
            .iter()
            .map(|(t, id, _)| (t.clone(), *id, vault.resolve(*id)))
            .collect();
        known.push((email, email_id, vault.resolve(email_id)));
    }
    drop(store);
    assert!(
        fs::read_dir(path.join("vault")).unwrap().count() <= 9,
        "8 files and the key"
    );
    let store = open(&path);
    let vault = store.vault().unwrap();
    assert_eq!(vault.len(), 40);
    for (email, id, customer) in known {
        assert_eq!(vault.lookup(IdentityKind::Email, &email), Some(id));
        assert_eq!(vault.resolve(id), customer);
    }
}

#[test]
fn the_master_key_is_the_owners_and_the_right_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let key = path.join("vault/master.key");
    let mut store = create(&path);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(&key).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let mut transaction = store.begin().unwrap();
    transaction
        .vault()
        .unwrap()
        .lookup_or_mint(IdentityKind::CustomerId, "7")
        .unwrap();
    transaction.commit(record(0)).unwrap();
    drop(store);
    let elsewhere = dir.path().join("elsewhere.key");
    fs::rename(&key, &elsewhere).unwrap();
    let message = open(&path).vault().unwrap_err().to_string();
    assert!(
        message.contains("master.key") && message.contains("no such file"),
        "{message}"
    );
    let options = StoreOptions {
        master_key: Some(elsewhere),
    };
    assert_eq!(
        Store::open(&path, &options).unwrap().vault().unwrap().len(),
        1
    );
    let other = dir.path().join("other");
    drop(create(&other));
    let options = StoreOptions {
        master_key: Some(other.join("vault/master.key")),
    };
    let store = Store::open(&path, &options).unwrap();
    let error = store.vault().unwrap_err();
    assert!(matches!(error, StoreError::MasterKey { .. }), "{error}");
}
