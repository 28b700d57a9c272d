//! One version of an order: what its rows in one file, or one row of several, say together.

use regulars_core::{LineRecord, OrderKey, OrderStatus, RecordKind, Symbol, Symbols, Timestamp};

use super::amounts::{Sold, line_discount, line_net, sum, times, told_net};
use super::{Amount, Assembled, Frame, Row};
use crate::error::PipelineError;

/// One version of one order.
pub(super) struct Version {
    pub(super) lines: Vec<Assembled>,
    /// A line sold has no amount, and the order as a whole has none.
    pub(super) lacks_amount: bool,
    refunded_minor: i64,
    net_minor: i64,
}

impl Version {
    /// What rows of one order say together; `placed_at` where none of them has a date.
    ///
    /// # Errors
    /// When there is no rate for their currency on the day of the order.
    pub(super) fn of(
        frame: Frame<'_>,
        rows: &[Row],
        placed_at: Timestamp,
    ) -> Result<Self, PipelineError> {
        let own_date = rows.iter().filter_map(|row| row.occurred_at).min();
        let placed_at = own_date.unwrap_or(placed_at);
        if rows.iter().any(|row| row.currency != rows[0].currency) {
            return Self::of_several_currencies(frame, rows, placed_at);
        }
        let head = Head::of(frame, rows, placed_at);
        let has_lines = rows.iter().any(is_line);
        let all_by_themselves = rows.iter().all(is_by_itself);
        let (sold, returned): (Vec<&Row>, Vec<&Row>) = rows
            .iter()
            .enumerate()
            // Rows that tell nothing of a line are one line together.
            .filter(|(index, row)| is_line(row) || all_by_themselves || (!has_lines && *index == 0))
            .map(|(_, row)| row)
            .partition(|row| !is_return(row));
        let mut lines = Vec::with_capacity(rows.len());
        for row in &returned {
            let kind = match row.product {
                // Money back that names no product can only be meant for its own order.
                Symbol::NONE if !sold.is_empty() => RecordKind::Refund,
                _ => RecordKind::Credit,
            };
            lines.push(head.back(kind, row));
        }
        let returned_minor = sum(lines.iter().map(|line| line.record.net_minor));
        sales(&head, rows, &sold, returned_minor, &mut lines);
        let lacks_amount = sold.iter().any(|row| !has_amount(row)) && told_net(rows).is_none();
        // Lines sold come first.
        lines.rotate_left(returned.len());
        for (position, line) in lines.iter_mut().enumerate() {
            line.record.line = position as u32;
        }
        frame
            .rates
            .convert(&mut lines, rows[0].currency, placed_at)?;
        let sold = || lines[..sold.len()].iter().map(|line| &line.record);
        Ok(Self {
            lacks_amount,
            refunded_minor: sum(sold().map(|record| record.refunded_minor)),
            net_minor: sum(sold().map(|record| record.net_minor)),
            lines,
        })
    }

    /// Rows in several currencies have no order amounts in common: each row's amounts are formed
    /// and converted before they are put together.
    fn of_several_currencies(
        frame: Frame<'_>,
        rows: &[Row],
        placed_at: Timestamp,
    ) -> Result<Self, PipelineError> {
        let mut rows = rows.to_vec();
        for row in &mut rows {
            let (net, discount) = (line_net(row), line_discount(row));
            row.amounts[Amount::UnitPrice as usize] = None;
            row.amounts[Amount::LineTotal as usize] = net;
            row.amounts[Amount::LineDiscount as usize] = discount;
            frame.rates.convert_row(row, placed_at)?;
        }
        Self::of(frame, &rows, placed_at)
    }

    /// True when it holds lines of the order and not only what came back.
    pub(super) fn sells(&self) -> bool {
        self.lines[0].record.kind == RecordKind::Sale
    }

    pub(super) fn rank(&self) -> (Option<Timestamp>, OrderStatus, i64, usize, i64) {
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
    pub(super) fn content(&self, other: &Self, symbols: &Symbols) -> std::cmp::Ordering {
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
            let told = |r: &LineRecord| (r.beside_minor, r.discount_minor, r.cost_minor);
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

/// True when the row is a line and not only the head of an order.
fn is_line(row: &Row) -> bool {
    row.product != Symbol::NONE
        || row.quantity.is_some()
        || row.amount(Amount::UnitPrice).is_some()
        || row.amount(Amount::LineTotal).is_some()
        || row.amount(Amount::LineGross).is_some()
}

/// True when the row is an order, or a credit, by itself.
pub(super) fn is_by_itself(row: &Row) -> bool {
    row.whole_order && row.product == Symbol::NONE
}

/// True when the row tells what was paid, be it beside net revenue only.
fn has_amount(row: &Row) -> bool {
    line_net(row).is_some() || row.amount(Amount::Shipping).is_some()
}

/// True when the amounts of the order are those of the row.
fn is_whole(row: &Row) -> bool {
    row.whole_order || !is_line(row)
}

/// True when the row says that something came back.
pub(super) fn is_return(row: &Row) -> bool {
    let negative = |which| row.amount(which).is_some_and(|minor| minor < 0);
    row.credit
        || row.quantity.is_some_and(|pieces| pieces < 0.0)
        || negative(Amount::LineTotal)
        || negative(Amount::LineGross)
        || negative(Amount::UnitPrice)
        || (is_whole(row) && (negative(Amount::OrderTotal) || negative(Amount::OrderSubtotal)))
}

/// What all lines of a version share.
struct Head {
    template: Assembled,
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
        let order = OrderKey(rows[0].order_key);
        let record = LineRecord {
            updated_at: rows.iter().filter_map(|row| row.updated_at).max(),
            ended_at: rows.iter().filter_map(|row| row.ended_at).min(),
            status,
            channel: first(|row| row.channel),
            country: first(|row| row.country),
            ..LineRecord::new(frame.customer, order, frame.import, placed_at)
        };
        let template = Assembled {
            record,
            identity: rows[0].identity,
            order_id: rows[0].order_id.clone(),
        };
        Self { template }
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
        let whole = || told_net(std::slice::from_ref(row)).filter(|_| is_whole(row));
        line.record.kind = kind;
        line.record.status = OrderStatus::Placed;
        line.record.occurred_at = row.occurred_at.unwrap_or(line.record.occurred_at);
        line.record.quantity = row.quantity.unwrap_or(0.0).abs();
        line.record.net_minor = line_net(row).or_else(whole).unwrap_or(0).saturating_abs();
        line
    }
}

/// Adds the lines sold, with what the order says as a whole spread over them.
fn sales(
    head: &Head,
    rows: &[Row],
    sold: &[&Row],
    returned_minor: i64,
    lines: &mut Vec<Assembled>,
) {
    if sold.is_empty() {
        return;
    }
    let amounts = Sold::of(rows, sold, returned_minor);
    for (index, row) in sold.iter().enumerate() {
        let mut line = head.line(row);
        let record = &mut line.record;
        record.quantity = row.quantity.unwrap_or(1.0);
        record.net_minor = amounts.net_minor[index];
        record.beside_minor = amounts.beside_minor.as_ref().map(|parts| parts[index]);
        record.discount_minor = amounts.discount_minor.as_ref().map(|parts| parts[index]);
        record.cost_minor = row
            .amount(Amount::UnitCost)
            .map(|unit| times(unit, record.quantity));
        record.refunded_minor = amounts.refunded_minor[index];
        lines.push(line);
    }
}
