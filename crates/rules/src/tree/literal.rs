//! The small parts of a tree: spans, exact decimal numbers, literals, lengths of time.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use regulars_core::{CalendarUnit, CivilDate, DAY_MS, HOUR_MS, Window, parse_minor};
use serde::{Deserialize, Serialize};

/// Bytes `start..end` of the text that a part of a tree was read from; empty at 0 for a tree that
/// was not read from text.
///
/// All spans are equal to each other, so that trees compare by what they say.
#[derive(Clone, Copy, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One after the last byte.
    pub end: usize,
}

impl Span {
    /// From `start` up to and without `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From the start of `self` to the end of `last`.
    pub fn to(self, last: Self) -> Self {
        Self {
            start: self.start,
            end: last.end,
        }
    }

    /// As a range of bytes.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// An exact decimal number: `digits · 10^−scale`, without trailing zeros after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    digits: i64,
    scale: u32,
}

/// A text that is no [`Decimal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Something else than digits, one point and a leading minus.
    #[error("not a number")]
    NotANumber,
    /// More than 18 digits.
    #[error("more than 18 digits")]
    TooLong,
}

impl Decimal {
    /// The whole number `value`.
    pub fn whole(value: i64) -> Self {
        Self {
            digits: value,
            scale: 0,
        }
    }

    /// Digits and scale: the number is `digits · 10^−scale`.
    pub fn parts(self) -> (i64, u32) {
        (self.digits, self.scale)
    }

    /// The number in units of `10^−scale`; `None` when it needs more digits or does not fit.
    pub fn scaled(self, scale: u32) -> Option<i64> {
        if self.scale > scale {
            return None;
        }
        parse_minor(&self.to_string(), scale).ok()
    }

    /// The nearest floating-point number.
    pub fn to_f64(self) -> f64 {
        self.shifted_to_f64(0)
    }

    /// The nearest floating-point number to a hundredth of it.
    pub fn percent_to_f64(self) -> f64 {
        self.shifted_to_f64(-2)
    }

    // The text is read once with its exponent, so that 0.1 % is the double nearest to 0.001 and
    // not a rounded quotient.
    fn shifted_to_f64(self, exponent: i32) -> f64 {
        f64::from_str(&format!("{self}e{exponent}")).expect("digits, point and exponent")
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (negative, body) = text
            .strip_prefix('-')
            .map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
        let digits = || whole.bytes().chain(fraction.bytes());
        if digits().next().is_none() || !digits().all(|b| b.is_ascii_digit()) {
            return Err(DecimalError::NotANumber);
        }
        let fraction = fraction.trim_end_matches('0');
        let whole = whole.trim_start_matches('0');
        if whole.len() + fraction.len() > 18 {
            return Err(DecimalError::TooLong);
        }
        let magnitude = whole
            .bytes()
            .chain(fraction.bytes())
            .fold(0_i64, |value, digit| value * 10 + i64::from(digit - b'0'));
        let digits = if negative { -magnitude } else { magnitude };
        Ok(Self {
            digits,
            scale: fraction.len() as u32,
        })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&regulars_core::format_minor(self.digits, self.scale))
    }
}

impl Serialize for Decimal {
    /// As a text, which keeps every digit: `"99.9"`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    /// From a text, or from a JSON number.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Whole(i64),
            Real(f64),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Text(text) => text,
            Written::Whole(value) => value.to_string(),
            Written::Real(value) => value.to_string(),
        };
        text.parse()
            .map_err(|error| serde::de::Error::custom(format!("`{text}` is {error}")))
    }
}

/// A value written in a rule, with its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Literal {
    /// The value.
    pub value: LiteralValue,
    /// Where it stood.
    #[serde(skip)]
    pub span: Span,
}

/// A value written in a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiteralValue {
    /// `3`, `99.90`; of money, major units of the workspace's currency.
    Number(Decimal),
    /// `60%`.
    Percent(Decimal),
    /// `'Shoes'`.
    Text(String),
    /// `true` or `false`.
    Flag(bool),
    /// `2026-01-01`: the whole day in the workspace's zone.
    #[serde(with = "super::json::date")]
    Date(CivilDate),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CompareOp {
    /// Equal.
    #[serde(rename = "=")]
    Equal,
    /// Different.
    #[serde(rename = "!=")]
    NotEqual,
    /// Less.
    #[serde(rename = "<")]
    Less,
    /// Less or equal.
    #[serde(rename = "<=")]
    AtMost,
    /// Greater.
    #[serde(rename = ">")]
    Greater,
    /// Greater or equal.
    #[serde(rename = ">=")]
    AtLeast,
}

