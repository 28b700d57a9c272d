//! Scores of many customers at once, with everything that depends on (x, T) alone computed once.

use serde::{Deserialize, Serialize};

use super::forecast::{OrdersInterval, interval};
use super::{PurchaseModel, PurchaseSummary};
use crate::parallel::{Parallelism, map_chunks};

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
    // Customers in order of (x, T), so that equal futures are neighbours.
    let key = |i: u32| (histories[i as usize].x, histories[i as usize].t.to_bits());
    let mut order: Vec<u32> = (0..histories.len() as u32).collect();
    order.sort_unstable_by_key(|&i| (key(i), i));
    let chunk = 4_096;
    let parts = map_chunks(order.len(), chunk, options.parallelism, |range| {
        let mut scores = Vec::with_capacity(range.len());
        let mut shared: Option<((u32, u64), Shared)> = None;
        for &i in &order[range] {
            let history = histories[i as usize];
            if shared.as_ref().is_none_or(|(of, _)| *of != key(i)) {
                shared = Some((key(i), Shared::new(model, history, options)));
            }
            if let Some((_, shared)) = &shared {
                scores.push(shared.score(model.probability_alive(history), options));
            }
        }
        scores
    });
    let blank = OrderScore {
        probability_alive: 0.0,
        expected_orders: 0.0,
        orders: OrdersInterval {
            low: 0,
            high: 0,
            probability: 0.0,
        },
        probability_of_no_order: 0.0,
    };
    let mut scores = vec![blank; histories.len()];
    for (&i, score) in order.iter().zip(parts.iter().flatten()) {
        scores[i as usize] = *score;
    }
    scores
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
