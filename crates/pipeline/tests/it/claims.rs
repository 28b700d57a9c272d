//! What anybody can say with the key of a page gives way to what the shop says, keeps nothing from it,
//! and fills nothing.

use regulars_core::{Currency, Direction, Timestamp};
use regulars_pipeline::{Config, WantedRecords, identity_records, identity_view};
use regulars_store::log::{MergeRule, Refusal};
use serde_json::{Value, json};

use crate::identity::{agree, call, client, clock, refusals, scratch, scratch_with, server, view};
use crate::live::{MINUTE, Running, START};

/// Whoever reads the key of a page may name an address before its owner does.
#[test]
fn a_server_takes_an_address_from_whoever_a_page_said_it_was() {
    let (scratch, clock) = (scratch(), clock());
    let running = Running::start(&scratch, &clock);
    let claim = |id: &str| json!({"userId": id, "traits": {"email": "ann@example.com", "email_verified": true}});
    running.send_as(&client(), &[call("identify", 1, &claim("thief"))]);
    // What a shop says of the address alone is said of it.
    let mut seen = call("track", 2, &json!({"userId": "thief"}));
    seen["event"] = "Product Viewed".into();
    let device = json!({"anonymousId": "d-1"});
    let typed = json!({"anonymousId": "d-1", "traits": {"email": "ann@example.com"}});
    running.send(&[
        seen,
        call("identify", 3, &typed),
        view(4, &device),
        view(5, &device),
    ]);
    assert!(running.is_in("thief", "viewers"));
    running.at(MINUTE);
    let named = |id: &str| json!({"userId": id, "traits": {"email": "ann@example.com"}});
    running.send_as(&server(), &[call("identify", 6, &named("ann"))]);
    let after = [("thief", "viewers", false), ("ann", "viewers", true)];
    let of_address = [
        ("ann@example.com", "viewers", true),
        ("d-1", "viewers", true),
    ];
    for (customer, segment, inside) in after.into_iter().chain(of_address) {
        let is = running.is_in(customer, segment);
        assert_eq!(is, inside, "{customer} in {segment}");
    }
    // Said again it is in vain.
    running.send_as(&client(), &[call("identify", 7, &claim("thief"))]);
    assert!(!running.is_in("thief", "viewers"));
    let transitions = running.stop();
    let at = Timestamp(START + MINUTE);
    let of_viewers = |direction| {
        let moved = transitions.iter().filter(|found| {
            found.segment.as_str() == "viewers"
                && found.direction == direction
                && found.occurred_at == at
        });
        moved.count()
    };
    // One who lost it and one who has it: the address itself was never anybody in between.
    assert_eq!(of_viewers(Direction::Exited), 1);
    assert_eq!(of_viewers(Direction::Entered), 1);
    let page = Some("page".to_owned());
    assert_eq!(
        refusals(&scratch),
        [(MergeRule::Email, Refusal::ClientSideKey, page)]
    );
    agree(&scratch, &clock, &after);
    let store = scratch.workspace.open_read().unwrap();
    let vault = store.vault().unwrap();
    let ann = vault.find("ann").unwrap();
    let records = identity_records(&store, &vault.ids_of(ann), WantedRecords::ALL).unwrap();
    let history = identity_view(vault, ann, &records).history;
    let taken: Vec<_> = history
        .iter()
        .filter(|event| event.what == "taken_over")
        .map(|event| {
            (
                event.name.as_deref(),
                event.with.as_deref(),
                event.from.as_deref(),
            )
        })
        .collect();
    let expected = [Some("ann@example.com"), Some("ann"), Some("thief")];
    assert_eq!(taken, [expected.into()]);
    drop(store);
    // A second word of a server parts it, for ever.
    let running = Running::start(&scratch, &clock);
    running.send_as(&server(), &[call("identify", 8, &named("ben"))]);
    let parted = [
        ("ann", "viewers", false),
        ("ben", "viewers", false),
        ("ann@example.com", "viewers", true),
    ];
    for (customer, segment, inside) in parted {
        assert_eq!(running.is_in(customer, segment), inside, "{customer}");
    }
    running.stop();
    agree(&scratch, &clock, &parted);
}

