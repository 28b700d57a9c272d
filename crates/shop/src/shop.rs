//! The shop: what is common to all its customers, and the ways to have its rows.

use std::ops::Range;

use crate::basket::Baskets;
use crate::calendar::{Calendar, SeasonTime};
use crate::customer::{customer_row, email};
use crate::dirt::{push_customer, spoil_orders};
use crate::life::{Account, Life, season_times};
use crate::product::Assortment;
use crate::rate::{ExpectedLines, corrected};
use crate::rhythm::Rhythm;
use crate::spend::{Arrivals, ad_spend};
use crate::{
    AdSpend, CustomerNumber, CustomerType, Customers, Dirt, OrderLines, Product, ShopError,
    ShopOptions, SpendGrain,
};

/// Customers whose expected orders are added up to find the common rate: enough for half a per
/// cent, and few enough not to wait for.
const CUSTOMERS_FOR_RATE: u32 = 200_000;
/// Up to so many customers the rate is corrected by counting what it gives.
const CUSTOMERS_TO_COUNT: u32 = 20_000;

/// A made-up shop. Rows are made when they are asked for, so that memory is that of the chunk in
/// hand. It can be shared by threads.
#[derive(Debug)]
pub struct Shop {
    options: ShopOptions,
    calendar: Calendar,
    seasons: Vec<SeasonTime>,
    assortment: Assortment,
    order_rate: f64,
}

impl Shop {
    /// Makes the shop.
    ///
    /// # Errors
    /// When there is no such shop: no customer, no day, or more or fewer order lines than its
    /// customers can have.
    pub fn new(options: ShopOptions) -> Result<Self, ShopError> {
        if options.customers == 0 {
            return Err(ShopError::NoCustomers);
        }
        if options.end < options.start {
            return Err(ShopError::EndBeforeStart {
                start: options.start,
                end: options.end,
            });
        }
        let calendar = Calendar::new(options.start, options.end, options.zone.clone());
        let seasons = season_times(&calendar);
        let assortment = Assortment::new(options.seed, &calendar, options.currency);
        let target = options.order_lines;
        let mut shop = Self {
            options,
            calendar,
            seasons,
            assortment,
            order_rate: 1.0,
        };
        if let Some(target) = target {
            shop.order_rate = shop.rate_for(target)?;
        }
        Ok(shop)
    }

    /// What the shop was made from.
    pub fn options(&self) -> &ShopOptions {
        &self.options
    }

    /// By what the rates of coming back are multiplied to meet [`ShopOptions::order_lines`]; 1
    /// without such a target.
    pub fn order_rate(&self) -> f64 {
        self.order_rate
    }

    /// All products, those that are launched during the data included.
    pub fn products(&self) -> &[Product] {
        &self.assortment.products
    }

    /// All customers in ranges of `size` (the last may be shorter): each is one chunk of work
    /// for [`Shop::fill_customers`] and [`Shop::fill_order_lines`].
    pub fn chunks(&self, size: u32) -> impl Iterator<Item = Range<u32>> + use<> {
        let (customers, size) = (self.options.customers, size.max(1));
        (0..customers.div_ceil(size)).map(move |chunk| {
            let first = chunk * size;
            first..first.saturating_add(size).min(customers)
        })
    }

    /// Replaces `rows` by the customers of the range who have an account.
    pub fn fill_customers(&self, range: Range<u32>, rows: &mut Customers) {
        rows.clear();
        let seed = self.options.seed;
        for number in range {
            let life = self.life(CustomerNumber(number));
            let Account::Since(created_at) = life.account else {
                continue;
            };
            let row = customer_row(seed, &life, created_at);
            match self.options.dirt {
                Dirt::None => rows.push(row),
                Dirt::Some => push_customer(seed, row, rows),
            }
        }
    }

