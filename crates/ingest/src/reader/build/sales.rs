//! Amounts as reports of sales have them:
//!
//! ```text
//! gross sales − discounts − returns = net sales
//! net sales + shipping + taxes = total sales
//! ```
//!
//! Gross sales are before discounts; net and total sales have what came back off already. Here an
//! order has its amount as it was placed, after discounts, and what went back stands apart.

use super::Work;
use crate::batch::Amounts;
use crate::field::normalised;
use crate::{Field, OrderBatch};

/// Headers of net amounts that returns are taken off.
const AFTER_RETURNS: [&str; 8] = [
    "netsales",
    "netrevenue",
    "nrevenue",
    "nrevenueformatted",
    "nettoumsatz",
    "ventesnettes",
    "ventasnetas",
    "nettoomzet",
];

/// The same of amounts with shipping and taxes.
const TOTAL_AFTER_RETURNS: [&str; 4] = [
    "totalsales",
    "ventestotales",
    "ventastotales",
    "totaleomzet",
];

/// Headers of what came back without its tax and shipping, for the whole of orders: they are read
/// so only beside the other amounts of such reports, since they may count pieces as well.
pub(crate) const RETURNS: [&str; 5] = [
    "returns",
    "retours",
    "retouren",
    "rückgaben",
    "devoluciones",
];

/// Headers of amounts before discounts.
const BEFORE_DISCOUNTS: [&str; 3] = ["grosssales", "ventesbrutes", "ventasbrutas"];

/// Whether a header is one of the amounts of reports of sales.
pub(crate) fn is_of_sales(header: &str) -> bool {
    let header = normalised(header);
    let known = BEFORE_DISCOUNTS.iter().chain(&AFTER_RETURNS);
    let mut known = known.chain(&TOTAL_AFTER_RETURNS);
    known.any(|known| *known == header)
}

/// The columns of a report of sales that a batch has, of orders or of lines.
struct Sales<'b> {
    list: Option<Amounts>,
    discount: &'b Option<Amounts>,
    tax: &'b Option<Amounts>,
    shipping: &'b Option<Amounts>,
    net: &'b mut Option<Amounts>,
    total: &'b mut Option<Amounts>,
    refunded: &'b mut Option<Amounts>,
    /// Returns are off `net`, and off `total`.
    net_after: bool,
    total_after: bool,
    /// What came back is told without tax and shipping.
    refunded_is_net: bool,
}

/// Turns the amounts before discounts and after returns into those of orders as they were placed;
/// `lists` are the amounts before discounts of orders and of lines.
pub(super) fn take_sales(batch: &mut OrderBatch, work: &Work<'_>, lists: [Option<Amounts>; 2]) {
    let named = |field: Field, headers: &[&str]| {
        let header = work.info(field).map(|info| normalised(&info.name));
        header.is_some_and(|header| headers.contains(&header.as_str()))
    };
    let [of_orders, of_lines] = lists;
    let rows = batch.line.len();
    let orders = Sales {
        list: of_orders,
        discount: &batch.order_discount,
        tax: &batch.tax,
        shipping: &batch.shipping,
        net: &mut batch.order_subtotal,
        total: &mut batch.order_total,
        refunded: &mut batch.refunded,
        net_after: named(Field::OrderSubtotal, &AFTER_RETURNS),
        total_after: named(Field::OrderTotal, &TOTAL_AFTER_RETURNS),
        refunded_is_net: named(Field::Refunded, &RETURNS),
    };
    orders.take(rows);
    let lines = Sales {
        list: of_lines,
        discount: &batch.line_discount,
        tax: &batch.line_tax,
        shipping: &batch.line_shipping,
        net: &mut batch.line_total,
        total: &mut batch.line_gross,
        refunded: &mut batch.line_refunded,
        net_after: named(Field::LineTotal, &AFTER_RETURNS),
        total_after: named(Field::LineGross, &TOTAL_AFTER_RETURNS),
        refunded_is_net: named(Field::LineRefunded, &RETURNS),
    };
    lines.take(rows);
}

impl Sales<'_> {
    fn take(self, rows: usize) {
        let from_net = self.net_after && self.refunded.is_some();
        let from_total = self.total_after && self.refunded_is_net && self.net.is_none();
        if self.list.is_none() && !from_net && !from_total {
            return;
        }
        let (mut placed, mut total) = (vec![None; rows], self.total.take());
        for (row, placed) in placed.iter_mut().enumerate() {
            let at = |column: &Option<Amounts>| column.as_ref().and_then(|column| column[row]);
            let part = |column: &Option<Amounts>| at(column).unwrap_or(0).saturating_abs();
            let back = part(self.refunded);
            let own = at(self.net);
            *placed = own;
            if own.is_some() && !self.net_after {
                continue;
            }
            let of_total = |total: i64| {
                let beside = part(self.tax).saturating_add(part(self.shipping));
                total.saturating_sub(total.signum().saturating_mul(beside))
            };
            let discounted =
                |list: i64| list.saturating_sub(list.signum().saturating_mul(part(self.discount)));
            let with_returns = |after: i64| after.saturating_add(back);
            // Net sales are after discounts even where nothing tells what these were.
            let before = own
                .map(with_returns)
                .or_else(|| at(&self.list).map(discounted))
                .or_else(|| {
                    let after = at(&total).filter(|_| from_total).map(of_total);
                    after.map(with_returns)
                });
            let Some(before) = before else { continue };
            // A row of its own for what came back is a credit.
            let is_credit =
                before < back && (self.refunded_is_net || own.is_some_and(|own| own < 0));
            *placed = Some(before);
            if is_credit {
                *placed = Some(before.saturating_sub(back));
                clear(self.refunded, row);
            }
            if self.total_after && back > 0 {
                clear(&mut total, row);
            }
        }
        (*self.net, *self.total) = (Some(placed), total);
    }
}

/// Takes the amount of a row away.
fn clear(column: &mut Option<Amounts>, row: usize) {
    if let Some(column) = column {
        column[row] = None;
    }
}
