use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

fn key() -> MasterKey {
    MasterKey {
        path: PathBuf::from("master.key"),
        number: [3; 8],
        key: [7; 32],
    }
}

fn reload(files: &[Vec<u8>]) -> Vault {
    let mut vault = Vault::default();
    let mut loading = Loading::default();
    for bytes in files {
        let path = Path::new("vault");
        let take = |link| loading.take(link);
        file::read(path, bytes, &key(), &mut vault.arena, take).unwrap();
    }
    loading.end(&mut vault);
    vault.saved();
    vault
}

fn mint(vault: &mut Vault, kind: IdentityKind, value: &str) -> IdentityId {
    vault.lookup_or_mint(kind, value).unwrap()
}

#[test]
fn nobody_is_not_somebody() {
    for value in [
        "",
        " ",
        "0",
        "0000",
        "-",
        "00000000-0000-0000-0000-000000000000",
        "-1",
    ] {
        assert!(Blocked::default().contains(value), "{value}");
    }
    for value in [
        "null",
        "NULL",
        "None",
        "NaN",
        "n/a",
        "Anonymous",
        " guest ",
        &"x".repeat(600),
    ] {
        assert!(Blocked::default().contains(value), "{value}");
    }
    for value in ["0004", "1", "-2", "anna", "guest@example.com", "10"] {
        assert!(!Blocked::default().contains(value), "{value}");
    }
    let refused = Vault::default()
        .lookup_or_mint(IdentityKind::CustomerId, "guest")
        .unwrap_err();
    assert!(matches!(refused, StoreError::BlockedIdentity(value) if value == "guest"));
}

#[test]
fn a_workspace_blocks_values_of_its_own_also_such_as_were_known() {
    let mut vault = Vault::default();
    let known = mint(&mut vault, IdentityKind::CustomerId, "ABC123");
    vault.block(Arc::new(Blocked::with([" abc123 ", "Kasse@example.com"])));
    for (kind, value) in [
        (IdentityKind::CustomerId, "ABC123"),
        (IdentityKind::Anonymous, "abc123"),
        (IdentityKind::Email, "kasse@Example.com"),
        (IdentityKind::CustomerId, "guest"),
    ] {
        let refused = vault.lookup_or_mint(kind, value).unwrap_err();
        assert!(
            matches!(refused, StoreError::BlockedIdentity(_)),
            "{value}: {refused}"
        );
    }
    assert_eq!(
        vault.lookup(IdentityKind::CustomerId, "ABC123"),
        Some(known)
    );
    assert!(
        vault
            .lookup_or_mint(IdentityKind::CustomerId, "abc1234")
            .is_ok()
    );
}

#[test]
fn what_is_parted_stands_for_itself_for_ever_with_all_that_stand_for_it() {
    let mut vault = Vault::default();
    let anna = mint(&mut vault, IdentityKind::CustomerId, "anna");
    let other = mint(&mut vault, IdentityKind::CustomerId, "a-2");
    let email = mint(&mut vault, IdentityKind::Email, "anna@example.com");
    let device = mint(&mut vault, IdentityKind::Anonymous, "d-1");
    let mut files = vec![vault.encode_additions(&key()).unwrap()];
    vault.saved();
    assert!(matches!(
        vault.link(device, email, Trust::Server),
        Linked::Joined { .. }
    ));
    assert!(matches!(
        vault.link(email, anna, Trust::Server),
        Linked::Joined { .. }
    ));
    assert!(matches!(
        vault.link(anna, other, Trust::Server),
        Linked::Joined { .. }
    ));
    // Both are names of one customer by now.
    assert_eq!(vault.link(email, other, Trust::Server), Linked::Known);
    assert_eq!(vault.link(device, anna, Trust::Server), Linked::Known);
    let counts = vault.names_of(other);
    assert_eq!(
        (counts.customer_ids, counts.emails, counts.anonymous_ids),
        (2, 1, 1)
    );
    assert_eq!(
        vault.names(CustomerId(other.0)),
        [
            ("a-2", IdentityKind::CustomerId),
            ("anna", IdentityKind::CustomerId),
            ("anna@example.com", IdentityKind::Email),
            ("d-1", IdentityKind::Anonymous),
        ]
    );
    let parted = vault.part(email).unwrap();
    assert_eq!(parted.along, [email, device]);
    assert_eq!(parted.through, [anna, other]);
    assert_eq!(vault.part(email), None);
    assert_eq!(vault.link(email, anna, Trust::Server), Linked::Apart);
    files.push(vault.encode_additions(&key()).unwrap());
    let mut journaled = reload(&files[..1]);
    journaled
        .take_journal((Path::new("log"), 7), &files[1], &key())
        .unwrap();
    let whole = [vault.encode_all(&key()).unwrap()];
    for vault in [&vault, &journaled, &reload(&files), &reload(&whole)] {
        assert_eq!(vault.resolve(device), CustomerId(email.0));
        assert_eq!(vault.resolve(anna), CustomerId(other.0));
        assert_eq!(vault.names_of(other).emails, 0);
        assert_eq!(vault.names_of(email).anonymous_ids, 1);
    }
}

