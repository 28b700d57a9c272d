//! What a customer is seen against: settings, everyone else, fitted models.

use std::collections::BTreeSet;

use regulars_core::{
    CivilDate, Currency, DAY_MS, DataNeed, Grain, Settings, Symbols, TimeUnit, Timestamp, Zone,
};
use regulars_stats::purchase::PurchaseModel;
use regulars_stats::rfm::Cutpoints;
use regulars_stats::spend::GammaGamma;
use serde::{Deserialize, Serialize};

use crate::accounts::Accounts;

/// Everything outside a customer that their traits depend on.
#[derive(Debug, Clone)]
pub struct Context {
    /// Time zone of the workspace.
    pub zone: Zone,
    /// Currency of every amount.
    pub currency: Currency,
    /// Thresholds.
    pub settings: Settings,
    /// Texts of products, categories, channels and declared traits.
    pub symbols: Symbols,
    /// Everyone else.
    pub population: Population,
    /// What `group` calls say of accounts.
    pub accounts: Accounts,
    /// Fitted models, once there are any.
    pub models: Option<Models>,
}

/// What is computed over all customers at one moment; its parts stay until they are computed
/// again, while the customers move.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Population {
    /// The moment as of which the limits were computed: all but which data there is.
    pub limits_as_of: Option<Timestamp>,
    /// Time of the very first order.
    pub first_order_at: Option<Timestamp>,
    /// The quantile of all gaps between orders that ends the usual range before a fit, in days.
    pub usual_gap_days: Option<f64>,
    /// RFM cut points.
    pub rfm: Option<RfmCutpoints>,
    /// Least net revenue of the window, in minor units, of the high and of the medium tier.
    pub tiers: Option<TierCutpoints>,
    /// Median of the average order values, in minor units.
    pub median_order_value_minor: Option<i64>,
    /// Data that the workspace has.
    pub data: BTreeSet<DataNeed>,
}

/// Cut points of the three scores; recency is the calendar day of the last order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RfmCutpoints {
    /// Over the days of the last orders.
    pub recency: Cutpoints,
    /// Over the numbers of orders.
    pub frequency: Cutpoints,
    /// Over net revenue.
    pub monetary: Cutpoints,
}

/// Least net revenue of the window, in minor units, of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierCutpoints {
    /// Of the high tier.
    pub high_minor: i64,
    /// Of the medium tier.
    pub medium_minor: i64,
}

/// Fitted models, with the units in which they see a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Models {
    /// How often customers order and whether they still do: for expected orders, P(alive) and the
    /// own usual range.
    pub orders: PurchaseModel,
    /// The same for churn risk.
    pub churn: PurchaseModel,
    /// The same for CLV.
    pub value: PurchaseModel,
    /// What an order is worth, in major units.
    pub spend: Option<GammaGamma>,
    /// Unit of time of the parameters.
    pub unit: TimeUnit,
    /// Orders within one grain are one purchase.
    pub grain: Grain,
    /// What they are good enough for.
    pub uses: Uses,
}

/// What fitted models are used for: not for what a naive baseline did better on held-out data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uses {
    /// Expected orders.
    pub orders: bool,
    /// Churn risk and its levels.
    pub churn: bool,
    /// Expected order value and CLV.
    pub value: bool,
}

impl Population {
    /// True when the workspace has such data at `now`.
    pub fn has(&self, need: DataNeed) -> bool {
        self.data.contains(&need)
    }

    /// Sets the time of the first order and with it whether two years of orders are known.
    pub fn span(&mut self, first_order_at: Option<Timestamp>, now: Timestamp) {
        self.first_order_at = first_order_at;
        if first_order_at.is_some_and(|first| now.whole_days_since(first) >= 730) {
            self.data.insert(DataNeed::TwoYears);
        }
    }
}

impl Context {
    /// The calendar day of `at` in the workspace's zone.
    pub fn date_of(&self, at: Timestamp) -> CivilDate {
        self.zone.date_of(at)
    }
}

/// Milliseconds of a number of days, rounded up so that a threshold is never passed early.
pub(crate) fn days_to_ms(days: f64) -> i64 {
    (days * DAY_MS as f64).ceil() as i64
}
