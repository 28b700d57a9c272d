//! NDJSON whose rows do not all have the same keys.

use regulars_core::OrderStatus;

use crate::reading::{read, refused};

#[test]
fn keys_that_come_late_are_read() {
    let mut text = String::new();
    for n in 0..9_000 {
        let late = if n < 8_000 {
            ""
        } else {
            ",\"status\":\"cancelled\""
        };
        text += &format!(
            "{{\"order_id\":{n},\"customer_id\":\"c{n}\",\"date\":\"2026-01-05\",\"total\":10.5{late}}}\n"
        );
    }
    let read = read("orders.ndjson", text).unwrap();
    let statuses = read.orders(|batch, row| batch.status.as_ref().and_then(|s| s[row]));
    let cancelled = |status: &&Option<OrderStatus>| **status == Some(OrderStatus::Cancelled);
    assert_eq!(statuses.iter().filter(cancelled).count(), 1_000);
}

#[test]
fn ids_as_keys_make_no_columns() {
    let rows = (0..20_000).map(|n| {
        format!(
            "{{\"order_id\":{n},\"customer_id\":\"c{n}\",\"date\":\"2026-01-05\",\"total\":1,\"items\":{{\"sku{n}\":1}}}}\n"
        )
    });
    let read = read("orders.ndjson", rows.collect::<String>()).unwrap();
    assert_eq!(read.rejected().first(), None);
    assert_eq!(read.rows(), 20_000);
    let names: Vec<_> = read
        .recognition
        .columns
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    assert_eq!(names, ["order_id", "customer_id", "date", "total", "items"]);
}

#[test]
fn more_columns_than_a_table_has_are_refused() {
    let rows = (0..3_000).map(|n| format!("{{\"day{n}\":1}}\n"));
    let message = refused("days.ndjson", rows.collect::<String>());
    assert_eq!(
        message,
        "`days.ndjson` has more than 2000 columns (such as `day2000`): a column is a kind of value, not an id or a day; write one row for each of them"
    );
}
