//! How sure a sum of forecasts over a group of customers is, given that the parameters are
//! estimates.
//!
//! Delta method: the total F = Σ fᵢ has the slopes ∂F/∂ln θ = Σ fᵢ · gᵢ, where gᵢ = ∂ln fᵢ/∂ln θ are
//! the *relative* slopes of a customer's forecast. With the covariance C of the logarithms of the
//! parameters, var(ln F) = (Σ fᵢ gᵢ / F)ᵀ C (Σ fᵢ gᵢ / F).
//!
//! Sums are linear, so any number of overlapping groups costs one addition for each member. Relative
//! slopes change slowly with the history; they are computed once for each [`Cell`] of similar
//! histories, at the cell's centre, by central differences. Forecasts themselves are each customer's
//! own. (On CDNOW the widths are within 0.5 % of those with every customer's own slopes.)
//!
//! The intervals are for the expectation: what then happens varies round it besides.

use std::collections::HashMap;

use super::{Forecast, PurchaseModel, PurchaseSummary};
use crate::parallel::{Parallelism, map_chunks};
use crate::special::incomplete::normal_quantile;

/// Relative slopes with respect to the logarithms of the parameters, in the order of
/// [`PurchaseModel::parameters`]; 0 beyond their number.
pub type Slopes = [f64; 4];

/// Cells that one thread takes at a time.
const CHUNK: usize = 64;

/// Similar histories: the same x (to an eighth of an octave beyond 8), T to a sixth of an octave, and
/// a similar logarithm of the odds of having left, (r + x) ln((α + T)/(α + `t_x`)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Cell {
    x: u32,
    t: u16,
    silence: u16,
}

const EXACT_COUNTS: u32 = 8;

impl Cell {
    fn of((r, alpha): (f64, f64), history: PurchaseSummary) -> Self {
        let x = match history.x {
            x if x <= EXACT_COUNTS => x,
            x => {
                let step = (8.0 * libm::log2(f64::from(x))).round() / 8.0;
                libm::exp2(step).round() as u32
            }
        };
        let grown = (alpha + history.t) / (alpha + history.t_x);
        let silence = (r + f64::from(history.x)) * libm::log(grown);
        Self {
            x,
            t: (6.0 * libm::log2(1.0 + history.t / alpha * 8.0)).round() as u16,
            silence: if history.x == 0 {
                0
            } else {
                (12.0 * libm::log1p(silence)).round() as u16
            },
        }
    }

    /// The history at the centre.
    fn history(self, (r, alpha): (f64, f64)) -> PurchaseSummary {
        let t = alpha / 8.0 * libm::expm1(f64::from(self.t) / 6.0 * core::f64::consts::LN_2);
        if self.x == 0 {
            return PurchaseSummary { x: 0, t_x: 0.0, t };
        }
        let silence = libm::expm1(f64::from(self.silence) / 12.0) / (r + f64::from(self.x));
        let t_x = (alpha + t) * libm::exp(-silence) - alpha;
        PurchaseSummary {
            x: self.x,
            t_x: t_x.clamp(0.0, t),
            t,
        }
    }
}

/// Relative slopes of `N` forecasts for all histories of a population.
#[derive(Debug, Clone)]
pub struct SlopeTable<const N: usize> {
    rate_parameters: (f64, f64),
    /// Only looked up, so that the order of its entries means nothing.
    cells: HashMap<Cell, [Slopes; N]>,
}

impl<const N: usize> SlopeTable<N> {
    /// A table for `asked` forecasts, each by its own model, on histories like the given ones.
    pub fn new(
        asked: [(PurchaseModel, Forecast); N],
        histories: &[PurchaseSummary],
        parallelism: Parallelism,
    ) -> Self {
        let rate_parameters = asked
            .first()
            .map_or((1.0, 1.0), |(model, _)| model.rate_parameters());
        let mut distinct = map_chunks(histories.len(), 16_384, parallelism, |range| {
            let cells = histories[range].iter();
            sorted(cells.map(|&h| Cell::of(rate_parameters, h)).collect())
        })
        .concat();
        distinct = sorted(distinct);
        let parts = map_chunks(distinct.len(), CHUNK, parallelism, |range| {
            let of = |cell: &Cell| {
                let history = cell.history(rate_parameters);
                asked.map(|(model, what)| relative_slopes(&model, what, history))
            };
            distinct[range].iter().map(of).collect::<Vec<_>>()
        });
        Self {
            rate_parameters,
            cells: distinct
                .into_iter()
                .zip(parts.into_iter().flatten())
                .collect(),
        }
    }

    /// The slopes of a customer with one of the histories; zeros for another.
    pub fn of(&self, history: PurchaseSummary) -> [Slopes; N] {
        let cell = Cell::of(self.rate_parameters, history);
        self.cells.get(&cell).copied().unwrap_or([[0.0; 4]; N])
    }
}

/// Distinct cells in order.
fn sorted(mut cells: Vec<Cell>) -> Vec<Cell> {
    cells.sort_unstable();
    cells.dedup();
    cells
}

