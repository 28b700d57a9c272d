//! `regulars.toml`: what a workspace is, and every threshold.

mod check;
mod keys;

use std::collections::BTreeMap;

use regulars_actions::{
    CircuitSettings, ClientSettings, Guard, OutboxSettings, Retention, Schedule,
};
use regulars_core::{CivilDate, Currency, Settings, Zone};
use regulars_store::vault::Blocked;
use serde::{Deserialize, Serialize};

/// All of `regulars.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the workspace is.
    pub workspace: WorkspaceConfig,
    /// How files are read.
    #[serde(default)]
    pub import: ImportConfig,
    /// Who is whom.
    #[serde(default)]
    pub identity: IdentityConfig,
    /// Units of the workspace's currency for one unit of another, each from a day on.
    #[serde(default)]
    pub rates: BTreeMap<Currency, Vec<Rate>>,
    /// What a server takes at once.
    #[serde(default)]
    pub serve: ServeConfig,
    /// How webhooks are sent.
    #[serde(default)]
    pub delivery: DeliveryConfig,
    #[serde(default)]
    lifecycle: regulars_core::LifecycleSettings,
    #[serde(default)]
    churn: regulars_core::ChurnSettings,
    #[serde(default)]
    clv: regulars_core::ClvSettings,
    #[serde(default)]
    value: regulars_core::ValueSettings,
    #[serde(default)]
    price: regulars_core::PriceSettings,
    #[serde(default)]
    season: regulars_core::SeasonSettings,
    #[serde(default)]
    carts: regulars_core::CartSettings,
    #[serde(default)]
    trial: regulars_core::TrialSettings,
    #[serde(default)]
    sessions: regulars_core::SessionSettings,
    #[serde(default)]
    models: regulars_core::ModelSettings,
}

/// What the workspace is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceConfig {
    /// Name, for titles.
    pub name: String,
    /// Currency of all amounts.
    pub currency: Currency,
    /// Time zone of days, by its IANA name.
    pub time_zone: String,
}

/// How files are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportConfig {
    /// An import with a larger share of rejected rows stops.
    pub max_rejected_share: f64,
    /// Columns mapped by hand: field = column.
    pub map: BTreeMap<String, String>,
    /// `dmy` or `mdy`, for dates whose day and month cannot be told apart.
    pub date_order: Option<String>,
}

impl Default for ImportConfig {
    fn default() -> Self {
        Self {
            max_rejected_share: 0.1,
            map: BTreeMap::new(),
            date_order: None,
        }
    }
}

/// Who is whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityConfig {
    /// Values of ids and e-mail addresses that name nobody, besides those that never do.
    pub blocked: Vec<String>,
    /// Customer ids that events may give one customer, by `alias`.
    pub customer_ids_per_customer: u32,
    /// E-mail addresses that events may give one customer.
    pub emails_per_customer: u32,
    /// Anonymous ids that events may give one customer.
    pub anonymous_ids_per_customer: u32,
}

impl IdentityConfig {
    /// Every value that names nobody.
    pub fn blocked(&self) -> Blocked {
        Blocked::with(&self.blocked)
    }
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self {
            blocked: Vec::new(),
            customer_ids_per_customer: 100,
            emails_per_customer: 5,
            anonymous_ids_per_customer: 1_000,
        }
    }
}

/// What a server takes at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServeConfig {
    /// Events that one write key may send in a second, on average over ten; 0 for any number.
    pub events_per_second: u32,
    /// Megabytes of bodies that may be read and wait for the disk.
    pub waiting_megabytes: u32,
    /// Connections, idle ones included.
    pub connections: u32,
    /// Seconds that a connection may be without a whole head of a request.
    pub idle_seconds: u32,
    /// Seconds that a body may take to arrive.
    pub body_seconds: u32,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            events_per_second: 200_000,
            waiting_megabytes: 256,
            connections: 20_000,
            idle_seconds: 75,
            body_seconds: 30,
        }
    }
}

