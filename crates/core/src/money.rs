//! Money: integer minor units with a currency, never a float.

mod listed;

use std::fmt;

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// A text that is not a currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a currency: use a three-letter ISO 4217 code such as `EUR`")]
pub struct CurrencyError(pub String);

impl Currency {
    /// Takes a three-letter code, in either case.
    ///
    /// # Errors
    /// When `code` is not three ASCII letters.
    pub fn new(code: &str) -> Result<Self, CurrencyError> {
        match code.trim().as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_alphabetic) => {
                Ok(Self([a, b, c].map(|letter| letter.to_ascii_uppercase())))
            }
            _ => Err(CurrencyError(code.to_owned())),
        }
    }

    /// Takes the code of a currency that there is or was.
    ///
    /// # Errors
    /// When ISO 4217 has no such code.
    pub fn listed(code: &str) -> Result<Self, CurrencyError> {
        let currency = Self::new(code)?;
        match listed::is_listed(currency.code()) {
            true => Ok(currency),
            false => Err(CurrencyError(code.to_owned())),
        }
    }

    /// The code in capitals.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency code is three ASCII letters")
    }

    /// Digits after the decimal point: 2 for most, 0 for yen, 3 for dinars (ISO 4217, list one).
    pub fn exponent(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }

    /// Minor units in one major unit: 100 for most.
    pub fn minor_per_major(self) -> i64 {
        10_i64.pow(self.exponent())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;

    fn try_from(code: String) -> Result<Self, CurrencyError> {
        Self::new(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

/// An amount with its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units (cents).
    pub minor: i64,
    /// The currency of the amount.
    pub currency: Currency,
}

impl fmt::Display for Money {
    /// `1,234.50 EUR`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = format_minor(self.minor, self.currency.exponent());
        let (sign, digits) = plain
            .strip_prefix('-')
            .map_or(("", plain.as_str()), |d| ("-", d));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        f.write_str(sign)?;
        for (position, digit) in whole.chars().enumerate() {
            if position > 0 && (whole.len() - position).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        if !fraction.is_empty() {
            write!(f, ".{fraction}")?;
        }
        write!(f, " {}", self.currency)
    }
}

/// `minor` as a plain decimal number with `exponent` digits after the point: `-1234.50`.
pub fn format_minor(minor: i64, exponent: u32) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let magnitude = minor.unsigned_abs();
    if exponent == 0 {
        return format!("{sign}{magnitude}");
    }
    let scale = 10_u64.pow(exponent);
    let width = exponent as usize;
    format!("{sign}{}.{:0width$}", magnitude / scale, magnitude % scale)
}

/// Why a plain decimal number is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Something else than digits, one point and a leading sign.
    #[error("not a number")]
    NotANumber,
    /// Beyond what 64 bits of minor units hold.
    #[error("too large an amount")]
    TooLarge,
}

/// Reads a plain decimal number (`-1234.5`, point as decimal separator, no grouping) into minor
/// units of a currency with `exponent` digits; further digits are rounded half to even.
///
/// # Errors
/// When `text` is no such number, or does not fit.
pub fn parse_minor(text: &str, exponent: u32) -> Result<i64, AmountError> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let (mut value, mut seen_digit, mut decimals) = (0_i128, false, None::<u32>);
    // Digits beyond the exponent decide the rounding: the first of them, and whether any
    // later one is not zero.
    let (mut first_beyond, mut rest_beyond) = (0_u8, false);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                seen_digit = true;
                let digit = byte - b'0';
                match decimals {
                    Some(n) if n > exponent => rest_beyond |= digit != 0,
                    Some(n) if n == exponent => {
                        first_beyond = digit;
                        decimals = Some(n + 1);
                    }
                    _ => {
                        value = value * 10 + i128::from(digit);
                        decimals = decimals.map(|n| n + 1);
                        if value > i128::from(i64::MAX) {
                            return Err(AmountError::TooLarge);
                        }
                    }
                }
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return Err(AmountError::NotANumber),
        }
    }
    if !seen_digit {
        return Err(AmountError::NotANumber);
    }
    for _ in decimals.unwrap_or(0)..exponent {
        value *= 10;
    }
    let round_up = first_beyond > 5 || (first_beyond == 5 && (rest_beyond || value % 2 == 1));
    value += i128::from(round_up);
    i64::try_from(if negative { -value } else { value }).map_err(|_| AmountError::TooLarge)
}

/// `numerator` / `denominator` (positive), rounded half to even; an amount beyond 64 bits stops at
/// their end.
pub fn divide_half_even(numerator: i128, denominator: i128) -> i64 {
    let quotient = numerator.div_euclid(denominator);
    let rest = numerator.rem_euclid(denominator);
    let up = match (2 * rest).cmp(&denominator) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
        std::cmp::Ordering::Greater => true,
    };
    let rounded = quotient + i128::from(up);
    rounded.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_and_rounded_half_to_even() {
        let cases = [
            ("29.33", 2, 2933),
            ("-0.5", 2, -50),
            ("12", 2, 1200),
            ("12.", 2, 1200),
            (".5", 2, 50),
            ("1.005", 2, 100),
            ("1.015", 2, 102),
            ("1.0051", 2, 101),
            ("-1.005", 2, -100),
            ("1999", 0, 1999),
            ("1999.5", 0, 2000),
            ("1.2345", 3, 1234),
        ];
        for (text, exponent, minor) in cases {
            assert_eq!(parse_minor(text, exponent), Ok(minor), "{text}");
        }
        for text in ["", "-", ".", "1.2.3", "1,5", "abc", "1e5", "NaN"] {
            assert_eq!(parse_minor(text, 2), Err(AmountError::NotANumber), "{text}");
        }
        assert_eq!(
            parse_minor("99999999999999999999", 2),
            Err(AmountError::TooLarge)
        );
        assert_eq!(
            parse_minor("99999999999999999", 2),
            Err(AmountError::TooLarge)
        );
    }

    #[test]
    fn money_is_written_with_its_currency() {
        let show = |minor, code| {
            Money {
                minor,
                currency: Currency::new(code).unwrap(),
            }
            .to_string()
        };
        assert_eq!(show(123_450, "eur"), "1,234.50 EUR");
        assert_eq!(show(-5, "USD"), "-0.05 USD");
        assert_eq!(show(1_234_567, "JPY"), "1,234,567 JPY");
        assert_eq!(show(999, "KWD"), "0.999 KWD");
        assert!(Currency::new("EURO").is_err());
    }

    #[test]
    fn currencies_are_those_of_the_standard() {
        for code in ["EUR", "usd", "JPY", "DEM"] {
            assert!(Currency::listed(code).is_ok(), "{code}");
        }
        for code in ["XYZ", "EURO", "XAU", "AB C", ""] {
            assert!(Currency::listed(code).is_err(), "{code}");
        }
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let halves = [-3, -1, 1, 3, 5].map(|numerator| divide_half_even(numerator, 2));
        assert_eq!(halves, [-2, 0, 0, 2, 2]);
        let thirds = [-2, -1, 1, 2, 4].map(|numerator| divide_half_even(numerator, 3));
        assert_eq!(thirds, [-1, 0, 0, 1, 1]);
        assert_eq!(divide_half_even(i128::MIN / 4, 1), i64::MIN);
    }

    proptest::proptest! {
        #[test]
        fn written_amounts_read_back(minor: i64, exponent in 0_u32..4) {
            let minor = minor / 10_000;
            proptest::prop_assert_eq!(parse_minor(&format_minor(minor, exponent), exponent), Ok(minor));
        }
    }
}
