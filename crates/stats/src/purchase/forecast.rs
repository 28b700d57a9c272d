//! What is said of one customer: expected orders, risk of none, intervals, the time until a level.

use serde::{Deserialize, Serialize};

use super::{Future, PurchaseModel, PurchaseSummary};
use crate::special::incomplete::find_root;

/// An interval of a number of orders that holds about the asked share of the predictive
/// distribution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OrdersInterval {
    /// Least number in the interval.
    pub low: u32,
    /// Greatest number in the interval.
    pub high: u32,
    /// Probability of the interval under the model. A whole number cannot meet every share: where
    /// no order at all is likelier than the share asked for, the interval is 0–0 and this is larger.
    pub probability: f64,
}

/// A figure that a purchase model expects of a customer, in the model's unit of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Forecast {
    /// Orders in (T, T + `horizon`].
    Orders {
        /// Length of the period.
        horizon: f64,
    },
    /// Probability of at least one order in (T, T + `horizon`].
    AnyOrder {
        /// Length of the period.
        horizon: f64,
    },
    /// Orders in (T, T + `horizon`], each discounted to T.
    DiscountedOrders {
        /// Length of the period.
        horizon: f64,
        /// Continuous rate for one unit of time; 0 for none.
        rate: f64,
    },
}

impl Forecast {
    /// The figure if the customer is alive at T.
    pub fn if_alive(self, future: &Future) -> f64 {
        match self {
            Self::Orders { horizon } => future.expected(horizon),
            Self::AnyOrder { horizon } => 1.0 - future.none(horizon),
            Self::DiscountedOrders { horizon, rate } => future.discounted(horizon, rate),
        }
    }
}

impl PurchaseModel {
    /// The figure for a customer: P(alive) times what is expected of one who is alive.
    pub fn forecast(&self, history: PurchaseSummary, what: Forecast) -> f64 {
        self.probability_alive(history) * what.if_alive(&self.future(history.x, history.t))
    }

    /// Expected orders in (T, T + horizon].
    pub fn expected_orders(&self, history: PurchaseSummary, horizon: f64) -> f64 {
        self.forecast(history, Forecast::Orders { horizon })
    }

    /// Expected repeat orders of a customer in the time `t` after the first order, E\[X(t)\].
    pub fn expected_orders_new(&self, t: f64) -> f64 {
        self.expected_orders(PurchaseSummary::UNOBSERVED, t)
    }

    /// Probability of exactly `n` repeat orders in the time `t` after the first, P(X(t) = n).
    pub fn probability_of_orders(&self, n: u32, t: f64) -> f64 {
        let history = PurchaseSummary::UNOBSERVED;
        let alive = self.probability_alive(history);
        let exactly = self.future(history.x, history.t).exactly(n, t);
        if n == 0 {
            1.0 - alive + alive * exactly
        } else {
            alive * exactly
        }
    }

    /// Churn risk: probability of no order in (T, T + horizon].
    pub fn probability_of_no_order(&self, history: PurchaseSummary, horizon: f64) -> f64 {
        1.0 - self.forecast(history, Forecast::AnyOrder { horizon })
    }

    /// P(orders in (T, T + horizon] ≥ n) for n = 0, 1, … while it is at least `least`.
    pub fn orders_at_least(&self, history: PurchaseSummary, horizon: f64, least: f64) -> Vec<f64> {
        let alive = self.probability_alive(history);
        let mut tail = self.future(history.x, history.t).at_least(horizon, least);
        for p in tail.iter_mut().skip(1) {
            *p *= alive;
        }
        while tail.len() > 1 && tail[tail.len() - 1] < least {
            tail.pop();
        }
        tail
    }

    /// The predictive interval of the number of orders in (T, T + horizon] with about `share`
    /// (0 < share < 1) of the probability.
    ///
    /// From zero up when no order has more than half of the remaining probability, else central;
    /// ends are chosen by the mid-distribution, so that discreteness does not widen the interval on
    /// average.
    pub fn orders_interval(
        &self,
        history: PurchaseSummary,
        horizon: f64,
        share: f64,
    ) -> OrdersInterval {
        let at_least = self.future(history.x, history.t).at_least(horizon, 1e-6);
        interval(&at_least, self.probability_alive(history), share)
    }

    /// The smallest further silence after which the probability of no order in the next `horizon`
    /// reaches `level`; 0 when it already does, `None` when it never will (within a million times
    /// the time observed so far).
    pub fn time_to_risk(&self, history: PurchaseSummary, horizon: f64, level: f64) -> Option<f64> {
        let risk = |silence: f64| {
            self.probability_of_no_order(history.after_silence(silence), horizon) - level
        };
        if risk(0.0) >= 0.0 {
            return Some(0.0);
        }
        let (_, alpha) = self.rate_parameters();
        let unit = alpha + history.t + horizon;
        let mut far = unit * 0.25;
        while risk(far) < 0.0 {
            far *= 4.0;
            // Also ends the search when the risk is not a number.
            if far.is_nan() || far > unit * 1e6 {
                return None;
            }
        }
        let near = if far > unit * 0.25 { far * 0.25 } else { 0.0 };
        // The end of the bracket at which the level has been reached.
        let root = find_root(near, far, 1e-12, risk);
        let after = root * (1.0 + 1e-11);
        Some(if risk(root) >= 0.0 { root } else { after })
    }
}

/// The `q` quantile of the time from the last order to the next of a customer who stays alive:
/// (alpha + `t_x`) · ((1 − q)^(−1/(r + x)) − 1).
///
/// The customer's own usual range is `q` = 0.9.
pub fn usual_gap_quantile(model: &PurchaseModel, history: PurchaseSummary, q: f64) -> f64 {
    let (r, alpha) = model.rate_parameters();
    let exponent = -libm::log1p(-q) / (r + f64::from(history.x));
    (alpha + history.t_x) * libm::expm1(exponent)
}

/// The interval from P(Y ≥ n | alive), n = 0, 1, …, and P(alive).
pub(super) fn interval(at_least: &[f64], alive: f64, share: f64) -> OrdersInterval {
    let tail = |n: usize| match n {
        0 => 1.0,
        _ => alive * at_least.get(n).copied().unwrap_or(0.0),
    };
    let none = 1.0 - tail(1);
    let beside = 0.5 * (1.0 - share);
    let (lower, upper) = if none > beside {
        (0.0, share)
    } else {
        (beside, 1.0 - beside)
    };
    // Mid-distribution at n: P(Y < n) + P(Y = n) / 2.
    let mid = |n: usize| 1.0 - 0.5 * (tail(n) + tail(n + 1));
    let mut low = 0;
    while lower > 0.0 && mid(low) < lower {
        low += 1;
    }
    let mut high = low;
    while mid(high + 1) <= upper {
        high += 1;
    }
    let probability = tail(low) - tail(high + 1);
    OrdersInterval {
        low: low as u32,
        high: high as u32,
        probability,
    }
}
