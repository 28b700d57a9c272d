//! A fit as the log keeps it: models, how they were chosen, how they were judged.

use regulars_core::{DataNeed, Grain, TimeUnit, Timestamp};
use regulars_profile::{Models, Uses};
use regulars_stats::Fitted;
use regulars_stats::purchase::{PurchaseKind, PurchaseModel, SummaryCounts};
use regulars_stats::spend::{GammaGamma, SpendCounts};
use regulars_stats::validate::{CalibrationBin, Comparison, ComparisonRow, Deciding, Lost};
use regulars_store::Store;
use regulars_store::log::{LogRecord, LogRecordKind, ModelsFitted};
use serde::{Deserialize, Serialize};

use crate::error::PipelineError;

/// What models are used for; each use has its own deciding figure and its own choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// Expected orders: decided by mean absolute error.
    Orders,
    /// Churn risk: decided by log-loss.
    Churn,
    /// CLV: decided by root mean squared error.
    Value,
}

impl Use {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Orders, Self::Churn, Self::Value];

    /// The figure that decides.
    pub fn deciding(self) -> Deciding {
        match self {
            Self::Orders => Deciding::Orders,
            Self::Churn => Deciding::Churn,
            Self::Value => Deciding::Value,
        }
    }

    /// Its name, for a person and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Churn => "churn",
            Self::Value => "value",
        }
    }

    /// The deciding figure, for a person.
    pub fn figure(self) -> &'static str {
        match self {
            Self::Orders => "mean absolute error",
            Self::Churn => "log-loss",
            Self::Value => "root mean squared error",
        }
    }

    /// Whether models are good enough for it.
    pub fn of(self, uses: Uses) -> bool {
        match self {
            Self::Orders => uses.orders,
            Self::Churn => uses.churn,
            Self::Value => uses.value,
        }
    }
}

/// Everything that a fit found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedModels {
    /// `now` of the fit.
    pub as_of: Timestamp,
    /// Unit of time of the parameters.
    pub unit: TimeUnit,
    /// Orders within one grain are one purchase.
    pub grain: Grain,
    /// What became of the customers' histories.
    pub histories: SummaryCounts,
    /// Every purchase model that was fitted; none when nobody has come back yet.
    pub purchase: Vec<PurchaseFitted>,
    /// The purchase model of each use; `None` when none could be fitted.
    pub chosen: Option<Chosen>,
    /// Why they are those.
    pub choice: Choice,
    /// The spend model, in major units of the workspace's currency; `None` without repeat orders.
    pub spend: Option<SpendFitted>,
    /// The holdout; `None` when there is none, for a reason that the warnings tell.
    pub holdout: Option<Holdout>,
    /// What the models are used for.
    pub uses: Uses,
    /// Things that a reader must know, for a person.
    pub warnings: Vec<String>,
}

/// A fitted purchase model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PurchaseFitted {
    /// The kind that was asked for.
    pub kind: PurchaseKind,
    /// The fit in use for it.
    pub fit: Fitted<PurchaseModel>,
    /// The fit of the kind that was asked for, when the NBD without dropout stands in for it.
    pub replaced: Option<Fitted<PurchaseModel>>,
}

impl PurchaseFitted {
    /// Its name in tables: that of the model really in use, and what it stands in for.
    pub fn name(&self) -> String {
        let used = self.fit.model.kind().name();
        match self.replaced {
            None => used.to_owned(),
            Some(_) => format!("{used} in place of {}", self.kind.name()),
        }
    }
}

/// A fitted spend model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpendFitted {
    /// The fit.
    pub fit: Fitted<GammaGamma>,
    /// What became of the customers' spends.
    pub counts: SpendCounts,
}

/// The kind of purchase model of each use, as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// For expected orders, P(alive) and the own usual range.
    pub orders: PurchaseKind,
    /// For churn risk.
    pub churn: PurchaseKind,
    /// For CLV.
    pub value: PurchaseKind,
}

impl Chosen {
    /// The kind for a use.
    pub fn of(&self, of: Use) -> PurchaseKind {
        match of {
            Use::Orders => self.orders,
            Use::Churn => self.churn,
            Use::Value => self.value,
        }
    }
}

/// Why purchase models were chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Choice {
    /// The settings name one for every use.
    Settings,
    /// Each was best in the deciding figure of its use on an earlier period than the one reported.
    EarlierHoldout {
        /// Where that period begins and the models' data ends.
        origin: Timestamp,
        /// Where it ends.
        end: Timestamp,
        /// Mean absolute error of expected orders.
        orders: Vec<Tried>,
        /// Log-loss of the probability of an order.
        churn: Vec<Tried>,
        /// Root mean squared error of net revenue; empty without a spend model then.
        value: Vec<Tried>,
    },
    /// There is no earlier period to compare on; the first that converged was taken.
    ShortHistory,
}

/// A model's deciding figure on the earlier period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The kind that was asked for.
    pub kind: PurchaseKind,
    /// Name of the model that was fitted for it then.
    pub model: String,
    /// The figure; less is better.
    pub figure: Option<f64>,
}

