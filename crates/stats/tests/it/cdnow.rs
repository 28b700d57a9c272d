//! The CDNOW sample as the papers prepare it: weeks, calibration to 1997-09-30, purchases of one day
//! merged, ages counted from the first purchase.

use std::collections::BTreeMap;

use regulars_stats::purchase::{GroupedSummaries, PurchaseSummary};

/// One customer: calibration history, mean repeat spend in it, and the 39 weeks after.
pub(crate) struct Customer {
    pub history: PurchaseSummary,
    /// Mean spend of the x repeat days, in dollars; 0 when x = 0.
    pub mean_repeat_spend: f64,
    /// All spend of the calibration, in dollars.
    pub past_spend: f64,
    /// Purchase days in the holdout.
    pub holdout_orders: f64,
    /// Spend in the holdout, in dollars.
    pub holdout_spend: f64,
}

/// The 2,357 customers in order of their number.
pub(crate) fn customers() -> Vec<Customer> {
    let text = include_str!("../data/cdnow_sample.txt");
    let mut days: BTreeMap<&str, BTreeMap<i64, i64>> = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let cents = (fields[4].parse::<f64>().unwrap() * 100.0).round() as i64;
        let day = day_number(fields[2].parse().unwrap());
        *days.entry(fields[1]).or_default().entry(day).or_default() += cents;
    }
    let end = day_number(19_970_930);
    days.values().map(|days| customer(days, end)).collect()
}

fn customer(days: &BTreeMap<i64, i64>, end: i64) -> Customer {
    let first = *days.keys().next().unwrap();
    let weeks = |days: i64| days as f64 / 7.0;
    let dollars = |cents: i64| cents as f64 / 100.0;
    let before: Vec<(i64, i64)> = days.range(..=end).map(|(d, c)| (*d, *c)).collect();
    let after: Vec<i64> = days.range(end + 1..).map(|(_, c)| *c).collect();
    let x = before.len() - 1;
    let repeat: i64 = before[1..].iter().map(|(_, cents)| cents).sum();
    Customer {
        history: PurchaseSummary {
            x: x as u32,
            t_x: weeks(before[x].0 - first),
            t: weeks(end - first),
        },
        mean_repeat_spend: if x == 0 {
            0.0
        } else {
            dollars(repeat) / x as f64
        },
        past_spend: dollars(before.iter().map(|(_, cents)| cents).sum()),
        holdout_orders: after.len() as f64,
        holdout_spend: dollars(after.iter().sum()),
    }
}

pub(crate) fn histories() -> Vec<PurchaseSummary> {
    customers()
        .iter()
        .map(|customer| customer.history)
        .collect()
}

pub(crate) fn grouped() -> GroupedSummaries {
    GroupedSummaries::new(&histories()).unwrap()
}

/// Days since 1970-01-01 of a date written YYYYMMDD (Hinnant's civil calendar).
fn day_number(date: i64) -> i64 {
    let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year
}

/// Asserts that `value` is within `tolerance` of `expected`.
#[track_caller]
pub(crate) fn close(value: f64, expected: f64, tolerance: f64) {
    assert!(
        (value - expected).abs() <= tolerance,
        "{value} is not {expected} ± {tolerance}"
    );
}
