//! What every fit gives back: the model, how sure its parameters are, and how the search went.

mod search;

use serde::{Deserialize, Serialize};

use crate::optimise::Convergence;
use crate::parallel::Parallelism;
use crate::special::incomplete::normal_quantile;

pub(crate) use search::{Likelihood, Problem, search};

/// How to search for the maximum of a likelihood.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FitOptions {
    /// Threads to use; never affects the result.
    pub parallelism: Parallelism,
    /// Newton steps allowed for each start.
    pub max_iterations: u32,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            parallelism: Parallelism::ONE,
            max_iterations: 200,
        }
    }
}

/// A model fitted by maximum likelihood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fitted<M> {
    /// The model at the maximum, in the caller's units of time or money.
    pub model: M,
    /// Each parameter under its paper's name, in the order of `covariance`.
    pub estimates: Vec<Estimate>,
    /// Covariance of the parameters (inverse of the observed information, natural scale), d × d.
    /// `None` when the information is not positive definite or a parameter is at its boundary.
    pub covariance: Option<Vec<Vec<f64>>>,
    /// Whether the observed information could be inverted.
    pub information: Information,
    /// Log-likelihood on the scale of the papers, in the caller's units.
    pub log_likelihood: f64,
    /// Akaike's criterion, 2 d − 2 `log_likelihood`.
    pub aic: f64,
    /// Customers that entered the likelihood.
    pub customers: u64,
    /// How the winning search ended.
    pub convergence: Convergence,
    /// Newton steps of the winning search, over all customers.
    pub iterations: u32,
    /// Largest component of the gradient in log-parameters per customer, at the end.
    pub gradient_norm: f64,
    /// Each start tried, in order.
    pub starts: Vec<StartOutcome>,
}

/// The widest reach of an interval in log-parameters: ln 10⁶.
const WIDEST_REACH: f64 = 13.815_510_557_964_274;

/// One parameter with its standard error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The paper's letter: `r`, `alpha`, …
    pub parameter: String,
    /// The maximum-likelihood value.
    pub value: f64,
    /// From the observed information; `None` when that is not positive definite.
    pub standard_error: Option<f64>,
}

impl Estimate {
    /// The interval that covers the parameter with probability `share`, as far as the logarithm of
    /// the estimate is normal: value · exp(± z · standard error / value). `None` without a standard
    /// error, and where the ends were further than a factor of a million from the value: the data
    /// do not tell the parameter then.
    pub fn interval(&self, share: f64) -> Option<(f64, f64)> {
        let reach = normal_quantile(0.5 + 0.5 * share) * self.standard_error? / self.value;
        let ends = || {
            (
                self.value * libm::exp(-reach),
                self.value * libm::exp(reach),
            )
        };
        (reach <= WIDEST_REACH).then(ends)
    }
}

/// State of the observed information at the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Information {
    /// Standard errors can be trusted as far as normality holds.
    PositiveDefinite,
    /// The likelihood is flat in some direction: there are no standard errors.
    NotPositiveDefinite,
}

/// One start of the search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartOutcome {
    /// Parameters it started from, in the caller's units.
    pub start: Vec<f64>,
    /// Log-likelihood reached, on the groups used to compare starts (all, when they are few).
    pub log_likelihood: f64,
    /// Newton steps made.
    pub iterations: u32,
    /// How it ended.
    pub convergence: Convergence,
}

impl<M> Fitted<M> {
    /// The same fit with its model seen through `change`.
    pub fn map<N>(self, change: impl FnOnce(M) -> N) -> Fitted<N> {
        Fitted {
            model: change(self.model),
            estimates: self.estimates,
            covariance: self.covariance,
            information: self.information,
            log_likelihood: self.log_likelihood,
            aic: self.aic,
            customers: self.customers,
            convergence: self.convergence,
            iterations: self.iterations,
            gradient_norm: self.gradient_norm,
            starts: self.starts,
        }
    }

    /// Covariance of the logarithms of the parameters: that of the parameters over their values.
    pub fn log_covariance(&self) -> Option<Vec<Vec<f64>>> {
        let value = |i: usize| self.estimates[i].value;
        let rows = self.covariance.as_ref()?.iter().enumerate();
        let row = |(i, row): (usize, &Vec<f64>)| {
            let entries = row.iter().enumerate();
            entries.map(|(j, c)| c / (value(i) * value(j))).collect()
        };
        Some(rows.map(row).collect())
    }

    /// The parameter of that name.
    pub fn estimate(&self, parameter: &str) -> Option<&Estimate> {
        self.estimates
            .iter()
            .find(|estimate| estimate.parameter == parameter)
    }
}
