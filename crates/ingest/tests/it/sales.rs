//! Reports of sales: gross sales − discounts − returns = net sales, and with shipping and taxes
//! total sales.

use regulars_ingest::{Field, MapReason, RowLevel};

use crate::reading::{Read, read};

/// Subtotal, total and refund of each row.
fn told(read: &Read) -> Vec<[Option<i64>; 3]> {
    read.orders(|batch, row| {
        let at = |column: &Option<Vec<Option<i64>>>| column.as_ref().and_then(|c| c[row]);
        // What came back has either sign.
        let back = at(&batch.refunded).map(i64::abs);
        [at(&batch.order_subtotal), at(&batch.order_total), back]
    })
}

fn report(columns: &str, rows: &[&str]) -> Read {
    let rows: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(n, amounts)| format!("{n},c{n},2026-01-05,{amounts}\n"))
        .collect();
    let text = format!("Order ID,Customer ID,Day,{columns}\n{}", rows.concat());
    read("sales.csv", text).unwrap()
}

#[test]
fn net_sales_have_neither_tax_nor_shipping() {
    for net in ["Net Sales", "Net Revenue", "Nettoumsatz", "N. Revenue"] {
        let read = report(&format!("{net},Shipping,Taxes"), &["20.00,5.00,1.60"]);
        assert_eq!(told(&read), [[Some(2_000), None, None]], "{net}");
    }
    let columns = "Gross Sales,Discounts,Net Sales,Shipping,Taxes,Total Sales";
    let read = report(columns, &["25.00,-5.00,20.00,5.00,1.60,26.60"]);
    assert_eq!(told(&read), [[Some(2_000), Some(2_660), None]]);
    assert_eq!(read.recognition.unmapped().count(), 0);
    // What discounts took off may not be told.
    let read = report("Gross Sales,Net Sales", &["25.00,20.00"]);
    assert_eq!(told(&read), [[Some(2_000), None, None]]);
}

#[test]
fn discounts_come_off_gross_sales_and_returns_go_back() {
    let returned = ["25.00,-5.00,0.00", "25.00,-5.00,-20.00", "25.00,5.00,-8.00"];
    let read = report("Gross Sales,Discounts,Returns", &returned);
    let expected = [0, 2_000, 800].map(|back| [Some(2_000), None, Some(back)]);
    assert_eq!(told(&read), expected);
    assert_eq!(read.recognition.level, RowLevel::Order);
}

#[test]
fn returns_are_taken_off_once() {
    // Net and total sales have them off already.
    let columns = "Gross Sales,Discounts,Returns,Net Sales,Shipping,Taxes,Total Sales";
    let rows = [
        "25.00,-5.00,0.00,20.00,5.00,1.60,26.60",
        "25.00,-5.00,-8.00,12.00,5.00,0.96,17.96",
    ];
    let read = report(columns, &rows);
    assert_eq!(
        told(&read),
        [
            [Some(2_000), Some(2_660), Some(0)],
            [Some(2_000), None, Some(800)]
        ]
    );
    let read = report("Net Sales,Returns", &["12.00,-8.00"]);
    assert_eq!(told(&read), [[Some(2_000), None, Some(800)]]);
    let read = report(
        "Total Sales,Shipping,Taxes,Returns",
        &["17.96,5.00,0.96,-8.00"],
    );
    assert_eq!(told(&read), [[Some(2_000), None, Some(800)]]);
    // A row of its own for what came back is a credit.
    let read = report(
        "Gross Sales,Discounts,Returns,Net Sales",
        &["0.00,0.00,-8.00,-8.00"],
    );
    assert_eq!(told(&read), [[Some(-800), None, None]]);
}

#[test]
fn returns_elsewhere_may_count_pieces() {
    let read = report("Total,Returns", &["20.00,1"]);
    assert_eq!(told(&read), [[None, Some(2_000), None]]);
}

#[test]
fn lines_have_amounts_before_discounts_too() {
    let text = "Order ID,Customer ID,Day,SKU,Gross Sales,Discounts,Returns\n\
        1,ann,2026-01-05,p1,25.00,-5.00,0.00\n1,ann,2026-01-05,p2,10.00,0.00,-10.00\n";
    let read = read("sales.csv", text).unwrap();
    let lines = read.orders(|batch, row| {
        [
            &batch.line_total,
            &batch.line_refunded,
            &batch.order_subtotal,
        ]
        .map(|column| column.as_ref().and_then(|column| column[row]))
    });
    assert_eq!(
        lines,
        [
            [Some(2_000), Some(0), None],
            [Some(1_000), Some(-1_000), None]
        ]
    );
}

