//! Batches of refunds.

use super::{Retain, Work, retain, retain_all, retain_dictionaries, texts};
use crate::reader::column::Cleaning;
use crate::value::refund_status;
use crate::{Field, RefundBatch, Reject};

/// Reads the rows as refunds or lines of them.
pub(super) fn build(work: &mut Work<'_>, lines: &[u64]) -> RefundBatch {
    let currencies = work.currencies();
    let no_ids = || texts(crate::rows::Column::Absent(lines.len()), Cleaning::Id);
    RefundBatch {
        file_currency: work.plan.currency,
        line: lines.to_vec(),
        refund_id: work.texts(Field::RefundId),
        order_id: work.texts(Field::OrderId).unwrap_or_else(no_ids),
        occurred_at: work
            .instants(Field::OccurredAt)
            .unwrap_or_else(|| vec![None; lines.len()]),
        updated_at: work.instants(Field::UpdatedAt),
        status: work.statuses(refund_status),
        product_id: work.dictionary(Field::ProductId),
        quantity: work.numbers(Field::Quantity),
        refunded: work.amounts(Field::Refunded, &currencies),
        line_refunded: work.amounts(Field::LineRefunded, &currencies),
        net: work.amounts(Field::RefundNet, &currencies),
        line_net: work.amounts(Field::LineTotal, &currencies),
        tax: work.amounts(Field::RefundTax, &currencies),
        line_tax: work.amounts(Field::LineTax, &currencies),
        shipping: work.amounts(Field::RefundShipping, &currencies),
        line_shipping: work.amounts(Field::LineShipping, &currencies),
        currency: work.currency_column(&currencies),
        rejected: Vec::new(),
    }
}

impl Retain for RefundBatch {
    fn set_rejected(&mut self, rejected: Vec<Reject>) {
        self.rejected = rejected;
    }

    fn retain(&mut self, keep: &[bool]) {
        retain(&mut self.line, keep);
        retain(&mut self.occurred_at, keep);
        self.order_id.retain(keep);
        self.refund_id
            .iter_mut()
            .for_each(|column| column.retain(keep));
        retain_all(vec![&mut self.updated_at], keep);
        retain_all(vec![&mut self.status], keep);
        retain_all(vec![&mut self.quantity], keep);
        retain_dictionaries(vec![&mut self.product_id, &mut self.currency], keep);
        retain_all(
            vec![
                &mut self.refunded,
                &mut self.line_refunded,
                &mut self.net,
                &mut self.line_net,
                &mut self.tax,
                &mut self.line_tax,
                &mut self.shipping,
                &mut self.line_shipping,
            ],
            keep,
        );
    }
}
