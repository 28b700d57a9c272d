//! Instants as clients write them, and the error of the client's clock taken out of them.

use regulars_core::{CivilDate, DAY_MS, HOUR_MS, Timestamp, Zone};

use super::TimeSource;
use super::json::Raw;
use crate::SerialDates;
use crate::value::DateReader;

const MINUTE_MS: i64 = 60_000;

/// Reads an instant: any date of ISO 8601 (calendar, week or ordinal, with or without
/// separators, whole or cut short) with or without a time and an offset; seconds, milli-, micro-
/// or nanoseconds since 1970; what JavaScript and e-mail write. Without an offset it is UTC.
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    iso(text).or_else(|| {
        let zone = Zone::utc();
        let mut reader = DateReader::new(None, SerialDates::Refuse, &zone);
        reader.read(text).ok().flatten()
    })
}

/// As [`instant`], of a JSON value; `None` for what is none.
pub(super) fn instant_of(value: Raw<'_>) -> Option<Timestamp> {
    if !value.is_number() {
        return instant(&value.text()?);
    }
    let number: f64 = value.0.parse().ok()?;
    let ms = match number.abs() {
        size if size >= 1e20 => return None,
        size if size >= 1e17 => number / 1e6,
        size if size >= 1e14 => number / 1e3,
        size if size >= 1e11 => number,
        size if size >= 1e8 => number * 1e3,
        _ => return None,
    };
    Some(Timestamp(ms as i64))
}

/// When an event happened, by what its client said and when it arrived.
///
/// With `sent_at` the client's clock is corrected: `received_at − (sent_at − original)`. Without
/// it the client is believed; without any time it happened when it arrived. One that would have
/// happened more than `ahead_ms` after it arrived happened when it arrived.
pub(super) fn occurred_at(
    original: Option<Timestamp>,
    sent_at: Option<Timestamp>,
    received_at: Timestamp,
    ahead_ms: i64,
) -> (Timestamp, TimeSource) {
    let (at, source) = match (original, sent_at) {
        (Some(original), Some(sent)) => {
            let age = sent.0.saturating_sub(original.0);
            (
                received_at.plus_ms(age.saturating_neg()),
                TimeSource::Corrected,
            )
        }
        (Some(original), None) => (original, TimeSource::Client),
        (None, _) => (received_at, TimeSource::Arrival),
    };
    if at > received_at.plus_ms(ahead_ms.max(0)) {
        (received_at, TimeSource::Future)
    } else {
        (at, source)
    }
}

fn iso(text: &str) -> Option<Timestamp> {
    let mut reading = Reading(text.as_bytes());
    let date = reading.date()?;
    let midnight = date.checked_mul(DAY_MS)?;
    if reading.0.is_empty() {
        return Some(Timestamp(midnight));
    }
    if !(reading.take(b'T') || reading.take(b't') || reading.take(b' ')) {
        return None;
    }
    let in_day = reading.time()?;
    let offset = reading.offset()?;
    Some(Timestamp(midnight + in_day - offset))
}

/// What is still to be read of a text.
struct Reading<'t>(&'t [u8]);

