//! Batches of orders and order lines.

use regulars_core::{Currency, OrderStatus};

use super::sales::take_sales;
use super::uci::take_extras;
use super::{Retain, Work, retain, retain_all, retain_dictionaries};
use crate::field::normalised;
use crate::reader::column::Currencies;
use crate::value::status;
use crate::{Field, OrderBatch, Reject, RowLevel, Source, TextColumn};

/// Reads the rows as orders or order lines. `carried` is the order id and the currency of the
/// row before the first, and becomes that of the last.
pub(super) fn build(
    work: &mut Work<'_>,
    lines: &[u64],
    carried: &mut (String, Option<Currency>),
) -> OrderBatch {
    let order_id = work.texts(Field::OrderId);
    let mut currencies = work.currencies();
    let currency_carried = match &order_id {
        Some(ids) if work.plan.level == RowLevel::Line => {
            carry_currency(ids, &mut currencies, carried)
        }
        Some(_) | None => Vec::new(),
    };
    let mut customer_id = work.texts(Field::CustomerId);
    if work.plan.source == Source::WooCommerce {
        // WooCommerce numbers its customers from 1; 0 is a guest.
        customer_id = customer_id.map(without_zeros);
    }
    let lists = [Field::OrderList, Field::LineList].map(|list| work.amounts(list, &currencies));
    let mut batch = OrderBatch {
        level: work.plan.level,
        file_currency: work.plan.currency,
        line: lines.to_vec(),
        credit: credits(work.plan.source, order_id.as_ref(), lines.len()),
        email: work.emails(Field::Email),
        occurred_at: work
            .instants(Field::OccurredAt)
            .unwrap_or_else(|| vec![None; lines.len()]),
        updated_at: work.instants(Field::UpdatedAt),
        ended_at: work.instants(Field::EndedAt),
        status: work.statuses(status),
        product_id: work.dictionary(Field::ProductId),
        product_name: work.dictionary(Field::ProductName),
        category: work.dictionary(Field::Category),
        brand: work.dictionary(Field::Brand),
        channel: work.dictionary(Field::Channel),
        country: work.dictionary(Field::Country),
        coupon: work.dictionary(Field::Coupon),
        quantity: work.numbers(Field::Quantity),
        unit_price: work.amounts(Field::UnitPrice, &currencies),
        line_total: work.amounts(Field::LineTotal, &currencies),
        line_gross: work.amounts(Field::LineGross, &currencies),
        line_tax: work.amounts(Field::LineTax, &currencies),
        line_shipping: work.amounts(Field::LineShipping, &currencies),
        line_refunded: work.amounts(Field::LineRefunded, &currencies),
        line_discount: work.amounts(Field::LineDiscount, &currencies),
        unit_cost: work.amounts(Field::UnitCost, &currencies),
        order_total: work.amounts(Field::OrderTotal, &currencies),
        order_subtotal: work.amounts(Field::OrderSubtotal, &currencies),
        order_discount: work.amounts(Field::OrderDiscount, &currencies),
        shipping: work.amounts(Field::Shipping, &currencies),
        tax: work.amounts(Field::Tax, &currencies),
        refunded: work.amounts(Field::Refunded, &currencies),
        currency: work.currency_column(&currencies),
        currency_carried,
        order_id,
        customer_id,
        rejected: Vec::new(),
    };
    let prices = [batch.unit_price.as_ref(), batch.unit_cost.as_ref()];
    work.bound_products(batch.quantity.as_ref(), prices);
    take_sales(&mut batch, work, lists);
    if work.plan.source == Source::UciOnlineRetail {
        take_extras(&mut batch);
    }
    if work
        .info(Field::EndedAt)
        .is_some_and(|info| names_cancellation(&info.name))
    {
        cancel_ended(&mut batch);
    }
    batch
}

