//! Last step of the ledger: goods that came back leave the costs, orders with nothing left do
//! not count.

use regulars_core::LineRecord;

use super::{Entry, Ledger, LineState, Products, Standing, cost_of, scale_minor};

impl Ledger {
    /// Puts the orders that count first, by time, and counts the others.
    pub(super) fn close(&mut self, records: &[LineRecord], products: &Products) {
        for entry in &mut self.entries {
            let lines = &self.lines[entry.lines.clone()];
            if entry.has_returns {
                keep_what_stayed(entry, lines, records, products);
            }
            match entry.standing {
                Standing::Counts if is_gone(entry, lines) => {
                    entry.standing = Standing::Gone;
                    let back = entry.refunded_minor;
                    self.refunded_elsewhere_minor =
                        self.refunded_elsewhere_minor.saturating_add(back);
                }
                Standing::Counts => continue,
                Standing::Refunded => {
                    let sold = entry.net_minor.saturating_add(entry.refunded_minor);
                    self.refunded_elsewhere_minor =
                        self.refunded_elsewhere_minor.saturating_add(sold.max(0));
                }
                Standing::Cancelled | Standing::Unpaid | Standing::Gone => {}
            }
            self.oddities.orders_not_counted += 1;
        }
        let rank = |e: &Entry| (!e.counts(), e.head.occurred_at, e.head.order);
        self.entries.sort_by_key(rank);
        self.n_counting = self.entries.partition_point(Entry::counts);
        for entry in &mut self.entries[..self.n_counting] {
            let start = self.counted.len();
            let lines = &self.lines[entry.lines.clone()];
            self.counted.extend(lines.iter().map(|state| state.line));
            entry.counted = start..self.counted.len();
        }
    }
}

/// True when all money or all goods of an order went back.
fn is_gone(entry: &Entry, lines: &[LineState]) -> bool {
    let nothing_left = entry.net_minor <= 0 && entry.refunded_minor > 0;
    let all_returned =
        !lines.is_empty() && lines.iter().all(|l| l.left <= 0.0 && l.line.quantity > 0.0);
    nothing_left || all_returned
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
        cost = cost.saturating_add(cost_of(record, products).map_or(0, kept));
        discount = discount.saturating_add(record.discount_minor.map_or(0, kept));
    }
    entry.cost_minor = entry.cost_minor.map(|_| cost);
    entry.discount_minor = entry.discount_minor.map(|_| discount);
}
