//! Customers as anyone would work them out from the rows: slowly and plainly.

use std::collections::{BTreeMap, BTreeSet};

use regulars_core::{CivilDate, OrderStatus, Timestamp};
use regulars_shop::{Buyer, Channel, CustomerNumber, OrderLineRow, Shop};

/// An order that counts.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) at: Timestamp,
    pub(crate) date: CivilDate,
    pub(crate) net_minor: i64,
    pub(crate) discounted: Discounted,
    pub(crate) channel: Channel,
    pub(crate) lines: Vec<OrderLineRow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Discounted {
    Yes,
    No,
}

/// A customer with or without orders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Customer {
    pub(crate) orders: Vec<Order>,
}

impl Customer {
    pub(crate) fn revenue(&self) -> i64 {
        self.orders.iter().map(|order| order.net_minor).sum()
    }

    pub(crate) fn average_order(&self) -> f64 {
        self.revenue() as f64 / self.orders.len() as f64
    }

    pub(crate) fn discount_share(&self) -> f64 {
        let discounted = self
            .orders
            .iter()
            .filter(|o| o.discounted == Discounted::Yes)
            .count();
        discounted as f64 / self.orders.len() as f64
    }

    pub(crate) fn silent_days(&self, now: Timestamp) -> i64 {
        now.whole_days_since(self.orders[self.orders.len() - 1].at)
    }

    /// Days between each order and the next.
    pub(crate) fn gaps(&self) -> Vec<f64> {
        let days = |pair: &[Order]| (pair[1].at.0 - pair[0].at.0) as f64 / 86_400_000.0;
        self.orders.windows(2).map(days).collect()
    }

    /// Largest share of orders in three neighbouring months of the year.
    pub(crate) fn season_share(&self) -> f64 {
        let in_months = |first: u32| {
            let inside = |order: &&Order| (order.date.ymd().1 + 12 - first) % 12 < 3;
            self.orders.iter().filter(inside).count()
        };
        (1..=12)
            .map(in_months)
            .max()
            .expect("there are twelve months") as f64
            / self.orders.len() as f64
    }

    /// Quarters with orders of each year.
    pub(crate) fn quarters(&self) -> BTreeMap<i32, BTreeSet<u32>> {
        let mut quarters: BTreeMap<i32, BTreeSet<u32>> = BTreeMap::new();
        for order in &self.orders {
            let (year, month, _) = order.date.ymd();
            quarters.entry(year).or_default().insert((month - 1) / 3);
        }
        quarters
    }
}

/// Everybody who is in the customers file or has an order that counts.
pub(crate) fn customers(shop: &Shop) -> BTreeMap<CustomerNumber, Customer> {
    let mut customers: BTreeMap<CustomerNumber, Customer> = shop
        .customers()
        .customer
        .into_iter()
        .map(|number| (number, Customer::default()))
        .collect();
    let mut orders: BTreeMap<_, Vec<OrderLineRow>> = BTreeMap::new();
    for row in shop.order_lines().rows() {
        orders.entry(row.order).or_default().push(row);
    }
    for lines in orders.into_values() {
        let first = &lines[0];
        let (Buyer::Account(number) | Buyer::Guest(number)) = first.buyer else {
            panic!("a clean order without a buyer")
        };
        if first.status != OrderStatus::Placed {
            continue;
        }
        let net = |line: &OrderLineRow| {
            line.unit_price_minor * i64::from(line.quantity)
                - line.discount_minor
                - line.refunded_minor
        };
        let discounted = lines.iter().any(|line| line.discount_minor > 0);
        customers.entry(number).or_default().orders.push(Order {
            at: first.ordered_at,
            date: shop.options().zone.date_of(first.ordered_at),
            net_minor: lines.iter().map(net).sum(),
            discounted: if discounted {
                Discounted::Yes
            } else {
                Discounted::No
            },
            channel: first.channel,
            lines,
        });
    }
    customers
}

/// The end of the data.
pub(crate) fn now(shop: &Shop) -> Timestamp {
    shop.options().zone.end_of(shop.options().end)
}

/// Share of `all` for which `is` holds.
pub(crate) fn share<T>(all: impl IntoIterator<Item = T>, is: impl Fn(&T) -> bool) -> f64 {
    let (mut n, mut of) = (0_u32, 0_u32);
    for item in all {
        of += 1;
        n += u32::from(is(&item));
    }
    f64::from(n) / f64::from(of.max(1))
}
