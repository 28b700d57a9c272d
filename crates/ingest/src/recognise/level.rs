//! Whether a row is an order or a line of one.

use std::collections::HashSet;

use super::mapping::Mapped;
use super::said::Said;
use crate::reader::text_of;
use crate::rows::Rows;
use crate::{ColumnInfo, Entity, Field, LevelReason, RowLevel, Source};

/// Amounts that only lines have.
const LINE_AMOUNTS: [Field; 4] = [
    Field::LineTotal,
    Field::LineGross,
    Field::LineList,
    Field::UnitPrice,
];

/// Decides the level, by what is said, the source, repeated order ids and the columns.
pub(super) fn level(
    columns: &[ColumnInfo],
    mapped: &Mapped,
    rows: &Rows,
    said: &Said,
) -> (RowLevel, LevelReason) {
    if let Some(level) = said.level() {
        return level;
    }
    if mapped.entity != Entity::Orders {
        return (RowLevel::Order, LevelReason::Columns);
    }
    let position = |field| {
        columns
            .iter()
            .find(|c| c.field() == Some(field))
            .map(|c| c.position)
    };
    let has = |field| position(field).is_some();
    let lines = LINE_AMOUNTS.iter().any(|&field| has(field))
        || has(Field::ProductId)
        || has(Field::ProductName);
    match mapped.source {
        Source::UciOnlineRetail => return (RowLevel::Line, LevelReason::Source),
        Source::Cdnow => return (RowLevel::Order, LevelReason::Source),
        Source::Shopify if lines => return (RowLevel::Line, LevelReason::Source),
        Source::Shopify | Source::WooCommerce | Source::Generic => {}
    }
    if let Some(position) = position(Field::OrderId)
        && (lines || has(Field::Quantity))
        && repeats(rows, position)
    {
        return (RowLevel::Line, LevelReason::RepeatedOrderIds);
    }
    let any = |fields: &[Field]| fields.iter().any(|&field| has(field));
    let order_amount = any(&[Field::OrderTotal, Field::OrderSubtotal, Field::OrderList]);
    let line_amount = any(&LINE_AMOUNTS);
    let level = if line_amount && !order_amount {
        RowLevel::Line
    } else {
        RowLevel::Order
    };
    (level, LevelReason::Columns)
}

fn repeats(rows: &Rows, position: usize) -> bool {
    let column = rows.column(position);
    let mut seen = HashSet::new();
    (0..column.len()).any(|row| {
        let id = text_of(column, row);
        !id.is_empty() && !seen.insert(id)
    })
}
