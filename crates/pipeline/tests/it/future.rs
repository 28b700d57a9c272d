//! Orders that are dated later than their import.

use regulars_core::Timestamp;
use regulars_pipeline::{AsOfReason, as_of};

use crate::scratch::{RECORDED_AT, Scratch};

fn orders(rows: &str) -> String {
    format!("order_id,customer_id,date,total\n{rows}")
}

#[test]
fn one_mistyped_year_does_not_move_now() {
    let scratch = Scratch::new();
    let rows = "1,ann,2026-01-05,10.00\n2,bob,2026-03-06,10.00\n3,ann,2062-01-06,10.00\n";
    let report = scratch.import(&[scratch.file("orders.csv", &orders(rows))]);
    assert_eq!(report.files[0].future_rows, 1);
    let store = scratch.workspace.open_read().unwrap();
    let config = scratch.workspace.config();
    let expected = config.zone().parse_instant("2026-03-06").unwrap();
    assert_eq!(
        as_of(&store, config, None).unwrap(),
        (expected, AsOfReason::LastPastDay)
    );
    let base = scratch.fold(None);
    assert_eq!(scratch.report(&base).quality.later_records, 1);
}

#[test]
fn orders_of_the_day_of_the_import_are_not_from_the_future() {
    let scratch = Scratch::new();
    let evening = Timestamp(RECORDED_AT.0 + 3_600_000);
    let rows = format!("1,ann,2026-01-05,10.00\n2,ann,{evening},10.00\n");
    let report = scratch.import(&[scratch.file("orders.csv", &orders(&rows))]);
    assert_eq!(report.files[0].future_rows, 0);
    let store = scratch.workspace.open_read().unwrap();
    let (_, reason) = as_of(&store, scratch.workspace.config(), None).unwrap();
    assert_eq!(reason, AsOfReason::LastDay);
}

#[test]
fn a_shop_that_is_all_future_has_its_own_last_day() {
    let scratch = Scratch::new();
    scratch.import(&[scratch.file("orders.csv", &orders("1,ann,2062-01-06,10.00\n"))]);
    let store = scratch.workspace.open_read().unwrap();
    let (now, reason) = as_of(&store, scratch.workspace.config(), None).unwrap();
    let expected = scratch
        .workspace
        .config()
        .zone()
        .parse_instant("2062-01-06");
    assert_eq!((Some(now), reason), (expected, AsOfReason::LastDay));
}
