//! Random numbers: every person, and everything else that is drawn, has streams of its own.
//!
//! What always holds: a stream depends on the seed, its kind and its index and on nothing else,
//! and the numbers drawn from it are the same on every platform (integers of `ChaCha8Rng`, and
//! functions of `libm`). Distributions are written here, not taken from a library, so that an
//! update of one cannot change the shop.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream is for. A new kind of data takes a new stream, at the end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    /// The hidden life of a customer: type, time with the shop, tastes.
    Life = 1,
    /// What a customer says of themselves.
    Person = 2,
    /// When a customer orders, and how much.
    Rhythm = 3,
    /// What is in a customer's orders, and what becomes of them.
    Baskets = 4,
    /// The products.
    Assortment = 5,
    /// The ad spend.
    Spend = 6,
    /// Faults in a customer's order lines.
    OrderFaults = 7,
    /// Faults in a customer's row.
    CustomerFaults = 8,
}

/// A stream of random numbers.
#[derive(Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64, stream: Stream, index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&(stream as u64).to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(index);
        Self(generator)
    }

    /// Uniform in [0, 1), in steps of 2^-32: for choices.
    pub(crate) fn share(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / 4_294_967_296.0
    }

    /// Uniform in (0, 1), in steps of 2^-53: for logarithms.
    fn inner_unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.share() < p
    }

    /// Uniform in `0..n` (uneven by less than n / 2^32); 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(n)) >> 32) as u32
    }

    /// Uniform in [`low`, `high`).
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// Position in `weights`, each with a chance proportional to its weight.
    pub(crate) fn pick(&mut self, weights: &[f64]) -> usize {
        let mut left = self.share() * weights.iter().sum::<f64>();
        for (position, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return position;
            }
        }
        weights.len() - 1
    }

    /// One of `items`, each with the same chance.
    pub(crate) fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u32) as usize]
    }

    /// Exponential with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -libm::log(self.inner_unit())
    }

    /// Normal with mean 0 and variance 1 (Box and Muller 1958, the cosine half).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(2.0 * self.exponential());
        radius * libm::cos(std::f64::consts::TAU * self.share())
    }

    /// Gamma with the given shape and mean 1 (Marsaglia and Tsang 2000).
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let smaller = libm::pow(self.inner_unit(), 1.0 / shape);
            return self.gamma(shape + 1.0) * (shape + 1.0) * smaller / shape;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let root = 1.0 + c * x;
            if root <= 0.0 {
                continue;
            }
            let v = root * root * root;
            if libm::log(self.inner_unit()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v / shape;
            }
        }
    }

    /// Beta with the given mean; the larger `weight`, the closer to it.
    pub(crate) fn beta(&mut self, mean: f64, weight: f64) -> f64 {
        let (a, b) = (mean * weight, (1.0 - mean) * weight);
        let (x, y) = (a * self.gamma(a), b * self.gamma(b));
        x / (x + y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_and_variance(mut draw: impl FnMut() -> f64) -> (f64, f64) {
        let n = 40_000;
        let values: Vec<f64> = (0..n).map(|_| draw()).collect();
        let mean = values.iter().sum::<f64>() / f64::from(n);
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / f64::from(n);
        (mean, variance)
    }

    #[test]
    fn distributions_have_their_means_and_variances() {
        let mut dice = Dice::new(1, Stream::Life, 0);
        let near = |(mean, variance): (f64, f64), wanted: (f64, f64), what: &str| {
            assert!((mean - wanted.0).abs() < 0.03, "mean of {what}: {mean}");
            assert!(
                (variance - wanted.1).abs() < 0.06,
                "variance of {what}: {variance}"
            );
        };
        near(
            mean_and_variance(|| dice.share()),
            (0.5, 1.0 / 12.0),
            "uniform",
        );
        near(
            mean_and_variance(|| dice.exponential()),
            (1.0, 1.0),
            "exponential",
        );
        near(mean_and_variance(|| dice.normal()), (0.0, 1.0), "normal");
        near(
            mean_and_variance(|| dice.gamma(4.0)),
            (1.0, 0.25),
            "gamma(4)",
        );
        near(
            mean_and_variance(|| dice.gamma(0.8)),
            (1.0, 1.25),
            "gamma(0.8)",
        );
        near(
            mean_and_variance(|| dice.beta(0.2, 9.0)),
            (0.2, 0.016),
            "beta",
        );
        near(
            mean_and_variance(|| f64::from(dice.below(3))),
            (1.0, 2.0 / 3.0),
            "below",
        );
    }

    #[test]
    fn streams_differ_by_seed_kind_and_index() {
        let first = |seed, stream, index| Dice::new(seed, stream, index).share();
        let base = first(1, Stream::Life, 1);
        assert_eq!(base, first(1, Stream::Life, 1));
        assert_ne!(base, first(2, Stream::Life, 1));
        assert_ne!(base, first(1, Stream::Person, 1));
        assert_ne!(base, first(1, Stream::Life, 2));
    }
}