#[test]
fn a_bare_id_beside_customer_and_date_is_that_of_the_order() {
    let of = |text: &str| {
        let read = read("orders.csv", text).unwrap();
        let column = read.recognition.column_of(Field::OrderId);
        column.map(|column| (column.name.clone(), column.reason))
    };
    let by_content = Some(("id".to_owned(), Some(MapReason::Content)));
    let header = "id,customer_id,created_at,status,total\n";
    let once = "1,ann,2026-01-05,paid,10.00\n2,ann,2026-01-06,paid,5.00\n";
    assert_eq!(of(&format!("{header}{once}")), by_content);
    // Lines and versions of an order share customer and date.
    let again = "1,ann,2026-01-05,refunded,10.00\n";
    assert_eq!(of(&format!("{header}{once}{again}")), by_content);
    // Ids of customers come again on other days.
    assert_eq!(
        of(&format!("{header}{once}1,ann,2026-02-05,paid,10.00\n")),
        None
    );
    let guests = "id,email,date,total\n1,a@x.de,2026-01-05,1.00\n1,a@x.de,2026-02-05,1.00\n";
    assert_eq!(of(guests), None);
    // What is called an order id goes before.
    let both = "id,order_id,customer_id,date,total\n1,o1,ann,2026-01-05,10.00\n";
    assert_eq!(
        of(both),
        Some(("order_id".to_owned(), Some(MapReason::Name)))
    );
    let gaps = "id,customer_id,date,total\n1,ann,2026-01-05,10.00\n,ann,2026-01-06,10.00\n";
    assert_eq!(of(gaps), None);
}

#[test]
fn events_with_ids_of_their_own_stay_events() {
    let text = "id,user_id,event,timestamp,amount\n1,ann,Paid,2026-01-05T10:00:00Z,10.00\n";
    let read = read("events.csv", text).unwrap();
    assert_eq!(read.recognition.entity, regulars_ingest::Entity::Events);
}

#[test]
fn ids_of_amazon_and_prestashop_are_known() {
    let named = |text: &str, field| {
        let read = read("orders.csv", text).unwrap();
        let column = read.recognition.column_of(field);
        column.map(|column| column.name.clone())
    };
    let amazon = "amazon-order-id,purchase-date,buyer-email,sku,quantity-purchased,item-price\n\
        1,2026-01-05T10:00:00Z,a@x.de,p1,1,10.00\n";
    assert_eq!(
        named(amazon, Field::OrderId).as_deref(),
        Some("amazon-order-id")
    );
    let presta = "id_order,reference,id_customer,customer,total_paid_tax_incl,date_add\n\
        7,XKBKNABJK,3,J. DOE,10.00,2026-01-05 10:00:00\n";
    assert_eq!(named(presta, Field::OrderId).as_deref(), Some("id_order"));
    assert_eq!(
        named(presta, Field::CustomerId).as_deref(),
        Some("id_customer")
    );
    assert_eq!(
        named(presta, Field::OccurredAt).as_deref(),
        Some("date_add")
    );
}

#[test]
fn ids_that_a_spreadsheet_rounded_are_rejected() {
    let text = "order_id,customer_id,date,total,sku\n\
        1.23457E+12,ann,2026-01-05,10.00,4.00638E+12\n1.23457E+12,bob,2026-01-05,5.00,p1\n\
        3,cyd,2026-01-05,5.00,p2\n4,1.23457E+12,2026-01-05,5.00,p2\n";
    let read = read("orders.csv", text).unwrap();
    let rejected = read.rejected();
    let columns: Vec<&str> = rejected
        .iter()
        .map(|reject| reject.column.as_str())
        .collect();
    assert_eq!(columns, ["order_id", "order_id", "customer_id"]);
    assert!(rejected[0].reason.to_string().contains("Excel"));
    assert_eq!(rejected[0].value, "1.23457E+12");
    assert_eq!(read.rows(), 1);
    let note = &read.recognition.notes[0];
    assert!(
        note.contains("`sku`") && note.contains("4.00638E+12"),
        "{note}"
    );
}

#[test]
fn names_of_persons_that_stand_for_ids_are_said_to_be_so() {
    let header = "ID,Reference,Customer,Total,Date\n";
    let text = format!("{header}1,XK,J. DOE,1.00,2026-01-05\n2,XL,A. Teller,2.00,2026-01-06\n");
    let read_names = read("orders.csv", text).unwrap();
    assert_eq!(
        read_names
            .recognition
            .column_of(Field::OrderId)
            .unwrap()
            .name,
        "ID"
    );
    let note = &read_names.recognition.notes[0];
    assert!(
        note.contains("`Customer`") && note.contains("names of persons"),
        "{note}"
    );
    let ids = format!("{header}1,XK,c 1,1.00,2026-01-05\n2,XL,c 2,2.00,2026-01-06\n");
    assert!(
        read("orders.csv", ids)
            .unwrap()
            .recognition
            .notes
            .is_empty()
    );
}
