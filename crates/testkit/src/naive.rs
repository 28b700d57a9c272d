//! Every standard trait as its definition says it: all orders are looked at each time, everyone is
//! compared with everyone, nothing is kept.
//!
//! Shares no code with `profile`. Of the models it takes only what the papers' formulas need: x,
//! `t_x` and T are counted here.

mod everyone;
mod rhythm;
mod scores;
mod visits;

use std::collections::{BTreeMap, BTreeSet};

pub use everyone::{data, last_of_tiers, median_order_value, usual_gap_days};

use regulars_core::{EventKind, Grain, Settings, TimeUnit, Timestamp, Trait, Zone};
use regulars_stats::purchase::PurchaseModel;
use regulars_stats::spend::GammaGamma;

use crate::history::{Customer, RawOrder, RawValue};

const DAY: i64 = 86_400_000;

/// Everyone, at the moment at which they were last compared, and what they are seen with.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Zone of days.
    pub zone: Zone,
    /// Minor units of one major unit.
    pub minor_per_major: f64,
    /// Thresholds; the discount rate of CLV must be 0.
    pub settings: Settings,
    /// All customers, none of whose orders is later than `compared_at`.
    pub everyone: Vec<Customer>,
    /// When cut points and medians were computed.
    pub compared_at: Timestamp,
    /// Fitted models, all of them in use.
    pub models: Option<Models>,
}

/// Fitted models and their units.
#[derive(Debug, Clone)]
pub struct Models {
    /// How often customers order.
    pub purchase: PurchaseModel,
    /// What an order is worth, in major units.
    pub spend: Option<GammaGamma>,
    /// Unit of time of the parameters.
    pub unit: TimeUnit,
    /// Orders within one grain are one purchase.
    pub grain: Grain,
}

/// The value of a trait of one of everyone at `now`, which is not before the shop's comparison.
pub fn value(which: Trait, of: &Customer, shop: &Shop, now: Timestamp) -> RawValue {
    let times = times(of);
    let (first, last) = (times.first().copied(), times.last().copied());
    let revenue: i64 = of.orders.iter().map(RawOrder::net_minor).sum();
    let instant = |at: Option<i64>| at.map(|ms| RawValue::Instant(Timestamp(ms)));
    let days_since = |at: Option<i64>| at.map(|at| RawValue::Integer((now.0 - at) / DAY));
    let days = |ms: f64| RawValue::Number(ms / DAY as f64);
    let within = |days: i64| orders_within(of, days, now).len() as i64;
    let revenue_within = |days: i64| RawValue::Money(revenue_within(of, days, now));
    if which.is_of_visits() {
        return visits::value(which, of, shop, now).unwrap_or(RawValue::Missing);
    }
    let known = match which {
        Trait::Orders => Some(RawValue::Integer(times.len() as i64)),
        Trait::Items => {
            let pieces = of.orders.iter().map(RawOrder::quantity);
            Some(RawValue::Number(pieces.sum()))
        }
        Trait::Revenue => Some(RawValue::Money(revenue)),
        Trait::Refunds => {
            let refunds = of.orders.iter().map(|order| order.refunded_minor);
            Some(RawValue::Money(refunds.sum()))
        }
        Trait::Margin => cost(of).map(|cost| RawValue::Money(revenue - cost)),
        Trait::AverageOrderValue => average(of).map(RawValue::Money),
        Trait::FirstOrder => instant(first),
        Trait::LastOrder => instant(last),
        Trait::DaysSinceFirstOrder => days_since(first),
        Trait::DaysSinceLastOrder => days_since(last),
        Trait::PurchaseInterval => {
            let gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let mean = gaps.iter().sum::<i64>() as f64 / gaps.len() as f64;
            (!gaps.is_empty()).then(|| days(mean))
        }
        Trait::GapBeforeLastOrder => last_gap(of).map(|gap| days(gap as f64)),
        Trait::UsualRange => scores::usual_range_days(of, shop).map(RawValue::Number),
        Trait::BeyondUsualRange => scores::beyond_usual_range(of, shop, now).map(RawValue::Flag),
        Trait::OrdersLast30Days => Some(RawValue::Integer(within(30))),
        Trait::OrdersLast90Days => Some(RawValue::Integer(within(90))),
        Trait::OrdersLast365Days => Some(RawValue::Integer(within(365))),
        Trait::RevenueLast30Days => Some(revenue_within(30)),
        Trait::RevenueLast90Days => Some(revenue_within(90)),
        Trait::RevenueLast365Days => Some(revenue_within(365)),
        Trait::DiscountShare | Trait::DiscountDepth => discounts(which, of, shop),
        Trait::TopCategory
        | Trait::TopCategoryShare
        | Trait::TopBrand
        | Trait::TopBrandShare
        | Trait::Categories
        | Trait::Brands => taste(which, of, shop),
        Trait::FirstChannel | Trait::Country | Trait::Consent => origin(which, of),
        Trait::Account
        | Trait::AccountCustomers
        | Trait::AccountOrders
        | Trait::AccountRevenue
        | Trait::AccountLastOrder
        | Trait::AccountLastActivity
        | Trait::AccountActiveCustomers => of_account(which, of, shop, now),
        Trait::SeasonShare | Trait::Seasonal | Trait::YearRound => {
            rhythm::value(which, of, shop, now)
        }
        Trait::RecencyScore
        | Trait::FrequencyScore
        | Trait::MonetaryScore
        | Trait::RfmCell
        | Trait::RfmGroup
        | Trait::ValueTier
        | Trait::AboveMedianOrderValue => everyone::value(which, of, shop, now),
        Trait::ProbabilityAlive
        | Trait::ExpectedOrders
        | Trait::ChurnRisk
        | Trait::ChurnLevel
        | Trait::ExpectedOrderValue
        | Trait::Clv => scores::value(which, of, shop, now),
        _ => Some(RawValue::Text(stage(of, shop, now).to_owned())),
    };
    known.unwrap_or(RawValue::Missing)
}

