//! UCI Online Retail writes postage, fees and corrections as lines of invoices, with codes where
//! products stand.

use crate::OrderBatch;

/// What a line without a product is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extra {
    /// Postage and fees: paid beside the net revenue, as shipping is.
    Beside,
    /// Money for or off something that is not told: a correction by hand, a discount.
    Money,
}

fn extra(code: &str) -> Option<Extra> {
    match code.to_ascii_uppercase().as_str() {
        "POST" | "DOT" | "C2" | "BANK CHARGES" | "AMAZONFEE" | "CRUK" | "B" | "ADJUST"
        | "ADJUST2" => Some(Extra::Beside),
        "M" | "D" => Some(Extra::Money),
        _ => None,
    }
}

/// Takes the codes that are no products for what they are.
pub(super) fn take_extras(batch: &mut OrderBatch) {
    let (Some(products), Some(prices)) = (&mut batch.product_id, &mut batch.unit_price) else {
        return;
    };
    let extras: Vec<Option<Extra>> = products.texts.iter().map(|code| extra(code)).collect();
    let rows = products.keys.len();
    for row in 0..rows {
        let Some(extra) = extras[products.keys[row] as usize] else {
            continue;
        };
        products.keys[row] = 0;
        if let Some(names) = &mut batch.product_name {
            names.keys[row] = 0;
        }
        let pieces = batch.quantity.as_mut().and_then(|told| told[row].take());
        let Some(price) = prices[row].take() else {
            continue;
        };
        let minor = (price as f64 * pieces.unwrap_or(1.0)).round_ties_even() as i64;
        let (column, minor) = match extra {
            Extra::Beside => (&mut batch.shipping, minor.saturating_abs()),
            Extra::Money => (&mut batch.line_total, minor),
        };
        column.get_or_insert_with(|| vec![None; rows])[row] = Some(minor);
    }
}
