//! Orders without dropout in a given time, and dropout after one of them.

use super::MANY_TERMS;
use crate::special::gamma::{ln_beta, ln_gamma, ln_gamma_ratio};
use crate::special::incomplete::{beta_i, logistic};

/// Orders in a time without dropout: negative binomial.
#[derive(Clone, Copy)]
pub(super) struct Arrivals {
    shape: f64,
    /// Time over rate.
    odds: f64,
    /// odds / (1 + odds).
    pub(super) z: f64,
    /// ln(1 + odds).
    stretch: f64,
}

impl Arrivals {
    pub(super) fn new(shape: f64, rate: f64, time: f64) -> Self {
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
    pub(super) fn last(&self) -> f64 {
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
    pub(super) fn ln_weight(&self, n: f64) -> f64 {
        let none = -self.shape * self.stretch;
        if n == 0.0 {
            return none;
        }
        ln_gamma_ratio(self.shape, n) - ln_gamma(n + 1.0) + n * libm::log(self.z) + none
    }

    /// P(K = n + 1) / P(K = n).
    pub(super) fn ratio(&self, n: f64) -> f64 {
        self.z * (self.shape + n) / (n + 1.0)
    }

    /// E\[Y\] = Σ P(K = k) Σ_{j<k} Q(j).
    pub(super) fn expected_before_dropout(&self, a: f64, b: f64) -> f64 {
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
pub(super) fn expected_by_quadrature(shape: f64, odds: f64, a: f64, b: f64) -> f64 {
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

/// P(Y ≥ n), n = 0, 1, …, down to the first below `least`, of arrivals cut short by dropout.
pub(super) fn geometric_tail(arrivals: Arrivals, a: f64, b: f64, least: f64) -> Vec<f64> {
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
