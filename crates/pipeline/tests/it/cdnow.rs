//! CDNOW: from the file to the published figures.
//!
//! Parameters and log-likelihoods: Fader, Hardie & Lee (2005) and the sources named in
//! `docs/models.md`; holdout figures: the `lifetimes` package on the same data.

use std::path::PathBuf;

use regulars_stats::purchase::PurchaseKind;

use crate::scratch::Scratch;

fn cdnow() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/cdnow_sample.txt")
}

fn imported() -> Scratch {
    let scratch = Scratch::new();
    let mut options = scratch.options();
    let names = ["-", "customer_id", "date", "quantity", "total"];
    let name = |name: &&str| (**name != *"-").then(|| (*name).to_owned());
    options.read.columns = Some(names.iter().map(name).collect());
    let report = scratch.import_with(&[cdnow()], &options).unwrap();
    assert_eq!(report.rejected(), 0);
    assert_eq!(report.orders.orders, 6_919);
    scratch
}

#[test]
fn the_published_parameters_come_out() {
    let scratch = imported();
    let base = scratch.score(Some("1997-09-30"), None);
    assert_eq!(base.customers.len(), 2_357);
    let fitted = base.fitted.unwrap();
    type Published = (PurchaseKind, [(&'static str, f64, f64); 4], f64);
    let expected: [Published; 3] = [
        (
            PurchaseKind::BgNbd,
            [
                ("r", 0.2426, 1e-3),
                ("alpha", 4.4136, 5e-3),
                ("a", 0.7929, 5e-3),
                ("b", 2.4259, 2e-2),
            ],
            -9582.43,
        ),
        (
            PurchaseKind::MbgNbd,
            [
                ("r", 0.5248, 1e-3),
                ("alpha", 6.183, 5e-3),
                ("a", 0.8914, 5e-3),
                ("b", 1.614, 1e-2),
            ],
            -9582.13,
        ),
        (
            PurchaseKind::ParetoNbd,
            [
                ("r", 0.5533, 1e-3),
                ("alpha", 10.578, 1e-2),
                ("s", 0.6062, 5e-3),
                ("beta", 11.67, 5e-2),
            ],
            -9594.97,
        ),
    ];
    for (kind, parameters, log_likelihood) in expected {
        let fit = &fitted
            .purchase
            .iter()
            .find(|fit| fit.kind == kind)
            .unwrap()
            .fit;
        for (name, value, tolerance) in parameters {
            let found = fit.estimate(name).unwrap().value;
            assert!(
                (found - value).abs() < tolerance,
                "{kind:?} {name}: {found}"
            );
        }
        assert!(
            (fit.log_likelihood - log_likelihood).abs() < 0.01,
            "{kind:?}"
        );
    }
    let spend = fitted.spend.unwrap();
    assert_eq!(spend.counts.customers, 946);
    for (name, value, tolerance) in [
        ("p", 6.25, 0.01),
        ("q", 3.744, 0.005),
        ("gamma", 15.443, 0.02),
    ] {
        let found = spend.fit.estimate(name).unwrap().value;
        assert!((found - value).abs() < tolerance, "{name}: {found}");
    }
    assert!((spend.fit.log_likelihood - -4055.92).abs() < 0.01);
}

#[test]
fn the_holdout_of_39_weeks_is_as_published() {
    let scratch = imported();
    let base = scratch.score(Some("1998-06-30"), Some("1997-09-30"));
    let holdout = base.fitted.unwrap().holdout.unwrap();
    assert_eq!(holdout.customers, 2_357);
    let figures = |name: &str| {
        holdout
            .orders
            .comparison
            .rows
            .iter()
            .find(|row| row.name == name)
            .unwrap()
            .metrics
    };
    let bg = figures("BG/NBD");
    assert!((bg.mae.unwrap() - 0.786).abs() < 0.001, "{bg:?}");
    assert!((bg.pearson.unwrap() - 0.626).abs() < 0.001, "{bg:?}");
    assert!(
        (bg.predicted_total.unwrap() - 1_653.0).abs() < 1.0,
        "{bg:?}"
    );
    assert_eq!(bg.actual_total, 1_882.0);
    let naive = figures("rate x time");
    assert!(
        (naive.predicted_total.unwrap() - 2_930.0).abs() < 1.0,
        "{naive:?}"
    );
}

#[test]
fn all_five_churn_levels_are_populated() {
    let scratch = imported();
    let base = scratch.score(None, None);
    let report = scratch.report(&base);
    let levels = report.churn_levels.unwrap();
    assert!(
        levels.iter().all(|&customers| customers >= 20),
        "{levels:?}"
    );
}

#[test]
fn a_slow_shop_is_told_about_its_dormancy_threshold() {
    let scratch = imported();
    let base = scratch.fold(None);
    let advice = scratch.report(&base).dormancy_advice.unwrap();
    assert!(
        (advice.share_of_gaps_beyond - 0.34).abs() < 0.01,
        "{advice:?}"
    );
    assert!(advice.proposed_days > 60, "{advice:?}");
}

#[test]
fn nothing_depends_on_threads_or_on_the_order_of_rows() {
    let text = std::fs::read_to_string(cdnow()).unwrap();
    let mut lines: Vec<&str> = text.lines().take(1_500).collect();
    let picture = |lines: &[&str], threads: usize| {
        let mut scratch = Scratch::new();
        scratch.threads = threads;
        let file = scratch.file("orders.txt", &format!("{}\n", lines.join("\n")));
        scratch.import(&[file]);
        scratch.score(None, None);
        scratch.picture(None)
    };
    let first = picture(&lines, 1);
    assert_eq!(first, picture(&lines, 3));
    // A fixed shuffle.
    for index in 0..lines.len() {
        let other = (index * 7_919 + 13) % lines.len();
        lines.swap(index, other);
    }
    assert_eq!(first, picture(&lines, 2));
}
