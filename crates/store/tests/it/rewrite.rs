use std::collections::BTreeMap;

use regulars_core::{CustomerId, Partition, Symbols, Timestamp};
use regulars_store::history::{CustomerRow, Family};
use regulars_store::vault::{IdentityId, IdentityKind, Move, Moves, Trust};

use crate::sample::{create, everything, expected, import, open, record, rows};

#[test]
fn compaction_says_the_same_in_fewer_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let mut store = create(&path);
    let mut symbols = Symbols::default();
    let mut all = Vec::new();
    for seed in 0..5 {
        let rows = rows(seed, seed, 2000, &mut symbols);
        import(&mut store, &rows, &symbols);
        all.extend(rows);
    }
    assert_eq!(store.history().summary(Family::Orders).runs, 15);
    assert_eq!(store.compact(4, Timestamp(0)).unwrap(), 3);
    assert_eq!(store.compact(4, Timestamp(0)).unwrap(), 0);
    let summary = store.history().summary(Family::Orders);
    assert_eq!((summary.runs, summary.rows), (3, all.len() as u64));
    let run = store
        .history()
        .runs(Family::Orders, Partition(1))
        .next()
        .unwrap()
        .clone();
    assert_eq!((run.first_import, run.last_import), (0, 4));
    assert_eq!(
        std::fs::read_dir(path.join("history")).unwrap().count(),
        3,
        "old files are gone"
    );
    drop(store);
    let store = open(&path);
    assert_eq!(store.recovery(), &regulars_store::Recovery::default());
    assert_eq!(everything(&store), expected(all, &symbols));
}

#[test]
fn moved_identities_take_their_rows_along() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = create(&dir.path().join("data"));
    let mut symbols = Symbols::default();
    let mut all = Vec::new();
    for seed in 0..3 {
        let mut rows = rows(seed, seed, 1500, &mut symbols);
        // Each identity has one customer, as the vault sees to it.
        for row in &mut rows {
            row.record.customer = old_customer(row.identity);
        }
        import(&mut store, &rows, &symbols);
        all.extend(rows);
    }
    let declared: Vec<_> = (0..90)
        .map(|number| declared_row(IdentityId(number)))
        .collect();
    declare(&mut store, &declared);
    // Every seventh identity moves: within its partition, and to others.
    let stored: Vec<Move> = (0..90)
        .filter(|number| number % 7 == 0)
        .map(|number| {
            let identity = IdentityId(number);
            let into = CustomerId(((number % 5) << 58) | 17);
            Move {
                identity,
                from: old_customer(identity),
                into,
            }
        })
        .collect();
    let into: BTreeMap<_, _> = stored
        .iter()
        .map(|found| (found.identity, found.into))
        .collect();
    let mut transaction = store.begin().unwrap();
    transaction
        .apply_moves(
            &Moves {
                stored,
                fresh: Vec::new(),
            },
            &[],
            &[],
        )
        .unwrap();
    transaction.commit(record(0)).unwrap();
    for row in &mut all {
        if let Some(customer) = into.get(&row.identity) {
            row.record.customer = *customer;
        }
    }
    assert_eq!(everything(&store), expected(all, &symbols));
    for row in declared {
        let customer = into.get(&row.identity).copied().unwrap_or(row.customer);
        let due = CustomerRow { customer, ..row };
        assert!(store.history().declared(customer).unwrap().contains(&due));
    }
    assert_eq!(store.history().summary(Family::Customers).rows, 90);
}

#[test]
fn rows_of_names_that_stand_for_a_moved_one_move_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = create(&dir.path().join("data"));
    let mut transaction = store.begin().unwrap();
    let vault = transaction.vault().unwrap();
    let mut mint = |kind, text| vault.lookup_or_mint(kind, text).unwrap();
    let email = mint(IdentityKind::Email, "ann@example.com");
    let old = mint(IdentityKind::CustomerId, "old");
    let ann = mint(IdentityKind::CustomerId, "ann");
    vault.link(old, email, Trust::Server);
    transaction.commit(record(0)).unwrap();
    let row = CustomerRow {
        customer: CustomerId(email.0),
        ..declared_row(old)
    };
    declare(&mut store, std::slice::from_ref(&row));
    let mut transaction = store.begin().unwrap();
    transaction.vault().unwrap().link(email, ann, Trust::Server);
    let moves = transaction.vault_ref().unwrap().moves();
    transaction.apply_moves(&moves, &[], &[]).unwrap();
    transaction.commit(record(1)).unwrap();
    let customer = CustomerId(ann.0);
    let moved = CustomerRow { customer, ..row };
    assert_eq!(store.history().declared(customer).unwrap(), [moved]);
}

fn old_customer(identity: IdentityId) -> CustomerId {
    CustomerId(((identity.0 % 4) << 58) | (identity.0 + 100))
}

fn declared_row(identity: IdentityId) -> CustomerRow {
    CustomerRow {
        customer: old_customer(identity),
        identity,
        occurred_at: Timestamp(5),
        import: 3,
        traits: "{}".to_owned(),
        sealed: None,
    }
}

fn declare(store: &mut regulars_store::Store, rows: &[CustomerRow]) {
    let mut transaction = store.begin().unwrap();
    for partition in Partition::all() {
        let mut here: Vec<_> = rows
            .iter()
            .filter(|row| row.customer.partition() == partition)
            .collect();
        here.sort_by_key(|row| row.customer);
        let mut run = transaction.customer_run(partition).unwrap();
        here.iter().for_each(|row| run.push(row).unwrap());
        transaction.add_run(run.finish().unwrap());
    }
    transaction.commit(record(0)).unwrap();
}
