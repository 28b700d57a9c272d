//! From rows to orders: the rows of one customer become lines of order versions and credits.
//!
//! What a row says is kept as it is until here, so that the order of rows and of files changes
//! nothing. Rules, each applied to all rows of one order in one file:
//!
//! 1. A row of one order per row that names no product is a version of the order by itself, and
//!    when it says that something came back, a credit. Otherwise each row with a product, a
//!    quantity or a price is a line of one version; without any, all rows are one line.
//! 2. A line's net revenue is its total, or else its gross total less its tax and shipping, or
//!    else quantity × unit price less its discount.
//! 3. An order's net revenue is total − shipping − tax where these are known, or else its
//!    subtotal, or else its total, or else the sum of its lines less the order's discount. What
//!    that differs from the sum of all lines, returned ones included, is spread over those sold
//!    in proportion (largest remainder). An amount that nothing tells is 0, and reported.
//! 4. An amount of the order that several rows tell alike is told once; amounts that differ are
//!    parts that add up.
//! 5. Refunds that the order tells (tax and shipping included) reduce its net revenue in the
//!    proportion net : total, and never by more than it.
//! 6. A line with a negative quantity or a negative amount is a credit: the ledger takes it off
//!    an order of the same customer and product.
//! 7. Amounts are formed in the currency of the order, which rows that name none share, and
//!    then converted, each once.
//! 8. The same order several times in one import: the version made last; between equals the
//!    one further on its way (cancelled, refunded, placed, unpaid), then the one with more
//!    refunded, more lines, more revenue. Files that only tell what came back for an order stand
//!    beside those that hold its lines.

mod amounts;
mod refund;
mod version;

use regulars_core::{CustomerId, LineRecord, Symbols, Timestamp};

use serde::Serialize;

pub(crate) use refund::assemble_refunds;
use version::Version;

use super::rates::Rates;
use super::row::{Amount, Row};
use crate::error::PipelineError;

/// An assembled record, with what the history keeps beside it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assembled {
    pub(crate) record: LineRecord,
    pub(crate) identity: u64,
    pub(crate) order_id: String,
}

/// What assembling met that a report names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OrderCounts {
    /// Orders of this import, one version each.
    pub orders: u64,
    /// Credit notes.
    pub credits: u64,
    /// Orders none of whose rows has a date.
    pub orders_without_date: u64,
    /// Orders of which neither the whole nor some line has an amount: it counts as 0.
    pub orders_without_amount: u64,
    /// Orders that the import has several times, with different contents.
    pub conflicting_versions: u64,
    /// Orders that the import has several times, all alike.
    pub repeated_orders: u64,
    /// Orders that were stored just so already.
    pub unchanged_orders: u64,
    /// Orders that versions of this import and of earlier ones give to different customers; the
    /// newest version decides.
    pub reassigned_orders: u64,
}

impl OrderCounts {
    pub(crate) fn add(&mut self, other: Self) {
        self.orders += other.orders;
        self.credits += other.credits;
        self.orders_without_date += other.orders_without_date;
        self.orders_without_amount += other.orders_without_amount;
        self.conflicting_versions += other.conflicting_versions;
        self.repeated_orders += other.repeated_orders;
        self.unchanged_orders += other.unchanged_orders;
        self.reassigned_orders += other.reassigned_orders;
    }
}

/// What assembling needs to know besides the rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) customer: CustomerId,
    /// Offset of the import in the log.
    pub(crate) import: u64,
    pub(crate) symbols: &'a Symbols,
    pub(crate) rates: &'a Rates,
}

/// Assembles all rows of one customer; `rows` in any order.
///
/// The result is sorted by (`occurred_at`, order, line). Every order key with a date becomes
/// records; the others are counted.
///
/// # Errors
/// When an amount has no rate into the workspace's currency on its day.
pub(crate) fn assemble(
    frame: Frame<'_>,
    rows: &mut [Row],
    counts: &mut OrderCounts,
) -> Result<Vec<Assembled>, PipelineError> {
    number_repeats(rows, frame.symbols);
    rows.sort_by(|a, b| {
        (a.order_key, a.file)
            .cmp(&(b.order_key, b.file))
            .then_with(|| content(a, b, frame.symbols))
    });
    let mut out = Vec::with_capacity(rows.len());
    for same_order in rows.chunk_by_mut(|a, b| a.order_key == b.order_key) {
        let Some(placed_at) = same_order.iter().filter_map(|row| row.occurred_at).min() else {
            counts.orders_without_date += 1;
            continue;
        };
        let mut documents = Vec::with_capacity(1);
        let mut apart = Vec::new();
        for rows in same_order.chunk_by_mut(|a, b| a.file == b.file) {
            if frame.rates.in_use() {
                frame.rates.share_currency(rows, frame.symbols);
            }
            for version in versions(frame, rows, placed_at, counts)? {
                let kind = if version.sells() {
                    &mut documents
                } else {
                    &mut apart
                };
                kind.push(version);
            }
        }
        if let Some(document) = newest(documents, frame.symbols, counts) {
            counts.orders += 1;
            counts.orders_without_amount += u64::from(document.lacks_amount);
            out.extend(document.lines);
        }
        if let Some(returns) = newest(apart, frame.symbols, counts) {
            counts.credits += 1;
            out.extend(returns.lines.into_iter().map(|mut line| {
                line.record.line += LineRecord::FIRST_LINE_APART;
                line
            }));
        }
    }
    out.sort_by_key(|a| {
        (
            a.record.occurred_at,
            a.record.order,
            a.record.kind,
            a.record.line,
        )
    });
    Ok(out)
}

