//! Amounts and quantities beyond any shop's, which would overflow the sums of them.

use super::{Rejections, Work};
use crate::batch::Amounts;
use crate::reader::text_of;
use crate::rows::Column;
use crate::{ColumnInfo, Field, RejectReason};

/// The largest amount, in minor units: ten trillion of most currencies.
const MAX_MINOR: i64 = 1_000_000_000_000_000;

/// The largest quantity.
const MAX_PIECES: f64 = 1e9;

/// Rejects the rows of a column whose amount is too large.
pub(super) fn bound_amounts(
    values: &Amounts,
    column: Column<'_>,
    info: &ColumnInfo,
    rejections: &mut Rejections<'_>,
) {
    let beyond = |minor: i64| minor.unsigned_abs() > MAX_MINOR.unsigned_abs();
    for (row, _) in values
        .iter()
        .enumerate()
        .filter(|(_, minor)| minor.is_some_and(beyond))
    {
        let cell = text_of(column, row);
        rejections.add(row, info, &cell, RejectReason::AmountBeyondBound);
    }
}

impl Work<'_> {
    /// Rejects rows whose quantity is too large, or whose quantity times a price is.
    pub(super) fn bound_products(
        &mut self,
        quantity: Option<&Vec<Option<f64>>>,
        prices: [Option<&Amounts>; 2],
    ) {
        let (Some(quantity), Some(info)) = (quantity, self.info(Field::Quantity)) else {
            return;
        };
        let column = self.rows.column(info.position);
        for (row, pieces) in quantity.iter().enumerate() {
            let Some(pieces) = pieces else { continue };
            let reason = if pieces.abs() > MAX_PIECES {
                RejectReason::QuantityBeyondBound
            } else {
                let beyond = |prices: &Amounts| {
                    prices[row]
                        .is_some_and(|minor| (minor as f64 * pieces).abs() > MAX_MINOR as f64)
                };
                if !prices.into_iter().flatten().any(beyond) {
                    continue;
                }
                RejectReason::AmountBeyondBound
            };
            let cell = text_of(column, row);
            self.rejections.add(row, info, &cell, reason);
        }
    }
}
