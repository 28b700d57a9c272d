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

use super::lomax::Kernel;
use crate::special::gamma::{ln_beta, ln_gamma, ln_gamma_ratio};
use crate::special::incomplete::{beta_i, logistic};
use crate::special::quadrature::gauss_legendre;

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

/// Orders in a time without dropout: negative binomial.
#[derive(Clone, Copy)]
struct Arrivals {
    shape: f64,
    /// Time over rate.
    odds: f64,
    /// odds / (1 + odds).
    z: f64,
    /// ln(1 + odds).
    stretch: f64,
}

impl Arrivals {
    fn new(shape: f64, rate: f64, time: f64) -> Self {
        let odds = time / rate;
        Self {
            shape,
            odds,
            z: odds / (1.0 + odds),
            stretch: libm::log1p(odds),
        }
    }

    fn mean(&self) -> f64 {
        self.shape * self.odds
    }

    fn deviation(&self) -> f64 {
        (self.mean() * (1.0 + self.odds)).sqrt()
    }

    /// A number that K exceeds with negligible probability.
    fn last(&self) -> f64 {
        self.mean() + 12.0 * self.deviation() + 40.0 * (1.0 + self.odds)
    }

    /// A number that K falls below with negligible probability; above 0 only where P(K = 0) would
    /// underflow.
    fn first(&self) -> f64 {
        if self.shape * self.stretch < 600.0 {
            return 0.0;
        }
        (self.mean() - 12.0 * self.deviation()).floor().max(0.0)
    }

    /// ln P(K = n).
    fn ln_weight(&self, n: f64) -> f64 {
        let none = -self.shape * self.stretch;
        if n == 0.0 {
            return none;
        }
        ln_gamma_ratio(self.shape, n) - ln_gamma(n + 1.0) + n * libm::log(self.z) + none
    }

    /// P(K = n + 1) / P(K = n).
    fn ratio(&self, n: f64) -> f64 {
        self.z * (self.shape + n) / (n + 1.0)
    }

    /// E\[Y\] = Σ P(K = k) Σ_{j<k} Q(j).
    fn expected_before_dropout(&self, a: f64, b: f64) -> f64 {
        let first = self.first();
        let mean = self.mean();
        let (mut survived, mut reached) = (1.0, 0.0);
        let mut k = 0.0;
        while k < first {
            reached += survived;
            survived *= (b + k) / (a + b + k);
            k += 1.0;
        }
        let mut weight = libm::exp(self.ln_weight(first));
        let mut sum = weight * reached;
        loop {
            reached += survived;
            survived *= (b + k) / (a + b + k);
            let ratio = self.ratio(k);
            weight *= ratio;
            k += 1.0;
            let term = weight * reached;
            sum += term;
            // `reached` grows no faster than k, so the rest is below term / (1 − ratio)².
            if k > mean && ratio < 1.0 && term < 1e-16 * sum * (1.0 - ratio) * (1.0 - ratio) {
                return sum;
            }
            if k > 10.0 * MANY_TERMS || sum.is_nan() {
                return sum;
            }
        }
    }
}

/// E\[(1 − (1 + p·odds)^−shape) / p\] over p ~ Beta(a, b), by the double-exponential rule in the logit
/// of p: for horizons so long that the sum would have too many terms.
fn expected_by_quadrature(shape: f64, odds: f64, a: f64, b: f64) -> f64 {
    const STEP: f64 = 1.0 / 256.0;
    let ln_norm = ln_beta(a, b);
    let value = |tau: f64| {
        let half = core::f64::consts::PI * libm::sinh(tau);
        let (p, _) = logistic(half);
        let (ln_p, ln_q) = if half < 0.0 {
            let rest = libm::log1p(libm::exp(half));
            (half - rest, -rest)
        } else {
            let rest = libm::log1p(libm::exp(-half));
            (-rest, -half - rest)
        };
        let orders = if p * odds < 1e-200 {
            shape * odds
        } else {
            -libm::expm1(-shape * libm::log1p(p * odds)) / p
        };
        let density = libm::exp(a * ln_p + b * ln_q - ln_norm);
        density * orders * core::f64::consts::PI * libm::cosh(tau) * STEP
    };
    let reach = |power: f64| libm::asinh(60.0 / (core::f64::consts::PI * power)).min(18.0);
    let from = -(reach(a) / STEP).ceil() as i64;
    let to = (reach(b) / STEP).ceil() as i64;
    (from..=to).map(|i| value(i as f64 * STEP)).sum()
}