/// Gives rows without a currency that of the row before, when they are of the same order; returns
/// which rows got one.
fn carry_currency(
    ids: &TextColumn,
    currencies: &mut Currencies,
    carried: &mut (String, Option<Currency>),
) -> Vec<bool> {
    let mut got = Vec::new();
    for row in 0..currencies.keys.len() {
        let id = ids.get(row);
        let same_order = !id.is_empty() && id == carried.0;
        match currencies.keys[row] {
            0 if same_order && let Some(currency) = carried.1 => {
                let known = currencies.by_key[1..]
                    .iter()
                    .position(|&known| known == currency);
                let key = known.map_or(currencies.by_key.len(), |position| position + 1);
                if known.is_none() {
                    currencies.by_key.push(currency);
                }
                currencies.keys[row] = key as u32;
                got.resize(currencies.keys.len(), false);
                got[row] = true;
            }
            0 => carried.1 = None,
            key => carried.1 = Some(currencies.by_key[key as usize]),
        }
        if !same_order {
            carried.0.clear();
            carried.0.push_str(id);
        }
    }
    got
}

fn without_zeros(ids: TextColumn) -> TextColumn {
    let mut kept = TextColumn::with_capacity(ids.len(), ids.len() * 8);
    for id in ids.iter() {
        kept.push(if id == "0" { "" } else { id });
    }
    kept
}

/// UCI Online Retail numbers its credit notes `C536379`.
fn credits(source: Source, ids: Option<&TextColumn>, rows: usize) -> Vec<bool> {
    match (source, ids) {
        (Source::UciOnlineRetail, Some(ids)) => ids
            .iter()
            .map(|id| matches!(id.as_bytes(), [b'C' | b'c', b'0'..=b'9', ..]))
            .collect(),
        (Source::UciOnlineRetail, None)
        | (Source::Shopify | Source::WooCommerce | Source::Cdnow | Source::Generic, _) => {
            vec![false; rows]
        }
    }
}

/// Whether a header speaks of cancellations; others speak of refunds, which may be in part.
fn names_cancellation(header: &str) -> bool {
    let header = normalised(header);
    ["cancel", "storn", "annul"]
        .iter()
        .any(|word| header.contains(word))
}

/// An order with a date of its cancellation is over, whatever its payment status says: it is
/// cancelled unless it was refunded.
fn cancel_ended(batch: &mut OrderBatch) {
    let Some(ended_at) = &batch.ended_at else {
        return;
    };
    let status = batch
        .status
        .get_or_insert_with(|| vec![None; ended_at.len()]);
    for (status, ended_at) in status.iter_mut().zip(ended_at) {
        if ended_at.is_some() && *status != Some(OrderStatus::Refunded) {
            *status = Some(OrderStatus::Cancelled);
        }
    }
}

impl Retain for OrderBatch {
    fn set_rejected(&mut self, rejected: Vec<Reject>) {
        self.rejected = rejected;
    }

    fn retain(&mut self, keep: &[bool]) {
        retain(&mut self.line, keep);
        retain(&mut self.credit, keep);
        if !self.currency_carried.is_empty() {
            retain(&mut self.currency_carried, keep);
        }
        retain(&mut self.occurred_at, keep);
        for column in [&mut self.order_id, &mut self.customer_id, &mut self.email] {
            column.iter_mut().for_each(|column| column.retain(keep));
        }
        retain_all(vec![&mut self.updated_at, &mut self.ended_at], keep);
        retain_all(vec![&mut self.status], keep);
        retain_all(vec![&mut self.quantity], keep);
        retain_dictionaries(
            vec![
                &mut self.product_id,
                &mut self.product_name,
                &mut self.category,
                &mut self.brand,
                &mut self.channel,
                &mut self.country,
                &mut self.currency,
                &mut self.coupon,
            ],
            keep,
        );
        retain_all(
            vec![
                &mut self.unit_price,
                &mut self.line_total,
                &mut self.line_gross,
                &mut self.line_tax,
                &mut self.line_shipping,
                &mut self.line_refunded,
                &mut self.line_discount,
                &mut self.unit_cost,
                &mut self.order_total,
                &mut self.order_subtotal,
                &mut self.order_discount,
                &mut self.shipping,
                &mut self.tax,
                &mut self.refunded,
            ],
            keep,
        );
    }
}
