//! Numbers and amounts of money, as people and programs write them.
//!
//! Amounts go from digits to minor units without a float in between. Which of `,` and `.` is
//! the decimal separator is a decision about a column ([`number_hint`] gathers what its values
//! say); a value that contradicts it is refused.

use regulars_core::{AmountError, Currency, parse_minor};

use super::CurrencySign;
use crate::{DecimalMark, RejectReason};

/// What a value says about the separators of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberHint {
    /// No number.
    None,
    /// A number without `,` and `.`.
    Plain,
    /// Can be read in one way only.
    Only(DecimalMark),
    /// `1,234` or `1.234`: thousands or decimals.
    Either,
}

/// The parts of a written number.
struct Parts<'a> {
    negative: bool,
    /// Digits and separators.
    core: &'a str,
    exponent: i32,
    sign: Option<CurrencySign>,
}

/// Reads an amount into minor units of `currency`, with `exponent` decimal digits.
pub(crate) fn minor_units(
    cell: &str,
    mark: Option<DecimalMark>,
    exponent: u32,
    currency: Currency,
) -> Result<i64, RejectReason> {
    if let Some(minor) = simple_amount(cell.as_bytes(), mark, exponent) {
        return Ok(minor);
    }
    let parts = parts(cell).ok_or(RejectReason::NotANumber)?;
    if let Some(found) = parts.sign.and_then(|sign| sign.unless(currency)) {
        return Err(RejectReason::OtherCurrency {
            found,
            expected: currency,
        });
    }
    let plain = plain(&parts, mark)?;
    parse_minor(&plain, exponent).map_err(|error| match error {
        AmountError::NotANumber => RejectReason::NotANumber,
        AmountError::TooLarge => RejectReason::TooLarge,
    })
}

/// The common case: digits, perhaps a minus, perhaps one separator and no more decimals than
/// the currency has. `None` for anything else.
fn simple_amount(cell: &[u8], mark: Option<DecimalMark>, exponent: u32) -> Option<i64> {
    let point = match mark {
        Some(DecimalMark::Point) => b'.',
        Some(DecimalMark::Comma) => b',',
        None => 0,
    };
    let (negative, digits) = match cell {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // 15 digits and 3 decimals fit into 64 bits.
    if digits.is_empty() || digits.len() > 15 || !digits[0].is_ascii_digit() {
        return None;
    }
    let (mut value, mut decimals) = (0_i64, None::<u32>);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + i64::from(byte - b'0');
                decimals = decimals.map(|n| n + 1);
            }
            _ if byte == point && decimals.is_none() => decimals = Some(0),
            _ => return None,
        }
    }
    let missing = exponent.checked_sub(decimals.unwrap_or(0))?;
    let minor = value.checked_mul(10_i64.checked_pow(missing)?)?;
    Some(if negative { -minor } else { minor })
}

/// Reads a number.
pub(crate) fn number(cell: &str, mark: Option<DecimalMark>) -> Result<f64, RejectReason> {
    if let Some(whole) = simple_amount(cell.as_bytes(), None, 0) {
        return Ok(whole as f64);
    }
    let parts = parts(cell).ok_or(RejectReason::NotANumber)?;
    let value: f64 = plain(&parts, mark)?
        .parse()
        .map_err(|_| RejectReason::NotANumber)?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(RejectReason::TooLarge)
    }
}

/// What a value says about the separators of its column.
pub(crate) fn number_hint(cell: &str) -> NumberHint {
    let Some(parts) = parts(cell) else {
        return NumberHint::None;
    };
    let core = parts.core;
    if !core.contains([',', '.']) {
        let plain = plain(&parts, None).is_ok();
        return if plain {
            NumberHint::Plain
        } else {
            NumberHint::None
        };
    }
    let read = |mark| plain(&parts, Some(mark)).is_ok();
    match (read(DecimalMark::Point), read(DecimalMark::Comma)) {
        (true, false) => NumberHint::Only(DecimalMark::Point),
        (false, true) => NumberHint::Only(DecimalMark::Comma),
        (true, true) => NumberHint::Either,
        (false, false) => NumberHint::None,
    }
}

