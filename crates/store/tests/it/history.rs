use regulars_core::{CustomerId, LineRecord, OrderStatus, Partition, Symbols, Timestamp};
use regulars_store::StoreError;
use regulars_store::history::{
    CustomerRow, Family, OrderRow, SymbolTable, VersionsFrom, decode_rows, encode_row,
};
use regulars_store::vault::IdentityId;

use crate::sample::{
    Plain, create, customer, everything, expected, import, plain, record, rows, sort,
};

/// What the fold's reader gives.
fn folded(store: &regulars_store::Store, versions: VersionsFrom) -> Vec<(LineRecord, [String; 5])> {
    let table = SymbolTable::default();
    let mut records = Vec::new();
    let mut customers = 0;
    for partition in Partition::all() {
        let mut reader = store
            .history()
            .partition(partition, &table, versions)
            .unwrap();
        while let Some(of_customer) = reader.next_customer().unwrap() {
            assert!(
                of_customer
                    .iter()
                    .all(|row| row.customer == of_customer[0].customer)
            );
            customers += 1;
            records.extend_from_slice(of_customer);
        }
    }
    let symbols = table.into_symbols();
    let distinct: std::collections::BTreeSet<_> = records.iter().map(|row| row.customer).collect();
    assert_eq!(distinct.len(), customers, "each customer comes once");
    let bare = |record: LineRecord| {
        let row = OrderRow {
            record,
            order_id: String::new(),
            identity: IdentityId(0),
        };
        let Plain { row, texts } = plain(&row, &symbols);
        (row.record, texts)
    };
    records.into_iter().map(bare).collect()
}

#[test]
fn the_merge_of_runs_equals_a_sort_of_all_rows() {
    for seed in 0..12 {
        let dir = tempfile::tempdir().unwrap();
        let mut store = create(&dir.path().join("data"));
        let mut symbols = Symbols::default();
        let mut all = Vec::new();
        for run in 0..seed % 5 {
            let count = [1, 50, 3000, 9000][(seed as usize + run as usize) % 4];
            let rows = rows(seed * 100 + run, store.next_offset(), count, &mut symbols);
            import(&mut store, &rows, &symbols);
            all.extend(rows);
        }
        let expected = expected(all.clone(), &symbols);
        assert_eq!(everything(&store), expected, "seed {seed}");
        let bare: Vec<_> = expected
            .iter()
            .map(|plain| (plain.row.record, plain.texts.clone()))
            .collect();
        let read = folded(&store, VersionsFrom::FilesAndEvents);
        assert_eq!(read, bare, "seed {seed}");
        let read = folded(&store, VersionsFrom::Files);
        assert_eq!(read.len(), bare.len());
        for ((found, texts), (stored, due)) in read.into_iter().zip(bare) {
            let partition = stored.customer.partition();
            let is_alone = store.history().runs(Family::Orders, partition).count() == 1;
            let updated_at = match found.updated_at {
                // Where there is one version of each order, it may be that nobody asks.
                None if is_alone => None,
                _ => stored.updated_at,
            };
            let due_record = LineRecord {
                updated_at,
                ..stored
            };
            assert_eq!((found, texts), (due_record, due), "seed {seed}");
            assert!(!stored.ends() || found.ended_by() == stored.ended_by());
        }
        for number in 0..45 {
            let wanted = customer(number);
            let table = SymbolTable::default();
            let found = store.history().timeline(wanted, &table).unwrap();
            let symbols = table.into_symbols();
            let found: Vec<_> = found.iter().map(|row| plain(row, &symbols)).collect();
            let due: Vec<_> = expected
                .iter()
                .filter(|p| p.row.record.customer == wanted)
                .cloned()
                .collect();
            assert_eq!(found, due, "seed {seed}, customer {number}");
        }
        let summary = store.history().summary(Family::Orders);
        assert_eq!(summary.rows, all.len() as u64);
        let times = all.iter().map(|row| row.record.occurred_at);
        assert_eq!(summary.span, times.clone().min().zip(times.max()));
    }
}

/// Whether a fold over files alone is told when each row's version was made.
fn tells_versions(all: &[OrderRow], symbols: &Symbols) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let mut store = create(&dir.path().join("data"));
    import(&mut store, all, symbols);
    let read = folded(&store, VersionsFrom::Files);
    assert_eq!(read.len(), all.len());
    read.iter().any(|(record, _)| record.updated_at.is_some())
}

