//! What is computed over everyone: cut points, medians, and which data there is.
//!
//! Everything is a function of the multiset of values: the order of customers changes nothing.

use regulars_core::{DataNeed, Symbol, Timestamp};
use regulars_profile::{
    Context, Customer, Population, Products, Profile, RfmCutpoints, TierCutpoints,
};
use regulars_stats::rfm::{Better, Cutpoints, median, quantile};

use crate::base::Folded;

/// Computes the population of `customers` at `now`; `context` is not complete yet.
pub(crate) fn of(
    customers: &[Folded],
    products: &Products,
    context: &Context,
    now: Timestamp,
) -> Population {
    let buyers: Vec<&Profile> = customers
        .iter()
        .map(|folded| &folded.profile)
        .filter(|p| !p.orders.is_empty())
        .collect();
    let mut population = Population::default();
    population.span(buyers.iter().filter_map(|p| p.first_order_at()).min(), now);
    population.data.extend(data(customers, products, context));
    if buyers.is_empty() {
        return population;
    }
    population.usual_gap_days = usual_gap_days(&buyers, context);
    population.rfm = Some(rfm(&buyers, context));
    population.tiers = tiers(&buyers, context, now);
    let averages: Vec<i64> = buyers
        .iter()
        .filter_map(|profile| Customer::new(profile, context).average_order_value_minor())
        .collect();
    // A half between two amounts is rounded up: at or above the median means above a half.
    population.median_order_value_minor = median(&averages).map(|median| median.ceil() as i64);
    population
}

fn usual_gap_days(buyers: &[&Profile], context: &Context) -> Option<f64> {
    let share = millionths(context.settings.lifecycle.usual_range_quantile);
    let gap = quantile(&gaps_ms(buyers.iter().copied(), context), share, MILLION)?;
    Some(gap as f64 / regulars_core::DAY_MS as f64)
}

/// All gaps between an order and the next of the same customer, in milliseconds; a second order
/// on the same calendar day is no repeat and leaves no gap.
pub(crate) fn gaps_ms<'p>(
    profiles: impl Iterator<Item = &'p Profile>,
    context: &Context,
) -> Vec<i64> {
    let mut gaps = Vec::new();
    for profile in profiles {
        for pair in profile.orders.windows(2) {
            let (before, next) = (pair[0].occurred_at, pair[1].occurred_at);
            if context.date_of(before) != context.date_of(next) {
                gaps.push(next.0 - before.0);
            }
        }
    }
    gaps
}

const MILLION: u64 = 1_000_000;

/// A share of the settings as a whole number of millionths, so that 20 % and 30 % of customers are
/// counted exactly and together make exactly a half.
fn millionths(share: f64) -> u64 {
    (share * MILLION as f64).round() as u64
}

fn rfm(buyers: &[&Profile], context: &Context) -> RfmCutpoints {
    let of = |value: &dyn Fn(&Profile) -> i64| {
        let values: Vec<i64> = buyers.iter().map(|profile| value(profile)).collect();
        Cutpoints::new(&values, Better::Larger)
    };
    let last_day = |profile: &Profile| {
        profile
            .last_order_at()
            .map_or(i64::MIN, |at| i64::from(context.date_of(at).0))
    };
    RfmCutpoints {
        recency: of(&last_day),
        frequency: of(&|profile| profile.orders.len() as i64),
        monetary: of(&|profile| profile.revenue_minor),
    }
}

fn tiers(buyers: &[&Profile], context: &Context, now: Timestamp) -> Option<TierCutpoints> {
    let value = &context.settings.value;
    let mut revenues: Vec<i64> = buyers
        .iter()
        .map(|p| Customer::new(p, context).revenue_within_minor(value.window_days, now))
        .filter(|&revenue| revenue > 0)
        .collect();
    revenues.sort_unstable_by(|a, b| b.cmp(a));
    let high = millionths(value.high_share);
    let last_of = |share: u64| {
        let count = (revenues.len() as u64 * share).div_ceil(MILLION) as usize;
        count
            .min(revenues.len())
            .checked_sub(1)
            .map(|last| revenues[last])
    };
    Some(TierCutpoints {
        high_minor: last_of(high)?,
        medium_minor: last_of(high + millionths(value.medium_share))?,
    })
}

/// Which data there is.
fn data(customers: &[Folded], products: &Products, context: &Context) -> Vec<DataNeed> {
    let any = |has: &dyn Fn(&Profile) -> bool| customers.iter().any(|c| has(&c.profile));
    let known = |symbol: Symbol| symbol != Symbol::NONE;
    let mut data = Vec::new();
    let mut note = |need, present: bool| {
        if present {
            data.push(need);
        }
    };
    note(DataNeed::Orders, any(&|p| !p.orders.is_empty()));
    note(DataNeed::Discounts, any(&|p| p.discounts.known_orders > 0));
    note(
        DataNeed::Costs,
        any(&|p| !p.orders.is_empty() && p.cost_minor.is_some()),
    );
    note(
        DataNeed::Categories,
        any(&|p| !p.categories.is_empty()) || products.iter().any(|p| p.category.is_some()),
    );
    note(
        DataNeed::Brands,
        any(&|p| !p.brands.is_empty()) || products.iter().any(|p| p.brand.is_some()),
    );
    note(
        DataNeed::Channels,
        any(&|p| known(Customer::new(p, context).first_channel())),
    );
    note(
        DataNeed::Countries,
        any(&|p| known(Customer::new(p, context).country())),
    );
    data
}

#[cfg(test)]
mod tests;
