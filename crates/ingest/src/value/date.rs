//! Dates and times, as programs and people write them.
//!
//! ```text
//! text   = [weekday [","]] date [("T" | " " | ",") time] | digits
//! date   = Y sep M sep D | D sep M sep Y | M sep D sep Y | D month Y | month D Y | Y month D
//! time   = h ":" m [":" s ["." fraction]] ["AM" | "PM"] ["Z" | "UTC" | ("+" | "-") h [":"] m]
//! digits = YYYYMMDD | YYYYMMDDhhmmss | seconds, milli-, micro- or nanoseconds since 1970
//! ```
//!
//! Whether `01/02/2024` is in January or February is the column's convention, never a guess.
//! Two-digit years are 1969 to 2068. Times without an offset are those of the workspace.

use regulars_core::{CivilDate, DAY_MS, HOUR_MS, Timestamp, Zone};

use super::month::{is_weekday, month};
use crate::{DateOrder, RejectReason, SerialDates};

/// Two-digit years below this are of the 2000s, the others of the 1900s (as POSIX has it).
const PIVOT: u32 = 69;

/// What a value says about the order of day and month in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateHint {
    /// No date.
    None,
    /// A date that says nothing: the year comes first, the month has a name, or both agree.
    Silent,
    /// Can be read in one way only.
    Only(DateOrder),
    /// Can be read in two ways; with dots between, day first is the custom.
    Either {
        /// Whether dots are between.
        dots: Dots,
    },
}

/// Whether a date is written with dots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dots {
    Yes,
    No,
}

/// Reads the dates of one column.
#[derive(Debug)]
pub(crate) struct DateReader<'z> {
    order: Option<DateOrder>,
    serial: SerialDates,
    zone: &'z Zone,
    /// The last text and what it was: neighbouring rows often agree.
    last: (String, Option<Timestamp>),
}

/// A date before its convention is known.
enum Written {
    Ymd(u32, u32, u32),
    /// Two numbers that are day and month, then the year.
    TwoOfThree(u32, u32, u32, Dots),
    /// Milliseconds since 1970, and whether on the clock of the workspace or in UTC.
    Local(i64),
    Instant(i64),
}

impl<'z> DateReader<'z> {
    pub(crate) fn new(order: Option<DateOrder>, serial: SerialDates, zone: &'z Zone) -> Self {
        Self {
            order,
            serial,
            zone,
            last: (String::new(), None),
        }
    }

    /// Reads a date; `None` for the zero dates that databases store for "none".
    pub(crate) fn read(&mut self, cell: &str) -> Result<Option<Timestamp>, RejectReason> {
        if self.last.0 == cell && !cell.is_empty() {
            return Ok(self.last.1);
        }
        let value = self.read_new(cell)?;
        self.last.0.clear();
        self.last.0.push_str(cell);
        self.last.1 = value;
        Ok(value)
    }

    fn read_new(&self, cell: &str) -> Result<Option<Timestamp>, RejectReason> {
        let (written, rest) = written(cell, self.serial)?;
        let date = match written {
            Written::Ymd(0, 0, 0) => return Ok(None),
            Written::Ymd(year, month, day) => civil(year, month, day)?,
            Written::TwoOfThree(0, 0, 0, _) => return Ok(None),
            Written::TwoOfThree(first, second, year, dots) => {
                self.ordered(first, second, year, dots)?
            }
            Written::Local(ms) => return Ok(Some(self.zone.instant_of(ms))),
            Written::Instant(ms) => return Ok(Some(Timestamp(ms))),
        };
        let midnight = i64::from(date.0) * DAY_MS;
        if rest.is_empty() {
            return Ok(Some(self.zone.instant_of(midnight)));
        }
        let (in_day, offset) = time(rest)?;
        let local = midnight + in_day;
        Ok(Some(match offset {
            Some(offset) => Timestamp(local - offset),
            None => self.zone.instant_of(local),
        }))
    }

