//! Likelihood of the Gamma-Gamma model and its maximum.
//!
//! ln L = ln Γ(px+q) − ln Γ(px) − ln Γ(q) + q ln γ + (px − 1) ln m + px ln x − (px+q) ln(γ + m x).

use super::groups::{GroupedSpend, SpendGroup};
use crate::error::StatsError;
use crate::fitted::{FitOptions, Fitted, Problem, search};
use crate::optimise::Evaluation;
use crate::parallel::{Parallelism, map_chunks};
use crate::special::gamma::{digamma, ln_gamma, ln_gamma_ratio, trigamma};

const CHUNK: usize = 8_192;

/// Distinct x, and every observation with money divided by its mean.
struct Tables {
    scale: f64,
    counts: Vec<Count>,
    rows: Vec<Row>,
    /// What does not depend on the parameters: Σ −ln m.
    constant: f64,
}

struct Count {
    x: f64,
    customers: f64,
    /// Σ ln(m x) over its customers, scaled.
    ln_spend: f64,
}

struct Row {
    count: u32,
    /// m x, scaled.
    spend: f64,
    customers: f64,
}

impl Tables {
    fn new(groups: &[SpendGroup]) -> Self {
        let customers: f64 = groups.iter().map(|g| g.customers as f64).sum();
        let spent: f64 = groups
            .iter()
            .map(|g| g.customers as f64 * g.spend.mean)
            .sum();
        let scale = spent / customers;
        let mut counts: Vec<Count> = Vec::new();
        let mut rows = Vec::with_capacity(groups.len());
        let mut constant = 0.0;
        for group in groups {
            let x = f64::from(group.spend.x);
            let customers = group.customers as f64;
            if counts.last().is_none_or(|count| count.x != x) {
                counts.push(Count {
                    x,
                    customers: 0.0,
                    ln_spend: 0.0,
                });
            }
            let index = counts.len() - 1;
            let mean = group.spend.mean / scale;
            counts[index].customers += customers;
            counts[index].ln_spend += customers * libm::log(mean * x);
            constant -= customers * libm::log(mean);
            rows.push(Row {
                count: index as u32,
                spend: mean * x,
                customers,
            });
        }
        Self {
            scale,
            counts,
            rows,
            constant,
        }
    }
}

pub(super) fn fit(
    spend: &GroupedSpend,
    options: &FitOptions,
) -> Result<Fitted<[f64; 3]>, StatsError> {
    let tables = Tables::new(spend.groups());
    let full = |point: &[f64; 3]| evaluate(&tables, options.parallelism, point);
    let customers = spend.counts().customers;
    search(
        &Problem {
            model: "Gamma-Gamma",
            parameters: ["p", "q", "gamma"],
            units: [1.0, 1.0, tables.scale],
            // Population mean 1 in scaled money: γ = (q − 1) / p.
            starts: vec![[6.0, 4.0, 0.5], [1.0, 3.0, 2.0], [20.0, 8.0, 0.35]],
            offset: -(customers as f64) * libm::log(tables.scale),
            customers,
            full: &full,
            thinned: None,
        },
        options,
    )
}

fn evaluate(tables: &Tables, parallelism: Parallelism, logs: &[f64; 3]) -> Evaluation<3> {
    let point = logs.map(libm::exp);
    let [p, q, gamma] = point;
    let mut sum = Evaluation {
        value: tables.constant,
        ..Evaluation::ZERO
    };
    for count in &tables.counts {
        add_count(count, point, logs[2], &mut sum);
    }
    let shapes: Vec<f64> = tables.counts.iter().map(|count| p * count.x + q).collect();
    let parts = map_chunks(tables.rows.len(), CHUNK, parallelism, |range| {
        let mut sum: Evaluation<3> = Evaluation::ZERO;
        for row in &tables.rows[range] {
            let shape = shapes[row.count as usize];
            let x = tables.counts[row.count as usize].x;
            let rate = gamma + row.spend;
            let (ln_rate, inv) = (libm::log(rate), 1.0 / rate);
            let w = row.customers;
            sum.value -= w * shape * ln_rate;
            sum.gradient[0] -= w * x * ln_rate;
            sum.gradient[1] -= w * ln_rate;
            sum.gradient[2] -= w * shape * inv;
            sum.hessian[0][2] -= w * x * inv;
            sum.hessian[1][2] -= w * inv;
            sum.hessian[2][2] += w * shape * inv * inv;
        }
        sum.hessian[2][0] = sum.hessian[0][2];
        sum.hessian[2][1] = sum.hessian[1][2];
        sum
    });
    for part in &parts {
        sum.add(part);
    }
    sum.in_logs(&point)
}

/// Adds the terms that the customers of one x share.
fn add_count(count: &Count, [p, q, gamma]: [f64; 3], ln_gamma_rate: f64, sum: &mut Evaluation<3>) {
    let (x, w) = (count.x, count.customers);
    let shape = p * x;
    let both = shape + q;
    let (d_both, t_both) = (digamma(both), trigamma(both));
    sum.value +=
        w * (ln_gamma_ratio(shape, q) - ln_gamma(q) + q * ln_gamma_rate) + shape * count.ln_spend;
    sum.gradient[0] += w * x * (d_both - digamma(shape)) + x * count.ln_spend;
    sum.gradient[1] += w * (d_both - digamma(q) + ln_gamma_rate);
    sum.gradient[2] += w * q / gamma;
    sum.hessian[0][0] += w * x * x * (t_both - trigamma(shape));
    sum.hessian[0][1] += w * x * t_both;
    sum.hessian[1][0] += w * x * t_both;
    sum.hessian[1][1] += w * (t_both - trigamma(q));
    sum.hessian[1][2] += w / gamma;
    sum.hessian[2][1] += w / gamma;
    sum.hessian[2][2] -= w * q / (gamma * gamma);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimise::tests::check_derivatives;
    use crate::spend::SpendSummary;

    #[test]
    fn correctness_derivatives() {
        let spend = [(1, 20.0), (1, 35.5), (2, 35.0), (9, 80.0), (400, 12.0)]
            .map(|(x, mean)| SpendSummary { x, mean });
        let tables = Tables::new(GroupedSpend::new(&spend).unwrap().groups());
        for point in [[6.0, 4.0, 0.5], [0.3, 0.8, 3.0], [40.0, 2.0, 0.01]] {
            check_derivatives(point.map(libm::log), |p| {
                evaluate(&tables, Parallelism::ONE, p)
            });
        }
    }
}
