//! The common rate that makes a shop as large as asked.
//!
//! The expected number of lines is known without drawing an order: it is solved for the rate.
//! In a small shop chance moves the total by more than is allowed, so the rate is then corrected
//! by what it really gives.

use crate::life::Life;

/// The largest rate: more than this many times the usual number of orders is no shop.
const MOST: f64 = 200.0;

/// Expected order lines of a population as a function of the common rate.
#[derive(Debug, Default)]
pub(crate) struct ExpectedLines {
    /// Lines of the orders that begin a stay.
    first: f64,
    /// For each stay: orders after the first at rate 1, how many fewer because gaps are even,
    /// and lines per order.
    later: Vec<(f64, f64, f64)>,
}

impl ExpectedLines {
    pub(crate) fn add(&mut self, life: &Life) {
        let lines = life.behaviour().mean_lines();
        // Renewals within a long time t with gamma gaps: t·rate − (1 − 1/shape)/2.
        let fewer = (1.0 - 1.0 / life.behaviour().gap_shape) / 2.0;
        for span in life.spans.iter().flatten() {
            self.first += lines;
            self.later
                .push(((span.to - span.from) * life.rate, fewer, lines));
        }
    }

    fn at(&self, rate: f64) -> f64 {
        let later =
            |&(orders, fewer, lines): &(f64, f64, f64)| (orders * rate - fewer).max(0.0) * lines;
        self.first + self.later.iter().map(later).sum::<f64>()
    }

    /// Fewest and most lines that any rate gives.
    pub(crate) fn reach(&self) -> (f64, f64) {
        (self.first, self.at(MOST))
    }

    /// The rate at which `lines` are expected, by bisection; `lines` is within reach.
    pub(crate) fn rate_for(&self, lines: f64) -> f64 {
        let (mut low, mut high) = (0.0, MOST);
        for _ in 0..50 {
            let middle = (low + high) / 2.0;
            if self.at(middle) < lines {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

/// Improves `rate` by what `count` says that rates give; stops within half a per mille.
pub(crate) fn corrected(rate: f64, lines: f64, first: f64, count: impl Fn(f64) -> u64) -> f64 {
    let (mut rate, mut best, mut best_miss) = (rate, rate, f64::INFINITY);
    for _ in 0..6 {
        let counted = count(rate) as f64;
        let miss = (counted - lines).abs();
        if miss < best_miss {
            (best, best_miss) = (rate, miss);
        }
        if miss <= lines / 2_000.0 {
            break;
        }
        rate = (rate * (lines - first).max(1.0) / (counted - first).max(1.0)).clamp(0.0, MOST);
    }
    best
}
