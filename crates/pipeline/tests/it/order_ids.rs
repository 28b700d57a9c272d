//! Orders with and without ids, and those that several customers claim: what is said of them.

use regulars_pipeline::StoredRows;

use crate::scratch::Scratch;

const WITHOUT: &str = "customer_id,date,total\nann,2026-01-05,10.00\nbob,2026-01-06,5.00\n";
const WITH: &str =
    "order_id,customer_id,date,total\n1,ann,2026-01-05,10.00\n2,bob,2026-01-06,5.00\n";

#[test]
fn rows_without_order_ids_are_counted_file_by_file() {
    let scratch = Scratch::new();
    let partly = "order_id,customer_id,date,total\n1,cyd,2026-01-05,10.00\n,cyd,2026-01-06,5.00\n";
    let files = [
        scratch.file("a.csv", WITHOUT),
        scratch.file("b.csv", partly),
        scratch.file("c.csv", "customer_id,name\nann,Ann\n"),
    ];
    let dry = scratch.dry_run(&files).unwrap();
    let counted: Vec<u64> = dry
        .files
        .iter()
        .map(|file| file.rows_without_order_id)
        .collect();
    assert_eq!(counted, [2, 1, 0]);
    let report = scratch.import(&files);
    let counted: Vec<u64> = report
        .files
        .iter()
        .map(|file| file.rows_without_order_id)
        .collect();
    assert_eq!(counted, [2, 1, 0]);
    assert_eq!(report.intake.rows_without_order_id, 3);
    // Ids and rows without any in one import: nothing was stored before.
    assert_eq!(report.stored_without_order_id, StoredRows::default());
}

#[test]
fn orders_that_come_again_with_ids_are_said_to_be_there_without() {
    let scratch = Scratch::new();
    scratch.import(&[scratch.file("orders.csv", WITHOUT)]);
    let with = scratch.file("again.csv", WITH);
    let stored = StoredRows {
        rows: 2,
        files: vec!["orders.csv".to_owned()],
    };
    let dry = scratch.dry_run(std::slice::from_ref(&with)).unwrap();
    assert_eq!(dry.files[0].stored_without_order_id, stored);
    // Another system has nothing to do with them.
    let mut options = scratch.options();
    options.source = "till".to_owned();
    let report = scratch
        .import_with(std::slice::from_ref(&with), &options)
        .unwrap();
    assert_eq!(report.stored_without_order_id, StoredRows::default());
    let report = scratch.import(&[with]);
    assert_eq!(report.stored_without_order_id, stored);
    // Rows without ids say nothing of those that are there.
    let more = scratch.file("more.csv", &WITHOUT.replace("2026-01", "2026-02"));
    let report = scratch.import(&[more]);
    assert_eq!(report.stored_without_order_id, StoredRows::default());
}

#[test]
fn a_corrected_order_with_a_bare_id_replaces_itself() {
    let scratch = Scratch::new();
    let header = "id,customer_id,created_at,status,total\n";
    for (name, total) in [("old.csv", "10.00"), ("new.csv", "12.00")] {
        let text = format!("{header}1,ann,2026-01-05,paid,{total}\n2,bob,2026-01-06,paid,5.00\n");
        let report = scratch.import(&[scratch.file(name, &text)]);
        assert_eq!(report.intake.rows_without_order_id, 0);
    }
    let base = scratch.fold(Some("2026-12-31"));
    let revenue = base
        .customers
        .iter()
        .map(|folded| folded.profile.revenue_minor);
    let orders = base
        .customers
        .iter()
        .map(|folded| folded.profile.orders.len());
    assert_eq!((revenue.sum::<i64>(), orders.sum::<usize>()), (1_700, 2));
}

#[test]
fn orders_of_several_customers_are_counted_before_and_after() {
    let scratch = Scratch::new();
    let text = "order_id,customer_id,email,date,total\n\
        1,ann,,2026-01-05,10.00\n1,bob,,2026-01-06,5.00\n1,cyd,,2026-01-06,5.00\n\
        2,,a@x.de,2026-01-05,1.00\n2,,b@x.de,2026-01-05,1.00\n\
        3,,a@x.de,2026-01-05,1.00\n3,ann,a@x.de,2026-01-05,1.00\n\
        4,ann,,2026-01-05,9.00\n4,bob,,2026-02-05,-9.00\n";
    let file = scratch.file("orders.csv", text);
    let dry = scratch.dry_run(std::slice::from_ref(&file)).unwrap();
    assert_eq!(dry.files[0].reassigned_orders, 2);
    let report = scratch.import(&[file]);
    assert_eq!(report.orders.reassigned_orders, 2);
    let base = scratch.fold(Some("2026-12-31"));
    assert_eq!(scratch.report(&base).quality.reassigned_orders, 2);
}
