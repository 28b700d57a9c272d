//! NBD without dropout: Ehrenberg (1959), as the likelihood of the orders' times.
//!
//! No assumption beside those of [`crate::purchase`]: customers never leave. It is the model that
//! the others become when their dropout goes to nothing, and what is left when the data show none.

use serde::{Deserialize, Serialize};

use super::GroupedSummaries;
use super::fit::fit_nbd;
use super::future::Future;
use super::geometric::add_ends;
use super::tables::Tables;
use crate::error::{StatsError, positive};
use crate::fitted::{FitOptions, Fitted};
use crate::optimise::Evaluation;
use crate::special::gamma::{digamma, ln_gamma_ratio, trigamma};

/// Parameters of the NBD.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Nbd {
    /// Shape of the rates.
    pub r: f64,
    /// Rate parameter of the rates, a time.
    pub alpha: f64,
}

impl Nbd {
    /// # Errors
    /// [`StatsError::BadArgument`] unless both parameters are positive and finite.
    pub fn new(r: f64, alpha: f64) -> Result<Self, StatsError> {
        Ok(Self {
            r: positive("r", r)?,
            alpha: positive("alpha", alpha)?,
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
        Ok(fit_nbd(groups, options)?.map(|[r, alpha]| Self { r, alpha }))
    }

    /// Orders after T.
    pub fn future(&self, x: u32, t: f64) -> Future {
        Future::Endless {
            shape: self.r + f64::from(x),
            rate: self.alpha + t,
        }
    }
}

/// ln L = Σ ln Γ(r+x) − ln Γ(r) + r ln α − (r+x) ln(α+T), with derivatives, at the logarithms of
/// scaled (r, alpha).
pub(super) fn evaluate(tables: &Tables, logs: &[f64; 2]) -> Evaluation<2> {
    let point = logs.map(libm::exp);
    let [r, alpha] = point;
    let mut sum = Evaluation::ZERO;
    let at_r = (digamma(r), trigamma(r));
    for &(x, w) in &tables.counts {
        let (first, second) = if x == 0.0 {
            (0.0, 0.0)
        } else {
            (digamma(r + x) - at_r.0, trigamma(r + x) - at_r.1)
        };
        sum.value += w * (ln_gamma_ratio(r, x) + r * logs[1]);
        sum.gradient[0] += w * (first + logs[1]);
        sum.gradient[1] += w * r / alpha;
        sum.hessian[0][0] += w * second;
        sum.hessian[0][1] += w / alpha;
        sum.hessian[1][0] += w / alpha;
        sum.hessian[1][1] -= w * r / (alpha * alpha);
    }
    let ends: Vec<(f64, f64)> = tables
        .times
        .iter()
        .map(|&t| (libm::log(alpha + t), 1.0 / (alpha + t)))
        .collect();
    add_ends(tables, point, &ends, &mut sum);
    sum.in_logs(&point)
}
