//! Where other implementations break.

use proptest::prelude::*;
use regulars_stats::purchase::{
    BgNbd, Forecast, GroupedSummaries, MbgNbd, Nbd, ParetoNbd, PurchaseKind, PurchaseModel,
    PurchaseSummary, ScoreOptions, fit_purchase, fit_purchase_or_nbd, score_orders,
    usual_gap_quantile,
};
use regulars_stats::spend::{GammaGamma, SpendSummary};
use regulars_stats::value::{Buyer, RevenueOptions, forecast_revenue};
use regulars_stats::{Convergence, FitOptions, Parallelism, StatsError};

use crate::cdnow::{close, grouped, histories};
use crate::simulate::{Random, customers};

fn history(x: u32, t_x: f64, t: f64) -> PurchaseSummary {
    PurchaseSummary { x, t_x, t }
}

fn bg(r: f64, alpha: f64, a: f64, b: f64) -> PurchaseModel {
    BgNbd::new(r, alpha, a, b).unwrap().into()
}

fn pareto(r: f64, alpha: f64, s: f64, beta: f64) -> PurchaseModel {
    ParetoNbd::new(r, alpha, s, beta).unwrap().into()
}

/// CDNOW-like models of every kind.
fn models() -> [PurchaseModel; 4] {
    [
        bg(0.243, 4.414, 0.793, 2.426),
        MbgNbd::new(0.525, 6.183, 0.891, 1.614).unwrap().into(),
        pareto(0.553, 10.578, 0.606, 11.669),
        Nbd::new(0.385, 12.07).unwrap().into(),
    ]
}

#[test]
fn correctness_bg_nbd_is_smooth_at_a_1() {
    let at = |a: f64| bg(0.243, 4.414, a, 2.426).expected_orders(history(2, 30.43, 38.86), 39.0);
    close(at(1.0), 0.5 * (at(1.0 - 1e-6) + at(1.0 + 1e-6)), 1e-11);
    let at = |a: f64| bg(0.243, 4.414, a, 2.426).expected_orders_new(39.0);
    close(at(1.0), 0.5 * (at(1.0 - 1e-6) + at(1.0 + 1e-6)), 1e-11);
}

#[test]
fn correctness_bg_nbd_is_smooth_at_a_plus_b_1() {
    let at = |b: f64| bg(0.243, 4.414, 0.3, b).expected_orders(history(0, 0.0, 38.86), 39.0);
    close(at(0.7), 0.5 * (at(0.7 - 1e-6) + at(0.7 + 1e-6)), 1e-11);
    assert!(at(0.7) > 0.0);
}

#[test]
fn correctness_pareto_nbd_is_smooth_at_s_1() {
    let at = |s: f64| pareto(0.553, 10.578, s, 11.67).expected_orders(history(2, 30.0, 38.0), 39.0);
    close(at(1.0), 0.5 * (at(1.0 - 1e-6) + at(1.0 + 1e-6)), 1e-11);
    let at = |s: f64| pareto(0.553, 10.578, s, 11.67).expected_orders_new(39.0);
    close(
        at(1.0),
        11.67 * 0.553 / 10.578 * libm::log(50.67 / 11.67),
        1e-13,
    );
}

#[test]
fn correctness_thousands_of_orders_are_no_overflow() {
    for model in models() {
        for history in [history(2_000, 999.0, 1_000.0), history(2_000, 1.0, 1_000.0)] {
            let alive = model.probability_alive(history);
            let expected = model.expected_orders(history, 39.0);
            let none = model.probability_of_no_order(history, 39.0);
            assert!(
                (0.0..=1.0).contains(&alive),
                "{model:?} {history:?}: {alive}"
            );
            assert!((0.0..=1.0).contains(&none), "{model:?} {history:?}: {none}");
            assert!(
                (0.0..90.0).contains(&expected),
                "{model:?} {history:?}: {expected}"
            );
            let interval = model.orders_interval(history, 39.0, 0.8);
            assert!(
                interval.high < 120 && interval.probability <= 1.0,
                "{interval:?}"
            );
        }
        let fresh = model.expected_orders(history(2_000, 999.0, 1_000.0), 39.0);
        assert!(fresh > 60.0, "{model:?}: {fresh}");
    }
}

#[test]
fn correctness_far_probabilities_are_numbers() {
    for model in models() {
        let far = model.probability_of_orders(300, 500.0);
        assert!(far > 0.0 && far < 1e-3, "{model:?}: {far}");
        let all: f64 = (0..4_000)
            .map(|n| model.probability_of_orders(n, 39.0))
            .sum();
        close(all, 1.0, 1e-9);
    }
}

