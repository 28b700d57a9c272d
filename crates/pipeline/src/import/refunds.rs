//! Files of refunds: each refund goes to the owner of the order that it names.
//!
//! ```text
//! rows ─► split by order, on disk ─► (the orders of the import are written, owners are settled)
//!      ─► assembled, order by order ─► with the owner, or with nobody ─► a run for each partition
//! ```
//!
//! Who the refund says its customer is plays no part: the order has one owner, and its refunds
//! are theirs. Refunds of orders that are not known lie with nobody
//! ([`CustomerId::NOBODY`]) until an import brings the order.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use regulars_core::{CustomerId, OrderKey, Partition, Symbol, Symbols, Timestamp};
use regulars_ingest::{Amounts, DictColumn, RefundBatch};
use regulars_store::Transaction;
use regulars_store::history::{OrderRow, decode_rows, encode_row};
use regulars_store::spill::{Spill, Spilled};
use regulars_store::vault::IdentityId;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::apart::Credits;
use super::assemble::{Frame, assemble_refunds};
use super::frame;
use super::intake::{cut, key_of_order};
use super::owners::{Followed, Refunded, Settled, page_of};
use super::rates::Rates;
use super::row::{Amount, Row};
use crate::error::PipelineError;

/// What files of refunds held, for a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RefundCounts {
    /// Rows that name an order.
    pub rows: u64,
    /// Rows that name no order, which are left out.
    pub rows_without_order: u64,
    /// Rows that their file has several times.
    pub repeated_rows: u64,
    /// Refunds, one version each.
    pub refunds: u64,
    /// Refunds that failed, were cancelled or are pending: nothing goes back for them.
    pub refunds_not_made: u64,
    /// Refunds without a date or an amount, which are left out.
    pub incomplete_refunds: u64,
    /// Refunds that the import has several times, with different contents.
    pub conflicting_versions: u64,
    /// Refunds whose order is not known yet: they wait for it.
    pub waiting_refunds: u64,
}

/// Takes batches of refunds in.
#[derive(Debug)]
pub(crate) struct RefundIntake {
    spill: Spill,
    pub(crate) counts: RefundCounts,
    orders: Refunded,
    /// How often refunds without an id were met in the file, by order and content.
    repeats: HashMap<(u64, u64), u64, FixedState>,
}

const SPILL_BUDGET_BYTES: usize = 32 << 20;

impl RefundIntake {
    pub(crate) fn new(transaction: &Transaction<'_>) -> Result<Self, PipelineError> {
        Ok(Self {
            spill: transaction.spill(SPILL_BUDGET_BYTES)?,
            counts: RefundCounts::default(),
            orders: Refunded::default(),
            repeats: HashMap::default(),
        })
    }

    /// Takes a batch in; order ids are those of `source`.
    pub(crate) fn take(
        &mut self,
        batch: &RefundBatch,
        file: u32,
        source: &str,
        symbols: &mut Symbols,
        rates: &mut Rates,
    ) -> Result<(), PipelineError> {
        let columns = Columns::of(batch, symbols, rates)?;
        let mut bytes = Vec::with_capacity(128);
        for index in 0..batch.line.len() {
            let order_id = cut(batch.order_id.get(index));
            if order_id.is_empty() {
                self.counts.rows_without_order += 1;
                continue;
            }
            let mut row = columns.row(batch, index);
            row.file = file;
            row.order_key = key_of_order(source, order_id);
            order_id.clone_into(&mut row.order_id);
            let id = batch.refund_id.as_ref().map_or("", |ids| ids.get(index));
            row.refund = match id {
                "" => self.key_of_content(&row, symbols),
                id => xxh3_64(id.as_bytes()).max(1),
            };
            self.counts.rows += 1;
            let order = OrderKey(row.order_key);
            self.orders.insert(order);
            frame::write(&row, &mut bytes);
            self.spill.append(page_of(order), &bytes)?;
        }
        Ok(())
    }

    /// Ends a file: equal refunds without an id in one file are several, in two files the same.
    pub(crate) fn end_file(&mut self) {
        self.repeats.clear();
    }

    /// The rows by order, and the orders that they name.
    pub(crate) fn finish(self) -> Result<(Spilled, Refunded, RefundCounts), PipelineError> {
        Ok((self.spill.finish()?, self.orders, self.counts))
    }

    fn key_of_content(&mut self, row: &Row, symbols: &Symbols) -> u64 {
        let mut bytes = Vec::with_capacity(160);
        bytes.push(0);
        bytes.extend_from_slice(symbols.text(row.product).as_bytes());
        bytes.push(0);
        let at = row.occurred_at.unwrap_or(Timestamp::MIN);
        bytes.extend_from_slice(&at.0.to_le_bytes());
        bytes.extend_from_slice(&row.quantity.unwrap_or(0.0).to_le_bytes());
        for amount in row.amounts {
            bytes.extend_from_slice(&amount.unwrap_or(i64::MIN).to_le_bytes());
        }
        let key = xxh3_64(&bytes);
        let nth = self.repeats.entry((row.order_key, key)).or_default();
        *nth += 1;
        bytes.extend_from_slice(&nth.to_le_bytes());
        xxh3_64(&bytes).max(1)
    }
}

