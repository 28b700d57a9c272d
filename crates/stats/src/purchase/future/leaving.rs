//! Orders cut short at a random moment: averages over it.

use super::MANY_TERMS;
use super::arrivals::Arrivals;
use crate::special::quadrature::gauss_legendre;

/// P(Y ≥ n), n = 0, 1, …, down to the first below `least`.
pub(super) fn lomax_tail(
    shape: f64,
    rate: f64,
    s: f64,
    beta: f64,
    horizon: f64,
    least: f64,
) -> Vec<f64> {
    struct Branch {
        mass: f64,
        arrivals: Arrivals,
        ln_weight: f64,
        weight: f64,
    }
    let mut branches = Vec::new();
    let panels = if shape > 50.0 { 4 } else { 1 };
    leaving(s, beta, rate, horizon, panels, |mass, until| {
        let arrivals = Arrivals::new(shape, rate, until);
        let ln_weight = arrivals.ln_weight(0.0);
        branches.push(Branch {
            mass,
            arrivals,
            ln_weight,
            weight: libm::exp(ln_weight),
        });
    });
    let mut tail = vec![1.0];
    let mut n = 0.0;
    loop {
        let mut exactly = 0.0;
        for branch in &mut branches {
            exactly += branch.mass * branch.weight;
            let ratio = branch.arrivals.ratio(n);
            if branch.weight > 1e-250 {
                branch.weight *= ratio;
                branch.ln_weight = f64::NAN;
            } else if branch.ln_weight > f64::NEG_INFINITY {
                // Still below the smallest number: carried in logs until it rises.
                branch.ln_weight += libm::log(ratio);
                branch.weight = libm::exp(branch.ln_weight);
            }
        }
        let next = (tail[tail.len() - 1] - exactly).max(0.0);
        tail.push(next);
        n += 1.0;
        if next < least || n > MANY_TERMS {
            return tail;
        }
    }
}

/// Visits (probability, time alive within the horizon): moments of leaving as nodes, then staying.
pub(super) fn leaving(
    s: f64,
    beta: f64,
    rate: f64,
    horizon: f64,
    panels: usize,
    mut visit: impl FnMut(f64, f64),
) {
    // In the logarithm of the faster of rate + u and beta + u, where both are smooth.
    let base = rate.min(beta);
    let reach = libm::log1p(horizon / base);
    let rule = gauss_legendre(32);
    for panel in 0..panels {
        for (node, weight) in rule.nodes.iter().zip(&rule.weights) {
            let y = reach * (panel as f64 + node) / panels as f64;
            let until = base * libm::expm1(y);
            let density = s / beta * libm::exp(-(s + 1.0) * libm::log1p(until / beta));
            visit(
                density * weight * (base + until) * reach / panels as f64,
                until,
            );
        }
    }
    visit(libm::exp(-s * libm::log1p(horizon / beta)), horizon);
}