#[test]
fn correctness_counts_agree_with_expectation_and_risk() {
    for model in models() {
        for history in [
            history(0, 0.0, 0.0),
            history(0, 0.0, 20.0),
            history(7, 30.0, 38.0),
        ] {
            let tail = model.orders_at_least(history, 39.0, 1e-12);
            let expected = model.expected_orders(history, 39.0);
            close(tail[1..].iter().sum(), expected, 1e-8 * (1.0 + expected));
            close(
                1.0 - tail[1],
                model.probability_of_no_order(history, 39.0),
                1e-12,
            );
        }
        let tail = model.orders_at_least(PurchaseSummary::UNOBSERVED, 39.0, 1e-12);
        for n in 0..20 {
            close(
                tail[n] - tail[n + 1],
                model.probability_of_orders(n as u32, 39.0),
                1e-11,
            );
        }
    }
}

#[test]
fn inputchecks_nothing_observed_has_no_weight_yet_a_score() {
    let mut with = histories();
    with.extend([PurchaseSummary::UNOBSERVED; 100]);
    let with = GroupedSummaries::new(&with).unwrap();
    assert_eq!(with.counts().unobserved, 100);
    let fit = |groups| BgNbd::fit(groups, &FitOptions::default()).unwrap();
    assert_eq!(fit(&with), fit(&grouped()));
    for model in models() {
        let expected = model.expected_orders(PurchaseSummary::UNOBSERVED, 39.0);
        assert_eq!(expected, model.expected_orders_new(39.0));
        assert!(expected > 0.0 && expected.is_finite());
    }
}

#[test]
fn inputchecks_nobody_came_back_is_a_typed_error() {
    let groups = GroupedSummaries::new(&[history(0, 0.0, 5.0), history(0, 0.0, 9.0)]).unwrap();
    for kind in [
        PurchaseKind::BgNbd,
        PurchaseKind::MbgNbd,
        PurchaseKind::ParetoNbd,
        PurchaseKind::Nbd,
    ] {
        let found = fit_purchase(kind, &groups, &FitOptions::default());
        assert_eq!(found, Err(StatsError::NoRepeats { customers: 2 }));
    }
}

#[test]
fn runability_one_customer_is_a_reported_boundary() {
    let groups = GroupedSummaries::new(&[history(3, 20.0, 30.0)]).unwrap();
    for kind in PurchaseKind::WITH_DROPOUT {
        let found = fit_purchase_or_nbd(kind, &groups, &FitOptions::default()).unwrap();
        let first = found.replaced.as_ref().unwrap_or(&found.fitted);
        assert!(
            matches!(first.convergence, Convergence::Boundary { .. }),
            "{kind:?}: {first:?}"
        );
        let expected = found
            .fitted
            .model
            .expected_orders(history(3, 20.0, 30.0), 10.0);
        assert!(expected >= 0.0 && expected.is_finite(), "{expected}");
    }
}

/// Daily buyers over years, none of whom leaves (lifetimes issue 405).
#[test]
fn runability_daily_buyers_fall_back_to_no_dropout() {
    let mut random = Random(405);
    let daily: Vec<PurchaseSummary> = (0..3_000)
        .map(|_| {
            let t = (300.0 + 200.0 * random.uniform()).floor();
            // At most one order a day, on a third of the days or so.
            let chance = 0.2 + 0.3 * random.uniform();
            let days: Vec<f64> = (1..=t as u32)
                .filter(|_| random.uniform() < chance)
                .map(f64::from)
                .collect();
            history(days.len() as u32, days.last().copied().unwrap_or(0.0), t)
        })
        .collect();
    let groups = GroupedSummaries::new(&daily).unwrap();
    for kind in PurchaseKind::WITH_DROPOUT {
        let found = fit_purchase_or_nbd(kind, &groups, &FitOptions::default()).unwrap();
        let replaced = found.replaced.expect("there is no dropout to see");
        assert!(
            matches!(replaced.convergence, Convergence::Boundary { .. }),
            "{replaced:?}"
        );
        assert_eq!(found.fitted.model.kind(), PurchaseKind::Nbd);
        assert_eq!(
            found.fitted.convergence,
            Convergence::Converged,
            "{:?}",
            found.fitted
        );
        let next = found.fitted.model.expected_orders(daily[0], 30.0);
        close(next, f64::from(daily[0].x) / daily[0].t * 30.0, 0.5);
    }
}

