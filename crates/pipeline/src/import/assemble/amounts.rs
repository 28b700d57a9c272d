//! Amounts of lines and of orders, in whatever currency their rows are.
//!
//! Sums stop at the ends of 64 bits instead of wrapping around.

use std::cmp::Reverse;

use regulars_core::divide_half_even;

use super::{Amount, Row};

/// An amount of the order as a whole. Rows that tell it alike repeat it; where they differ, each
/// tells its part.
pub(super) fn order_amount(rows: &[Row], which: Amount) -> Option<i64> {
    let told = || rows.iter().filter_map(|row| row.amount(which));
    let first = told().next()?;
    if told().all(|minor| minor == first) {
        return Some(first);
    }
    Some(sum(told()))
}

/// An amount of the order, or else the sum of what its lines say of it.
fn whole_amount(rows: &[Row], of_order: Amount, of_line: Amount) -> Option<i64> {
    order_amount(rows, of_order).or_else(|| {
        let mut told = rows.iter().filter_map(|row| row.amount(of_line)).peekable();
        told.peek()?;
        Some(sum(told))
    })
}

/// Net revenue as the order says it as a whole: the total without tax and shipping where both
/// are known, else the subtotal, else the total without what is known of them.
pub(super) fn told_net(rows: &[Row]) -> Option<i64> {
    let subtotal = order_amount(rows, Amount::OrderSubtotal);
    let Some(total) = order_amount(rows, Amount::OrderTotal) else {
        return subtotal;
    };
    let tax = whole_amount(rows, Amount::Tax, Amount::LineTax);
    let shipping = whole_amount(rows, Amount::Shipping, Amount::LineShipping);
    if (tax.is_none() || shipping.is_none())
        && let Some(subtotal) = subtotal
    {
        return Some(subtotal);
    }
    // Exports differ in whether the tax of what went back is negative too.
    let of_total = |part: Option<i64>| match part.unwrap_or(0) {
        part if total < 0 => -part.saturating_abs(),
        part => part,
    };
    Some(
        total
            .saturating_sub(of_total(shipping))
            .saturating_sub(of_total(tax)),
    )
}

/// Net revenue of a line by itself, before anything of the order is spread over it.
pub(super) fn line_net(row: &Row) -> Option<i64> {
    let gross = || {
        let gross = row.amount(Amount::LineGross)?;
        let part = |which| row.amount(which).unwrap_or(0).saturating_abs();
        let beside = part(Amount::LineTax).saturating_add(part(Amount::LineShipping));
        Some(gross.saturating_sub(gross.signum().saturating_mul(beside)))
    };
    let priced = || {
        let list = list_price(row)?;
        let off = row.amount(Amount::LineDiscount).unwrap_or(0);
        Some(list.saturating_sub(list.signum().saturating_mul(off.saturating_abs())))
    };
    row.amount(Amount::LineTotal).or_else(gross).or_else(priced)
}

/// What was taken off a line, if the row says so.
pub(super) fn line_discount(row: &Row) -> Option<i64> {
    let told = row.amount(Amount::LineDiscount).map(i64::saturating_abs);
    told.or_else(|| {
        let paid = row.amount(Amount::LineTotal)?;
        Some(list_price(row)?.saturating_sub(paid).max(0))
    })
}

fn list_price(row: &Row) -> Option<i64> {
    let price = row.amount(Amount::UnitPrice)?;
    Some(times(price, row.quantity.unwrap_or(1.0)))
}

/// Amounts of the lines sold of an order, by line.
pub(super) struct Sold {
    pub(super) net_minor: Vec<i64>,
    /// Tax and shipping, where they are told.
    pub(super) beside_minor: Option<Vec<i64>>,
    pub(super) discount_minor: Option<Vec<i64>>,
    pub(super) refunded_minor: Vec<i64>,
}