/// Traits of categories and brands.
fn taste(which: Trait, of: &Customer, shop: &Shop) -> Option<RawValue> {
    match which {
        Trait::TopCategory => top(of, |line| &line.category).map(|top| RawValue::Text(top.0)),
        Trait::TopCategoryShare => {
            top(of, |line| &line.category).map(|top| RawValue::Number(top.1))
        }
        Trait::TopBrand => top(of, |line| &line.brand).map(|top| RawValue::Text(top.0)),
        Trait::TopBrandShare => top(of, |line| &line.brand).map(|top| RawValue::Number(top.1)),
        Trait::Categories => everyone::has_categories(shop)
            .then(|| RawValue::Integer(texts(of, |line| &line.category).len() as i64)),
        _ => everyone::has_brands(shop)
            .then(|| RawValue::Integer(texts(of, |line| &line.brand).len() as i64)),
    }
}

/// What all customers of an account come to.
fn of_account(which: Trait, of: &Customer, shop: &Shop, now: Timestamp) -> Option<RawValue> {
    if of.belongs_to.is_empty() {
        return None;
    }
    let everyone = shop.everyone.iter();
    let together = everyone.filter(|other| other.belongs_to == of.belongs_to);
    let orders: Vec<&RawOrder> = together.clone().flat_map(|of| &of.orders).collect();
    match which {
        Trait::AccountCustomers => Some(RawValue::Integer(together.count() as i64)),
        Trait::AccountOrders => Some(RawValue::Integer(orders.len() as i64)),
        Trait::AccountRevenue => {
            let revenue = orders.iter().map(|order| order.net_minor());
            Some(RawValue::Money(revenue.sum()))
        }
        Trait::AccountLastOrder => {
            let last = orders.iter().map(|order| order.at).max();
            last.map(RawValue::Instant)
        }
        Trait::AccountLastActivity => {
            let last = together.filter_map(active_at).max();
            last.map(|at| RawValue::Instant(Timestamp(at)))
        }
        Trait::AccountActiveCustomers => {
            let is_active = |at: &i64| now.0 - 30 * DAY < *at && *at <= now.0;
            let active = together.filter_map(active_at).filter(is_active);
            Some(RawValue::Integer(active.count() as i64))
        }
        _ => Some(RawValue::Text(of.belongs_to.clone())),
    }
}

/// When somebody last did something: an order, or an event that does not say who someone is.
fn active_at(of: &Customer) -> Option<i64> {
    let is_activity = |kind| matches!(kind, EventKind::Track | EventKind::Page | EventKind::Screen);
    let events = of.events.iter().filter(|event| is_activity(event.kind));
    events.map(|event| event.at.0).chain(times(of)).max()
}

/// Where a customer came from, lives, and what they agreed to.
fn origin(which: Trait, of: &Customer) -> Option<RawValue> {
    match which {
        Trait::FirstChannel => {
            let mut channels = of.orders.iter().map(|order| &order.channel);
            let of_order = channels.find(|channel| !channel.is_empty()).cloned();
            of_order
                .or(declared_text(of, "channel"))
                .map(RawValue::Text)
        }
        Trait::Country => {
            let mut countries = of.orders.iter().rev().map(|order| &order.country);
            let of_order = countries.find(|country| !country.is_empty()).cloned();
            declared_text(of, "country")
                .or(of_order)
                .map(RawValue::Text)
        }
        _ => match of.declared.get("consent") {
            Some(RawValue::Flag(flag)) => Some(RawValue::Flag(*flag)),
            _ => None,
        },
    }
}