/// Customers of two kinds, nearly all of one (the shapes of lifetimes issue 271).
#[test]
fn runability_polarised_dropout_is_a_reported_boundary() {
    let life = BgNbd::new(1.0, 57.0, 0.002, 0.06).unwrap();
    let spend = GammaGamma::new(6.0, 4.0, 15.0).unwrap();
    let all = customers(&life, &spend, 4_000, 1.0, 271);
    let all: Vec<PurchaseSummary> = all.iter().map(|c| c.buyer.history).collect();
    let groups = GroupedSummaries::new(&all).unwrap();
    let found = BgNbd::fit(&groups, &FitOptions::default()).unwrap();
    assert!(
        matches!(found.convergence, Convergence::Boundary { .. }),
        "{found:?}"
    );
    assert!(found.log_likelihood.is_finite());
}

#[test]
fn consistency_without_dropout_every_model_is_the_nbd() {
    let nbd = PurchaseModel::from(Nbd::new(0.385, 12.07).unwrap());
    let nearly = [
        bg(0.385, 12.07, 1e-9, 1.0),
        MbgNbd::new(0.385, 12.07, 1e-9, 1.0).unwrap().into(),
        pareto(0.385, 12.07, 1e-9, 10.0),
    ];
    for model in nearly {
        for history in [history(0, 0.0, 20.0), history(4, 30.0, 38.86)] {
            close(model.probability_alive(history), 1.0, 1e-6);
            let expected = nbd.expected_orders(history, 39.0);
            close(model.expected_orders(history, 39.0), expected, 1e-6);
            let none = nbd.probability_of_no_order(history, 39.0);
            close(model.probability_of_no_order(history, 39.0), none, 1e-6);
            let tail = nbd.orders_at_least(history, 39.0, 1e-6);
            for (a, b) in model.orders_at_least(history, 39.0, 1e-6).iter().zip(tail) {
                close(*a, b, 1e-6);
            }
        }
    }
}

#[test]
fn consistency_scale_order_and_threads() {
    let weeks = histories();
    let fit = |kind, histories: &[PurchaseSummary], threads| {
        let options = FitOptions {
            parallelism: Parallelism::threads(threads),
            ..FitOptions::default()
        };
        fit_purchase(kind, &GroupedSummaries::new(histories).unwrap(), &options).unwrap()
    };
    let reversed: Vec<PurchaseSummary> = weeks.iter().rev().copied().collect();
    let days: Vec<PurchaseSummary> = weeks
        .iter()
        .map(|h| history(h.x, h.t_x * 7.0, h.t * 7.0))
        .collect();
    for kind in PurchaseKind::WITH_DROPOUT {
        let in_weeks = fit(kind, &weeks, 1);
        assert_eq!(in_weeks, fit(kind, &reversed, 3));
        let in_days = fit(kind, &days, 1);
        for (week, day) in in_weeks.estimates.iter().zip(&in_days.estimates) {
            let unit = if ["alpha", "beta"].contains(&week.parameter.as_str()) {
                7.0
            } else {
                1.0
            };
            close(day.value / unit, week.value, 1e-6 * week.value);
        }
        let repeats: f64 = weeks.iter().map(|h| f64::from(h.x)).sum();
        let shift = repeats * libm::log(7.0);
        close(
            in_days.log_likelihood + shift,
            in_weeks.log_likelihood,
            1e-6,
        );
    }
}

#[test]
fn consistency_batch_scores_equal_single_ones() {
    let histories = histories();
    for model in models() {
        let options = |threads| ScoreOptions {
            orders_horizon: 39.0,
            churn_horizon: 12.857,
            share: 0.8,
            parallelism: Parallelism::threads(threads),
        };
        let scores = score_orders(&model, &histories, &options(1));
        assert_eq!(scores, score_orders(&model, &histories, &options(2)));
        for (score, &history) in scores.iter().zip(&histories) {
            assert_eq!(score.probability_alive, model.probability_alive(history));
            assert_eq!(score.expected_orders, model.expected_orders(history, 39.0));
            assert_eq!(score.orders, model.orders_interval(history, 39.0, 0.8));
            let none = model.probability_of_no_order(history, 12.857);
            assert_eq!(score.probability_of_no_order, none);
        }
    }
}

#[test]
fn correctness_time_to_risk_is_the_first_instant() {
    for model in models() {
        for history in [
            history(0, 0.0, 5.0),
            history(3, 30.0, 38.0),
            history(40, 37.0, 38.0),
        ] {
            let now = model.probability_of_no_order(history, 12.857);
            for level in [0.3, 0.6, 0.9, 0.99] {
                let silence = model.time_to_risk(history, 12.857, level).unwrap();
                let risk = |s: f64| model.probability_of_no_order(history.after_silence(s), 12.857);
                assert!(risk(silence) >= level);
                if now >= level {
                    assert_eq!(silence, 0.0);
                } else {
                    assert!(
                        risk(silence * (1.0 - 1e-9)) < level,
                        "{model:?} {history:?}"
                    );
                }
            }
            assert_eq!(model.time_to_risk(history, 12.857, 1.5), None);
        }
    }
}