    fn ordered(
        &self,
        first: u32,
        second: u32,
        year: u32,
        dots: Dots,
    ) -> Result<CivilDate, RejectReason> {
        let (order, expected) = match (self.order, dots) {
            (Some(DateOrder::Mdy), _) => (DateOrder::Mdy, "month/day/year"),
            (Some(DateOrder::Dmy), _) | (None, Dots::Yes) => (DateOrder::Dmy, "day/month/year"),
            (None, Dots::No) if first == second => (DateOrder::Dmy, "day/month/year"),
            (None, Dots::No) => return Err(RejectReason::UndecidedDateOrder),
        };
        let (day, month, other) = match order {
            DateOrder::Dmy => (first, second, civil(year, first, second)),
            DateOrder::Mdy => (second, first, civil(year, second, first)),
        };
        civil(year, month, day).map_err(|reason| match other {
            Ok(_) => RejectReason::OtherDateOrder { expected },
            Err(_) => reason,
        })
    }
}

fn written(cell: &str, serial: SerialDates) -> Result<(Written, &str), RejectReason> {
    if let Some(iso) = iso_date(cell.as_bytes()) {
        return Ok((iso, &cell[10..]));
    }
    if cell
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && cell.bytes().filter(|&byte| byte == b'.').count() <= 1
    {
        return Ok((digits(cell, serial)?, ""));
    }
    written_date(cell).ok_or(RejectReason::NotADate)
}

/// Digits without separators, told apart by their number.
fn digits(cell: &str, serial: SerialDates) -> Result<Written, RejectReason> {
    let (whole, fraction) = cell.split_once('.').unwrap_or((cell, ""));
    let number: i64 = whole.parse().map_err(|_| RejectReason::NotADate)?;
    Ok(match (whole.len(), fraction.len()) {
        (8, 0) => {
            let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
            Written::Ymd(year as u32, month as u32, day as u32)
        }
        (14, 0) => {
            let (date, in_day) = (number / 1_000_000, number % 1_000_000);
            let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
            let date = civil(year as u32, month as u32, day as u32)?;
            let clock = in_clock(in_day / 10_000, in_day / 100 % 100, in_day % 100)?;
            Written::Local(i64::from(date.0) * DAY_MS + clock)
        }
        (9 | 10, _) => Written::Instant(number * 1000 + thousandths(fraction)),
        (13, _) => Written::Instant(number),
        (16, _) => Written::Instant(number / 1000),
        (19, _) => Written::Instant(number / 1_000_000),
        (1..=7, _) => match serial {
            SerialDates::Excel => Written::Local(excel(cell)?),
            SerialDates::Refuse => return Err(RejectReason::BareNumber),
        },
        _ => return Err(RejectReason::BareNumber),
    })
}

/// What a value says about the order of day and month in its column.
pub(crate) fn date_hint(cell: &str) -> DateHint {
    let Ok((written, rest)) = written(cell, SerialDates::Refuse) else {
        return DateHint::None;
    };
    if !rest.is_empty() && time(rest).is_err() {
        return DateHint::None;
    }
    match written {
        Written::Ymd(0, 0, 0) => DateHint::Silent,
        Written::Ymd(year, month, day) => match civil(year, month, day) {
            Ok(_) => DateHint::Silent,
            Err(_) => DateHint::None,
        },
        Written::TwoOfThree(0, 0, 0, _) => DateHint::Silent,
        Written::TwoOfThree(first, second, year, dots) => {
            let day_first = civil(year, second, first).is_ok();
            let month_first = civil(year, first, second).is_ok();
            match (day_first, month_first) {
                (true, true) if first == second => DateHint::Silent,
                (true, true) => DateHint::Either { dots },
                (true, false) => DateHint::Only(DateOrder::Dmy),
                (false, true) => DateHint::Only(DateOrder::Mdy),
                (false, false) => DateHint::None,
            }
        }
        Written::Local(_) | Written::Instant(_) => DateHint::Silent,
    }
}

fn civil(year: u32, month: u32, day: u32) -> Result<CivilDate, RejectReason> {
    let year = i32::try_from(year).map_err(|_| RejectReason::NoSuchDay)?;
    let date = CivilDate::new(year, month, day).filter(|_| year >= 1);
    date.ok_or(RejectReason::NoSuchDay)
}

