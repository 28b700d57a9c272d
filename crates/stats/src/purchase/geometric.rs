//! Likelihood of the beta-geometric models: dropout with a probability p ~ Beta(a, b) of the
//! customer's own, at each opportunity.
//!
//! BG/NBD (Fader, Hardie & Lee 2005, eq. 6) has an opportunity after each repeat order, MBG/NBD
//! (Batislam, Denizel & Filiztekin 2007) also after the first order. With k = 0 or 1 opportunities
//! at the start, n = x + k survived if alive, and
//!
//! ```text
//! L = Γ(r+x) α^r / Γ(r) · B(a, b+n)/B(a, b) · (α+T)^−(r+x) · (1 + e^d)
//! d = ln(a / (b+n−1)) + (r+x) ln((α+T)/(α+t_x))
//! ```
//!
//! where the e^d term (the customer left after the last order) is absent for n = 0.

use super::tables::Tables;
use crate::optimise::Evaluation;
use crate::parallel::{Parallelism, map_chunks};
use crate::special::gamma::{digamma, ln_gamma_ratio, trigamma};

/// Chunks of histories that are summed apart.
const CHUNK: usize = 4_096;

/// Opportunities to drop out before the first repeat order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// None: BG/NBD.
    Safe,
    /// One: MBG/NBD.
    AtRisk,
}

impl Start {
    pub(super) fn opportunities(self) -> f64 {
        match self {
            Self::Safe => 0.0,
            Self::AtRisk => 1.0,
        }
    }
}

/// P(alive at T) from the survived opportunities `n`.
pub(super) fn probability_alive(
    [r, alpha, a, b]: [f64; 4],
    history: super::PurchaseSummary,
    n: f64,
) -> f64 {
    if n == 0.0 {
        return 1.0;
    }
    let silence = libm::log1p((history.t - history.t_x) / (alpha + history.t_x));
    let odds = a / (b + n - 1.0) * libm::exp((r + f64::from(history.x)) * silence);
    1.0 / (1.0 + odds)
}

/// ln L and its derivatives at the logarithms of scaled (r, alpha, a, b).
pub(super) fn evaluate(
    tables: &Tables,
    start: Start,
    parallelism: Parallelism,
    logs: &[f64; 4],
) -> Evaluation<4> {
    let point = logs.map(libm::exp);
    let [r, alpha, a, b] = point;
    let ends: Vec<(f64, f64)> = tables
        .times
        .iter()
        .map(|&t| (libm::log(alpha + t), 1.0 / (alpha + t)))
        .collect();
    let mut sum = counts(tables, start, point);
    add_ends(tables, point, &ends, &mut sum);
    // ln(a / (b+n−1)) and 1 / (b+n−1) for each x; none where there was no opportunity.
    let k = start.opportunities();
    let odds: Vec<Option<(f64, f64, f64)>> = tables
        .counts
        .iter()
        .map(|&(x, _)| {
            let survived = x + k;
            let left = b + survived - 1.0;
            (survived > 0.0).then(|| (r + x, libm::log(a / left), 1.0 / left))
        })
        .collect();
    let parts = map_chunks(tables.rows.len(), CHUNK, parallelism, |range| {
        let mut sum = LeftSums::default();
        for row in &tables.rows[range] {
            let Some(odds) = odds[row.x as usize] else {
                continue;
            };
            sum.add(
                odds,
                ends[row.t_x as usize],
                ends[row.t as usize],
                row.customers,
            );
        }
        sum
    });
    for part in parts {
        part.add_to(a, &mut sum);
    }
    sum.in_logs(&point)
}

/// The terms in x alone.
fn counts(tables: &Tables, start: Start, [r, alpha, a, b]: [f64; 4]) -> Evaluation<4> {
    let mut sum = Evaluation::ZERO;
    let (ln_alpha, ab) = (libm::log(alpha), a + b);
    let psi = [r, b, ab].map(|p| (digamma(p), trigamma(p)));
    for &(x, w) in &tables.counts {
        let n = x + start.opportunities();
        let gap = |base: f64, step: f64, at: (f64, f64)| {
            if step == 0.0 {
                return (0.0, 0.0);
            }
            (digamma(base + step) - at.0, trigamma(base + step) - at.1)
        };
        let (r1, r2) = gap(r, x, psi[0]);
        let (b1, b2) = gap(b, n, psi[1]);
        let (ab1, ab2) = gap(ab, n, psi[2]);
        sum.value += w
            * (ln_gamma_ratio(r, x) + ln_gamma_ratio(b, n) - ln_gamma_ratio(ab, n) + r * ln_alpha);
        sum.gradient[0] += w * (r1 + ln_alpha);
        sum.gradient[1] += w * r / alpha;
        sum.gradient[2] -= w * ab1;
        sum.gradient[3] += w * (b1 - ab1);
        sum.hessian[0][0] += w * r2;
        sum.hessian[0][1] += w / alpha;
        sum.hessian[1][1] -= w * r / (alpha * alpha);
        sum.hessian[2][2] -= w * ab2;
        sum.hessian[2][3] -= w * ab2;
        sum.hessian[3][3] += w * (b2 - ab2);
    }
    sum.hessian[1][0] = sum.hessian[0][1];
    sum.hessian[3][2] = sum.hessian[2][3];
    sum
}