    /// Replaces `rows` by the order lines of the customers of the range, in the order of
    /// customers and, for each, of time.
    pub fn fill_order_lines(&self, range: Range<u32>, rows: &mut OrderLines) {
        rows.clear();
        let seed = self.options.seed;
        for number in range {
            let customer = CustomerNumber(number);
            let life = self.life(customer);
            let first = rows.len();
            let mut baskets = Baskets::new(
                seed,
                self.options.currency,
                &life,
                &self.assortment,
                &self.calendar,
            );
            for visit in Rhythm::new(seed, self.order_rate, &life, &self.seasons) {
                baskets.fill(visit, rows);
            }
            match self.options.dirt {
                Dirt::None => {}
                Dirt::Some => spoil_orders(seed, customer, first, self.products().len(), rows),
            }
        }
    }

    /// All customers who have an account: for small shops.
    pub fn customers(&self) -> Customers {
        let mut rows = Customers::default();
        self.fill_customers(0..self.options.customers, &mut rows);
        rows
    }

    /// All order lines, by customer: for small shops.
    pub fn order_lines(&self) -> OrderLines {
        let mut rows = OrderLines::default();
        self.fill_order_lines(0..self.options.customers, &mut rows);
        rows
    }

    /// All order lines, oldest order first, as a shop's own export has them: for small shops,
    /// because all of them are in memory.
    pub fn order_lines_by_time(&self) -> OrderLines {
        let rows = self.order_lines();
        let mut positions: Vec<usize> = (0..rows.len()).collect();
        positions.sort_by_key(|&at| (rows.ordered_at[at], rows.order[at]));
        rows.select(&positions)
    }

    /// The ad spend file, by date, channel and campaign.
    pub fn ad_spend(&self, grain: SpendGrain) -> Vec<AdSpend> {
        let mut arrivals = Arrivals::none(&self.calendar);
        for number in 0..self.options.customers {
            let life = self.life(CustomerNumber(number));
            if let Some(first) = life.spans[0] {
                let season = &self.seasons[life.behaviour().season as usize];
                arrivals.add(season.moment(first.from).day, life.first_channel);
            }
        }
        ad_spend(
            self.options.seed,
            self.options.currency,
            &self.calendar,
            &arrivals,
            grain,
        )
    }

    /// The e-mail address of a person, with or without an account.
    pub fn email(&self, customer: CustomerNumber) -> String {
        email(self.options.seed, &self.life(customer))
    }

    /// The hidden type of a person. It is in no file.
    pub fn truth(&self, customer: CustomerNumber) -> CustomerType {
        self.life(customer).customer_type
    }

    /// The common rate at which the shop has about `target` order lines.
    fn rate_for(&self, target: u64) -> Result<f64, ShopError> {
        let customers = self.options.customers;
        let sample = customers.min(CUSTOMERS_FOR_RATE);
        let mut expected = ExpectedLines::default();
        for number in 0..sample {
            expected.add(&self.life(CustomerNumber(number)));
        }
        let whole = f64::from(customers) / f64::from(sample);
        let (least, most) = expected.reach();
        let asked = target as f64 / whole;
        if asked < least || asked > most {
            return Err(ShopError::OrderLinesOutOfReach {
                customers,
                asked: target,
                least: libm::ceil(least * whole) as u64,
                most: libm::floor(most * whole) as u64,
            });
        }
        let rate = expected.rate_for(asked);
        if customers > CUSTOMERS_TO_COUNT {
            return Ok(rate);
        }
        Ok(corrected(rate, asked, least, |rate| self.count_lines(rate)))
    }

    fn count_lines(&self, order_rate: f64) -> u64 {
        let of_customer = |number| {
            let life = self.life(CustomerNumber(number));
            let visits = Rhythm::new(self.options.seed, order_rate, &life, &self.seasons);
            visits.map(|visit| u64::from(visit.n_lines)).sum::<u64>()
        };
        (0..self.options.customers).map(of_customer).sum()
    }

    fn life(&self, customer: CustomerNumber) -> Life {
        Life::draw(self.options.seed, customer, &self.calendar, &self.seasons)
    }
}
