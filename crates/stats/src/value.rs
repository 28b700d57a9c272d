//! Future revenue of a customer: orders to come times what they are worth.
//!
//! Assumptions:
//!
//! 1. Orders follow a purchase model ([`crate::purchase`]), their values the Gamma-Gamma model
//!    ([`crate::spend`]), independently of each other given the customer's history.
//! 2. The parameters are known. (What their uncertainty adds is small for one customer; for a segment
//!    see [`crate::purchase::SlopeTable`].)
//!
//! Under these the revenue S of a horizon has the exact distribution
//! P(S ≤ y) = P(Y = 0) + Σ P(Y = n) · I(y / (γ′ + y); p n, q′), with γ′ = γ + m x and q′ = p x + q,
//! I the regularised incomplete beta function. Intervals are quantiles of it: no simulation.

mod interval;

use interval::RevenueTable;
use serde::{Deserialize, Serialize};

use crate::error::StatsError;
use crate::parallel::{Parallelism, map_chunks};
use crate::purchase::{PurchaseModel, PurchaseSummary};
use crate::spend::{GammaGamma, SpendSummary};

/// A customer as both models see them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Buyer {
    /// When the customer ordered.
    pub history: PurchaseSummary,
    /// Number and mean value of the repeat orders; a mean that is not positive and finite counts as
    /// no order, so the population's spend is expected.
    pub spend: SpendSummary,
}

/// What to forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RevenueOptions {
    /// Revenue is expected in (T, T + `horizon`], in the purchase model's unit of time.
    pub horizon: f64,
    /// Continuous discount rate for one unit of time; 0 for none.
    pub discount_rate: f64,
    /// Share of revenue that counts, above 0; 1 for revenue itself.
    pub margin: f64,
    /// Share of the predictive distribution in the interval, between 0 and 1.
    pub share: f64,
    /// Threads to use; never affects the result.
    pub parallelism: Parallelism,
}

/// One customer's revenue in the horizon, in the spend model's unit of money.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RevenueForecast {
    /// Expected revenue; `None` where the spend model's mean is infinite.
    pub expected: Option<f64>,
    /// Lower end of the predictive interval.
    pub low: f64,
    /// Upper end of the predictive interval.
    pub high: f64,
    /// Probability of the interval under the models: the share asked for, or more where no order at
    /// all is likelier than that (then the interval is 0 to 0).
    pub probability: f64,
}

/// Forecasts the revenue of each buyer; result in the order of `buyers`.
///
/// The interval is central where no order has at most half of the remaining probability, else from
/// 0 up. With a discount rate its ends are scaled as the expectation is, as if orders came when they
/// come on average.
///
/// # Errors
/// [`StatsError::BadArgument`] for a horizon, discount rate, margin or share outside its domain.
pub fn forecast_revenue(
    orders: &PurchaseModel,
    spend: &GammaGamma,
    buyers: &[Buyer],
    options: &RevenueOptions,
) -> Result<Vec<RevenueForecast>, StatsError> {
    check(options)?;
    // Buyers in order of valued orders, then (x, T): neighbours share a table, then a future.
    let key = |i: u32| {
        let Buyer { history, spend } = buyers[i as usize];
        (valued(spend).x, history.x, history.t.to_bits())
    };
    let mut order: Vec<u32> = (0..buyers.len() as u32).collect();
    order.sort_unstable_by_key(|&i| (key(i), i));
    let parts = map_chunks(order.len(), 16_384, options.parallelism, |range| {
        let mut forecasts = Vec::with_capacity(range.len());
        let mut table: Option<(u32, RevenueTable)> = None;
        let mut shared: Option<(_, Shared)> = None;
        for &i in &order[range] {
            let buyer = &buyers[i as usize];
            let valued = valued(buyer.spend);
            let (shape, rate) = spend.posterior(valued.x, valued.mean);
            if table.as_ref().is_none_or(|(of, _)| *of != valued.x) {
                table = Some((valued.x, RevenueTable::new(spend.p, shape)));
            }
            if shared.as_ref().is_none_or(|(of, _)| *of != key(i)) {
                shared = Some((key(i), Shared::new(orders, buyer.history, options)));
            }
            let (Some((_, table)), Some((_, shared))) = (&mut table, &shared) else {
                continue;
            };
            table.reach(shared.at_least.len() - 1);
            let alive = orders.probability_alive(buyer.history);
            let (low, high, probability) = table.interval(&shared.at_least, alive, options.share);
            let factor = shared.discount * options.margin;
            let mean = spend.expected_spend(valued.x, valued.mean);
            forecasts.push(RevenueForecast {
                expected: mean.map(|mean| alive * shared.expected * mean * factor),
                low: low * rate * factor,
                high: high * rate * factor,
                probability,
            });
        }
        forecasts
    });
    let blank = RevenueForecast {
        expected: None,
        low: 0.0,
        high: 0.0,
        probability: 0.0,
    };
    let mut forecasts = vec![blank; buyers.len()];
    for (&i, forecast) in order.iter().zip(parts.iter().flatten()) {
        forecasts[i as usize] = *forecast;
    }
    Ok(forecasts)
}

fn check(options: &RevenueOptions) -> Result<(), StatsError> {
    let bad = |name, expected, value| {
        Err(StatsError::BadArgument {
            name,
            expected,
            value,
        })
    };
    let RevenueOptions {
        horizon,
        discount_rate,
        margin,
        share,
        ..
    } = *options;
    if !(horizon > 0.0 && horizon.is_finite()) {
        return bad("horizon", "positive and finite", horizon);
    }
    if !(discount_rate >= 0.0 && discount_rate.is_finite()) {
        return bad("discount_rate", "0 or more and finite", discount_rate);
    }
    if !(margin > 0.0 && margin.is_finite()) {
        return bad("margin", "positive and finite", margin);
    }
    if !(share > 0.0 && share < 1.0) {
        return bad("share", "between 0 and 1", share);
    }
    Ok(())
}

/// The orders whose value is known: none when their mean is not positive and finite.
fn valued(spend: SpendSummary) -> SpendSummary {
    if spend.x > 0 && spend.mean > 0.0 && spend.mean.is_finite() {
        spend
    } else {
        SpendSummary { x: 0, mean: 0.0 }
    }
}

/// What buyers with the same (x, T) share.
struct Shared {
    /// Expected orders if alive.
    expected: f64,
    /// Discounted over undiscounted.
    discount: f64,
    /// P(Y ≥ n | alive), n = 0, 1, …
    at_least: Vec<f64>,
}

impl Shared {
    fn new(orders: &PurchaseModel, history: PurchaseSummary, options: &RevenueOptions) -> Self {
        let future = orders.future(history.x, history.t);
        let expected = future.expected(options.horizon);
        let discount = if options.discount_rate > 0.0 && expected > 0.0 {
            future.discounted(options.horizon, options.discount_rate) / expected
        } else {
            1.0
        };
        Self {
            expected,
            discount,
            at_least: future.at_least(options.horizon, 1e-5),
        }
    }
}
