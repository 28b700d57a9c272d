//! Each rule of assembling, and that the order of rows changes nothing.

use proptest::prelude::*;
use regulars_core::{Currency, DAY_MS, OrderStatus, RecordKind, Symbol};

use super::amounts::spread;
use super::*;
use crate::config::{Config, Rate};

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
fn orders_without_an_amount_are_counted() {
    let bare = row(1, &[]);
    let with_total = row(2, &[(Amount::OrderTotal, 0)]);
    let unpriced = Row {
        amounts: [None; Amount::COUNT],
        ..line(3, 1, 2.0, 500)
    };
    let (lines, counts) = assembled(vec![bare, with_total, unpriced, line(3, 2, 1.0, 500)]);
    assert_eq!((counts.orders, counts.orders_without_amount), (3, 2));
    let of = |order| {
        let lines = lines.iter().filter(|line| line.record.order.0 == order);
        lines.map(|line| line.record.net_minor).sum::<i64>()
    };
    assert_eq!([of(1), of(2), of(3)], [0, 0, 500]);
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

fn whole(order_key: u64, amounts: &[(Amount, i64)]) -> Row {
    Row {
        whole_order: true,
        ..row(order_key, amounts)
    }
}

#[test]
fn whole_orders_that_a_file_repeats_are_versions() {
    let order = whole(1, &[(Amount::OrderTotal, 100)]);
    let (lines, counts) = assembled(vec![order.clone(), order.clone()]);
    assert_eq!((lines.len(), lines[0].record.net_minor), (1, 100));
    assert_eq!((counts.orders, counts.repeated_orders), (1, 1));
    let changed = Row {
        status: Some(OrderStatus::Cancelled),
        ..order.clone()
    };
    let (lines, counts) = assembled(vec![changed, order.clone()]);
    assert_eq!(lines[0].record.status, OrderStatus::Cancelled);
    assert_eq!((counts.orders, counts.conflicting_versions), (1, 1));
    // What came back in parts is no version of the order.
    let back = |minor| whole(1, &[(Amount::OrderTotal, minor)]);
    let (lines, counts) = assembled(vec![back(-20), order, back(-30), back(-20)]);
    let told: Vec<_> = lines
        .iter()
        .map(|l| (l.record.kind, l.record.net_minor, l.record.is_apart()))
        .collect();
    let credit = RecordKind::Credit;
    assert_eq!(
        told,
        [
            (RecordKind::Sale, 100, false),
            (credit, 30, true),
            (credit, 20, true)
        ]
    );
    assert_eq!(
        (counts.orders, counts.credits, counts.repeated_orders),
        (1, 1, 1)
    );
}

#[test]
fn rows_that_tell_no_line_are_one() {
    let head = row(1, &[(Amount::OrderTotal, 700)]);
    let (lines, counts) = assembled(vec![head.clone(), head]);
    assert_eq!((lines.len(), lines[0].record.net_minor), (1, 700));
    assert_eq!(counts.orders, 1);
}

#[test]
fn a_file_of_returns_stands_beside_the_orders() {
    let returned = Row {
        file: 1,
        occurred_at: day(20),
        ..line(1, 1, -1.0, 150)
    };
    let (lines, counts) = assembled(vec![returned, line(1, 1, 2.0, 150)]);
    let told: Vec<_> = lines
        .iter()
        .map(|l| (l.record.kind, l.record.net_minor, l.record.is_apart()))
        .collect();
    assert_eq!(
        told,
        [
            (RecordKind::Sale, 300, false),
            (RecordKind::Credit, 150, true)
        ]
    );
    assert_eq!(
        (counts.orders, counts.credits, counts.conflicting_versions),
        (1, 1, 0)
    );
}

#[test]
fn amounts_that_differ_between_rows_add_up() {
    let first = with(line(1, 1, 1.0, 1_000), Amount::OrderDiscount, 200);
    let second = with(line(1, 2, 1.0, 1_000), Amount::OrderDiscount, 300);
    assert_eq!(nets(vec![first, second]).iter().sum::<i64>(), 1_500);
}

#[test]
fn lines_may_have_tax_and_refunds_of_their_own() {
    let gross = |product, gross, tax| {
        let row = with(line(1, product, 1.0, 0), Amount::LineGross, gross);
        with(row, Amount::LineTax, tax)
    };
    assert_eq!(nets(vec![gross(1, 119, 19), gross(2, 238, 38)]), [100, 200]);
    let refunded = |product, net, refunded| {
        let row = with(line(1, product, 1.0, 0), Amount::LineTotal, net);
        with(row, Amount::LineRefunded, refunded)
    };
    let (lines, _) = assembled(vec![refunded(1, 100, 10), refunded(2, 300, 5)]);
    let told: Vec<_> = lines.iter().map(|l| l.record.refunded_minor).collect();
    assert_eq!(told, [10, 5]);
}

#[test]
fn a_total_counts_where_tax_and_shipping_are_known() {
    let order = whole(
        1,
        &[(Amount::OrderTotal, 124), (Amount::OrderSubtotal, 100)],
    );
    assert_eq!(nets(vec![order.clone()]), [100]);
    let with_tax = with(order, Amount::Tax, 19);
    assert_eq!(nets(vec![with_tax.clone()]), [100]);
    assert_eq!(nets(vec![with(with_tax, Amount::Shipping, 0)]), [105]);
    // The tax of what went back is left out whatever its sign.
    for tax in [-950, 950] {
        let credit = whole(9, &[(Amount::OrderTotal, -5_950), (Amount::Tax, tax)]);
        assert_eq!(nets(vec![credit]), [5_000]);
    }
}

#[test]
fn an_exchange_is_reduced_once() {
    let total = |row| with(row, Amount::OrderTotal, 1_200);
    let rows = vec![
        total(line(1, 1, 1.0, 1_000)),
        total(line(1, 2, 1.0, 500)),
        total(line(1, 3, -1.0, 300)),
    ];
    assert_eq!(nets(rows), [1_000, 500, 300]);
}

#[test]
fn a_discount_makes_what_goes_back_less() {
    let returned = with(line(9, 1, -2.0, 150), Amount::LineDiscount, 50);
    assert_eq!(nets(vec![returned]), [250]);
}

fn in_dollars(symbols: &mut Symbols) -> (Rates, Symbol) {
    let dollar = Currency::new("USD").unwrap();
    let mut config = Config::new("shop", Currency::new("EUR").unwrap(), "UTC");
    let rate = Rate {
        from: "1960-01-01".to_owned(),
        rate: "0.9".to_owned(),
    };
    config.rates.insert(dollar, vec![rate.clone()]);
    config
        .rates
        .insert(Currency::new("JPY").unwrap(), vec![rate]);
    let mut rates = Rates::new(&config);
    let symbol = rates.admit(dollar, symbols).unwrap();
    (rates, symbol)
}

fn converted(rates: &Rates, symbols: &Symbols, mut rows: Vec<Row>) -> Vec<i64> {
    let frame = Frame {
        customer: CustomerId(1),
        import: 3,
        symbols,
        rates,
    };
    let lines = assemble(frame, &mut rows, &mut OrderCounts::default()).unwrap();
    lines.iter().map(|line| line.record.net_minor).collect()
}

#[test]
fn amounts_are_formed_before_they_are_converted() {
    let mut symbols = symbols();
    let (rates, dollar) = in_dollars(&mut symbols);
    let row = Row {
        currency: dollar,
        currency_named: true,
        ..line(1, 1, 1_000.0, 85)
    };
    assert_eq!(converted(&rates, &symbols, vec![row]), [76_500]);
}

#[test]
fn rows_without_a_currency_share_that_of_their_order() {
    let mut symbols = symbols();
    let (mut rates, _) = in_dollars(&mut symbols);
    let yen = rates
        .admit(Currency::new("JPY").unwrap(), &mut symbols)
        .unwrap();
    let named = Row {
        currency: yen,
        currency_named: true,
        ..line(1, 1, 1.0, 1_000)
    };
    // Read with the two decimals of the file's own currency.
    let unnamed = line(1, 2, 1.0, 200_000);
    for rows in [vec![named.clone(), unnamed.clone()], vec![unnamed, named]] {
        assert_eq!(converted(&rates, &symbols, rows), [90_000, 180_000]);
    }
}

fn any_row() -> impl Strategy<Value = Row> {
    let amounts =
        proptest::collection::vec(proptest::option::weighted(0.3, -2_i64..9), Amount::COUNT);
    let states = (
        any::<bool>(),
        proptest::option::of(0_usize..4),
        proptest::option::weighted(0.3, 0_i64..3),
        proptest::option::weighted(0.8, 0_i64..3),
    );
    (
        1_u64..4,
        0_u32..3,
        0_u32..5,
        proptest::option::of(-1..4_i32),
        amounts,
        states,
        any::<bool>(),
    )
        .prop_map(|(key, file, product, quantity, amounts, states, named)| {
            let (whole_order, status, updated_at, at) = states;
            let statuses = [
                OrderStatus::Placed,
                OrderStatus::Unpaid,
                OrderStatus::Refunded,
                OrderStatus::Cancelled,
            ];
            let mut row = Row {
                file,
                product: Symbol(product),
                quantity: quantity.map(f64::from),
                occurred_at: at.and_then(day),
                updated_at: updated_at.and_then(day),
                status: status.map(|index| statuses[index]),
                whole_order,
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
    fn no_order_vanishes(rows in proptest::collection::vec(any_row(), 0..12)) {
        let named: Vec<Row> = rows.into_iter().filter(|row| !row.order_id.is_empty()).collect();
        let keys: std::collections::BTreeSet<u64> = named.iter().map(|r| r.order_key).collect();
        let (lines, counts) = assembled(named.clone());
        let mut undated = 0;
        for key in keys {
            let of_key = || named.iter().filter(|row| row.order_key == key);
            let dated = of_key().any(|row| row.occurred_at.is_some());
            undated += u64::from(!dated);
            let found = lines.iter().any(|line| line.record.order.0 == key);
            prop_assert_eq!(found, dated);
            // As many versions went in as came out or were counted.
            let sells = of_key().any(|row| !version::is_return(row) && row.product != Symbol::NONE);
            let sold = lines.iter().any(|line| {
                line.record.order.0 == key && line.record.kind == RecordKind::Sale
            });
            prop_assert!(sold || !sells || !dated);
        }
        prop_assert_eq!(counts.orders_without_date, undated);
    }

    #[test]
    fn parts_add_up(amount in -10_000_i64..10_000, weights in proptest::collection::vec(-5_i64..50, 1..8)) {
        let parts = spread(amount, &weights);
        prop_assert_eq!(parts.iter().sum::<i64>(), amount);
    }
}