/// How webhooks are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryConfig {
    /// Requests at the same time to one destination.
    pub concurrency: usize,
    /// The most that waits for one destination.
    pub pending_at_most: usize,
    /// Milliseconds for a connection.
    pub connect_timeout_ms: u64,
    /// Milliseconds for all of a request and its answer.
    pub total_timeout_ms: u64,
    /// When attempts are made.
    pub schedule: Schedule,
    /// When a destination is taken for dead.
    pub circuit: CircuitSettings,
    /// How long finished deliveries are remembered.
    pub retention: Retention,
    /// What may be called.
    pub guard: Guard,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        let OutboxSettings {
            schedule,
            concurrency,
            pending_at_most,
            circuit,
            retention,
        } = OutboxSettings::default();
        let ClientSettings {
            guard,
            connect_timeout_ms,
            total_timeout_ms,
        } = ClientSettings::default();
        Self {
            concurrency,
            pending_at_most,
            connect_timeout_ms,
            total_timeout_ms,
            schedule,
            circuit,
            retention,
            guard,
        }
    }
}

impl DeliveryConfig {
    /// What the outbox needs of it.
    pub fn outbox(&self) -> OutboxSettings {
        OutboxSettings {
            schedule: self.schedule.clone(),
            concurrency: self.concurrency,
            pending_at_most: self.pending_at_most,
            circuit: self.circuit,
            retention: self.retention,
        }
    }

    /// What the client needs of it.
    pub fn client(&self) -> ClientSettings {
        ClientSettings {
            guard: self.guard.clone(),
            connect_timeout_ms: self.connect_timeout_ms,
            total_timeout_ms: self.total_timeout_ms,
        }
    }
}

/// An exchange rate from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// First day, `YYYY-MM-DD`.
    pub from: String,
    /// Units of the workspace's currency for one unit, as a decimal number in quotes.
    pub rate: String,
}

impl Rate {
    /// The first day.
    pub fn from_date(&self) -> Option<CivilDate> {
        CivilDate::parse(&self.from)
    }

    /// The rate in billionths.
    pub fn billionths(&self) -> Option<i64> {
        regulars_core::parse_minor(&self.rate, 9)
            .ok()
            .filter(|&rate| rate > 0)
    }
}

impl Config {
    /// Defaults for a workspace of that name.
    pub fn new(name: &str, currency: Currency, time_zone: &str) -> Self {
        let Settings {
            lifecycle,
            churn,
            clv,
            value,
            price,
            season,
            carts,
            trial,
            sessions,
            models,
        } = Settings::default();
        Self {
            workspace: WorkspaceConfig {
                name: name.to_owned(),
                currency,
                time_zone: time_zone.to_owned(),
            },
            import: ImportConfig::default(),
            identity: IdentityConfig::default(),
            rates: BTreeMap::new(),
            serve: ServeConfig::default(),
            delivery: DeliveryConfig::default(),
            lifecycle,
            churn,
            clv,
            value,
            price,
            season,
            carts,
            trial,
            sessions,
            models,
        }
    }

    /// Reads and checks the text of `regulars.toml`.
    ///
    /// # Errors
    /// A message that names the key, says what was expected and where it stands.
    pub fn parse(text: &str) -> Result<Self, String> {
        let table: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
        keys::known(&table)?;
        keys::kinds(&table)?;
        let config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        check::values(&config)?;
        Ok(config)
    }

    /// The thresholds.
    pub fn settings(&self) -> Settings {
        Settings {
            lifecycle: self.lifecycle.clone(),
            churn: self.churn.clone(),
            clv: self.clv.clone(),
            value: self.value.clone(),
            price: self.price.clone(),
            season: self.season.clone(),
            carts: self.carts.clone(),
            trial: self.trial.clone(),
            sessions: self.sessions.clone(),
            models: self.models.clone(),
        }
    }

