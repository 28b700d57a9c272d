//! What is computed over everyone: cut points, medians, and which data there is.
//!
//! Everything is a function of the multiset of values: the order of customers changes nothing.

mod limits;

pub(crate) use limits::Limits;

use regulars_core::{DAY_MS, DataNeed, Settings, Symbol, Timestamp};
use regulars_profile::{Context, Customer, Declared, Population, Products, Profile, TierCutpoints};
use regulars_stats::rfm::quantile_rank;

use crate::base::Customers;

/// The population of `customers`; its limits are those in force or, where there are none, computed
/// at `now` on `threads` threads. `context` is not complete yet.
pub(crate) fn of(
    customers: &Customers,
    products: &Products,
    context: &Context,
    in_force: Option<Limits>,
    (now, threads): (Timestamp, usize),
) -> Population {
    let limits = in_force.unwrap_or_else(|| {
        let profiles: Vec<&Profile> = customers.iter().map(|folded| &folded.profile).collect();
        Limits::of(&profiles, context, now, threads)
    });
    let mut population = Population::default();
    limits.put_into(&mut population);
    population.data.extend(data(customers, products, context));
    population
}

/// What is asked of everyone with an order; money in minor units.
#[derive(Default)]
struct Values {
    first_order_at: Option<Timestamp>,
    /// Calendar days of the last orders.
    last_days: Vec<i64>,
    orders: Vec<i64>,
    revenues: Vec<i64>,
    /// Net revenue of the value window, where it is positive.
    window_revenues: Vec<i64>,
    /// Average order values.
    order_values: Vec<i64>,
    gaps: GapCounts,
}

/// How many gaps there are of about each length: there are too many to keep.
#[derive(Default)]
struct GapCounts(Vec<u32>);

/// Gaps are counted in steps of so many bits of milliseconds: a quarter of an hour or so.
const GAP_BITS: u32 = 20;
/// Steps that are counted; the last is of all longer gaps.
const GAP_STEPS: usize = 1 << 16;

fn gap_step(gap_ms: i64) -> usize {
    usize::try_from(gap_ms >> GAP_BITS).map_or(0, |step| step.min(GAP_STEPS - 1))
}

impl Values {
    fn of(profiles: &[&Profile], context: &Context, now: Timestamp) -> Self {
        let days = context.settings.value.window_days;
        let column = || Vec::with_capacity(profiles.len());
        let mut values = Self {
            last_days: column(),
            orders: column(),
            revenues: column(),
            window_revenues: column(),
            order_values: column(),
            ..Self::default()
        };
        let mut gaps = vec![0; GAP_STEPS];
        for &profile in profiles {
            if profile.orders.is_empty() {
                continue;
            }
            let customer = Customer::new(profile, context);
            let first = profile.first_order_at();
            values.first_order_at = values.first_order_at.into_iter().chain(first).min();
            values.last_days.extend(
                profile
                    .last_order_at()
                    .map(|at| i64::from(context.date_of(at).0)),
            );
            values.orders.push(profile.orders.len() as i64);
            values.revenues.push(profile.revenue_minor);
            let recent = customer.revenue_within_minor(days, now);
            values
                .window_revenues
                .extend(Some(recent).filter(|&recent| recent > 0));
            values
                .order_values
                .extend(customer.average_order_value_minor());
            for gap in gaps_of(profile, context) {
                gaps[gap_step(gap)] += 1;
            }
        }
        values.gaps = GapCounts(gaps);
        values
    }

    fn together(mut parts: Vec<Self>) -> Self {
        let first = parts.iter().filter_map(|part| part.first_order_at).min();
        let mut gaps = vec![0; GAP_STEPS];
        for part in &parts {
            gaps.iter_mut()
                .zip(&part.gaps.0)
                .for_each(|(sum, n)| *sum += n);
        }
        // One column after the other, so that little is in memory twice.
        let mut column = |of: fn(&mut Self) -> &mut Vec<i64>| {
            let len = parts.iter_mut().map(|part| of(part).len()).sum();
            let mut all = Vec::with_capacity(len);
            for part in &mut parts {
                all.append(&mut std::mem::take(of(part)));
            }
            all
        };
        Self {
            first_order_at: first,
            last_days: column(|values| &mut values.last_days),
            orders: column(|values| &mut values.orders),
            revenues: column(|values| &mut values.revenues),
            window_revenues: column(|values| &mut values.window_revenues),
            order_values: column(|values| &mut values.order_values),
            gaps: GapCounts(gaps),
        }
    }
}

