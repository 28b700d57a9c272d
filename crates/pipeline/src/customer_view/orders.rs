//! The orders of one customer as they stand, from everything that files and events say of them.

use std::collections::BTreeMap;
use std::ops::Range;

use regulars_core::{CustomerId, LineRecord, OrderKey, RecordKind, Symbols, Timestamp};
use regulars_profile::{Ledger, Products};
use regulars_store::history::{OrderRow, SymbolTable};

use super::{LineView, OrderView};
use crate::error::PipelineError;
use crate::live::orders::{self, Orders};
use crate::live::told::Told;

/// What is said of a customer's orders.
#[derive(Debug, Default)]
pub(crate) struct OrderList {
    /// What the source calls each order.
    names: BTreeMap<OrderKey, String>,
    records: Vec<LineRecord>,
}

/// Orders, credits and refunds as they stand.
#[derive(Debug)]
pub(crate) struct ListedOrders {
    /// The latest first, newest versions only; each with its first record.
    pub(crate) orders: Vec<(LineRecord, OrderView)>,
    /// Money of credits and refunds that was taken off no order, in minor units.
    pub(crate) unmatched_credit_minor: i64,
}

/// What the views of orders name that their records do not hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    /// Names of products by the source's id of them.
    pub(crate) products: &'a BTreeMap<String, Option<String>>,
    /// Texts of the records.
    pub(crate) symbols: &'a Symbols,
}

impl OrderList {
    /// Adds what files say.
    pub(crate) fn add_rows(&mut self, rows: Vec<OrderRow>) {
        for row in rows {
            self.names.insert(row.record.order, row.order_id);
            self.records.push(row.record);
        }
    }

    /// Adds what events say, once all that files say is there.
    ///
    /// # Errors
    /// When the first rate of a currency begins after the day of its order.
    pub(crate) fn add_told(
        &mut self,
        customer: CustomerId,
        told: &[&Told],
        orders: &Orders,
        table: &SymbolTable,
    ) -> Result<(), PipelineError> {
        for &told in told {
            if let Some(order) = orders::of(told, orders.currency()) {
                let name = || order.id().to_owned();
                self.names.entry(OrderKey(order.key())).or_insert_with(name);
            }
        }
        orders.add_told(customer, told, &mut self.records, table)?;
        Ok(())
    }

    /// How they stand at `now`.
    pub(crate) fn at(
        mut self,
        now: Timestamp,
        products: &Products,
        names: Names<'_>,
    ) -> ListedOrders {
        self.records
            .sort_by_key(|r| (r.occurred_at, r.order, r.import, r.line));
        let mut ledger = Ledger::default();
        ledger.resolve(&self.records, products, now);
        let counted: BTreeMap<OrderKey, (i64, i64)> = ledger
            .orders()
            .map(|order| (order.key, (order.net_minor, order.refunded_minor)))
            .collect();
        let newest = Ledger::newest_versions(&self.records, now).into_iter();
        let view = |range| self.view(range, &ledger, &counted, names);
        ListedOrders {
            orders: newest.rev().map(view).collect(),
            unmatched_credit_minor: ledger.oddities().unmatched_credit_minor,
        }
    }

    fn view(
        &self,
        range: Range<usize>,
        ledger: &Ledger,
        counted: &BTreeMap<OrderKey, (i64, i64)>,
        names: Names<'_>,
    ) -> (LineRecord, OrderView) {
        let lines = &self.records[range];
        let head = lines[0];
        let in_ledger = counted
            .get(&head.order)
            .filter(|_| head.kind == RecordKind::Sale);
        let told = lines.iter().map(|line| line.net_minor).sum();
        let refunded = lines.iter().map(|line| line.refunded_minor).sum();
        let (net_minor, refunded_minor) = in_ledger.copied().unwrap_or((told, refunded));
        let view = OrderView {
            order_id: self.names.get(&head.order).cloned().unwrap_or_default(),
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
    }
}

impl Names<'_> {
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