impl Sold {
    /// Of all `rows` of an order and those `sold` among them; the others returned
    /// `returned_minor`.
    pub(super) fn of(rows: &[Row], sold: &[&Row], returned_minor: i64) -> Self {
        let nets: Vec<i64> = sold.iter().map(|row| line_net(row).unwrap_or(0)).collect();
        let of_lines = sum(nets.iter().copied());
        let told = told_net(rows);
        let order_discount = order_amount(rows, Amount::OrderDiscount).map(i64::saturating_abs);
        // What the order tells as a whole has the returned lines in it.
        let net_minor = match told {
            Some(told) => told.saturating_add(returned_minor),
            None => of_lines.saturating_sub(order_discount.unwrap_or(0)),
        };
        let over = spread(net_minor.saturating_sub(of_lines), &nets);

        let discounts: Vec<Option<i64>> = sold.iter().map(|row| line_discount(row)).collect();
        let discount_minor = match order_discount {
            Some(discount) => Some(spread(discount, &nets)),
            None if discounts.iter().any(Option::is_some) => Some(
                discounts
                    .into_iter()
                    .map(Option::unwrap_or_default)
                    .collect(),
            ),
            None => None,
        };
        let refunded = refunded(rows, told.unwrap_or(net_minor)).clamp(0, net_minor.max(0));
        let of_line = |row: &&Row| {
            row.amount(Amount::LineRefunded)
                .unwrap_or(0)
                .saturating_abs()
        };
        let refunded_minor = if sold.iter().any(|row| of_line(row) > 0) {
            let by_line: Vec<i64> = sold.iter().map(of_line).collect();
            spread(refunded, &by_line)
        } else {
            spread(refunded, &nets)
        };
        Self {
            net_minor: nets
                .iter()
                .zip(over)
                .map(|(net, part)| net.saturating_add(part))
                .collect(),
            beside_minor: beside(rows, told).map(|minor| spread(minor, &nets)),
            discount_minor,
            refunded_minor,
        }
    }
}

/// Tax and shipping that were paid beside the net revenue; `None` when no row tells any.
fn beside(rows: &[Row], told: Option<i64>) -> Option<i64> {
    let of_total = || Some(order_amount(rows, Amount::OrderTotal)?.saturating_sub(told?));
    let of_lines = || {
        let of_line = |row: &Row| {
            Some(
                row.amount(Amount::LineGross)?
                    .saturating_sub(line_net(row)?),
            )
        };
        rows.iter()
            .any(|row| of_line(row).is_some())
            .then(|| sum(rows.iter().filter_map(of_line)))
    };
    let of_parts = || {
        let tax = whole_amount(rows, Amount::Tax, Amount::LineTax);
        let shipping = whole_amount(rows, Amount::Shipping, Amount::LineShipping);
        Some(tax.unwrap_or(0).saturating_add(shipping.unwrap_or(0)))
    };
    of_total()
        .or_else(of_lines)
        .or_else(of_parts)
        .filter(|&minor| minor > 0)
}

/// Net revenue that the order says was refunded: in the proportion net : total where the refund
/// has tax and shipping in it.
fn refunded(rows: &[Row], net_minor: i64) -> i64 {
    let refunded = whole_amount(rows, Amount::Refunded, Amount::LineRefunded)
        .unwrap_or(0)
        .saturating_abs();
    match order_amount(rows, Amount::OrderTotal).filter(|total| *total > 0) {
        Some(total) if refunded < total => proportion(refunded, net_minor, total),
        _ => refunded.min(net_minor),
    }
}

/// The sum, or the end of 64 bits that it is beyond.
pub(super) fn sum(minor: impl Iterator<Item = i64>) -> i64 {
    clamped(minor.map(i128::from).sum())
}

fn clamped(minor: i128) -> i64 {
    minor.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// `amount` in parts proportional to `weights` that add up to it exactly: each part is rounded
/// down, the rest goes to the largest remainders, between equals to the first.
pub(super) fn spread(amount: i64, weights: &[i64]) -> Vec<i64> {
    if amount == 0 {
        return vec![0; weights.len()];
    }
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
    parts.into_iter().map(clamped).collect()
}

/// `amount` × `of` / `whole`, rounded half to even.
fn proportion(amount: i64, of: i64, whole: i64) -> i64 {
    divide_half_even(i128::from(amount) * i128::from(of), i128::from(whole))
}

/// `minor` × `quantity`, exact for whole quantities, else rounded half to even.
pub(super) fn times(minor: i64, quantity: f64) -> i64 {
    if quantity.fract() == 0.0 && quantity.abs() < 1e15 {
        return minor.saturating_mul(quantity as i64);
    }
    (minor as f64 * quantity).round_ties_even() as i64
}
