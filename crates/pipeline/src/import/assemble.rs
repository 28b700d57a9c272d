//! From rows to orders: the rows of one customer become lines of order versions and credits.
//!
//! What a row says is kept as it is until here, so that the order of rows and of files changes
//! nothing. Rules, each applied to all rows of one order in one file:
//!
//! 1. A row of one order per row is an order with one line; otherwise each row with a product, a
//!    quantity or a price is a line.
//! 2. A line's net revenue is its total, or else quantity × unit price less its discount.
//! 3. An order's net revenue is total − shipping − tax, or else its subtotal, or else the sum of
//!    its lines less the order's discount. What that differs from the sum of the lines is spread
//!    over them in proportion (largest remainder).
//! 4. Refunds that the order tells (tax and shipping included) reduce its net revenue in the
//!    proportion net : total, and never by more than it.
//! 5. A line with a negative quantity or a negative amount is a credit: the ledger takes it off
//!    an order of the same customer and product.
//! 6. The same order in several files of one import: the version made last; between equals the
//!    one further on its way (cancelled, refunded, placed, unpaid), then the one with more
//!    refunded, more lines, more revenue.

use std::cmp::Reverse;

use regulars_core::{
    CustomerId, LineRecord, OrderKey, OrderStatus, RecordKind, Symbol, Symbols, Timestamp,
};

use serde::Serialize;

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
    /// Orders that several files of the import have, with different contents.
    pub conflicting_versions: u64,
    /// Orders that several files of the import have alike.
    pub repeated_orders: u64,
    /// Orders that versions of this import and of earlier ones give to different customers; the
    /// newest version decides.
    pub reassigned_orders: u64,
}

