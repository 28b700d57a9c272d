//! Pareto/NBD against `CLVTools`, BTYD and lifetimes.

use regulars_stats::purchase::{ParetoNbd, PurchaseModel, PurchaseSummary};
use regulars_stats::{Convergence, FitOptions};

use crate::cdnow::{close, grouped};

fn history(x: u32, t_x: f64, t: f64) -> PurchaseSummary {
    PurchaseSummary { x, t_x, t }
}

#[test]
fn correctness_pareto_nbd_cdnow_clvtools() {
    let fitted = ParetoNbd::fit(&grouped(), &FitOptions::default()).unwrap();
    close(fitted.model.r, 0.5533, 2e-4);
    close(fitted.model.alpha, 10.578, 2e-3);
    close(fitted.model.s, 0.6062, 2e-4);
    close(fitted.model.beta, 11.67, 5e-3);
    close(fitted.log_likelihood, -9_594.976, 3e-3);
    assert_eq!(fitted.convergence, Convergence::Converged);
    for (estimate, error) in fitted
        .estimates
        .iter()
        .zip([0.0476, 0.8427, 0.1873, 6.2105])
    {
        let found = estimate.standard_error.unwrap();
        close(found, error, 0.01 * error);
    }
}

#[test]
fn correctness_pareto_nbd_predictions_btyd_vignette() {
    let model = PurchaseModel::from(ParetoNbd::new(0.5533, 10.578, 0.6062, 11.67).unwrap());
    let regular = history(26, 30.86, 31.0);
    close(model.expected_orders(regular, 52.0), 25.46, 5e-3);
    close(model.probability_alive(regular), 0.9979, 5e-5);
    let expected = [
        0.0,
        0.050_778_21,
        0.099_160_88,
        0.145_425_07,
        0.189_799_30,
        0.232_474_66,
        0.273_612_74,
        0.313_351_59,
        0.351_810_24,
        0.389_092_11,
    ];
    let model = PurchaseModel::from(ParetoNbd::new(0.55, 10.56, 0.61, 11.64).unwrap());
    for (t, orders) in expected.into_iter().enumerate() {
        close(model.expected_orders_new(t as f64), orders, 6e-9);
    }
}

#[test]
fn correctness_pareto_nbd_many_orders_lifetimes() {
    let model = PurchaseModel::from(ParetoNbd::new(0.55, 10.58, 0.61, 11.67).unwrap());
    close(
        model.expected_orders(history(132, 200.0, 200.0), 10.0),
        6.206_05,
        5e-6,
    );
    close(
        model.expected_orders(history(133, 200.0, 200.0), 10.0),
        6.252_87,
        5e-6,
    );
}

/// The rows of `CLVTools`, the probabilities by mpmath's quadrature at 60 digits.
#[test]
fn correctness_pareto_nbd_alive_stress_clvtools() {
    let model = PurchaseModel::from(ParetoNbd::new(0.5143, 2.8845, 0.2856, 14.1087).unwrap());
    let rows = [
        (history(221, 103.428_57, 103.571_43), 0.999_596_052_317_938),
        (history(254, 97.142_86, 97.285_71), 0.999_558_226_123_011),
        (history(161, 94.714_29, 98.0), 0.749_487_752_258_105),
        (history(204, 98.571_43, 99.428_57), 0.994_255_079_637_896),
    ];
    for (row, alive) in rows {
        close(model.probability_alive(row), alive, 1e-12);
    }
}
