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

fn default_now(scratch: &Scratch) -> (Timestamp, AsOfReason) {
    let store = scratch.workspace.open_read().unwrap();
    as_of(&store, scratch.workspace.config(), None).unwrap()
}

fn end_of(scratch: &Scratch, day: &str) -> Timestamp {
    let zone = scratch.workspace.config().zone();
    zone.parse_instant(day).unwrap()
}

#[test]
fn a_later_cancellation_is_in_the_data() {
    let scratch = Scratch::new();
    let text = "order_id,customer_id,date,total,status,cancelled_at\n\
        1,ann,2026-01-05,10.00,paid,\n2,bob,2026-01-06,10.00,cancelled,2026-02-20\n";
    scratch.import(&[scratch.file("orders.csv", text)]);
    let expected = (end_of(&scratch, "2026-02-20"), AsOfReason::LastDay);
    assert_eq!(default_now(&scratch), expected);
    let base = scratch.fold(None);
    let report = scratch.report(&base);
    assert_eq!(report.quality.orders_not_counted, 1);
    assert_eq!(report.quality.later_records, 0);
    let before = scratch.fold(Some("2026-02-19"));
    let report = scratch.report(&before);
    assert_eq!(report.quality.orders_not_counted, 0);
    assert_eq!(report.quality.later_records, 1);
}

#[test]
fn a_later_change_of_an_order_is_in_the_data() {
    let scratch = Scratch::new();
    let text = "order_id,customer_id,date,total,updated_at\n\
        1,ann,2026-01-05,10.00,2026-01-05\n2,bob,2026-01-06,10.00,2026-01-31\n\
        3,cid,2026-01-06,10.00,2062-01-31\n";
    scratch.import(&[scratch.file("orders.csv", text)]);
    let expected = (end_of(&scratch, "2026-01-31"), AsOfReason::LastPastDay);
    assert_eq!(default_now(&scratch), expected);
}

#[test]
fn a_later_sign_up_is_in_the_data() {
    let scratch = Scratch::new();
    let customers = "customer_id,created_at\nann,2026-01-01\neve,2026-03-01\n";
    scratch.import(&[
        scratch.file("orders.csv", &orders("1,ann,2026-01-05,10.00\n")),
        scratch.file("customers.csv", customers),
    ]);
    let expected = (end_of(&scratch, "2026-03-01"), AsOfReason::LastDay);
    assert_eq!(default_now(&scratch), expected);
    assert_eq!(scratch.fold(None).customers.len(), 2);
    let before = scratch.fold(Some("2026-02-28"));
    assert_eq!(scratch.report(&before).quality.later_records, 1);
}

#[test]
fn customers_of_no_known_day_are_seen_on_the_day_of_their_import() {
    let scratch = Scratch::new();
    let customers = "customer_id,country\nann,DE\neve,FR\n";
    scratch.import(&[scratch.file("customers.csv", customers)]);
    let zone = scratch.workspace.config().zone();
    let day = zone.end_of(zone.date_of(RECORDED_AT));
    assert_eq!(default_now(&scratch), (day, AsOfReason::LastImport));
    assert_eq!(scratch.fold(None).customers.len(), 2);
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

#[test]
fn orders_of_before_there_were_shops_online_are_reported() {
    let scratch = Scratch::new();
    let text = "order_id,customer_id,date,total\n\
        1,ann,1900-01-05,10.00\n2,bob,1990-01-01,10.00\n3,bob,2026-01-06,10.00\n";
    scratch.import(&[scratch.file("orders.csv", text)]);
    assert_eq!(
        scratch
            .report(&scratch.fold(None))
            .quality
            .orders_before_1990,
        1
    );
}
