//! Seasonal and year-round.

use std::collections::{BTreeMap, BTreeSet};

use regulars_core::{Timestamp, Trait};

use super::{DAY, Shop, times};
use crate::history::{Customer, RawValue};

/// Missing with fewer orders than the settings ask for, and in the 730 days after the first order
/// of the customer or of the shop.
pub(super) fn value(which: Trait, of: &Customer, shop: &Shop, now: Timestamp) -> Option<RawValue> {
    let settings = &shop.settings.season;
    let first = times(of).first().copied()?;
    let first_of_all = shop.everyone.iter().flat_map(times).min()?;
    let is_known = of.orders.len() >= settings.min_orders as usize
        && now.0 - first >= 730 * DAY
        && shop.compared_at.0 - first_of_all >= 730 * DAY;
    if !is_known {
        return None;
    }
    let months: Vec<(i32, u32)> = times(of)
        .into_iter()
        .map(|at| shop.zone.date_of(Timestamp(at)).ymd())
        .map(|(year, month, _)| (year, month))
        .collect();
    Some(match which {
        Trait::SeasonShare => {
            let shares = (1..=12).map(|begin| season(&months, begin).0);
            RawValue::Number(shares.fold(0.0, f64::max))
        }
        Trait::Seasonal => RawValue::Flag((1..=12).any(|begin| {
            let (share, years) = season(&months, begin);
            share >= settings.seasonal_share && years.len() >= 2
        })),
        _ => {
            let mut quarters: BTreeMap<i32, BTreeSet<u32>> = BTreeMap::new();
            for (year, month) in months {
                quarters.entry(year).or_default().insert((month - 1) / 3);
            }
            let least = settings.year_round_quarters as usize;
            let years = quarters.values().filter(|quarters| quarters.len() >= least);
            RawValue::Flag(years.count() >= 2)
        }
    })
}

/// Share of the orders in the three months that begin with `begin`, and the years in which those
/// seasons began.
fn season(months: &[(i32, u32)], begin: u32) -> (f64, BTreeSet<i32>) {
    let of_season = [begin, begin % 12 + 1, (begin + 1) % 12 + 1];
    let inside: Vec<&(i32, u32)> = months
        .iter()
        .filter(|(_, m)| of_season.contains(m))
        .collect();
    let share = inside.len() as f64 / months.len() as f64;
    // January of a season that begins in November is in the season of the year before.
    let began = |&&(year, month): &&(i32, u32)| if month < begin { year - 1 } else { year };
    (share, inside.iter().map(began).collect())
}
