//! Scores of many customers at once, with everything that depends on (x, T) alone computed once.

use serde::{Deserialize, Serialize};

use super::forecast::{OrdersInterval, interval};
use super::{PurchaseModel, PurchaseSummary};
use crate::parallel::{Parallelism, map_chunks};

/// Histories that one thread takes at a time.
const CHUNK: usize = 4_096;

/// What to score, in the model's unit of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreOptions {
    /// Orders are expected in (T, T + `orders_horizon`].
    pub orders_horizon: f64,
    /// Churn risk is the probability of no order in (T, T + `churn_horizon`].
    pub churn_horizon: f64,
    /// Share of the predictive distribution in an interval, between 0 and 1.
    pub share: f64,
    /// Threads to use; never affects the result.
    pub parallelism: Parallelism,
}

/// One customer's scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OrderScore {
    /// P(alive at T).
    pub probability_alive: f64,
    /// Expected orders in the orders horizon.
    pub expected_orders: f64,
    /// Predictive interval of those orders.
    pub orders: OrdersInterval,
    /// Churn risk: probability of no order in the churn horizon.
    pub probability_of_no_order: f64,
}

/// Scores each history (see [`PurchaseSummary::check`]: faulty ones have no meaningful score);
/// result in the order of `histories`.
pub fn score_orders(
    model: &PurchaseModel,
    histories: &[PurchaseSummary],
    options: &ScoreOptions,
) -> Vec<OrderScore> {
    let parallelism = options.parallelism;
    let shared = |history| Shared::new(model, history, options);
    map_histories(histories, parallelism, shared, |shared, history| {
        shared.score(model.probability_alive(history), options)
    })
}

/// `each` history's result, in the order of `histories`: `shared` is computed once for neighbours
/// with the same (x, T), of which it may use nothing else, and `each` once for equal histories.
///
/// The result does not depend on the number of threads.
pub fn map_histories<S, R: Copy + Send + Sync>(
    histories: &[PurchaseSummary],
    parallelism: Parallelism,
    shared: impl Fn(PurchaseSummary) -> S + Sync,
    each: impl Fn(&S, PurchaseSummary) -> R + Sync,
) -> Vec<R> {
    // The bits of non-negative floats sort as the floats do.
    let key = |h: &PurchaseSummary| (h.x, h.t.to_bits(), h.t_x.to_bits());
    let mut order: Vec<u32> = (0..histories.len() as u32).collect();
    if !histories.is_sorted_by_key(key) {
        order.sort_unstable_by_key(|&i| (key(&histories[i as usize]), i));
    }
    let parts = map_chunks(order.len(), CHUNK, parallelism, |range| {
        let mut results: Vec<R> = Vec::with_capacity(range.len());
        let mut last: Option<(PurchaseSummary, S)> = None;
        for &i in &order[range] {
            let history = histories[i as usize];
            let (same, alike) = match &last {
                Some((of, _)) => (
                    key(of) == key(&history),
                    (of.x, of.t.to_bits()) == (history.x, history.t.to_bits()),
                ),
                None => (false, false),
            };
            let known = results.last().copied().filter(|_| same);
            let kept = last.take().filter(|_| alike).map(|(_, kept)| kept);
            let kept = kept.unwrap_or_else(|| shared(history));
            results.push(known.unwrap_or_else(|| each(&kept, history)));
            last = Some((history, kept));
        }
        results
    });
    let mut placed: Vec<Option<R>> = vec![None; histories.len()];
    for (&i, result) in order.iter().zip(parts.iter().flatten()) {
        placed[i as usize] = Some(*result);
    }
    placed.into_iter().flatten().collect()
}

/// What all customers with the same (x, T) share.
struct Shared {
    expected: f64,
    none: f64,
    at_least: Vec<f64>,
}

impl Shared {
    fn new(model: &PurchaseModel, history: PurchaseSummary, options: &ScoreOptions) -> Self {
        let future = model.future(history.x, history.t);
        Self {
            expected: future.expected(options.orders_horizon),
            none: future.none(options.churn_horizon),
            at_least: future.at_least(options.orders_horizon, 1e-6),
        }
    }

    fn score(&self, alive: f64, options: &ScoreOptions) -> OrderScore {
        OrderScore {
            probability_alive: alive,
            expected_orders: alive * self.expected,
            orders: interval(&self.at_least, alive, options.share),
            probability_of_no_order: 1.0 - alive * (1.0 - self.none),
        }
    }
}
