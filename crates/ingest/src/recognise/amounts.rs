//! Whether an amount under a name of order amounts (`amount`, `discount`, `tax`) is the order's or
//! its line's.
//!
//! Files of order lines use these names for both. Values that differ between lines of one order
//! are the lines' own; values that are the same on all lines of the orders with several are the
//! order's. Where no order has several lines, a total that is quantity × price is the line's.
//! With refunds and their lines it is the same.

use crate::reader::text_of;
use crate::rows::Rows;
use crate::value::number;
use crate::{ColumnInfo, DecimalMark, Field, MapReason, Role};

/// Order amounts, with the field that they are when each line has its own.
const PAIRS: [(Field, Field); 10] = [
    (Field::RefundNet, Field::LineTotal),
    (Field::RefundTax, Field::LineTax),
    (Field::RefundShipping, Field::LineShipping),
    (Field::OrderSubtotal, Field::LineTotal),
    (Field::Tax, Field::LineTax),
    (Field::Shipping, Field::LineShipping),
    (Field::Refunded, Field::LineRefunded),
    (Field::OrderDiscount, Field::LineDiscount),
    (Field::OrderTotal, Field::LineTotal),
    (Field::OrderList, Field::LineList),
];

/// Reads amounts of the order as those of lines where the rows, which are order lines, say so.
/// What was said of a column stands.
pub(super) fn settle(columns: &mut [ColumnInfo], rows: &Rows) {
    let whole = match position(columns, Field::RefundId) {
        Some(_) => Field::RefundId,
        None => Field::OrderId,
    };
    let Some(orders) = runs(columns, rows, whole) else {
        return;
    };
    let list = list_prices(columns, rows);
    for (of_order, of_line) in PAIRS {
        let Some(index) = position(columns, of_order).filter(|&index| !is_said(&columns[index]))
        else {
            continue;
        };
        let values = numbers(&columns[index], rows);
        let list = list.as_ref().filter(|_| of_line == Field::LineTotal);
        if !is_of_lines(&values, &orders, list.map(Vec::as_slice)) {
            continue;
        }
        let has = |field| position(columns, field).is_some();
        let field = match of_line {
            // The total of a line whose tax or shipping stand beside it has them in it.
            Field::LineTotal
                if of_order == Field::OrderTotal
                    && (has(Field::LineTax) || has(Field::LineShipping)) =>
            {
                Field::LineGross
            }
            field => field,
        };
        // What the line has already says more.
        let taken = has(field) || (field == Field::LineGross && has(Field::LineTotal));
        columns[index].role = if taken {
            Role::Unmapped
        } else {
            Role::Field(field)
        };
    }
}

fn is_said(column: &ColumnInfo) -> bool {
    matches!(
        column.reason,
        Some(MapReason::Given | MapReason::Remembered | MapReason::Settings)
    )
}

fn position(columns: &[ColumnInfo], field: Field) -> Option<usize> {
    columns
        .iter()
        .position(|column| column.field() == Some(field))
}

/// The rows that stand together and name the same order or refund.
fn runs(columns: &[ColumnInfo], rows: &Rows, whole: Field) -> Option<Vec<std::ops::Range<usize>>> {
    let ids = rows.column(columns[position(columns, whole)?].position);
    let ids: Vec<String> = (0..ids.len()).map(|row| text_of(ids, row)).collect();
    let mut start = 0;
    let mut runs = Vec::new();
    for run in ids.chunk_by(|a, b| !a.is_empty() && a == b) {
        runs.push(start..start + run.len());
        start += run.len();
    }
    Some(runs)
}

fn numbers(column: &ColumnInfo, rows: &Rows) -> Vec<Option<f64>> {
    let mark = column.decimal.map(|decided| decided.value);
    let cells = rows.column(column.position);
    (0..cells.len())
        .map(|row| {
            let text = text_of(cells, row);
            number(&text, mark.or(Some(DecimalMark::Point))).ok()
        })
        .collect()
}

/// Quantity × price of each row.
fn list_prices(columns: &[ColumnInfo], rows: &Rows) -> Option<Vec<Option<f64>>> {
    let of = |field| Some(numbers(&columns[position(columns, field)?], rows));
    let (prices, quantities) = (of(Field::UnitPrice)?, of(Field::Quantity)?);
    let pairs = prices.into_iter().zip(quantities);
    Some(
        pairs
            .map(|(price, pieces)| Some(price? * pieces?))
            .collect(),
    )
}

fn is_of_lines(
    values: &[Option<f64>],
    orders: &[std::ops::Range<usize>],
    list: Option<&[Option<f64>]>,
) -> bool {
    let several = || orders.iter().filter(|order| order.len() > 1);
    let differs = |order: &&std::ops::Range<usize>| {
        let mut told = values[(*order).clone()].iter().flatten();
        told.next()
            .is_some_and(|first| told.any(|value| value != first))
    };
    let told =
        |order: &&std::ops::Range<usize>| values[(*order).clone()].iter().any(Option::is_some);
    if several().any(|order| told(&order)) {
        return several().any(|order| differs(&order));
    }
    let Some(list) = list else {
        return false;
    };
    let priced: Vec<(f64, f64)> = values
        .iter()
        .zip(list)
        .filter_map(|(value, list)| Some(((*value)?, (*list)?)))
        .collect();
    let fit = priced
        .iter()
        .filter(|(value, list)| (value - list).abs() < 0.011);
    !priced.is_empty() && fit.count() * 10 >= priced.len() * 9
}