#[test]
fn a_file_takes_an_address_from_whoever_a_page_said_it_was() {
    let (scratch, clock) = (scratch(), clock());
    let running = Running::start(&scratch, &clock);
    let claim = json!({
        "userId": "thief", "traits": {"email": "ann@example.com", "email_verified": true},
    });
    running.send_as(&client(), &[call("identify", 1, &claim)]);
    running.stop();
    scratch.import(&[scratch.file(
        "guests.csv",
        "order_id,email,date,total\no-1,ann@example.com,2026-11-20,20.00\n",
    )]);
    agree(&scratch, &clock, &[("thief", "buyers", true)]);
    scratch.import(&[scratch.file(
        "orders.csv",
        "order_id,customer_id,email,date,total\no-2,ann,ann@example.com,2026-11-21,5.00\n",
    )]);
    let after = [
        ("thief", "buyers", false),
        ("ann", "buyers", true),
        ("ann@example.com", "buyers", true),
    ];
    agree(&scratch, &clock, &after);
}

#[test]
fn names_that_pages_tell_keep_out_none_that_a_server_tells() {
    let mut config = Config::new("test", Currency::new("USD").unwrap(), "UTC");
    config.identity.emails_per_customer = 1;
    config.identity.anonymous_ids_per_customer = 1;
    let (scratch, clock) = (scratch_with(config), clock());
    let running = Running::start(&scratch, &clock);
    let named = |n: usize| {
        json!({
            "userId": "c-1", "anonymousId": format!("d-{n}"),
            "traits": {"email": format!("e-{n}@example.com"), "email_verified": true},
        })
    };
    running.send_as(&client(), &[1, 2].map(|n| call("identify", n, &named(n))));
    running.send_as(&server(), &[3, 4].map(|n| call("identify", n, &named(n))));
    running.stop();
    let store = scratch.workspace.open_read().unwrap();
    let vault = store.vault().unwrap();
    let is_same = |name: &str| vault.find(name) == vault.find("c-1");
    for n in [1, 3] {
        assert!(is_same(&format!("e-{n}@example.com")) && is_same(&format!("d-{n}")));
    }
    for n in [2, 4] {
        assert!(!is_same(&format!("e-{n}@example.com")) && !is_same(&format!("d-{n}")));
    }
}

/// Somebody who tries it with one id after the other fills neither the log nor a page.
#[test]
fn refusals_are_counted_and_recorded_once_whatever_happens_in_between() {
    let (scratch, clock) = (scratch(), clock());
    let running = Running::start(&scratch, &clock);
    running.send(&[view(0, &json!({"userId": "c-1"}))]);
    let alias = |n: usize, user: usize| {
        let tried = json!({"previousId": "c-1", "userId": format!("t-{user}")});
        call("alias", n, &tried)
    };
    running.send_as(&client(), &[alias(1, 1), alias(2, 1)]);
    let device = |n: usize, user: &str| {
        call(
            "identify",
            n,
            &json!({"anonymousId": "d-1", "userId": user}),
        )
    };
    running.send(&[device(1, "c-2"), device(2, "c-3")]);
    // Data that was lent to a command comes back with what is known.
    running.lend();
    running.send_as(&client(), &[alias(3, 1)]);
    running.stop();
    assert_eq!(refusals(&scratch).len(), 2);
    scratch.import(&[scratch.file("events.ndjson", &device(3, "c-3").to_string())]);
    let running = Running::start(&scratch, &clock);
    running.send_as(&client(), &[alias(4, 1)]);
    running.send(&[device(4, "c-3")]);
    running.stop();
    assert_eq!(refusals(&scratch).len(), 2);
    let running = Running::start(&scratch, &clock);
    let tries: Vec<Value> = (0..200).map(|n| alias(10 + n, 2 + n)).collect();
    running.send_as(&client(), &tries);
    running.stop();
    let store = scratch.workspace.open_read().unwrap();
    let vault = store.vault().unwrap();
    let customer = vault.find("c-1").unwrap();
    let ids = vault.ids_of(customer);
    let (mut after, mut pages, mut history) = (None, 0, Vec::new());
    loop {
        let wanted = WantedRecords { after, most: 10 };
        let page = identity_records(&store, &ids, wanted).unwrap();
        let page = identity_view(vault, customer, &page);
        assert_eq!(page.names.is_empty(), after.is_some(), "names come first");
        assert!(page.history.len() <= 10);
        history.extend(page.history);
        pages += 1;
        let Some(next) = page.next else { break };
        after = Some(next.parse().unwrap());
    }
    let whole = identity_records(&store, &ids, WantedRecords::ALL).unwrap();
    let whole = identity_view(vault, customer, &whole);
    assert_eq!((whole.history, whole.next), (history.clone(), None));
    let refused = history.iter().filter(|event| event.what == "refused");
    let counts: Vec<u64> = refused.filter_map(|event| event.count).collect();
    assert!(
        counts.len() <= 24 && pages == counts.len().div_ceil(10),
        "{counts:?}"
    );
    assert!(
        counts.is_sorted() && counts.last() == Some(&128),
        "{counts:?}"
    );
}