impl CompareOp {
    /// As written in a rule.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// A day, with its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day {
    /// The day, in the workspace's zone.
    #[serde(with = "super::json::date")]
    pub date: CivilDate,
    /// Where it stood.
    #[serde(skip)]
    pub span: Span,
}

/// A unit of a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 1000 milliseconds.
    Seconds,
    /// 60 seconds.
    Minutes,
    /// 60 minutes.
    Hours,
    /// 24 hours.
    Days,
    /// 7 times 24 hours.
    Weeks,
}

impl Unit {
    /// All of them, the shortest first.
    pub const ALL: [Self; 5] = [
        Self::Seconds,
        Self::Minutes,
        Self::Hours,
        Self::Days,
        Self::Weeks,
    ];

    /// Milliseconds of one.
    pub fn ms(self) -> i64 {
        match self {
            Self::Seconds => 1000,
            Self::Minutes => HOUR_MS / 60,
            Self::Hours => HOUR_MS,
            Self::Days => DAY_MS,
            Self::Weeks => 7 * DAY_MS,
        }
    }

    /// In the plural.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
            Self::Weeks => "weeks",
        }
    }
}

/// A length of time: `60 days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Length {
    /// How many, at least 1.
    pub count: u32,
    /// Of what.
    pub unit: Unit,
}

impl Length {
    /// The longest that a rule may ask for.
    pub const MAX_DAYS: u32 = 36_500;

    /// In milliseconds.
    pub fn ms(self) -> i64 {
        i64::from(self.count) * self.unit.ms()
    }

    /// True from one second to [`Self::MAX_DAYS`].
    pub fn is_in_range(self) -> bool {
        self.count >= 1 && self.ms() <= i64::from(Self::MAX_DAYS) * DAY_MS
    }
}

/// A text that is no [`Length`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no length of time from 1 second to 36500 days, such as `2 hours`")]
pub struct LengthError;

impl FromStr for Length {
    type Err = LengthError;

    /// As rules write it: `2 hours`, `1 day`.
    fn from_str(text: &str) -> Result<Self, LengthError> {
        let (count, unit) = text.trim().split_once(' ').ok_or(LengthError)?;
        let named = |known: &Unit| {
            let name = known.name();
            unit == name || unit == name.trim_end_matches('s')
        };
        let unit = Unit::ALL.into_iter().find(named).ok_or(LengthError)?;
        let count = count.parse().map_err(|_| LengthError)?;
        let length = Self { count, unit };
        length.is_in_range().then_some(length).ok_or(LengthError)
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.unit.name();
        let name = if self.count == 1 {
            name.trim_end_matches('s')
        } else {
            name
        };
        write!(f, "{} {name}", self.count)
    }
}

/// A number of units of the calendar: `3 calendar months`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarLength {
    /// How many, the current one included, at least 1.
    pub count: u32,
    /// Of what.
    pub unit: CalendarUnit,
}

impl CalendarLength {
    /// True when neither empty nor longer than [`Length::MAX_DAYS`] or so.
    pub fn is_in_range(self) -> bool {
        let days = match self.unit {
            CalendarUnit::Days => 1,
            CalendarUnit::Weeks => 7,
            CalendarUnit::Months => 30,
            CalendarUnit::Quarters => 91,
            CalendarUnit::Years => 365,
        };
        self.count >= 1 && u64::from(self.count) * days <= u64::from(Length::MAX_DAYS)
    }
}

/// A span of time that ends at `now`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// `(now − length, now]`.
    Last(Length),
    /// The current unit of the calendar and those before it, this many in all, in the workspace's
    /// zone.
    LastCalendar(CalendarLength),
}

impl Period {
    /// The current day, week, month, quarter or year.
    pub fn current(unit: CalendarUnit) -> Self {
        Self::LastCalendar(CalendarLength { count: 1, unit })
    }

    /// The window that it means.
    pub fn window(self) -> Window {
        match self {
            Self::Last(length) => Window::Rolling { ms: length.ms() },
            Self::LastCalendar(CalendarLength { count, unit }) => Window::Calendar { count, unit },
        }
    }

    /// True when neither empty nor longer than [`Length::MAX_DAYS`].
    pub fn is_in_range(self) -> bool {
        match self {
            Self::Last(length) => length.is_in_range(),
            Self::LastCalendar(length) => length.is_in_range(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_they_are_written() {
        for text in ["2 seconds", "1 minute", "36 hours", "7 days", "3 weeks"] {
            assert_eq!(text.parse::<Length>().unwrap().to_string(), text);
        }
        for wrong in [
            "",
            "2",
            "hours",
            "0 days",
            "-1 days",
            "1.5 days",
            "36501 days",
            "1 month",
        ] {
            assert_eq!(wrong.parse::<Length>(), Err(LengthError), "{wrong}");
        }
    }
}