/// The versions of an order that its rows in one file are: several when each row is the order
/// as a whole.
fn versions(
    frame: Frame<'_>,
    rows: &[Row],
    placed_at: Timestamp,
    counts: &mut OrderCounts,
) -> Result<Vec<Version>, PipelineError> {
    if rows.len() == 1 || !rows.iter().all(version::is_by_itself) {
        return Ok(vec![Version::of(frame, rows, placed_at)?]);
    }
    let mut versions = Vec::with_capacity(rows.len());
    let mut returned: Vec<Row> = Vec::new();
    for row in rows {
        if !version::is_return(row) {
            let row = std::slice::from_ref(row);
            versions.push(Version::of(frame, row, placed_at)?);
        } else if returned.last() == Some(row) {
            counts.repeated_orders += 1;
        } else {
            returned.push(row.clone());
        }
    }
    if !returned.is_empty() {
        versions.push(Version::of(frame, &returned, placed_at)?);
    }
    Ok(versions)
}

/// The version that holds, by rank and then by content; several are counted.
fn newest(
    mut versions: Vec<Version>,
    symbols: &Symbols,
    counts: &mut OrderCounts,
) -> Option<Version> {
    if versions.len() > 1 {
        versions.sort_by(|a, b| b.rank().cmp(&a.rank()).then_with(|| a.content(b, symbols)));
        if versions.iter().all(|v| v.lines == versions[0].lines) {
            counts.repeated_orders += 1;
        } else {
            counts.conflicting_versions += 1;
        }
    }
    versions.into_iter().next()
}

/// Gives rows without an order id, which are keyed by their content, different keys when the
/// same content occurs several times in one file: the second is a second order.
fn number_repeats(rows: &mut [Row], symbols: &Symbols) {
    rows.sort_by(|a, b| {
        (a.file, a.order_key)
            .cmp(&(b.file, b.order_key))
            .then_with(|| content(a, b, symbols))
    });
    for same in rows.chunk_by_mut(|a, b| (a.file, a.order_key) == (b.file, b.order_key)) {
        if !same[0].order_id.is_empty() {
            continue;
        }
        for (position, row) in same.iter_mut().enumerate() {
            let nth = position as u64;
            row.order_key = row
                .order_key
                .wrapping_add(nth.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
    }
}

/// An order that depends on what rows say, never on where they stand.
fn content(a: &Row, b: &Row, symbols: &Symbols) -> std::cmp::Ordering {
    let text = |symbol| symbols.text(symbol);
    let quantity = |row: &Row| row.quantity.unwrap_or(f64::NEG_INFINITY);
    text(a.product)
        .cmp(text(b.product))
        .then_with(|| quantity(a).total_cmp(&quantity(b)))
        .then_with(|| a.amounts.cmp(&b.amounts))
        .then_with(|| a.occurred_at.cmp(&b.occurred_at))
        .then_with(|| a.status.cmp(&b.status))
        .then_with(|| (a.updated_at, a.ended_at).cmp(&(b.updated_at, b.ended_at)))
        .then_with(|| text(a.category).cmp(text(b.category)))
        .then_with(|| text(a.brand).cmp(text(b.brand)))
        .then_with(|| text(a.channel).cmp(text(b.channel)))
        .then_with(|| text(a.country).cmp(text(b.country)))
        .then_with(|| {
            (a.currency_named, text(a.currency)).cmp(&(b.currency_named, text(b.currency)))
        })
        .then_with(|| (a.credit, a.whole_order).cmp(&(b.credit, b.whole_order)))
}

#[cfg(test)]
mod tests;