#[test]
fn identities_are_found_again_also_from_files() {
    let mut vault = Vault::default();
    let mut files = Vec::new();
    let mut expected = Vec::new();
    for round in 0..3 {
        vault.saved();
        for number in 0..500 {
            let text = format!("{}", 1 + round * 300 + number);
            let id = mint(&mut vault, IdentityKind::CustomerId, &text);
            let email = format!("Person{text}@Example.com");
            let email_id = mint(&mut vault, IdentityKind::Email, &email);
            expected.push((text, id, email, email_id));
        }
        files.push(vault.encode_additions(&key()).unwrap());
    }
    let merged = [vault.encode_all(&key()).unwrap()];
    for vault in [&vault, &reload(&files), &reload(&merged)] {
        assert_eq!(vault.len(), 2 * 1100);
        for (text, id, email, email_id) in &expected {
            assert_eq!(vault.lookup(IdentityKind::CustomerId, text), Some(*id));
            assert_eq!(
                vault.lookup(IdentityKind::Email, &email.to_lowercase()),
                Some(*email_id)
            );
            assert_eq!(
                vault.lookup(IdentityKind::Email, &format!(" {email} ")),
                Some(*email_id)
            );
            assert_eq!(vault.external_id(CustomerId(id.0)), Some(text.as_str()));
        }
        assert_eq!(vault.lookup(IdentityKind::Email, "5"), None);
    }
}

#[test]
fn an_email_follows_its_only_customer() {
    let mut vault = Vault::default();
    let email = mint(&mut vault, IdentityKind::Email, "anna@example.com");
    vault.saved();
    let anna = mint(&mut vault, IdentityKind::CustomerId, "A1");
    vault.link(email, anna, Trust::Server);
    vault.link(email, anna, Trust::Server);
    assert_eq!(vault.resolve(email), CustomerId(anna.0));
    let moved = Move {
        identity: email,
        from: CustomerId(email.0),
        into: CustomerId(anna.0),
    };
    assert_eq!(
        vault.moves(),
        Moves {
            stored: vec![moved],
            fresh: Vec::new()
        }
    );
    assert_eq!(vault.find("anna@example.com"), Some(CustomerId(anna.0)));
    assert_eq!(vault.customers(), [("A1", CustomerId(anna.0))]);
    vault.saved();
    let other = mint(&mut vault, IdentityKind::CustomerId, "A2");
    vault.link(email, other, Trust::Server);
    assert_eq!(vault.resolve(email), CustomerId(email.0));
    let parted = Parted {
        along: vec![email],
        through: vec![anna],
        into: None,
    };
    assert_eq!(vault.parted(), [parted]);
    assert_eq!(vault.moves(), Moves::default());
    vault.link(email, anna, Trust::Server);
    assert_eq!(
        vault.resolve(email),
        CustomerId(email.0),
        "ambiguous for ever"
    );
    let files = [vault.encode_all(&key()).unwrap()];
    assert_eq!(reload(&files).resolve(email), CustomerId(email.0));
}

