//! Special functions against mpmath (`tests/data/special.csv`, see `mpmath_table.py`).

use regulars_stats::purchase::Future;
use regulars_stats::special::{gamma, incomplete};

use crate::cdnow::close;

#[test]
fn correctness_special_functions_mpmath() {
    let mut seen = std::collections::BTreeMap::new();
    let mut worst = std::collections::BTreeMap::new();
    for line in include_str!("../data/special.csv").lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let v: Vec<f64> = fields[1..].iter().map(|f| f.parse().unwrap()).collect();
        let (expected, tolerance) = (v[v.len() - 1], tolerance(fields[0]));
        let Some(found) = value(fields[0], &v) else {
            continue;
        };
        *seen.entry(fields[0]).or_insert(0) += 1;
        let error = (found - expected).abs() / expected.abs().max(floor(fields[0]));
        let most: &mut f64 = worst.entry(fields[0]).or_default();
        *most = most.max(error);
        assert!(error <= tolerance, "{line}: {found:e}, off by {error:e}");
    }
    assert_eq!(seen.len(), 14, "{seen:?}: {worst:?}");
}

fn value(name: &str, v: &[f64]) -> Option<f64> {
    let lomax = || Future::Lomax {
        shape: v[0],
        rate: v[1],
        s: v[2],
        beta: v[3],
    };
    Some(match name {
        "ln_gamma" => gamma::ln_gamma(v[0]),
        "digamma" => gamma::digamma(v[0]),
        "trigamma" => gamma::trigamma(v[0]),
        "ln_beta" => gamma::ln_beta(v[0], v[1]),
        "ln_gamma_ratio" => gamma::ln_gamma_ratio(v[0], v[1]),
        "log_sum_exp" => gamma::log_sum_exp(v[0], v[1]),
        "log_diff_exp" => gamma::log_diff_exp(v[0], v[1]),
        "gamma_p" => incomplete::gamma_p(v[0], v[1]),
        "beta_i" => incomplete::beta_i(v[0], v[1], v[2]),
        "normal_cdf" => incomplete::normal_cdf(v[0]),
        "geometric_expected" => Future::Geometric {
            shape: v[0],
            rate: v[1],
            a: v[2],
            b: v[3],
        }
        .expected(v[4]),
        "lomax_none" => lomax().none(v[4]),
        "lomax_expected" => lomax().expected(v[4]),
        "lomax_exactly" => lomax().exactly(v[5] as u32, v[4]),
        // Checked beside the integral itself.
        "kernel" => return None,
        _ => panic!("unknown function {name}"),
    })
}

fn tolerance(name: &str) -> f64 {
    match name {
        "ln_gamma" | "digamma" | "trigamma" | "normal_cdf" | "lomax_expected" => 1e-14,
        "lomax_exactly" => 1e-10,
        "ln_gamma_ratio" | "ln_beta" | "gamma_p" | "beta_i" | "geometric_expected" => 2e-12,
        _ => 1e-12,
    }
}

/// Errors of values smaller than this are absolute.
fn floor(name: &str) -> f64 {
    match name {
        "ln_gamma" | "digamma" | "ln_beta" | "ln_gamma_ratio" => 1.0,
        "log_sum_exp" | "log_diff_exp" => 1.0,
        "gamma_p" | "beta_i" => 1e-3,
        _ => 0.0,
    }
}

#[test]
fn consistency_quantiles_invert() {
    for probability in [1e-3, 0.1, 0.5, 0.9, 0.999] {
        for (a, b) in [(0.2, 0.5), (6.25, 3.74), (60.0, 700.0), (0.1, 20.0)] {
            let x = incomplete::beta_quantile(a, b, probability);
            close(incomplete::beta_i(a, b, x), probability, 1e-10);
            let y = incomplete::gamma_quantile(a, probability);
            close(incomplete::gamma_p(a, y), probability, 1e-10);
        }
        let z = incomplete::normal_quantile(probability);
        close(incomplete::normal_cdf(z), probability, 1e-12);
    }
    close(
        incomplete::normal_quantile(0.95),
        1.644_853_626_951_472_7,
        1e-12,
    );
}
