//! Stages of a customer's life: each customer is in exactly one, the first that matches.
//!
//! 1. `prospect`: no order.
//! 2. `dormant`: `dormant_days` or more since the last order.
//! 3. `at_risk`: silent for longer than the own usual range, or a churn level of
//!    `at_risk_churn_level` or more with at least `at_risk_orders` orders.
//! 4. `reactivated`: the gap before the last order was `reactivated_gap_days` or more.
//! 5. `new`: fewer orders than a potential loyalist.
//! 6. `potential_loyalist`: fewer orders than a loyal customer.
//! 7. `loyal`: all others.

use regulars_core::{DAY_MS, Timestamp};

use crate::customer::Customer;

/// The stage at `now`.
pub(crate) fn stage(customer: &Customer<'_>, now: Timestamp) -> &'static str {
    let settings = &customer.context.settings.lifecycle;
    let profile = customer.profile;
    let Some(last) = profile.last_order_at() else {
        return "prospect";
    };
    let orders = profile.orders.len() as u64;
    let days = |ms: i64| ms.div_euclid(DAY_MS);
    if now.whole_days_since(last) >= i64::from(settings.dormant_days) {
        return "dormant";
    }
    let silent = customer
        .beyond_usual_range_at(now)
        .is_some_and(|at| now >= at);
    let leaving = orders >= u64::from(settings.at_risk_orders)
        && customer
            .churn_level(now)
            .is_some_and(|level| u32::from(level) >= settings.at_risk_churn_level);
    if silent || leaving {
        return "at_risk";
    }
    let gap = profile.last_gap_ms();
    if gap.is_some_and(|ms| days(ms) >= i64::from(settings.reactivated_gap_days)) {
        return "reactivated";
    }
    match orders {
        n if n < u64::from(settings.potential_loyalist_orders) => "new",
        n if n < u64::from(settings.loyal_orders) => "potential_loyalist",
        _ => "loyal",
    }
}

/// The next instant after `now` at which the stage may change while nothing happens.
pub(crate) fn next_after(customer: &Customer<'_>, now: Timestamp) -> Option<Timestamp> {
    let settings = &customer.context.settings.lifecycle;
    let last = customer.profile.last_order_at()?;
    let dormant = last.plus_ms(i64::from(settings.dormant_days) * DAY_MS);
    let silent = customer.beyond_usual_range_at(now);
    let leaving = (customer.profile.orders.len() as u64 >= u64::from(settings.at_risk_orders))
        .then(|| customer.churn_level_reached_at(settings.at_risk_churn_level, now))
        .flatten();
    [Some(dormant), silent, leaving]
        .into_iter()
        .flatten()
        .filter(|&at| at > now)
        .min()
}
