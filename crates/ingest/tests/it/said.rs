//! What is said with `--map` and the like, now and of files before.

use regulars_ingest::{Entity, Field, LevelReason, MapReason, Remembered, RowLevel};

use crate::reading::{input, options, read_with, refused};

const ORDERS: &str = "Nr;Wer;Datum;Wert\n1;ann;2026-01-05;10,50\n2;bob;2026-01-06;11,00\n";

fn pairs(pairs: &[(Field, &str)]) -> Vec<(Field, String)> {
    let own = |&(field, column): &(Field, &str)| (field, column.to_owned());
    pairs.iter().map(own).collect()
}

#[test]
fn a_pair_is_left_aside_where_its_column_is_not() {
    let mut said = options();
    said.map = pairs(&[(Field::CustomerId, "Wer"), (Field::UnitCost, "EK")]);
    said.map.extend(pairs(&[(Field::OrderTotal, "Wert")]));
    let read = read_with(&input("orders.csv", ORDERS), &said).unwrap();
    assert_eq!(read.recognition.unused_map, ["unit_cost=EK"]);
    let column = read.recognition.column_of(Field::CustomerId).unwrap();
    assert_eq!(
        (column.name.as_str(), column.reason),
        ("Wer", Some(MapReason::Given))
    );
    let mut wrong = options();
    wrong.map = pairs(&[(Field::CustomerId, "Wehr")]);
    let error = read_with(&input("orders.csv", ORDERS), &wrong)
        .map(|_| ())
        .unwrap_err();
    let message = error.to_string();
    assert!(message.contains("did you mean `Wer`?"), "{message}");
}

#[test]
fn what_was_said_of_a_header_is_remembered_for_it() {
    let mut said = options();
    said.map = pairs(&[(Field::CustomerId, "Wer"), (Field::OrderTotal, "Wert")]);
    let file = input("orders.csv", ORDERS);
    let signature = read_with(&file, &said).unwrap().recognition.signature;
    let mut later = options();
    let before = Remembered {
        map: said.map,
        level: Some(RowLevel::Line),
        entity: Some(Entity::Orders),
        ..Remembered::default()
    };
    later.remembered.insert(signature, before);
    let read = read_with(&file, &later).unwrap();
    let reason = |field| read.recognition.column_of(field).unwrap().reason;
    assert_eq!(reason(Field::CustomerId), Some(MapReason::Remembered));
    assert_eq!(reason(Field::OccurredAt), Some(MapReason::Name));
    assert_eq!(
        (read.recognition.level, read.recognition.level_reason),
        (RowLevel::Line, LevelReason::Remembered)
    );
    // Another header is another file.
    let other = ORDERS.replace("Nr;", "Number;");
    assert!(read_with(&input("orders.csv", other), &later).is_err());
    assert!(refused("orders.csv", ORDERS).contains("cannot be read as"));
}

#[test]
fn names_of_columns_are_remembered_for_files_without_a_header() {
    let text = "7 ann 2026-01-05 10.50\n8 bob 2026-01-06 11.00\n";
    let mut said = options();
    let names = ["order_id", "customer_id", "date", "total"];
    said.columns = Some(names.map(|name| Some(name.to_owned())).to_vec());
    let file = input("orders.txt", text);
    let signature = read_with(&file, &said).unwrap().recognition.signature;
    let mut later = options();
    let before = Remembered {
        columns: said.columns,
        ..Remembered::default()
    };
    later.remembered.insert(signature, before);
    let read = read_with(&file, &later).unwrap();
    let column = read.recognition.column_of(Field::OrderTotal).unwrap();
    assert_eq!(column.reason, Some(MapReason::Remembered));
    // The same number of columns of other kinds is another file.
    let other = "ann 7 10.50 2026-01-05\nbob 8 11.00 2026-01-06\n";
    assert!(read_with(&input("orders.txt", other), &later).is_err());
}

#[test]
fn a_reading_is_the_same_whoever_said_it() {
    let mut said = options();
    said.map = pairs(&[(Field::CustomerId, "Wer"), (Field::OrderTotal, "Wert")]);
    let file = input("orders.csv", ORDERS);
    let first = read_with(&file, &said).unwrap().recognition;
    let mut later = options();
    let before = Remembered {
        map: said.map.clone(),
        ..Remembered::default()
    };
    later.remembered.insert(first.signature.clone(), before);
    let again = read_with(&file, &later).unwrap().recognition;
    assert_eq!(first.reading(), again.reading());
    said.statuses = vec![("raus".to_owned(), regulars_core::OrderStatus::Placed)];
    let other = read_with(&file, &said).unwrap().recognition;
    assert_ne!(first.reading(), other.reading());
}
