//! Scores, with x, `t_x` and T counted from the orders.

use std::collections::BTreeMap;

use regulars_core::{Grain, Timestamp, Trait};
use regulars_stats::purchase::PurchaseSummary;

use super::everyone::usual_gap_days;
use super::{DAY, Models, Shop, times};
use crate::history::{Customer, RawValue};

/// What the models see: purchases are grains of calendar days, ages differences of calendar days.
struct Seen {
    summary: PurchaseSummary,
    mean_repeat_spend_minor: Option<f64>,
}

fn seen(of: &Customer, shop: &Shop, models: &Models, now: Timestamp) -> Option<Seen> {
    let day = |at: i64| shop.zone.date_of(Timestamp(at)).0;
    let first = day(*times(of).first()?);
    let grain_days = match models.grain {
        Grain::Day => 1,
        Grain::Week => 7,
    };
    let mut spend_of_grain: BTreeMap<i32, i64> = BTreeMap::new();
    for order in &of.orders {
        let grain = (day(order.at.0) - first) / grain_days;
        *spend_of_grain.entry(grain).or_default() += order.net_minor();
    }
    let last_grain = *spend_of_grain.keys().last()?;
    let repeats: Vec<i64> = spend_of_grain.range(1..).map(|(_, &spend)| spend).collect();
    let x = repeats.len() as u32;
    let in_units = |days: i32| f64::from(days) / models.unit.days();
    Some(Seen {
        summary: PurchaseSummary {
            x,
            t_x: in_units(last_grain * grain_days),
            t: in_units((day(now.0) - first).max(last_grain * grain_days)),
        },
        mean_repeat_spend_minor: (x > 0).then(|| repeats.iter().sum::<i64>() as f64 / f64::from(x)),
    })
}

pub(super) fn value(which: Trait, of: &Customer, shop: &Shop, now: Timestamp) -> Option<RawValue> {
    let models = shop.models.as_ref()?;
    let Seen {
        summary,
        mean_repeat_spend_minor,
    } = seen(of, shop, models, now)?;
    let purchase = &models.purchase;
    let units = |days: u32| f64::from(days) / models.unit.days();
    let horizon = units(shop.settings.churn.horizon_days);
    let order_value_minor = || {
        let (x, mean) = match mean_repeat_spend_minor {
            Some(mean) if mean > 0.0 => (summary.x, mean / shop.minor_per_major),
            _ => (0, 0.0),
        };
        let value = models.spend.as_ref()?.expected_spend(x, mean)?;
        Some(value * shop.minor_per_major)
    };
    let money = |minor: f64| RawValue::Money(minor.round_ties_even() as i64);
    match which {
        Trait::ProbabilityAlive => Some(RawValue::Number(purchase.probability_alive(summary))),
        Trait::ExpectedOrders => Some(RawValue::Number(purchase.expected_orders(summary, horizon))),
        Trait::ChurnRisk => {
            let risk = purchase.probability_of_no_order(summary, horizon);
            Some(RawValue::Number(risk))
        }
        Trait::ChurnLevel => churn_level(of, shop, now).map(RawValue::Integer),
        Trait::ExpectedOrderValue => order_value_minor().map(money),
        _ => {
            let clv = &shop.settings.clv;
            let orders = purchase.expected_orders(summary, units(clv.horizon_days));
            order_value_minor().map(|value| money(orders * value * clv.margin))
        }
    }
}

/// 1 and one more for each threshold that the risk reaches.
pub(super) fn churn_level(of: &Customer, shop: &Shop, now: Timestamp) -> Option<i64> {
    let RawValue::Number(risk) = value(Trait::ChurnRisk, of, shop, now)? else {
        return None;
    };
    let levels = shop.settings.churn.levels;
    Some(1 + levels.iter().filter(|&&level| level <= risk).count() as i64)
}

/// (alpha + `t_x`) · ((1 − q)^(−1/(r + x)) − 1) of the fitted model; before a fit, of all gaps.
pub(super) fn usual_range_days(of: &Customer, shop: &Shop) -> Option<f64> {
    let last = times(of).last().copied()?;
    let Some(models) = &shop.models else {
        return usual_gap_days(shop);
    };
    let PurchaseSummary { x, t_x, .. } = seen(of, shop, models, Timestamp(last))?.summary;
    let parameters: BTreeMap<&str, f64> = models.purchase.parameters().into_iter().collect();
    let (r, alpha) = (parameters["r"], parameters["alpha"]);
    let rest = 1.0 - shop.settings.lifecycle.usual_range_quantile;
    let range = (alpha + t_x) * (libm::pow(rest, -1.0 / (r + f64::from(x))) - 1.0);
    Some(range * models.unit.days())
}

pub(super) fn beyond_usual_range(of: &Customer, shop: &Shop, now: Timestamp) -> Option<bool> {
    let last = times(of).last().copied()?;
    let range = usual_range_days(of, shop)?;
    Some((now.0 - last) as f64 >= range * DAY as f64)
}
