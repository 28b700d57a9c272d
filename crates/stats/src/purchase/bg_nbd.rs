//! BG/NBD: Fader, Hardie & Lee, "Counting your customers the easy way", Marketing Science 24 (2005).
//!
//! Assumptions beside those of [`crate::purchase`]:
//!
//! 1. After each repeat order the customer leaves for ever with probability p.
//! 2. p varies between customers as Beta(a, b), independently of the rate.
//!
//! A customer without a repeat order has had no chance to leave, so P(alive) is exactly 1.

use serde::{Deserialize, Serialize};

use super::fit::fit_geometric;
use super::future::Future;
use super::geometric::{self, Start};
use super::{GroupedSummaries, PurchaseSummary};
use crate::error::{StatsError, positive};
use crate::fitted::{FitOptions, Fitted};

/// Parameters of the BG/NBD.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BgNbd {
    /// Shape of the rates.
    pub r: f64,
    /// Rate parameter of the rates, a time.
    pub alpha: f64,
    /// First shape of the dropout probabilities.
    pub a: f64,
    /// Second shape of the dropout probabilities.
    pub b: f64,
}

impl BgNbd {
    /// # Errors
    /// [`StatsError::BadArgument`] unless all parameters are positive and finite.
    pub fn new(r: f64, alpha: f64, a: f64, b: f64) -> Result<Self, StatsError> {
        Ok(Self {
            r: positive("r", r)?,
            alpha: positive("alpha", alpha)?,
            a: positive("a", a)?,
            b: positive("b", b)?,
        })
    }

    /// Maximum likelihood (eq. 6).
    ///
    /// # Errors
    /// [`StatsError::NoRepeats`] when all have x = 0, [`StatsError::NoFiniteStart`].
    pub fn fit(
        groups: &GroupedSummaries,
        options: &FitOptions,
    ) -> Result<Fitted<Self>, StatsError> {
        let fitted = fit_geometric("BG/NBD", Start::Safe, groups, options)?;
        Ok(fitted.map(|[r, alpha, a, b]| Self { r, alpha, a, b }))
    }

    /// P(alive at T | x, `t_x`, T) (Fader, Hardie & Lee, note 021).
    pub fn probability_alive(&self, history: PurchaseSummary) -> f64 {
        let point = [self.r, self.alpha, self.a, self.b];
        geometric::probability_alive(point, history, f64::from(history.x))
    }

    /// Orders after T of a customer who is alive then.
    pub fn future(&self, x: u32, t: f64) -> Future {
        let x = f64::from(x);
        Future::Geometric {
            shape: self.r + x,
            rate: self.alpha + t,
            a: self.a,
            b: self.b + x,
        }
    }
}