/// The quantile of all gaps: first its step, then its place among the gaps of that step.
fn usual_gap_days(
    profiles: &[&Profile],
    counts: &GapCounts,
    context: &Context,
    threads: usize,
) -> Option<f64> {
    let share = millionths(context.settings.lifecycle.usual_range_quantile);
    let all = counts.0.iter().map(|&n| n as usize).sum();
    let mut rank = quantile_rank(all, share, MILLION)?;
    let mut steps = counts.0.iter().enumerate();
    let (step, _) = steps.find(|&(_, &n)| {
        let here = rank < n as usize;
        rank -= if here { 0 } else { n as usize };
        here
    })?;
    let parts = in_shares(profiles, threads, |share| {
        let gaps = share.iter().flat_map(|profile| gaps_of(profile, context));
        gaps.filter(|&gap| gap_step(gap) == step)
            .collect::<Vec<_>>()
    });
    let mut gaps = parts.concat();
    let (_, gap, _) = gaps.select_nth_unstable(rank);
    Some(*gap as f64 / DAY_MS as f64)
}

/// What `work` makes of each share of the customers, each on a thread of its own.
fn in_shares<T: Send>(
    profiles: &[&Profile],
    threads: usize,
    work: impl Fn(&[&Profile]) -> T + Sync,
) -> Vec<T> {
    let share = profiles.len().div_ceil(threads.max(1)).max(1);
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = profiles
            .chunks(share)
            .map(|share| scope.spawn(move || work(share)))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|made| made.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// All gaps between an order and the next of the same customer, in milliseconds; a second order
/// on the same calendar day is no repeat and leaves no gap.
pub(crate) fn gaps_ms<'p>(
    profiles: impl Iterator<Item = &'p Profile>,
    context: &Context,
) -> Vec<i64> {
    profiles
        .flat_map(|profile| gaps_of(profile, context))
        .collect()
}

const MILLION: u64 = 1_000_000;

/// A share of the settings as a whole number of millionths, so that 20 % and 30 % of customers are
/// counted exactly and together make exactly a half.
fn millionths(share: f64) -> u64 {
    (share * MILLION as f64).round() as u64
}

fn gaps_of(profile: &Profile, context: &Context) -> impl Iterator<Item = i64> {
    profile.orders.windows(2).filter_map(|pair| {
        let (before, next) = (pair[0].occurred_at, pair[1].occurred_at);
        let gap = next.0 - before.0;
        // No zone has changed its clocks by more than a day.
        let repeat = gap >= 2 * DAY_MS || context.date_of(before) != context.date_of(next);
        repeat.then_some(gap)
    })
}

fn tiers(mut revenues: Vec<i64>, settings: &Settings) -> Option<TierCutpoints> {
    let value = &settings.value;
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

/// Which of [`OF_CUSTOMERS`] the workspace has.
fn data(customers: &Customers, products: &Products, context: &Context) -> Vec<DataNeed> {
    let consent = context.symbols.find("consent");
    let of_products = |need| match need {
        DataNeed::Categories => products.iter().any(|product| product.category.is_some()),
        DataNeed::Brands => products.iter().any(|product| product.brand.is_some()),
        _ => false,
    };
    let has = |&need: &DataNeed| {
        let mut profiles = customers.iter().map(|folded| &folded.profile);
        profiles.any(|profile| shows(need, profile, context, consent)) || of_products(need)
    };
    OF_CUSTOMERS.into_iter().filter(has).collect()
}

/// What single customers show that a workspace has.
pub(crate) const OF_CUSTOMERS: [DataNeed; 9] = [
    DataNeed::Orders,
    DataNeed::Discounts,
    DataNeed::Costs,
    DataNeed::Categories,
    DataNeed::Brands,
    DataNeed::Channels,
    DataNeed::Countries,
    DataNeed::Accounts,
    DataNeed::Consent,
];

/// Whether a customer shows that the workspace has data of a kind; `consent` is the symbol of that
/// trait's name.
pub(crate) fn shows(
    need: DataNeed,
    profile: &Profile,
    context: &Context,
    consent: Option<Symbol>,
) -> bool {
    let known = |symbol: Symbol| symbol != Symbol::NONE;
    match need {
        DataNeed::Orders => !profile.orders.is_empty(),
        DataNeed::Discounts => profile.discounts.known_orders > 0,
        DataNeed::Costs => !profile.orders.is_empty() && profile.cost_minor.is_some(),
        DataNeed::Categories => !profile.categories.is_empty(),
        DataNeed::Brands => !profile.brands.is_empty(),
        DataNeed::Channels => known(Customer::new(profile, context).first_channel()),
        DataNeed::Countries => known(Customer::new(profile, context).country()),
        DataNeed::Accounts => known(profile.account),
        DataNeed::Consent => {
            consent.is_some_and(|name| matches!(profile.declared(name), Some(Declared::Flag(_))))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
