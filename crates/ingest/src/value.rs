//! From the text of a cell to a value: numbers, money, dates, statuses, yes and no.
//!
//! Each reader gets the convention of its column and never decides one. A cell that cannot be
//! read gives a reason.

mod currency;
mod date;
mod month;
mod number;
mod word;

pub(crate) use currency::{CurrencySign, currency_code};
pub(crate) use date::{DateHint, DateReader, Dots, date_hint};
pub(crate) use number::{
    NumberHint, currency_beside, float_to_minor, minor_units, number, number_hint, shortest_minor,
    small_float_to_minor,
};
pub(crate) use word::{
    StatusOf, flag, is_known_word, is_missing, is_missing_text, refund_status, status,
};
