//! The orders of one customer as they stand, from whatever was read of them.

use std::collections::BTreeMap;

use regulars_core::{LineRecord, OrderKey, RecordKind, Symbols, Timestamp};
use regulars_profile::{Ledger, Products};

use super::{LineView, OrderView};

/// What the views of orders name that their records do not hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrderNames<'a> {
    /// What the source calls each order.
    pub(crate) orders: &'a BTreeMap<OrderKey, String>,
    /// Names of products by the source's id of them.
    pub(crate) products: &'a BTreeMap<String, Option<String>>,
    /// Texts of the records.
    pub(crate) symbols: &'a Symbols,
}

/// Orders, credits and refunds of one customer at `now`, the latest first, newest versions only;
/// and the money of credits and refunds that was taken off none.
///
/// `records` are sorted as [`Ledger::resolve`] wants them.
pub(crate) fn order_views(
    records: &[LineRecord],
    products: &Products,
    now: Timestamp,
    names: OrderNames<'_>,
) -> (Vec<(LineRecord, OrderView)>, i64) {
    let mut ledger = Ledger::default();
    ledger.resolve(records, products, now);
    let counted: BTreeMap<OrderKey, (i64, i64)> = ledger
        .orders()
        .map(|order| (order.key, (order.net_minor, order.refunded_minor)))
        .collect();
    let views = Ledger::newest_versions(records, now)
        .into_iter()
        .rev()
        .map(|range| {
            let lines = &records[range];
            let head = lines[0];
            let in_ledger = counted
                .get(&head.order)
                .filter(|_| head.kind == RecordKind::Sale);
            let told = lines.iter().map(|line| line.net_minor).sum();
            let refunded = lines.iter().map(|line| line.refunded_minor).sum();
            let (net_minor, refunded_minor) = in_ledger.copied().unwrap_or((told, refunded));
            let view = OrderView {
                order_id: names.orders.get(&head.order).cloned().unwrap_or_default(),
                occurred_at: head.occurred_at.to_string(),
                kind: head.kind,
                status: head.status,
                counts: in_ledger.is_some(),
                net_minor,
                refunded_minor,
                unapplied_minor: ledger.unapplied_minor(&head),
                lines: lines.iter().map(|line| names.line(line)).collect(),
            };
            (head, view)
        })
        .collect();
    (views, ledger.oddities().unmatched_credit_minor)
}

impl OrderNames<'_> {
    fn line(self, line: &LineRecord) -> LineView {
        let product_id = self.symbols.text(line.product).to_owned();
        LineView {
            name: self.products.get(&product_id).cloned().flatten(),
            product_id,
            quantity: line.quantity,
            net_minor: line.net_minor,
        }
    }
}
