//! Seasonal and year-round shoppers.
//!
//! Known of a customer with enough orders whose first order is at least two years old;
//! quarters and months are those of the calendar in the workspace's zone.

use std::collections::BTreeMap;

use regulars_core::{DataNeed, Timestamp};

use crate::customer::Customer;

/// Days of history from which on a rhythm is known.
pub(crate) const KNOWN_AFTER_DAYS: i64 = 730;

/// Largest share of the orders that lies in the same three neighbouring months of the year
/// (December and January are neighbours).
pub(crate) fn season_share(customer: &Customer<'_>, now: Timestamp) -> Option<f64> {
    let months = known_months(customer, now)?;
    let mut by_month = [0_u32; 12];
    for (_, month) in &months {
        by_month[*month as usize - 1] += 1;
    }
    let best = (0..12)
        .map(|m| (0..3).map(|k| by_month[(m + k) % 12]).sum::<u32>())
        .max()?;
    Some(f64::from(best) / months.len() as f64)
}

/// `seasonal`, `year_round` or `mixed`.
///
/// Seasonal needs orders in two different years: three orders in one summer are no season.
pub(crate) fn rhythm(customer: &Customer<'_>, now: Timestamp) -> Option<&'static str> {
    let months = known_months(customer, now)?;
    let settings = &customer.context.settings.season;
    let mut quarters_of_year: BTreeMap<i32, u8> = BTreeMap::new();
    for (year, month) in &months {
        *quarters_of_year.entry(*year).or_default() |= 1 << ((month - 1) / 3);
    }
    let full_years = quarters_of_year
        .values()
        .filter(|quarters| quarters.count_ones() >= settings.year_round_quarters)
        .count();
    let share = season_share(customer, now)?;
    Some(if full_years >= 2 {
        "year_round"
    } else if share >= settings.seasonal_share && quarters_of_year.len() >= 2 {
        "seasonal"
    } else {
        "mixed"
    })
}

/// Year and month of each order up to `now`; `None` with too little history.
fn known_months(customer: &Customer<'_>, now: Timestamp) -> Option<Vec<(i32, u32)>> {
    let context = customer.context;
    let orders = customer.profile.orders_within(Timestamp::MIN, now);
    let first = orders.first()?.occurred_at;
    let known = context.population.has(DataNeed::TwoYears)
        && orders.len() >= context.settings.season.min_orders as usize
        && now.whole_days_since(first) >= KNOWN_AFTER_DAYS;
    known.then(|| {
        let year_month = |at| {
            let (year, month, _) = context.date_of(at).ymd();
            (year, month)
        };
        orders
            .iter()
            .map(|order| year_month(order.occurred_at))
            .collect()
    })
}
