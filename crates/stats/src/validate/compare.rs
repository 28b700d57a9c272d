//! Candidates and naive baselines in one table, and the choice between them.

use serde::{Deserialize, Serialize};

use super::metrics::{
    Metrics, all_probabilities, log_loss_of, mean_absolute_error, of_ranked,
    root_mean_squared_error, same_length,
};
use super::ranking::{Actuals, Ranked, sorted_pairs};
use crate::error::StatsError;
use crate::parallel::{Parallelism, map_chunks};

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

/// Figures of every candidate against the same actuals, several candidates at a time.
///
/// # Errors
/// [`StatsError::LengthsDiffer`]; [`StatsError::BadArgument`] for a probability outside 0 to 1.
pub fn compare(
    deciding: Deciding,
    candidates: &[Candidate],
    actual: &[f64],
    parallelism: Parallelism,
) -> Result<Comparison, StatsError> {
    check(candidates, actual)?;
    let actuals = Actuals::new(actual);
    let row = |candidate: &Candidate| {
        let ranked = Ranked::new(&candidate.predicted, &actuals);
        let mut figures = of_ranked(&ranked);
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
            figures.log_loss = log_loss_of(&ranked.pairs);
        }
        ComparisonRow {
            name: candidate.name.clone(),
            role: candidate.role,
            metrics: figures,
        }
    };
    let rows = map_chunks(candidates.len(), 1, parallelism, |range| {
        candidates[range].iter().map(row).collect::<Vec<_>>()
    });
    Ok(Comparison {
        deciding,
        rows: rows.into_iter().flatten().collect(),
    })
}

/// Only the figure that decides, for each candidate: what a choice needs. `None` where it is not
/// defined on the candidate's scale.
///
/// # Errors
/// As [`compare`].
pub fn deciding_figures(
    deciding: Deciding,
    candidates: &[Candidate],
    actual: &[f64],
    parallelism: Parallelism,
) -> Result<Vec<Option<f64>>, StatsError> {
    check(candidates, actual)?;
    let actuals = (deciding == Deciding::Ranking).then(|| Actuals::new(actual));
    let figure = |candidate: &Candidate| {
        let pairs = || {
            let pairs = sorted_pairs(&candidate.predicted, actual);
            (!pairs.is_empty()).then_some(pairs)
        };
        match (deciding, candidate.scale) {
            (Deciding::Orders, Scale::Quantity) => pairs().map(|p| mean_absolute_error(&p)),
            (Deciding::Value, Scale::Quantity) => pairs().map(|p| root_mean_squared_error(&p)),
            (Deciding::Churn, Scale::Probability) => pairs().and_then(|p| log_loss_of(&p)),
            (Deciding::Ranking, _) => actuals
                .as_ref()
                .and_then(|actuals| Ranked::new(&candidate.predicted, actuals).gini()),
            (Deciding::Orders | Deciding::Value | Deciding::Churn, _) => None,
        }
    };
    let figures = map_chunks(candidates.len(), 1, parallelism, |range| {
        candidates[range].iter().map(figure).collect::<Vec<_>>()
    });
    Ok(figures.into_iter().flatten().collect())
}

fn check(candidates: &[Candidate], actual: &[f64]) -> Result<(), StatsError> {
    for candidate in candidates {
        same_length(&candidate.predicted, actual)?;
        if candidate.scale == Scale::Probability {
            all_probabilities(&candidate.predicted)?;
        }
    }
    Ok(())
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

/// Values closer to each other than this share of the larger are equal: what lies between them is
/// rounding.
const TIE: f64 = 1e-9;

fn is_less(a: f64, b: f64) -> bool {
    b - a > TIE * a.abs().max(b.abs())
}

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

    /// Every figure in which the best baseline is better than `model`; equals are not, and values
    /// that differ by rounding alone are equals.
    pub fn lost_by(&self, model: &ComparisonRow) -> Vec<Lost> {
        let mut lost = Vec::new();
        for (name, value, cost) in FIGURES {
            let Some(model_value) = value(&model.metrics) else {
                continue;
            };
            let Some((row, baseline_value)) = self.best(name, Role::Baseline) else {
                continue;
            };
            if is_less(cost(baseline_value), cost(model_value)) {
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
        let table = compare(
            Deciding::Orders,
            &candidates,
            &actual,
            Parallelism::threads(2),
        )
        .unwrap();
        let best = table.best_model().unwrap();
        assert_eq!(best.name, "near");
        for (deciding, of) in [
            (Deciding::Orders, (|m| m.mae) as fn(&Metrics) -> Option<f64>),
            (Deciding::Value, |m| m.rmse),
            (Deciding::Churn, |m| m.log_loss),
            (Deciding::Ranking, |m| m.gini),
        ] {
            let alone = deciding_figures(deciding, &candidates, &actual, Parallelism::ONE).unwrap();
            let in_table: Vec<_> = table.rows.iter().map(|row| of(&row.metrics)).collect();
            assert_eq!(alone, in_table, "{deciding:?}");
        }
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
        let table = compare(
            Deciding::Churn,
            &[even, sure],
            &[0.0, 2.0],
            Parallelism::ONE,
        )
        .unwrap();
        assert_eq!(table.best_model().unwrap().name, "sure");
        assert!(table.lost_by(&table.rows[1]).is_empty());
    }

    #[test]
    fn correctness_what_differs_by_rounding_alone_is_no_loss() {
        let lost = |above: f64| {
            let of = |name, role, risk| candidate(name, role, Scale::Probability, &[risk, risk]);
            let candidates = [
                of("model", Role::Model, 0.5 + above),
                of("share", Role::Baseline, 0.5),
            ];
            let table = compare(Deciding::Churn, &candidates, &[0.0; 2], Parallelism::ONE).unwrap();
            table.lost_by(&table.rows[0])
        };
        assert_eq!(lost(1e-13), []);
        assert!(lost(1e-6).iter().any(|lost| lost.deciding));
    }
}
