//! The customers file: who people say they are. Guests are not in it.

mod name;
mod place;

use std::fmt;

use regulars_core::{CivilDate, Timestamp};

use crate::columns::columns;
use crate::life::Life;
use crate::random::{Dice, Stream};
use crate::{Channel, Country, CustomerType, Gender};

/// A person of the shop, from 0 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerNumber(pub u32);

impl fmt::Display for CustomerNumber {
    /// The id in files: from 1 on, with leading zeros, such as `00123`. An id of zeros alone names
    /// nobody.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05}", u64::from(self.0) + 1)
    }
}

columns! {
    /// Rows of the customers file, as columns.
    table Customers;
    /// A row of the customers file.
    row CustomerRow;
    /// Who; the id in files is its text.
    customer: CustomerNumber,
    /// E-mail address: one for each person, in a domain reserved for examples.
    email: String,
    /// Given name.
    first_name: String,
    /// Family name: put together from invented parts.
    last_name: String,
    /// Telephone number with a country code that no country has; four in ten gave one.
    phone: Option<String>,
    /// Street and number: invented.
    street: String,
    /// City.
    city: &'static str,
    /// State, province or county.
    region: &'static str,
    /// Country.
    country: Country,
    /// Postcode, out of the ranges that are given out.
    zip: String,
    /// Gender, where it was given.
    gender: Option<Gender>,
    /// Birthday, where it was given.
    birthday: Option<CivilDate>,
    /// Whether the shop may send messages.
    consent: bool,
    /// When the account was made.
    created_at: Timestamp,
    /// What brought the customer to the shop.
    channel: Channel,
}

/// The row of a customer who made an account at `created_at`.
pub(crate) fn customer_row(seed: u64, life: &Life, created_at: Timestamp) -> CustomerRow {
    let (mut dice, gender, name) = introduce(seed, life);
    let city = place::draw_city(life.country, &mut dice);
    let zip = place::draw_zip(life.country, &mut dice);
    let consenting = match life.customer_type {
        CustomerType::BasicsSubscriber | CustomerType::BargainHunter => 0.85,
        CustomerType::GiftBuyer | CustomerType::ElectronicsOneOff => 0.4,
        CustomerType::Prospect => 0.55,
        CustomerType::FashionRegular
        | CustomerType::FullPriceEnthusiast
        | CustomerType::Occasional
        | CustomerType::NewArrival
        | CustomerType::SlippingRegular
        | CustomerType::LapsedRegular
        | CustomerType::Reactivated
        | CustomerType::BulkBuyer => 0.65,
    };
    CustomerRow {
        customer: life.customer,
        email: name.email,
        first_name: name.first.to_owned(),
        last_name: name.last,
        phone: dice.chance(0.4).then(|| name::phone(life.customer)),
        street: name::draw_street(&mut dice),
        city: city.name,
        region: city.region,
        country: life.country,
        zip,
        gender: dice.chance(0.75).then_some(gender),
        birthday: draw_birthday(&mut dice, life.customer_type, created_at),
        consent: dice.chance(consenting),
        created_at,
        channel: life.first_channel,
    }
}

/// The e-mail address of a person, with or without an account.
pub(crate) fn email(seed: u64, life: &Life) -> String {
    introduce(seed, life).2.email
}

/// What is drawn first of a person, and the dice for the rest.
fn introduce(seed: u64, life: &Life) -> (Dice, Gender, name::Name) {
    let mut dice = Dice::new(seed, Stream::Person, u64::from(life.customer.0));
    let genders = match life.customer_type {
        CustomerType::FashionRegular | CustomerType::LapsedRegular => [68.0, 30.0, 2.0],
        CustomerType::ElectronicsOneOff | CustomerType::BulkBuyer => [32.0, 66.0, 2.0],
        CustomerType::GiftBuyer
        | CustomerType::BargainHunter
        | CustomerType::FullPriceEnthusiast
        | CustomerType::Occasional
        | CustomerType::NewArrival
        | CustomerType::SlippingRegular
        | CustomerType::Reactivated
        | CustomerType::BasicsSubscriber
        | CustomerType::Prospect => [54.0, 43.0, 3.0],
    };
    let gender = Gender::ALL[dice.pick(&genders)];
    let name = name::draw_name(life.customer, gender, &mut dice);
    (dice, gender, name)
}

/// Seven in ten tell their birthday; all are of age when they make their account.
fn draw_birthday(
    dice: &mut Dice,
    customer_type: CustomerType,
    created_at: Timestamp,
) -> Option<CivilDate> {
    let typical_age = match customer_type {
        CustomerType::NewArrival | CustomerType::BargainHunter => 31.0,
        CustomerType::FashionRegular | CustomerType::LapsedRegular | CustomerType::Prospect => 36.0,
        CustomerType::ElectronicsOneOff
        | CustomerType::Occasional
        | CustomerType::SlippingRegular
        | CustomerType::Reactivated
        | CustomerType::FullPriceEnthusiast => 41.0,
        CustomerType::BasicsSubscriber | CustomerType::BulkBuyer => 47.0,
        CustomerType::GiftBuyer => 55.0,
    };
    let age = (typical_age + 11.0 * dice.normal()).clamp(18.5, 88.0);
    let known = dice.chance(0.7);
    let created = created_at.whole_days_since(Timestamp(0)) as i32;
    known.then_some(CivilDate(created - (age * 365.25) as i32))
}
