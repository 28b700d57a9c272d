//! 90 % intervals of a group's forecasts, for the uncertainty of the parameters.
//!
//! Delta method ([`regulars_stats::purchase::SlopeTable`]): each customer has the slopes of their
//! forecasts with respect to the logarithms of the parameters; a group's slopes are their sum.
//! Purchase and spend parameters are estimated apart and taken as independent. Sums are integers, so
//! that neither the order of customers nor the number of threads changes a digit.

use regulars_profile::{Models, Scores};
use regulars_stats::Parallelism;
use regulars_stats::purchase::{
    SlopeTable, probability_interval, relative_variance, total_interval,
};

use crate::base::Base;
use crate::fitted::Use;

/// Probability that an interval is meant to hold.
pub(super) const SHARE: f64 = 0.9;

/// Slopes are summed in millionths of an order, of a probability, and of a minor unit.
const MILLION: f64 = 1e6;

/// An interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Sums of slopes, in millionths.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slopes {
    orders: [i128; 4],
    /// Of the probability of an order.
    any_order: [i128; 4],
    /// Of CLV, by the purchase model's parameters.
    value: [i128; 4],
    /// Of CLV, by the spend model's parameters.
    spend: [i128; 3],
}

impl Slopes {
    pub(super) fn add(&mut self, other: &Self) {
        fn each<const N: usize>(sums: &mut [i128; N], parts: &[i128; N]) {
            for (sum, part) in sums.iter_mut().zip(parts) {
                *sum += part;
            }
        }
        each(&mut self.orders, &other.orders);
        each(&mut self.any_order, &other.any_order);
        each(&mut self.value, &other.value);
        each(&mut self.spend, &other.spend);
    }
}

/// What intervals need beside sums.
pub(super) struct Uncertainty<'a> {
    models: &'a Models,
    table: SlopeTable<3>,
    /// Covariances of the logarithms of the parameters, of each use.
    orders: Option<Vec<Vec<f64>>>,
    churn: Option<Vec<Vec<f64>>>,
    value: Option<Vec<Vec<f64>>>,
    spend: Option<Vec<Vec<f64>>>,
    minor_per_major: f64,
}

impl<'a> Uncertainty<'a> {
    /// `None` before a fit.
    pub(super) fn of(base: &'a Base, threads: usize) -> Option<Self> {
        let (models, fitted) = (base.models()?, base.fitted.as_ref()?);
        let histories = base.customers.iter();
        let histories: Vec<_> = histories
            .filter_map(|folded| Some(folded.scores()?.history))
            .collect();
        let covariance = |of: Use| fitted.chosen_for(of)?.fit.log_covariance();
        Some(Self {
            models,
            table: SlopeTable::new(
                models.forecasts(&base.context.settings),
                &histories,
                Parallelism::threads(threads),
            ),
            orders: covariance(Use::Orders),
            churn: covariance(Use::Churn),
            value: covariance(Use::Value),
            spend: fitted
                .spend
                .as_ref()
                .and_then(|spend| spend.fit.log_covariance()),
            minor_per_major: base.context.currency.minor_per_major() as f64,
        })
    }

    /// The slopes of a customer's forecasts.
    pub(super) fn slopes(&self, scores: &Scores) -> Slopes {
        let [orders, any_order, value] = self.table.of(scores.history);
        Slopes {
            orders: times(scores.expected_orders, orders),
            any_order: times(scores.churn_risk.map(|risk| 1.0 - risk), any_order),
            value: times(scores.clv_minor, value),
            spend: self
                .spend_slopes(scores)
                .map_or([0; 3], |slopes| times(scores.clv_minor, slopes)),
        }
    }

    fn spend_slopes(&self, scores: &Scores) -> Option<[f64; 3]> {
        let spend = self.models.spend.as_ref()?;
        let value = scores.expected_order_value_minor? / self.minor_per_major;
        spend.relative_slopes_at(scores.valued, value)
    }

    /// Round the mean of expected orders over `count` customers.
    pub(super) fn orders(&self, slopes: &Slopes, mean: f64, count: u64) -> Option<Range> {
        let relative = relative(&slopes.orders, mean, count)?;
        let variance = relative_variance(&relative, self.orders.as_ref()?);
        Some(range(total_interval(mean, variance, SHARE)))
    }

    /// Round the mean churn risk of `count` customers.
    pub(super) fn churn(&self, slopes: &Slopes, mean: f64, count: u64) -> Option<Range> {
        let any_order = 1.0 - mean;
        let relative = relative(&slopes.any_order, any_order, count)?;
        let variance = relative_variance(&relative, self.churn.as_ref()?);
        let (low, high) = probability_interval(any_order, variance, SHARE);
        Some(range((1.0 - high, 1.0 - low)))
    }

    /// Round the mean CLV of `count` customers.
    pub(super) fn value(&self, slopes: &Slopes, mean: f64, count: u64) -> Option<Range> {
        let by_purchase = relative(&slopes.value, mean, count)?;
        let by_spend = relative(&slopes.spend, mean, count)?;
        let variance = relative_variance(&by_purchase, self.value.as_ref()?)
            + relative_variance(&by_spend, self.spend.as_ref()?);
        Some(range(total_interval(mean, variance, SHARE)))
    }
}

fn times<const N: usize>(forecast: Option<f64>, slopes: [f64; N]) -> [i128; N] {
    let forecast = forecast.filter(|value| value.is_finite()).unwrap_or(0.0);
    // By way of 64 bits, which is the faster conversion; more than 9·10¹² units are cut off there.
    slopes.map(|slope| i128::from((forecast * slope * MILLION).round() as i64))
}

/// ∂ ln mean / ∂ ln θ; `None` for a mean of 0, which has no interval.
fn relative<const N: usize>(slopes: &[i128; N], mean: f64, count: u64) -> Option<[f64; N]> {
    let total = mean * count as f64;
    (total > 0.0).then(|| slopes.map(|slope| slope as f64 / MILLION / total))
}

fn range((low, high): (f64, f64)) -> Range {
    Range { low, high }
}