/// The currency that is written beside a number.
pub(crate) fn currency_beside(cell: &str) -> Option<CurrencySign> {
    if cell
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'-'))
    {
        return None;
    }
    parts(cell)?.sign
}

fn parts(cell: &str) -> Option<Parts<'_>> {
    let first = cell.find(|c: char| c.is_ascii_digit())?;
    // A decimal separator may come first: `.5`.
    let first = match cell[..first].chars().next_back() {
        Some('.' | ',') if !ends_with_letter(&cell[..first - 1]) => first - 1,
        _ => first,
    };
    let last = cell.rfind(|c: char| c.is_ascii_digit())? + 1;
    // A separator without decimals may come last: `12.`.
    let last = match cell.as_bytes().get(last) {
        Some(b'.' | b',') => last + 1,
        _ => last,
    };
    let (before, after) = (cell.get(..first)?, cell.get(last..)?);
    let (after, no_cents) = without_cents(cell.get(first..last)?, after);
    let (core, exponent) = split_exponent(cell.get(first..last)?)?;
    let mut negative = false;
    let mut parenthesis = 0;
    let mut take_sign = |text: &str| {
        let mut rest = String::new();
        for c in text.chars() {
            match c {
                '-' | '\u{2212}' if !negative => negative = true,
                '(' if parenthesis == 0 => parenthesis = 1,
                ')' if parenthesis == 1 => parenthesis = 2,
                '+' => {}
                c if c.is_whitespace() => {}
                c => rest.push(c),
            }
        }
        rest
    };
    let (before, after) = (take_sign(before), take_sign(after));
    if parenthesis == 1 || (parenthesis == 2 && negative) {
        return None;
    }
    let sign = match (before.as_str(), after.as_str()) {
        ("", "") => None,
        (sign, "") | ("", sign) => Some(CurrencySign::of(sign)?),
        // `$12.00 USD`
        (sign, code) => CurrencySign::of(sign).and(CurrencySign::of(code)),
    };
    let sign = sign.or(no_cents);
    if sign.is_none() && !(before.is_empty() && after.is_empty()) {
        return None;
    }
    Some(Parts {
        negative: negative || parenthesis == 2,
        core,
        exponent,
        sign,
    })
}

/// Takes what stands for no cents off the text after a number: the dash of `19,-`, `19.–` and
/// `19,--`, which is no minus, and the `:-` of crowns, which says the currency as well.
fn without_cents<'t>(core: &str, after: &'t str) -> (&'t str, Option<CurrencySign>) {
    if core.ends_with(['.', ',']) {
        let dashes = [
            '-', '\u{2010}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}',
        ];
        return (after.trim_start_matches(dashes), None);
    }
    match after.strip_prefix(":-") {
        Some(rest) if !rest.starts_with('-') => (rest, Some(CurrencySign::CROWNS)),
        Some(_) | None => (after, None),
    }
}

fn ends_with_letter(text: &str) -> bool {
    text.chars().next_back().is_some_and(char::is_alphabetic)
}

/// Takes `E5` off `1.5E5`; `None` when there is something else than a small whole number.
fn split_exponent(core: &str) -> Option<(&str, i32)> {
    match core.find(['e', 'E']) {
        None => Some((core, 0)),
        Some(at) => {
            let exponent: i32 = core[at + 1..].parse().ok()?;
            (exponent.abs() <= 30).then_some((&core[..at], exponent))
        }
    }
}

