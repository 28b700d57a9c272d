//! Fits of young, odd and ordinary shops: what is chosen, what falls out of use, what is said.

use std::fmt::Write;

use regulars_core::DataNeed;
use regulars_pipeline::{
    Base, Choice, FittedModels, FoldOptions, PipelineError, ScoreOptions, Scoring, Silent, Use,
    kpis, score,
};
use regulars_profile::Customer;
use regulars_rules::Availability;

use crate::scratch::{RECORDED_AT, Scratch, shop_files, shop_workspace};

/// A shop from (customer, day) pairs, one order of 10.00 each.
fn shop_of(orders: &[(&str, &str)]) -> Scratch {
    let scratch = Scratch::new();
    let mut text = "order_id,customer_id,date,total\n".to_owned();
    for (number, (customer, day)) in orders.iter().enumerate() {
        writeln!(text, "{number},{customer},{day},10.00").unwrap();
    }
    scratch.import(&[scratch.file("orders.csv", &text)]);
    scratch
}

fn availability(base: &Base, segment: &str) -> Availability {
    let all = kpis(base, 2);
    let mut segments = all.segments.into_iter();
    segments
        .find(|s| s.segment == segment)
        .unwrap()
        .availability
}

#[test]
fn a_shop_where_nobody_came_back_is_scored_without_a_fit() {
    let scratch = shop_of(&[
        ("ann", "2025-01-05"),
        ("bob", "2025-04-05"),
        ("cid", "2025-08-05"),
        ("dan", "2025-12-05"),
    ]);
    let base = scratch.score(None, None);
    let fitted = base.fitted.as_ref().unwrap();
    assert_eq!((fitted.chosen, fitted.purchase.len()), (None, 0));
    assert_eq!(fitted.histories.customers, 3);
    let warnings = fitted.warnings.join("\n");
    assert!(warnings.contains("ordered again"), "{warnings}");
    assert!(
        base.customers
            .iter()
            .all(|folded| folded.scores().is_none())
    );
    assert!(matches!(
        availability(&base, "churn_high"),
        Availability::Unknown { .. }
    ));
    let hint = base.missing_because(DataNeed::ChurnFit);
    assert!(hint.contains("could be fitted"), "{hint}");
    // The log keeps it, and a later look reads it.
    let again = scratch.fold(None);
    assert_eq!(again.fitted.as_ref(), Some(fitted));
    assert!(scratch.report(&again).models.unwrap().orders.is_none());
}

#[test]
fn a_young_shop_has_a_fit_that_is_not_validated() {
    // Nobody had come back where the holdout begins.
    let scratch = shop_of(&[
        ("ann", "2025-01-05"),
        ("bob", "2025-02-01"),
        ("cid", "2025-03-03"),
        ("ann", "2025-11-05"),
        ("bob", "2025-12-01"),
        ("dan", "2025-12-20"),
    ]);
    let base = scratch.score(None, None);
    let fitted = base.fitted.as_ref().unwrap();
    assert!(fitted.chosen.is_some());
    assert_eq!(fitted.holdout, None);
    assert_eq!(fitted.choice, Choice::ShortHistory);
    let warnings = fitted.warnings.join("\n");
    assert!(warnings.contains("not validated"), "{warnings}");
    assert!(warnings.contains("2025-09"), "{warnings}");
    assert!(
        base.customers
            .iter()
            .all(|folded| folded.scores().is_some())
    );
}

#[test]
fn each_use_is_chosen_and_judged_by_its_own_figure() {
    let scratch = shop_workspace();
    scratch.import(&shop_files(&scratch, 1_500));
    let base = scratch.score(None, None);
    let fitted = base.fitted.as_ref().unwrap();
    let (chosen, holdout) = (fitted.chosen.unwrap(), fitted.holdout.as_ref().unwrap());
    let Choice::EarlierHoldout {
        origin,
        end,
        orders,
        churn,
        value,
    } = &fitted.choice
    else {
        panic!("{:?}", fitted.choice);
    };
    assert!(origin < end && *end == holdout.origin);
    for (of, tried) in [
        (Use::Orders, orders),
        (Use::Churn, churn),
        (Use::Value, value),
    ] {
        let best = tried
            .iter()
            .min_by(|a, b| a.figure.unwrap().total_cmp(&b.figure.unwrap()))
            .unwrap();
        assert_eq!(chosen.of(of), best.kind, "{of:?} {tried:?}");
        let judged = holdout.of(of).unwrap();
        assert!(judged.row().is_some(), "{}", judged.model);
        assert_eq!(judged.comparison.deciding, of.deciding());
        assert_eq!(of.of(fitted.uses), !judged.is_lost());
    }
    // Everyone scored at once is everyone scored one by one.
    for folded in base.customers.iter() {
        let alone = Customer::new(&folded.profile, &base.context).scores(base.now);
        assert_eq!(folded.scores().copied(), alone);
    }
    // The report tells every figure in which a baseline is better.
    let lost: usize = Use::ALL
        .iter()
        .filter_map(|of| holdout.of(*of))
        .map(|judged| judged.lost.len())
        .sum();
    assert_eq!(scratch.report(&base).models.unwrap().lost.len(), lost);
    // Intervals hold their means and narrow with the number of customers.
    let all = kpis(&base, 2);
    let churn = |of: &regulars_pipeline::Kpis| {
        let (low, high) = (of.churn_risk_low?, of.churn_risk_high?);
        let mean = of.churn_risk?;
        assert!(0.0 <= low && low <= mean && mean <= high && high <= 1.0);
        Some(high - low)
    };
    assert!(churn(&all.everyone).is_some());
    assert_eq!(all, kpis(&base, 3), "threads change nothing");
}

