//! Quantiles of a customer's future revenue.
//!
//! Over γ′ the distribution depends on the counts' probabilities and on (p, q′) only, so the beta
//! functions are tabulated once for all customers with the same q′. The table's steps are an eighth
//! of the standard deviation of ln ν, and a quantile is interpolated between them by a cubic: it
//! keeps its probability to better than 10⁻⁴.

use crate::special::gamma::{ln_beta, trigamma};
use crate::special::incomplete::{beta_i_with, logistic};

/// Steps of the table in one standard deviation of ln ν.
const STEPS: f64 = 8.0;

/// Probabilities nearer than this to 0 and 1 are taken as 0 and 1.
const NEGLIGIBLE: f64 = 1e-7;

/// Points of the table on each side of a count's centre, at most.
const WIDEST: i64 = 20_000;

/// P(revenue of n orders > γ′ e^v) on a grid of v, for all n asked for so far.
pub(super) struct RevenueTable {
    p: f64,
    shape: f64,
    step: f64,
    /// The entry k belongs to n = k + 1.
    counts: Vec<Exceeding>,
}

struct Exceeding {
    /// Grid index of the first entry; before it the probability is 1, after the last it is 0.
    first: i64,
    probabilities: Vec<f64>,
}

impl Exceeding {
    fn at(&self, index: i64) -> f64 {
        match usize::try_from(index - self.first) {
            Err(_) => 1.0,
            Ok(k) => self.probabilities.get(k).copied().unwrap_or(0.0),
        }
    }
}

impl RevenueTable {
    /// A table for orders of shape `p` and a customer's ν of shape q′ = `shape`.
    pub(super) fn new(p: f64, shape: f64) -> Self {
        Self {
            p,
            shape,
            step: trigamma(shape).sqrt() / STEPS,
            counts: Vec::new(),
        }
    }

    /// Makes sure of the counts up to `n`.
    pub(super) fn reach(&mut self, n: usize) {
        while self.counts.len() < n {
            self.counts.push(self.exceeding(self.counts.len() + 1));
        }
    }

    fn exceeding(&self, n: usize) -> Exceeding {
        let shape = self.p * n as f64;
        let ln_norm = ln_beta(shape, self.shape);
        let at = |index: i64| {
            let (x, y) = logistic(index as f64 * self.step);
            // The other side's integral, so that small probabilities keep their digits.
            beta_i_with(self.shape, shape, ln_norm, y, x)
        };
        let centre = (libm::log(shape / self.shape) / self.step).round() as i64;
        let mut before = Vec::new();
        for index in (centre - WIDEST..centre).rev() {
            let probability = at(index);
            if probability > 1.0 - NEGLIGIBLE {
                break;
            }
            before.push(probability);
        }
        let first = centre - before.len() as i64;
        before.reverse();
        let mut probabilities = before;
        for index in centre..centre + WIDEST {
            let probability = at(index);
            probabilities.push(probability);
            if probability < NEGLIGIBLE {
                break;
            }
        }
        Exceeding {
            first,
            probabilities,
        }
    }

    /// (low, high, probability) of the interval over γ′ that holds `share`, for P(Y ≥ n | alive),
    /// n = 0, 1, …, of which the table reaches all.
    pub(super) fn interval(&self, at_least: &[f64], alive: f64, share: f64) -> (f64, f64, f64) {
        let none = 1.0 - alive * at_least.get(1).copied().unwrap_or(0.0);
        if none >= share {
            return (0.0, 0.0, none);
        }
        let beside = 0.5 * (1.0 - share);
        let above = |probability: f64| self.quantile(at_least, (1.0 - probability) / alive);
        if none > beside {
            return (0.0, above(share), share);
        }
        (above(beside), above(1.0 - beside), share)
    }

    /// The y with P(S > γ′ y | alive) = `exceeding`, which must be below P(Y > 0 | alive).
    fn quantile(&self, at_least: &[f64], exceeding: f64) -> f64 {
        let n = at_least.len() - 1;
        let at = |index: i64| {
            let mut sum = 0.0;
            for (k, count) in self.counts[..n].iter().enumerate() {
                let next = at_least.get(k + 2).copied().unwrap_or(0.0);
                sum += (at_least[k + 1] - next) * count.at(index);
            }
            sum
        };
        let mut low = self.counts[..n]
            .iter()
            .map(|c| c.first - 1)
            .min()
            .unwrap_or(0);
        let ends = self.counts[..n]
            .iter()
            .map(|c| c.first + c.probabilities.len() as i64);
        let mut high = ends.max().unwrap_or(0);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if at(middle) > exceeding {
                low = middle;
            } else {
                high = middle;
            }
        }
        let near = [at(low - 1), at(low), at(high), at(high + 1)];
        let part = cubic_root(near, exceeding);
        libm::exp((low as f64 + part) * self.step)
    }
}

/// The t in \[0, 1\] at which the cubic through (−1, y₀), (0, y₁), (1, y₂), (2, y₃) falls to `target`,
/// y₁ > `target` ≥ y₂.
fn cubic_root(y: [f64; 4], target: f64) -> f64 {
    let at = |t: f64| {
        -y[0] * t * (t - 1.0) * (t - 2.0) / 6.0 + y[1] * (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0
            - y[2] * (t + 1.0) * t * (t - 2.0) / 2.0
            + y[3] * (t + 1.0) * t * (t - 1.0) / 6.0
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..20 {
        let middle = 0.5 * (low + high);
        if at(middle) > target {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}
