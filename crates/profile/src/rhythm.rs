//! Seasonal and year-round shoppers.
//!
//! - **Known** of a customer with at least `season.min_orders` orders whose first order is at least
//!   730 days old: two years in which a season came twice and could be missed.
//! - **Seasonal**: at least `season.seasonal_share` of the orders lie in the same three neighbouring
//!   months of the year (December and January are neighbours), in at least two different years of
//!   that season. December to February is one season, whatever year the calendar shows in it: orders
//!   around one New Year are no season.
//! - **Year-round**: orders in at least `season.year_round_quarters` quarters of the year in each of at
//!   least two calendar years.
//!
//! The two do not exclude each other. Months, quarters and years are those of the workspace's zone.

use regulars_core::{DataNeed, Timestamp};

use crate::customer::Customer;
use crate::profile::OrderFact;

/// Days of history from which on a rhythm is known.
pub(crate) const KNOWN_AFTER_DAYS: i64 = 730;

/// Largest share of the orders that lies in the same three neighbouring months of the year; `None`
/// with too little history.
pub(crate) fn season_share(customer: &Customer<'_>, now: Timestamp) -> Option<f64> {
    let (seasons, orders) = seasons(customer, now)?;
    let shares = seasons.iter().map(|season| season.share_of(orders));
    Some(shares.fold(0.0, f64::max))
}

/// Whether the customer is seasonal; `None` with too little history.
pub(crate) fn is_seasonal(customer: &Customer<'_>, now: Timestamp) -> Option<bool> {
    let least = customer.context.settings.season.seasonal_share;
    let (seasons, orders) = seasons(customer, now)?;
    let is_one = |season: &Season| season.came_again && season.share_of(orders) >= least;
    Some(seasons.iter().any(is_one))
}

/// Whether the customer orders the year round; `None` with too little history.
pub(crate) fn is_year_round(customer: &Customer<'_>, now: Timestamp) -> Option<bool> {
    let orders = known_orders(customer, now)?;
    let quarters = customer.context.settings.season.year_round_quarters;
    if orders.len() < 2 * quarters as usize {
        return Some(false);
    }
    let mut years = Years::default();
    for order in orders {
        let (year, month, _) = customer.context.date_of(order.occurred_at).ymd();
        years.add(year, month);
    }
    Some(years.with_quarters(quarters) >= 2)
}

/// The orders up to `now`, if there are enough over a long enough time.
fn known_orders<'c>(customer: &Customer<'c>, now: Timestamp) -> Option<&'c [OrderFact]> {
    let context = customer.context;
    let orders = customer.profile.orders_within(Timestamp::MIN, now);
    let known = context.population.has(DataNeed::TwoYears)
        && orders.len() >= context.settings.season.min_orders as usize
        && now.whole_days_since(orders.first()?.occurred_at) >= KNOWN_AFTER_DAYS;
    known.then_some(orders)
}

/// The twelve seasons of a year by the month with which they begin, and the number of all orders.
fn seasons(customer: &Customer<'_>, now: Timestamp) -> Option<([Season; 12], usize)> {
    let orders = known_orders(customer, now)?;
    let mut seasons = [Season::default(); 12];
    for order in orders {
        let (year, month, _) = customer.context.date_of(order.occurred_at).ymd();
        // The three seasons that a month is in begin with it and with the two before it.
        let month = month as usize - 1;
        for back in 0..3 {
            if back <= month {
                seasons[month - back].add(year);
            } else {
                seasons[12 + month - back].add(year - 1);
            }
        }
    }
    Some((seasons, orders.len()))
}

/// Orders in the three months that begin with one month of the year.
#[derive(Debug, Clone, Copy, Default)]
struct Season {
    orders: u32,
    /// Year in which the season of the first order began.
    first_year: i32,
    /// True with orders in the seasons of two different years.
    came_again: bool,
}

impl Season {
    fn share_of(&self, orders: usize) -> f64 {
        f64::from(self.orders) / orders as f64
    }

    fn add(&mut self, year: i32) {
        if self.orders == 0 {
            self.first_year = year;
        }
        self.came_again |= year != self.first_year;
        self.orders += 1;
    }
}

/// Calendar years by how many of their quarters have an order. Orders come by time.
#[derive(Debug, Clone, Copy, Default)]
struct Years {
    year: i32,
    /// Quarters of `year` that have an order, one bit each.
    quarters: u8,
    /// How many earlier years have orders in exactly this many quarters.
    earlier: [u32; 5],
}

impl Years {
    fn add(&mut self, year: i32, month: u32) {
        if year != self.year {
            self.earlier[self.quarters.count_ones() as usize] += 1;
            (self.year, self.quarters) = (year, 0);
        }
        self.quarters |= 1 << ((month - 1) / 3);
    }

    /// Years with orders in at least so many quarters.
    fn with_quarters(&self, least: u32) -> u32 {
        let earlier = self
            .earlier
            .iter()
            .zip(0..)
            .filter(|&(_, quarters)| quarters >= least);
        let earlier: u32 = earlier.map(|(years, _)| years).sum();
        earlier + u32::from(self.quarters.count_ones() >= least)
    }
}
