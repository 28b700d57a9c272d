//! Files of the vault, damaged: outside of what is encrypted, and within.

use std::path::Path;

use regulars_testkit::fuzz::Fuzz;

use super::arena::Arena;
use super::{IdentityId, IdentityKind, MasterKey, Trust, Vault, file};

const PATH: &str = "vault/a.vault";

fn vault() -> Vault {
    let mut vault = Vault::default();
    for number in 0..20 {
        let customer = vault.lookup_or_mint(IdentityKind::CustomerId, &format!("c-{number}"));
        let email = vault.lookup_or_mint(IdentityKind::Email, &format!("{number}@example.org"));
        let trust = [Trust::Client, Trust::Server][number % 2];
        vault.link(email.unwrap(), customer.unwrap(), trust);
    }
    vault
}

#[test]
fn no_damaged_file_panics() {
    let dir = tempfile::tempdir().unwrap();
    let key = MasterKey::create(&dir.path().join("master.key")).unwrap();
    let whole = vault().encode_all(&key).unwrap();
    let empty = Vault::default().encode_all(&key).unwrap();
    Fuzz::of(&[&whole, &empty]).run(|bytes| {
        let mut read = Vault::default();
        match read.take_journal((Path::new(PATH), 0), bytes, &key) {
            Ok(()) => assert!(read.len() <= 40),
            Err(error) => assert!(error.to_string().contains('`'), "{error}"),
        }
    });
}

/// Whoever has the key may write what they want: it is still not believed.
#[test]
fn nothing_that_was_encrypted_panics() {
    let dir = tempfile::tempdir().unwrap();
    let key = MasterKey::create(&dir.path().join("master.key")).unwrap();
    let vault = vault();
    let records: Vec<u8> = vault.arena.records_from(0).flatten().copied().collect();
    let links = [
        (IdentityId(1), IdentityId(2), Trust::Server),
        (IdentityId(2), IdentityId(1), Trust::Client),
    ];
    Fuzz::of(&[&records]).run(|records| {
        let bytes = file::encode(std::iter::once(records), &links, &key).unwrap();
        let mut arena = Arena::default();
        let read = file::read(Path::new(PATH), &bytes, &key, &mut arena, |_| {});
        if read.is_ok() {
            assert_eq!(arena.records_from(0).flatten().count(), records.len());
        }
    });
}
