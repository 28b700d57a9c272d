//! All figures for one candidate.

use serde::{Deserialize, Serialize};

use super::ranking::{Actuals, Ranked, auc_of, capture_of, pearson_of, sorted_pairs};
use crate::error::StatsError;

/// Probabilities are kept this far from 0 and 1 in the log-loss.
const CERTAIN: f64 = 1e-9;

/// How predictions compare with actuals; units as given. `None` where a figure is not defined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Customers.
    pub customers: u64,
    /// Mean absolute error.
    pub mae: Option<f64>,
    /// Root of the mean squared error.
    pub rmse: Option<f64>,
    /// Sum of the predictions.
    pub predicted_total: Option<f64>,
    /// Sum of the actuals.
    pub actual_total: f64,
    /// Predicted total over actual total, less 1.
    pub bias: Option<f64>,
    /// Pearson's correlation.
    pub pearson: Option<f64>,
    /// Spearman's rank correlation.
    pub spearman: Option<f64>,
    /// Normalised Gini.
    pub gini: Option<f64>,
    /// Share of the actual total held by the tenth with the largest predictions.
    pub top_decile_capture: Option<f64>,
    /// Area under the ROC curve for "more than nothing happened".
    pub auc: Option<f64>,
    /// Mean log-loss of the predictions as probabilities that something happens.
    pub log_loss: Option<f64>,
}

/// Figures of `predicted` against `actual`, one entry per customer. `log_loss` is left out.
///
/// # Errors
/// [`StatsError::LengthsDiffer`].
pub fn metrics(predicted: &[f64], actual: &[f64]) -> Result<Metrics, StatsError> {
    same_length(predicted, actual)?;
    Ok(of_ranked(&Ranked::new(predicted, &Actuals::new(actual))))
}

/// Figures from one sorting.
pub(super) fn of_ranked(ranked: &Ranked) -> Metrics {
    let pairs = &ranked.pairs;
    let any = !pairs.is_empty();
    let (mut sum, mut actual_total) = (0.0, 0.0);
    for (p, a) in pairs {
        sum += p;
        actual_total += a;
    }
    Metrics {
        customers: pairs.len() as u64,
        mae: any.then(|| mean_absolute_error(pairs)),
        rmse: any.then(|| root_mean_squared_error(pairs)),
        predicted_total: Some(sum),
        actual_total,
        bias: (actual_total > 0.0).then(|| sum / actual_total - 1.0),
        pearson: pearson_of(pairs),
        spearman: ranked.spearman(),
        gini: ranked.gini(),
        top_decile_capture: capture_of(pairs, 10),
        auc: auc_of(pairs),
        log_loss: None,
    }
}

/// Of sorted pairs, at least one.
pub(super) fn mean_absolute_error(pairs: &[(f64, f64)]) -> f64 {
    pairs.iter().map(|(p, a)| (p - a).abs()).sum::<f64>() / pairs.len() as f64
}

/// Of sorted pairs, at least one.
pub(super) fn root_mean_squared_error(pairs: &[(f64, f64)]) -> f64 {
    let squared: f64 = pairs.iter().map(|(p, a)| (p - a) * (p - a)).sum();
    (squared / pairs.len() as f64).sqrt()
}

/// Mean log-loss of probabilities that something happens; it did where `actual` > 0. Probabilities
/// are kept 10⁻⁹ away from 0 and 1.
///
/// # Errors
/// [`StatsError::LengthsDiffer`]; [`StatsError::BadArgument`] for a probability outside 0 to 1.
pub fn log_loss(probability: &[f64], actual: &[f64]) -> Result<Option<f64>, StatsError> {
    same_length(probability, actual)?;
    all_probabilities(probability)?;
    Ok(log_loss_of(&sorted_pairs(probability, actual)))
}