#[test]
fn a_model_out_of_use_makes_sizes_unknown_and_says_why() {
    let scratch = shop_workspace();
    scratch.import(&shop_files(&scratch, 600));
    let mut base = scratch.score(None, None);
    let mut fitted = base.fitted.clone().unwrap();
    fitted.uses.churn = false;
    let mut fold = scratch.fold(None);
    fold.context.population.data.remove(&DataNeed::ChurnFit);
    fold.score_with(fitted, 2);
    assert!(matches!(
        availability(&fold, "churn_high"),
        Availability::Unknown { .. }
    ));
    let hint = fold.missing_because(DataNeed::ChurnFit);
    assert!(hint.contains("naive forecast"), "{hint}");
    assert!(fold.customers.iter().filter_map(|c| c.scores()).all(|s| {
        s.churn_risk.is_none() && s.expected_orders.is_some() == fold.models().unwrap().uses.orders
    }));
    base.fitted = None;
    assert!(
        base.missing_because(DataNeed::ChurnFit)
            .contains("regulars score")
    );
}

#[test]
fn a_past_moment_has_the_fit_of_then() {
    let scratch = shop_workspace();
    scratch.import(&shop_files(&scratch, 600));
    let latest = scratch.score(None, None).fitted.unwrap();
    let now = latest.as_of;
    let past = regulars_core::Timestamp(now.0 - 120 * regulars_core::DAY_MS);
    let fold = |at, scoring| {
        let options = FoldOptions {
            scoring,
            ..FoldOptions::at(at, 2)
        };
        let store = scratch.workspace.open_read().unwrap();
        let config = scratch.workspace.config();
        Base::fold(&store, config, &scratch.catalogue(), options, &Silent).unwrap()
    };
    assert_eq!(fold(past, Scoring::FitThen).fitted, None);
    assert_eq!(fold(past, Scoring::LatestFit).fitted.unwrap().as_of, now);
    let then = scratch.score(Some(&past.to_string()), None).fitted.unwrap();
    assert_eq!(then.as_of, past);
    let between = regulars_core::Timestamp(past.0 + regulars_core::DAY_MS);
    assert_eq!(fold(between, Scoring::FitThen).fitted.unwrap().as_of, past);
    let store = scratch.workspace.open_read().unwrap();
    // A fit of the past, made later, does not take the place of the one of today.
    let last = FittedModels::in_use_at(&store, now).unwrap().unwrap();
    assert_eq!(last.as_of, now);
}

#[test]
fn a_holdout_that_leaves_too_little_is_refused() {
    let scratch = shop_of(&[("ann", "2025-01-05"), ("ann", "2025-06-05")]);
    let config = scratch.workspace.config();
    let options = ScoreOptions {
        now: scratch.now(None),
        holdout_from: Some(scratch.now(Some("2025-06-04"))),
        recorded_at: RECORDED_AT,
        threads: 1,
    };
    let mut store = scratch.workspace.open().unwrap();
    let error = score(&mut store, config, &scratch.catalogue(), options, &Silent).unwrap_err();
    assert!(matches!(error, PipelineError::HoldoutOutOfRange { .. }));
    assert!(
        error.to_string().contains("2025-01-19 to 2025-05-22"),
        "{error}"
    );
}

#[test]
fn nbd_in_the_place_of_another_model_has_its_own_name() {
    // Regular buyers who never leave: no dropout can be told apart from none.
    let zone = regulars_core::Zone::utc();
    let day = |offset: i32| {
        let first = zone.date_of(zone.parse_instant("2025-01-01").unwrap()).0;
        regulars_core::CivilDate(first + offset).to_string()
    };
    let mut orders = Vec::new();
    for customer in 0..40 {
        for step in 0..(360 / (5 + customer % 7)) {
            let offset = customer % 11 + step * (5 + customer % 7) + (step * customer) % 4;
            orders.push((format!("c{customer}"), day(offset)));
        }
    }
    let orders: Vec<(&str, &str)> = orders.iter().map(|(c, d)| (&c[..], &d[..])).collect();
    let scratch = shop_of(&orders);
    let fitted = scratch.score(None, None).fitted.unwrap();
    let replaced: Vec<_> = fitted
        .purchase
        .iter()
        .filter(|f| f.replaced.is_some())
        .collect();
    assert!(!replaced.is_empty());
    for purchase in replaced {
        let (kept, name) = (purchase.replaced.as_ref().unwrap(), purchase.kind.name());
        assert_eq!(purchase.name(), format!("NBD in place of {name}"));
        assert_eq!((purchase.fit.estimates.len(), kept.estimates.len()), (2, 4));
        let told = |warning: &&String| warning.starts_with(&format!("{name}: "));
        let warning = fitted.warnings.iter().find(told).unwrap();
        assert!(
            warning.contains("boundary") || warning.contains("had not converged"),
            "{warning}"
        );
    }
}
