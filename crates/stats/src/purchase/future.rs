//! Orders after T of a customer who is alive at T.
//!
//! Without dropout the number K of orders in a horizon h is negative binomial with shape r+x and
//! rate α+T. Dropout cuts it short:
//!
//! - *geometric*: Y ≥ n exactly when K ≥ n and the customer survived n − 1 opportunities, so
//!   P(Y ≥ n) = P(K ≥ n) · Q(n−1), Q(j) = B(a, b+j)/B(a, b), and E\[Y\] is their sum. This equals the
//!   hypergeometric form of Fader, Hardie & Lee (2005, eq. 10) but has only positive terms: nothing
//!   is singular at a = 1 or a + b = 1.
//! - *Lomax*: the customer leaves at a moment u, P(Y ≥ n) is averaged over u; E\[Y\] has a closed
//!   form whose limit at s = 1 is taken by `expm1`.

mod arrivals;
mod leaving;

use super::lomax::Kernel;
use crate::special::gamma::ln_beta;
use crate::special::incomplete::beta_i;
use crate::special::quadrature::gauss_legendre;
use arrivals::{Arrivals, expected_by_quadrature, geometric_tail};
use leaving::{leaving, lomax_tail};

/// More terms than this, and an integral takes the place of a sum.
const MANY_TERMS: f64 = 50_000.0;

/// The process from T on, with the posterior parameters of a customer who is alive at T.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Future {
    /// Never leaves.
    Endless {
        /// r + x.
        shape: f64,
        /// α + T.
        rate: f64,
    },
    /// Leaves after an order with probability p ~ Beta(a, b).
    Geometric {
        /// r + x.
        shape: f64,
        /// α + T.
        rate: f64,
        /// Posterior first shape.
        a: f64,
        /// Posterior second shape.
        b: f64,
    },
    /// Leaves at a rate μ ~ Gamma(s, rate β).
    Lomax {
        /// r + x.
        shape: f64,
        /// α + T.
        rate: f64,
        /// Shape of the dropout rates.
        s: f64,
        /// β + T.
        beta: f64,
    },
}

impl Future {
    /// Expected orders within `horizon` from T.
    pub fn expected(&self, horizon: f64) -> f64 {
        if horizon <= 0.0 {
            return 0.0;
        }
        match *self {
            Self::Endless { shape, rate } => shape * horizon / rate,
            Self::Geometric { shape, rate, a, b } => {
                let arrivals = Arrivals::new(shape, rate, horizon);
                if arrivals.last() > MANY_TERMS {
                    expected_by_quadrature(shape, horizon / rate, a, b)
                } else {
                    arrivals.expected_before_dropout(a, b)
                }
            }
            Self::Lomax {
                shape,
                rate,
                s,
                beta,
            } => {
                // Expected time alive in the horizon, times the mean rate.
                let stretch = libm::log1p(horizon / beta);
                let power = (1.0 - s) * stretch;
                let alive = if power.abs() < 1e-300 {
                    beta * stretch
                } else {
                    beta * stretch * (libm::expm1(power) / power)
                };
                shape / rate * alive
            }
        }
    }

    /// Expected orders within `horizon` from T, each discounted to T at the continuous `rate` for one
    /// unit of time: ∫ e^(−δ t) dE(t), by parts, with Gauss–Legendre of 16 nodes for the integral.
    pub fn discounted(&self, horizon: f64, rate: f64) -> f64 {
        if horizon <= 0.0 || rate == 0.0 {
            return self.expected(horizon);
        }
        let rule = gauss_legendre(16);
        let mut sum = libm::exp(-rate * horizon) * self.expected(horizon);
        for (node, weight) in rule.nodes.iter().zip(&rule.weights) {
            let t = node * horizon;
            sum += rate * horizon * weight * libm::exp(-rate * t) * self.expected(t);
        }
        sum
    }

    /// Probability of no order within `horizon` from T.
    pub fn none(&self, horizon: f64) -> f64 {
        if horizon <= 0.0 {
            return 1.0;
        }
        match *self {
            // A customer who is alive after the last order cannot leave before the next.
            Self::Endless { shape, rate } | Self::Geometric { shape, rate, .. } => {
                libm::exp(-shape * libm::log1p(horizon / rate))
            }
            Self::Lomax {
                shape,
                rate,
                s,
                beta,
            } => {
                let stays = libm::exp(
                    -shape * libm::log1p(horizon / rate) - s * libm::log1p(horizon / beta),
                );
                let kernel = Kernel {
                    k: shape,
                    alpha: rate,
                    l: s + 1.0,
                    beta,
                };
                (stays + s / beta * kernel.integral(0.0, horizon)).min(1.0)
            }
        }
    }

    /// Probability of exactly `n` orders within `horizon` from T.
    pub fn exactly(&self, n: u32, horizon: f64) -> f64 {
        if n == 0 || horizon <= 0.0 {
            return if n == 0 { self.none(horizon) } else { 0.0 };
        }
        let count = f64::from(n);
        match *self {
            Self::Endless { shape, rate } => {
                libm::exp(Arrivals::new(shape, rate, horizon).ln_weight(count))
            }
            Self::Geometric { shape, rate, a, b } => {
                let arrivals = Arrivals::new(shape, rate, horizon);
                let survived = ln_beta(a, b + count - 1.0) - ln_beta(a, b);
                let leaves = a / (a + b + count - 1.0);
                let more = beta_i(count + 1.0, shape, arrivals.z);
                libm::exp(survived + arrivals.ln_weight(count))
                    + libm::exp(survived) * leaves * more
            }
            Self::Lomax {
                shape,
                rate,
                s,
                beta,
            } => {
                let mut sum = 0.0;
                leaving(s, beta, rate, horizon, 4, |mass, until| {
                    let arrivals = Arrivals::new(shape, rate, until);
                    sum += mass * libm::exp(arrivals.ln_weight(count));
                });
                sum
            }
        }
    }

    /// P(orders within `horizon` ≥ n) for n = 0, 1, … down to the first below `least`.
    pub fn at_least(&self, horizon: f64, least: f64) -> Vec<f64> {
        if horizon <= 0.0 {
            return vec![1.0];
        }
        match *self {
            Self::Endless { shape, rate } => {
                geometric_tail(Arrivals::new(shape, rate, horizon), 0.0, 1.0, least)
            }
            Self::Geometric { shape, rate, a, b } => {
                geometric_tail(Arrivals::new(shape, rate, horizon), a, b, least)
            }
            Self::Lomax {
                shape,
                rate,
                s,
                beta,
            } => lomax_tail(shape, rate, s, beta, horizon, least),
        }
    }
}
