//! Files of refunds: whatever comes first, each counts once, with the owner of its order.

use std::path::PathBuf;

use regulars_ingest::Entity;
use regulars_pipeline::ImportReport;

use crate::scratch::Scratch;

const ORDERS: &str = "order_id,customer_id,date,product_id,quantity,unit_price\n";
const REFUNDS: &str = "refund_id,order_id,customer_id,date,amount,reason\n";

const ANN: &str = "1,ann,2026-01-05,p1,2,10.00\n1,ann,2026-01-05,p2,1,5.00\n";
const BOB: &str = "2,bob,2026-01-06,p1,3,10.00\n";
const FIRST: &str = "r1,1,,2026-02-01,4.00,broken\n";
const SECOND: &str = "r2,1,ann,2026-02-03,3.00,late\n";

/// A workspace after imports of files of rows, each under its header.
fn after(imports: &[&[(&str, &str)]]) -> (Scratch, Vec<ImportReport>) {
    let scratch = Scratch::new();
    let mut reports = Vec::new();
    for (at, import) in imports.iter().enumerate() {
        let file = |(number, (header, rows)): (usize, &(&str, &str))| {
            scratch.file(&format!("{at}-{number}.csv"), &format!("{header}{rows}"))
        };
        let files: Vec<PathBuf> = import.iter().enumerate().map(file).collect();
        reports.push(scratch.import(&files));
    }
    (scratch, reports)
}

fn picture(imports: &[&[(&str, &str)]]) -> String {
    after(imports).0.picture(Some("2026-06-30"))
}

/// Net revenue of each customer, by size.
fn revenue(scratch: &Scratch, as_of: &str) -> Vec<i64> {
    let base = scratch.fold(Some(as_of));
    let mut minor: Vec<i64> = base
        .customers
        .iter()
        .map(|customer| customer.profile.revenue_minor)
        .collect();
    minor.sort_unstable();
    minor
}

#[test]
fn refunds_reduce_their_orders_from_their_time_on() {
    let both = format!("{FIRST}{SECOND}");
    let orders = format!("{ANN}{BOB}");
    let (scratch, reports) = after(&[&[(ORDERS, &orders), (REFUNDS, &both)]]);
    assert_eq!(reports[0].files[1].entity, Entity::Refunds);
    assert_eq!(
        (reports[0].refunds.rows, reports[0].refunds.refunds),
        (2, 2)
    );
    assert_eq!(revenue(&scratch, "2026-01-31"), [2_500, 3_000]);
    assert_eq!(revenue(&scratch, "2026-02-02"), [2_100, 3_000]);
    assert_eq!(revenue(&scratch, "2026-06-30"), [1_800, 3_000]);
    let json = serde_json::to_value(&reports[0]).unwrap();
    assert_eq!(json["refunds"]["refunds"], 2);
    assert_eq!(json["files"][1]["entity"], "refunds");
}

#[test]
fn the_order_of_files_and_imports_changes_nothing() {
    let orders = format!("{ANN}{BOB}");
    let (orders, first, second) = (
        (ORDERS, orders.as_str()),
        (REFUNDS, FIRST),
        (REFUNDS, SECOND),
    );
    let together = picture(&[&[orders, first, second]]);
    for imports in [
        &[&[second, first, orders][..]][..],
        &[&[orders], &[first], &[second]],
        &[&[second], &[first], &[orders]],
        &[&[first], &[orders], &[second]],
        // Again, and with a newer version of the order, whose refunds stay.
        &[&[first, second], &[orders], &[second, first, orders]],
    ] {
        assert_eq!(picture(imports), together, "{imports:?}");
    }
    let reversed = format!("{SECOND}{FIRST}");
    assert_eq!(picture(&[&[orders, (REFUNDS, &reversed)]]), together);
}