#[test]
fn correctness_usual_gap_by_its_definition() {
    let model = bg(0.243, 4.414, 0.793, 2.426);
    let found = usual_gap_quantile(&model, history(2, 30.43, 38.86), 0.9);
    close(
        found,
        (4.414 + 30.43) * (libm::pow(0.1, -1.0 / 2.243) - 1.0),
        1e-10,
    );
}

#[test]
fn correctness_a_one_time_buyer_is_alive_yet_at_risk() {
    let model = bg(0.243, 4.414, 0.793, 2.426);
    let once = history(0, 0.0, 38.86);
    assert_eq!(model.probability_alive(once), 1.0);
    assert!(model.probability_of_no_order(once, 12.857) > 0.9);
}

fn any_history() -> impl Strategy<Value = PurchaseSummary> {
    (0_u32..6, 1_u32..40, 0_u32..40).prop_map(|(x, t, gap)| {
        let t_x = if x == 0 {
            0
        } else {
            t.saturating_sub(gap).max(1)
        };
        history(x, f64::from(t_x) / 7.0, f64::from(t) / 7.0)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Few customers, many of them alike: whatever the data, a model that scores or a typed error.
    #[test]
    fn runability_any_sound_histories(
        histories in prop::collection::vec(any_history(), 1..25),
    ) {
        let groups = GroupedSummaries::new(&histories).unwrap();
        for kind in PurchaseKind::WITH_DROPOUT {
            let found = match fit_purchase_or_nbd(kind, &groups, &FitOptions::default()) {
                Ok(found) => found,
                Err(error) => {
                    let customers = groups.counts().customers;
                    prop_assert_eq!(error, StatsError::NoRepeats { customers });
                    continue;
                }
            };
            let first = found.replaced.as_ref().unwrap_or(&found.fitted);
            prop_assert_ne!(&first.convergence, &Convergence::NotConverged);
            let fitted = found.fitted;
            prop_assert!(fitted.log_likelihood.is_finite());
            for &history in &histories {
                let expected = fitted.model.expected_orders(history, 4.0);
                let none = fitted.model.probability_of_no_order(history, 4.0);
                prop_assert!(expected.is_finite() && expected >= 0.0, "{:?}", fitted);
                prop_assert!((0.0..=1.0).contains(&none), "{} {:?}", none, fitted);
                let interval = fitted.model.orders_interval(history, 4.0, 0.8);
                prop_assert!(interval.low <= interval.high && interval.probability <= 1.0 + 1e-12);
            }
        }
    }
}

#[test]
fn consistency_discounted_orders_are_those_of_the_revenue_forecast() {
    let model = bg(0.2426, 4.4136, 0.7929, 2.4259);
    let spend = GammaGamma::new(6.25, 3.744, 15.443).unwrap();
    let (horizon, discount_rate) = (52.0, 0.0018);
    let buyer = Buyer {
        history: history(2, 30.43, 38.86),
        spend: SpendSummary { x: 2, mean: 35.0 },
    };
    let options = RevenueOptions {
        horizon,
        discount_rate,
        margin: 0.4,
        share: 0.8,
        parallelism: Parallelism::ONE,
    };
    let revenue = forecast_revenue(&model, &spend, &[buyer], &options).unwrap()[0];
    let discounted =
        |rate| model.forecast(buyer.history, Forecast::DiscountedOrders { horizon, rate });
    let value = spend.expected_spend(2, 35.0).unwrap() * 0.4;
    close(
        discounted(discount_rate) * value / revenue.expected.unwrap(),
        1.0,
        1e-12,
    );
    // Small steps, each discounted from its middle.
    let steps = 5_200;
    let width = horizon / f64::from(steps);
    let by = |t: f64| model.expected_orders(buyer.history, t);
    let sum: f64 = (0..steps)
        .map(|step| {
            let from = f64::from(step) * width;
            libm::exp(-discount_rate * (from + 0.5 * width)) * (by(from + width) - by(from))
        })
        .sum();
    close(discounted(discount_rate), sum, 1e-8);
    assert_eq!(
        discounted(0.0),
        model.expected_orders(buyer.history, horizon)
    );
}
