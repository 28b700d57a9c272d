//! The ledger once more, straight from the definitions: slow, and nothing shared with it.

use std::collections::BTreeSet;

use regulars_core::{LineRecord, OrderStatus, RecordKind, RefundKey, Symbol, Timestamp};

/// Key, net revenue, refunds, cost, discount of an order.
pub(super) type Told = (u64, i64, i64, Option<i64>, Option<i64>);

/// What the orders of a customer come to.
#[derive(Debug, Default)]
pub(super) struct Expected {
    pub(super) orders: Vec<Told>,
    pub(super) unmatched: u64,
    pub(super) unmatched_minor: i64,
    pub(super) refunds_without_order: u64,
    pub(super) not_counted: u64,
    pub(super) refunded_elsewhere_minor: i64,
}

struct Sold {
    record: LineRecord,
    pieces: f64,
    minor: i64,
}

struct Order {
    key: u64,
    at: Timestamp,
    status: OrderStatus,
    over: bool,
    lines: Vec<Sold>,
    refunded: i64,
    /// Refunded, as the order tells it.
    told: i64,
    /// Refunds that hold tax and shipping, and the net revenue in them.
    gross_back: i64,
    net_back: i64,
}

pub(super) fn resolve(records: &[LineRecord], now: Timestamp) -> Expected {
    let known: Vec<LineRecord> = records
        .iter()
        .copied()
        .filter(|r| r.occurred_at <= now)
        .collect();
    let held: Vec<LineRecord> = known.iter().copied().filter(|r| holds(r, &known)).collect();
    let mut expected = Expected::default();
    let mut orders = orders(&held, now);
    let mut returns: Vec<&LineRecord> =
        held.iter().filter(|r| r.kind != RecordKind::Sale).collect();
    let named = |r: &LineRecord| {
        held.iter()
            .any(|s| s.kind == RecordKind::Sale && s.order == r.order)
    };
    returns.sort_by_key(|r| (r.occurred_at, !named(r), r.order, r.kind, r.refund, r.line));
    for back in returns {
        give_back(back, &mut orders, &mut expected);
    }
    orders.sort_by_key(|o| (o.at, o.key));
    for order in orders {
        finish(order, &mut expected);
    }
    expected
}

/// A document of an order sells something of it; the newest one holds with all that it says.
/// What came back in other documents holds beside it, the newest of each kind; of files of
/// refunds, the newest of each refund.
fn holds(record: &LineRecord, known: &[LineRecord]) -> bool {
    let is_document = |r: &LineRecord| {
        let sells = |s: &&LineRecord| {
            s.kind == RecordKind::Sale && (s.order, s.import) == (r.order, r.import)
        };
        r.line < LineRecord::FIRST_LINE_APART && known.iter().any(|s| sells(&s))
    };
    let rivals: Vec<&LineRecord> = known
        .iter()
        .filter(|r| r.order == record.order && r.refund == record.refund)
        .filter(|r| is_document(r) == is_document(record))
        .filter(|r| {
            if is_document(record) {
                r.kind == RecordKind::Sale
            } else {
                r.kind == record.kind
            }
        })
        .collect();
    // The last made of those that say when, against the last imported of those that do not.
    let last_made = rivals
        .iter()
        .filter(|r| r.updated_at.is_some())
        .max_by_key(|r| (r.updated_at, r.import))
        .map(|r| r.import);
    let last_untold = rivals
        .iter()
        .filter(|r| r.updated_at.is_none())
        .map(|r| r.import)
        .max();
    last_made.max(last_untold) == Some(record.import)
}

fn orders(held: &[LineRecord], now: Timestamp) -> Vec<Order> {
    let sales: Vec<&LineRecord> = held.iter().filter(|r| r.kind == RecordKind::Sale).collect();
    let keys: BTreeSet<u64> = sales.iter().map(|r| r.order.0).collect();
    let order = |key: u64| {
        let lines: Vec<&LineRecord> = sales.iter().copied().filter(|r| r.order.0 == key).collect();
        let head = lines[0];
        let over = head
            .ended_at
            .or(head.updated_at)
            .unwrap_or(head.occurred_at)
            <= now;
        let tells = over && head.status == OrderStatus::Placed;
        let refunded = |r: &LineRecord| if tells { r.refunded_minor } else { 0 };
        Order {
            key,
            at: head.occurred_at,
            status: head.status,
            over,
            refunded: lines.iter().map(|r| refunded(r)).sum(),
            told: lines.iter().map(|r| refunded(r)).sum(),
            gross_back: 0,
            net_back: 0,
            lines: lines
                .into_iter()
                .map(|r| Sold {
                    record: *r,
                    pieces: r.quantity,
                    minor: r.net_minor - refunded(r),
                })
                .collect(),
        }
    };
    keys.into_iter().map(order).collect()
}