/// The number as plain digits with a point: `-1234.5`.
fn plain(parts: &Parts<'_>, mark: Option<DecimalMark>) -> Result<String, RejectReason> {
    let (whole, fraction) = match mark {
        None if parts.core.contains([',', '.']) => return Err(RejectReason::UndecidedSeparator),
        None => (parts.core, ""),
        Some(DecimalMark::Point) => parts.core.split_once('.').unwrap_or((parts.core, "")),
        Some(DecimalMark::Comma) => parts.core.split_once(',').unwrap_or((parts.core, "")),
    };
    let refuse = || match mark {
        _ if !parts
            .core
            .chars()
            .all(|c| c.is_ascii_digit() || ",.".contains(c) || is_group(c)) =>
        {
            RejectReason::NotANumber
        }
        Some(DecimalMark::Point) => RejectReason::OtherSeparator { expected: "point" },
        Some(DecimalMark::Comma) => RejectReason::OtherSeparator { expected: "comma" },
        None => RejectReason::NotANumber,
    };
    let mut digits = ungrouped(whole, mark).ok_or_else(refuse)?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refuse());
    }
    if digits.is_empty() && fraction.is_empty() {
        return Err(RejectReason::NotANumber);
    }
    shift(&mut digits, fraction, parts.exponent);
    if parts.negative {
        digits.insert(0, '-');
    }
    Ok(digits)
}

fn is_group(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\'' | '\u{2019}')
}

/// The digits of a whole number whose groups are separated; `None` unless they are groups: one
/// separator, three digits in the last group and two or three in the others (as in India).
fn ungrouped(whole: &str, mark: Option<DecimalMark>) -> Option<String> {
    let separates = |c: char| match mark {
        _ if is_group(c) => true,
        Some(DecimalMark::Point) => c == ',',
        Some(DecimalMark::Comma) => c == '.',
        None => false,
    };
    let Some(separator) = whole.chars().find(|&c| separates(c)) else {
        return whole
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| whole.to_owned());
    };
    let groups: Vec<&str> = whole.split(separator).collect();
    let last = groups.len() - 1;
    for (position, group) in groups.iter().enumerate() {
        let length = match position {
            0 => 1..=3,
            _ if position == last => 3..=3,
            _ => 2..=3,
        };
        if !length.contains(&group.len()) || !group.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
    }
    // `0,125` is no thousand.
    let leading_zero = groups[0].starts_with('0');
    (!leading_zero).then(|| groups.concat())
}

/// Puts whole and fraction together, with the point moved by `exponent` digits.
fn shift(digits: &mut String, fraction: &str, exponent: i32) {
    let point = digits.len() as i32 + exponent;
    digits.push_str(fraction);
    if point < 0 {
        digits.insert_str(0, &"0".repeat(point.unsigned_abs() as usize));
    }
    let point = point.max(0) as usize;
    while digits.len() < point {
        digits.push('0');
    }
    if point < digits.len() {
        digits.insert(point, '.');
    }
}

/// A float as minor units: the amount that its shortest decimal form says, rounded half to even.
pub(crate) fn float_to_minor(value: f64, exponent: u32) -> Result<i64, RejectReason> {
    let scaled = value * f64::from(10_u32.pow(exponent));
    if !scaled.is_finite() || scaled.abs() >= 9_007_199_254_740_992.0 {
        return Err(RejectReason::TooLarge);
    }
    let rounded = scaled.round_ties_even();
    // So near a whole number of minor units that only the float's own error lies between.
    if (scaled - rounded).abs() <= scaled.abs() * 1e-15 + 1e-12 {
        return Ok(rounded as i64);
    }
    shortest_minor(&format!("{value}"), exponent)
}

/// As [`float_to_minor`], of a float of 32 bits, whose shortest form is shorter.
pub(crate) fn small_float_to_minor(value: f32, exponent: u32) -> Result<i64, RejectReason> {
    if !value.is_finite() || value.abs() >= 16_777_216.0 {
        return Err(RejectReason::TooLarge);
    }
    shortest_minor(&format!("{value}"), exponent)
}

/// A plain decimal number as minor units.
pub(crate) fn shortest_minor(text: &str, exponent: u32) -> Result<i64, RejectReason> {
    parse_minor(text, exponent).map_err(|error| match error {
        AmountError::NotANumber => RejectReason::NotANumber,
        AmountError::TooLarge => RejectReason::TooLarge,
    })
}

#[cfg(test)]
mod tests;
