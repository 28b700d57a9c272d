//! Tables: stages of life, the own usual range, rhythms, when churn levels are reached.

use regulars_core::{
    CustomerId, DAY_MS, DataNeed, Grain, HOUR_MS, Settings, Symbols, TimeUnit, Timestamp, Trait,
    TraitValue, Zone,
};
use regulars_profile::{Accounts, Context, Customer, Population, Profile};
use regulars_rules::Subject;
use regulars_stats::purchase::{BgNbd, PurchaseModel};
use regulars_testkit::history::{self, RawOrder};
use regulars_testkit::naive;

use crate::world::{in_use, profile};

/// 2024-01-01.
const FIRST_DAY: i64 = 19_723;

fn day(days: f64) -> Timestamp {
    Timestamp(FIRST_DAY * DAY_MS + (days * DAY_MS as f64) as i64)
}

/// A customer who ordered at these instants.
fn ordered(at: &[Timestamp]) -> Profile {
    let order = |&at: &Timestamp| RawOrder {
        key: at.0 as u64,
        at,
        discount_minor: None,
        cost_minor: None,
        refunded_minor: 0,
        channel: String::new(),
        country: String::new(),
        lines: Vec::new(),
    };
    let of = history::Customer {
        orders: at.iter().map(order).collect(),
        ..history::Customer::default()
    };
    profile(&of, CustomerId(1), &mut Symbols::default())
}

fn on_days(days: &[f64]) -> Profile {
    ordered(&days.iter().map(|&days| day(days)).collect::<Vec<_>>())
}

/// Nine in ten gaps of the shop are 30 days or shorter; no fit.
fn context(zone: &str) -> Context {
    Context {
        zone: Zone::named(zone).unwrap(),
        currency: regulars_core::Currency::new("EUR").unwrap(),
        settings: Settings::default(),
        symbols: Symbols::default(),
        population: Population {
            usual_gap_days: Some(30.0),
            data: [DataNeed::Orders, DataNeed::TwoYears].into(),
            ..Population::default()
        },
        accounts: Accounts::default(),
        models: None,
    }
}

/// BG/NBD with the published parameters of CDNOW, in weeks.
fn fitted(zone: &str) -> Context {
    let model = BgNbd {
        r: 0.2426,
        alpha: 4.4136,
        a: 0.7929,
        b: 2.4259,
    };
    let models = naive::Models {
        purchase: PurchaseModel::BgNbd(model),
        spend: None,
        unit: TimeUnit::Week,
        grain: Grain::Day,
    };
    Context {
        models: Some(in_use(&models)),
        ..context(zone)
    }
}

const MS: f64 = 1.0 / DAY_MS as f64;

#[test]
fn the_first_stage_that_matches_counts() {
    let context = context("UTC");
    for (orders, now, stage) in [
        (&[][..], 0.0, "prospect"),
        (&[0.0], 0.0, "new"),
        (&[0.0], 30.0 - MS, "new"),
        (&[0.0], 30.0, "at_risk"),
        (&[0.0], 60.0 - MS, "at_risk"),
        (&[0.0], 60.0, "dormant"),
        (&[0.0, 10.0], 20.0, "potential_loyalist"),
        (&[0.0, 0.0], 20.0, "potential_loyalist"),
        (&[0.0, 10.0, 20.0], 30.0, "loyal"),
        (&[0.0, 60.0], 70.0, "reactivated"),
        (&[0.0, 60.0 - MS], 70.0, "potential_loyalist"),
        // At risk and dormant come before reactivated, and the next order ends it.
        (&[0.0, 60.0], 90.0, "at_risk"),
        (&[0.0, 60.0], 120.0, "dormant"),
        (&[0.0, 60.0, 70.0], 75.0, "loyal"),
        (&[0.0, 10.0, 20.0, 90.0], 95.0, "reactivated"),
    ] {
        let profile = on_days(orders);
        let customer = Customer::new(&profile, &context);
        assert_eq!(customer.lifecycle(day(now)), stage, "{orders:?} at {now}");
    }
}

#[test]
fn a_churn_level_puts_those_at_risk_who_ordered_often_enough() {
    let mut context = fitted("UTC");
    // Nobody is silent for longer than their range.
    context.settings.lifecycle.usual_range_quantile = 0.999_999;
    context.settings.lifecycle.dormant_days = 10_000;
    let level = |profile: &Profile, now| {
        Customer::new(profile, &context)
            .scores(now)
            .unwrap()
            .churn_level
            .unwrap()
    };
    let twice = on_days(&[0.0, 10.0]);
    let customer = Customer::new(&twice, &context);
    let reached = customer.churn_level_reached_at(4, day(11.0)).unwrap();
    assert!(level(&twice, reached) >= 4 && level(&twice, reached.plus_ms(-1)) < 4);
    assert_eq!(
        customer.lifecycle(reached.plus_ms(-1)),
        "potential_loyalist"
    );
    assert_eq!(customer.lifecycle(reached), "at_risk");
    assert_eq!(
        customer.next_step_after(Trait::Lifecycle, day(11.0)),
        Some(reached)
    );
    let once = on_days(&[0.0]);
    assert!(level(&once, day(400.0)) >= 4);
    assert_eq!(Customer::new(&once, &context).lifecycle(day(400.0)), "new");
}

