//! Gamma-Gamma against Fader & Hardie (note 025), `CLVTools` and lifetimes.

use regulars_stats::spend::{GammaGamma, GroupedSpend, SpendSummary};
use regulars_stats::{Convergence, FitOptions, StatsError};

use crate::cdnow::{close, customers};

fn repeat_spend() -> GroupedSpend {
    let spend: Vec<SpendSummary> = customers()
        .iter()
        .map(|c| SpendSummary {
            x: c.history.x,
            mean: c.mean_repeat_spend,
        })
        .collect();
    GroupedSpend::new(&spend).unwrap()
}

#[test]
fn correctness_gamma_gamma_cdnow_note_025() {
    let spend = repeat_spend();
    assert_eq!(spend.counts().customers, 946);
    assert_eq!(spend.counts().without_repeats, 1_411);
    close(spend.counts().correlation.unwrap(), 0.1139, 5e-5);
    let fitted = GammaGamma::fit(&spend, &FitOptions::default()).unwrap();
    close(fitted.model.p, 6.25, 5e-3);
    close(fitted.model.q, 3.744, 5e-3);
    close(fitted.model.gamma, 15.443, 1e-2);
    close(fitted.log_likelihood, -4_055.917_7, 1e-2);
    assert_eq!(fitted.convergence, Convergence::Converged);
}

#[test]
fn correctness_expected_spend_lifetimes() {
    // The source prints its estimates rounded and its expectations from unrounded ones.
    let rounded = GammaGamma::new(6.25, 3.74, 15.44).unwrap();
    let fitted = GammaGamma::fit(&repeat_spend(), &FitOptions::default())
        .unwrap()
        .model;
    let rows: Vec<(u32, f64)> = customers()
        .iter()
        .take(10)
        .map(|c| (c.history.x, c.mean_repeat_spend))
        .collect();
    let expected = [
        24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17,
    ];
    for ((x, mean), spend) in rows.into_iter().zip(expected) {
        close(fitted.expected_spend(x, mean).unwrap(), spend, 1e-2);
        close(rounded.expected_spend(x, mean).unwrap(), spend, 0.1);
    }
}

#[test]
fn correctness_no_finite_mean_for_small_q() {
    let model = GammaGamma::new(6.25, 0.8, 15.44).unwrap();
    assert_eq!(model.population_mean(), None);
    assert_eq!(model.expected_spend(0, 0.0), None);
    assert!(model.expected_spend(1, 20.0).unwrap() > 0.0);
    assert_eq!(
        GammaGamma::new(0.1, 0.8, 15.44)
            .unwrap()
            .expected_spend(1, 20.0),
        None
    );
}

#[test]
fn inputchecks_spend_that_cannot_be_used_is_counted() {
    let row = |x, mean| SpendSummary { x, mean };
    let spend = GroupedSpend::new(&[
        row(2, 10.0),
        row(2, 10.0),
        row(1, 0.0),
        row(1, -3.0),
        row(1, f64::NAN),
        row(0, 0.0),
    ])
    .unwrap();
    let counts = spend.counts();
    assert_eq!(
        (counts.customers, counts.not_positive, counts.not_finite),
        (2, 2, 1)
    );
    assert_eq!(counts.without_repeats, 1);
    assert_eq!(counts.correlation, None);
    assert_eq!(spend.groups().len(), 1);
    let none = GroupedSpend::new(&[row(1, 0.0), row(0, 0.0)]);
    assert_eq!(
        none,
        Err(StatsError::NoObservations {
            rejected: 1,
            unobserved: 1
        })
    );
}

#[test]
fn runability_one_customer_is_a_reported_boundary() {
    let spend = GroupedSpend::new(&[SpendSummary { x: 3, mean: 20.0 }]).unwrap();
    let fitted = GammaGamma::fit(&spend, &FitOptions::default()).unwrap();
    assert!(
        matches!(fitted.convergence, Convergence::Boundary { .. }),
        "{fitted:?}"
    );
    let all_alike: Vec<_> = (1..50).map(|x| SpendSummary { x, mean: 20.0 }).collect();
    let fitted = GammaGamma::fit(
        &GroupedSpend::new(&all_alike).unwrap(),
        &FitOptions::default(),
    )
    .unwrap();
    assert!(
        matches!(fitted.convergence, Convergence::Boundary { .. }),
        "{fitted:?}"
    );
}