/// The columns of a batch, ready to be read row by row.
struct Columns<'b> {
    products: Vec<Symbol>,
    /// By key of the currency column; the first is the file's.
    currencies: Vec<Symbol>,
    amounts: [(Amount, &'b Option<Amounts>); 8],
}

impl<'b> Columns<'b> {
    fn of(
        batch: &'b RefundBatch,
        symbols: &mut Symbols,
        rates: &mut Rates,
    ) -> Result<Self, PipelineError> {
        let texts = |column: &'b Option<DictColumn>| column.iter().flat_map(|c| &c.texts);
        let products = texts(&batch.product_id)
            .map(|text| symbols.intern(text))
            .collect();
        let file = rates.admit(batch.file_currency, symbols)?;
        let mut currencies = Vec::new();
        for code in texts(&batch.currency) {
            currencies.push(match regulars_core::Currency::new(code) {
                Ok(currency) => rates.admit(currency, symbols)?,
                Err(_) => file,
            });
        }
        if currencies.is_empty() {
            currencies.push(file);
        }
        let amounts = [
            (Amount::Refunded, &batch.refunded),
            (Amount::LineRefunded, &batch.line_refunded),
            (Amount::OrderSubtotal, &batch.net),
            (Amount::LineTotal, &batch.line_net),
            (Amount::Tax, &batch.tax),
            (Amount::LineTax, &batch.line_tax),
            (Amount::Shipping, &batch.shipping),
            (Amount::LineShipping, &batch.line_shipping),
        ];
        Ok(Self {
            products,
            currencies,
            amounts,
        })
    }

    fn row(&self, batch: &RefundBatch, index: usize) -> Row {
        let key = |column: &Option<DictColumn>| {
            let keys = column.as_ref().map(|column| &column.keys);
            keys.map_or(0, |keys| keys[index] as usize)
        };
        let currency = key(&batch.currency);
        let mut row = Row {
            occurred_at: batch.occurred_at[index],
            updated_at: batch.updated_at.as_ref().and_then(|column| column[index]),
            status: batch.status.as_ref().and_then(|column| column[index]),
            product: self
                .products
                .get(key(&batch.product_id))
                .copied()
                .unwrap_or(Symbol::NONE),
            currency: self.currencies[currency],
            currency_named: batch.currency.is_none() || currency != 0,
            quantity: batch.quantity.as_ref().and_then(|column| column[index]),
            ..Row::default()
        };
        for (which, column) in self.amounts {
            row.amounts[which as usize] = column.as_ref().and_then(|column| column[index]);
        }
        row
    }
}

/// Assembles refunds, gives each to the owner of its order, and writes them, with the credits that
/// were kept apart.
pub(crate) fn write(
    transaction: &mut Transaction<'_>,
    (rows, credits): (&Spilled, &Credits),
    (followed, settled): (&Followed, &Settled),
    (symbols, rates): (&Symbols, &Rates),
    counts: &mut RefundCounts,
) -> Result<(), PipelineError> {
    let mut by_owner = transaction.spill(SPILL_BUDGET_BYTES)?;
    let mut bytes = Vec::new();
    for page in Partition::all() {
        for row in credits.with_owners(page, (followed, settled))? {
            bytes.clear();
            encode_row(&row.record, &row.order_id, row.identity, &mut bytes);
            by_owner.append(row.record.customer.partition(), &bytes)?;
        }
        let spilled = rows.read(page)?;
        let mut rows: Vec<Row> = frame::each(&spilled).map(|framed| framed.row()).collect();
        rows.sort_by_key(|row| row.order_key);
        for same_order in rows.chunk_by_mut(|a, b| a.order_key == b.order_key) {
            let owner = followed.owner(OrderKey(same_order[0].order_key), settled);
            let nobody = (CustomerId::NOBODY, IdentityId(CustomerId::NOBODY.0));
            let (customer, identity) = owner.unwrap_or(nobody);
            let frame = Frame {
                customer,
                import: transaction.offset(),
                symbols,
                rates,
            };
            let before = counts.refunds;
            let lines = assemble_refunds(frame, identity.0, same_order, counts)?;
            if owner.is_none() {
                counts.waiting_refunds += counts.refunds - before;
            }
            bytes.clear();
            for line in &lines {
                encode_row(&line.record, &line.order_id, identity, &mut bytes);
            }
            by_owner.append(customer.partition(), &bytes)?;
        }
    }
    let by_owner = by_owner.finish()?;
    for partition in Partition::all() {
        let mut rows: Vec<OrderRow> = Vec::new();
        decode_rows(&by_owner.read(partition)?, |record, order_id, identity| {
            rows.push(OrderRow {
                record,
                order_id: order_id.to_owned(),
                identity,
            });
        })?;
        if rows.is_empty() {
            continue;
        }
        rows.sort_by_key(|row| {
            let record = &row.record;
            (
                record.customer,
                record.occurred_at,
                record.order,
                record.line,
            )
        });
        let mut run = transaction.order_run(partition)?;
        run.write(symbols, &rows)?;
        transaction.add_run(run.finish(symbols)?);
    }
    Ok(())
}
