//! Files that cannot be imported say what they are and what to do.

use regulars_core::{Partition, Symbols};
use regulars_pipeline::RejectPolicy;
use regulars_store::history::{OrderRow, SymbolTable};

use crate::scratch::Scratch;

#[test]
fn each_wrong_file_has_a_clear_message() {
    let scratch = Scratch::new();
    let empty = scratch.file("empty.csv", "");
    let header = scratch.file("header.csv", "order_id,customer_id,date,total\n");
    let prose = scratch.file("prose.csv", "it was,a dark\nand stormy,night\n");
    let picture = scratch.file("picture.csv", "\u{89}PNG\r\n\u{1a}\n");
    let directory = scratch.path().join("directory");
    std::fs::create_dir(&directory).unwrap();
    let missing = scratch.path().join("missing.csv");
    for (path, expected) in [
        (empty, "is empty"),
        (header, "no rows"),
        (prose, "cannot be read as"),
        (picture, "picture.csv"),
        (directory, "is a directory"),
        (missing, "missing.csv"),
    ] {
        let error = scratch
            .try_import(std::slice::from_ref(&path))
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{}: {error}", path.display());
    }
}

#[test]
fn no_personal_data_is_readable_on_disk() {
    let scratch = Scratch::new();
    let customers = "customer_id,email,first_name,last_name,phone,street,country,Remarks,Ansprechpartner,Rückruf,Tier\n\
        c-1,ann.teller@example.com,Annabel,Tellermann,+999 123456,Quarry Lane 9,DE,asked for Zebulon,Cordula Visser,0301234567,gold\n";
    let orders = "order_id,customer_id,email,date,note,total\n\
        1,c-1,ann.teller@example.com,2026-01-05,leave it at Zebulon's,10.00\n\
        2,,guest.person@example.org,2026-01-06,,11.00\n\
        3,c-1,ann.teller@example.com,Tellermann,2026-01-05,11.00\n\
        4,c-1,2026-01-05,ann.teller@example.com,2026-01-05,11.00\n";
    let files = [
        scratch.file("customers.csv", customers),
        scratch.file("orders.csv", orders),
    ];
    let mut options = scratch.options();
    options.rejects = RejectPolicy::Allow;
    let report = scratch.import_with(&files, &options).unwrap();
    assert_eq!(report.rejected(), 2);
    let needles = [
        "ann.teller",
        "guest.person",
        "Annabel",
        "Tellermann",
        "123456",
        "Quarry",
        "Zebulon",
        "Cordula",
        "0301234567",
    ];
    let root = scratch.workspace.root();
    let mut files = vec![root.join("data"), root.join("rejects")];
    let mut seen = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap();
            files.extend(entries.map(|entry| entry.unwrap().path()));
            continue;
        }
        seen += 1;
        let bytes = std::fs::read(&path).unwrap();
        for needle in needles {
            let found = bytes
                .windows(needle.len())
                .any(|window| window == needle.as_bytes());
            assert!(!found, "`{needle}` is readable in {}", path.display());
        }
    }
    assert!(seen > 5);
    // Columns are packed and may be compressed: what they say when they are read counts.
    let decoded = decoded(&scratch);
    assert!(
        decoded.contains("gold") && decoded.contains("OrderRow"),
        "{decoded}"
    );
    for needle in needles {
        assert!(
            !decoded.contains(needle),
            "`{needle}` is readable in {decoded}"
        );
    }
}

/// Everything of the store that is not sealed, as text.
fn decoded(scratch: &Scratch) -> String {
    let store = scratch.workspace.open_read().unwrap();
    let history = store.history();
    let table = SymbolTable::new(Symbols::default());
    let mut text = String::new();
    for partition in Partition::all() {
        let mut orders = history.orders(partition, &table).unwrap();
        while let Some(rows) = orders.next_customer().unwrap() {
            text += &format!("{rows:?}\n");
            let symbols = table.snapshot();
            for OrderRow { record, .. } in rows {
                let of_row = [
                    record.product,
                    record.category,
                    record.brand,
                    record.channel,
                    record.country,
                ];
                text += &of_row.map(|symbol| symbols.text(symbol)).join("\n");
            }
        }
        let mut customers = history.customers(partition).unwrap();
        while let Some(rows) = customers.next_customer().unwrap() {
            text += &rows
                .iter()
                .map(|row| row.traits.as_str())
                .collect::<String>();
        }
    }
    text += &format!(
        "{:?}{:?}",
        store.products().unwrap(),
        store.ad_spend().unwrap()
    );
    text + &format!("{:?}", store.records(0).unwrap())
}
