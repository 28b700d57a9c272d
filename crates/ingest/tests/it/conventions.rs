//! Order of day and month, decimal separator: one for a whole column, or a question.

use regulars_core::Timestamp;
use regulars_ingest::{DateOrder, DecidedBy, DecimalMark, Field, IngestError, Question};

use crate::reading::{input, options, read, read_with, refused};

const HEADER: &str = "order_id,customer_id,date,total\n";

fn rows(dates: impl Iterator<Item = String>) -> String {
    let rows = dates
        .enumerate()
        .map(|(n, date)| format!("{n},c{n},{date},10.00\n"));
    std::iter::once(HEADER.to_owned()).chain(rows).collect()
}

fn day_first(rows: u32) -> impl Iterator<Item = String> {
    (0..rows).map(|n| format!("{:02}/{:02}/2024", n % 28 + 1, n % 12 + 1))
}

fn month_first(rows: u32) -> impl Iterator<Item = String> {
    (0..rows).map(|n| format!("{:02}/{:02}/2024", n % 12 + 1, n % 28 + 1))
}

#[test]
fn evidence_for_both_orders_is_a_question_whatever_the_majority() {
    let text = rows(day_first(400).chain(["12/31/2024".to_owned()]));
    let error = read("orders.csv", text.clone()).map(|_| ()).unwrap_err();
    let IngestError::Question { question, .. } = &error else {
        panic!("{error}");
    };
    assert!(matches!(**question, Question::MixedDateOrder { .. }));
    let message = error.to_string();
    assert!(message.contains("line 14 (`13/01/2024`)"), "{message}");
    assert!(message.contains("line 402 (`12/31/2024`)"), "{message}");
    // An answer makes the row the exception.
    let mut given = options();
    given.date_order = Some(DateOrder::Dmy);
    let read = read_with(&input("orders.csv", text), &given).unwrap();
    assert_eq!((read.rows(), read.rejected().len()), (400, 1));
}

#[test]
fn rows_of_another_order_far_down_stop_the_reading() {
    let text = rows(day_first(6_000).chain(month_first(500)));
    let message = refused("orders.csv", text);
    assert!(message.contains("line 6014"), "{message}");
    assert!(message.contains("which line 14 shows"), "{message}");
    assert!(message.contains("--date-order mdy"), "{message}");
}

#[test]
fn an_order_that_is_needed_first_far_down_is_asked_for() {
    let iso = (0..6_000).map(|n| format!("2024-01-{:02}", n % 28 + 1));
    let message = refused("orders.csv", rows(iso.chain(["01/02/2024".to_owned()])));
    assert!(message.contains("line 6002"), "{message}");
    assert!(message.contains("no row before it tells one"), "{message}");
}

#[test]
fn a_day_that_no_calendar_has_rejects_its_row_only() {
    let text = rows(day_first(100).chain(["31/02/2024".to_owned()]));
    let read = read("orders.csv", text).unwrap();
    assert_eq!(read.rejected().len(), 1);
    let column = read.recognition.column_of(Field::OccurredAt).unwrap();
    let decided = column.date_order.unwrap();
    assert_eq!((decided.by, decided.line), (DecidedBy::Sample, Some(14)));
}

fn totals(totals: impl Iterator<Item = String>) -> String {
    let rows = totals
        .enumerate()
        .map(|(n, total)| format!("{n};c{n};2024-01-05;{total}\n"));
    std::iter::once(HEADER.replace(',', ";"))
        .chain(rows)
        .collect()
}

#[test]
fn decimal_separators_are_not_decided_by_a_majority() {
    let commas = || (0..6_000).map(|n| format!("{n},50"));
    let near = totals(commas().take(300).chain(["12.75".to_owned()]));
    let message = refused("orders.csv", near.clone());
    assert!(message.contains("a decimal point"), "{message}");
    let far = totals(commas().chain(["12.75".to_owned()]));
    let message = refused("orders.csv", far);
    assert!(message.contains("line 6002 (`12.75`)"), "{message}");
    assert!(message.contains("which line 2 shows"), "{message}");
    let mut given = options();
    given.decimal = Some(DecimalMark::Comma);
    let read = read_with(&input("orders.csv", near), &given).unwrap();
    assert_eq!((read.rows(), read.rejected().len()), (300, 1));
}

#[test]
fn what_was_said_before_decides_where_the_column_does_not() {
    let text = || rows((1..13).map(|n| format!("0{}/05/2024", n % 9 + 1)));
    let file = input("orders.csv", text());
    let message = refused("orders.csv", text());
    assert!(message.contains("cannot be told apart"), "{message}");
    let mut settings = options();
    settings.settings.date_order = Some(DateOrder::Mdy);
    let read = read_with(&file, &settings).unwrap();
    let at = read.orders(|batch, row| batch.occurred_at[row]);
    assert_eq!(at[0], Some(Timestamp(1_706_745_600_000 + 4 * 86_400_000)));
    // What the column shows comes before what was said of another file.
    let shown = rows((1..13).map(|n| format!("{:02}/05/2024", n + 12)));
    let read = read_with(&input("orders.csv", shown), &settings).unwrap();
    let column = read.recognition.column_of(Field::OccurredAt).unwrap();
    assert_eq!(column.date_order.unwrap().value, DateOrder::Dmy);
}
