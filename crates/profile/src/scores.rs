//! Scores: what the fitted models say of one customer at `now`.

use regulars_core::{CivilDate, ClvSettings, Timestamp};
use regulars_stats::purchase::{PurchaseSummary, usual_gap_quantile};

use crate::context::Models;
use crate::customer::Customer;
use crate::profile::PurchaseHistory;

/// Scores of one customer at one instant; `None` for what the models are not used for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// Probability that the customer has not left for good.
    pub probability_alive: f64,
    /// Expected orders within the churn horizon.
    pub expected_orders: Option<f64>,
    /// Probability of no order within the churn horizon.
    pub churn_risk: Option<f64>,
    /// Churn risk in five levels, 1 (very low) to 5 (critical).
    pub churn_level: Option<u8>,
    /// Expected net revenue of the next order, in minor units.
    pub expected_order_value_minor: Option<f64>,
    /// Expected net revenue within the CLV horizon, in minor units, after the discount rate and
    /// margin of the settings.
    pub clv_minor: Option<f64>,
    /// Days within which nine in ten of this customer's gaps should lie, as of the last order.
    pub usual_range_days: f64,
}

impl Scores {
    /// Computes the scores; `None` before a fit or without an order.
    pub(crate) fn of(customer: &Customer<'_>, now: Timestamp) -> Option<Self> {
        let models = customer.context.models.as_ref()?;
        let settings = &customer.context.settings;
        let history = customer.history(models, now)?;
        let summary = history.summary();
        let horizon = f64::from(settings.churn.horizon_days) / models.unit.days();
        let purchase = &models.purchase;
        let uses = models.uses;
        let churn_risk = uses
            .churn
            .then(|| purchase.probability_of_no_order(summary, horizon));
        let minor_per_major = customer.context.currency.minor_per_major() as f64;
        let order_value = uses
            .value
            .then(|| models.expected_order_value(&history, minor_per_major))
            .flatten();
        Some(Self {
            probability_alive: purchase.probability_alive(summary),
            expected_orders: uses
                .orders
                .then(|| purchase.expected_orders(summary, horizon)),
            churn_risk,
            churn_level: churn_risk.map(|risk| churn_level(risk, &settings.churn.levels)),
            expected_order_value_minor: order_value.map(|value| value * minor_per_major),
            clv_minor: order_value.map(|value| {
                let orders = models.discounted_orders(summary, &settings.clv);
                orders * value * minor_per_major * settings.clv.margin
            }),
            usual_range_days: models
                .usual_range_days(history, settings.lifecycle.usual_range_quantile),
        })
    }
}

/// 1 plus the number of thresholds reached.
pub fn churn_level(risk: f64, thresholds: &[f64; 4]) -> u8 {
    1 + thresholds
        .iter()
        .filter(|&&threshold| risk >= threshold)
        .count() as u8
}

impl PurchaseHistory {
    /// In the letters of the purchase models.
    pub fn summary(&self) -> PurchaseSummary {
        PurchaseSummary {
            x: self.x,
            t_x: self.t_x,
            t: self.t,
        }
    }
}

impl Models {
    /// Days within which the share `quantile` of the gaps of such a customer should lie.
    pub(crate) fn usual_range_days(&self, history: PurchaseHistory, quantile: f64) -> f64 {
        usual_gap_quantile(&self.purchase, history.summary(), quantile) * self.unit.days()
    }

    /// Expected net revenue of the next order, in major units.
    pub fn expected_order_value(
        &self,
        history: &PurchaseHistory,
        minor_per_major: f64,
    ) -> Option<f64> {
        // A mean that is not positive tells the spend model nothing: such a customer is scored
        // as one without repeats.
        let mean = history.mean_spend_minor().filter(|mean| *mean > 0.0);
        let x = if mean.is_some() { history.x } else { 0 };
        self.spend
            .as_ref()?
            .expected_spend(x, mean.unwrap_or(0.0) / minor_per_major)
    }

    /// Expected orders within the CLV horizon, each discounted to now.
    pub fn discounted_orders(&self, summary: PurchaseSummary, clv: &ClvSettings) -> f64 {
        let orders_by = |days: f64| {
            self.purchase
                .expected_orders(summary, days / self.unit.days())
        };
        let horizon = f64::from(clv.horizon_days);
        if clv.discount_rate == 0.0 {
            return orders_by(horizon);
        }
        // In steps of 30 days, each discounted from its middle.
        let steps = (horizon / 30.0).ceil() as u32;
        let daily = libm::log1p(clv.discount_rate) / 365.0;
        let mut sum = 0.0;
        for step in 0..steps {
            let (from, to) = (
                f64::from(step) * 30.0,
                (f64::from(step + 1) * 30.0).min(horizon),
            );
            let discount = libm::exp(-daily * (from + to) / 2.0);
            sum += (orders_by(to) - orders_by(from)) * discount;
        }
        sum
    }
}

impl Customer<'_> {
    /// When the churn level reaches `level` if nothing happens: the start of a calendar day;
    /// `now` or earlier when it already has, `None` when it never will.
    pub fn churn_level_reached_at(&self, level: u32, now: Timestamp) -> Option<Timestamp> {
        let models = self
            .context
            .models
            .as_ref()
            .filter(|models| models.uses.churn)?;
        let settings = &self.context.settings.churn;
        let threshold = match level {
            ..=1 => return Some(now),
            2..=5 => settings.levels[level as usize - 2],
            6.. => return None,
        };
        let summary = self.history(models, now)?.summary();
        let horizon = f64::from(settings.horizon_days) / models.unit.days();
        let silence = models.purchase.time_to_risk(summary, horizon, threshold)?;
        let days = (silence * models.unit.days()).ceil();
        // Rounding of the search may be a day off either way: the level itself decides.
        let zone = &self.context.zone;
        let today = zone.date_of(now).0;
        let day = |offset: i64| {
            let date = i32::try_from(i64::from(today) + offset).ok()?;
            let start = zone.start_of(CivilDate(date));
            Some(if offset == 0 { now } else { start })
        };
        let reached = |at: Timestamp| {
            Customer {
                scored: None,
                ..*self
            }
            .scores(at)
            .and_then(|s| s.churn_risk)
            .is_some_and(|risk| risk >= threshold)
        };
        let guess = if days < 1e6 { days as i64 } else { return None };
        ((guess - 1).max(0)..=guess + 1)
            .filter_map(day)
            .find(|&at| reached(at))
    }
}