#[test]
fn a_newer_order_keeps_its_refunds() {
    let newer = "1,ann,2026-01-05,p1,4,10.00\n";
    let (scratch, _) = after(&[&[(ORDERS, ANN), (REFUNDS, FIRST)], &[(ORDERS, newer)]]);
    assert_eq!(revenue(&scratch, "2026-06-30"), [3_600]);
}

#[test]
fn the_same_refund_counts_once_and_a_newer_one_replaces_it() {
    let orders = (ORDERS, ANN);
    let first = (REFUNDS, FIRST);
    let once = picture(&[&[orders, first]]);
    let twice = format!("{FIRST}{FIRST}");
    let beside = format!("{FIRST}{}", "r9,9,,2026-03-01,1.00,\n");
    assert_eq!(picture(&[&[orders, (REFUNDS, &twice)]]), once);
    assert_eq!(picture(&[&[orders, first, (REFUNDS, &twice)]]), once);
    assert_eq!(
        picture(&[&[orders, first], &[(REFUNDS, &beside)]]),
        picture(&[&[orders, (REFUNDS, &beside)]])
    );
    let corrected = (REFUNDS, "r1,1,,2026-02-02,6.00,broken\n");
    assert_eq!(
        picture(&[&[orders, first], &[corrected]]),
        picture(&[&[orders, corrected]])
    );
    // Without ids, by content: equal rows of one file are two refunds, of two files the same.
    let header = "order_id,refunded_at,refund_amount\n";
    let (one, two) = (
        "1,2026-02-01,4.00\n",
        "1,2026-02-01,4.00\n1,2026-02-01,4.00\n",
    );
    let (scratch, reports) = after(&[
        &[orders, (header, one)],
        &[(header, two)],
        &[orders, (header, one)],
    ]);
    assert_eq!(reports[1].files[0].entity, Entity::Refunds);
    assert_eq!(revenue(&scratch, "2026-06-30"), [1_700]);
}

#[test]
fn a_refund_waits_for_its_order_and_is_reported() {
    let (scratch, reports) = after(&[&[(ORDERS, BOB), (REFUNDS, FIRST)]]);
    assert_eq!(reports[0].refunds.waiting_refunds, 1);
    let base = scratch.fold(None);
    assert_eq!(base.customers.len(), 1);
    assert_eq!(base.oddities.refunds_without_order, 1);
    assert_eq!(base.oddities.unmatched_credit_minor, 400);
    let file = scratch.file("late.csv", &format!("{ORDERS}{ANN}"));
    assert_eq!(scratch.import(&[file]).refunds.waiting_refunds, 0);
    assert_eq!(
        scratch.picture(Some("2026-06-30")),
        picture(&[&[(ORDERS, ANN), (ORDERS, BOB), (REFUNDS, FIRST)]])
    );
}

#[test]
fn refunds_follow_the_owner_of_their_order() {
    let (ann, bob) = (
        "1,ann,2026-01-05,p1,2,10.00\n",
        "1,bob,2026-01-05,p1,2,10.00\n",
    );
    let others = "7,ann,2026-01-02,p1,1,5.00\n8,bob,2026-01-03,p1,1,6.00\n";
    let (others, refund) = ((ORDERS, others), (REFUNDS, FIRST));
    let moved = picture(&[&[(ORDERS, bob), others, refund]]);
    for imports in [
        &[&[(ORDERS, ann), others, refund][..], &[(ORDERS, bob)]][..],
        &[&[(ORDERS, ann), others], &[refund], &[(ORDERS, bob)]],
        &[&[(ORDERS, ann), others], &[refund, (ORDERS, bob)]],
        &[&[(ORDERS, ann), others], &[(ORDERS, bob)], &[refund]],
        &[&[refund], &[(ORDERS, ann), others], &[(ORDERS, bob)]],
    ] {
        assert_eq!(picture(imports), moved, "{imports:?}");
    }
}

