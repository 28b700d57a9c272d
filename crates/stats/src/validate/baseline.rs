//! What one would predict without a model.

use crate::purchase::PurchaseSummary;

/// Orders in the horizon at the rate so far, x / T · horizon; 0 when nothing was observed.
pub fn order_rate(histories: &[PurchaseSummary], horizon: f64) -> Vec<f64> {
    histories
        .iter()
        .map(|h| {
            if h.t > 0.0 {
                f64::from(h.x) / h.t * horizon
            } else {
                0.0
            }
        })
        .collect()
}

/// Minus the time since the last order: ranks only.
pub fn recency(histories: &[PurchaseSummary]) -> Vec<f64> {
    histories.iter().map(|h| h.t_x - h.t).collect()
}

/// Spend in the horizon at the rate so far, `past_spend` / (T + `since`) · horizon, one entry of
/// `past_spend` for each history; `since` is added to every T so that the first order, which is part
/// of the spend, does not fall on a time of 0.
pub fn spend_rate(
    histories: &[PurchaseSummary],
    past_spend: &[f64],
    since: f64,
    horizon: f64,
) -> Vec<f64> {
    histories
        .iter()
        .zip(past_spend)
        .map(|(h, spend)| spend / (h.t + since) * horizon)
        .collect()
}
