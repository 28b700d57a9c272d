//! Gamma-Gamma: what a customer's orders are worth.
//!
//! Fader & Hardie, "The Gamma-Gamma model of monetary value" (note 025, 2013), after Colombo & Jiang
//! (1999). Assumptions:
//!
//! 1. A customer's orders are worth Gamma(p, rate ν) each.
//! 2. ν varies between customers as Gamma(q, rate γ).
//! 3. Spend per order is independent of how often the customer orders; [`SpendCounts`] carries the
//!    data for the correlation that would contradict it.
//!
//! Fitted on customers with x > 0 repeat orders of mean value m > 0: means, not sums.

mod fit;
mod groups;

use serde::{Deserialize, Serialize};

use crate::error::{StatsError, positive};
use crate::fitted::{FitOptions, Fitted};
use crate::special::incomplete::beta_quantile;

pub use groups::{GroupedSpend, SpendCounts, SpendGroup, SpendSummary};

/// Parameters of the Gamma-Gamma model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GammaGamma {
    /// Shape of an order's value.
    pub p: f64,
    /// Shape of the customers' rates.
    pub q: f64,
    /// Rate parameter of the customers' rates, an amount of money.
    pub gamma: f64,
}

/// An interval of amounts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SpendInterval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl GammaGamma {
    /// # Errors
    /// [`StatsError::BadArgument`] unless all parameters are positive and finite.
    pub fn new(p: f64, q: f64, gamma: f64) -> Result<Self, StatsError> {
        Ok(Self {
            p: positive("p", p)?,
            q: positive("q", q)?,
            gamma: positive("gamma", gamma)?,
        })
    }

    /// Maximum likelihood (note 025, eq. 1a).
    ///
    /// # Errors
    /// [`StatsError::NoFiniteStart`].
    pub fn fit(spend: &GroupedSpend, options: &FitOptions) -> Result<Fitted<Self>, StatsError> {
        Ok(fit::fit(spend, options)?.map(|[p, q, gamma]| Self { p, q, gamma }))
    }

    /// Mean value of an order over all customers, p γ / (q − 1); `None` (infinite) when q ≤ 1.
    pub fn population_mean(&self) -> Option<f64> {
        (self.q > 1.0).then(|| self.p * self.gamma / (self.q - 1.0))
    }

    /// Expected value of a further order of a customer with `x` orders of mean value `mean`
    /// (eq. 5); the population's mean for x = 0. `None` when it is infinite: p x + q ≤ 1.
    pub fn expected_spend(&self, x: u32, mean: f64) -> Option<f64> {
        let (shape, rate) = self.posterior(x, mean);
        (shape > 1.0).then(|| self.p * rate / (shape - 1.0))
    }

    /// Derivatives of the logarithm of [`Self::expected_spend`] by the logarithms of p, q and γ;
    /// `None` where it is infinite.
    pub fn relative_slopes(&self, x: u32, mean: f64) -> Option<[f64; 3]> {
        self.relative_slopes_at(x, self.expected_spend(x, mean)?)
    }

    /// The same of a customer whose expected spend is known to be `expected`.
    pub fn relative_slopes_at(&self, x: u32, expected: f64) -> Option<[f64; 3]> {
        // One less than the shape of ν, and γ + m x from the expectation.
        let left = self.p * f64::from(x) + self.q - 1.0;
        (left > 0.0 && expected > 0.0).then(|| {
            [
                1.0 - self.p * f64::from(x) / left,
                -self.q / left,
                self.p * self.gamma / (expected * left),
            ]
        })
    }

    /// Predictive interval of the customer's mean value of `orders` further orders, central, with
    /// probability `share`.
    ///
    /// Given ν the sum of n orders is Gamma(p n, ν), so over ν | x, m ~ Gamma(p x + q, γ + m x) it is
    /// (γ + m x) times a beta-prime(p n, p x + q) variable.
    pub fn spend_interval(&self, x: u32, mean: f64, orders: u32, share: f64) -> SpendInterval {
        let (shape, rate) = self.posterior(x, mean);
        let n = f64::from(orders.max(1));
        let at = |probability: f64| {
            // Quantiles of the smaller side of the beta keep their precision.
            let y = beta_quantile(shape, self.p * n, 1.0 - probability);
            rate * (1.0 - y) / y / n
        };
        let beside = 0.5 * (1.0 - share);
        SpendInterval {
            low: at(beside),
            high: at(1.0 - beside),
        }
    }

    /// (shape, rate) of ν given `x` orders of mean value `mean`.
    pub(crate) fn posterior(&self, x: u32, mean: f64) -> (f64, f64) {
        if x == 0 {
            return (self.q, self.gamma);
        }
        let x = f64::from(x);
        (self.p * x + self.q, self.gamma + mean * x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correctness_relative_slopes_are_derivatives() {
        let model = GammaGamma::new(6.25, 3.744, 15.443).unwrap();
        let step = 1e-5;
        for (x, mean) in [(0, 0.0), (1, 10.0), (7, 120.0)] {
            let slopes = model.relative_slopes(x, mean).unwrap();
            for (i, slope) in slopes.into_iter().enumerate() {
                let moved = |by: f64| {
                    let mut values = [model.p, model.q, model.gamma];
                    values[i] *= libm::exp(by);
                    let [p, q, gamma] = values;
                    libm::log(GammaGamma { p, q, gamma }.expected_spend(x, mean).unwrap())
                };
                let numeric = (moved(step) - moved(-step)) / (2.0 * step);
                assert!((numeric - slope).abs() < 1e-8, "{i} {numeric} {slope}");
            }
        }
        let heavy = GammaGamma::new(1.0, 0.8, 1.0).unwrap();
        assert_eq!(heavy.relative_slopes(0, 0.0), None);
    }
}