/// The terms −(r+x) ln(α+T).
pub(super) fn add_ends<const D: usize>(
    tables: &Tables,
    point: [f64; D],
    ends: &[(f64, f64)],
    sum: &mut Evaluation<D>,
) {
    let r = point[0];
    for &(t, w, x) in &tables.ends {
        let (ln_t, inv_t) = ends[t as usize];
        let k = r * w + x;
        sum.value -= k * ln_t;
        sum.gradient[0] -= w * ln_t;
        sum.gradient[1] -= k * inv_t;
        sum.hessian[0][1] -= w * inv_t;
        sum.hessian[1][0] -= w * inv_t;
        sum.hessian[1][1] += k * inv_t * inv_t;
    }
}

/// Sums of ln(1 + e^d) and its derivatives over histories, by what they multiply.
#[derive(Default)]
struct LeftSums {
    value: f64,
    // First derivatives by r, α, b; that by a is `share` / a.
    r: f64,
    alpha: f64,
    b: f64,
    share: f64,
    // Second derivatives; `spread` is the sum of p (1 − p).
    spread: f64,
    rr: f64,
    r_alpha: f64,
    ra: f64,
    rb: f64,
    alpha_alpha: f64,
    alpha_a: f64,
    alpha_b: f64,
    ab: f64,
    bb: f64,
}

impl LeftSums {
    /// `odds` = (r+x, ln(a/(b+n−1)), 1/(b+n−1)); each end = (ln(α+t), 1/(α+t)).
    fn add(&mut self, odds: (f64, f64, f64), from: (f64, f64), to: (f64, f64), w: f64) {
        let (k, ln_odds, inv_left) = odds;
        let silence = to.0 - from.0;
        let d = ln_odds + k * silence;
        let (soft, p) = if d > 0.0 {
            let e = libm::exp(-d);
            (d + libm::log1p(e), 1.0 / (1.0 + e))
        } else {
            let e = libm::exp(d);
            (libm::log1p(e), e / (1.0 + e))
        };
        let wp = w * p;
        let wpq = wp * (1.0 - p);
        let slope = to.1 - from.1;
        let by_alpha = k * slope;
        self.value += w * soft;
        self.r += wp * silence;
        self.alpha += wp * by_alpha;
        self.b -= wp * inv_left;
        self.share += wp;
        self.spread += wpq;
        self.rr += wpq * silence * silence;
        self.r_alpha += wpq * silence * by_alpha + wp * slope;
        self.ra += wpq * silence;
        self.rb -= wpq * silence * inv_left;
        self.alpha_alpha += wpq * by_alpha * by_alpha + wp * k * (from.1 * from.1 - to.1 * to.1);
        self.alpha_a += wpq * by_alpha;
        self.alpha_b -= wpq * by_alpha * inv_left;
        self.ab -= wpq * inv_left;
        self.bb += (wpq + wp) * inv_left * inv_left;
    }

    fn add_to(&self, a: f64, sum: &mut Evaluation<4>) {
        sum.value += self.value;
        let gradient = [self.r, self.alpha, self.share / a, self.b];
        let aa = (self.spread - self.share) / (a * a);
        let (ra, alpha_a, ab) = (self.ra / a, self.alpha_a / a, self.ab / a);
        let hessian = [
            [self.rr, self.r_alpha, ra, self.rb],
            [self.r_alpha, self.alpha_alpha, alpha_a, self.alpha_b],
            [ra, alpha_a, aa, ab],
            [self.rb, self.alpha_b, ab, self.bb],
        ];
        sum.add(&Evaluation {
            value: 0.0,
            gradient,
            hessian,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimise::tests::check_derivatives;
    use crate::purchase::{GroupedSummaries, PurchaseSummary, nbd};

    fn tables() -> Tables {
        let histories = [
            (0, 0.0, 30.0),
            (1, 2.0, 30.0),
            (4, 28.0, 31.0),
            (300, 20.0, 38.0),
        ]
        .map(|(x, t_x, t)| PurchaseSummary { x, t_x, t });
        Tables::new(GroupedSummaries::new(&histories).unwrap().groups())
    }

    #[test]
    fn correctness_derivatives() {
        let tables = tables();
        for start in [Start::Safe, Start::AtRisk] {
            for point in [
                [0.25, 0.2, 0.8, 2.4],
                [3.0, 0.02, 1.0, 0.1],
                [0.1, 5.0, 20.0, 30.0],
            ] {
                check_derivatives(point.map(libm::log), |p| {
                    evaluate(&tables, start, Parallelism::ONE, p)
                });
            }
        }
        check_derivatives([0.25_f64, 0.2].map(libm::log), |p| {
            nbd::evaluate(&tables, p)
        });
    }

    #[test]
    fn consistency_without_dropout_the_likelihood_is_the_nbd() {
        let tables = tables();
        let without = nbd::evaluate(&tables, &[0.25_f64, 0.2].map(libm::log)).value;
        for start in [Start::Safe, Start::AtRisk] {
            let point = [0.25, 0.2, 1e-300, 1.0].map(libm::log);
            let with = evaluate(&tables, start, Parallelism::ONE, &point).value;
            assert!((with - without).abs() < 1e-10, "{with} {without}");
        }
    }
}
