//! Each rule of assembling, and that the order of rows changes nothing.

use proptest::prelude::*;
use regulars_core::{Currency, DAY_MS};

use super::*;
use crate::config::Config;

fn day(day: i64) -> Option<Timestamp> {
    Some(Timestamp(day * DAY_MS))
}

fn row(order_key: u64, amounts: &[(Amount, i64)]) -> Row {
    let mut row = Row {
        identity: 1,
        order_key,
        order_id: format!("#{order_key}"),
        occurred_at: day(10),
        ..Row::default()
    };
    for &(which, minor) in amounts {
        row.amounts[which as usize] = Some(minor);
    }
    row
}

fn line(order_key: u64, product: u32, quantity: f64, unit_price: i64) -> Row {
    Row {
        product: Symbol(product),
        quantity: Some(quantity),
        ..row(order_key, &[(Amount::UnitPrice, unit_price)])
    }
}

fn with(mut row: Row, which: Amount, minor: i64) -> Row {
    row.amounts[which as usize] = Some(minor);
    row
}

fn symbols() -> Symbols {
    let mut symbols = Symbols::default();
    for text in ["a", "b", "c", "d", "e"] {
        symbols.intern(text);
    }
    symbols
}

fn assembled(mut rows: Vec<Row>) -> (Vec<Assembled>, OrderCounts) {
    let symbols = symbols();
    let rates = Rates::new(&Config::new("shop", Currency::new("EUR").unwrap(), "UTC"));
    let frame = Frame {
        customer: CustomerId(1),
        import: 3,
        symbols: &symbols,
        rates: &rates,
    };
    let mut counts = OrderCounts::default();
    let records = assemble(frame, &mut rows, &mut counts).unwrap();
    (records, counts)
}

fn nets(rows: Vec<Row>) -> Vec<i64> {
    assembled(rows)
        .0
        .iter()
        .map(|line| line.record.net_minor)
        .collect()
}

#[test]
fn lines_add_up_by_price_and_discount() {
    let discounted = with(line(1, 2, 3.0, 200), Amount::LineDiscount, 50);
    assert_eq!(nets(vec![line(1, 1, 2.0, 150), discounted]), [300, 550]);
    let total = with(line(1, 1, 2.0, 150), Amount::LineTotal, 280);
    let (lines, _) = assembled(vec![total]);
    assert_eq!(
        (lines[0].record.net_minor, lines[0].record.discount_minor),
        (280, Some(20))
    );
}

#[test]
fn what_the_order_says_is_spread_over_its_lines() {
    let first = with(line(1, 1, 1.0, 1_000), Amount::OrderTotal, 1_690);
    let first = with(with(first, Amount::Shipping, 490), Amount::Tax, 200);
    // 1,000 of net revenue over lines of 1,000 and 500.
    assert_eq!(nets(vec![first, line(1, 2, 1.0, 500)]), [667, 333]);
    let subtotal = with(line(1, 1, 1.0, 1_000), Amount::OrderSubtotal, 1_350);
    assert_eq!(nets(vec![subtotal, line(1, 2, 1.0, 500)]), [900, 450]);
    let discount = with(line(1, 1, 1.0, 1_000), Amount::OrderDiscount, 150);
    let (lines, _) = assembled(vec![discount, line(1, 2, 1.0, 500)]);
    let told: Vec<_> = lines
        .iter()
        .map(|l| (l.record.net_minor, l.record.discount_minor))
        .collect();
    assert_eq!(told, [(900, Some(100)), (450, Some(50))]);
}

#[test]
fn an_order_of_one_row_needs_no_lines() {
    let order = Row {
        whole_order: true,
        ..row(1, &[(Amount::OrderTotal, 2_933)])
    };
    let (lines, counts) = assembled(vec![order]);
    assert_eq!(
        (lines[0].record.net_minor, lines[0].record.quantity),
        (2_933, 1.0)
    );
    assert_eq!(counts.orders, 1);
}

#[test]
fn refunds_shrink_with_tax_and_shipping() {
    let order = row(
        1,
        &[
            (Amount::OrderTotal, 2_000),
            (Amount::Tax, 400),
            (Amount::Refunded, 500),
        ],
    );
    let (lines, _) = assembled(vec![Row {
        whole_order: true,
        ..order.clone()
    }]);
    assert_eq!(
        (lines[0].record.net_minor, lines[0].record.refunded_minor),
        (1_600, 400)
    );
    let (lines, _) = assembled(vec![with(order, Amount::Refunded, 2_000)]);
    assert_eq!(lines[0].record.refunded_minor, 1_600);
}

