//! Scores: what the fitted models say of one customer at `now`.

use regulars_core::{CivilDate, Settings, Timestamp};
use regulars_stats::Parallelism;
use regulars_stats::parallel::map_chunks;
use regulars_stats::purchase::{
    Forecast, PurchaseModel, PurchaseSummary, map_histories, usual_gap_quantile,
};

use crate::context::{Context, Models};
use crate::customer::Customer;
use crate::profile::{Profile, PurchaseHistory};

/// Scores of one customer at one instant; `None` for what the models are not used for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// What the purchase models saw.
    pub history: PurchaseSummary,
    /// Repeat purchases that the spend model saw: 0 when their mean is not positive.
    pub valued: u32,
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
        let context = customer.context;
        let models = context.models.as_ref()?;
        let history = customer.history(models, now)?;
        let asked = models.forecasts(&context.settings);
        let summary = history.summary();
        let outlook = Outlook::new(&asked, &if_alive(&asked, summary), summary);
        Some(Self::from_outlook(context, models, &history, outlook))
    }

    fn from_outlook(
        context: &Context,
        models: &Models,
        history: &PurchaseHistory,
        outlook: Outlook,
    ) -> Self {
        let settings = &context.settings;
        let uses = models.uses;
        let churn_risk = uses.churn.then_some(1.0 - outlook.any_order);
        let minor_per_major = context.currency.minor_per_major() as f64;
        let order_value = uses
            .value
            .then(|| models.expected_order_value(history, minor_per_major))
            .flatten();
        Self {
            history: history.summary(),
            valued: valued(history),
            probability_alive: outlook.alive,
            expected_orders: uses.orders.then_some(outlook.orders),
            churn_risk,
            churn_level: churn_risk.map(|risk| churn_level(risk, &settings.churn.levels)),
            expected_order_value_minor: order_value.map(|value| value * minor_per_major),
            clv_minor: order_value.map(|value| {
                outlook.discounted_orders * value * minor_per_major * settings.clv.margin
            }),
            usual_range_days: models
                .usual_range_days(*history, settings.lifecycle.usual_range_quantile),
        }
    }
}

/// Scores of many customers at once, in their order: the same as each customer's own, but what
/// depends on (x, T) alone is computed once, and what depends on (x, T, `t_x`) too.
pub fn score_all(
    profiles: &[&Profile],
    context: &Context,
    now: Timestamp,
    parallelism: Parallelism,
) -> Vec<Option<Scores>> {
    let Some(models) = &context.models else {
        return vec![None; profiles.len()];
    };
    let histories: Vec<Option<PurchaseHistory>> =
        map_chunks(profiles.len(), 4_096, parallelism, |range| {
            let of = |profile: &&Profile| Customer::new(profile, context).history(models, now);
            profiles[range].iter().map(of).collect::<Vec<_>>()
        })
        .concat();
    let asked = models.forecasts(&context.settings);
    let summaries: Vec<PurchaseSummary> = histories
        .iter()
        .flatten()
        .map(PurchaseHistory::summary)
        .collect();
    let outlooks = map_histories(
        &summaries,
        parallelism,
        |history| if_alive(&asked, history),
        |if_alive, history| Outlook::new(&asked, if_alive, history),
    );
    let mut outlooks = outlooks.into_iter();
    histories
        .iter()
        .map(|history| {
            let history = history.as_ref()?;
            let outlook = outlooks.next()?;
            Some(Scores::from_outlook(context, models, history, outlook))
        })
        .collect()
}

/// What the purchase models say of a history.
#[derive(Clone, Copy)]
struct Outlook {
    alive: f64,
    orders: f64,
    any_order: f64,
    discounted_orders: f64,
}

type Asked = [(PurchaseModel, Forecast); 3];

/// The three figures of a customer who is alive, from (x, T) alone.
fn if_alive(asked: &Asked, history: PurchaseSummary) -> [f64; 3] {
    asked.map(|(model, what)| what.if_alive(&model.future(history.x, history.t)))
}