impl OrderCounts {
    pub(crate) fn add(&mut self, other: Self) {
        self.orders += other.orders;
        self.credits += other.credits;
        self.orders_without_date += other.orders_without_date;
        self.conflicting_versions += other.conflicting_versions;
        self.repeated_orders += other.repeated_orders;
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
/// The result is sorted by (`occurred_at`, order, line).
///
/// # Errors
/// When an amount has no rate into the workspace's currency on its day.
pub(crate) fn assemble(
    frame: Frame<'_>,
    rows: &mut [Row],
    counts: &mut OrderCounts,
) -> Result<Vec<Assembled>, PipelineError> {
    number_repeats(rows, frame.symbols);
    if frame.rates.in_use() {
        convert(frame.rates, rows)?;
    }
    rows.sort_by(|a, b| {
        (a.order_key, a.file)
            .cmp(&(b.order_key, b.file))
            .then_with(|| content(a, b, frame.symbols))
    });
    let mut out = Vec::with_capacity(rows.len());
    for same_order in rows.chunk_by(|a, b| a.order_key == b.order_key) {
        let mut versions: Vec<Version> = same_order
            .chunk_by(|a, b| a.file == b.file)
            .filter_map(|rows| version(frame, rows, counts))
            .collect();
        let copies = versions.len();
        versions.sort_by(|a, b| {
            b.rank()
                .cmp(&a.rank())
                .then_with(|| a.content(b, frame.symbols))
        });
        let Some(newest) = versions.first() else {
            continue;
        };
        if copies > 1 {
            if versions.iter().all(|v| v.lines == newest.lines) {
                counts.repeated_orders += 1;
            } else {
                counts.conflicting_versions += 1;
            }
        }
        let newest = versions.swap_remove(0);
        counts.orders += u64::from(
            newest
                .lines
                .iter()
                .any(|l| l.record.kind == RecordKind::Sale),
        );
        counts.credits += u64::from(
            newest
                .lines
                .iter()
                .all(|l| l.record.kind == RecordKind::Credit),
        );
        out.extend(newest.lines);
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

/// Converts amounts of other currencies at the rate of their order's day.
fn convert(rates: &Rates, rows: &mut [Row]) -> Result<(), PipelineError> {
    rows.sort_by_key(|row| row.order_key);
    for same_order in rows.chunk_by_mut(|a, b| a.order_key == b.order_key) {
        let placed_at = same_order.iter().filter_map(|row| row.occurred_at).min();
        for row in same_order {
            rates.convert(row, placed_at.unwrap_or(Timestamp::MIN))?;
        }
    }
    Ok(())
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
}

/// One version of one order.
struct Version {
    lines: Vec<Assembled>,
    refunded_minor: i64,
    net_minor: i64,
}

impl Version {
    fn rank(&self) -> (Option<Timestamp>, OrderStatus, i64, usize, i64) {
        let head = &self.lines[0].record;
        (
            head.updated_at,
            head.status,
            self.refunded_minor,
            self.lines.len(),
            self.net_minor,
        )
    }

    /// An order between versions of equal rank that depends on what they say.
    fn content(&self, other: &Self, symbols: &Symbols) -> std::cmp::Ordering {
        let line = |a: &LineRecord, b: &LineRecord| {
            let text = |symbol| symbols.text(symbol);
            let plain = |r: &LineRecord| {
                (
                    r.occurred_at,
                    r.ended_at,
                    r.kind,
                    r.net_minor,
                    r.refunded_minor,
                )
            };
            let told = |r: &LineRecord| (r.discount_minor, r.cost_minor);
            (plain(a), told(a))
                .cmp(&(plain(b), told(b)))
                .then_with(|| a.quantity.total_cmp(&b.quantity))
                .then_with(|| text(a.product).cmp(text(b.product)))
                .then_with(|| text(a.category).cmp(text(b.category)))
                .then_with(|| text(a.brand).cmp(text(b.brand)))
                .then_with(|| text(a.channel).cmp(text(b.channel)))
                .then_with(|| text(a.country).cmp(text(b.country)))
        };
        let pairs = self.lines.iter().zip(&other.lines);
        pairs
            .map(|(a, b)| line(&a.record, &b.record))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| self.lines.len().cmp(&other.lines.len()))
    }
}

/// What the rows of one order in one file say together; `None` when none of them has a date.
fn version(frame: Frame<'_>, rows: &[Row], counts: &mut OrderCounts) -> Option<Version> {
    let Some(placed_at) = rows.iter().filter_map(|row| row.occurred_at).min() else {
        counts.orders_without_date += 1;
        return None;
    };
    let head = Head::of(frame, rows, placed_at);
    let (sold, returned): (Vec<&Row>, Vec<&Row>) = rows
        .iter()
        .filter(|row| is_line(row) || rows.len() == 1)
        .partition(|row| !is_return(row));
    let mut lines = Vec::with_capacity(rows.len());
    let net_minor = sales(&head, rows, &sold, &mut lines);
    for row in returned {
        let kind = match row.product {
            // Money back that names no product can only be meant for its own order.
            Symbol::NONE if !sold.is_empty() => RecordKind::Refund,
            _ => RecordKind::Credit,
        };
        lines.push(head.back(kind, row));
    }
    for (position, line) in lines.iter_mut().enumerate() {
        line.record.line = position as u32;
    }
    (!lines.is_empty()).then_some(Version {
        lines,
        refunded_minor: head.refunded_minor,
        net_minor,
    })
}

/// True when the row is a line and not only the head of an order.
fn is_line(row: &Row) -> bool {
    row.product != Symbol::NONE
        || row.quantity.is_some()
        || row.amount(Amount::UnitPrice).is_some()
        || row.amount(Amount::LineTotal).is_some()
}

/// True when the row says that something came back.
fn is_return(row: &Row) -> bool {
    let negative = |which| row.amount(which).is_some_and(|minor| minor < 0);
    row.credit
        || row.quantity.is_some_and(|pieces| pieces < 0.0)
        || negative(Amount::LineTotal)
        || negative(Amount::UnitPrice)
        || (row.whole_order && (negative(Amount::OrderTotal) || negative(Amount::OrderSubtotal)))
}

/// What all lines of a version share.
struct Head {
    template: Assembled,
    refunded_minor: i64,
}

impl Head {
    fn of(frame: Frame<'_>, rows: &[Row], placed_at: Timestamp) -> Self {
        let text = |symbol: &Symbol| frame.symbols.text(*symbol);
        let first = |of: fn(&Row) -> Symbol| {
            rows.iter()
                .map(of)
                .filter(|s| *s != Symbol::NONE)
                .min_by_key(text)
                .unwrap_or(Symbol::NONE)
        };
        let status = rows
            .iter()
            .filter_map(|row| row.status)
            .max()
            .unwrap_or(OrderStatus::Placed);
        let record = LineRecord {
            customer: frame.customer,
            order: OrderKey(rows[0].order_key),
            import: frame.import,
            updated_at: rows.iter().filter_map(|row| row.updated_at).max(),
            occurred_at: placed_at,
            ended_at: rows.iter().filter_map(|row| row.ended_at).min(),
            kind: RecordKind::Sale,
            status,
            line: 0,
            product: Symbol::NONE,
            category: Symbol::NONE,
            brand: Symbol::NONE,
            channel: first(|row| row.channel),
            country: first(|row| row.country),
            quantity: 0.0,
            net_minor: 0,
            discount_minor: None,
            cost_minor: None,
            refunded_minor: 0,
        };
        let template = Assembled {
            record,
            identity: rows[0].identity,
            order_id: rows[0].order_id.clone(),
        };
        Self {
            template,
            refunded_minor: order_amount(rows, Amount::Refunded).unwrap_or(0).abs(),
        }
    }

    fn line(&self, row: &Row) -> Assembled {
        let mut line = self.template.clone();
        line.identity = row.identity;
        line.record.product = row.product;
        line.record.category = row.category;
        line.record.brand = row.brand;
        line
    }

    /// A credit or a refund.
    fn back(&self, kind: RecordKind, row: &Row) -> Assembled {
        let mut line = self.line(row);
        let whole = || {
            let of_order = row
                .amount(Amount::OrderTotal)
                .or(row.amount(Amount::OrderSubtotal));
            of_order.filter(|_| row.whole_order)
        };
        line.record.kind = kind;
        line.record.status = OrderStatus::Placed;
        line.record.occurred_at = row.occurred_at.unwrap_or(line.record.occurred_at);
        line.record.quantity = row.quantity.unwrap_or(0.0).abs();
        line.record.net_minor = line_net(row).or_else(whole).unwrap_or(0).abs();
        line
    }
}

/// An amount of the order as a whole: rows repeat it or only one has it.
fn order_amount(rows: &[Row], which: Amount) -> Option<i64> {
    rows.iter()
        .filter_map(|row| row.amount(which))
        .max_by_key(|minor| minor.abs())
}

/// Net revenue of a line by itself, before anything of the order is spread over it.
fn line_net(row: &Row) -> Option<i64> {
    row.amount(Amount::LineTotal).or_else(|| {
        let price = row.amount(Amount::UnitPrice)?;
        Some(
            times(price, row.quantity.unwrap_or(1.0))
                - row.amount(Amount::LineDiscount).unwrap_or(0),
        )
    })
}

/// What was taken off a line, if the row says so.
fn line_discount(row: &Row) -> Option<i64> {
    row.amount(Amount::LineDiscount).or_else(|| {
        let list = times(row.amount(Amount::UnitPrice)?, row.quantity.unwrap_or(1.0));
        Some((list - row.amount(Amount::LineTotal)?).max(0))
    })
}

/// Adds the lines sold, with what the order says as a whole spread over them; returns the
/// order's net revenue.
fn sales(head: &Head, rows: &[Row], sold: &[&Row], lines: &mut Vec<Assembled>) -> i64 {
    if sold.is_empty() {
        return 0;
    }
    let nets: Vec<i64> = sold.iter().map(|row| line_net(row).unwrap_or(0)).collect();
    let total = order_amount(rows, Amount::OrderTotal);
    let whole = |which| order_amount(rows, which).unwrap_or(0);
    let order_discount = order_amount(rows, Amount::OrderDiscount).map(i64::abs);
    let net_minor = total
        .map(|total| total - whole(Amount::Shipping) - whole(Amount::Tax))
        .or_else(|| order_amount(rows, Amount::OrderSubtotal))
        .unwrap_or_else(|| nets.iter().sum::<i64>() - order_discount.unwrap_or(0));
    let spread_net = spread(net_minor - nets.iter().sum::<i64>(), &nets);

    let discounts: Vec<Option<i64>> = sold.iter().map(|row| line_discount(row)).collect();
    let told = discounts.iter().any(Option::is_some);
    let discount = order_discount.or_else(|| told.then(|| discounts.iter().flatten().sum()));
    let spread_discount = discount.map(|discount| spread(discount, &nets));

    let refunded = match total.filter(|total| *total > 0) {
        Some(total) if head.refunded_minor < total => {
            proportion(head.refunded_minor, net_minor, total)
        }
        _ => head.refunded_minor.min(net_minor),
    };
    let spread_refund = spread(refunded.clamp(0, net_minor.max(0)), &nets);

    for (index, row) in sold.iter().enumerate() {
        let mut line = head.line(row);
        let record = &mut line.record;
        record.quantity = row.quantity.unwrap_or(1.0);
        record.net_minor = nets[index] + spread_net[index];
        record.discount_minor = spread_discount.as_ref().map(|spread| spread[index]);
        record.cost_minor = row
            .amount(Amount::UnitCost)
            .map(|unit| times(unit, record.quantity));
        record.refunded_minor = spread_refund[index];
        lines.push(line);
    }
    net_minor
}

/// `amount` in parts proportional to `weights` that add up to it exactly: each part is rounded
/// down, the rest goes to the largest remainders, between equals to the first.
fn spread(amount: i64, weights: &[i64]) -> Vec<i64> {
    let weights: Vec<i128> = weights.iter().map(|&w| i128::from(w.max(0))).collect();
    let sum: i128 = weights.iter().sum();
    let n = weights.len() as i128;
    let exact = |w: i128| {
        if sum > 0 {
            (i128::from(amount) * w, sum)
        } else {
            (i128::from(amount), n)
        }
    };
    let mut parts: Vec<i128> = weights
        .iter()
        .map(|&w| {
            let (p, q) = exact(w);
            p.div_euclid(q)
        })
        .collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|&i| {
        let (p, q) = exact(weights[i]);
        Reverse(p.rem_euclid(q))
    });
    let rest = i128::from(amount) - parts.iter().sum::<i128>();
    for &index in by_remainder.iter().take(rest as usize) {
        parts[index] += 1;
    }
    parts.into_iter().map(|part| part as i64).collect()
}

/// `amount` × `of` / `whole`, rounded half to even.
fn proportion(amount: i64, of: i64, whole: i64) -> i64 {
    round_ratio(i128::from(amount) * i128::from(of), i128::from(whole))
}

/// `numerator` / `denominator` (positive), rounded half to even.
pub(crate) fn round_ratio(numerator: i128, denominator: i128) -> i64 {
    let (quotient, rest) = (
        numerator.div_euclid(denominator),
        numerator.rem_euclid(denominator),
    );
    let up = match (2 * rest).cmp(&denominator) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
        std::cmp::Ordering::Greater => true,
    };
    (quotient + i128::from(up)) as i64
}

/// `minor` × `quantity`, exact for whole quantities, else rounded half to even.
fn times(minor: i64, quantity: f64) -> i64 {
    if quantity.fract() == 0.0 && quantity.abs() < 1e15 {
        return minor.saturating_mul(quantity as i64);
    }
    (minor as f64 * quantity).round_ties_even() as i64
}

#[cfg(test)]
mod tests;