#[test]
fn a_servers_word_takes_an_address_from_whoever_a_client_said_it_was() {
    let mut vault = Vault::default();
    let thief = mint(&mut vault, IdentityKind::CustomerId, "t-1");
    let anna = mint(&mut vault, IdentityKind::CustomerId, "a-1");
    let ben = mint(&mut vault, IdentityKind::CustomerId, "b-1");
    let email = mint(&mut vault, IdentityKind::Email, "anna@example.com");
    let device = mint(&mut vault, IdentityKind::Anonymous, "d-1");
    let mut files = vec![vault.encode_additions(&key()).unwrap()];
    vault.saved();
    vault.link(device, email, Trust::Client);
    vault.link(email, thief, Trust::Client);
    // A client takes it from nobody, not even from another.
    assert_eq!(vault.link(email, anna, Trust::Client), Linked::OfAnother);
    assert_eq!(vault.names_of(thief).emails, 1);
    assert_eq!(vault.told_names_of(thief).emails, 0);
    files.push(vault.encode_additions(&key()).unwrap());
    vault.saved();
    let taken = Linked::Parted(Parted {
        along: vec![email, device],
        through: vec![thief],
        into: Some(anna),
    });
    assert_eq!(vault.link(email, anna, Trust::Server), taken);
    assert_eq!(vault.moves(), Moves::default());
    assert_eq!(vault.parted().len(), 1);
    assert_eq!(vault.names_of(thief).emails, 0);
    assert_eq!(vault.told_names_of(anna).emails, 1);
    assert_eq!(vault.told_names_of(anna).anonymous_ids, 0);
    assert_eq!(vault.link(email, thief, Trust::Client), Linked::OfAnother);
    files.push(vault.encode_additions(&key()).unwrap());
    let mut journaled = reload(&files[..1]);
    for (offset, file) in [7, 8].into_iter().zip(&files[1..]) {
        let log = Path::new("log");
        journaled.take_journal((log, offset), file, &key()).unwrap();
    }
    let whole = [vault.encode_all(&key()).unwrap()];
    for vault in [&mut journaled, &mut reload(&files), &mut reload(&whole)] {
        assert_eq!(vault.resolve(device), CustomerId(anna.0));
        assert_eq!(vault.told_names_of(anna).emails, 1);
        // It is a server's word now: a second one parts it for ever.
        let parted = vault.link(email, ben, Trust::Server);
        assert!(matches!(parted, Linked::Parted(Parted { into: None, .. })));
        assert_eq!(vault.resolve(device), CustomerId(email.0));
    }
}

#[test]
fn a_server_confirms_what_a_client_said() {
    let mut vault = Vault::default();
    let anna = mint(&mut vault, IdentityKind::CustomerId, "a-1");
    let ben = mint(&mut vault, IdentityKind::CustomerId, "b-1");
    let email = mint(&mut vault, IdentityKind::Email, "anna@example.com");
    vault.link(email, anna, Trust::Client);
    assert_eq!(vault.link(email, anna, Trust::Server), Linked::Known);
    assert_eq!(vault.told_names_of(anna).emails, 1);
    let files = [vault.encode_additions(&key()).unwrap()];
    let parted = reload(&files).link(email, ben, Trust::Server);
    assert!(matches!(parted, Linked::Parted(Parted { into: None, .. })));
}

#[test]
fn links_of_the_version_before_are_words_of_servers() {
    let mut vault = Vault::default();
    let anna = mint(&mut vault, IdentityKind::CustomerId, "a-1");
    let email = mint(&mut vault, IdentityKind::Email, "anna@example.com");
    let links = [(email, anna, Trust::Server)];
    let records = vault.arena.records_from(0);
    let file = file::encode_as(2, records, &links, &key()).unwrap();
    let vault = reload(&[file]);
    assert_eq!(vault.resolve(email), CustomerId(anna.0));
    assert_eq!(vault.told_names_of(anna).emails, 1);
}

