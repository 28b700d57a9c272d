//! Time: instants in milliseconds, civil dates and time zones.
//!
//! There is no clock here: `now` is an argument everywhere.

use std::fmt;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 3_600_000;
/// Milliseconds of a day of a rolling window: always 24 hours.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Before every event.
    pub const MIN: Self = Self(i64::MIN);
    /// After every event.
    pub const MAX: Self = Self(i64::MAX);

    /// The instant `ms` milliseconds later (earlier when negative); stays within range.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Whole 24-hour days from `earlier` to `self`, rounded down; negative when `earlier` is later.
    pub fn whole_days_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).div_euclid(DAY_MS)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with milliseconds only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, in_day) = (self.0.div_euclid(DAY_MS), self.0.rem_euclid(DAY_MS));
        let Ok(days) = i32::try_from(date) else {
            return write!(f, "{}ms", self.0);
        };
        let (s, ms) = (in_day / 1000, in_day % 1000);
        write!(
            f,
            "{}T{:02}:{:02}:{:02}",
            CivilDate(days),
            s / 3600,
            s / 60 % 60,
            s % 60
        )?;
        if ms != 0 {
            write!(f, ".{ms:03}")?;
        }
        f.write_str("Z")
    }
}

/// A day of the calendar: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CivilDate(pub i32);

impl CivilDate {
    /// The day `year`-`month`-`day` of the proleptic Gregorian calendar; `None` if there is none.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(1..=12).contains(&month) || day < 1 || !(-9999..=9999).contains(&year) {
            return None;
        }
        let date = Self(days_from_civil(i64::from(year), month, day) as i32);
        (date.ymd() == (year, month, day)).then_some(date)
    }

    /// The first day of a month of any year, counted in months since January of the year 0.
    pub(crate) fn first_of_month(months: i64) -> Self {
        let month = months.rem_euclid(12) as u32 + 1;
        let days = days_from_civil(months.div_euclid(12), month, 1);
        Self(days.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32)
    }

    /// Year, month (1–12) and day (1–31).
    pub fn ymd(self) -> (i32, u32, u32) {
        match u32::try_from(i64::from(self.0) + 719_468) {
            Ok(days) if days <= MOST_DAYS => ymd_of_days(days),
            _ => self.ymd_of_any(),
        }
    }

    /// Of any day, those before the year 0 included.
    fn ymd_of_any(self) -> (i32, u32, u32) {
        let z = i64::from(self.0) + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        } as u32;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year as i32, month, day)
    }

    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if year.len() != 4 || month.len() != 2 || day.len() != 2 {
            return None;
        }
        Self::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    }
}

/// Days up to which [`ymd_of_days`] is right.
const MOST_DAYS: u32 = 1 << 28;

/// Of a number of days since 0000-03-01, with years that begin in March, by multiplications
/// (Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms").
fn ymd_of_days(days: u32) -> (i32, u32, u32) {
    let quarter_days = 4 * days + 3;
    let (century, of_century) = (quarter_days / 146_097, quarter_days % 146_097 / 4);
    let product = 2_939_745 * u64::from(4 * of_century + 3);
    let (year_of_century, rest) = ((product >> 32) as u32, product as u32);
    let day_of_year = rest / 2_939_745 / 4;
    let month_and_day = 2141 * day_of_year + 197_913;
    let (month, day) = (month_and_day >> 16, (month_and_day & 0xffff) / 2141 + 1);
    let year = 100 * century + year_of_century;
    if day_of_year >= 306 {
        (year as i32 + 1, month - 12, day)
    } else {
        (year as i32, month, day)
    }
}

/// Days since 1970-01-01, with years that begin in March (Hinnant, "chrono-compatible low-level date
/// algorithms").
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let shifted_month = i64::from((month + 9) % 12);
    let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// A time zone of the IANA database, from the edition built into the binary, so that results
/// do not depend on the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    /// (first instant, offset in ms to add to UTC), ascending; the first begins at [`Timestamp::MIN`].
    offsets: Vec<(Timestamp, i64)>,
}

