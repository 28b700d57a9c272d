//! Thresholds that a user can set, with their defaults: the sections of `regulars.toml` that
//! decide what words such as "dormant" mean.

use serde::{Deserialize, Serialize};

use crate::{DAY_MS, HOUR_MS};

/// All thresholds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Stages of a customer's life.
    pub lifecycle: LifecycleSettings,
    /// Churn risk and its levels.
    pub churn: ChurnSettings,
    /// Customer lifetime value.
    pub clv: ClvSettings,
    /// Value tiers.
    pub value: ValueSettings,
    /// Discounts and price sensitivity.
    pub price: PriceSettings,
    /// Seasonal and year-round shoppers.
    pub season: SeasonSettings,
    /// Open and abandoned carts.
    pub carts: CartSettings,
    /// Trials of a subscription.
    pub trial: TrialSettings,
    /// Sessions of visits.
    pub sessions: SessionSettings,
    /// How models are fitted.
    pub models: ModelSettings,
}

/// Stages of a customer's life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LifecycleSettings {
    /// Dormant after this many days without an order.
    pub dormant_days: u32,
    /// Reactivated when the gap before the last order was this many days or more.
    pub reactivated_gap_days: u32,
    /// At risk from this churn level on, given `at_risk_orders`.
    pub at_risk_churn_level: u32,
    /// Orders from which on the churn level alone makes a customer at risk.
    pub at_risk_orders: u32,
    /// Quantile of the gaps that ends a customer's own usual range.
    pub usual_range_quantile: f64,
    /// Orders of a potential loyalist.
    pub potential_loyalist_orders: u32,
    /// Orders from which on a customer is loyal.
    pub loyal_orders: u32,
    /// "New & potential" reaches back this many days for the first order.
    pub new_days: u32,
}

impl Default for LifecycleSettings {
    fn default() -> Self {
        Self {
            dormant_days: 60,
            reactivated_gap_days: 60,
            at_risk_churn_level: 4,
            at_risk_orders: 2,
            usual_range_quantile: 0.9,
            potential_loyalist_orders: 2,
            loyal_orders: 3,
            new_days: 90,
        }
    }
}

/// Churn risk: the probability of no order within the horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChurnSettings {
    /// Horizon in days.
    pub horizon_days: u32,
    /// Risk from which on the level is 2, 3, 4 and 5; ascending.
    pub levels: [f64; 4],
}

impl Default for ChurnSettings {
    fn default() -> Self {
        Self {
            horizon_days: 90,
            levels: [0.35, 0.6, 0.8, 0.95],
        }
    }
}

/// Customer lifetime value: expected net revenue within the horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClvSettings {
    /// Horizon in days.
    pub horizon_days: u32,
    /// Yearly discount rate, 0 for none.
    pub discount_rate: f64,
    /// Share of net revenue that is margin, 1 for revenue itself.
    pub margin: f64,
}

impl Default for ClvSettings {
    fn default() -> Self {
        Self {
            horizon_days: 365,
            discount_rate: 0.0,
            margin: 1.0,
        }
    }
}

/// Value tiers, by net revenue of the window over customers with more than 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValueSettings {
    /// Window in days.
    pub window_days: u32,
    /// Share of customers in the high tier.
    pub high_share: f64,
    /// Share of customers in the medium tier.
    pub medium_share: f64,
}

impl Default for ValueSettings {
    fn default() -> Self {
        Self {
            window_days: 365,
            high_share: 0.2,
            medium_share: 0.3,
        }
    }
}

/// Discounts and price sensitivity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PriceSettings {
    /// Orders from which on a customer's share of discounted orders says something.
    pub min_orders: u32,
    /// Price-sensitive from this share of discounted orders on.
    pub price_sensitive_share: f64,
    /// Full-price buyer up to this share of discounted orders.
    pub full_price_share: f64,
    /// Budget-conscious from this share of discounted orders on, given a low order value.
    pub budget_share: f64,
}

impl Default for PriceSettings {
    fn default() -> Self {
        Self {
            min_orders: 2,
            price_sensitive_share: 0.6,
            full_price_share: 0.1,
            budget_share: 0.5,
        }
    }
}

/// Seasonal and year-round shoppers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeasonSettings {
    /// Orders from which on a customer's rhythm is known.
    pub min_orders: u32,
    /// Seasonal from this share of orders in three neighbouring months on.
    pub seasonal_share: f64,
    /// Year-round with orders in at least this many quarters of each of two years.
    pub year_round_quarters: u32,
}

impl Default for SeasonSettings {
    fn default() -> Self {
        Self {
            min_orders: 3,
            seasonal_share: 0.7,
            year_round_quarters: 3,
        }
    }
}

/// Open and abandoned carts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CartSettings {
    /// A cart is open for this many days after its last change.
    pub open_days: u32,
    /// Abandoned when not changed for so long: a length of time as rules write it, `2 hours`.
    pub abandoned_after: String,
    /// A cart is of high value from this amount on, in major units of the workspace's currency.
    pub high_value: f64,
}

impl Default for CartSettings {
    fn default() -> Self {
        Self {
            open_days: 30,
            abandoned_after: "2 hours".to_owned(),
            high_value: 100.0,
        }
    }
}

impl CartSettings {
    /// How long a cart is open after its last change, in milliseconds.
    pub fn open_ms(&self) -> i64 {
        i64::from(self.open_days) * DAY_MS
    }
}

/// Trials of a subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrialSettings {
    /// A trial lasts this many days.
    pub days: u32,
    /// It is ending in the last so many of them.
    pub ending_days: u32,
}

impl Default for TrialSettings {
    fn default() -> Self {
        Self {
            days: 14,
            ending_days: 3,
        }
    }
}

/// Sessions: runs of events with little silence between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionSettings {
    /// A session ends when nothing happens for this many minutes.
    pub silence_minutes: u32,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            silence_minutes: 30,
        }
    }
}

impl SessionSettings {
    /// The silence that ends a session, in milliseconds.
    pub fn silence_ms(&self) -> i64 {
        i64::from(self.silence_minutes) * (HOUR_MS / 60)
    }
}

/// Unit of time of the models' parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Days.
    Day,
    /// Weeks of seven days.
    Week,
}

impl TimeUnit {
    /// Days of one unit.
    pub fn days(self) -> f64 {
        match self {
            Self::Day => 1.0,
            Self::Week => 7.0,
        }
    }
}

/// Orders within one grain count as one purchase for the models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grain {
    /// A calendar day.
    Day,
    /// Seven calendar days, counted from the customer's first order.
    Week,
}

/// Which purchase model is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseModelChoice {
    /// For each use the one that is best in its deciding figure on an earlier holdout.
    Auto,
    /// BG/NBD.
    BgNbd,
    /// MBG/NBD.
    MbgNbd,
    /// Pareto/NBD.
    ParetoNbd,
}

/// How models are fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelSettings {
    /// Unit of time of the parameters.
    pub unit: TimeUnit,
    /// Orders within one grain are one purchase.
    pub grain: Grain,
    /// The purchase model to use.
    pub purchase: PurchaseModelChoice,
    /// Share of the span of the data that is held out for validation, at its end.
    pub holdout_share: f64,
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self {
            unit: TimeUnit::Week,
            grain: Grain::Day,
            purchase: PurchaseModelChoice::Auto,
            holdout_share: 0.25,
        }
    }
}
