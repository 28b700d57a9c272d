//! Traits that compare a customer with everyone.

use std::collections::BTreeSet;

use regulars_core::{DataNeed, Timestamp, Trait};

use super::{DAY, Shop, average, cost, declared_text, revenue_within, times};
use crate::history::{Customer, RawOrder, RawValue};

pub(super) fn has_categories(shop: &Shop) -> bool {
    let mut lines = all_lines(shop);
    lines.any(|line| !line.category.is_empty())
}

pub(super) fn has_brands(shop: &Shop) -> bool {
    let mut lines = all_lines(shop);
    lines.any(|line| !line.brand.is_empty())
}

/// The data that the shop has.
pub fn data(shop: &Shop) -> BTreeSet<DataNeed> {
    let orders = || shop.everyone.iter().flat_map(|of| &of.orders);
    let declares = |name| {
        shop.everyone
            .iter()
            .any(|of| declared_text(of, name).is_some())
    };
    let first = orders().map(|order| order.at.0).min();
    let present = [
        (DataNeed::Orders, first.is_some()),
        (
            DataNeed::Discounts,
            orders().any(|order| order.discount_minor.is_some()),
        ),
        (
            DataNeed::Costs,
            shop.everyone.iter().any(|of| cost(of).is_some()),
        ),
        (DataNeed::Categories, has_categories(shop)),
        (DataNeed::Brands, has_brands(shop)),
        (
            DataNeed::Channels,
            declares("channel") || orders().any(|order| !order.channel.is_empty()),
        ),
        (
            DataNeed::Countries,
            declares("country") || orders().any(|order| !order.country.is_empty()),
        ),
        (
            DataNeed::Consent,
            shop.everyone
                .iter()
                .any(|of| matches!(of.declared.get("consent"), Some(RawValue::Flag(_)))),
        ),
        (
            DataNeed::Accounts,
            shop.everyone.iter().any(|of| !of.belongs_to.is_empty()),
        ),
        (
            DataNeed::Events,
            shop.everyone.iter().any(|of| !of.events.is_empty()),
        ),
        (
            DataNeed::TwoYears,
            first.is_some_and(|first| shop.compared_at.0 - first >= 730 * DAY),
        ),
        (DataNeed::PurchaseFit, shop.models.is_some()),
        (DataNeed::OrdersFit, shop.models.is_some()),
        (DataNeed::ChurnFit, shop.models.is_some()),
        (
            DataNeed::ValueFit,
            shop.models
                .as_ref()
                .is_some_and(|models| models.spend.is_some()),
        ),
    ];
    present
        .into_iter()
        .filter(|(_, is)| *is)
        .map(|(need, _)| need)
        .collect()
}

fn all_lines(shop: &Shop) -> impl Iterator<Item = &crate::history::RawLine> {
    let orders = shop.everyone.iter().flat_map(|of| &of.orders);
    orders.flat_map(|order| &order.lines)
}

fn buyers(shop: &Shop) -> impl Iterator<Item = &Customer> {
    shop.everyone.iter().filter(|of| !of.orders.is_empty())
}

pub(super) fn value(which: Trait, of: &Customer, shop: &Shop, now: Timestamp) -> Option<RawValue> {
    if of.orders.is_empty() {
        return None;
    }
    let [recency, frequency, monetary] = rfm(of, shop);
    let value = match which {
        Trait::RecencyScore => RawValue::Integer(recency),
        Trait::FrequencyScore => RawValue::Integer(frequency),
        Trait::MonetaryScore => RawValue::Integer(monetary),
        Trait::RfmCell => RawValue::Text(format!("{recency}{frequency}{monetary}")),
        Trait::RfmGroup => {
            let mean = (frequency + monetary + 1) / 2;
            let group = GROUPS[5 - recency as usize][mean as usize - 1];
            RawValue::Text(group.to_owned())
        }
        Trait::ValueTier => RawValue::Text(tier(of, shop, now)?.to_owned()),
        _ => {
            let (own, median) = (average(of)?, median_order_value(shop)?);
            RawValue::Flag(own as f64 >= median)
        }
    };
    Some(value)
}

