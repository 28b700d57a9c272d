//! From starts and a likelihood to a [`Fitted`] model: the one path that every fit takes.

use super::{Estimate, FitOptions, Fitted, Information, StartOutcome};
use crate::error::StatsError;
use crate::optimise::{
    Convergence, Evaluation, Limits, Optimum, State, invert_positive_definite, maximise,
    symmetric_eigen,
};

/// A shape below this, or above its inverse squared, means a mixing distribution that has
/// degenerated: to a point, or to customers of two kinds.
const DEGENERATE_SHAPE: f64 = 0.01;

/// A standard error of a log-parameter above this spans four orders of magnitude each way.
const UNIDENTIFIED: f64 = 5.0;

/// A log-likelihood of log-parameters.
pub(crate) type Likelihood<'a, const D: usize> = &'a dyn Fn(&[f64; D]) -> Evaluation<D>;

/// What is to be maximised, in the logarithms of scaled parameters.
pub(crate) struct Problem<'a, const D: usize> {
    pub model: &'static str,
    pub parameters: [&'static str; D],
    /// Caller's unit = scaled unit × this; 1 for shapes.
    pub units: [f64; D],
    /// Starts, scaled, natural.
    pub starts: Vec<[f64; D]>,
    /// Log-likelihood on the papers' scale less the scaled one.
    pub offset: f64,
    pub customers: u64,
    /// Over all customers.
    pub full: Likelihood<'a, D>,
    /// Over a part of them, to compare starts; `None` when all are few enough.
    pub thinned: Option<Likelihood<'a, D>>,
}

/// Runs every start on the thinned likelihood and the best of them on the full one; gives the
/// parameters in the caller's units as the model.
pub(crate) fn search<const D: usize>(
    problem: &Problem<'_, D>,
    options: &FitOptions,
) -> Result<Fitted<[f64; D]>, StatsError> {
    let limits = Limits {
        low: [libm::log(1e-6); D],
        high: [libm::log(1e6); D],
        max_iterations: options.max_iterations,
    };
    let compare = problem.thinned.unwrap_or(problem.full);
    let mut outcomes = Vec::new();
    let mut best: Option<Optimum<D>> = None;
    for start in &problem.starts {
        let Some(found) = maximise(start.map(libm::log), &limits, compare) else {
            continue;
        };
        outcomes.push(StartOutcome {
            start: (0..D).map(|i| start[i] * problem.units[i]).collect(),
            log_likelihood: found.at.value + problem.offset,
            iterations: found.iterations,
            convergence: convergence(&found, problem),
        });
        // A later start must be visibly better to win, so that rounding never chooses.
        let margin = 1e-9 * (1.0 + found.at.value.abs());
        if best
            .as_ref()
            .is_none_or(|b| found.at.value > b.at.value + margin)
        {
            best = Some(found);
        }
    }
    let no_start = StatsError::NoFiniteStart {
        model: problem.model,
        starts: problem.starts.len(),
    };
    let mut best = best.ok_or(no_start.clone())?;
    if problem.thinned.is_some() {
        best = maximise(best.point, &limits, problem.full).ok_or(no_start)?;
    }
    Ok(fitted(problem, &best, outcomes))
}

fn fitted<const D: usize>(
    problem: &Problem<'_, D>,
    best: &Optimum<D>,
    starts: Vec<StartOutcome>,
) -> Fitted<[f64; D]> {
    let mut model = [0.0; D];
    for i in 0..D {
        model[i] = libm::exp(best.point[i]) * problem.units[i];
    }
    let on_box = matches!(best.state, State::OnBox(_));
    let inverse = if on_box {
        None
    } else {
        invert_positive_definite(&information(best))
    };
    let covariance = inverse.map(|inverse| {
        let scaled = |i: usize, j: usize| inverse[i][j] * model[i] * model[j];
        (0..D)
            .map(|i| (0..D).map(|j| scaled(i, j)).collect())
            .collect::<Vec<Vec<f64>>>()
    });
    let estimates = (0..D)
        .map(|i| Estimate {
            parameter: problem.parameters[i].to_owned(),
            value: model[i],
            standard_error: covariance.as_ref().map(|c| c[i][i].sqrt()),
        })
        .collect();
    let steepest = best
        .at
        .gradient
        .iter()
        .fold(0.0, |m: f64, g| m.max(g.abs()));
    let log_likelihood = best.at.value + problem.offset;
    Fitted {
        model,
        estimates,
        information: if covariance.is_some() {
            Information::PositiveDefinite
        } else {
            Information::NotPositiveDefinite
        },
        covariance,
        log_likelihood,
        aic: 2.0 * D as f64 - 2.0 * log_likelihood,
        customers: problem.customers,
        convergence: convergence(best, problem),
        iterations: best.iterations,
        gradient_norm: steepest / problem.customers as f64,
        starts,
    }
}

fn information<const D: usize>(best: &Optimum<D>) -> [[f64; D]; D] {
    best.at.hessian.map(|row| row.map(|h| -h))
}

fn convergence<const D: usize>(best: &Optimum<D>, problem: &Problem<'_, D>) -> Convergence {
    let boundary = |i: usize| Convergence::Boundary {
        parameter: problem.parameters[i].to_owned(),
    };
    match best.state {
        State::Stopped => return Convergence::NotConverged,
        State::OnBox(held) => {
            return boundary(held.iter().position(|&h| h).unwrap_or_default());
        }
        State::Interior => {}
    }
    let shape = |i: usize| problem.units[i] == 1.0;
    let low = libm::log(DEGENERATE_SHAPE);
    if let Some(i) =
        (0..D).find(|&i| shape(i) && (best.point[i] < low || best.point[i] > -2.0 * low))
    {
        return boundary(i);
    }
    match invert_positive_definite(&information(best)) {
        Some(inverse) => {
            let widest = (0..D).fold(0, |w, i| if inverse[i][i] > inverse[w][w] { i } else { w });
            if inverse[widest][widest].sqrt() > UNIDENTIFIED {
                boundary(widest)
            } else {
                Convergence::Converged
            }
        }
        None => {
            let (values, vectors) = symmetric_eigen(&information(best));
            let flat = (0..D).fold(0, |f, k| if values[k] < values[f] { k } else { f });
            let along = vectors[flat];
            boundary((0..D).fold(0, |w, i| {
                if along[i].abs() > along[w].abs() {
                    i
                } else {
                    w
                }
            }))
        }
    }
}