/// ∂ ln f / ∂ ln θ by central differences.
fn relative_slopes(model: &PurchaseModel, what: Forecast, history: PurchaseSummary) -> Slopes {
    const STEP: f64 = 1e-4;
    let parameters = model.parameters();
    let mut slopes = [0.0; 4];
    for (i, slope) in slopes.iter_mut().enumerate().take(parameters.len()) {
        let moved = |step: f64| {
            let mut values: Vec<f64> = parameters.iter().map(|(_, value)| *value).collect();
            values[i] *= libm::exp(step);
            libm::log(model.with(&values).forecast(history, what))
        };
        let difference = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
        // A forecast of 0 has no logarithm, and adds nothing to a sum.
        *slope = if difference.is_finite() {
            difference
        } else {
            0.0
        };
    }
    slopes
}

/// Variance of the logarithm of a total with such relative slopes, for a covariance of the logarithms
/// of the parameters ([`crate::Fitted::log_covariance`]).
pub fn relative_variance(slopes: &[f64], log_covariance: &[Vec<f64>]) -> f64 {
    let mut variance = 0.0;
    for (i, row) in log_covariance.iter().enumerate() {
        for (j, entry) in row.iter().enumerate() {
            variance += slopes[i] * slopes[j] * entry;
        }
    }
    variance.max(0.0)
}

/// (low, high) round a positive total or mean whose logarithm has that variance: total · exp(± z sd).
pub fn total_interval(total: f64, relative_variance: f64, share: f64) -> (f64, f64) {
    let reach = normal_quantile(0.5 + 0.5 * share) * relative_variance.sqrt();
    (total * libm::exp(-reach), total * libm::exp(reach))
}

/// (low, high) round a probability whose logarithm has that variance: normal on the logit scale, so
/// that it stays between 0 and 1.
pub fn probability_interval(probability: f64, relative_variance: f64, share: f64) -> (f64, f64) {
    if !(probability > 0.0 && probability < 1.0) {
        return (probability, probability);
    }
    // d logit(p) = d ln p / (1 − p).
    let reach = normal_quantile(0.5 + 0.5 * share) * relative_variance.sqrt() / (1.0 - probability);
    let odds = probability / (1.0 - probability);
    let at = |odds: f64| odds / (1.0 + odds);
    (at(odds * libm::exp(-reach)), at(odds * libm::exp(reach)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::purchase::{BgNbd, ParetoNbd};

    fn histories() -> Vec<PurchaseSummary> {
        let mut histories = Vec::new();
        for x in [0_u32, 1, 2, 3, 5, 9, 14, 30] {
            for t in [3.0, 9.0, 27.4, 31.1, 38.9] {
                for part in [0.05, 0.3, 0.6, 0.9, 1.0] {
                    let t_x = if x == 0 { 0.0 } else { part * t };
                    histories.push(PurchaseSummary { x, t_x, t });
                }
            }
        }
        histories
    }

    #[test]
    fn consistency_cells_give_the_slopes_of_a_total() {
        let models = [
            PurchaseModel::from(BgNbd::new(0.2426, 4.4136, 0.7929, 2.4259).unwrap()),
            PurchaseModel::from(ParetoNbd::new(0.5533, 10.578, 0.6062, 11.67).unwrap()),
        ];
        let (horizon, rate) = (12.857, 0.002);
        for model in models {
            for what in [
                Forecast::Orders { horizon },
                Forecast::AnyOrder { horizon },
                Forecast::DiscountedOrders { horizon, rate },
            ] {
                let all = histories();
                let table = SlopeTable::new([(model, what)], &all, Parallelism::ONE);
                let (mut total, mut own, mut by_cell) = (0.0, [0.0; 4], [0.0; 4]);
                for &history in &all {
                    let forecast = model.forecast(history, what);
                    let exact = relative_slopes(&model, what, history);
                    let [near] = table.of(history);
                    total += forecast;
                    for i in 0..4 {
                        own[i] += forecast * exact[i];
                        by_cell[i] += forecast * near[i];
                    }
                }
                for i in 0..4 {
                    let apart = (own[i] - by_cell[i]).abs() / total;
                    assert!(apart < 0.02, "{model:?} {what:?} {i}: {own:?} {by_cell:?}");
                }
            }
        }
    }

    #[test]
    fn correctness_an_nbd_total_by_hand() {
        // E = (r + x) h / (α + T): slopes r / (r + x) and −α / (α + T).
        let model = PurchaseModel::from(crate::purchase::Nbd::new(0.5, 10.0).unwrap());
        let history = PurchaseSummary {
            x: 2,
            t_x: 20.0,
            t: 30.0,
        };
        let slopes = relative_slopes(&model, Forecast::Orders { horizon: 9.0 }, history);
        assert!((slopes[0] - 0.2).abs() < 1e-7, "{slopes:?}");
        assert!((slopes[1] + 0.25).abs() < 1e-7, "{slopes:?}");
        assert_eq!(slopes[2..], [0.0, 0.0]);
        let variance = relative_variance(&slopes, &[vec![0.04, 0.0], vec![0.0, 0.16]]);
        assert!((variance - (0.04 * 0.04 + 0.0625 * 0.16)).abs() < 1e-8);
        let (low, high) = total_interval(2.0, 0.04, 0.9);
        assert!((libm::log(high / low) - 2.0 * 1.644_853_627 * 0.2).abs() < 1e-6);
        let (low, high) = probability_interval(0.5, 0.01, 0.9);
        assert!((low + high - 1.0).abs() < 1e-12 && low > 0.4 && high < 0.6);
    }
}
