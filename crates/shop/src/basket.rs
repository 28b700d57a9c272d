//! What is in an order, and what becomes of it: a visit becomes the rows of its lines.
//!
//! A customer's orders are filled from one stream, in order of time, so that they depend on the
//! customer alone. What happens after the end of the data is not known yet: it leaves no trace.

use regulars_core::{Currency, DAY_MS, HOUR_MS, OrderStatus, Timestamp};

use crate::behaviour::MAX_LINES;
use crate::calendar::{Calendar, Sale};
use crate::life::{Account, Life};
use crate::order::{Buyer, OrderLineRow, OrderLines, OrderNumber};
use crate::product::{Assortment, CATEGORIES, Choice, minor_of_cents};
use crate::random::{Dice, Stream};
use crate::rhythm::{Place, Visit};
use crate::{Channel, Country, Coupon, Device, ProductNumber};

/// Orders of this value and more are sent free of charge; hundredths of a euro, as below.
const FREE_SHIPPING_CENTS: i64 = 6_000;
const SHIPPING_CENTS: i64 = 495;

/// Fills a customer's orders, one after the other.
#[derive(Debug)]
pub(crate) struct Baskets<'a> {
    life: &'a Life,
    assortment: &'a Assortment,
    calendar: &'a Calendar,
    currency: Currency,
    dice: Dice,
    placed: u32,
    /// Memory for the lines of one order.
    lines: Vec<Line>,
}

/// A price cut of an order.
#[derive(Debug, Clone, Copy)]
struct Cut {
    percent: i64,
    coupon: Option<Coupon>,
}

/// A line before it is known what becomes of the order.
#[derive(Debug, Clone, Copy)]
struct Line {
    product: ProductNumber,
    quantity: u32,
    unit_price_minor: i64,
    discount_minor: i64,
}

impl Line {
    fn net_minor(&self) -> i64 {
        self.unit_price_minor * i64::from(self.quantity) - self.discount_minor
    }
}

/// What became of an order by the end of the data.
#[derive(Debug)]
struct Fate {
    status: OrderStatus,
    cancelled_at: Option<Timestamp>,
    refunded_at: Option<Timestamp>,
    /// What went back for each line.
    refunded_minor: [i64; MAX_LINES as usize],
    updated_at: Timestamp,
}

impl<'a> Baskets<'a> {
    pub(crate) fn new(
        seed: u64,
        currency: Currency,
        life: &'a Life,
        assortment: &'a Assortment,
        calendar: &'a Calendar,
    ) -> Self {
        let dice = Dice::new(seed, Stream::Baskets, u64::from(life.customer.0));
        Self {
            life,
            assortment,
            calendar,
            currency,
            dice,
            placed: 0,
            lines: Vec::new(),
        }
    }

    /// Adds the lines of the customer's next order to `rows`.
    pub(crate) fn fill(&mut self, visit: Visit, rows: &mut OrderLines) {
        self.placed += 1;
        let ordered_at = self.calendar.instant(visit.moment);
        let channel = self.channel(visit.place);
        let device = self.device();
        let cut = self.cut(visit);
        let mut lines = std::mem::take(&mut self.lines);
        lines.clear();
        for _ in 0..visit.n_lines {
            let line = self.line(visit.moment.day, &lines, cut);
            lines.push(line);
        }
        let fate = self.fate(ordered_at, &lines);
        let total: i64 = lines.iter().map(Line::net_minor).sum();
        let free_from = minor_of_cents(FREE_SHIPPING_CENTS, self.currency);
        let shipping = if total >= free_from {
            0
        } else {
            minor_of_cents(SHIPPING_CENTS, self.currency)
        };
        let buyer = match self.life.account {
            Account::Since(_) => Buyer::Account(self.life.customer),
            Account::Guest => Buyer::Guest(self.life.customer),
        };
        for (position, line) in lines.iter().enumerate() {
            rows.push(OrderLineRow {
                order: OrderNumber {
                    customer: self.life.customer,
                    ordinal: self.placed,
                },
                line: position as u32 + 1,
                buyer,
                ordered_at,
                product: line.product,
                quantity: line.quantity,
                unit_price_minor: line.unit_price_minor,
                discount_minor: line.discount_minor,
                shipping_minor: if position == 0 { shipping } else { 0 },
                tax_minor: tax_minor(line.net_minor(), self.life.country),
                channel,
                country: self.life.country,
                device,
                coupon: cut.and_then(|cut| cut.coupon),
                status: fate.status,
                cancelled_at: fate.cancelled_at,
                refunded_minor: fate.refunded_minor[position],
                refunded_at: fate
                    .refunded_at
                    .filter(|_| fate.refunded_minor[position] > 0),
                updated_at: fate.updated_at,
            });
        }
        self.lines = lines;
    }

    fn channel(&mut self, place: Place) -> Channel {
        match place {
            Place::First => self.life.first_channel,
            Place::Back if self.dice.chance(0.7) => Channel::Email,
            Place::Back | Place::Later => {
                Channel::ALL[self.dice.pick(&self.life.behaviour().later_channels)]
            }
        }
    }

    fn device(&mut self) -> Device {
        if self.dice.chance(0.75) {
            return self.life.device;
        }
        Device::ALL[self.dice.pick(&self.life.behaviour().devices)]
    }

