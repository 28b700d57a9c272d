//! What the user of the generator chooses, and what cannot be chosen.

use regulars_core::{CivilDate, Currency, Zone};

/// Size, time and place of a made-up shop.
#[derive(Debug, Clone, PartialEq)]
pub struct ShopOptions {
    /// Everything random follows from it.
    pub seed: u64,
    /// Number of people: with an account, prospects included, and the few who only order as
    /// guests.
    pub customers: u32,
    /// Total number of order lines to aim at (met within 3 % when there are some thousands);
    /// `None` for what comes of itself: about twenty per customer in three years.
    ///
    /// It scales the rate at which customers come back and nothing else.
    pub order_lines: Option<u64>,
    /// First day of the data.
    pub start: CivilDate,
    /// Last day of the data, included: what happened later is not known yet.
    pub end: CivilDate,
    /// The shop's zone: its customers sleep at night.
    pub zone: Zone,
    /// Currency of all amounts.
    pub currency: Currency,
    /// Whether the rows are as clean as the shop's own books.
    pub dirt: Dirt,
}

impl Default for ShopOptions {
    /// 2,000 customers over three years that hold three Christmas seasons, in Berlin, in euros.
    fn default() -> Self {
        let day = |y, m, d| CivilDate::new(y, m, d).expect("the default days are in the calendar");
        Self {
            seed: 7,
            customers: 2_000,
            order_lines: None,
            start: day(2023, 7, 1),
            end: day(2026, 6, 30),
            zone: Zone::named("Europe/Berlin").expect("the built-in database has Berlin"),
            currency: Currency::new("EUR").expect("the euro is a currency"),
            dirt: Dirt::None,
        }
    }
}

/// Whether rows have the faults that real exports have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dirt {
    /// No faults.
    #[default]
    None,
    /// A few rows in a hundred are repeated, incomplete or impossible; the others are the same
    /// as with [`Dirt::None`].
    Some,
}

/// A shop that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShopError {
    /// Choose another number of customers.
    #[error("a made-up shop needs at least one customer")]
    NoCustomers,
    /// Choose other days.
    #[error("`end` ({end}) lies before `start` ({start})")]
    EndBeforeStart {
        /// First day asked for.
        start: CivilDate,
        /// Last day asked for.
        end: CivilDate,
    },
    /// Choose another number of order lines, or of customers.
    #[error(
        "{customers} customers cannot have {asked} order lines in this time: between {least} and {most} are possible"
    )]
    OrderLinesOutOfReach {
        /// Customers asked for.
        customers: u32,
        /// Order lines asked for.
        asked: u64,
        /// What the first orders alone have.
        least: u64,
        /// What they would have with hundreds of orders each.
        most: u64,
    },
}
