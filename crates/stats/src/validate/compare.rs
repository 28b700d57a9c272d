//! Candidates and naive baselines in one table, and the choice between them.

use serde::{Deserialize, Serialize};

use super::metrics::{Metrics, log_loss, metrics};
use crate::error::StatsError;

/// What the predictions are for, which fixes the figure that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deciding {
    /// Orders to come: mean absolute error.
    Orders,
    /// Probability of any order: log-loss.
    Churn,
    /// Value to come: root mean squared error.
    Value,
    /// A ranking of customers: normalised Gini.
    Ranking,
}

/// Where a prediction comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A fitted model.
    Model,
    /// What one would predict without a model.
    Baseline,
}

/// What the numbers of a prediction mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// The same quantity as the actuals.
    Quantity,
    /// Probability that the actual is more than 0.
    Probability,
    /// Larger is more; nothing else.
    RankOnly,
}

/// One prediction for every customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Shown in the table.
    pub name: String,
    /// Model or baseline.
    pub role: Role,
    /// What the numbers mean.
    pub scale: Scale,
    /// One entry for each customer.
    pub predicted: Vec<f64>,
}

/// The table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What decides.
    pub deciding: Deciding,
    /// In the order given.
    pub rows: Vec<ComparisonRow>,
}

/// One candidate with its figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparisonRow {
    /// As given.
    pub name: String,
    /// As given.
    pub role: Role,
    /// Figures that mean something on the candidate's scale.
    pub metrics: Metrics,
}

/// A figure in which a baseline is better than a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lost {
    /// Name of the figure: its field in [`Metrics`].
    pub figure: String,
    /// The best baseline's name.
    pub baseline: String,
    /// The model's figure.
    pub model_value: f64,
    /// The baseline's figure.
    pub baseline_value: f64,
    /// Whether it is the deciding figure: then the model should not be used.
    pub deciding: bool,
}

/// Figures of every candidate against the same actuals.
///
/// # Errors
/// [`StatsError::LengthsDiffer`]; [`StatsError::BadArgument`] for a probability outside 0 to 1.
pub fn compare(
    deciding: Deciding,
    candidates: &[Candidate],
    actual: &[f64],
) -> Result<Comparison, StatsError> {
    let row = |candidate: &Candidate| {
        let mut figures = metrics(&candidate.predicted, actual)?;
        if candidate.scale != Scale::Quantity {
            figures = Metrics {
                mae: None,
                rmse: None,
                predicted_total: None,
                bias: None,
                pearson: None,
                ..figures
            };
        }
        if candidate.scale == Scale::Probability {
            figures.log_loss = log_loss(&candidate.predicted, actual)?;
        }
        Ok(ComparisonRow {
            name: candidate.name.clone(),
            role: candidate.role,
            metrics: figures,
        })
    };
    let rows = candidates
        .iter()
        .map(row)
        .collect::<Result<_, StatsError>>()?;
    Ok(Comparison { deciding, rows })
}

/// A figure of [`Metrics`]: its name, its value, and a value that is smaller when better.
type Figure = (&'static str, fn(&Metrics) -> Option<f64>, fn(f64) -> f64);

const FIGURES: [Figure; 9] = [
    ("mae", |m| m.mae, |v| v),
    ("rmse", |m| m.rmse, |v| v),
    ("bias", |m| m.bias, f64::abs),
    ("pearson", |m| m.pearson, |v| -v),
    ("spearman", |m| m.spearman, |v| -v),
    ("gini", |m| m.gini, |v| -v),
    ("top_decile_capture", |m| m.top_decile_capture, |v| -v),
    ("auc", |m| m.auc, |v| -v),
    ("log_loss", |m| m.log_loss, |v| v),
];

impl Deciding {
    /// Name of the deciding figure: its field in [`Metrics`].
    pub fn figure(self) -> &'static str {
        match self {
            Self::Orders => "mae",
            Self::Churn => "log_loss",
            Self::Value => "rmse",
            Self::Ranking => "gini",
        }
    }
}

impl Comparison {
    /// The model that is best in the deciding figure, the first of equals; `None` when no model has
    /// that figure.
    pub fn best_model(&self) -> Option<&ComparisonRow> {
        self.best(self.deciding.figure(), Role::Model)
            .map(|(row, _)| row)
    }

    /// Every figure in which the best baseline is strictly better than `model`.
    pub fn lost_by(&self, model: &ComparisonRow) -> Vec<Lost> {
        let mut lost = Vec::new();
        for (name, value, cost) in FIGURES {
            let Some(model_value) = value(&model.metrics) else {
                continue;
            };
            let Some((row, baseline_value)) = self.best(name, Role::Baseline) else {
                continue;
            };
            if cost(baseline_value) < cost(model_value) {
                lost.push(Lost {
                    figure: name.to_owned(),
                    baseline: row.name.clone(),
                    model_value,
                    baseline_value,
                    deciding: name == self.deciding.figure(),
                });
            }
        }
        lost
    }

    fn best(&self, figure: &str, role: Role) -> Option<(&ComparisonRow, f64)> {
        let (_, value, cost) = FIGURES.into_iter().find(|(name, ..)| *name == figure)?;
        let mut best: Option<(&ComparisonRow, f64)> = None;
        for row in self.rows.iter().filter(|row| row.role == role) {
            if let Some(found) = value(&row.metrics)
                && !found.is_nan()
                && best.is_none_or(|(_, least)| cost(found) < cost(least))
            {
                best = Some((row, found));
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str, role: Role, scale: Scale, predicted: &[f64]) -> Candidate {
        Candidate {
            name: name.to_owned(),
            role,
            scale,
            predicted: predicted.to_vec(),
        }
    }

    #[test]
    fn correctness_the_deciding_figure_decides() {
        let actual = [0.0, 0.0, 1.0, 4.0];
        let candidates = [
            candidate("near", Role::Model, Scale::Quantity, &[0.1, 0.0, 1.0, 3.0]),
            candidate("far", Role::Model, Scale::Quantity, &[1.0, 2.0, 3.0, 9.0]),
            candidate(
                "gap",
                Role::Baseline,
                Scale::RankOnly,
                &[-9.0, -9.0, -2.0, -1.0],
            ),
            candidate(
                "rate",
                Role::Baseline,
                Scale::Quantity,
                &[0.0, 0.0, 1.0, 4.0],
            ),
        ];
        let table = compare(Deciding::Orders, &candidates, &actual).unwrap();
        let best = table.best_model().unwrap();
        assert_eq!(best.name, "near");
        assert_eq!(table.rows[2].metrics.mae, None);
        let lost = table.lost_by(best);
        assert!(
            lost.iter()
                .any(|l| l.figure == "mae" && l.baseline == "rate" && l.deciding)
        );
        assert!(lost.iter().all(|l| l.deciding == (l.figure == "mae")));
        // Both rank the two that ordered above the two that did not.
        assert!(!lost.iter().any(|l| l.figure == "auc"));
    }

    #[test]
    fn correctness_probabilities_have_a_log_loss() {
        let sure = candidate("sure", Role::Model, Scale::Probability, &[0.1, 0.9]);
        let even = candidate("even", Role::Baseline, Scale::Probability, &[0.5, 0.5]);
        let table = compare(Deciding::Churn, &[even, sure], &[0.0, 2.0]).unwrap();
        assert_eq!(table.best_model().unwrap().name, "sure");
        assert!(table.lost_by(&table.rows[1]).is_empty());
    }
}