    /// Sales make a discount more probable, for those most who look for it.
    fn cut(&mut self, visit: Visit) -> Option<Cut> {
        let sale = self.calendar.sale(visit.moment.day);
        let usual = self.life.discounted;
        let probability = match (visit.place, sale) {
            (Place::First | Place::Back, _) => usual + 0.4 * usual * (1.0 - usual),
            (Place::Later, Sale::None) => usual,
            (Place::Later, Sale::EndOfSeason | Sale::BlackFriday) => {
                usual + 0.7 * usual * (1.0 - usual)
            }
        };
        if !self.dice.chance(probability) {
            return None;
        }
        if self.dice.chance(0.4) {
            let percent = *self.dice.one_of(&[10, 15, 20, 20, 25, 30, 40]);
            return Some(Cut {
                percent,
                coupon: None,
            });
        }
        let (percent, coupon) = match (visit.place, sale) {
            (Place::First, _) => (10, Coupon::Welcome10),
            (Place::Back, _) => (20, Coupon::Comeback20),
            (Place::Later, Sale::BlackFriday) => (30, Coupon::Black30),
            (Place::Later, Sale::EndOfSeason) => (20, Coupon::Sale20),
            (Place::Later, Sale::None) => (15, Coupon::News15),
        };
        Some(Cut {
            percent,
            coupon: Some(coupon),
        })
    }

    /// A line with a product that is not yet in the order, as far as four tries find one.
    fn line(&mut self, day: usize, before: &[Line], cut: Option<Cut>) -> Line {
        let mut product = self.product(day);
        for _ in 0..3 {
            if !before.iter().any(|line| line.product == product) {
                break;
            }
            product = self.product(day);
        }
        let quantity = self.quantity();
        let unit_price_minor = self.assortment.product(product).price_minor;
        let full = unit_price_minor * i64::from(quantity);
        let discount_minor = match cut {
            None => 0,
            // A code takes its share off everything; in a sale some things keep their price,
            // but not the first that was put into the basket.
            Some(cut) if cut.coupon.is_none() && !before.is_empty() && self.dice.chance(0.25) => 0,
            Some(cut) => (full * cut.percent + 50) / 100,
        };
        Line {
            product,
            quantity,
            unit_price_minor,
            discount_minor,
        }
    }

    fn product(&mut self, day: usize) -> ProductNumber {
        let behaviour = self.life.behaviour();
        let category = if self.dice.chance(0.45) {
            self.life.favourite_category
        } else {
            self.dice.pick(&behaviour.categories)
        };
        let band = self.dice.pick(&behaviour.price_bands);
        let latest = self.dice.chance(behaviour.wants_latest);
        let choice = if latest {
            Choice::Latest
        } else {
            Choice::Popular
        };
        let mut product = self
            .assortment
            .draw(category, band, day, choice, &mut self.dice);
        if self.dice.chance(behaviour.wants_brand) {
            for _ in 0..6 {
                if self
                    .assortment
                    .is_favourite(product, self.life.favourite_brand)
                {
                    break;
                }
                product =
                    self.assortment
                        .draw(category, band, day, Choice::Popular, &mut self.dice);
            }
        }
        product
    }

    fn quantity(&mut self) -> u32 {
        let most = self.life.behaviour().pieces;
        if most >= 5 {
            return 3 + self.dice.below(most - 2);
        }
        if self.dice.chance(0.88) {
            1
        } else {
            1 + self.dice.below(most)
        }
    }

    fn fate(&mut self, ordered_at: Timestamp, lines: &[Line]) -> Fate {
        let end = self.calendar.ends_at();
        let after = |ms: f64| ordered_at.plus_ms(ms as i64 / 1000 * 1000);
        let by_end = |at: Timestamp| (at <= end).then_some(at);
        let sent_at = after(self.dice.between(0.5, 3.0) * DAY_MS as f64);
        let mut fate = Fate {
            status: OrderStatus::Placed,
            cancelled_at: None,
            refunded_at: None,
            refunded_minor: [0; MAX_LINES as usize],
            updated_at: by_end(sent_at).unwrap_or(ordered_at),
        };
        if self.dice.chance(0.018) {
            let cancelled_at = after(self.dice.between(0.1, 20.0) * HOUR_MS as f64);
            if let Some(at) = by_end(cancelled_at) {
                fate.status = OrderStatus::Cancelled;
                fate.cancelled_at = Some(at);
                fate.updated_at = at;
            }
            return fate;
        }
        if self.dice.chance(0.06) && by_end(ordered_at.plus_ms(2 * DAY_MS)).is_none() {
            fate.status = OrderStatus::Unpaid;
            fate.updated_at = ordered_at;
            return fate;
        }
        let returns = self.life.behaviour().returns;
        let mut returned = [0; MAX_LINES as usize];
        for (line, back) in lines.iter().zip(&mut returned) {
            let rate = CATEGORIES[self.assortment.category_of(line.product)].returned;
            if self.dice.chance(rate * returns) {
                let pieces = 1 + i64::from(self.dice.below(line.quantity));
                *back = line.net_minor() * pieces / i64::from(line.quantity);
            }
        }
        if returned.iter().all(|&back| back == 0) {
            return fate;
        }
        let refunded_at = after(self.dice.between(5.0, 24.0) * DAY_MS as f64);
        if let Some(at) = by_end(refunded_at) {
            fate.refunded_at = Some(at);
            fate.refunded_minor = returned;
            fate.updated_at = at;
            if lines
                .iter()
                .zip(&returned)
                .all(|(line, &back)| back == line.net_minor())
            {
                fate.status = OrderStatus::Refunded;
            }
        }
        fate
    }
}

/// The usual rate of value-added tax, rounded half up.
fn tax_minor(net_minor: i64, country: Country) -> i64 {
    let permille = match country {
        Country::De => 190,
        Country::At | Country::Fr | Country::Gb => 200,
        Country::Ch => 81,
        Country::Nl | Country::Be | Country::Es => 210,
    };
    (net_minor * permille + 500) / 1000
}
