//! Likelihood of the Pareto/NBD: lifetimes whose rate varies as Gamma(s, rate β), so that the
//! lifetime is Lomax (Pareto II).
//!
//! Schmittlein, Morrison & Colombo (1987), as an integral over the moment u of leaving instead of
//! hypergeometric functions:
//!
//! ```text
//! L = Γ(r+x) α^r β^s / Γ(r) · { (α+T)^−(r+x) (β+T)^−s + s ∫ (α+u)^−(r+x) (β+u)^−(s+1) du }
//! ```
//!
//! with u from `t_x` to T.
//!
//! The integral is taken by Gauss–Legendre in the logarithm of the faster of α+u and β+u, cut where
//! the integrand has fallen by e^−40. Derivatives are moments under the same nodes.

use super::tables::{Row, Tables};
use crate::optimise::Evaluation;
use crate::parallel::{Parallelism, map_chunks};
use crate::special::gamma::{digamma, ln_gamma_ratio, trigamma};
use crate::special::quadrature::gauss_legendre;

const CHUNK: usize = 2_048;

/// The integrand (α+u)^−k (β+u)^−l.
#[derive(Clone, Copy)]
pub(super) struct Kernel {
    pub k: f64,
    pub alpha: f64,
    pub l: f64,
    pub beta: f64,
}

/// One node of the integral.
pub(super) struct Node {
    /// ln(α+u) less its value at the lower end.
    pub ln_alpha: f64,
    /// ln(β+u) less its value at the lower end.
    pub ln_beta: f64,
    /// 1 / (α+u).
    pub inv_alpha: f64,
    /// 1 / (β+u).
    pub inv_beta: f64,
    /// Integrand over its value at the lower end, times the width.
    pub weight: f64,
}

impl Kernel {
    /// Visits the nodes of the integral from `from` to `to`.
    pub(super) fn visit(&self, from: f64, to: f64, mut visit: impl FnMut(&Node)) {
        let alpha_first = self.alpha <= self.beta;
        let (m, k_m, big, k_big) = if alpha_first {
            (self.alpha, self.k, self.beta, self.l)
        } else {
            (self.beta, self.l, self.alpha, self.k)
        };
        let base = m + from;
        let apart = big - m;
        let inv_big_base = 1.0 / (big + from);
        let fall = |y: f64, grown: f64| {
            // m+u = base · grown; big+u relative to its start.
            (k_m - 1.0) * y + k_big * libm::log((base * grown + apart) * inv_big_base)
        };
        let mut reach = libm::log1p((to - from) / base);
        let mut depth = fall(reach, libm::exp(reach));
        if depth > 45.0 {
            let (mut low, mut high) = (0.0, reach);
            while !(38.0..=45.0).contains(&depth) {
                reach = 0.5 * (low + high);
                depth = fall(reach, libm::exp(reach));
                if depth > 45.0 {
                    high = reach;
                } else {
                    low = reach;
                }
                if high - low <= 1e-14 * high {
                    break;
                }
            }
        }
        let rule = gauss_legendre(nodes_for(depth.abs(), reach));
        for (node, weight) in rule.nodes.iter().zip(&rule.weights) {
            let y = reach * node;
            let small = base * libm::exp(y);
            let large = small + apart;
            let ln_large = libm::log(large * inv_big_base);
            let weight = weight * reach * small * libm::exp(-k_m * y - k_big * ln_large);
            let (inv_small, inv_large) = (1.0 / small, 1.0 / large);
            visit(&if alpha_first {
                Node {
                    ln_alpha: y,
                    ln_beta: ln_large,
                    inv_alpha: inv_small,
                    inv_beta: inv_large,
                    weight,
                }
            } else {
                Node {
                    ln_alpha: ln_large,
                    ln_beta: y,
                    inv_alpha: inv_large,
                    inv_beta: inv_small,
                    weight,
                }
            });
        }
    }

    /// The integral from `from` to `to` over the integrand at `from`.
    pub(super) fn integral(&self, from: f64, to: f64) -> f64 {
        let mut sum = 0.0;
        self.visit(from, to, |node| sum += node.weight);
        sum
    }
}

/// Nodes for 1e-12: `depth` is the fall of the logarithm of the integrand over the interval, `reach`
/// its length in the logarithm of time.
fn nodes_for(depth: f64, reach: f64) -> usize {
    let effort = depth + 3.0 * reach;
    match effort {
        e if e < 1.5 => 8,
        e if e < 6.0 => 12,
        e if e < 14.0 => 16,
        e if e < 30.0 => 24,
        e if e < 60.0 => 32,
        _ => 64,
    }
}

/// ln of the odds that a customer has left by T against that they are still alive.
pub(super) fn ln_odds_left([r, alpha, s, beta]: [f64; 4], history: super::PurchaseSummary) -> f64 {
    let super::PurchaseSummary { x, t_x, t } = history;
    let k = r + f64::from(x);
    let kernel = Kernel {
        k,
        alpha,
        l: s + 1.0,
        beta,
    };
    let silence = k * libm::log1p((t - t_x) / (alpha + t_x));
    let aging = s * libm::log1p((t - t_x) / (beta + t_x)) - libm::log(beta + t_x);
    libm::log(s * kernel.integral(t_x, t)) + silence + aging
}