fn in_clock(hours: i64, minutes: i64, seconds: i64) -> Result<i64, RejectReason> {
    // A leap second is the last of its minute; 24:00 is the end of the day.
    let whole_day = hours == 24 && minutes == 0 && seconds == 0;
    if (hours > 23 && !whole_day) || minutes > 59 || seconds > 60 {
        return Err(RejectReason::NoSuchDay);
    }
    Ok(hours * HOUR_MS + minutes * 60_000 + seconds.min(59) * 1000)
}

/// The first three digits of a fraction of a second, as milliseconds.
fn thousandths(fraction: &str) -> i64 {
    let digits = fraction
        .bytes()
        .take_while(u8::is_ascii_digit)
        .chain(std::iter::repeat(b'0'));
    digits
        .take(3)
        .fold(0, |ms, digit| ms * 10 + i64::from(digit - b'0'))
}

/// A day number of a spreadsheet, as local milliseconds: days since 1899-12-30, to the second.
fn excel(cell: &str) -> Result<i64, RejectReason> {
    let days: f64 = cell.parse().map_err(|_| RejectReason::NotADate)?;
    if !(1.0..2_958_466.0).contains(&days) {
        return Err(RejectReason::NoSuchDay);
    }
    let seconds = (days * 86_400.0).round() as i64;
    Ok((seconds - 25_569 * 86_400) * 1000)
}

/// `YYYY-MM-DD` at the beginning, the common case.
fn iso_date(bytes: &[u8]) -> Option<Written> {
    let date = bytes.first_chunk::<10>()?;
    if bytes.get(10).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date else {
        return None;
    };
    let mut all = [y1, y2, y3, y4, m1, m2, d1, d2];
    for digit in &mut all {
        *digit = digit.wrapping_sub(b'0');
        if *digit > 9 {
            return None;
        }
    }
    let [y1, y2, y3, y4, m1, m2, d1, d2] = all.map(u32::from);
    Some(Written::Ymd(
        y1 * 1000 + y2 * 100 + y3 * 10 + y4,
        m1 * 10 + m2,
        d1 * 10 + d2,
    ))
}

/// A piece of a date: a number with its digits, or a word.
enum Piece {
    Number(u32, usize),
    Month(u32),
}

/// Reads a date with separators or a month's name; gives the text after it.
fn written_date(cell: &str) -> Option<(Written, &str)> {
    let mut rest = cell;
    if let Some((word, after)) = word(rest)
        && is_weekday(&word)
    {
        rest = after.trim_start_matches(['.', ',', ' ']);
    }
    let (first, after) = piece(rest)?;
    let (dots_one, after) = separator(after)?;
    let (second, after) = piece(after)?;
    let (dots_two, after) = separator(after)?;
    let (third, after) = piece(after)?;
    let dots = if dots_one && dots_two {
        Dots::Yes
    } else {
        Dots::No
    };
    let written = match (first, second, third) {
        (Piece::Number(y, 4), Piece::Number(m, 1 | 2), Piece::Number(d, 1 | 2)) => {
            Written::Ymd(y, m, d)
        }
        (Piece::Number(a, 1 | 2), Piece::Number(b, 1 | 2), Piece::Number(y, n @ (2 | 4))) => {
            Written::TwoOfThree(a, b, full_year(y, n), dots)
        }
        (Piece::Number(y, 4), Piece::Month(m), Piece::Number(d, 1 | 2))
        | (Piece::Number(d, 1 | 2), Piece::Month(m), Piece::Number(y, 4))
        | (Piece::Month(m), Piece::Number(d, 1 | 2), Piece::Number(y, 4)) => Written::Ymd(y, m, d),
        (Piece::Number(d, 1 | 2), Piece::Month(m), Piece::Number(y, 2))
        | (Piece::Month(m), Piece::Number(d, 1 | 2), Piece::Number(y, 2)) => {
            Written::Ymd(full_year(y, 2), m, d)
        }
        _ => return None,
    };
    Some((written, after))
}

fn full_year(year: u32, digits: usize) -> u32 {
    match digits {
        2 if year < PIVOT => 2000 + year,
        // 0 is left alone, for dates that are all zeros.
        2 => 1900 + year,
        _ => year,
    }
}

