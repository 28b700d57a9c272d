//! What the purchase and spend models see of a customer.
//!
//! Ages are differences of calendar dates in the workspace's time zone, in units of time;
//! orders within one grain are one purchase.

use regulars_core::{CivilDate, Grain, TimeUnit, Timestamp, Zone};

use super::OrderFact;

/// The orders of a customer as purchases, whatever the day: what of a [`PurchaseHistory`] only
/// orders change. Another order costs no look at those before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Purchases {
    /// Day of the first order.
    first: CivilDate,
    /// Days from then to the beginning of the last grain with an order.
    last: i32,
    x: u32,
    repeat_spend_minor: i64,
    /// How many orders these are, and the latest of them.
    orders: usize,
    latest: OrderFact,
}

impl Purchases {
    /// Of these orders, by time; `None` when there are none.
    pub fn of(orders: &[OrderFact], zone: &Zone, grain: Grain) -> Option<Self> {
        let (first, others) = orders.split_first()?;
        let mut purchases = Self {
            first: zone.date_of(first.occurred_at),
            last: 0,
            x: 0,
            repeat_spend_minor: 0,
            orders: 1,
            latest: *first,
        };
        for order in others {
            purchases.add(order, zone, grain);
        }
        Some(purchases)
    }

    fn add(&mut self, order: &OrderFact, zone: &Zone, grain: Grain) {
        let grain_days = match grain {
            Grain::Day => 1,
            Grain::Week => 7,
        };
        let days = zone.date_of(order.occurred_at).0 - self.first.0;
        let this = days / grain_days * grain_days;
        if this > self.last {
            self.x += 1;
            self.last = this;
        }
        if this > 0 {
            self.repeat_spend_minor = order.net_minor.saturating_add(self.repeat_spend_minor);
        }
        self.orders += 1;
        self.latest = *order;
    }

    /// Takes in what came after the orders that these are, if nothing else changed; false, and
    /// they are those of before, when something before the latest may have.
    #[must_use]
    pub fn catch_up(&mut self, orders: &[OrderFact], zone: &Zone, grain: Grain) -> bool {
        if self.orders > orders.len() || orders[self.orders - 1] != self.latest {
            return false;
        }
        let (_, later) = orders.split_at(self.orders);
        // An order that came in between moves the latest to where it is no later than itself.
        if later
            .first()
            .is_some_and(|next| next.occurred_at <= self.latest.occurred_at)
        {
            return false;
        }
        for order in later {
            self.add(order, zone, grain);
        }
        true
    }

    /// True when the orders up to `now` are these.
    pub fn are_all_by(&self, now: Timestamp) -> bool {
        self.latest.occurred_at <= now
    }

    /// What models see of them on a day.
    pub fn seen_on(&self, today: CivilDate, unit: TimeUnit) -> PurchaseHistory {
        let age = |days: i32| f64::from(days) / unit.days();
        PurchaseHistory {
            x: self.x,
            t_x: age(self.last),
            t: age((today.0 - self.first.0).max(self.last)),
            repeat_spend_minor: self.repeat_spend_minor,
        }
    }
}

/// What the purchase and spend models see of a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PurchaseHistory {
    /// Repeat purchases: grains with an order, less one.
    pub x: u32,
    /// Age at the last purchase, 0 when there was no repeat.
    pub t_x: f64,
    /// Age at `now`.
    pub t: f64,
    /// Net revenue of the repeat purchases, in minor units.
    pub repeat_spend_minor: i64,
}

impl PurchaseHistory {
    /// Of the orders up to `now`; `None` when there are none.
    pub fn of(
        orders: &[OrderFact],
        zone: &Zone,
        (unit, grain): (TimeUnit, Grain),
        today: CivilDate,
    ) -> Option<Self> {
        Some(Purchases::of(orders, zone, grain)?.seen_on(today, unit))
    }

    /// Mean net revenue of a repeat purchase in minor units; `None` without repeats.
    pub fn mean_spend_minor(&self) -> Option<f64> {
        (self.x > 0).then(|| self.repeat_spend_minor as f64 / f64::from(self.x))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regulars_core::DAY_MS;

    use super::*;

    proptest! {
        #[test]
        fn one_order_after_the_other_is_all_at_once(
            gaps in proptest::collection::vec((0_i64..20, -50_i64..500), 1..20),
            known in 0_usize..20,
            late in any::<bool>(),
        ) {
            let mut at = 0;
            let mut orders: Vec<OrderFact> = gaps
                .iter()
                .map(|&(days, net_minor)| {
                    at += days * DAY_MS / 2;
                    OrderFact { occurred_at: Timestamp(at), net_minor }
                })
                .collect();
            let zone = Zone::utc();
            for grain in [Grain::Day, Grain::Week] {
                let Some(mut some) = Purchases::of(&orders[..known.min(orders.len())], &zone, grain)
                else {
                    continue;
                };
                if late {
                    orders.insert(0, OrderFact { occurred_at: Timestamp(-DAY_MS), net_minor: 7 });
                }
                let all = Purchases::of(&orders, &zone, grain);
                let took = some.catch_up(&orders, &zone, grain);
                prop_assert!(!took || Some(some) == all, "{some:?} {all:?}");
                prop_assert!(took || late || gaps.iter().any(|&(days, _)| days == 0));
            }
        }
    }
}
