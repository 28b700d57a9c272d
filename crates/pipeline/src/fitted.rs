//! A fit as the log keeps it: models, how they were chosen, how they were judged.

use regulars_core::{Grain, TimeUnit, Timestamp};
use regulars_profile::{Models, Uses};
use regulars_stats::Fitted;
use regulars_stats::purchase::{PurchaseKind, PurchaseModel, SummaryCounts};
use regulars_stats::spend::{GammaGamma, SpendCounts};
use regulars_stats::validate::{CalibrationBin, Comparison, Lost};
use regulars_store::Store;
use regulars_store::log::{LogRecord, LogRecordKind};
use serde::{Deserialize, Serialize};

use crate::error::PipelineError;

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
    /// Every purchase model that was fitted.
    pub purchase: Vec<PurchaseFitted>,
    /// The purchase model in use.
    pub chosen: PurchaseKind,
    /// Why it is that one.
    pub choice: Choice,
    /// The spend model, in major units of the workspace's currency; `None` without repeat orders.
    pub spend: Option<SpendFitted>,
    /// The holdout; `None` when the history is too short for one.
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
    /// Set when the fit ended at its boundary and the NBD without dropout stands in for it.
    pub replaced_by_nbd: bool,
}

/// A fitted spend model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpendFitted {
    /// The fit.
    pub fit: Fitted<GammaGamma>,
    /// What became of the customers' spends.
    pub counts: SpendCounts,
}

/// Why a purchase model was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Choice {
    /// The settings name it.
    Settings,
    /// It had the lowest mean absolute error on an earlier period than the one reported.
    EarlierHoldout {
        /// Where that period begins and the models' data ends.
        origin: Timestamp,
        /// Where it ends.
        end: Timestamp,
        /// Mean absolute error of each model.
        mean_absolute_error: Vec<(PurchaseKind, f64)>,
    },
    /// The history is too short for an earlier period; the first that converged was taken.
    ShortHistory,
}

/// Models fitted on an earlier period and judged on the later one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Holdout {
    /// The last moment that the models saw.
    pub origin: Timestamp,
    /// The end of the period that they were judged on.
    pub end: Timestamp,
    /// Length of that period in days.
    pub days: f64,
    /// Customers who had ordered by then.
    pub customers: u64,
    /// Orders in the period: decided by mean absolute error.
    pub orders: Judged,
    /// Whether a customer orders at all within the churn horizon: decided by log-loss.
    pub churn: Judged,
    /// Length of the churn horizon that could be judged, in days.
    pub churn_days: f64,
    /// Net revenue in the period, major units: decided by root mean squared error; `None` without
    /// a spend model.
    pub value: Option<Judged>,
    /// Expected and actual orders by tenth of the expectation.
    pub orders_calibration: Vec<CalibrationBin>,
    /// Probability of an order and share that ordered, by tenth of the probability.
    pub churn_calibration: Vec<CalibrationBin>,
}

/// Figures of models and baselines, and where the model in use loses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
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
}

impl FittedModels {
    /// The last fit in the log, if there is one.
    ///
    /// # Errors
    /// When the log cannot be read or the fit was written by another version.
    pub fn latest(store: &Store) -> Result<Option<Self>, PipelineError> {
        let Some((offset, LogRecord::ModelsFitted(record))) =
            store.latest(LogRecordKind::ModelsFitted)?
        else {
            return Ok(None);
        };
        serde_json::from_value(record.body)
            .map(Some)
            .map_err(|error| PipelineError::OldFit {
                offset,
                message: error.to_string(),
            })
    }

    /// The fit of the model in use.
    pub fn in_use(&self) -> &PurchaseFitted {
        self.purchase
            .iter()
            .find(|fitted| fitted.kind == self.chosen)
            .expect("the chosen model is one of the fitted ones")
    }

    /// What scoring a customer needs.
    pub fn models(&self) -> Models {
        Models {
            purchase: self.in_use().fit.model,
            spend: self.spend.as_ref().map(|spend| spend.fit.model),
            unit: self.unit,
            grain: self.grain,
            uses: self.uses,
        }
    }
}
