//! Pareto/NBD: Schmittlein, Morrison & Colombo, "Counting your customers: who are they and what will
//! they do next?", Management Science 33 (1987); Fader & Hardie's notes 008 and 009.
//!
//! Assumptions beside those of [`crate::purchase`]:
//!
//! 1. A customer's lifetime is exponential with a dropout rate μ of their own.
//! 2. μ varies between customers as Gamma(s, rate β), independently of the order rate.

use serde::{Deserialize, Serialize};

use super::fit::fit_pareto;
use super::future::Future;
use super::lomax;
use super::{GroupedSummaries, PurchaseSummary};
use crate::error::{StatsError, positive};
use crate::fitted::{FitOptions, Fitted};

/// Parameters of the Pareto/NBD.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ParetoNbd {
    /// Shape of the order rates.
    pub r: f64,
    /// Rate parameter of the order rates, a time.
    pub alpha: f64,
    /// Shape of the dropout rates.
    pub s: f64,
    /// Rate parameter of the dropout rates, a time.
    pub beta: f64,
}

impl ParetoNbd {
    /// # Errors
    /// [`StatsError::BadArgument`] unless all parameters are positive and finite.
    pub fn new(r: f64, alpha: f64, s: f64, beta: f64) -> Result<Self, StatsError> {
        Ok(Self {
            r: positive("r", r)?,
            alpha: positive("alpha", alpha)?,
            s: positive("s", s)?,
            beta: positive("beta", beta)?,
        })
    }

    /// Maximum likelihood.
    ///
    /// # Errors
    /// [`StatsError::NoRepeats`] when all have x = 0, [`StatsError::NoFiniteStart`].
    pub fn fit(
        groups: &GroupedSummaries,
        options: &FitOptions,
    ) -> Result<Fitted<Self>, StatsError> {
        let fitted = fit_pareto(groups, options)?;
        Ok(fitted.map(|[r, alpha, s, beta]| Self { r, alpha, s, beta }))
    }

    /// P(alive at T | x, `t_x`, T).
    pub fn probability_alive(&self, history: PurchaseSummary) -> f64 {
        if history.t <= history.t_x {
            return 1.0;
        }
        let point = [self.r, self.alpha, self.s, self.beta];
        1.0 / (1.0 + libm::exp(lomax::ln_odds_left(point, history)))
    }

    /// Orders after T of a customer who is alive then.
    pub fn future(&self, x: u32, t: f64) -> Future {
        Future::Lomax {
            shape: self.r + f64::from(x),
            rate: self.alpha + t,
            s: self.s,
            beta: self.beta + t,
        }
    }
}
