//! The customers file: who people say they are. Guests are not in it.

use std::fmt;

use regulars_core::{CivilDate, Timestamp};

use crate::columns::columns;
use crate::{Channel, Country, Gender};

/// A person of the shop, from 0 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerNumber(pub u32);

impl fmt::Display for CustomerNumber {
    /// The id in files: with leading zeros, such as `00123`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05}", self.0)
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