#[test]
fn a_refund_never_wins_an_order() {
    let claims = "r1,1,bob,2026-02-01,4.00,broken\n";
    let orders = format!("{ANN}{BOB}");
    let orders = (ORDERS, orders.as_str());
    let kept = picture(&[&[orders, (REFUNDS, FIRST)]]);
    let (_, reports) = after(&[&[orders], &[(REFUNDS, claims)]]);
    assert_eq!(reports[1].orders.reassigned_orders, 0);
    assert_eq!(picture(&[&[orders], &[(REFUNDS, claims)]]), kept);
    assert_eq!(picture(&[&[(REFUNDS, claims)], &[orders]]), kept);
    assert_eq!(picture(&[&[orders, (REFUNDS, claims)]]), kept);
}

#[test]
fn refunds_go_with_guests_who_become_customers() {
    let header = "order_id,customer_id,email,date,total\n";
    let guest = (header, "1,,a@example.com,2026-01-05,10.00\n");
    let known = (header, "2,ann,a@example.com,2026-02-05,20.00\n");
    let other = (header, "3,bob,a@example.com,2026-02-06,30.00\n");
    let refund = (REFUNDS, FIRST);
    assert_eq!(
        picture(&[&[guest, refund], &[known]]),
        picture(&[&[guest, refund, known]])
    );
    // The address turns out to be that of two: the guest stands for themselves again.
    assert_eq!(
        picture(&[&[guest, refund], &[known], &[other]]),
        picture(&[&[refund], &[other, guest, known]])
    );
}

#[test]
fn tax_and_shipping_go_back_in_proportion() {
    let orders = "order_id,customer_id,date,total,tax,shipping\n";
    let rows = "1,ann,2026-01-05,119.00,14.00,5.00\n";
    let after = |header: &str, row: &str| {
        let imports: [&[(&str, &str)]; 2] = [&[(header, row)], &[(orders, rows)]];
        revenue(&after(&imports).0, "2026-06-30")
    };
    let plain = "refund_id,order_id,date,amount\n";
    assert_eq!(after(plain, "r1,1,2026-02-01,59.50\n"), [5_000]);
    assert_eq!(after(plain, "r1,1,2026-02-01,-59.50\n"), [5_000]);
    let thirds = "r1,1,2026-02-01,39.67\nr2,1,2026-02-02,39.67\nr3,1,2026-02-03,39.65\n";
    assert_eq!(after(plain, thirds), [1]);
    let with_tax = "refund_id,order_id,date,amount,tax\n";
    assert_eq!(after(with_tax, "r1,1,2026-02-01,59.50,9.50\n"), [5_000]);
    let net = "refund_id,order_id,date,net amount\n";
    assert_eq!(after(net, "r1,1,2026-02-01,59.50\n"), [4_050]);
}

#[test]
fn lines_of_a_refund_take_goods_off_their_order() {
    let header = "refund_id,order_id,date,product_id,quantity,amount\n";
    let orders = "order_id,customer_id,date,product_id,quantity,unit_price,unit_cost\n\
        1,ann,2026-01-05,p1,2,10.00,6.00\n1,ann,2026-01-05,p2,1,5.00,3.00\n\
        2,ann,2026-01-06,p1,5,10.00,6.00\n";
    let lines = "r1,1,2026-02-01,p1,1,10.00\nr1,1,2026-02-01,p2,1,5.00\n";
    let (scratch, _) = after(&[&[("", orders), (header, lines)]]);
    let base = scratch.fold(None);
    let profile = &base.customers[0].profile;
    assert_eq!(
        (profile.revenue_minor, profile.cost_minor),
        (6_000, Some(3_600))
    );
    // What all lines repeat is the amount of the refund.
    let whole = "r1,1,2026-02-01,p1,1,15.00\nr1,1,2026-02-01,p2,1,15.00\n";
    let (scratch, _) = after(&[&[("", orders), (header, whole)]]);
    assert_eq!(revenue(&scratch, "2026-06-30"), [6_000]);
}