impl Reading<'_> {
    fn take(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn digits(&self) -> usize {
        self.0.iter().take_while(|b| b.is_ascii_digit()).count()
    }

    /// A number of between `least` and `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let digits = self.digits().min(most);
        if digits < least {
            return None;
        }
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        Some(
            number
                .iter()
                .fold(0, |sum, b| sum * 10 + i64::from(b - b'0')),
        )
    }

    /// Days since 1970.
    fn date(&mut self) -> Option<i64> {
        let negative = self.take(b'-');
        let expanded = negative || self.take(b'+');
        let year = match (self.digits(), expanded) {
            (6, true) => self.number(6, 6)?,
            (4 | 7 | 8, _) => self.number(4, 4)?,
            _ => return None,
        };
        let year = if negative { -year } else { year };
        let separated = self.take(b'-');
        if self.take(b'W') {
            let week = self.number(2, 2)?;
            let day = match (self.take(b'-'), self.digits()) {
                (true, _) | (false, 1) => self.number(1, 1)?,
                (false, _) => 1,
            };
            return week_date(year, week, day);
        }
        match (separated, self.digits()) {
            (true, 3) | (false, 3) => {
                let day = self.number(3, 3)?;
                let length = days(year + 1, 1, 1)? - days(year, 1, 1)?;
                (1..=length).contains(&day).then_some(())?;
                Some(days(year, 1, 1)? + day - 1)
            }
            (true, 1 | 2) => {
                let month = self.number(1, 2)?;
                let day = if self.take(b'-') {
                    self.number(1, 2)?
                } else {
                    1
                };
                days(year, month, day)
            }
            (false, 4) => {
                let (month, day) = (self.number(2, 2)?, self.number(2, 2)?);
                days(year, month, day)
            }
            _ => None,
        }
    }

    /// Milliseconds since midnight.
    fn time(&mut self) -> Option<i64> {
        let hours = self.number(1, 2)?;
        let separated = self.take(b':');
        let mut in_day = hours.checked_mul(HOUR_MS)?;
        let mut unit = HOUR_MS;
        if separated || self.digits() >= 2 {
            let minutes = self.number(2, 2)?;
            in_day += minutes * MINUTE_MS;
            unit = MINUTE_MS;
            if minutes > 59 {
                return None;
            }
            if (separated && self.take(b':')) || (!separated && self.digits() >= 2) {
                let seconds = self.number(2, 2)?;
                in_day += seconds * 1000;
                unit = 1000;
                // 60 is a leap second.
                if seconds > 60 {
                    return None;
                }
            }
        }
        if self.take(b'.') || self.take(b',') {
            let digits = self.digits();
            let fraction = self.number(1, 9)?;
            let scale = 10_i64.pow(digits.min(9) as u32);
            in_day += fraction * unit / scale;
            self.0 = &self.0[self.digits()..];
        }
        (hours < 24 || in_day == DAY_MS).then_some(in_day)
    }

    /// Milliseconds to take off for UTC. Nothing may follow.
    fn offset(&mut self) -> Option<i64> {
        self.take(b' ');
        if matches!(self.0, [] | b"Z" | b"z" | b"UTC" | b"GMT") {
            return Some(0);
        }
        let negative = self.take(b'-');
        if !negative && !self.take(b'+') {
            return None;
        }
        let hours = self.number(1, 2)?;
        self.take(b':');
        let minutes = if self.0.is_empty() {
            0
        } else {
            self.number(2, 2)?
        };
        let real = self.0.is_empty() && hours <= 18 && minutes <= 59;
        let offset = hours * HOUR_MS + minutes * MINUTE_MS;
        real.then_some(if negative { -offset } else { offset })
    }
}

/// Days since 1970 of a day of the calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    // Years beyond four digits are as many cycles of 400 years away.
    let cycles = year.div_euclid(400) - 5;
    let of_cycle = i32::try_from(year - cycles * 400).ok()?;
    let (month, day) = (u32::try_from(month).ok()?, u32::try_from(day).ok()?);
    let date = CivilDate::new(of_cycle, month, day)?;
    Some(i64::from(date.0) + cycles * 146_097)
}

