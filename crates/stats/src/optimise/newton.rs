//! Newton's method in a trust region and a box.

use super::linear::symmetric_eigen;
use super::{Evaluation, Limits, Optimum, State, simplex};

/// Searches a maximum of `f` from `start`.
///
/// `f` must give a value that is not finite where it cannot be computed; such points are never
/// accepted. Returns `None` when the start itself is such a point.
pub fn maximise<const D: usize>(
    start: [f64; D],
    limits: &Limits<D>,
    f: impl Fn(&[f64; D]) -> Evaluation<D>,
) -> Option<Optimum<D>> {
    let start = into_box(start, limits);
    let first = f(&start);
    if !usable(&first) {
        return None;
    }
    let mut best = climb(start, first, limits, &f);
    if best.state == State::Stopped {
        let spent = best.iterations;
        let moved = into_box(
            simplex::maximise(&best.point, |p| f(&into_box(*p, limits)).value),
            limits,
        );
        let at = f(&moved);
        if usable(&at) && at.value >= best.at.value {
            best = climb(moved, at, limits, &f);
            best.iterations += spent;
        }
    }
    Some(best)
}

fn climb<const D: usize>(
    start: [f64; D],
    first: Evaluation<D>,
    limits: &Limits<D>,
    f: &impl Fn(&[f64; D]) -> Evaluation<D>,
) -> Optimum<D> {
    let mut point = start;
    let mut at = first;
    let mut radius = 1.0;
    let mut iterations = 0;
    let mut finished = false;
    while iterations < limits.max_iterations {
        let held = held_by_box(&point, &at, limits);
        let (step, gain) = newton_step(&at, &held, radius);
        // The last bits of a sum this large; a smaller gain cannot be seen.
        let precision = 1e-13 * (1.0 + at.value.abs());
        let negligible = gain <= precision;
        let mut next = point;
        for i in 0..D {
            next[i] += step[i];
        }
        let next = into_box(next, limits);
        let there = f(&next);
        iterations += 1;
        if negligible {
            // One more full step polishes the point; keep it unless it is visibly worse.
            if usable(&there) && there.value >= at.value - precision {
                (point, at) = (next, there);
            }
            finished = true;
            break;
        }
        let gained = there.value - at.value;
        if usable(&there) && gained > 0.0 {
            (point, at) = (next, there);
            radius = if gained > 0.75 * gain {
                (2.0 * radius).min(4.0)
            } else {
                radius
            };
            if gained < 0.25 * gain {
                radius = 0.5 * length(&step);
            }
        } else {
            radius = 0.25 * length(&step);
            if radius < 1e-9 {
                finished = gain <= 1e-10 * (1.0 + at.value.abs());
                break;
            }
        }
    }
    let held = held_by_box(&point, &at, limits);
    let state = match (finished, held.iter().any(|&h| h)) {
        (false, _) => State::Stopped,
        (true, false) => State::Interior,
        (true, true) => State::OnBox(held),
    };
    Optimum {
        point,
        at,
        iterations,
        state,
    }
}

/// The step of at most `radius` along −H⁻¹g with negative curvature turned round, and the gain the
/// quadratic model promises for it. Variables held by the box do not move.
fn newton_step<const D: usize>(
    at: &Evaluation<D>,
    held: &[bool; D],
    radius: f64,
) -> ([f64; D], f64) {
    let mut hessian = at.hessian;
    let mut gradient = at.gradient;
    for i in 0..D {
        if held[i] {
            gradient[i] = 0.0;
            for j in 0..D {
                hessian[i][j] = 0.0;
                hessian[j][i] = 0.0;
            }
            hessian[i][i] = -1.0;
        }
    }
    let (values, vectors) = symmetric_eigen(&hessian);
    let slopes = vectors.map(|v| dot(&v, &gradient));
    let steepest = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let curvatures = values.map(|v| v.abs().max(1e-10 * steepest).max(1e-300));
    let size = |damping: f64| {
        let squares = (0..D)
            .map(|k| slopes[k] / (curvatures[k] + damping))
            .map(|c| c * c)
            .sum::<f64>();
        squares.sqrt()
    };
    let mut damping = 0.0;
    if size(0.0) > radius {
        // size() falls with the damping: bracket, then bisect the logarithm.
        let (mut low, mut high) = (1e-12 * (1.0 + steepest), length(&gradient) / radius);
        for _ in 0..60 {
            damping = (low * high).sqrt();
            if size(damping) > radius {
                low = damping;
            } else {
                high = damping;
            }
        }
        damping = high;
    }
    let mut step = [0.0; D];
    let mut gain = 0.0;
    for k in 0..D {
        let along = slopes[k] / (curvatures[k] + damping);
        gain += along * slopes[k] + 0.5 * values[k].min(0.0) * along * along;
        for i in 0..D {
            step[i] += along * vectors[k][i];
        }
    }
    (step, gain)
}

fn held_by_box<const D: usize>(
    point: &[f64; D],
    at: &Evaluation<D>,
    limits: &Limits<D>,
) -> [bool; D] {
    let mut held = [false; D];
    for i in 0..D {
        held[i] = (point[i] <= limits.low[i] && at.gradient[i] <= 0.0)
            || (point[i] >= limits.high[i] && at.gradient[i] >= 0.0);
    }
    held
}

fn into_box<const D: usize>(mut point: [f64; D], limits: &Limits<D>) -> [f64; D] {
    for i in 0..D {
        point[i] = point[i].clamp(limits.low[i], limits.high[i]);
    }
    point
}

fn usable<const D: usize>(at: &Evaluation<D>) -> bool {
    at.value.is_finite()
        && at.gradient.iter().all(|g| g.is_finite())
        && at.hessian.iter().flatten().all(|h| h.is_finite())
}

fn dot<const D: usize>(a: &[f64; D], b: &[f64; D]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn length<const D: usize>(a: &[f64; D]) -> f64 {
    dot(a, a).sqrt()
}