#[test]
fn what_an_order_tells_as_refunded_is_the_same_money() {
    let orders = "order_id,customer_id,date,total,refunded\n1,ann,2026-01-05,25.00,4.00\n";
    let (scratch, _) = after(&[&[("", orders), (REFUNDS, FIRST)]]);
    assert_eq!(revenue(&scratch, "2026-06-30"), [2_100]);
    let (scratch, _) = after(&[&[("", orders), (REFUNDS, FIRST), (REFUNDS, SECOND)]]);
    assert_eq!(revenue(&scratch, "2026-06-30"), [1_800]);
}

#[test]
fn rows_that_cannot_count_are_reported() {
    let rows = format!("{FIRST}r5,,,2026-02-01,1.00,\nr6,1,,,1.00,\nr7,1,,2026-02-01,,\n");
    let scratch = Scratch::new();
    let orders = scratch.file("orders.csv", &format!("{ORDERS}{ANN}"));
    let bad = "r8,1,,yesterday,1.00,\n";
    let refunds = scratch.file("refunds.csv", &format!("{REFUNDS}{rows}{bad}"));
    let dry = scratch.dry_run(&[orders.clone(), refunds.clone()]).unwrap();
    assert_eq!(dry.files[1].recognition.entity, Entity::Refunds);
    assert_eq!((dry.files[1].rows, dry.files[1].rejected), (5, 1));
    assert_eq!(dry.files[1].rows_without_order, 1);
    let mut options = scratch.options();
    options.rejects = regulars_pipeline::RejectPolicy::Allow;
    let report = scratch.import_with(&[orders, refunds], &options).unwrap();
    assert_eq!(report.rejected(), 1);
    let counts = report.refunds;
    assert_eq!((counts.refunds, counts.rows_without_order), (1, 1));
    assert_eq!(counts.incomplete_refunds, 2);
    assert_eq!(revenue(&scratch, "2026-06-30"), [2_100]);
}

const WITH_STATUS: &str = "refund_id,order_id,date,amount,refund_status\n";

#[test]
fn refunds_that_were_not_made_take_nothing_off() {
    let refunds = "r1,1,2026-02-01,4.00,succeeded\nr2,1,2026-02-01,3.00,pending\n\
                   r3,1,2026-02-01,2.00,failed\nr4,1,2026-02-01,1.00,Canceled\n\
                   r5,1,2026-02-01,0.50,\nr9,9,2026-02-01,9.00,pending\n";
    let (scratch, reports) = after(&[&[(ORDERS, ANN), (WITH_STATUS, refunds)]]);
    assert_eq!(reports[0].files[1].entity, Entity::Refunds);
    let counts = reports[0].refunds;
    assert_eq!(
        (counts.rows, counts.refunds, counts.refunds_not_made),
        (6, 2, 4)
    );
    assert_eq!(counts.waiting_refunds, 0);
    assert_eq!(revenue(&scratch, "2026-06-30"), [2_500 - 400 - 50]);
    let odd = scratch.fold(Some("2026-06-30")).oddities;
    assert_eq!(odd.refunds_without_order, 0);
}

#[test]
fn what_a_newer_version_says_of_a_refund_holds() {
    let state = |status: &str| format!("r1,1,2026-02-01,4.00,{status}\n");
    let after_both = |header: &str, first: &str, second: &str| {
        let imports: &[&[(&str, &str)]] = &[&[(ORDERS, ANN), (header, first)], &[(header, second)]];
        revenue(&after(imports).0, "2026-06-30")
    };
    let [pending, made, failed] = ["pending", "succeeded", "failed"].map(state);
    assert_eq!(after_both(WITH_STATUS, &pending, &made), [2_100]);
    assert_eq!(after_both(WITH_STATUS, &made, &failed), [2_500]);
    let without_id = |status: &str| format!("1,2026-02-01,4.00,{status}\n");
    let [pending, made, failed] = ["pending", "succeeded", "failed"].map(without_id);
    let header = "order_id,date,refund_amount,refund_status\n";
    assert_eq!(after_both(header, &pending, &made), [2_100]);
    assert_eq!(after_both(header, &made, &failed), [2_500]);
}
