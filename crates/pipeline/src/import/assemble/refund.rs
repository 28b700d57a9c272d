//! Refunds from files of refunds: their rows become records beside the versions of their order.
//!
//! 1. Rows of one refund that name products are its lines; a row that names none is the refund as
//!    a whole, and several are versions of it. Equal rows are one.
//! 2. What went back is the net amount, or else the amount less the tax and shipping in it. An
//!    amount that says nothing of tax and shipping is left to the ledger, which knows the order.
//! 3. Of several versions in one import the one that was changed last holds, between equals the
//!    later, then the larger.
//! 4. Amounts are converted at the rate of the refund's day.
//! 5. A refund whose rows say that it failed, was cancelled or is pending is kept as one of nothing:
//!    it replaces an older version that said that it was made.

use regulars_core::{LineRecord, OrderKey, OrderStatus, RecordKind, RefundKey, Symbol, Timestamp};

use super::amounts::{order_amount, spread, sum};
use super::{Amount, Assembled, Frame, Row, content};
use crate::error::PipelineError;
use crate::import::refunds::RefundCounts;

/// Lines of refunds are numbered from here on: they do not meet credits of their order's files.
const FIRST_REFUND_LINE: u32 = LineRecord::FIRST_LINE_APART + (1 << 30);

/// Assembles all refunds of one order for its owner (or nobody); `rows` in any order.
///
/// # Errors
/// When an amount has no rate into the workspace's currency on its day.
pub(crate) fn assemble_refunds(
    frame: Frame<'_>,
    identity: u64,
    rows: &mut [Row],
    counts: &mut RefundCounts,
) -> Result<Vec<Assembled>, PipelineError> {
    rows.sort_by(|a, b| {
        (a.refund, a.file, a.updated_at)
            .cmp(&(b.refund, b.file, b.updated_at))
            .then_with(|| content(a, b, frame.symbols))
    });
    let mut out = Vec::with_capacity(rows.len());
    for refund in rows.chunk_by_mut(|a, b| a.refund == b.refund) {
        let mut versions = Vec::with_capacity(1);
        for document in refund.chunk_by_mut(|a, b| (a.file, a.updated_at) == (b.file, b.updated_at))
        {
            let lines = distinct(frame, document, counts)?;
            if lines.iter().all(|row| row.product == Symbol::NONE) {
                versions.extend(lines.chunks(1).filter_map(|row| version(frame, row)));
            } else {
                versions.extend(version(frame, &lines));
            }
        }
        if versions.is_empty() {
            counts.incomplete_refunds += 1;
            continue;
        }
        if versions.iter().any(|other| *other != versions[0]) {
            counts.conflicting_versions += 1;
        }
        let newest = versions.into_iter().max_by(|a, b| newer(frame, a, b));
        let newest = newest.unwrap_or_default();
        match newest.iter().all(|line| is_made(Some(line.status))) {
            true => counts.refunds += 1,
            false => counts.refunds_not_made += 1,
        }
        out.extend(newest);
    }
    out.sort_by_key(|line| (line.occurred_at, line.refund));
    let numbered = out.into_iter().zip(FIRST_REFUND_LINE..);
    let assembled = numbered.map(|(record, line)| Assembled {
        record: LineRecord { line, ..record },
        identity,
        order_id: rows[0].order_id.clone(),
    });
    Ok(assembled.collect())
}

/// Which of two versions of a refund is the newer one; by what they say, never by where it stands.
fn newer(frame: Frame<'_>, a: &[LineRecord], b: &[LineRecord]) -> std::cmp::Ordering {
    let rank = |version: &[LineRecord]| {
        let minor = sum(version.iter().map(|line| line.net_minor));
        let head = &version[0];
        (head.updated_at, head.occurred_at, minor, version.len())
    };
    let lines = |version: &[LineRecord]| -> Vec<_> {
        let line = |line: &LineRecord| {
            let product = frame.symbols.text(line.product).to_owned();
            let pieces = line.quantity.to_bits();
            (product, pieces, line.net_minor, line.beside_minor)
        };
        version.iter().map(line).collect()
    };
    rank(a).cmp(&rank(b)).then_with(|| lines(a).cmp(&lines(b)))
}

/// The different rows of a document, in the workspace's currency.
fn distinct(
    frame: Frame<'_>,
    document: &mut [Row],
    counts: &mut RefundCounts,
) -> Result<Vec<Row>, PipelineError> {
    if frame.rates.in_use() {
        frame.rates.share_currency(document, frame.symbols);
    }
    let mut rows: Vec<Row> = Vec::with_capacity(document.len());
    for row in document {
        if rows.last() == Some(row) {
            counts.repeated_rows += 1;
            continue;
        }
        rows.push(row.clone());
    }
    let day = rows.iter().filter_map(|row| row.occurred_at).min();
    for row in &mut rows {
        frame
            .rates
            .convert_row(row, day.unwrap_or(Timestamp::MIN))?;
    }
    Ok(rows)
}