#[test]
fn sealed_data_opens_with_its_identity_only() {
    let mut vault = Vault::default();
    let anna = mint(&mut vault, IdentityKind::CustomerId, "anna");
    let ben = mint(&mut vault, IdentityKind::CustomerId, "ben");
    let plain = b"Anna Example, 1 Main Street";
    let sealed = vault.seal(anna, plain).unwrap();
    assert!(
        !sealed
            .windows(4)
            .any(|four| plain.windows(4).any(|part| part == four))
    );
    assert_ne!(
        sealed,
        vault.seal(anna, plain).unwrap(),
        "each time another nonce"
    );
    assert_eq!(vault.open(anna, &sealed).unwrap(), plain);
    assert!(vault.open(ben, &sealed).is_err());
    let mut later = sealed.clone();
    later[0] = 2;
    assert!(
        vault
            .open(anna, &later)
            .unwrap_err()
            .to_string()
            .contains("later version")
    );
    let mut damaged = sealed;
    damaged[20] ^= 1;
    assert!(
        vault
            .open(anna, &damaged)
            .unwrap_err()
            .to_string()
            .contains("damaged")
    );
}

#[test]
fn files_hold_nothing_readable_and_notice_changes() {
    let mut vault = Vault::default();
    for number in 0..20_000 {
        mint(
            &mut vault,
            IdentityKind::Email,
            &format!("person{number}@example.com"),
        );
    }
    let bytes = vault.encode_additions(&key()).unwrap();
    let clear = |needle: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
    assert!(!clear(b"example.com") && !clear(b"person"));
    let read = |bytes: &[u8], key: &MasterKey| {
        file::read(
            Path::new("vault/v1"),
            bytes,
            key,
            &mut Arena::default(),
            |_| {},
        )
        .unwrap_err()
        .to_string()
    };
    for at in [20, 60, bytes.len() / 2, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        assert!(
            read(&changed, &key()).contains("`vault/v1` is damaged"),
            "byte {at}"
        );
    }
    assert!(read(&bytes[..bytes.len() - 1], &key()).contains("is damaged"));
    let mut later = bytes.clone();
    later[8] = 4;
    assert!(read(&later, &key()).contains("version 4"));
    let other = MasterKey {
        number: [4; 8],
        ..key()
    };
    assert!(read(&bytes, &other).contains("does not open the vault"));
}

proptest! {
    /// Whatever the order of links, and however they are spread over commits, every e-mail stands
    /// for the same customer.
    #[test]
    fn the_order_of_links_does_not_matter(
        pairs in prop::collection::vec((0..6_usize, 0..4_usize), 0..25),
        order in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut vault = Vault::default();
        let emails: Vec<_> =
            (0..6).map(|n| mint(&mut vault, IdentityKind::Email, &format!("e{n}@x"))).collect();
        let customers: Vec<_> =
            (0..4).map(|n| mint(&mut vault, IdentityKind::CustomerId, &format!("c{n}"))).collect();
        let base = vault.encode_additions(&key()).unwrap();
        for &(email, customer) in &pairs {
            vault.link(emails[email], customers[customer], Trust::Server);
        }
        // Another order, in two commits with a reload between them.
        let mut shuffled = pairs.clone();
        if !shuffled.is_empty() {
            let turn = order.index(shuffled.len());
            shuffled.rotate_left(turn);
            shuffled.reverse();
        }
        let at = cut.index(shuffled.len() + 1);
        let mut files = vec![base];
        for part in [&shuffled[..at], &shuffled[at..]] {
            let mut other = reload(&files);
            for &(email, customer) in part {
                other.link(emails[email], customers[customer], Trust::Server);
            }
            files.push(other.encode_additions(&key()).unwrap());
        }
        let other = reload(&files);
        for &email in &emails {
            prop_assert_eq!(vault.resolve(email), other.resolve(email));
        }
        // And it is what the set of pairs says.
        for (number, &email) in emails.iter().enumerate() {
            let seen: std::collections::BTreeSet<_> =
                pairs.iter().filter(|pair| pair.0 == number).map(|pair| pair.1).collect();
            let expected = match seen.iter().collect::<Vec<_>>().as_slice() {
                [only] => customers[**only],
                _ => email,
            };
            prop_assert_eq!(vault.resolve(email), CustomerId(expected.0));
        }
    }
}