/// ln L and its derivatives at the logarithms of scaled (r, alpha, s, beta).
pub(super) fn evaluate(
    tables: &Tables,
    parallelism: Parallelism,
    logs: &[f64; 4],
) -> Evaluation<4> {
    let point = logs.map(libm::exp);
    let r = point[0];
    let at_r = (digamma(r), trigamma(r));
    let counts: Vec<[f64; 3]> = tables
        .counts
        .iter()
        .map(|&(x, _)| match x {
            0.0 => [0.0; 3],
            _ => {
                let (first, second) = (digamma(r + x) - at_r.0, trigamma(r + x) - at_r.1);
                [ln_gamma_ratio(r, x), first, second]
            }
        })
        .collect();
    let [ln_alphas, ln_betas] = [point[1], point[3]].map(|p| {
        tables
            .times
            .iter()
            .map(|&t| libm::log(p + t))
            .collect::<Vec<f64>>()
    });
    let parts = map_chunks(tables.rows.len(), CHUNK, parallelism, |range| {
        let mut sum = Evaluation::ZERO;
        for row in &tables.rows[range] {
            let ends = Ends {
                from: tables.times[row.t_x as usize],
                to: tables.times[row.t as usize],
                ln_alpha: (ln_alphas[row.t_x as usize], ln_alphas[row.t as usize]),
                ln_beta: (ln_betas[row.t_x as usize], ln_betas[row.t as usize]),
            };
            add_row(row, tables.counts[row.x as usize].0, &ends, point, &mut sum);
        }
        for row in 0..4 {
            for column in 0..row {
                sum.hessian[row][column] = sum.hessian[column][row];
            }
        }
        sum
    });
    let mut sum = Evaluation::ZERO;
    for part in &parts {
        sum.add(part);
    }
    add_counts(tables, &counts, point, logs, &mut sum);
    sum.in_logs(&point)
}

struct Ends {
    from: f64,
    to: f64,
    ln_alpha: (f64, f64),
    ln_beta: (f64, f64),
}

/// Adds ln{…} of one history; of the Hessian only the upper triangle.
fn add_row(row: &Row, x: f64, ends: &Ends, [r, alpha, s, beta]: [f64; 4], sum: &mut Evaluation<4>) {
    let k = r + x;
    let kernel = Kernel {
        k,
        alpha,
        l: s + 1.0,
        beta,
    };
    let inv_s = 1.0 / s;
    // Moments of the derivatives of the integrand's logarithm, over the integrand at t_x.
    let mut mass = 0.0;
    let mut first = [0.0; 4];
    let mut second = [[0.0; 4]; 4];
    kernel.visit(ends.from, ends.to, |node| {
        let slopes = [
            -node.ln_alpha,
            -k * node.inv_alpha,
            inv_s - node.ln_beta,
            -(s + 1.0) * node.inv_beta,
        ];
        mass += node.weight;
        for i in 0..4 {
            let weighted = node.weight * slopes[i];
            first[i] += weighted;
            for j in i..4 {
                second[i][j] += weighted * slopes[j];
            }
        }
    });
    // The customer who is still alive: a point mass at T.
    let ln_alpha = ends.ln_alpha.1 - ends.ln_alpha.0;
    let ln_beta = ends.ln_beta.1 - ends.ln_beta.0;
    let (inv_alpha, inv_beta) = (1.0 / (alpha + ends.to), 1.0 / (beta + ends.to));
    let alive = libm::exp(-k * ln_alpha - s * ln_beta + ends.ln_beta.0);
    let slopes = [-ln_alpha, -k * inv_alpha, -ln_beta, -s * inv_beta];
    let total = alive + s * mass;
    let (left, alive) = (s / total, alive / total);
    let w = row.customers;
    let mut mean = [0.0; 4];
    for i in 0..4 {
        mean[i] = left * first[i] + alive * slopes[i];
    }
    sum.value += w * (libm::log(total) - k * ends.ln_alpha.0 - (s + 1.0) * ends.ln_beta.0);
    sum.gradient[0] += w * (mean[0] - ends.ln_alpha.0);
    sum.gradient[1] += w * mean[1];
    sum.gradient[2] += w * (mean[2] - ends.ln_beta.0);
    sum.gradient[3] += w * mean[3];
    for i in 0..4 {
        for j in i..4 {
            let square = left * second[i][j] + alive * slopes[i] * slopes[j];
            sum.hessian[i][j] += w * (square - mean[i] * mean[j]);
        }
    }
    sum.hessian[0][1] += w * (left * first[1] / k - alive * inv_alpha);
    sum.hessian[1][1] += w * (left * second[1][1] / k + alive * k * inv_alpha * inv_alpha);
    sum.hessian[2][2] -= w * left * mass * inv_s * inv_s;
    sum.hessian[2][3] += w * (left * first[3] / (s + 1.0) - alive * inv_beta);
    sum.hessian[3][3] += w * (left * second[3][3] / (s + 1.0) + alive * s * inv_beta * inv_beta);
}

/// Adds ln(Γ(r+x) α^r β^s / Γ(r)) of all customers.
fn add_counts(
    tables: &Tables,
    counts: &[[f64; 3]],
    [r, alpha, s, beta]: [f64; 4],
    logs: &[f64; 4],
    sum: &mut Evaluation<4>,
) {
    let n = tables.customers;
    sum.value += n * (r * logs[1] + s * logs[3]);
    sum.gradient[0] += n * logs[1];
    sum.gradient[1] += n * r / alpha;
    sum.gradient[2] += n * logs[3];
    sum.gradient[3] += n * s / beta;
    for (i, j, value) in [(0, 1, 1.0 / alpha), (2, 3, 1.0 / beta)] {
        sum.hessian[i][j] += n * value;
        sum.hessian[j][i] += n * value;
    }
    sum.hessian[1][1] -= n * r / (alpha * alpha);
    sum.hessian[3][3] -= n * s / (beta * beta);
    for (&(_, w), [value, first, second]) in tables.counts.iter().zip(counts) {
        sum.value += w * value;
        sum.gradient[0] += w * first;
        sum.hessian[0][0] += w * second;
    }
}

#[cfg(test)]
mod tests;
