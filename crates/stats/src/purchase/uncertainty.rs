//! How sure the expected orders of a group of customers are, given that the parameters are
//! estimates.

use serde::{Deserialize, Serialize};

use super::{Group, PurchaseModel};
use crate::fitted::Fitted;
use crate::special::incomplete::normal_quantile;

/// Expected orders of a segment with an interval for the uncertainty of the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SegmentInterval {
    /// Customers in the segment.
    pub customers: u64,
    /// Expected orders of all of them together.
    pub total: f64,
    /// Lower end for the total.
    pub low: f64,
    /// Upper end for the total.
    pub high: f64,
}

impl SegmentInterval {
    /// The same per customer: (mean, low, high); zeros for no customers.
    pub fn mean(&self) -> (f64, f64, f64) {
        let n = self.customers.max(1) as f64;
        (self.total / n, self.low / n, self.high / n)
    }
}

/// Expected orders in the horizon after T, summed over a segment, with an interval that covers the
/// true expectation with probability `share` (0.9 by default in Regulars) as far as the parameters
/// are normal.
///
/// Delta method in the logarithm of the total with respect to the logarithms of the parameters
/// (central differences). `None` when the fit has no covariance. The interval is for the expectation:
/// the orders that come vary round it besides.
pub fn segment_orders_interval(
    fitted: &Fitted<PurchaseModel>,
    segment: &[Group],
    horizon: f64,
    share: f64,
) -> Option<SegmentInterval> {
    const STEP: f64 = 1e-4;
    let covariance = fitted.covariance.as_ref()?;
    let values: Vec<f64> = fitted
        .model
        .parameters()
        .iter()
        .map(|(_, value)| *value)
        .collect();
    let total = |model: &PurchaseModel| -> f64 {
        segment
            .iter()
            .map(|g| g.customers as f64 * model.expected_orders(g.history, horizon))
            .sum()
    };
    let customers = segment.iter().map(|g| g.customers).sum();
    let at = total(&fitted.model);
    if at <= 0.0 {
        return Some(SegmentInterval {
            customers,
            total: at,
            low: at,
            high: at,
        });
    }
    let slopes: Vec<f64> = (0..values.len())
        .map(|i| {
            let moved = |factor: f64| {
                let mut moved = values.clone();
                moved[i] *= factor;
                libm::log(total(&fitted.model.with(&moved)))
            };
            let step = 2.0 * STEP * values[i];
            (moved(1.0 + STEP) - moved(1.0 - STEP)) / step
        })
        .collect();
    let mut variance = 0.0;
    for (i, row) in covariance.iter().enumerate() {
        for (j, entry) in row.iter().enumerate() {
            variance += slopes[i] * slopes[j] * entry;
        }
    }
    let reach = normal_quantile(0.5 + 0.5 * share) * variance.max(0.0).sqrt();
    let factor = libm::exp(reach);
    Some(SegmentInterval {
        customers,
        total: at,
        low: at / factor,
        high: at * factor,
    })
}