fn piece(text: &str) -> Option<(Piece, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 {
        let value = text.get(..digits.min(5))?.parse().ok()?;
        let after = &text[digits..];
        // `1st`, `2nd`, `3rd`, `4th`
        let after = ["st", "nd", "rd", "th"]
            .iter()
            .find_map(|end| after.strip_prefix(end))
            .unwrap_or(after);
        return Some((Piece::Number(value, digits), after));
    }
    let (word, after) = word(text)?;
    Some((Piece::Month(month(&word)?), after))
}

/// The letters at the beginning, in lower case, and what follows them.
fn word(text: &str) -> Option<(String, &str)> {
    let end = text
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_lowercase(), &text[end..]))
}

/// What stands between day, month and year; whether it is a dot.
fn separator(text: &str) -> Option<(bool, &str)> {
    let after = text.trim_start_matches(['-', '/', '.', ',', ' ']);
    let between = &text[..text.len() - after.len()];
    let known = matches!(
        between,
        "-" | "/" | "." | " " | ", " | ". " | "," | " - " | ".,"
    );
    known.then_some((between.starts_with('.'), after))
}

/// Milliseconds since midnight, and the offset from UTC when one is written.
fn time(text: &str) -> Result<(i64, Option<i64>), RejectReason> {
    parse_time(text).ok_or(RejectReason::NotADate)?
}

type Clock = Result<(i64, Option<i64>), RejectReason>;

fn parse_time(text: &str) -> Option<Clock> {
    let rest = text.trim_start_matches(['T', 't', ' ', ',']);
    if rest.len() == text.len() {
        return None;
    }
    let (hours, rest) = number_of(rest, 2)?;
    let (minutes, rest) = number_of(rest.strip_prefix(':')?, 2)?;
    let (mut seconds, mut ms, mut rest) = (0, 0, rest);
    if let Some(after) = rest.strip_prefix(':') {
        (seconds, rest) = number_of(after, 2)?;
        if let Some(fraction) = rest.strip_prefix(['.', ',']) {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return None;
            }
            ms = thousandths(fraction);
            rest = &fraction[digits..];
        }
    }
    let (hours, rest) = half_of_day(hours, rest.trim_start())?;
    let offset = offset(rest.trim_start())?;
    Some(in_clock(hours, minutes, seconds).map(|clock| (clock + ms, offset)))
}

/// A number of one to `most` digits.
fn number_of(text: &str, most: usize) -> Option<(i64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > most {
        return None;
    }
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

/// Hours from 0 to 23, with `AM` or `PM` applied.
fn half_of_day(hours: i64, text: &str) -> Option<(i64, &str)> {
    for (mark, later) in [("am", 0), ("a.m.", 0), ("pm", 12), ("p.m.", 12)] {
        let Some(head) = text.get(..mark.len()) else {
            continue;
        };
        if head.eq_ignore_ascii_case(mark) {
            let of_twelve = (1..=12).contains(&hours);
            return of_twelve.then(|| (hours % 12 + later, &text[mark.len()..]));
        }
    }
    Some((hours, text.strip_prefix("Uhr").unwrap_or(text)))
}

/// The offset from UTC in milliseconds; `Some(None)` when none is written.
fn offset(text: &str) -> Option<Option<i64>> {
    // A zone or its name in brackets may follow an offset: it repeats what the offset says.
    let text = text
        .find(['(', '['])
        .map_or(text, |at| text[..at].trim_end());
    let named = ["Z", "z", "UTC", "GMT"]
        .iter()
        .find_map(|name| text.strip_prefix(name));
    let rest = named.unwrap_or(text);
    if rest.is_empty() {
        return Some(named.map(|_| 0));
    }
    let (sign, digits) = match rest.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits, "0"),
        4 => digits.split_at_checked(2)?,
        5 => digits.split_once(':')?,
        _ => return None,
    };
    let (hours, _) = number_of(hours, 2).filter(|(_, rest)| rest.is_empty())?;
    let (minutes, _) = number_of(minutes, 2).filter(|(_, rest)| rest.is_empty())?;
    let real = hours <= 18 && minutes <= 59;
    real.then_some(Some(sign * (hours * HOUR_MS + minutes * 60_000)))
}

#[cfg(test)]
mod tests;