fn geometric_tail(arrivals: Arrivals, a: f64, b: f64, least: f64) -> Vec<f64> {
    let mut tail = vec![1.0];
    let mut survived = 1.0;
    if arrivals.last() > MANY_TERMS {
        let mut n = 1.0;
        while tail[tail.len() - 1] >= least && n < MANY_TERMS {
            tail.push(beta_i(n, arrivals.shape, arrivals.z) * survived);
            survived *= (b + n - 1.0) / (a + b + n - 1.0);
            n += 1.0;
        }
        return tail;
    }
    // P(K = n) forwards, then P(K ≥ n) summed from its far end.
    let first = arrivals.first();
    let mut weights = vec![0.0; first as usize];
    let mut weight = libm::exp(arrivals.ln_weight(first));
    let mut n = first;
    weights.push(weight);
    while n < arrivals.mean() || weight > least * 1e-6 {
        weight *= arrivals.ratio(n);
        n += 1.0;
        weights.push(weight);
    }
    let mut beyond = weight * arrivals.ratio(n) / (1.0 - arrivals.z);
    for weight in weights.iter_mut().rev() {
        beyond += *weight;
        *weight = beyond;
    }
    for (n, &beyond) in weights.iter().enumerate().skip(1) {
        tail.push(beyond.min(1.0) * survived);
        if tail[n] < least {
            break;
        }
        let n = n as f64;
        survived *= (b + n - 1.0) / (a + b + n - 1.0);
    }
    tail
}

fn lomax_tail(shape: f64, rate: f64, s: f64, beta: f64, horizon: f64, least: f64) -> Vec<f64> {
    struct Branch {
        mass: f64,
        arrivals: Arrivals,
        ln_weight: f64,
        weight: f64,
    }
    let mut branches = Vec::new();
    let panels = if shape > 50.0 { 4 } else { 1 };
    leaving(s, beta, rate, horizon, panels, |mass, until| {
        let arrivals = Arrivals::new(shape, rate, until);
        let ln_weight = arrivals.ln_weight(0.0);
        branches.push(Branch {
            mass,
            arrivals,
            ln_weight,
            weight: libm::exp(ln_weight),
        });
    });
    let mut tail = vec![1.0];
    let mut n = 0.0;
    loop {
        let mut exactly = 0.0;
        for branch in &mut branches {
            exactly += branch.mass * branch.weight;
            let ratio = branch.arrivals.ratio(n);
            if branch.weight > 1e-250 {
                branch.weight *= ratio;
                branch.ln_weight = f64::NAN;
            } else if branch.ln_weight > f64::NEG_INFINITY {
                // Still below the smallest number: carried in logs until it rises.
                branch.ln_weight += libm::log(ratio);
                branch.weight = libm::exp(branch.ln_weight);
            }
        }
        let next = (tail[tail.len() - 1] - exactly).max(0.0);
        tail.push(next);
        n += 1.0;
        if next < least || n > MANY_TERMS {
            return tail;
        }
    }
}

/// Visits (probability, time alive within the horizon): moments of leaving as nodes, then staying.
fn leaving(
    s: f64,
    beta: f64,
    rate: f64,
    horizon: f64,
    panels: usize,
    mut visit: impl FnMut(f64, f64),
) {
    // In the logarithm of the faster of rate + u and beta + u, where both are smooth.
    let base = rate.min(beta);
    let reach = libm::log1p(horizon / base);
    let rule = gauss_legendre(32);
    for panel in 0..panels {
        for (node, weight) in rule.nodes.iter().zip(&rule.weights) {
            let y = reach * (panel as f64 + node) / panels as f64;
            let until = base * libm::expm1(y);
            let density = s / beta * libm::exp(-(s + 1.0) * libm::log1p(until / beta));
            visit(
                density * weight * (base + until) * reach / panels as f64,
                until,
            );
        }
    }
    visit(libm::exp(-s * libm::log1p(horizon / beta)), horizon);
}