/// Rows by recency from 5 down to 1, columns by the mean of the other two from 1 to 5.
const GROUPS: [[&str; 5]; 5] = [
    [
        "new_customers",
        "potential_loyalists",
        "potential_loyalists",
        "champions",
        "champions",
    ],
    [
        "promising",
        "potential_loyalists",
        "potential_loyalists",
        "loyal_customers",
        "champions",
    ],
    [
        "about_to_sleep",
        "about_to_sleep",
        "need_attention",
        "loyal_customers",
        "loyal_customers",
    ],
    [
        "hibernating",
        "hibernating",
        "at_risk_customers",
        "at_risk_customers",
        "at_risk_customers",
    ],
    [
        "lost",
        "lost",
        "at_risk_customers",
        "cannot_lose_them",
        "cannot_lose_them",
    ],
];

/// 1 + floor(5 · share strictly worse), of the day of the last order, orders and net revenue.
fn rfm(of: &Customer, shop: &Shop) -> [i64; 3] {
    let day = |of: &Customer| {
        let last = times(of).last().copied().unwrap_or(i64::MIN);
        i64::from(shop.zone.date_of(Timestamp(last)).0)
    };
    let count = |of: &Customer| of.orders.len() as i64;
    let revenue = |of: &Customer| of.orders.iter().map(RawOrder::net_minor).sum::<i64>();
    let score = |measure: &dyn Fn(&Customer) -> i64| {
        let worse = buyers(shop)
            .filter(|other| measure(other) < measure(of))
            .count();
        1 + (5 * worse / buyers(shop).count()) as i64
    };
    [score(&day), score(&count), score(&revenue)]
}

/// Net revenue of the window of tiers, for everyone with more than 0, descending.
fn revenues(shop: &Shop) -> Vec<i64> {
    let days = i64::from(shop.settings.value.window_days);
    let mut revenues: Vec<i64> = buyers(shop)
        .map(|of| revenue_within(of, days, shop.compared_at))
        .filter(|&revenue| revenue > 0)
        .collect();
    revenues.sort_unstable();
    revenues.reverse();
    revenues
}

/// What the last of the high and the last of the medium tier have.
pub fn last_of_tiers(shop: &Shop) -> Option<(i64, i64)> {
    let revenues = revenues(shop);
    let value = &shop.settings.value;
    // The smallest number of customers that is at least this share of all.
    let last = |share: f64| {
        (1..=revenues.len())
            .find(|&n| n as f64 >= share * revenues.len() as f64 - 1e-6)
            .map(|n| revenues[n - 1])
    };
    Some((
        last(value.high_share)?,
        last(value.high_share + value.medium_share)?,
    ))
}

fn tier(of: &Customer, shop: &Shop, now: Timestamp) -> Option<&'static str> {
    let (high, medium) = last_of_tiers(shop)?;
    let own = revenue_within(of, i64::from(shop.settings.value.window_days), now);
    let tiers = [("high", high), ("medium", medium), ("low", 1)];
    tiers
        .into_iter()
        .find(|(_, least)| own >= *least)
        .map(|(tier, _)| tier)
}

/// The median of average order values, in minor units; may be a half.
pub fn median_order_value(shop: &Shop) -> Option<f64> {
    let mut averages: Vec<i64> = buyers(shop).filter_map(average).collect();
    averages.sort_unstable();
    let n = averages.len();
    (n > 0).then(|| (averages[(n - 1) / 2] + averages[n / 2]) as f64 / 2.0)
}

/// Days within which the share of the settings of all gaps lies; orders on one day leave no gap.
pub fn usual_gap_days(shop: &Shop) -> Option<f64> {
    let mut gaps = Vec::new();
    for of in &shop.everyone {
        for pair in times(of).windows(2) {
            let day = |ms: i64| shop.zone.date_of(Timestamp(ms));
            if day(pair[0]) != day(pair[1]) {
                gaps.push(pair[1] - pair[0]);
            }
        }
    }
    gaps.sort_unstable();
    let share = shop.settings.lifecycle.usual_range_quantile * gaps.len() as f64;
    let reached = (1..=gaps.len()).find(|&n| n as f64 >= share - 1e-6)?;
    Some(gaps[reached - 1] as f64 / DAY as f64)
}
