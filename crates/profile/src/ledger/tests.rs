//! Each rule of the ledger, and that the order of records changes nothing.

use proptest::prelude::*;
use regulars_core::{CustomerId, DAY_MS, OrderKey};

use super::*;

const NOW: Timestamp = Timestamp(1_000 * DAY_MS);

fn day(day: i64) -> Timestamp {
    Timestamp(day * DAY_MS)
}

fn sale(order: u64, at: i64, product: u32, net_minor: i64) -> LineRecord {
    LineRecord {
        customer: CustomerId(1),
        order: OrderKey(order),
        import: 1,
        updated_at: None,
        occurred_at: day(at),
        ended_at: None,
        kind: RecordKind::Sale,
        status: OrderStatus::Placed,
        line: 0,
        product: Symbol(product),
        category: Symbol::NONE,
        brand: Symbol::NONE,
        channel: Symbol::NONE,
        country: Symbol::NONE,
        quantity: 1.0,
        net_minor,
        discount_minor: None,
        cost_minor: None,
        refunded_minor: 0,
    }
}

fn credit(order: u64, at: i64, product: u32, quantity: f64, net_minor: i64) -> LineRecord {
    LineRecord {
        kind: RecordKind::Credit,
        quantity,
        ..sale(order, at, product, net_minor)
    }
}

fn sorted(mut records: Vec<LineRecord>) -> Vec<LineRecord> {
    records.sort_by_key(|r| (r.occurred_at, r.order, r.import, r.line));
    records
}

/// Key and net revenue of the orders that count.
fn resolve(records: Vec<LineRecord>, now: Timestamp) -> (Vec<(u64, i64)>, Oddities) {
    let mut ledger = Ledger::default();
    ledger.resolve(&sorted(records), &Products::default(), now);
    let orders = ledger
        .orders()
        .map(|order| (order.key.0, order.net_minor))
        .collect();
    (orders, ledger.oddities())
}

#[test]
fn a_newer_version_replaces_an_older_one() {
    let older = sale(7, 10, 1, 500);
    let newer = LineRecord {
        import: 2,
        net_minor: 300,
        occurred_at: day(11),
        ..older
    };
    assert_eq!(resolve(vec![older, newer], NOW).0, [(7, 300)]);
    // What the source says decides over when it was imported.
    let late_import = LineRecord {
        import: 3,
        updated_at: Some(day(20)),
        ..older
    };
    let last_made = LineRecord {
        import: 2,
        updated_at: Some(day(30)),
        net_minor: 250,
        ..older
    };
    assert_eq!(resolve(vec![late_import, last_made], NOW).0, [(7, 250)]);
}

#[test]
fn a_version_without_a_line_drops_that_line() {
    let first = sale(7, 10, 1, 500);
    let second = LineRecord {
        line: 1,
        product: Symbol(2),
        ..first
    };
    let newer = LineRecord { import: 2, ..first };
    assert_eq!(resolve(vec![first, second, newer], NOW).0, [(7, 500)]);
}

#[test]
fn cancelled_orders_count_until_they_are_cancelled() {
    let cancelled = LineRecord {
        status: OrderStatus::Cancelled,
        ended_at: Some(day(20)),
        ..sale(7, 10, 1, 500)
    };
    assert_eq!(resolve(vec![cancelled], day(19)).0, [(7, 500)]);
    assert_eq!(resolve(vec![cancelled], day(20)).0, []);
    let at_once = LineRecord {
        ended_at: None,
        ..cancelled
    };
    assert_eq!(resolve(vec![at_once], day(19)).0, []);
    let unpaid = LineRecord {
        status: OrderStatus::Unpaid,
        ..cancelled
    };
    assert_eq!(resolve(vec![unpaid], day(19)).0, []);
}

#[test]
fn refunds_reduce_their_order_from_their_time_on() {
    let order = LineRecord {
        refunded_minor: 200,
        ended_at: Some(day(20)),
        ..sale(7, 10, 1, 500)
    };
    assert_eq!(resolve(vec![order], day(19)).0, [(7, 500)]);
    assert_eq!(resolve(vec![order], day(20)).0, [(7, 300)]);
    let refund = LineRecord {
        kind: RecordKind::Refund,
        ..sale(7, 30, 0, 100)
    };
    assert_eq!(resolve(vec![order, refund], day(30)).0, [(7, 200)]);
    let all = LineRecord {
        net_minor: 300,
        ..refund
    };
    assert_eq!(
        resolve(vec![order, all], day(30)).0,
        [],
        "refunded in full: no order"
    );
    let stray = LineRecord {
        order: OrderKey(8),
        ..refund
    };
    assert_eq!(
        resolve(vec![order, stray], day(30)).1.refunds_without_order,
        1
    );
}

#[test]
fn a_credit_takes_from_the_latest_earlier_order_that_still_has_that_much() {
    let orders = || {
        vec![
            LineRecord {
                quantity: 5.0,
                ..sale(1, 10, 9, 500)
            },
            LineRecord {
                quantity: 2.0,
                ..sale(2, 20, 9, 200)
            },
            LineRecord {
                quantity: 9.0,
                ..sale(3, 40, 9, 900)
            },
        ]
    };
    let with = |credits: Vec<LineRecord>| resolve([orders(), credits].concat(), NOW);
    assert_eq!(
        with(vec![credit(90, 30, 9, 1.0, 100)]).0,
        [(1, 500), (2, 100), (3, 900)]
    );
    assert_eq!(
        with(vec![credit(90, 30, 9, 3.0, 300)]).0,
        [(1, 200), (2, 200), (3, 900)]
    );
    let two = vec![credit(90, 30, 9, 2.0, 200), credit(91, 31, 9, 1.0, 100)];
    assert_eq!(
        with(two).0,
        [(1, 400), (3, 900)],
        "the second order is returned whole"
    );
    let (orders, oddities) = with(vec![credit(90, 30, 8, 1.0, 100), credit(91, 5, 9, 1.0, 70)]);
    assert_eq!(orders, [(1, 500), (2, 200), (3, 900)]);
    assert_eq!(
        (oddities.unmatched_credits, oddities.unmatched_credit_minor),
        (2, 170)
    );
}