#[test]
fn what_came_back_is_a_credit_and_never_an_order() {
    let invoice = Row {
        credit: true,
        ..line(9, 1, -2.0, 150)
    };
    let (lines, counts) = assembled(vec![invoice]);
    assert_eq!(lines[0].record.kind, RecordKind::Credit);
    assert_eq!(
        (lines[0].record.quantity, lines[0].record.net_minor),
        (2.0, 300)
    );
    assert_eq!((counts.orders, counts.credits), (0, 1));
    let (lines, counts) = assembled(vec![line(1, 1, 2.0, 150), line(1, 1, -1.0, 150)]);
    let kinds: Vec<_> = lines.iter().map(|line| line.record.kind).collect();
    assert_eq!(kinds, [RecordKind::Sale, RecordKind::Credit]);
    assert_eq!((counts.orders, counts.credits), (1, 0));
}

#[test]
fn heads_and_lines_of_an_order_come_together() {
    let head = Row {
        product: Symbol(1),
        quantity: Some(1.0),
        status: Some(OrderStatus::Refunded),
        ..row(1, &[(Amount::OrderSubtotal, 700), (Amount::UnitPrice, 500)])
    };
    let second = Row {
        occurred_at: None,
        ..line(1, 2, 1.0, 200)
    };
    let (lines, counts) = assembled(vec![second, head]);
    assert_eq!(counts.orders, 1);
    assert!(
        lines
            .iter()
            .all(|l| l.record.occurred_at == Timestamp(10 * DAY_MS))
    );
    assert!(
        lines
            .iter()
            .all(|l| l.record.status == OrderStatus::Refunded)
    );
    let undated = Row {
        occurred_at: None,
        ..line(2, 2, 1.0, 200)
    };
    assert_eq!(assembled(vec![undated]).1.orders_without_date, 1);
}

#[test]
fn of_several_files_the_newest_state_counts() {
    let placed = Row {
        status: Some(OrderStatus::Placed),
        ..line(1, 1, 1.0, 500)
    };
    let cancelled = Row {
        file: 1,
        status: Some(OrderStatus::Cancelled),
        ..placed.clone()
    };
    for rows in [
        vec![placed.clone(), cancelled.clone()],
        vec![cancelled, placed.clone()],
    ] {
        let (lines, counts) = assembled(rows);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].record.status, OrderStatus::Cancelled);
        assert_eq!(
            (counts.conflicting_versions, counts.repeated_orders),
            (1, 0)
        );
    }
    let same = Row {
        file: 1,
        ..placed.clone()
    };
    let (lines, counts) = assembled(vec![placed, same]);
    assert_eq!((lines.len(), counts.repeated_orders), (1, 1));
}

#[test]
fn equal_rows_without_an_id_are_two_orders_in_one_file_and_one_in_two() {
    let anonymous = |file| Row {
        order_id: String::new(),
        file,
        whole_order: true,
        ..row(77, &[(Amount::OrderTotal, 100)])
    };
    assert_eq!(assembled(vec![anonymous(0), anonymous(0)]).1.orders, 2);
    assert_eq!(assembled(vec![anonymous(0), anonymous(1)]).1.orders, 1);
    assert_eq!(
        assembled(vec![anonymous(0), anonymous(1), anonymous(1)])
            .1
            .orders,
        2
    );
}

fn any_row() -> impl Strategy<Value = Row> {
    let amounts = proptest::collection::vec(proptest::option::weighted(0.3, -2_i64..9), 10);
    (
        1_u64..4,
        0_u32..3,
        0_u32..5,
        proptest::option::of(-1..4_i32),
        amounts,
        0_i64..3,
        any::<bool>(),
    )
        .prop_map(|(key, file, product, quantity, amounts, at, named)| {
            let mut row = Row {
                file,
                product: Symbol(product),
                quantity: quantity.map(f64::from),
                occurred_at: day(at),
                ..row(key, &[])
            };
            if !named {
                row.order_id.clear();
                row.order_key += 100;
            }
            for (slot, amount) in row.amounts.iter_mut().zip(amounts) {
                *slot = amount.map(|hundreds| hundreds * 100);
            }
            row
        })
}

proptest! {
    #[test]
    fn the_order_of_rows_and_files_changes_nothing(
        rows in proptest::collection::vec(any_row(), 0..12),
        swaps in proptest::collection::vec((0_usize..12, 0_usize..12), 0..20),
        files in Just([0_u32, 1, 2]).prop_shuffle(),
    ) {
        let mut shuffled = rows.clone();
        for (a, b) in swaps {
            if a < shuffled.len() && b < shuffled.len() {
                shuffled.swap(a, b);
            }
        }
        for row in &mut shuffled {
            row.file = files[row.file as usize];
        }
        prop_assert_eq!(assembled(rows), assembled(shuffled));
    }

    #[test]
    fn parts_add_up(amount in -10_000_i64..10_000, weights in proptest::collection::vec(-5_i64..50, 1..8)) {
        let parts = spread(amount, &weights);
        prop_assert_eq!(parts.iter().sum::<i64>(), amount);
    }
}
