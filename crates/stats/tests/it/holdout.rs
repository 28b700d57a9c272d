//! CDNOW sample, 39 weeks after 1997-09-30, against the figures measured with lifetimes 0.11.3.

use regulars_stats::purchase::{
    BgNbd, Forecast, GroupedSummaries, PurchaseKind, PurchaseModel, PurchaseSummary, SlopeTable,
    fit_purchase, relative_variance, total_interval,
};
use regulars_stats::spend::{GammaGamma, GroupedSpend, SpendSummary};
use regulars_stats::validate::{auc, metrics, order_rate, recency};
use regulars_stats::{FitOptions, Parallelism};

use crate::cdnow::{close, customers};

const HORIZON: f64 = 39.0;

struct Holdout {
    histories: Vec<PurchaseSummary>,
    spend: Vec<SpendSummary>,
    past_spend: Vec<f64>,
    orders: Vec<f64>,
    revenue: Vec<f64>,
}

fn holdout() -> Holdout {
    let all = customers();
    Holdout {
        histories: all.iter().map(|c| c.history).collect(),
        spend: all
            .iter()
            .map(|c| SpendSummary {
                x: c.history.x,
                mean: c.mean_repeat_spend,
            })
            .collect(),
        past_spend: all.iter().map(|c| c.past_spend).collect(),
        orders: all.iter().map(|c| c.holdout_orders).collect(),
        revenue: all.iter().map(|c| c.holdout_spend).collect(),
    }
}

fn expected_orders(kind: PurchaseKind, histories: &[PurchaseSummary]) -> Vec<f64> {
    let groups = GroupedSummaries::new(histories).unwrap();
    let model = fit_purchase(kind, &groups, &FitOptions::default())
        .unwrap()
        .model;
    histories
        .iter()
        .map(|&history| model.expected_orders(history, HORIZON))
        .collect()
}

#[test]
fn correctness_orders_lifetimes() {
    let Holdout {
        histories, orders, ..
    } = holdout();
    close(orders.iter().sum(), 1_882.0, 0.0);
    let models = [
        (
            PurchaseKind::BgNbd,
            [0.7855, 1.608, 0.6256, 0.4493, 1_653.0, -0.122],
        ),
        (
            PurchaseKind::MbgNbd,
            [0.7648, 1.607, 0.6273, 0.4500, 1_577.0, -0.162],
        ),
        (
            PurchaseKind::ParetoNbd,
            [0.7545, 1.603, 0.6302, 0.4597, 1_666.0, -0.115],
        ),
    ];
    for (kind, expected) in models {
        check(&expected_orders(kind, &histories), &orders, expected);
    }
    let naive = order_rate(&histories, HORIZON);
    check(
        &naive,
        &orders,
        [1.0237, 2.212, 0.5839, 0.4898, 2_930.0, 0.557],
    );
}

#[track_caller]
fn check(predicted: &[f64], actual: &[f64], expected: [f64; 6]) {
    let found = metrics(predicted, actual).unwrap();
    let [mae, rmse, pearson, spearman, total, bias] = expected;
    close(found.mae.unwrap(), mae, 1e-4);
    close(found.rmse.unwrap(), rmse, 6e-4);
    close(found.pearson.unwrap(), pearson, 1e-4);
    close(found.spearman.unwrap(), spearman, 2e-4);
    close(found.predicted_total.unwrap(), total, 0.6);
    close(found.bias.unwrap(), bias, 6e-4);
}

#[test]
fn correctness_who_orders_at_all_lifetimes() {
    let Holdout {
        histories, orders, ..
    } = holdout();
    let by_count: Vec<f64> = histories.iter().map(|h| f64::from(h.x)).collect();
    close(auc(&by_count, &orders).unwrap(), 0.7576, 6e-5);
    close(auc(&recency(&histories), &orders).unwrap(), 0.7714, 6e-5);
    let active = orders.iter().filter(|&&n| n > 0.0).count() as f64 / orders.len() as f64;
    close(active, 0.290, 5e-4);
}