/// What rows say of one refund together; `None` without a date or an amount.
fn version(frame: Frame<'_>, rows: &[Row]) -> Option<Vec<LineRecord>> {
    let occurred_at = rows.iter().filter_map(|row| row.occurred_at).min()?;
    let status = rows.iter().find_map(|row| row.status);
    if !is_made(status) {
        let row = Row {
            occurred_at: Some(occurred_at),
            status,
            product: Symbol::NONE,
            quantity: None,
            ..rows[0].clone()
        };
        return Some(vec![record(frame, &row, occurred_at, Back::NOTHING)]);
    }
    let by_line = rows.iter().any(|row| {
        row.amount(Amount::LineRefunded).is_some() || row.amount(Amount::LineTotal).is_some()
    });
    let amounts: Vec<Back> = if by_line {
        rows.iter()
            .map(|row| of_line(row).unwrap_or_default())
            .collect()
    } else {
        shared(of_whole(rows)?, rows)
    };
    let line = |(row, back): (&Row, Back)| record(frame, row, occurred_at, back);
    Some(rows.iter().zip(amounts).map(line).collect())
}

/// False when the status says that no money went back (yet).
fn is_made(status: Option<OrderStatus>) -> bool {
    match status {
        None | Some(OrderStatus::Placed | OrderStatus::Refunded) => true,
        Some(OrderStatus::Unpaid | OrderStatus::Cancelled) => false,
    }
}

fn record(frame: Frame<'_>, row: &Row, occurred_at: Timestamp, back: Back) -> LineRecord {
    LineRecord {
        updated_at: row.updated_at,
        kind: RecordKind::Refund,
        status: row.status.unwrap_or(OrderStatus::Placed),
        refund: RefundKey(row.refund),
        product: row.product,
        quantity: match row.product {
            Symbol::NONE => 0.0,
            _ => row.quantity.unwrap_or(0.0).abs(),
        },
        net_minor: back.minor,
        beside_minor: back.beside_minor,
        ..LineRecord::new(
            frame.customer,
            OrderKey(row.order_key),
            frame.import,
            occurred_at,
        )
    }
}

/// What went back: net when what stood beside it is known.
#[derive(Debug, Clone, Copy, Default)]
struct Back {
    minor: i64,
    beside_minor: Option<i64>,
}

impl Back {
    const NOTHING: Self = Self {
        minor: 0,
        beside_minor: Some(0),
    };

    fn of(net: Option<i64>, gross: Option<i64>, parts: [Option<i64>; 2]) -> Option<Self> {
        let parts = || parts.into_iter().flatten().map(i64::saturating_abs);
        let told = parts().next().is_some();
        let beside_minor = sum(parts());
        match (net.map(i64::saturating_abs), gross.map(i64::saturating_abs)) {
            (Some(net), _) => Some(Self {
                minor: net,
                beside_minor: Some(beside_minor),
            }),
            (None, Some(gross)) if told => Some(Self {
                minor: gross.saturating_sub(beside_minor).max(0),
                beside_minor: Some(beside_minor),
            }),
            (None, Some(gross)) => Some(Self {
                minor: gross,
                beside_minor: None,
            }),
            (None, None) => None,
        }
    }
}

fn of_line(row: &Row) -> Option<Back> {
    let parts = [Amount::LineTax, Amount::LineShipping].map(|which| row.amount(which));
    Back::of(
        row.amount(Amount::LineTotal),
        row.amount(Amount::LineRefunded),
        parts,
    )
}

fn of_whole(rows: &[Row]) -> Option<Back> {
    let told = |which| order_amount(rows, which);
    Back::of(
        told(Amount::OrderSubtotal),
        told(Amount::Refunded),
        [told(Amount::Tax), told(Amount::Shipping)],
    )
}

/// The whole in parts, by pieces.
fn shared(whole: Back, rows: &[Row]) -> Vec<Back> {
    let pieces = |row: &Row| (row.quantity.unwrap_or(1.0).abs() * 1_000.0) as i64;
    let weights: Vec<i64> = rows.iter().map(pieces).collect();
    let minor = spread(whole.minor, &weights);
    let beside = whole.beside_minor.map(|beside| spread(beside, &weights));
    let part = |(index, minor): (usize, i64)| Back {
        minor,
        beside_minor: beside.as_ref().map(|parts| parts[index]),
    };
    minor.into_iter().enumerate().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_net_when_its_tax_is_told() {
        let of = |net, gross, tax| {
            let back = Back::of(net, gross, [tax, None]).unwrap();
            (back.minor, back.beside_minor)
        };
        assert_eq!(of(None, Some(-119), None), (119, None));
        assert_eq!(of(None, Some(119), Some(19)), (100, Some(19)));
        assert_eq!(of(Some(100), Some(119), None), (100, Some(0)));
        assert!(Back::of(None, None, [Some(3), None]).is_none());
    }
}
