//! Whether a row is an order or a line of one.

use std::collections::HashSet;

use super::mapping::Mapped;
use super::said::Said;
use crate::reader::text_of;
use crate::rows::Rows;
use crate::{ColumnInfo, Entity, Field, LevelReason, RowLevel, Source};

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
    let lines = has(Field::LineTotal)
        || has(Field::LineGross)
        || has(Field::UnitPrice)
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
    let order_amount = has(Field::OrderTotal) || has(Field::OrderSubtotal);
    let line_amount = has(Field::LineTotal) || has(Field::LineGross) || has(Field::UnitPrice);
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
