//! Fits of the purchase models: starts, thinning, and what to do when there is no dropout to see.

use serde::{Deserialize, Serialize};

use super::geometric::{self, Start};
use super::summary::{Group, GroupedSummaries};
use super::tables::Tables;
use super::{BgNbd, MbgNbd, Nbd, ParetoNbd, PurchaseKind, PurchaseModel, lomax, nbd};
use crate::error::StatsError;
use crate::fitted::{FitOptions, Fitted, Likelihood, Problem, search};
use crate::optimise::{Convergence, Evaluation};

/// More histories than this, and starts are compared on an evenly spaced part of them.
const ENOUGH_TO_COMPARE: usize = 4_000;

/// Fits one kind of model.
///
/// # Errors
/// [`StatsError::NoRepeats`] when all have x = 0, [`StatsError::NoFiniteStart`].
pub fn fit_purchase(
    kind: PurchaseKind,
    groups: &GroupedSummaries,
    options: &FitOptions,
) -> Result<Fitted<PurchaseModel>, StatsError> {
    Ok(match kind {
        PurchaseKind::BgNbd => BgNbd::fit(groups, options)?.map(PurchaseModel::from),
        PurchaseKind::MbgNbd => MbgNbd::fit(groups, options)?.map(PurchaseModel::from),
        PurchaseKind::ParetoNbd => ParetoNbd::fit(groups, options)?.map(PurchaseModel::from),
        PurchaseKind::Nbd => Nbd::fit(groups, options)?.map(PurchaseModel::from),
    })
}

/// A fit, and what it stands in for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PurchaseFit {
    /// The fit to use.
    pub fitted: Fitted<PurchaseModel>,
    /// The fit of the kind asked for, when `fitted` is the NBD in its place.
    pub replaced: Option<Fitted<PurchaseModel>>,
}

/// Fits one kind of model, and the NBD in its place when the model ends at its boundary without
/// describing the data visibly better than no dropout does (by less than 2 in log-likelihood: the
/// likelihood-ratio test on two degrees of freedom at 14 %).
///
/// # Errors
/// As [`fit_purchase`].
pub fn fit_purchase_or_nbd(
    kind: PurchaseKind,
    groups: &GroupedSummaries,
    options: &FitOptions,
) -> Result<PurchaseFit, StatsError> {
    let fitted = fit_purchase(kind, groups, options)?;
    if kind == PurchaseKind::Nbd || fitted.convergence == Convergence::Converged {
        return Ok(PurchaseFit {
            fitted,
            replaced: None,
        });
    }
    let without = fit_purchase(PurchaseKind::Nbd, groups, options)?;
    let better = fitted.log_likelihood - without.log_likelihood;
    if fitted.convergence != Convergence::NotConverged && better >= 2.0 {
        return Ok(PurchaseFit {
            fitted,
            replaced: None,
        });
    }
    Ok(PurchaseFit {
        fitted: without,
        replaced: Some(fitted),
    })
}

pub(super) fn fit_geometric(
    model: &'static str,
    start: Start,
    groups: &GroupedSummaries,
    options: &FitOptions,
) -> Result<Fitted<[f64; 4]>, StatsError> {
    let starts = |(r, alpha): (f64, f64)| {
        vec![
            [r, alpha, 0.8, 2.5],
            [2.0 * r, 2.0 * alpha, 1.0, 1.0],
            [r, alpha, 0.05, 1.0],
            [1.0, 1.0, 3.0, 10.0],
        ]
    };
    let parameters = ["r", "alpha", "a", "b"];
    fit_with(
        Names {
            model,
            parameters,
            times: [1],
        },
        starts,
        groups,
        options,
        |tables, point| geometric::evaluate(tables, start, options.parallelism, point),
    )
}

pub(super) fn fit_pareto(
    groups: &GroupedSummaries,
    options: &FitOptions,
) -> Result<Fitted<[f64; 4]>, StatsError> {
    let starts = |(r, alpha): (f64, f64)| {
        vec![
            [2.0 * r, 2.0 * alpha, 0.6, 0.5],
            [r, alpha, 0.2, 1.0],
            [1.0, 1.0, 1.0, 1.0],
        ]
    };
    let parameters = ["r", "alpha", "s", "beta"];
    let names = Names {
        model: "Pareto/NBD",
        parameters,
        times: [1, 3],
    };
    fit_with(names, starts, groups, options, |tables, point| {
        lomax::evaluate(tables, options.parallelism, point)
    })
}

pub(super) fn fit_nbd(
    groups: &GroupedSummaries,
    options: &FitOptions,
) -> Result<Fitted<[f64; 2]>, StatsError> {
    let starts = |(r, alpha): (f64, f64)| vec![[r, alpha], [1.0, 1.0]];
    let names = Names {
        model: "NBD",
        parameters: ["r", "alpha"],
        times: [1],
    };
    fit_with(names, starts, groups, options, nbd::evaluate)
}

struct Names<const D: usize, const K: usize> {
    model: &'static str,
    parameters: [&'static str; D],
    /// Which parameters are times.
    times: [usize; K],
}

fn fit_with<const D: usize, const K: usize>(
    names: Names<D, K>,
    starts: impl Fn((f64, f64)) -> Vec<[f64; D]>,
    groups: &GroupedSummaries,
    options: &FitOptions,
    evaluate: impl Fn(&Tables, &[f64; D]) -> Evaluation<D>,
) -> Result<Fitted<[f64; D]>, StatsError> {
    let counts = groups.counts();
    if counts.repeaters == 0 {
        return Err(StatsError::NoRepeats {
            customers: counts.customers,
        });
    }
    let tables = Tables::new(groups.groups());
    let mut units = [1.0; D];
    for time in names.times {
        units[time] = tables.scale;
    }
    let full = |point: &[f64; D]| evaluate(&tables, point);
    let thinned = thin(groups.groups()).map(|part| {
        // Both in the same scaled unit, so that a point means the same in both.
        Tables::with_scale(&part, tables.scale)
    });
    let evaluate = &evaluate;
    let on_part = thinned
        .as_ref()
        .map(|part| move |point: &[f64; D]| evaluate(part, point));
    search(
        &Problem {
            model: names.model,
            parameters: names.parameters,
            units,
            starts: starts(tables.moments()),
            offset: tables.offset(),
            customers: counts.customers,
            full: &full,
            thinned: on_part.as_ref().map(|f| f as Likelihood<'_, D>),
        },
        options,
    )
}

/// Every k-th history, when there are many.
fn thin(groups: &[Group]) -> Option<Vec<Group>> {
    let step = groups.len() / ENOUGH_TO_COMPARE;
    (step > 1).then(|| groups.iter().step_by(step).copied().collect())
}
