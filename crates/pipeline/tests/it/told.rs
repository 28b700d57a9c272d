//! What an import is told of its files, and what it remembers of that.

use regulars_core::OrderStatus;
use regulars_ingest::{DateOrder, Field};
use regulars_pipeline::PipelineError;

use crate::scratch::Scratch;

const ORDERS: &str =
    "Nr,Wer,order date,status,Wert\n1,ann,05/01/2026,paid,10.00\n2,bob,06/01/2026,paid,11.00\n";
const PRODUCTS: &str = "sku,name,category\np1,Pen,Office\n";

fn map(pairs: &[(Field, &str)]) -> Vec<(Field, String)> {
    pairs
        .iter()
        .map(|&(field, column)| (field, column.to_owned()))
        .collect()
}

#[test]
fn what_was_said_once_counts_for_the_next_file_with_the_header() {
    let scratch = Scratch::new();
    let mut told = scratch.options();
    told.read.map = map(&[
        (Field::OrderId, "Nr"),
        (Field::CustomerId, "Wer"),
        (Field::OrderTotal, "Wert"),
    ]);
    told.read.date_order = Some(DateOrder::Dmy);
    let files = [
        scratch.file("a.csv", ORDERS),
        scratch.file("products.csv", PRODUCTS),
    ];
    scratch.import_with(&files, &told).unwrap();
    let text = std::fs::read_to_string(scratch.workspace.root().join("mappings.toml")).unwrap();
    assert!(text.contains("version = 1"), "{text}");
    assert!(text.contains("customer_id = \"Wer\""), "{text}");
    // The same file is the same reading, whoever said it.
    assert!(scratch.import(&files[..1]).files[0].skipped);
    let next = scratch.file("b.csv", &ORDERS.replace("1,ann", "3,cyd"));
    let report = scratch.import(&[next]);
    assert_eq!((report.orders.orders, report.files[0].skipped), (2, false));
    let base = scratch.fold(None);
    assert_eq!(base.customers.len(), 3);
}

#[test]
fn a_column_that_no_file_has_stops_before_anything_is_read() {
    let scratch = Scratch::new();
    let mut told = scratch.options();
    told.read.map = map(&[(Field::Channel, "Weg")]);
    let orders = "order_id,customer_id,date,total\n1,ann,2026-01-05,10.00\n";
    let files = [
        scratch.file("orders.csv", orders),
        scratch.file("products.csv", PRODUCTS),
    ];
    let message = scratch.import_with(&files, &told).unwrap_err().to_string();
    assert!(message.contains("--map channel=Weg"), "{message}");
    assert!(!scratch.workspace.root().join("mappings.toml").exists());
}

#[test]
fn mappings_of_another_version_are_refused_in_words() {
    let scratch = Scratch::new();
    let path = scratch.workspace.root().join("mappings.toml");
    std::fs::write(path, "version = 9\n[[file]]\nkey = 1\n").unwrap();
    let message = scratch
        .try_import(&[scratch.file("a.csv", ORDERS)])
        .unwrap_err()
        .to_string();
    assert!(message.contains("version 9 is not known"), "{message}");
}

#[test]
fn a_file_that_would_be_read_differently_now_is_read_again() {
    let scratch = Scratch::new();
    let text = "order_id,customer_id,date,status,total\n1,ann,2026-01-05,paid,10.00\n2,ann,2026-01-06,raus,11.00\n";
    let rows: String = (3..40)
        .map(|n| format!("{n},ann,2026-01-07,paid,1.00\n"))
        .collect();
    let file = scratch.file("orders.csv", &format!("{text}{rows}"));
    let first = scratch.import(std::slice::from_ref(&file));
    assert_eq!(first.rejected(), 1);
    let mut told = scratch.options();
    told.read.statuses = vec![("raus".to_owned(), OrderStatus::Placed)];
    let again = scratch
        .import_with(std::slice::from_ref(&file), &told)
        .unwrap();
    assert!(!again.files[0].skipped);
    assert_eq!(again.rejected(), 0);
    assert_eq!(scratch.fold(None).customers[0].profile.orders.len(), 39);
    // From now on the word is known: the same file says nothing new.
    assert!(scratch.import(&[file]).files[0].skipped);
}

#[test]
fn a_question_about_the_last_file_is_asked_before_the_first_is_read() {
    let scratch = Scratch::new();
    let bad = "order_id,customer_id,date,total\n1,ann,nonsense,10.00\n";
    let unclear = "order_id,customer_id,date,total\n1,ann,01/02/2026,10.00\n";
    let files = [scratch.file("a.csv", bad), scratch.file("b.csv", unclear)];
    let error = scratch.try_import(&files).unwrap_err();
    assert!(matches!(error, PipelineError::Ingest(_)), "{error}");
    assert!(error.to_string().contains("b.csv"), "{error}");
}

#[test]
fn what_a_failed_import_rejected_is_told_from_the_data() {
    let scratch = Scratch::new();
    let bad = "order_id,customer_id,date,total\n1,ann,nonsense,10.00\n";
    let good = "order_id,customer_id,date,total\n1,ann,2026-01-05,10.00\n";
    let error = scratch
        .try_import(&[scratch.file("bad.csv", bad)])
        .unwrap_err();
    let PipelineError::TooManyRejects { rejects, .. } = error else {
        panic!("{error}");
    };
    let rejects = rejects.unwrap();
    assert!(rejects.to_string_lossy().ends_with(".failed.csv"));
    let text = std::fs::read_to_string(&rejects).unwrap();
    assert!(text.contains("/bad.csv,2,date,"), "{text}");
    let report = scratch.import(&[scratch.file("good.csv", good)]);
    assert_eq!(report.rejects, None);
    let left = std::fs::read_dir(scratch.workspace.rejects_dir()).unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn of_two_telephone_numbers_the_order_of_files_decides_nothing() {
    let header = "customer_id,phone,country\n";
    let orders = "order_id,customer_id,date,total\n1,ann,2026-01-05,10.00\n";
    let one = format!("{header}ann,+49 30 1111111,DE\n");
    let other = format!("{header}ann,+49 30 2222222,DE\n");
    let picture = |first: &str, second: &str| {
        let scratch = Scratch::new();
        scratch.import(&[
            scratch.file("a.csv", first),
            scratch.file("b.csv", second),
            scratch.file("orders.csv", orders),
        ]);
        let base = scratch.fold(None);
        let store = scratch.workspace.open_read().unwrap();
        let declared = store
            .history()
            .declared(base.customers[0].profile.customer)
            .unwrap();
        let vault = store.vault().unwrap();
        let open = |row: &regulars_store::history::CustomerRow| {
            vault
                .open(row.identity, row.sealed.as_ref().unwrap())
                .unwrap()
        };
        declared.iter().map(open).collect::<Vec<_>>()
    };
    assert_eq!(picture(&one, &other), picture(&other, &one));
}
