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

/// Spend in the horizon at the rate of the repeat orders so far, `repeat_spend` / T · horizon, one
/// entry of `repeat_spend` for each history; 0 when nothing was observed.
///
/// The first order is left out of both: that a customer has one is why they are a customer.
pub fn repeat_spend_rate(
    histories: &[PurchaseSummary],
    repeat_spend: &[f64],
    horizon: f64,
) -> Vec<f64> {
    histories
        .iter()
        .zip(repeat_spend)
        .map(|(h, spend)| {
            if h.t > 0.0 {
                spend / h.t * horizon
            } else {
                0.0
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correctness_a_new_customer_promises_nothing_yet() {
        let history = |x, t_x, t| PurchaseSummary { x, t_x, t };
        let histories = [
            history(0, 0.0, 0.0),
            history(0, 0.0, 0.2),
            history(2, 9.0, 10.0),
        ];
        assert_eq!(
            repeat_spend_rate(&histories, &[0.0, 0.0, 50.0], 20.0),
            [0.0, 0.0, 100.0]
        );
        assert_eq!(order_rate(&histories, 20.0), [0.0, 0.0, 4.0]);
    }
}