/// Days since 1970 of a day (1 is Monday) of a week of a year of ISO 8601.
fn week_date(year: i64, week: i64, day: i64) -> Option<i64> {
    if !(1..=53).contains(&week) || !(1..=7).contains(&day) {
        return None;
    }
    // 4 January is in week 1. 1970-01-01 was a Thursday.
    let fourth = days(year, 1, 4)?;
    let monday = fourth - (fourth + 3).rem_euclid(7);
    Some(monday + (week - 1) * 7 + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        instant(text).map_or_else(|| "none".to_owned(), |at| at.to_string())
    }

    #[test]
    fn every_form_of_iso_8601_is_read() {
        for (text, expected) in [
            ("2026-11-25T06:53:00.249Z", "2026-11-25T06:53:00.249Z"),
            (
                "2026-11-25T06:53:15.567216+00:00",
                "2026-11-25T06:53:15.567Z",
            ),
            ("2026-11-25T06:53:15.567216789Z", "2026-11-25T06:53:15.567Z"),
            (
                "2026-11-25T06:53:15.123456789012Z",
                "2026-11-25T06:53:15.123Z",
            ),
            ("2026-11-25T06:53:15+0530", "2026-11-25T01:23:15Z"),
            ("2026-11-25T06:53:15-08", "2026-11-25T14:53:15Z"),
            ("2026-11-25 06:53:15", "2026-11-25T06:53:15Z"),
            ("2026-11-25t06:53z", "2026-11-25T06:53:00Z"),
            ("2026-11-25T06Z", "2026-11-25T06:00:00Z"),
            ("2026-11-25T06.5Z", "2026-11-25T06:30:00Z"),
            ("2026-11-25T06:53,5Z", "2026-11-25T06:53:30Z"),
            ("2026-11-25", "2026-11-25T00:00:00Z"),
            ("2026-11", "2026-11-01T00:00:00Z"),
            ("20261125T065315Z", "2026-11-25T06:53:15Z"),
            ("20261125T065315.5+0100", "2026-11-25T05:53:15.500Z"),
            ("20261125", "2026-11-25T00:00:00Z"),
            ("2026-329", "2026-11-25T00:00:00Z"),
            ("2026329T01", "2026-11-25T01:00:00Z"),
            ("2026-W48-3", "2026-11-25T00:00:00Z"),
            ("2026W483", "2026-11-25T00:00:00Z"),
            ("2015-2-02T00:30:08.276Z", "2015-02-02T00:30:08.276Z"),
            ("2026-06-30T23:59:60Z", "2026-07-01T00:00:00Z"),
            ("2026-06-30T24:00:00Z", "2026-07-01T00:00:00Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
            ("+002026-11-25T00:00:00Z", "2026-11-25T00:00:00Z"),
            (" 2026-11-25T06:53:00Z ", "2026-11-25T06:53:00Z"),
            ("Wed, 25 Nov 2026 06:53:00 GMT", "2026-11-25T06:53:00Z"),
            (
                "Wed Nov 25 2026 06:53:00 GMT+0100 (Central European Standard Time)",
                "2026-11-25T05:53:00Z",
            ),
            ("1795589580249", "2026-11-25T06:53:00.249Z"),
            ("1795589580", "2026-11-25T06:53:00Z"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        for text in [
            "",
            "now",
            "2026-13-01",
            "2026-02-30T00:00:00Z",
            "2026-11-25T25:00:00Z",
            "2026-11-25T06:60:00Z",
            "2026-11-25T06:53:00+99:00",
            "2026-11-25T06:53:00Zulu",
            "2026-000",
            "2026-W54-1",
            "+999999999-01-01",
        ] {
            assert_eq!(shown(text), "none", "{text}");
        }
    }

    #[test]
    fn expanded_years_reach_as_far_as_those_of_javascript() {
        assert_eq!(
            instant("+275760-09-13T00:00:00.000Z"),
            Some(Timestamp(8_640_000_000_000_000))
        );
        assert_eq!(
            instant("-271821-04-20T00:00:00.000Z"),
            Some(Timestamp(-8_640_000_000_000_000))
        );
    }

    #[test]
    fn numbers_are_read_by_their_size() {
        for (number, ms) in [
            ("1795589580", Some(1_795_589_580_000)),
            ("1795589580.25", Some(1_795_589_580_250)),
            ("1795589580249", Some(1_795_589_580_249)),
            ("1795589580249000", Some(1_795_589_580_249)),
            ("1795589580249000000", Some(1_795_589_580_249)),
            ("17", None),
            ("1e99", None),
            ("null", None),
            ("{}", None),
        ] {
            assert_eq!(instant_of(Raw(number)), ms.map(Timestamp), "{number}");
        }
    }

    #[test]
    fn the_clock_of_the_client_is_corrected() {
        let received = Timestamp(1_000_000);
        let at = |original: Option<i64>, sent: Option<i64>| {
            let (original, sent) = (original.map(Timestamp), sent.map(Timestamp));
            let (at, source) = occurred_at(original, sent, received, 60_000);
            (at.0, source)
        };
        assert_eq!(at(None, None), (1_000_000, TimeSource::Arrival));
        assert_eq!(at(None, Some(5)), (1_000_000, TimeSource::Arrival));
        assert_eq!(at(Some(7), None), (7, TimeSource::Client));
        // Written 300 ms before it was sent, on a clock that is years behind or ahead.
        assert_eq!(at(Some(100), Some(400)), (999_700, TimeSource::Corrected));
        let ahead = 1 << 45;
        assert_eq!(
            at(Some(ahead), Some(ahead + 300)),
            (999_700, TimeSource::Corrected)
        );
        // Up to the limit ahead is believed, beyond it is not.
        assert_eq!(at(Some(1_060_000), None), (1_060_000, TimeSource::Client));
        assert_eq!(at(Some(1_060_001), None), (1_000_000, TimeSource::Future));
        assert_eq!(
            at(Some(100_400), Some(400)),
            (1_000_000, TimeSource::Future)
        );
        assert_eq!(
            at(Some(i64::MIN), Some(i64::MAX)),
            (1_000_000 - i64::MAX, TimeSource::Corrected)
        );
        assert_eq!(
            at(Some(i64::MAX), Some(i64::MIN)),
            (1_000_000, TimeSource::Future)
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in r"[-+0-9TtZzW:.,/ a-zü]{0,40}") {
            let _ = instant(&text);
            let _ = instant_of(Raw(&text));
        }

        #[test]
        fn what_is_written_is_read(ms in -62_135_596_800_000_i64..253_402_300_800_000) {
            proptest::prop_assert_eq!(instant(&Timestamp(ms).to_string()), Some(Timestamp(ms)));
        }
    }
}