#[test]
fn when_versions_were_made_is_read_where_the_end_of_an_order_depends_on_it() {
    let mut symbols = Symbols::default();
    let mut all = rows(3, 0, 500, &mut symbols);
    for (number, row) in (0..).zip(&mut all) {
        row.record.customer = CustomerId(number % 7);
        row.record.occurred_at = Timestamp(100);
        row.record.updated_at = Some(Timestamp(200 + number as i64));
        row.record.ended_at = None;
        row.record.status = OrderStatus::Placed;
        row.record.refunded_minor = 0;
    }
    assert!(!tells_versions(&all, &symbols), "nothing ended");
    all[499].record.refunded_minor = 5;
    assert!(tells_versions(&all, &symbols), "money went back");
    all[499].record.ended_at = Some(Timestamp(150));
    assert!(!tells_versions(&all, &symbols), "it says when");
    all[250].record.status = OrderStatus::Cancelled;
    assert!(tells_versions(&all, &symbols), "an order was cancelled");
    all[250].record.updated_at = Some(Timestamp(99));
    assert!(!tells_versions(&all, &symbols), "at once");
    all[0].record.import += 1;
    assert!(tells_versions(&all, &symbols), "two imports");
}

#[test]
fn a_customer_may_have_more_rows_than_any_batch_or_row_group() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = create(&dir.path().join("data"));
    let mut symbols = Symbols::default();
    let mut all = rows(7, 0, 150_000, &mut symbols);
    for (number, row) in all.iter_mut().enumerate() {
        row.record.customer = CustomerId(if number % 1000 < 998 {
            500
        } else {
            number as u64
        });
    }
    let (even, odd): (Vec<_>, Vec<_>) = all
        .iter()
        .cloned()
        .partition(|row| row.record.line.is_multiple_of(2));
    import(&mut store, &even, &symbols);
    import(&mut store, &odd, &symbols);
    assert_eq!(everything(&store), expected(all, &symbols));
}

#[test]
fn rows_out_of_place_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = create(&dir.path().join("data"));
    let mut symbols = Symbols::default();
    let mut all = rows(1, 0, 200, &mut symbols);
    all.retain(|row| row.record.customer.partition() == Partition(1));
    sort(&mut all);
    all.reverse();
    let transaction = store.begin().unwrap();
    let mut run = transaction.order_run(Partition(1)).unwrap();
    let message = run.write(&symbols, &all).unwrap_err().to_string();
    assert!(message.contains("comes after a later row"), "{message}");
    let mut run = transaction.order_run(Partition(2)).unwrap();
    let message = run.write(&symbols, &all).unwrap_err().to_string();
    assert!(
        message.contains("row 0") && message.contains("another partition"),
        "{message}"
    );
}

#[test]
fn declared_traits_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = create(&dir.path().join("data"));
    let mut all = Vec::new();
    for import in 0..3 {
        let mut transaction = store.begin().unwrap();
        let mut run = transaction.customer_run(Partition(0)).unwrap();
        for number in 0..200_u64 {
            let row = CustomerRow {
                customer: CustomerId(number * (import + 1)),
                identity: IdentityId(number),
                occurred_at: Timestamp(number as i64),
                import,
                traits: format!("{{\"number\":{number}}}"),
                sealed: number.is_multiple_of(3).then(|| vec![number as u8; 40]),
            };
            run.push(&row).unwrap();
            all.push(row);
        }
        transaction.add_run(run.finish().unwrap());
        transaction.commit(record(0)).unwrap();
    }
    all.sort_by_key(|row| (row.customer, row.occurred_at, row.import, row.identity));
    let mut found = Vec::new();
    let mut reader = store.history().customers(Partition(0)).unwrap();
    while let Some(rows) = reader.next_customer().unwrap() {
        found.extend_from_slice(rows);
    }
    assert_eq!(found, all);
    let one: Vec<_> = all
        .iter()
        .filter(|row| row.customer == CustomerId(6))
        .cloned()
        .collect();
    assert_eq!(one.len(), 3);
    assert_eq!(store.history().declared(CustomerId(6)).unwrap(), one);
}

#[test]
fn spilled_rows_come_back() {
    let mut symbols = Symbols::default();
    let mut bytes = Vec::new();
    let all: Vec<_> = (0..4)
        .flat_map(|seed| rows(seed, seed, 300, &mut symbols))
        .collect();
    for row in &all {
        encode_row(&row.record, &row.order_id, row.identity, &mut bytes);
    }
    let mut found = Vec::new();
    decode_rows(&bytes, |record, order_id, identity| {
        found.push(OrderRow {
            record,
            order_id: order_id.to_owned(),
            identity,
        });
    })
    .unwrap();
    assert_eq!(found, all);
    let cut = decode_rows(&bytes[..bytes.len() - 1], |_, _, _| {});
    assert!(matches!(cut, Err(StoreError::Damaged { .. })));
}