#[test]
fn a_churn_level_is_reached_at_the_first_midnight_that_shows_it() {
    for zone in ["UTC", "Europe/Berlin"] {
        let context = fitted(zone);
        for orders in [
            &[0.0][..],
            &[0.0, 10.0, 20.0],
            &[0.0, 100.0],
            &[0.0, 1.0, 2.0, 3.0, 4.0],
        ] {
            let profile = on_days(orders);
            let customer = Customer::new(&profile, &context);
            let now = profile.last_order_at().unwrap().plus_ms(HOUR_MS);
            let level = |at| u32::from(customer.scores(at).unwrap().churn_level.unwrap());
            assert_eq!(customer.churn_level_reached_at(1, now), Some(now));
            assert_eq!(customer.churn_level_reached_at(6, now), None);
            for wanted in 2..=5 {
                let today = context.date_of(now).0;
                let midnights = (1..4000).map(|days| {
                    context
                        .zone
                        .start_of(regulars_core::CivilDate(today + days))
                });
                let first = std::iter::once(now)
                    .chain(midnights)
                    .find(|&at| level(at) >= wanted);
                let reached = customer.churn_level_reached_at(wanted, now);
                assert_eq!(reached, first, "level {wanted} of {orders:?} in {zone}");
            }
        }
    }
}

#[test]
fn the_own_usual_range_is_that_of_the_last_order() {
    let range = |context: &Context, orders: &[f64], now: f64| {
        let profile = on_days(orders);
        Customer::new(&profile, context).usual_range_days(day(now))
    };
    let (unfitted, fitted) = (context("UTC"), fitted("UTC"));
    assert_eq!(range(&unfitted, &[0.0, 10.0, 20.0], 25.0), Some(30.0));
    assert_eq!(range(&unfitted, &[], 25.0), None);
    // (alpha + t_x) · (0.1^(−1/(r + x)) − 1) weeks with x = 2, t_x = 20/7.
    for now in [20.0, 25.0, 300.0] {
        let own = range(&fitted, &[0.0, 10.0, 20.0], now).unwrap();
        assert!((own - RANGE_OF_THREE).abs() < 1e-3, "{own}");
    }
    assert_eq!(range(&fitted, &[], 25.0), None);
}

const RANGE_OF_THREE: f64 = 91.202_753;

#[test]
fn a_rhythm_needs_two_years_and_a_season_that_came_again() {
    let context = context("UTC");
    let zone = &context.zone;
    let at = |text: &str| zone.parse_instant(text).unwrap();
    let flags = |dates: &[&str], now: &str| {
        let profile = ordered(&dates.iter().map(|date| at(date)).collect::<Vec<_>>());
        let customer = Customer::new(&profile, &context);
        [Trait::Seasonal, Trait::YearRound].map(|which| match customer.value(which, at(now)) {
            TraitValue::Flag(flag) => Some(flag),
            _ => None,
        })
    };
    let unknown = [None, None];
    let neither = [Some(false), Some(false)];
    let seasonal = [Some(true), Some(false)];
    // Around one New Year: one season in two calendar years.
    let new_year = ["2023-12-28", "2023-12-30", "2024-01-02"];
    assert_eq!(flags(&new_year, "2026-06-30"), neither);
    assert_eq!(flags(&new_year, "2025-12-26"), unknown, "729 days");
    assert_eq!(flags(&new_year, "2025-12-27"), neither, "730 days");
    // The New Year after is the same season again.
    let again = ["2023-12-28", "2024-01-02", "2025-01-20"];
    assert_eq!(flags(&again, "2026-06-30"), seasonal);
    assert_eq!(flags(&again[..2], "2026-06-30"), unknown, "two orders");
    // Seven in ten are enough, two in three are not.
    let two_in_three = ["2022-06-01", "2023-07-01", "2023-11-01"];
    assert_eq!(flags(&two_in_three, "2026-06-30"), neither);
    let three_in_four = ["2022-06-01", "2023-07-01", "2023-11-01", "2024-08-31"];
    assert_eq!(flags(&three_in_four, "2026-06-30"), seasonal);
    // June to August and September are four months.
    let four_months = ["2022-06-01", "2023-07-01", "2023-09-01", "2024-06-30"];
    assert_eq!(
        flags(&four_months, "2026-06-30"),
        seasonal,
        "June and July hold three of four"
    );
    let round = [
        "2023-01-05",
        "2023-05-05",
        "2023-12-05",
        "2024-03-05",
        "2024-04-05",
        "2024-08-05",
    ];
    assert_eq!(flags(&round, "2026-06-30"), [Some(false), Some(true)]);
    assert_eq!(
        flags(&round[..5], "2026-06-30"),
        neither,
        "one full year and two quarters"
    );
    // Both at once: every quarter, and most of it before Christmas.
    let both: Vec<String> = [2023, 2024]
        .into_iter()
        .flat_map(|year| {
            let christmas = (1..=9).map(move |day| format!("{year}-12-{day:02}"));
            [2, 5, 8]
                .map(|month| format!("{year}-{month:02}-01"))
                .into_iter()
                .chain(christmas)
        })
        .collect();
    let both: Vec<&str> = both.iter().map(String::as_str).collect();
    assert_eq!(flags(&both, "2026-06-30"), [Some(true), Some(true)]);
}