    /// The same with other thresholds.
    pub fn with_settings(mut self, settings: Settings) -> Self {
        let Settings {
            lifecycle,
            churn,
            clv,
            value,
            price,
            season,
            carts,
            trial,
            sessions,
            models,
        } = settings;
        self.lifecycle = lifecycle;
        self.churn = churn;
        self.clv = clv;
        self.value = value;
        self.price = price;
        self.season = season;
        self.carts = carts;
        self.trial = trial;
        self.sessions = sessions;
        self.models = models;
        self
    }

    /// The time zone.
    pub fn zone(&self) -> Zone {
        Zone::named(&self.workspace.time_zone).expect("checked when the settings were read")
    }

    /// The value of a threshold for the text of a ready-made segment: `lifecycle.dormant_days`; a
    /// share as `value.high_percent`, the risk at which a churn level begins as `churn.from_level_2`.
    pub fn threshold(&self, key: &str) -> Option<String> {
        let percent = |share: f64| Some(format!("{} %", (share * 1000.0).round() / 10.0));
        match key {
            "trial.days_before_ending" => {
                return Some(
                    self.trial
                        .days
                        .saturating_sub(self.trial.ending_days)
                        .to_string(),
                );
            }
            "lifecycle.usual_range_percent" => {
                return percent(self.lifecycle.usual_range_quantile);
            }
            _ => {}
        }
        if let Some(level) = key.strip_prefix("churn.from_level_") {
            let level: usize = level.parse().ok()?;
            return percent(*self.churn.levels.get(level.checked_sub(2)?)?);
        }
        let tree = toml::Value::try_from(self.settings()).ok()?;
        let find = |key: &str| {
            let mut parts = key.split('.');
            parts.try_fold(&tree, |node, part| node.get(part))
        };
        if let Some(share) = key.strip_suffix("_percent") {
            return percent(find(&format!("{share}_share"))?.as_float()?);
        }
        match find(key)? {
            toml::Value::Integer(number) => Some(number.to_string()),
            toml::Value::Float(number) => Some(number.to_string()),
            toml::Value::String(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// The whole file with a comment on every key.
    pub fn to_documented_toml(&self) -> String {
        let template = include_str!("../regulars.default.toml");
        let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
        // The name last: it may hold anything.
        template
            .replace("\"{currency}\"", &text(self.workspace.currency.code()))
            .replace("\"{time_zone}\"", &text(&self.workspace.time_zone))
            .replace("\"{name}\"", &text(&self.workspace.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn euro() -> Currency {
        Currency::new("EUR").unwrap()
    }

    #[test]
    fn the_documented_file_says_the_defaults() {
        let config = Config::new("shop", euro(), "Europe/Berlin");
        assert_eq!(Config::parse(&config.to_documented_toml()), Ok(config));
    }

    #[test]
    fn any_name_makes_a_file_that_can_be_read() {
        for name in [
            "my \"shop\"",
            "back\\slash",
            "'both' \"kinds\"",
            "two\nlines",
            "\u{1b}[31m",
            "{currency}",
            "a # b",
            "",
        ] {
            let config = Config::new(name, euro(), "UTC");
            assert_eq!(Config::parse(&config.to_documented_toml()), Ok(config));
        }
    }

    #[test]
    fn thresholds_are_found_by_key() {
        let config = Config::new("shop", euro(), "UTC");
        assert_eq!(
            config.threshold("lifecycle.dormant_days").as_deref(),
            Some("60")
        );
        assert_eq!(
            config.threshold("price.full_price_share").as_deref(),
            Some("0.1")
        );
        assert_eq!(
            config.threshold("value.high_percent").as_deref(),
            Some("20 %")
        );
        for (key, percent) in [
            ("price.full_price_percent", "10 %"),
            ("lifecycle.usual_range_percent", "90 %"),
            ("churn.from_level_2", "35 %"),
            ("churn.from_level_5", "95 %"),
        ] {
            assert_eq!(config.threshold(key).as_deref(), Some(percent), "{key}");
        }
        for key in [
            "lifecycle.nothing",
            "price.nothing_percent",
            "churn.from_level_1",
        ] {
            assert_eq!(config.threshold(key), None, "{key}");
        }
    }
}
