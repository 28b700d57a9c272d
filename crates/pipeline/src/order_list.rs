//! The orders of one customer as they stand, from everything that files and events say of them.

use std::collections::BTreeMap;
use std::ops::Range;

use regulars_core::{CustomerId, LineRecord, OrderKey, RecordKind, Symbols, Timestamp};
use regulars_profile::{Ledger, Products};
use regulars_store::history::{OrderRow, SymbolTable};

use crate::customer_view::{LineView, OrderView};
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
pub(crate) struct Listed {
    /// The latest first, newest versions only; each with its first record.
    pub(crate) orders: Vec<(LineRecord, OrderView)>,
    /// Money of credits and refunds that was taken off no order, in minor units.
    pub(crate) unmatched_credit_minor: i64,
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

    /// How they stand at `now`; `product_name` knows what products are called.
    pub(crate) fn at(
        mut self,
        now: Timestamp,
        products: &Products,
        symbols: &Symbols,
        product_name: impl Fn(&str) -> Option<String>,
    ) -> Listed {
        self.records
            .sort_by_key(|r| (r.occurred_at, r.order, r.import, r.line));
        let mut ledger = Ledger::default();
        ledger.resolve(&self.records, products, now);
        let counted: BTreeMap<OrderKey, (i64, i64)> = ledger
            .orders()
            .map(|order| (order.key, (order.net_minor, order.refunded_minor)))
            .collect();
        let newest = Ledger::newest_versions(&self.records, now);
        let view = |range| self.view(range, &counted, symbols, &product_name);
        let mut orders: Vec<(LineRecord, OrderView)> = newest.into_iter().map(view).collect();
        orders.reverse();
        Listed {
            orders,
            unmatched_credit_minor: ledger.oddities().unmatched_credit_minor,
        }
    }

    fn view(
        &self,
        range: Range<usize>,
        counted: &BTreeMap<OrderKey, (i64, i64)>,
        symbols: &Symbols,
        product_name: &impl Fn(&str) -> Option<String>,
    ) -> (LineRecord, OrderView) {
        let (head, lines) = (self.records[range.start], &self.records[range]);
        let in_ledger = counted.get(&head.order);
        let in_ledger = in_ledger.filter(|_| head.kind == RecordKind::Sale);
        let told: i64 = lines.iter().map(|line| line.net_minor).sum();
        let refunded: i64 = lines.iter().map(|line| line.refunded_minor).sum();
        let (net_minor, refunded_minor) = in_ledger.copied().unwrap_or((told, refunded));
        let line = |line: &LineRecord| {
            let product_id = symbols.text(line.product).to_owned();
            LineView {
                name: product_name(&product_id),
                product_id,
                quantity: line.quantity,
                net_minor: line.net_minor,
            }
        };
        let view = OrderView {
            order_id: self.names.get(&head.order).cloned().unwrap_or_default(),
            occurred_at: head.occurred_at.to_string(),
            kind: head.kind,
            status: head.status,
            counts: in_ledger.is_some(),
            net_minor,
            refunded_minor,
            lines: lines.iter().map(line).collect(),
        };
        (head, view)
    }
}