#[test]
fn correctness_spend_lifetimes() {
    let Holdout {
        histories,
        spend,
        past_spend,
        orders,
        revenue,
    } = holdout();
    close(revenue.iter().sum(), 70_976.39, 1e-6);
    let groups = GroupedSpend::new(&spend).unwrap();
    let model = GammaGamma::fit(&groups, &FitOptions::default())
        .unwrap()
        .model;
    let rows = [
        (
            PurchaseKind::BgNbd,
            [30.41, 72.30, 0.4264, 0.6379, -0.156, 0.502, 0.7725],
        ),
        (
            PurchaseKind::ParetoNbd,
            [29.45, 72.18, 0.4451, 0.6593, -0.148, 0.503, 0.7787],
        ),
    ];
    for (kind, [mae, rmse, spearman, gini, bias, capture, any]) in rows {
        let expected = expected_orders(kind, &histories);
        let predicted: Vec<f64> = expected
            .iter()
            .zip(&spend)
            .map(|(n, s)| n * model.expected_spend(s.x, s.mean.max(0.0)).unwrap())
            .collect();
        let found = metrics(&predicted, &revenue).unwrap();
        close(found.mae.unwrap(), mae, 1e-2);
        close(found.rmse.unwrap(), rmse, 1e-2);
        close(found.spearman.unwrap(), spearman, 2e-4);
        close(found.gini.unwrap(), gini, 2e-3);
        close(found.bias.unwrap(), bias, 6e-4);
        close(found.top_decile_capture.unwrap(), capture, 2e-3);
        close(auc(&expected, &orders).unwrap(), any, 2e-4);
    }
    let found = metrics(&past_spend, &revenue).unwrap();
    close(found.spearman.unwrap(), 0.3929, 2e-4);
    close(found.gini.unwrap(), 0.6800, 2e-3);
    close(found.top_decile_capture.unwrap(), 0.481, 2e-3);
}

#[test]
fn consistency_segment_intervals_by_cells_are_those_of_every_customer() {
    let Holdout { histories, .. } = holdout();
    let groups = GroupedSummaries::new(&histories).unwrap();
    let fitted = fit_purchase(PurchaseKind::BgNbd, &groups, &FitOptions::default()).unwrap();
    let covariance = fitted.log_covariance().unwrap();
    let horizon = 90.0 / 7.0;
    let asked = (fitted.model, Forecast::Orders { horizon });
    let table = SlopeTable::new([asked], &histories, Parallelism::ONE);
    type Segment = fn(&PurchaseSummary) -> bool;
    let segments: [Segment; 5] = [
        |_| true,
        |h| h.x == 0,
        |h| h.x >= 5,
        |h| h.t - h.t_x < 6.0,
        |h| h.x > 0 && h.t - h.t_x > 20.0,
    ];
    for (number, within) in segments.into_iter().enumerate() {
        let members: Vec<_> = histories.iter().filter(|h| within(h)).copied().collect();
        let sum = |model: &PurchaseModel| -> f64 {
            let orders = members.iter().map(|&h| model.expected_orders(h, horizon));
            orders.sum()
        };
        let total = sum(&fitted.model);
        let mut by_cells = [0.0; 4];
        for &history in &members {
            let orders = fitted.model.expected_orders(history, horizon);
            let [slopes] = table.of(history);
            for (sum, slope) in by_cells.iter_mut().zip(slopes) {
                *sum += orders * slope / total;
            }
        }
        let exact: Vec<f64> = (0..4)
            .map(|i| {
                let moved = |step: f64| {
                    let mut values: Vec<f64> = fitted.estimates.iter().map(|e| e.value).collect();
                    values[i] *= libm::exp(step);
                    let moved = BgNbd::new(values[0], values[1], values[2], values[3]);
                    libm::log(sum(&moved.unwrap().into()))
                };
                (moved(1e-4) - moved(-1e-4)) / 2e-4
            })
            .collect();
        let (low, high) = total_interval(total, relative_variance(&by_cells, &covariance), 0.9);
        let own = total_interval(total, relative_variance(&exact, &covariance), 0.9);
        let apart = (high - low) / (own.1 - own.0) - 1.0;
        println!("segment {number}: {total:.1} [{low:.1}, {high:.1}], width apart {apart:+.4}");
        assert!(apart.abs() < 0.005, "segment {number}: {apart}");
    }
}