/// Models fitted on an earlier period and judged on the later one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Holdout {
    /// The last moment that the models saw.
    pub origin: Timestamp,
    /// The end of the period that they were judged on.
    pub end: Timestamp,
    /// Length of that period in calendar days.
    pub days: i64,
    /// Customers who had ordered by then.
    pub customers: u64,
    /// Orders in the period: decided by mean absolute error.
    pub orders: Judged,
    /// Whether a customer orders at all within the churn horizon: decided by log-loss.
    pub churn: Judged,
    /// Length of the churn horizon that could be judged, in days.
    pub churn_days: i64,
    /// Net revenue in the period, major units: decided by root mean squared error; `None` without
    /// a spend model then: CLV is not validated.
    pub value: Option<Judged>,
    /// Expected and actual orders by tenth of the expectation.
    pub orders_calibration: Vec<CalibrationBin>,
    /// Probability of an order and share that ordered, by tenth of the probability.
    pub churn_calibration: Vec<CalibrationBin>,
}

impl Holdout {
    /// The judgement on a use.
    pub fn of(&self, of: Use) -> Option<&Judged> {
        match of {
            Use::Orders => Some(&self.orders),
            Use::Churn => Some(&self.churn),
            Use::Value => self.value.as_ref(),
        }
    }
}

/// Figures of models and baselines, and where the model in use loses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Name of the model in use, one of the rows of the comparison.
    pub model: String,
    /// Every candidate with its figures.
    pub comparison: Comparison,
    /// Figures in which a baseline is better than the model in use.
    pub lost: Vec<Lost>,
}

impl Judged {
    /// True when a baseline is better in the figure that decides.
    pub fn is_lost(&self) -> bool {
        self.lost.iter().any(|lost| lost.deciding)
    }

    /// The row of the model in use.
    pub fn row(&self) -> Option<&ComparisonRow> {
        let mut rows = self.comparison.rows.iter();
        rows.find(|row| row.name == self.model)
    }
}

impl FittedModels {
    /// The last fit in the log, if there is one.
    ///
    /// # Errors
    /// When the log cannot be read or the fit was written by another version.
    pub fn latest(store: &Store) -> Result<Option<Self>, PipelineError> {
        match store.latest(LogRecordKind::ModelsFitted)? {
            Some((offset, LogRecord::ModelsFitted(record))) => Self::read(offset, record).map(Some),
            _ => Ok(None),
        }
    }

    /// The fit that was in use at a moment: of those as of that moment or earlier the latest, and of
    /// several as of one moment the last in the log.
    ///
    /// # Errors
    /// As [`FittedModels::latest`].
    pub fn in_use_at(store: &Store, now: Timestamp) -> Result<Option<Self>, PipelineError> {
        let mut found: Option<(u64, ModelsFitted)> = None;
        for (offset, record) in store.records_of(LogRecordKind::ModelsFitted)? {
            if let LogRecord::ModelsFitted(record) = record
                && record.as_of <= now
                && found.as_ref().is_none_or(|(_, f)| f.as_of <= record.as_of)
            {
                found = Some((offset, record));
            }
        }
        found
            .map(|(offset, record)| Self::read(offset, record))
            .transpose()
    }

    fn read(offset: u64, record: ModelsFitted) -> Result<Self, PipelineError> {
        serde_json::from_value(record.body).map_err(|error| PipelineError::OldFit {
            offset,
            message: error.to_string(),
        })
    }

    /// The purchase fit of that kind.
    pub fn of_kind(&self, kind: PurchaseKind) -> Option<&PurchaseFitted> {
        self.purchase.iter().find(|fitted| fitted.kind == kind)
    }

    /// The purchase fit of a use, be it good enough for it or not.
    pub fn chosen_for(&self, of: Use) -> Option<&PurchaseFitted> {
        self.of_kind(self.chosen?.of(of))
    }

    /// What scoring a customer needs; `None` without a purchase model.
    pub fn models(&self) -> Option<Models> {
        let model = |of: Use| Some(self.chosen_for(of)?.fit.model);
        Some(Models {
            orders: model(Use::Orders)?,
            churn: model(Use::Churn)?,
            value: model(Use::Value)?,
            spend: self.spend.as_ref().map(|spend| spend.fit.model),
            unit: self.unit,
            grain: self.grain,
            uses: self.uses,
        })
    }

    /// What the fit gives to rules and segments.
    pub fn gives(&self) -> Vec<DataNeed> {
        if self.chosen.is_none() {
            return Vec::new();
        }
        let mut gives = vec![DataNeed::PurchaseFit];
        for (need, used) in [
            (DataNeed::OrdersFit, self.uses.orders),
            (DataNeed::ChurnFit, self.uses.churn),
            (DataNeed::ValueFit, self.uses.value && self.spend.is_some()),
        ] {
            if used {
                gives.push(need);
            }
        }
        gives
    }
}

/// Why such data is missing, for a person, given the fit in use.
pub(crate) fn missing_because(need: DataNeed, fitted: Option<&FittedModels>) -> &'static str {
    if !matches!(
        need,
        DataNeed::PurchaseFit | DataNeed::OrdersFit | DataNeed::ChurnFit | DataNeed::ValueFit
    ) {
        return need.hint();
    }
    match fitted {
        None => {
            "before a fit: run `regulars score` (at a moment before the first fit, `--restated` uses the latest)"
        }
        Some(fitted) if fitted.chosen.is_none() => {
            "no purchase model could be fitted: `regulars models` says why"
        }
        Some(fitted) if need == DataNeed::ValueFit && fitted.spend.is_none() => {
            "no spend model could be fitted: `regulars models` says why"
        }
        Some(_) => match need {
            DataNeed::OrdersFit => {
                "a naive forecast of orders was better on held-out data: see `regulars models`"
            }
            DataNeed::ChurnFit => {
                "a naive forecast of who orders at all was better on held-out data: see `regulars models`"
            }
            _ => "a naive forecast of revenue was better on held-out data: see `regulars models`",
        },
    }
}
