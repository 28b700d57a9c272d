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

/// Days of history from which on a rhythm is known.
pub(crate) const KNOWN_AFTER_DAYS: i64 = 730;

/// When in the year a customer orders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rhythm {
    /// Largest share of the orders that lies in the same three neighbouring months of the year.
    pub(crate) season_share: f64,
    pub(crate) seasonal: bool,
    pub(crate) year_round: bool,
}

/// The rhythm at `now`; `None` with too little history.
pub(crate) fn of(customer: &Customer<'_>, now: Timestamp) -> Option<Rhythm> {
    let context = customer.context;
    let settings = &context.settings.season;
    let orders = customer.profile.orders_within(Timestamp::MIN, now);
    let first = orders.first()?.occurred_at;
    let known = context.population.has(DataNeed::TwoYears)
        && orders.len() >= settings.min_orders as usize
        && now.whole_days_since(first) >= KNOWN_AFTER_DAYS;
    if !known {
        return None;
    }
    let mut seasons = [Season::default(); 12];
    let mut years = Years::default();
    for order in orders {
        let (year, month, _) = context.date_of(order.occurred_at).ymd();
        years.add(year, month);
        let months = year * 12 + month as i32 - 1;
        // The three seasons that a month is in begin with it and with the two before it.
        for begin in [months, months - 1, months - 2] {
            seasons[begin.rem_euclid(12) as usize].add(begin.div_euclid(12));
        }
    }
    let share = |season: &Season| f64::from(season.orders) / orders.len() as f64;
    Some(Rhythm {
        season_share: seasons.iter().map(share).fold(0.0, f64::max),
        seasonal: seasons
            .iter()
            .any(|season| season.came_again && share(season) >= settings.seasonal_share),
        year_round: years.with_quarters(settings.year_round_quarters) >= 2,
    })
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