fn give_back(back: &LineRecord, orders: &mut [Order], expected: &mut Expected) {
    let own = orders.iter().position(|o| o.key == back.order.0);
    let mut minor = back.net_minor;
    if let Some(own) = own
        && back.refund != RefundKey::NONE
    {
        minor = part_not_told(back, &mut orders[own]);
        let mut pieces = back.quantity;
        for product in [back.product, Symbol::NONE] {
            if back.product != Symbol::NONE {
                let there = pieces_of(&orders[own], product).min(pieces);
                minor -= take(&mut orders[own], product, there, minor);
                pieces -= there;
            }
        }
    }
    if let Some(own) = own
        && (back.kind == RecordKind::Refund || back.product == Symbol::NONE)
    {
        for line in 0..orders[own].lines.len() {
            minor -= take_minor(&mut orders[own], line, minor);
        }
        if minor > 0 {
            expected.unmatched += 1;
            expected.unmatched_minor += minor;
        }
        return;
    }
    if back.kind == RecordKind::Refund {
        expected.refunds_without_order += u64::from(back.net_minor != 0);
        expected.unmatched_minor += minor;
        return;
    }
    let mut pieces = back.quantity;
    let by_pieces = pieces > 0.0;
    let mut lost = 0;
    if let Some(own) = own {
        for product in [back.product, Symbol::NONE] {
            let there = pieces_of(&orders[own], product).min(pieces);
            let part = match (by_pieces, there >= pieces) {
                (true, false) => (minor as f64 * there / pieces).round_ties_even() as i64,
                (true, true) | (false, _) => minor,
            };
            if orders[own]
                .lines
                .iter()
                .all(|l| l.record.product != product)
            {
                continue;
            }
            let taken = take(&mut orders[own], product, there, part);
            pieces -= there;
            let settled = if by_pieces { part } else { taken };
            lost += settled - taken;
            minor -= settled;
        }
    }
    let wanted = if by_pieces { pieces > 0.0 } else { minor > 0 };
    let mut missing = wanted;
    if wanted {
        let mut earlier: Vec<usize> = (0..orders.len())
            .filter(|&i| orders[i].at <= back.occurred_at)
            .filter(|&i| orders[i].status != OrderStatus::Unpaid)
            .filter(|&i| {
                if by_pieces {
                    pieces_of(&orders[i], back.product) >= pieces
                } else {
                    minor_of(&orders[i], back.product) >= minor
                }
            })
            .collect();
        earlier.sort_by_key(|&i| (orders[i].at, orders[i].key));
        if let Some(&latest) = earlier.last() {
            minor -= take(&mut orders[latest], back.product, pieces, minor);
            missing = false;
        }
    }
    if missing || lost + minor > 0 {
        expected.unmatched += 1;
        expected.unmatched_minor += lost + minor;
    }
}

/// Net revenue in a refund, without what the order has told already.
fn part_not_told(back: &LineRecord, order: &mut Order) -> i64 {
    let mut net = back.net_minor;
    if back.beside_minor.is_none() {
        order.gross_back += net;
        let sold: i64 = order.lines.iter().map(|l| l.record.net_minor).sum();
        let beside: i64 = order
            .lines
            .iter()
            .filter_map(|l| l.record.beside_minor)
            .sum();
        let paid = sold + beside;
        let all = if beside == 0 || sold <= 0 || order.gross_back >= paid {
            order.gross_back - if sold > 0 { beside } else { 0 }
        } else {
            (order.gross_back as f64 * sold as f64 / paid as f64).round() as i64
        };
        net = all - order.net_back;
        order.net_back = all;
    }
    let told = net.min(order.told);
    order.told -= told;
    net - told
}

fn pieces_of(order: &Order, product: Symbol) -> f64 {
    let of_product = order.lines.iter().filter(|l| l.record.product == product);
    of_product.map(|l| l.pieces).sum()
}

fn minor_of(order: &Order, product: Symbol) -> i64 {
    let of_product = order.lines.iter().filter(|l| l.record.product == product);
    of_product.map(|l| l.minor.max(0)).sum()
}

fn take_minor(order: &mut Order, line: usize, minor: i64) -> i64 {
    let taken = minor.min(order.lines[line].minor.max(0));
    order.lines[line].minor -= taken;
    order.refunded += taken;
    taken
}

fn take(order: &mut Order, product: Symbol, mut pieces: f64, minor: i64) -> i64 {
    let mut rest = minor;
    for line in 0..order.lines.len() {
        if order.lines[line].record.product == product {
            let some = pieces.min(order.lines[line].pieces);
            order.lines[line].pieces -= some;
            pieces -= some;
            rest -= take_minor(order, line, rest);
        }
    }
    minor - rest
}

fn finish(order: Order, expected: &mut Expected) {
    let net: i64 = order.lines.iter().map(|l| l.minor).sum();
    let told: i64 = order.lines.iter().map(|l| l.record.net_minor).sum();
    let placed = match order.status {
        OrderStatus::Placed => true,
        OrderStatus::Unpaid => false,
        OrderStatus::Cancelled | OrderStatus::Refunded => !order.over,
    };
    let returned = order.lines.iter().all(|l| l.pieces == 0.0);
    let gone = returned || (net <= 0 && order.refunded > 0);
    if !placed || gone {
        expected.not_counted += 1;
        expected.refunded_elsewhere_minor += match (placed, order.status) {
            (true, _) => order.refunded,
            (false, OrderStatus::Refunded) => told,
            (false, _) => 0,
        };
        return;
    }
    let kept = |l: &Sold, minor: i64| {
        (minor as f64 * (l.pieces / l.record.quantity)).round_ties_even() as i64
    };
    let cost: Option<i64> = order
        .lines
        .iter()
        .map(|l| Some(kept(l, l.record.cost_minor?)))
        .sum();
    let discounts: Vec<i64> = order
        .lines
        .iter()
        .filter_map(|l| Some(kept(l, l.record.discount_minor?)))
        .collect();
    let discount = (!discounts.is_empty()).then(|| discounts.iter().sum());
    expected
        .orders
        .push((order.key, net, order.refunded, cost, discount));
}
