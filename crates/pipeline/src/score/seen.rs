//! What the models see of everyone at one moment, and what happened after it.

use regulars_core::{CivilDate, Grain, ModelSettings, Timestamp, Zone};
use regulars_profile::{OrderFact, Profile, PurchaseHistory};
use regulars_stats::Parallelism;
use regulars_stats::parallel::map_chunks;
use regulars_stats::purchase::PurchaseSummary;
use regulars_stats::spend::SpendSummary;

use crate::base::Base;

/// Everyone who had ordered, in order of (x, T, `t_x`): the order of customers means nothing, and
/// nothing that is computed from rows depends on it.
pub(super) struct Seen {
    pub(super) rows: Vec<SeenRow>,
}

/// One customer as the models see them.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeenRow {
    pub(super) history: PurchaseSummary,
    /// Mean of the repeat purchases, in major units.
    pub(super) mean_spend: Option<f64>,
    /// Net revenue so far, in major units.
    pub(super) past_spend: f64,
    /// Purchases and net revenue in major units of the period of the same length before.
    pub(super) earlier: Did,
    /// Purchases and net revenue in major units of the later period.
    pub(super) later: Did,
    /// True when there was a purchase within the churn horizon.
    pub(super) ordered_in_horizon: bool,
}

/// What a customer did in a period.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Did {
    /// Grains with an order.
    pub(super) purchases: u32,
    /// Net revenue, in major units.
    pub(super) spend: f64,
}

/// A period that models are judged on.
#[derive(Debug, Clone, Copy)]
pub(super) struct After<'a> {
    /// Everyone at its end.
    pub(super) later: &'a Base,
    /// Its length in calendar days.
    pub(super) days: i32,
    /// Length of the churn horizon within it, in calendar days.
    pub(super) churn_days: i32,
}

impl Seen {
    /// Everyone who had ordered by `known.now`, with what they did in the period after it, if there
    /// is one.
    pub(super) fn of(known: &Base, after: Option<After<'_>>, threads: Parallelism) -> Self {
        let parts = map_chunks(known.customers.len(), 4_096, threads, |range| {
            let customers = known.customers.range(range);
            let row = |folded: &crate::base::Folded| row(known, &folded.profile, after);
            customers.filter_map(row).collect::<Vec<_>>()
        });
        let mut rows = parts.concat();
        rows.sort_unstable_by_key(|row| {
            let PurchaseSummary { x, t_x, t } = row.history;
            // The bits of non-negative floats sort as the floats do.
            (x, t.to_bits(), t_x.to_bits())
        });
        Self { rows }
    }

    pub(super) fn histories(&self) -> Vec<PurchaseSummary> {
        self.rows.iter().map(|row| row.history).collect()
    }

    pub(super) fn spends(&self) -> Vec<SpendSummary> {
        let spend = |row: &SeenRow| SpendSummary {
            x: row.history.x,
            mean: row.mean_spend.unwrap_or(0.0),
        };
        self.rows.iter().map(spend).collect()
    }
}

fn row(known: &Base, profile: &Profile, after: Option<After<'_>>) -> Option<SeenRow> {
    let context = &known.context;
    let (zone, models) = (&context.zone, &context.settings.models);
    let today = context.date_of(known.now);
    let major = context.currency.minor_per_major() as f64;
    let grains = (models.unit, models.grain);
    let history = PurchaseHistory::of(&profile.orders, zone, grains, today)?;
    let mut row = SeenRow {
        history: history.summary(),
        mean_spend: history.mean_spend_minor().map(|mean| mean / major),
        past_spend: profile.revenue_minor as f64 / major,
        earlier: Did::default(),
        later: Did::default(),
        ordered_in_horizon: false,
    };
    let Some(After {
        later,
        days,
        churn_days,
    }) = after
    else {
        return Some(row);
    };
    let periods = Periods::new(profile, zone, models)?;
    let spend = |orders: &[OrderFact]| {
        let minor: i64 = orders.iter().map(|order| order.net_minor).sum();
        minor as f64 / major
    };
    let start = zone.end_of(CivilDate(today.0 - days));
    let before = profile.orders_within(start, known.now);
    row.earlier = Did {
        purchases: periods.purchases(before, periods.last_at(profile, start)),
        spend: spend(before),
    };
    if let Some(index) = later.position(profile.customer) {
        let profile = &later.customers[index].profile;
        let last = Some(periods.last);
        let then = profile.orders_within(known.now, later.now);
        row.later = Did {
            purchases: periods.purchases(then, last),
            spend: spend(then),
        };
        let horizon = zone.end_of(CivilDate(today.0 + churn_days)).min(later.now);
        let soon = profile.orders_within(known.now, horizon);
        row.ordered_in_horizon = periods.purchases(soon, last) > 0;
    }
    Some(row)
}

/// The grains of a customer, counted from their first order.
struct Periods<'a> {
    zone: &'a Zone,
    first: i32,
    days: i32,
    /// That of the last order known.
    last: i32,
}

impl<'a> Periods<'a> {
    fn new(profile: &Profile, zone: &'a Zone, models: &ModelSettings) -> Option<Self> {
        let days = match models.grain {
            Grain::Day => 1,
            Grain::Week => 7,
        };
        let first = zone.date_of(profile.first_order_at()?).0;
        let mut periods = Self {
            zone,
            first,
            days,
            last: 0,
        };
        periods.last = periods.of(profile.last_order_at()?);
        Some(periods)
    }

    fn of(&self, at: Timestamp) -> i32 {
        (self.zone.date_of(at).0 - self.first).div_euclid(self.days)
    }

    /// That of the last order at or before `at`.
    fn last_at(&self, profile: &Profile, at: Timestamp) -> Option<i32> {
        let before = profile.orders_within(Timestamp::MIN, at);
        before.last().map(|order| self.of(order.occurred_at))
    }

    /// Different grains of `orders`; one in the grain of the order before them is no new purchase.
    fn purchases(&self, orders: &[OrderFact], before: Option<i32>) -> u32 {
        let (mut count, mut last) = (0, before);
        for order in orders {
            let this = self.of(order.occurred_at);
            count += u32::from(last.is_none_or(|last| this > last));
            last = last.max(Some(this));
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regulars_core::CustomerId;

    #[test]
    fn an_order_in_the_week_of_the_last_one_is_no_new_purchase() {
        let zone = Zone::named("UTC").unwrap();
        let at = |day: &str| zone.start_of(zone.date_of(zone.parse_instant(day).unwrap()));
        let mut profile = Profile::new(CustomerId(7));
        let order = |day: &str| OrderFact {
            occurred_at: at(day),
            net_minor: 100,
        };
        profile.orders = ["2026-01-01", "2026-01-09"].map(order).to_vec();
        // Weeks begin on Thursdays: that of the last order ends on 14 January.
        let later = ["2026-01-12", "2026-01-14", "2026-01-15", "2026-01-20"].map(order);
        let purchases = |grain| {
            let models = ModelSettings {
                grain,
                ..ModelSettings::default()
            };
            let periods = Periods::new(&profile, &zone, &models).unwrap();
            let last = Some(periods.last);
            [&later[..2], &later[..3], &later[..]].map(|orders| periods.purchases(orders, last))
        };
        assert_eq!(purchases(Grain::Week), [0, 1, 1]);
        assert_eq!(purchases(Grain::Day), [2, 3, 4]);
    }
}
