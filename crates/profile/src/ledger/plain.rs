//! The short way through the ledger for nearly all customers: records of one import that are all
//! sales.
//!
//! Such records hold one version of each order, and nothing goes back but what the orders
//! themselves tell. The result is the same as that of the long way; a test compares the two.

use regulars_core::{LineRecord, OrderLine, RecordKind, RefundKey, Timestamp};

use super::{Counted, Ledger, Products, Standing, add_known, cost_of, line_of};

/// True for records that can go the short way.
pub(super) fn is_plain(records: &[LineRecord]) -> bool {
    let Some(first) = records.first() else {
        return true;
    };
    records.iter().all(|record| {
        record.import == first.import
            && record.kind == RecordKind::Sale
            && record.refund == RefundKey::NONE
            && !record.is_apart()
    })
}

impl Ledger {
    /// Takes records for which [`is_plain`] is true.
    pub(super) fn resolve_plain(
        &mut self,
        records: &[LineRecord],
        products: &Products,
        now: Timestamp,
    ) {
        let mut rest = records;
        while let Some(head) = rest.first() {
            let same = |r: &&LineRecord| r.order == head.order && r.occurred_at == head.occurred_at;
            let count = rest.iter().take_while(same).count();
            let (order, later) = rest.split_at(count);
            self.plain_order(order, products, now);
            rest = later;
        }
    }

    fn plain_order(&mut self, records: &[LineRecord], products: &Products, now: Timestamp) {
        let head = &records[0];
        let (standing, ended) = Standing::of(head, now);
        let tells_refunds = ended && standing == Standing::Counts;
        let first_line = self.counted.len();
        let mut order = Counted::new(head);
        for record in records {
            let product = products.get(record.product);
            let refunded = if tells_refunds {
                record.refunded_minor
            } else {
                0
            };
            let net_minor = record.net_minor.saturating_sub(refunded);
            order.net_minor = order.net_minor.saturating_add(net_minor);
            order.refunded_minor = order.refunded_minor.saturating_add(refunded);
            order.quantity += record.quantity;
            order.discount_minor = add_known(order.discount_minor, record.discount_minor);
            order.cost_minor = order
                .cost_minor
                .zip(cost_of(record, product))
                .map(|(sum, cost)| sum.saturating_add(cost));
            self.counted.push(OrderLine {
                net_minor,
                ..line_of(record, product)
            });
        }
        let back_minor = match standing {
            Standing::Counts if !order.is_spent() => {
                order.lines = first_line..self.counted.len();
                self.orders.push(order);
                return;
            }
            Standing::Counts => order.refunded_minor,
            Standing::Refunded => order.sold_minor().max(0),
            Standing::Cancelled | Standing::Unpaid | Standing::Gone => 0,
        };
        self.counted.truncate(first_line);
        self.refunded_elsewhere_minor = self.refunded_elsewhere_minor.saturating_add(back_minor);
        self.oddities.orders_not_counted += 1;
    }
}
