//! Parameters, calibration and coverage on simulated customers.

use regulars_stats::purchase::{
    BgNbd, Forecast, GroupedSummaries, MbgNbd, ParetoNbd, PurchaseKind, PurchaseModel,
    PurchaseSummary, SlopeTable, fit_purchase, relative_variance, total_interval,
};
use regulars_stats::spend::{GammaGamma, GroupedSpend, SpendSummary};
use regulars_stats::value::{Buyer, RevenueOptions, forecast_revenue};
use regulars_stats::{Convergence, FitOptions, Fitted, Parallelism};

use crate::cdnow::close;
use crate::simulate::{Life, Simulated, customers};

const SPEND: GammaGamma = GammaGamma {
    p: 4.0,
    q: 5.0,
    gamma: 30.0,
};
const HORIZON: f64 = 26.0;

fn bg() -> BgNbd {
    BgNbd::new(0.9, 3.0, 0.6, 6.0).unwrap()
}

fn histories(all: &[Simulated]) -> Vec<PurchaseSummary> {
    all.iter().map(|c| c.buyer.history).collect()
}

fn fit(kind: PurchaseKind, all: &[Simulated]) -> Fitted<PurchaseModel> {
    let groups = GroupedSummaries::new(&histories(all)).unwrap();
    fit_purchase(kind, &groups, &FitOptions::default()).unwrap()
}

/// Each estimate is within four of its standard errors of the truth.
#[track_caller]
fn recovers(kind: PurchaseKind, truth: PurchaseModel, life: &impl Life, seed: u64) {
    let fitted = fit(kind, &customers(life, &SPEND, 8_000, HORIZON, seed));
    assert_eq!(fitted.convergence, Convergence::Converged);
    for (estimate, (name, value)) in fitted.estimates.iter().zip(truth.parameters()) {
        assert_eq!(estimate.parameter, name);
        close(
            estimate.value,
            value,
            4.0 * estimate.standard_error.unwrap(),
        );
        assert!(estimate.standard_error.unwrap() < value, "{estimate:?}");
    }
}

#[test]
fn recovery_bg_nbd() {
    recovers(PurchaseKind::BgNbd, bg().into(), &bg(), 1);
}

#[test]
fn recovery_mbg_nbd() {
    let truth = MbgNbd::new(1.1, 4.0, 0.8, 3.0).unwrap();
    recovers(PurchaseKind::MbgNbd, truth.into(), &truth, 2);
}

#[test]
fn recovery_pareto_nbd() {
    let truth = ParetoNbd::new(1.2, 4.0, 0.8, 15.0).unwrap();
    recovers(PurchaseKind::ParetoNbd, truth.into(), &truth, 3);
}

#[test]
fn recovery_gamma_gamma() {
    let all = customers(&bg(), &SPEND, 8_000, HORIZON, 4);
    let spend: Vec<SpendSummary> = all.iter().map(|c| c.buyer.spend).collect();
    let fitted =
        GammaGamma::fit(&GroupedSpend::new(&spend).unwrap(), &FitOptions::default()).unwrap();
    let truth = [SPEND.p, SPEND.q, SPEND.gamma];
    for (estimate, value) in fitted.estimates.iter().zip(truth) {
        close(
            estimate.value,
            value,
            4.0 * estimate.standard_error.unwrap(),
        );
    }
}

/// Share of customers whose orders fell into their 80 % interval, and the share promised.
fn orders_coverage<'a>(
    model: &PurchaseModel,
    all: impl Iterator<Item = &'a Simulated>,
) -> (f64, f64) {
    let (mut n, mut inside, mut promised) = (0.0, 0.0, 0.0);
    for customer in all {
        let interval = model.orders_interval(customer.buyer.history, HORIZON, 0.8);
        n += 1.0;
        promised += interval.probability;
        if (interval.low..=interval.high).contains(&customer.future_orders) {
            inside += 1.0;
        }
    }
    (inside / n, promised / n)
}

#[track_caller]
fn orders_covered(kind: PurchaseKind, life: &impl Life, seed: u64) {
    let all = customers(life, &SPEND, 8_000, HORIZON, seed);
    let model = fit(kind, &all).model;
    // Of everyone, as much as promised: who has most likely left is in 0–0 more than 80 %.
    let (covered, promised) = orders_coverage(&model, all.iter());
    close(covered, promised, 0.015);
    // Where an interval of 80 % exists, 80 %.
    let open = |c: &&Simulated| model.probability_of_no_order(c.buyer.history, HORIZON) < 0.8;
    let (covered, _) = orders_coverage(&model, all.iter().filter(open));
    assert!((0.75..=0.85).contains(&covered), "{kind:?}: {covered}");
}