/// A time zone that the built-in database does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown time zone `{0}`: use a name of the IANA database such as `Europe/Berlin` or `UTC`"
)]
pub struct ZoneError(pub String);

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self {
            name: "UTC".to_owned(),
            offsets: vec![(Timestamp::MIN, 0)],
        }
    }

    /// The zone of that name.
    ///
    /// # Errors
    /// When the database has no such name.
    pub fn named(name: &str) -> Result<Self, ZoneError> {
        if name.eq_ignore_ascii_case("utc") {
            return Ok(Self::utc());
        }
        let zone = TimeZone::get(name).map_err(|_| ZoneError(name.to_owned()))?;
        let first_day = |year| {
            let date = CivilDate::new(year, 1, 1).expect("every year has a first day");
            jiff::Timestamp::from_millisecond(i64::from(date.0) * DAY_MS)
                .expect("years between 1900 and 2200 are within range")
        };
        let (first, last) = (first_day(1900), first_day(2200));
        let offset_ms = |at| i64::from(zone.to_offset(at).seconds()) * 1000;
        let mut offsets = vec![(Timestamp::MIN, offset_ms(first))];
        for transition in zone.following(first).take_while(|t| t.timestamp() < last) {
            let at = transition.timestamp();
            let offset = i64::from(transition.offset().seconds()) * 1000;
            if offsets.last().is_some_and(|&(_, before)| before != offset) {
                offsets.push((Timestamp(at.as_millisecond()), offset));
            }
        }
        Ok(Self {
            name: name.to_owned(),
            offsets,
        })
    }

    /// The name that the zone was asked for by.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn offset_ms(&self, at: Timestamp) -> i64 {
        let after = self.offsets.partition_point(|&(from, _)| from <= at);
        self.offsets[after.saturating_sub(1)].1
    }

    /// The calendar day of `at` in this zone.
    pub fn date_of(&self, at: Timestamp) -> CivilDate {
        let days = at.plus_ms(self.offset_ms(at)).0.div_euclid(DAY_MS);
        CivilDate(days.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32)
    }

    /// What a clock of this zone shows at `at`: hour and minute.
    pub fn clock_of(&self, at: Timestamp) -> (u32, u32) {
        let in_day = at.plus_ms(self.offset_ms(at)).0.rem_euclid(DAY_MS);
        let minutes = (in_day / 60_000) as u32;
        (minutes / 60, minutes % 60)
    }

    /// The instant at which a clock of this zone shows `local_ms` (milliseconds since
    /// 1970-01-01T00:00 on that clock).
    ///
    /// A time that occurs twice is the earlier one; a time that is skipped is moved forward by
    /// the length of the gap.
    pub fn instant_of(&self, local_ms: i64) -> Timestamp {
        let local = Timestamp(local_ms);
        let before = self.offset_ms(local.plus_ms(-DAY_MS));
        let after = self.offset_ms(local.plus_ms(DAY_MS));
        let earlier = local.plus_ms(-before);
        if before == after || self.offset_ms(earlier) == before {
            return earlier;
        }
        let later = local.plus_ms(-after);
        if self.offset_ms(later) == after {
            later
        } else {
            earlier
        }
    }

    /// The first instant of `date`.
    pub fn start_of(&self, date: CivilDate) -> Timestamp {
        self.instant_of(i64::from(date.0) * DAY_MS)
    }

    /// Reads an instant: `2026-11-01` (its last millisecond in this zone), `2026-11-01T12:00:00Z`
    /// or with another offset, or `2026-11-01T12:00` on a clock of this zone.
    pub fn parse_instant(&self, text: &str) -> Option<Timestamp> {
        let text = text.trim();
        if let Some(date) = CivilDate::parse(text) {
            return Some(self.end_of(date));
        }
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Some(Timestamp(at.as_millisecond()));
        }
        let local: jiff::civil::DateTime = text.parse().ok()?;
        let date = local.date();
        let date = CivilDate::new(
            i32::from(date.year()),
            u32::try_from(date.month()).ok()?,
            u32::try_from(date.day()).ok()?,
        )?;
        let time = local.time();
        let seconds = (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60
            + i64::from(time.second());
        Some(self.instant_of(i64::from(date.0) * DAY_MS + seconds * 1000))
    }

    /// The last millisecond of `date`: what a bare date means as `--as-of`.
    pub fn end_of(&self, date: CivilDate) -> Timestamp {
        self.start_of(CivilDate(date.0 + 1)).plus_ms(-1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates_round_trip() {
        for days in (-800_000..800_000).step_by(37) {
            let (y, m, d) = CivilDate(days).ymd();
            assert_eq!(CivilDate::new(y, m, d), Some(CivilDate(days)));
        }
        let all = (-719_500..800_000).chain((0..i32::MAX - 720_000).step_by(9_973));
        for days in all.chain([i32::MIN, i32::MAX]) {
            assert_eq!(CivilDate(days).ymd(), CivilDate(days).ymd_of_any());
        }
        assert_eq!(CivilDate::parse("1997-01-01"), Some(CivilDate(9862)));
        assert_eq!(CivilDate::parse("2023-02-29"), None);
        assert_eq!(CivilDate::parse("23-02-01"), None);
    }

    #[test]
    fn zones_follow_daylight_saving() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let show = |y, m, d| {
            berlin
                .start_of(CivilDate::new(y, m, d).unwrap())
                .to_string()
        };
        assert_eq!(show(2026, 1, 1), "2025-12-31T23:00:00Z");
        assert_eq!(show(2026, 7, 1), "2026-06-30T22:00:00Z");
        // 2026-03-29 02:30 is skipped: it becomes 03:30 summer time.
        let spring = CivilDate::new(2026, 3, 29).unwrap();
        let skipped = i64::from(spring.0) * DAY_MS + 5 * HOUR_MS / 2;
        assert_eq!(
            berlin.instant_of(skipped).to_string(),
            "2026-03-29T01:30:00Z"
        );
        // 2026-10-25 02:30 occurs twice: the earlier one, in summer time.
        let autumn = CivilDate::new(2026, 10, 25).unwrap();
        let twice = i64::from(autumn.0) * DAY_MS + 5 * HOUR_MS / 2;
        assert_eq!(berlin.instant_of(twice).to_string(), "2026-10-25T00:30:00Z");
        assert_eq!(berlin.date_of(berlin.end_of(autumn)), autumn);
        assert_eq!(
            berlin.end_of(autumn).0 - berlin.start_of(autumn).0,
            25 * HOUR_MS - 1,
            "the day on which summer time ends has 25 hours"
        );
    }

    #[test]
    fn clocks_show_the_time_of_the_zone_on_days_when_they_change() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        for (text, clock) in [
            ("2025-03-30T01:59", (1, 59)),
            ("2025-03-30T12:00", (12, 0)),
            ("2025-10-26T01:30", (1, 30)),
            ("2025-10-26T23:30", (23, 30)),
            ("2025-06-01T00:00", (0, 0)),
        ] {
            let at = berlin.parse_instant(text).unwrap();
            assert_eq!(berlin.clock_of(at), clock, "{text}");
        }
    }

    #[test]
    fn instants_are_read_in_their_zone() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let read = |text| berlin.parse_instant(text).map(|at| at.to_string());
        assert_eq!(
            read("2026-01-01").as_deref(),
            Some("2026-01-01T22:59:59.999Z")
        );
        assert_eq!(
            read("2026-01-01T12:00:00Z").as_deref(),
            Some("2026-01-01T12:00:00Z")
        );
        assert_eq!(
            read("2026-01-01T12:00:00+05:00").as_deref(),
            Some("2026-01-01T07:00:00Z")
        );
        assert_eq!(
            read("2026-01-01T12:00").as_deref(),
            Some("2026-01-01T11:00:00Z")
        );
        assert_eq!(read("yesterday"), None);
    }

    #[test]
    fn an_unknown_zone_is_named() {
        assert!(
            Zone::named("Mars/Olympus")
                .unwrap_err()
                .to_string()
                .contains("Mars/Olympus")
        );
    }
}