/// Mean log-loss of sorted pairs of probability and actual; `None` for none.
pub(super) fn log_loss_of(pairs: &[(f64, f64)]) -> Option<f64> {
    let sum: f64 = pairs
        .iter()
        .map(|&(p, a)| {
            let p = p.clamp(CERTAIN, 1.0 - CERTAIN);
            if a > 0.0 {
                -libm::log(p)
            } else {
                -libm::log1p(-p)
            }
        })
        .sum();
    (!pairs.is_empty()).then(|| sum / pairs.len() as f64)
}

/// One group of customers with neighbouring predictions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Customers.
    pub customers: u64,
    /// Mean prediction.
    pub predicted: f64,
    /// Mean actual.
    pub actual: f64,
}

/// Mean prediction and mean actual in `bins` groups of even size by prediction, least first. Equal
/// predictions stay together in the lower group, so there may be fewer groups.
///
/// # Errors
/// [`StatsError::LengthsDiffer`].
pub fn calibration(
    predicted: &[f64],
    actual: &[f64],
    bins: usize,
) -> Result<Vec<CalibrationBin>, StatsError> {
    same_length(predicted, actual)?;
    let pairs = sorted_pairs(predicted, actual);
    let mut found = Vec::new();
    let mut from = 0;
    for bin in 1..=bins {
        let mut to = (pairs.len() * bin / bins).max(from);
        while to > from && to < pairs.len() && pairs[to].0 == pairs[to - 1].0 {
            to += 1;
        }
        if to == from {
            continue;
        }
        let n = (to - from) as f64;
        let group = &pairs[from..to];
        found.push(CalibrationBin {
            customers: (to - from) as u64,
            predicted: group.iter().map(|pair| pair.0).sum::<f64>() / n,
            actual: group.iter().map(|pair| pair.1).sum::<f64>() / n,
        });
        from = to;
    }
    Ok(found)
}

pub(super) fn all_probabilities(values: &[f64]) -> Result<(), StatsError> {
    match values.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        None => Ok(()),
        Some(&value) => Err(StatsError::BadArgument {
            name: "probability",
            expected: "between 0 and 1",
            value,
        }),
    }
}

pub(super) fn same_length(predicted: &[f64], actual: &[f64]) -> Result<(), StatsError> {
    if predicted.len() == actual.len() {
        return Ok(());
    }
    Err(StatsError::LengthsDiffer {
        left_name: "predicted",
        left: predicted.len(),
        right_name: "actual",
        right: actual.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correctness_errors_by_hand() {
        let found = metrics(&[1.0, 2.0, 6.0], &[1.0, 4.0, 4.0]).unwrap();
        assert_eq!(found.mae, Some(4.0 / 3.0));
        assert_eq!(found.rmse, Some((8.0_f64 / 3.0).sqrt()));
        assert_eq!(found.bias, Some(0.0));
        let loss = log_loss(&[0.5, 0.5], &[1.0, 0.0]).unwrap().unwrap();
        assert!((loss - core::f64::consts::LN_2).abs() < 1e-15);
    }

    #[test]
    fn correctness_equal_predictions_share_a_bin() {
        let predicted = [1.0, 1.0, 1.0, 2.0];
        let bins = calibration(&predicted, &[0.0, 1.0, 2.0, 3.0], 4).unwrap();
        let customers: Vec<u64> = bins.iter().map(|bin| bin.customers).collect();
        assert_eq!(customers, [3, 1]);
        assert_eq!((bins[0].actual, bins[1].predicted), (1.0, 2.0));
    }

    #[test]
    fn inputchecks_lengths_and_probabilities() {
        assert!(metrics(&[1.0], &[]).is_err());
        assert!(log_loss(&[1.1], &[1.0]).is_err());
        assert!(log_loss(&[f64::NAN], &[1.0]).is_err());
        let empty = metrics(&[], &[]).unwrap();
        assert_eq!((empty.mae, empty.bias, empty.auc), (None, None, None));
        assert_eq!(log_loss(&[], &[]).unwrap(), None);
        assert!(log_loss(&[1.0], &[0.0]).unwrap().unwrap().is_finite());
    }
}