impl Outlook {
    fn new(asked: &Asked, if_alive: &[f64; 3], history: PurchaseSummary) -> Self {
        let [orders, churn, value] = asked.map(|(model, _)| model);
        let alive = orders.probability_alive(history);
        let alive_by = |model: &PurchaseModel| {
            if *model == orders {
                alive
            } else {
                model.probability_alive(history)
            }
        };
        Self {
            alive,
            orders: alive * if_alive[0],
            any_order: alive_by(&churn) * if_alive[1],
            discounted_orders: alive_by(&value) * if_alive[2],
        }
    }
}

/// Repeat purchases whose mean value tells the spend model something: one that is not positive
/// does not, and such a customer is scored as one without repeats.
fn valued(history: &PurchaseHistory) -> u32 {
    match history.mean_spend_minor() {
        Some(mean) if mean > 0.0 => history.x,
        _ => 0,
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
        usual_gap_quantile(&self.orders, history.summary(), quantile) * self.unit.days()
    }

    /// Expected net revenue of the next order, in major units.
    pub fn expected_order_value(
        &self,
        history: &PurchaseHistory,
        minor_per_major: f64,
    ) -> Option<f64> {
        let mean = history.mean_spend_minor().unwrap_or(0.0);
        self.spend
            .as_ref()?
            .expected_spend(valued(history), mean / minor_per_major)
    }

    /// The forecasts behind the scores, each with its model: orders and any order within the churn
    /// horizon, discounted orders within the CLV horizon.
    pub fn forecasts(&self, settings: &Settings) -> [(PurchaseModel, Forecast); 3] {
        let units = |days: u32| f64::from(days) / self.unit.days();
        let horizon = units(settings.churn.horizon_days);
        let discounted = Forecast::DiscountedOrders {
            horizon: units(settings.clv.horizon_days),
            rate: self.discount_rate(settings.clv.discount_rate),
        };
        [
            (self.orders, Forecast::Orders { horizon }),
            (self.churn, Forecast::AnyOrder { horizon }),
            (self.value, discounted),
        ]
    }

    /// The continuous rate for one unit of time that a yearly rate is compounded to.
    pub fn discount_rate(&self, yearly: f64) -> f64 {
        libm::log1p(yearly) * self.unit.days() / 365.0
    }
}

/// One score alone, without what the others take. Each is the same as in [`Scores`].
impl Customer<'_> {
    /// The scores that are known for this instant.
    fn scored_at(&self, now: Timestamp) -> Option<&Scores> {
        self.scored
            .filter(|(at, _)| *at == now)
            .map(|(_, scores)| scores)
    }

    pub(crate) fn probability_alive(&self, now: Timestamp) -> Option<f64> {
        if let Some(scores) = self.scored_at(now) {
            return Some(scores.probability_alive);
        }
        let models = self.context.models.as_ref()?;
        let history = self.history(models, now)?;
        Some(models.orders.probability_alive(history.summary()))
    }

    pub(crate) fn expected_orders(&self, now: Timestamp) -> Option<f64> {
        if let Some(scores) = self.scored_at(now) {
            return scores.expected_orders;
        }
        let models = self.context.models.as_ref()?;
        let history = self.history(models, now).filter(|_| models.uses.orders)?;
        let [(model, what), ..] = models.forecasts(&self.context.settings);
        Some(model.forecast(history.summary(), what))
    }

    pub(crate) fn churn_risk(&self, now: Timestamp) -> Option<f64> {
        if let Some(scores) = self.scored_at(now) {
            return scores.churn_risk;
        }
        let models = self.context.models.as_ref()?;
        let history = self.history(models, now).filter(|_| models.uses.churn)?;
        let [_, (model, what), _] = models.forecasts(&self.context.settings);
        Some(1.0 - model.forecast(history.summary(), what))
    }

    pub(crate) fn churn_level(&self, now: Timestamp) -> Option<u8> {
        let levels = &self.context.settings.churn.levels;
        self.churn_risk(now).map(|risk| churn_level(risk, levels))
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
        let silence = models.churn.time_to_risk(summary, horizon, threshold)?;
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
            let unscored = Customer {
                scored: None,
                ..*self
            };
            unscored
                .churn_risk(at)
                .is_some_and(|risk| risk >= threshold)
        };
        let guess = if days < 1e6 { days as i64 } else { return None };
        ((guess - 1).max(0)..=guess + 1)
            .filter_map(day)
            .find(|&at| reached(at))
    }
}
