//! Each rule of the ledger, and that the order of records changes nothing.

use proptest::prelude::*;
use regulars_core::{CustomerId, DAY_MS, OrderKey, RefundKey};

use super::*;

const NOW: Timestamp = Timestamp(1_000 * DAY_MS);

fn day(day: i64) -> Timestamp {
    Timestamp(day * DAY_MS)
}

fn sale(order: u64, at: i64, product: u32, net_minor: i64) -> LineRecord {
    LineRecord {
        product: Symbol(product),
        quantity: 1.0,
        net_minor,
        ..LineRecord::new(CustomerId(1), OrderKey(order), 1, day(at))
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
    let known_with_its_version = LineRecord {
        updated_at: Some(day(25)),
        ..at_once
    };
    assert_eq!(resolve(vec![known_with_its_version], day(24)).0, [(7, 500)]);
    assert_eq!(resolve(vec![known_with_its_version], day(25)).0, []);
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
    let known_with_its_version = LineRecord {
        ended_at: None,
        updated_at: Some(day(25)),
        ..order
    };
    assert_eq!(resolve(vec![known_with_its_version], day(24)).0, [(7, 500)]);
    assert_eq!(resolve(vec![known_with_its_version], day(25)).0, [(7, 300)]);
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
fn of_each_credit_is_told_what_was_taken_off_no_order() {
    let none_left = credit(91, 31, 9, 2.0, 300);
    let in_part = credit(1, 32, 9, 0.0, 700);
    let records = vec![
        sale(1, 10, 9, 500),
        credit(90, 30, 9, 1.0, 100),
        none_left,
        in_part,
    ];
    let mut ledger = Ledger::default();
    ledger.resolve(&sorted(records.clone()), &Products::default(), NOW);
    let unapplied: Vec<i64> = records
        .iter()
        .map(|it| ledger.unapplied_minor(it))
        .collect();
    assert_eq!(unapplied, [0, 0, 300, 300]);
    assert_eq!(ledger.oddities().unmatched_credit_minor, 600);
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

#[test]
fn a_newer_version_takes_the_returns_of_the_older_one_with_it() {
    let line = |import, line, kind, product, net_minor| LineRecord {
        import,
        line,
        kind,
        ..sale(7, 10, product, net_minor)
    };
    let older = [
        line(1, 0, RecordKind::Sale, 1, 500),
        line(1, 1, RecordKind::Sale, 2, 300),
        line(1, 2, RecordKind::Credit, 1, 500),
        line(1, 3, RecordKind::Refund, 0, 100),
    ];
    assert_eq!(resolve(older.to_vec(), NOW).0, [(7, 200)]);
    let newer = line(2, 0, RecordKind::Sale, 1, 500);
    let all = [&older[..], &[newer]].concat();
    assert_eq!(resolve(all, NOW).0, [(7, 500)]);
    // What a file of refunds says stays, whatever version of the order comes.
    let apart = LineRecord {
        line: LineRecord::FIRST_LINE_APART,
        ..line(1, 0, RecordKind::Refund, 0, 40)
    };
    let all = [&older[..], &[newer, apart]].concat();
    assert_eq!(resolve(all, NOW).0, [(7, 460)]);
    let later_refunds = line(3, 0, RecordKind::Refund, 0, 70);
    let all = [&older[..], &[newer, apart, later_refunds]].concat();
    assert_eq!(resolve(all, NOW).0, [(7, 430)]);
}

#[test]
fn a_credit_without_a_quantity_needs_an_order_with_that_much_money() {
    let orders = [sale(1, 10, 0, 10_000), sale(2, 20, 0, 2_000)];
    let credit = |minor| credit(90, 30, 0, 0.0, minor);
    let with = |minor| resolve([&orders[..], &[credit(minor)]].concat(), NOW);
    assert_eq!(with(8_000).0, [(1, 2_000), (2, 2_000)]);
    let (orders, oddities) = with(20_000);
    assert_eq!(orders, [(1, 10_000), (2, 2_000)]);
    assert_eq!(
        (oddities.unmatched_credits, oddities.unmatched_credit_minor),
        (1, 20_000)
    );
}

#[test]
fn a_credit_is_matched_with_all_lines_of_an_order() {
    let second = LineRecord {
        line: 1,
        ..sale(1, 10, 9, 200)
    };
    let records = vec![sale(1, 10, 9, 100), second, credit(90, 30, 9, 2.0, 250)];
    let (orders, oddities) = resolve(records, NOW);
    assert_eq!(orders, [], "all pieces came back");
    assert_eq!(oddities.unmatched_credits, 0);
}

#[test]
fn a_cancelled_order_takes_its_own_credit() {
    let cancelled = LineRecord {
        status: OrderStatus::Cancelled,
        ..sale(2, 20, 9, 100)
    };
    let records = vec![sale(1, 10, 9, 100), cancelled, credit(90, 30, 9, 1.0, 100)];
    let (orders, oddities) = resolve(records, NOW);
    assert_eq!(orders, [(1, 100)]);
    assert_eq!(oddities.unmatched_credits, 0);
    let refund = LineRecord {
        kind: RecordKind::Refund,
        ..sale(2, 30, 0, 100)
    };
    let (orders, oddities) = resolve(vec![sale(1, 10, 9, 100), cancelled, refund], NOW);
    assert_eq!(
        (orders, oddities.refunds_without_order),
        (vec![(1, 100)], 0)
    );
    // One that was never paid is found only by what names it.
    let unpaid = LineRecord {
        status: OrderStatus::Unpaid,
        ..cancelled
    };
    let by_product = credit(90, 30, 9, 1.0, 60);
    let records = vec![sale(1, 10, 9, 100), unpaid, by_product];
    assert_eq!(resolve(records, NOW).0, []);
    let by_name = credit(2, 30, 9, 1.0, 60);
    let records = vec![sale(1, 10, 9, 100), unpaid, by_name];
    assert_eq!(resolve(records, NOW).0, [(1, 100)]);
}

#[test]
fn a_credit_that_names_its_order_takes_from_it_first() {
    let orders = [
        LineRecord {
            quantity: 2.0,
            ..sale(1, 10, 9, 200)
        },
        sale(2, 20, 9, 300),
    ];
    let with = |back: LineRecord| resolve([&orders[..], &[back]].concat(), NOW);
    let back = LineRecord {
        import: 2,
        ..credit(1, 30, 9, 1.0, 100)
    };
    assert_eq!(with(back).0, [(1, 100), (2, 300)]);
    let more = LineRecord {
        quantity: 3.0,
        net_minor: 300,
        ..back
    };
    let (left, oddities) = with(more);
    assert_eq!(left, [], "two pieces of the first and one of the second");
    assert_eq!(oddities.unmatched_credit_minor, 0);
    let no_product = LineRecord {
        product: Symbol::NONE,
        quantity: 0.0,
        net_minor: 150,
        ..back
    };
    assert_eq!(with(no_product).0, [(1, 50), (2, 300)]);
    let too_much = LineRecord {
        net_minor: 250,
        ..no_product
    };
    let (left, oddities) = with(too_much);
    assert_eq!(left, [(2, 300)]);
    assert_eq!(
        (oddities.unmatched_credits, oddities.unmatched_credit_minor),
        (1, 50)
    );
}

#[test]
fn returned_goods_leave_costs_and_discounts() {
    let sold = LineRecord {
        quantity: 2.0,
        cost_minor: Some(1_200),
        discount_minor: Some(300),
        ..sale(1, 10, 9, 2_000)
    };
    let mut ledger = Ledger::default();
    let records = [sold, credit(90, 30, 9, 1.0, 1_000)];
    ledger.resolve(&records, &Products::default(), NOW);
    let order = ledger.orders().next().unwrap();
    assert_eq!(
        (order.net_minor, order.cost_minor, order.discount_minor),
        (1_000, Some(600), Some(150))
    );
}

#[test]
fn sums_of_huge_amounts_do_not_wrap_around() {
    let line = |line| LineRecord {
        line,
        cost_minor: Some(i64::MAX),
        discount_minor: Some(i64::MAX),
        ..sale(1, 10, 9, i64::MAX)
    };
    let records = vec![line(0), line(1), credit(90, 30, 9, 1.0, 1_000)];
    assert_eq!(resolve(records, NOW).0, [(1, i64::MAX - 1_000)]);
}

/// A few documents with few orders and products, so that versions, credits and refunds meet
/// often; an import has at most one document of an order, and one of what came back for it.
fn records() -> impl Strategy<Value = Vec<LineRecord>> {
    let document = (
        (1_u64..5, 1_u64..4, 1_i64..6, 0_usize..7),
        proptest::option::weighted(0.2, 1_i64..9),
        proptest::collection::vec((0_u32..3, 0_i64..4, 0_u32..3, 0_usize..5), 1..4),
    );
    proptest::collection::vec(document, 0..9).prop_map(|documents| {
        let mut seen = std::collections::HashSet::new();
        let mut records = Vec::new();
        for ((order, import, at, shape), updated_at, lines) in documents {
            let status = [
                OrderStatus::Placed,
                OrderStatus::Placed,
                OrderStatus::Cancelled,
                OrderStatus::Unpaid,
                OrderStatus::Refunded,
            ][lines[0].3];
            // Orders, files of returns that name an order, credit notes, and files of refunds.
            let is_order = shape < 3;
            let key = if shape == 4 { order + 100 } else { order };
            let refund = if shape > 4 { shape as u64 } else { 0 };
            if !seen.insert((key, import, is_order, refund)) {
                continue;
            }
            let first = if is_order {
                0
            } else {
                LineRecord::FIRST_LINE_APART + refund as u32 * 10
            };
            for (line, (product, hundreds, quantity, kind)) in (first..).zip(lines) {
                let sold = is_order && (line == 0 || kind < 3);
                let record = LineRecord {
                    import,
                    line,
                    refund: RefundKey(refund),
                    updated_at: updated_at.map(day),
                    quantity: f64::from(quantity),
                    ..sale(key, at, product, hundreds * 100)
                };
                records.push(match (sold, kind) {
                    (true, _) => LineRecord {
                        status,
                        quantity: record.quantity + 1.0,
                        refunded_minor: if kind == 1 { hundreds * 50 } else { 0 },
                        cost_minor: (kind != 2).then_some(hundreds * 60),
                        discount_minor: (kind != 1).then_some(hundreds * 10),
                        beside_minor: (kind == 0).then_some(hundreds * 19),
                        ..record
                    },
                    (false, _) if refund > 0 => LineRecord {
                        kind: RecordKind::Refund,
                        occurred_at: day(at + 2),
                        beside_minor: (kind < 2).then_some(0),
                        ..record
                    },
                    (false, 4) => LineRecord {
                        kind: RecordKind::Refund,
                        product: Symbol::NONE,
                        occurred_at: day(at + 2),
                        ..record
                    },
                    (false, _) => LineRecord {
                        kind: RecordKind::Credit,
                        occurred_at: day(at + 2),
                        ..record
                    },
                });
            }
        }
        // An import sells before it takes back, in one document.
        records.sort_by_key(|r| (r.import, r.order, r.kind, r.line));
        records
    })
}

/// As the store delivers records that lie in several runs.
fn delivered(mut records: Vec<LineRecord>, swaps: &[(usize, usize)]) -> Vec<LineRecord> {
    for &(a, b) in swaps {
        if a < records.len() && b < records.len() {
            records.swap(a, b);
        }
    }
    records.sort_unstable_by_key(|r| (r.occurred_at, r.order, r.import, r.line));
    records
}

/// Everything that a ledger says, as text.
fn said(records: &[LineRecord], now: Timestamp) -> String {
    let mut ledger = Ledger::default();
    ledger.resolve(records, &Products::default(), now);
    told(&ledger)
}

fn told(ledger: &Ledger) -> String {
    let mut text = String::new();
    for order in ledger.orders() {
        text.push_str(&format!("{order:?}\n"));
    }
    format!(
        "{text}{:?} {}",
        ledger.oddities(),
        ledger.refunded_elsewhere_minor()
    )
}

/// Sales of one import, as most customers have them.
fn plain_sales() -> impl Strategy<Value = Vec<LineRecord>> {
    let line = (0_i64..4, 0_u32..4, 0_i64..4, 0_u32..3);
    let order = (
        0_u64..6,
        0_i64..4,
        0_usize..4,
        0_i64..4,
        proptest::collection::vec(line, 1..4),
    );
    proptest::collection::vec(order, 0..8).prop_map(|orders| {
        let mut records = Vec::new();
        for (order, at, status, end, lines) in orders {
            for (number, (hundreds, product, refunded, told)) in (0..).zip(lines) {
                records.push(LineRecord {
                    line: number,
                    status: [
                        OrderStatus::Placed,
                        OrderStatus::Cancelled,
                        OrderStatus::Refunded,
                        OrderStatus::Unpaid,
                    ][status],
                    ended_at: (end > 0).then(|| day(at + end)),
                    refunded_minor: refunded * 50,
                    quantity: f64::from(told),
                    category: Symbol(told),
                    brand: Symbol(2 - told),
                    channel: Symbol(number % 2),
                    country: Symbol(told),
                    cost_minor: (told < 2).then_some(hundreds * 60),
                    discount_minor: (told > 0).then_some(hundreds * 10),
                    ..sale(order, at, product, hundreds * 100)
                });
            }
        }
        records
    })
}

fn some_products() -> Products {
    let mut products = Products::default();
    for product in 1..3 {
        let known = Product {
            category: Some(Symbol(product + 4)),
            brand: (product == 2).then_some(Symbol(9)),
            unit_cost_minor: Some(45),
        };
        products.insert(Symbol(product), known);
    }
    products
}

proptest! {
    #[test]
    fn the_short_way_comes_to_the_same(records in plain_sales(), now in 0_i64..8) {
        let (records, now) = (sorted(records), day(now));
        let products = some_products();
        let (mut short, mut long) = (Ledger::default(), Ledger::default());
        prop_assert!(plain::is_plain(&records));
        short.resolve(&records, &products, now);
        long.resolve_any(seen(&records, now), &products, now);
        prop_assert_eq!(told(&short), told(&long));
    }

    #[test]
    fn it_does_as_the_definitions_say(records in records(), now in 0_i64..10) {
        let records = sorted(records);
        let mut ledger = Ledger::default();
        ledger.resolve(&records, &Products::default(), day(now));
        let orders: Vec<_> = ledger
            .orders()
            .map(|o| (o.key.0, o.net_minor, o.refunded_minor, o.cost_minor, o.discount_minor))
            .collect();
        let oddities = ledger.oddities();
        let expected = reference::resolve(&records, day(now));
        prop_assert_eq!(orders, expected.orders);
        prop_assert_eq!(oddities.unmatched_credit_minor, expected.unmatched_minor);
        prop_assert_eq!(oddities.unmatched_credits, expected.unmatched);
        prop_assert_eq!(oddities.refunds_without_order, expected.refunds_without_order);
        prop_assert_eq!(oddities.orders_not_counted, expected.not_counted);
        prop_assert_eq!(ledger.refunded_elsewhere_minor(), expected.refunded_elsewhere_minor);
    }

    #[test]
    fn nothing_depends_on_the_order_of_records(
        records in records(),
        swaps in proptest::collection::vec((0_usize..20, 0_usize..20), 1..20),
        now in 0_i64..10,
    ) {
        // Keys are hashes and symbols come as texts are met: other ones, in another order, are
        // the same orders. Times tell orders apart here, for between equal times keys decide.
        let once = records.iter().map(|r| LineRecord {
            occurred_at: Timestamp(r.occurred_at.0 + r.order.0 as i64),
            ..*r
        });
        let again = once.clone().map(|r| LineRecord {
            order: OrderKey(1_000 - r.order.0),
            product: if r.product == Symbol::NONE { r.product } else { Symbol(7 - r.product.0) },
            import: r.import * 10,
            ..r
        });
        let told = |records: Vec<LineRecord>, swaps: &[(usize, usize)], key: fn(u64) -> u64| {
            let records = delivered(records, swaps);
            let mut ledger = Ledger::default();
            ledger.resolve(&records, &Products::default(), day(now + 1));
            let orders: Vec<_> = ledger
                .orders()
                .map(|o| (key(o.key.0), o.net_minor, o.refunded_minor, o.cost_minor, o.discount_minor))
                .collect();
            (orders, ledger.oddities(), ledger.refunded_elsewhere_minor())
        };
        prop_assert_eq!(
            told(once.collect(), &[], |key| key),
            told(again.collect(), &swaps, |key| 1_000 - key)
        );
    }

    #[test]
    fn files_of_returns_may_come_with_the_orders_or_later(records in records()) {
        // The first import's orders and returns in two imports: the numbers of the others move on.
        let split: Vec<_> = records
            .iter()
            .map(|r| LineRecord { import: r.import * 2 + u64::from(r.is_apart()), ..*r })
            .collect();
        prop_assert_eq!(said(&sorted(records), NOW), said(&sorted(split), NOW));
    }

    #[test]
    fn superseded_versions_leave_no_trace(records in records()) {
        let records = sorted(records);
        let newest: Vec<LineRecord> = Ledger::newest_versions(&records, NOW)
            .into_iter()
            .flat_map(|run| records[run].to_vec())
            .collect();
        prop_assert_eq!(said(&records, NOW), said(&newest, NOW));
    }

    #[test]
    fn money_is_neither_made_nor_lost(records in records()) {
        let records = sorted(records);
        let mut ledger = Ledger::default();
        ledger.resolve_any(&records, &Products::default(), NOW);
        let held: Vec<LineRecord> = Ledger::newest_versions(&records, NOW)
            .into_iter()
            .flat_map(|run| records[run].to_vec())
            .collect();
        let sum = |of: &dyn Fn(&LineRecord) -> bool| -> i64 {
            held.iter().filter(|r| of(r)).map(|r| r.net_minor).sum()
        };
        let (counting, others): (Vec<&Entry>, Vec<&Entry>) =
            ledger.entries.iter().partition(|entry| entry.counts());
        let sold = sum(&|r| r.kind == RecordKind::Sale);
        let counted: i64 = counting.iter().map(|e| e.order.net_minor).sum();
        let refunded: i64 = counting.iter().map(|e| e.order.refunded_minor).sum();
        let elsewhere = ledger.refunded_elsewhere_minor();
        let not_counted: i64 = others
            .iter()
            .map(|e| match e.standing {
                Standing::Counts | Standing::Refunded => 0,
                Standing::Gone => e.order.net_minor,
                Standing::Unpaid | Standing::Cancelled => e.order.sold_minor(),
            })
            .sum();
        prop_assert_eq!(sold, counted + refunded + elsewhere + not_counted);
        let lines: i64 = ledger.orders().flat_map(|o| o.lines).map(|l| l.net_minor).sum();
        prop_assert_eq!(lines, counted);
        // What came back was taken off something, or is reported; files of refunds may tell what
        // their order has told, or hold tax and shipping.
        if held.iter().any(|r| r.refund != RefundKey::NONE) {
            return Ok(());
        }
        let came_back = sum(&|r| r.kind != RecordKind::Sale);
        let told: i64 = held
            .iter()
            .filter(|r| matches!(r.status, OrderStatus::Placed))
            .map(|r| r.refunded_minor)
            .sum();
        let taken: i64 = ledger.entries.iter().map(|e| e.order.refunded_minor).sum();
        prop_assert_eq!(came_back, taken - told + ledger.oddities().unmatched_credit_minor);
    }
}

fn refund(order: u64, key: u64, at: i64, minor: i64) -> LineRecord {
    LineRecord {
        kind: RecordKind::Refund,
        refund: RefundKey(key),
        line: LineRecord::FIRST_LINE_APART,
        ..sale(order, at, 0, minor)
    }
}

#[test]
fn refunds_of_files_add_up_and_each_replaces_its_own() {
    let order = sale(1, 1, 1, 1_000);
    let newer_order = LineRecord { import: 9, ..order };
    let second = LineRecord {
        import: 2,
        ..refund(1, 6, 5, 200)
    };
    let corrected = LineRecord {
        import: 3,
        ..refund(1, 5, 4, 150)
    };
    let all = vec![order, refund(1, 5, 4, 100), second, corrected, newer_order];
    assert_eq!(resolve(all.clone(), NOW).0, [(1, 650)]);
    assert_eq!(resolve(all.clone(), day(3)).0, [(1, 1_000)]);
    assert_eq!(resolve(all, day(4)).0, [(1, 850)]);
    let stray = resolve(vec![refund(1, 5, 4, 100)], NOW).1;
    assert_eq!(
        (stray.refunds_without_order, stray.unmatched_credit_minor),
        (1, 100)
    );
}

#[test]
fn a_refund_with_tax_takes_its_part_of_the_net_revenue() {
    let order = LineRecord {
        beside_minor: Some(190),
        ..sale(1, 1, 1, 1_000)
    };
    assert_eq!(
        resolve(vec![order, refund(1, 5, 4, 595)], NOW).0,
        [(1, 500)]
    );
    let net = LineRecord {
        beside_minor: Some(0),
        ..refund(1, 5, 4, 595)
    };
    assert_eq!(resolve(vec![order, net], NOW).0, [(1, 405)]);
    let (orders, oddities) = resolve(vec![order, refund(1, 5, 4, 1_190)], NOW);
    assert_eq!((orders.len(), oddities.unmatched_credits), (0, 0));
}

#[test]
fn what_the_order_tells_as_refunded_is_not_taken_off_twice() {
    let order = LineRecord {
        refunded_minor: 300,
        ..sale(1, 1, 1, 1_000)
    };
    let first = refund(1, 5, 4, 200);
    let second = refund(1, 6, 5, 250);
    assert_eq!(resolve(vec![order, first], NOW).0, [(1, 700)]);
    assert_eq!(resolve(vec![order, first, second], NOW).0, [(1, 550)]);
}

#[test]
fn a_refund_of_goods_takes_them_off_its_own_order_only() {
    let line = LineRecord {
        quantity: 2.0,
        cost_minor: Some(600),
        ..sale(1, 1, 1, 1_000)
    };
    let other = sale(2, 2, 1, 1_000);
    let back = LineRecord {
        product: Symbol(1),
        ..refund(1, 5, 4, 500)
    };
    let records = sorted(vec![line, other, back]);
    let mut ledger = Ledger::default();
    ledger.resolve(&records, &Products::default(), NOW);
    let first = ledger.orders().next().unwrap();
    assert_eq!((first.net_minor, first.cost_minor), (500, Some(300)));
    let unknown = LineRecord {
        order: OrderKey(7),
        ..back
    };
    let (orders, oddities) = resolve(vec![line, other, unknown], NOW);
    assert_eq!(orders, [(1, 1_000), (2, 1_000)]);
    assert_eq!(oddities.refunds_without_order, 1);
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

#[test]
fn every_one_of_80_000_credits_finds_its_order_at_once() {
    // Credits of two pieces pass by the 40,000 later orders of one piece each.
    let of_pieces = |range: std::ops::Range<u64>, at: i64, pieces: f64| {
        range.map(move |i| LineRecord {
            quantity: pieces,
            ..sale(i, at, 1, 100)
        })
    };
    let mut records: Vec<LineRecord> = of_pieces(0..40_000, 10, 2.0).collect();
    records.extend(of_pieces(40_000..80_000, 20, 1.0));
    records.extend((0..40_000).map(|i| credit(1_000_000 + i, 30, 1, 2.0, 100)));
    records.extend((0..40_000).map(|i| credit(2_000_000 + i, 40, 1, 0.0, 100)));
    let (orders, oddities) = resolve(records, NOW);
    assert_eq!((orders.len(), oddities.unmatched_credits), (0, 0));
}
