//! Orders whose versions name several customers have one owner.

use crate::scratch::Scratch;

const HEADER: &str = "order_id,customer_id,email,date,updated_at,total\n";

fn orders(rows: &[&str]) -> String {
    format!("{HEADER}{}\n", rows.join("\n"))
}

/// What imports of these files, one after the other, come to.
fn after(files: &[&[&str]]) -> (String, Vec<u64>) {
    let scratch = Scratch::new();
    let reassigned = files.iter().enumerate().map(|(number, rows)| {
        let file = scratch.file(&format!("{number}.csv"), &orders(rows));
        scratch.import(&[file]).orders.reassigned_orders
    });
    let reassigned = reassigned.collect();
    (scratch.picture(Some("2026-06-30")), reassigned)
}

const BOBS_OWN: &str = "7,bob,,2026-01-02,,5.00";
const ANNS_OWN: &str = "8,ann,,2026-01-03,,6.00";

#[test]
fn the_newer_import_decides() {
    let ann = "1,ann,,2026-01-05,,10.00";
    let bob = "1,bob,,2026-01-05,,10.00";
    let (moved, reassigned) = after(&[&[ann, BOBS_OWN, ANNS_OWN], &[bob]]);
    assert_eq!(reassigned, [0, 1]);
    assert_eq!(moved, after(&[&[bob, BOBS_OWN, ANNS_OWN]]).0);
    // And back again.
    let (back, _) = after(&[
        &[ann, BOBS_OWN, ANNS_OWN],
        &[bob],
        &[ann, "9,cyd,,2026-01-09,,1.00"],
    ]);
    let once = after(&[&[ann, BOBS_OWN, ANNS_OWN, "9,cyd,,2026-01-09,,1.00"]]).0;
    assert_eq!(back, once);
}

#[test]
fn an_order_that_two_files_of_one_import_give_to_different_customers_is_one_order() {
    let scratch = Scratch::new();
    let ann = scratch.file("ann.csv", &orders(&["1,ann,,2026-01-05,,10.00", ANNS_OWN]));
    let bob = scratch.file("bob.csv", &orders(&["1,bob,,2026-01-05,,10.00", BOBS_OWN]));
    let counts = scratch.import(&[ann, bob]).orders;
    assert_eq!((counts.orders, counts.reassigned_orders), (3, 1));
}

#[test]
fn a_customer_whose_only_order_went_to_another_is_none_any_more() {
    let (moved, _) = after(&[
        &["1,ann,,2026-01-05,,10.00", BOBS_OWN],
        &["1,bob,,2026-01-05,,10.00"],
    ]);
    assert_eq!(moved, after(&[&["1,bob,,2026-01-05,,10.00", BOBS_OWN]]).0);
}

#[test]
fn an_older_version_that_comes_later_changes_nothing() {
    let newer = "1,bob,,2026-01-05,2026-03-01,10.00";
    let older = "1,ann,,2026-01-05,2026-02-01,10.00";
    let (kept, reassigned) = after(&[&[newer, ANNS_OWN], &[older]]);
    assert_eq!(reassigned, [0, 1]);
    assert_eq!(kept, after(&[&[newer, ANNS_OWN]]).0);
}

#[test]
fn within_one_import_the_order_of_rows_does_not_matter() {
    let rows = [
        "1,ann,,2026-01-05,,10.00",
        "1,bob,,2026-01-05,,10.00",
        BOBS_OWN,
    ];
    let (one, reassigned) = after(&[&rows]);
    assert_eq!(reassigned, [1]);
    assert_eq!(one, after(&[&[rows[2], rows[1], rows[0]]]).0);
    assert_eq!(one, after(&[&[rows[0], rows[2]]]).0);
}

#[test]
fn a_guest_order_that_gets_a_customer_is_counted_once() {
    // The address turns out to be used by two customers, so its orders stand for themselves.
    let guest = "1,,a@example.com,2026-01-05,,10.00";
    let linked = [
        "2,ann,a@example.com,2026-02-05,,20.00",
        "3,bob,a@example.com,2026-02-06,,30.00",
    ];
    let known = "1,ann,,2026-01-05,,10.00";
    let (settled, _) = after(&[&[guest], &linked, &[known]]);
    assert_eq!(settled, after(&[&[known, linked[0], linked[1]]]).0);
    // An address of one customer: its guest order is that customer's from the link on.
    let (linked_first, reassigned) = after(&[&[guest], &[linked[0], known]]);
    assert_eq!(reassigned, [0, 0]);
    assert_eq!(linked_first, after(&[&[known, linked[0]]]).0);
}

/// A credit note of order 1, in a file that does not hold its lines.
const CREDIT_FOR_BOB: &str = "1,bob,,2026-02-05,,-4.00";
const ORDER_OF_ANN: &str = "1,ann,,2026-01-05,,10.00";

#[test]
fn a_credit_goes_with_its_order_and_does_not_take_it_along() {
    let in_turn = |files: &[&[&str]]| after(files).0;
    let own = in_turn(&[
        &[ORDER_OF_ANN, BOBS_OWN, ANNS_OWN],
        &["1,ann,,2026-02-05,,-4.00"],
    ]);
    // Whoever the credit note names, and whatever comes first.
    let sales = [ORDER_OF_ANN, BOBS_OWN, ANNS_OWN];
    assert_eq!(in_turn(&[&sales, &[CREDIT_FOR_BOB]]), own);
    assert_eq!(in_turn(&[&[CREDIT_FOR_BOB], &sales]), own);
    assert_eq!(
        in_turn(&[
            &sales,
            &[CREDIT_FOR_BOB],
            &[CREDIT_FOR_BOB, "7,bob,,2026-01-02,,5.00"]
        ]),
        own
    );
    // The order goes to another customer, and its credit with it.
    let moved = in_turn(&[&sales, &[CREDIT_FOR_BOB], &["1,cyd,,2026-01-05,,10.00"]]);
    let once = in_turn(&[
        &["1,cyd,,2026-01-05,,10.00", BOBS_OWN, ANNS_OWN],
        &["1,cyd,,2026-02-05,,-4.00"],
    ]);
    assert_eq!(moved, once);
    // Nobody is said to have lost an order.
    assert_eq!(after(&[&sales, &[CREDIT_FOR_BOB]]).1, [0, 0]);
}

#[test]
fn a_credit_of_an_unknown_order_lies_with_whom_it_names() {
    let (named, _) = after(&[&[BOBS_OWN, ANNS_OWN], &[CREDIT_FOR_BOB]]);
    let (together, _) = after(&[&[CREDIT_FOR_BOB], &[BOBS_OWN, ANNS_OWN]]);
    assert_eq!(named, together);
}