/// The stage of life, as DEFINITIONS says it: the first that matches.
pub fn stage(of: &Customer, shop: &Shop, now: Timestamp) -> &'static str {
    let settings = &shop.settings.lifecycle;
    let orders = of.orders.len();
    let Some(last) = times(of).last().copied() else {
        return "prospect";
    };
    let is_dormant = now.0 - last >= i64::from(settings.dormant_days) * DAY;
    let is_silent = scores::beyond_usual_range(of, shop, now) == Some(true);
    let is_leaving = orders >= settings.at_risk_orders as usize
        && scores::churn_level(of, shop, now)
            .is_some_and(|level| level >= i64::from(settings.at_risk_churn_level));
    let came_back =
        last_gap(of).is_some_and(|gap| gap >= i64::from(settings.reactivated_gap_days) * DAY);
    if is_dormant {
        "dormant"
    } else if is_silent || is_leaving {
        "at_risk"
    } else if came_back {
        "reactivated"
    } else if orders >= settings.loyal_orders as usize {
        "loyal"
    } else if orders >= settings.potential_loyalist_orders as usize {
        "potential_loyalist"
    } else {
        "new"
    }
}

/// Times of the orders in milliseconds, ascending.
fn times(of: &Customer) -> Vec<i64> {
    let mut times: Vec<i64> = of.orders.iter().map(|order| order.at.0).collect();
    times.sort_unstable();
    times
}

fn last_gap(of: &Customer) -> Option<i64> {
    let times = times(of);
    times.windows(2).map(|pair| pair[1] - pair[0]).next_back()
}

fn orders_within(of: &Customer, days: i64, now: Timestamp) -> Vec<&RawOrder> {
    let inside = |order: &&RawOrder| order.at.0 > now.0 - days * DAY && order.at <= now;
    of.orders.iter().filter(inside).collect()
}

fn revenue_within(of: &Customer, days: i64, now: Timestamp) -> i64 {
    let inside = orders_within(of, days, now);
    inside.iter().map(|order| order.net_minor()).sum()
}

/// Net revenue per order; a half of a minor unit goes to the even one.
fn average(of: &Customer) -> Option<i64> {
    let revenue: i64 = of.orders.iter().map(RawOrder::net_minor).sum();
    let orders = of.orders.len();
    (orders > 0).then(|| (revenue as f64 / orders as f64).round_ties_even() as i64)
}

fn cost(of: &Customer) -> Option<i64> {
    let costs: Option<Vec<i64>> = of.orders.iter().map(|order| order.cost_minor).collect();
    costs
        .filter(|costs| !costs.is_empty())
        .map(|costs| costs.iter().sum())
}

fn discounts(which: Trait, of: &Customer, shop: &Shop) -> Option<RawValue> {
    let known: Vec<(i64, i64)> = of
        .orders
        .iter()
        .filter_map(|order| Some((order.discount_minor?, order.net_minor())))
        .collect();
    let enough =
        known.len() >= shop.settings.price.min_orders as usize || known.len() == of.orders.len();
    if known.is_empty() || !enough {
        return None;
    }
    let (taken, net): (i64, i64) = known.iter().fold((0, 0), |(a, b), (d, n)| (a + d, b + n));
    let discounted = known.iter().filter(|(discount, _)| *discount > 0).count();
    match which {
        Trait::DiscountShare => Some(RawValue::Number(discounted as f64 / known.len() as f64)),
        _ => (taken + net > 0).then(|| RawValue::Number(taken as f64 / (taken + net) as f64)),
    }
}

type OfLine = fn(&crate::history::RawLine) -> &String;

/// Different texts of the lines.
fn texts(of: &Customer, text: OfLine) -> BTreeSet<&String> {
    let lines = of.orders.iter().flat_map(|order| &order.lines);
    lines.map(text).filter(|text| !text.is_empty()).collect()
}

/// The text with the most net revenue and its share; between equals the first by name.
fn top(of: &Customer, text: OfLine) -> Option<(String, f64)> {
    let mut sums: BTreeMap<&String, i64> = BTreeMap::new();
    for line in of.orders.iter().flat_map(|order| &order.lines) {
        *sums.entry(text(line)).or_default() += line.net_minor;
    }
    sums.retain(|text, _| !text.is_empty());
    let most = *sums.values().max()?;
    let (name, _) = sums.iter().find(|(_, sum)| **sum == most)?;
    let all: i64 = sums.values().sum();
    let share = if all > 0 {
        most as f64 / all as f64
    } else {
        0.0
    };
    Some(((*name).clone(), share))
}

fn declared_text(of: &Customer, name: &str) -> Option<String> {
    match of.declared.get(name) {
        Some(RawValue::Text(text)) => Some(text.clone()),
        _ => None,
    }
}