#[test]
fn a_credit_is_not_seen_before_its_time() {
    let records = vec![sale(1, 10, 9, 500), credit(90, 30, 9, 1.0, 100)];
    assert_eq!(resolve(records.clone(), day(29)).0, [(1, 500)]);
    assert_eq!(resolve(records, day(30)).0, []);
}

#[test]
fn free_orders_are_orders() {
    assert_eq!(resolve(vec![sale(1, 10, 9, 0)], NOW).0, [(1, 0)]);
}

#[test]
fn costs_and_categories_come_from_the_products_where_lines_have_none() {
    let mut products = Products::default();
    products.insert(
        Symbol(9),
        Product {
            category: Some(Symbol(50)),
            brand: None,
            unit_cost_minor: Some(120),
        },
    );
    let mut ledger = Ledger::default();
    let records = [
        LineRecord {
            quantity: 2.0,
            ..sale(1, 10, 9, 500)
        },
        sale(2, 11, 8, 100),
    ];
    ledger.resolve(&records, &products, NOW);
    let orders: Vec<_> = ledger.orders().collect();
    assert_eq!(orders[0].lines[0].category, Symbol(50));
    assert_eq!(orders[0].cost_minor, Some(240));
    assert_eq!(orders[1].cost_minor, None);
}

/// Records of a few orders with few products, so that versions and credits meet often.
fn records() -> impl Strategy<Value = Vec<LineRecord>> {
    let record = (
        1_u64..5,
        1_i64..6,
        1_u32..3,
        0_i64..4,
        1_u64..4,
        0_usize..4,
        any::<bool>(),
    );
    proptest::collection::vec(record, 0..14).prop_map(|rows| {
        let mut seen = std::collections::HashSet::new();
        rows.into_iter()
            .filter_map(
                |(order, at, product, hundreds, import, status, is_credit)| {
                    let net_minor = hundreds * 100;
                    let record = if is_credit {
                        credit(order + 100, at + 2, product, 1.0, net_minor)
                    } else {
                        let statuses = [
                            OrderStatus::Placed,
                            OrderStatus::Placed,
                            OrderStatus::Cancelled,
                            OrderStatus::Unpaid,
                        ];
                        LineRecord {
                            status: statuses[status],
                            ..sale(order, at, product, net_minor)
                        }
                    };
                    // One version of an order has one time and, here, one line.
                    seen.insert((record.order, import))
                        .then_some(LineRecord { import, ..record })
                },
            )
            .collect()
    })
}

proptest! {
    #[test]
    fn nothing_depends_on_the_order_of_records(
        records in records(),
        swaps in proptest::collection::vec((0_usize..14, 0_usize..14), 0..20),
        now in 0_i64..10,
    ) {
        let mut shuffled = records.clone();
        for (a, b) in swaps {
            if a < shuffled.len() && b < shuffled.len() {
                shuffled.swap(a, b);
            }
        }
        prop_assert_eq!(resolve(records, day(now)), resolve(shuffled, day(now)));
    }

    #[test]
    fn superseded_versions_leave_no_trace(records in records()) {
        let newest: Vec<LineRecord> = records
            .iter()
            .filter(|r| records.iter().all(|o| o.order != r.order || o.import <= r.import))
            .copied()
            .collect();
        prop_assert_eq!(resolve(records, NOW), resolve(newest, NOW));
    }

    #[test]
    fn money_is_neither_made_nor_lost(records in records()) {
        // Of one version of each order: what was sold is what counts, what came back, and what
        // was sold on orders that do not count.
        let mut kept = std::collections::HashSet::new();
        let records: Vec<_> = records.into_iter().filter(|r| kept.insert(r.order)).collect();
        let mut ledger = Ledger::default();
        let input = sorted(records.clone());
        ledger.resolve(&input, &Products::default(), NOW);
        let sold: i64 = records
            .iter()
            .filter(|r| r.kind == RecordKind::Sale && r.status == OrderStatus::Placed)
            .map(|r| r.net_minor)
            .sum();
        let counted: i64 = ledger.orders().map(|o| o.net_minor + o.refunded_minor).sum();
        let lines: i64 = ledger.orders().flat_map(|o| o.lines).map(|l| l.net_minor).sum();
        let nets: i64 = ledger.orders().map(|o| o.net_minor).sum();
        prop_assert_eq!(lines, nets);
        prop_assert!(counted <= sold);
        let returned = sold - counted;
        prop_assert!(returned >= 0 && ledger.refunded_elsewhere_minor() <= returned);
    }
}

#[test]
fn a_customer_with_100_000_orders_is_resolved_at_once() {
    let mut records: Vec<LineRecord> = (0..100_000)
        .map(|i| sale(i, (i % 900) as i64, (i % 50) as u32 + 1, 100))
        .collect();
    records.extend((0..1_000).map(|i| credit(1_000_000 + i, 950, (i % 50) as u32 + 1, 1.0, 100)));
    let (orders, oddities) = resolve(records, NOW);
    assert_eq!(orders.len(), 99_000);
    assert_eq!(oddities.unmatched_credits, 0);
}