#[test]
fn recovery_orders_intervals_cover_80_percent() {
    orders_covered(PurchaseKind::BgNbd, &bg(), 5);
    orders_covered(
        PurchaseKind::MbgNbd,
        &MbgNbd::new(1.1, 4.0, 0.8, 3.0).unwrap(),
        6,
    );
    orders_covered(
        PurchaseKind::ParetoNbd,
        &ParetoNbd::new(1.2, 4.0, 0.8, 15.0).unwrap(),
        7,
    );
}

#[test]
fn recovery_revenue_intervals_cover_80_percent() {
    let all = customers(&bg(), &SPEND, 8_000, HORIZON, 8);
    let model = fit(PurchaseKind::BgNbd, &all).model;
    let buyers: Vec<Buyer> = all.iter().map(|c| c.buyer).collect();
    let spend: Vec<SpendSummary> = buyers.iter().map(|b| b.spend).collect();
    let spend = GammaGamma::fit(&GroupedSpend::new(&spend).unwrap(), &FitOptions::default())
        .unwrap()
        .model;
    let options = RevenueOptions {
        horizon: HORIZON,
        discount_rate: 0.0,
        margin: 1.0,
        share: 0.8,
        parallelism: Parallelism::ONE,
    };
    let forecasts = forecast_revenue(&model, &spend, &buyers, &options).unwrap();
    let (mut n, mut inside, mut all_inside, mut promised) = (0.0, 0.0, 0.0, 0.0);
    let (mut expected, mut actual) = (0.0, 0.0);
    for (forecast, customer) in forecasts.iter().zip(&all) {
        let hit = (forecast.low..=forecast.high).contains(&customer.future_revenue);
        let hit = if hit { 1.0 } else { 0.0 };
        all_inside += hit;
        promised += forecast.probability;
        if forecast.high > 0.0 {
            n += 1.0;
            inside += hit;
        }
        expected += forecast.expected.unwrap();
        actual += customer.future_revenue;
    }
    println!(
        "revenue covered {:.3}; total {expected:.0}, came {actual:.0}",
        inside / n
    );
    assert!((0.75..=0.85).contains(&(inside / n)), "{}", inside / n);
    close(
        all_inside / all.len() as f64,
        promised / all.len() as f64,
        0.015,
    );
    close(expected / actual, 1.0, 0.05);
    // More threads, and another order, change no bit.
    let threads = RevenueOptions {
        parallelism: Parallelism::threads(3),
        ..options
    };
    assert_eq!(
        forecasts,
        forecast_revenue(&model, &spend, &buyers, &threads).unwrap()
    );
    let reversed: Vec<Buyer> = buyers.iter().rev().copied().collect();
    let mut backwards = forecast_revenue(&model, &spend, &reversed, &options).unwrap();
    backwards.reverse();
    assert_eq!(forecasts, backwards);
}

#[test]
fn recovery_segment_intervals_cover_90_percent() {
    // The segment stays the same; the sample from which the parameters are learnt changes.
    let truth = PurchaseModel::from(bg());
    let segment = customers(&bg(), &SPEND, 500, HORIZON, 9);
    let segment = GroupedSummaries::new(&histories(&segment)).unwrap();
    let expected: f64 = segment
        .groups()
        .iter()
        .map(|g| g.customers as f64 * truth.expected_orders(g.history, HORIZON))
        .sum();
    let samples = 200;
    let inside = (0..samples)
        .filter(|seed| {
            let fitted = fit(
                PurchaseKind::BgNbd,
                &customers(&bg(), &SPEND, 600, HORIZON, 1_000 + seed),
            );
            let asked = (fitted.model, Forecast::Orders { horizon: HORIZON });
            let seen: Vec<_> = segment.groups().iter().map(|g| g.history).collect();
            let table = SlopeTable::new([asked], &seen, Parallelism::ONE);
            let (mut total, mut slopes) = (0.0, [0.0; 4]);
            for group in segment.groups() {
                let orders =
                    group.customers as f64 * fitted.model.expected_orders(group.history, HORIZON);
                total += orders;
                let [relative] = table.of(group.history);
                for (sum, slope) in slopes.iter_mut().zip(relative) {
                    *sum += orders * slope;
                }
            }
            let slopes = slopes.map(|slope| slope / total);
            let variance = relative_variance(&slopes, &fitted.log_covariance().unwrap());
            let (low, high) = total_interval(total, variance, 0.9);
            (low..=high).contains(&expected)
        })
        .count();
    assert!((168..=192).contains(&inside), "{inside} of {samples}");
}
