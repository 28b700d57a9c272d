//! Last step of the ledger's long way: goods that came back leave the costs, orders with nothing left do
//! not count.

use regulars_core::LineRecord;

use super::{Counted, Entry, Ledger, LineState, Products, Standing, cost_of, scale_minor};

impl Ledger {
    /// Keeps the orders that count, by time, and counts the others.
    pub(super) fn close(&mut self, records: &[LineRecord], products: &Products) {
        for entry in &mut self.entries {
            let lines = &self.lines[entry.lines.clone()];
            if entry.has_returns {
                keep_what_stayed(entry, lines, records, products);
            }
            match entry.standing {
                Standing::Counts if is_gone(entry, lines) => {
                    entry.standing = Standing::Gone;
                    let back = entry.order.refunded_minor;
                    self.refunded_elsewhere_minor =
                        self.refunded_elsewhere_minor.saturating_add(back);
                }
                Standing::Counts => continue,
                Standing::Refunded => {
                    let sold = entry.order.sold_minor().max(0);
                    self.refunded_elsewhere_minor =
                        self.refunded_elsewhere_minor.saturating_add(sold);
                }
                Standing::Cancelled | Standing::Unpaid | Standing::Gone => {}
            }
            self.oddities.orders_not_counted += 1;
        }
        let of_time = |e: &Entry| (e.order.occurred_at, e.order.key);
        self.entries.sort_by_key(of_time);
        for entry in self.entries.iter().filter(|entry| entry.counts()) {
            let start = self.counted.len();
            let lines = &self.lines[entry.lines.clone()];
            self.counted.extend(lines.iter().map(|state| state.line));
            self.orders.push(Counted {
                lines: start..self.counted.len(),
                ..entry.order.clone()
            });
        }
    }
}

/// True when all money or all goods of an order went back.
fn is_gone(entry: &Entry, lines: &[LineState]) -> bool {
    let all_returned =
        !lines.is_empty() && lines.iter().all(|l| l.left <= 0.0 && l.line.quantity > 0.0);
    entry.order.is_spent() || all_returned
}

/// Costs and discounts of the goods that the customer kept: of each line in proportion to its
/// pieces.
fn keep_what_stayed(
    entry: &mut Entry,
    lines: &[LineState],
    records: &[LineRecord],
    products: &Products,
) {
    let (mut cost, mut discount) = (0_i64, 0_i64);
    for (state, record) in lines.iter().zip(&records[entry.first_record..]) {
        let kept = |minor: i64| {
            if state.left < record.quantity {
                scale_minor(minor, state.left / record.quantity)
            } else {
                minor
            }
        };
        let own_cost = cost_of(record, products.get(record.product));
        cost = cost.saturating_add(own_cost.map_or(0, kept));
        discount = discount.saturating_add(record.discount_minor.map_or(0, kept));
    }
    entry.order.cost_minor = entry.order.cost_minor.map(|_| cost);
    entry.order.discount_minor = entry.order.discount_minor.map(|_| discount);
}
