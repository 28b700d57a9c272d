//! The days of the shop: positions in the data, instants, sales and seasons.
//!
//! Seasons stretch time: a season gives every moment a weight (month, weekday, hour, sales), and
//! *season time* is the sum of the weights so far, so that a customer who orders at an even rate
//! in season time orders more when the weights are higher. Mean weight of a day is 1, so that a
//! rate per unit of season time is a rate per day.

mod season;

use regulars_core::{CivilDate, DAY_MS, Timestamp, Zone};

pub(crate) use season::{Season, SeasonTime};

/// Sales, by which prices and moods change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sale {
    /// No sale.
    None,
    /// Winter sale (January) or summer sale (from the end of June to the end of July).
    EndOfSeason,
    /// The days around the fourth Friday of November.
    BlackFriday,
}

/// The sale on a day.
pub(crate) fn sale_on(date: CivilDate) -> Sale {
    match date.ymd() {
        (_, 11, 22..=30) => Sale::BlackFriday,
        (_, 1, 2..=31) | (_, 6, 25..=30) | (_, 7, _) => Sale::EndOfSeason,
        _ => Sale::None,
    }
}

/// Day of the week, Monday is 0.
pub(crate) fn weekday(date: CivilDate) -> usize {
    // 1970-01-01 was a Thursday.
    (date.0 + 3).rem_euclid(7) as usize
}

#[derive(Debug)]
struct Day {
    starts_at: Timestamp,
    length: DayLength,
    sale: Sale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DayLength {
    /// 24 hours: clock and elapsed time agree.
    Usual,
    /// The clock is put forward or back within the day.
    Shifted,
}

/// A moment of the shop's clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moment {
    /// Days since the first day of the data.
    pub(crate) day: usize,
    /// Milliseconds on the clock since midnight.
    pub(crate) clock_ms: i64,
}

/// All days from the first to the last of the data.
#[derive(Debug)]
pub(crate) struct Calendar {
    first: CivilDate,
    zone: Zone,
    days: Vec<Day>,
    ends_at: Timestamp,
}

impl Calendar {
    pub(crate) fn new(first: CivilDate, last: CivilDate, zone: Zone) -> Self {
        let day = |number| {
            let date = CivilDate(number);
            let (starts_at, next) = (zone.start_of(date), zone.start_of(CivilDate(number + 1)));
            let usual = next.0 - starts_at.0 == DAY_MS;
            let length = if usual {
                DayLength::Usual
            } else {
                DayLength::Shifted
            };
            Day {
                starts_at,
                length,
                sale: sale_on(date),
            }
        };
        let days = (first.0..=last.0).map(day).collect();
        let ends_at = zone.end_of(last);
        Self {
            first,
            zone,
            days,
            ends_at,
        }
    }

    /// Number of days.
    pub(crate) fn n_days(&self) -> usize {
        self.days.len()
    }

    /// The last moment of which anything is known.
    pub(crate) fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// The date of a day, before the first and after the last too.
    pub(crate) fn date(&self, day: i32) -> CivilDate {
        CivilDate(self.first.0 + day)
    }

    /// The sale on a day.
    pub(crate) fn sale(&self, day: usize) -> Sale {
        self.days[day].sale
    }

    /// The instant of a moment, to the second.
    pub(crate) fn instant(&self, moment: Moment) -> Timestamp {
        let day = &self.days[moment.day];
        let clock_ms = moment.clock_ms - moment.clock_ms.rem_euclid(1000);
        match day.length {
            DayLength::Usual => day.starts_at.plus_ms(clock_ms),
            DayLength::Shifted => {
                let date = self.date(moment.day as i32);
                self.zone.instant_of(i64::from(date.0) * DAY_MS + clock_ms)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_read_in_the_zone_of_the_shop_on_days_that_are_shifted_too() {
        let day = |m, d| CivilDate::new(2026, m, d).unwrap();
        let zone = Zone::named("Europe/Berlin").unwrap();
        let calendar = Calendar::new(day(3, 28), day(3, 30), zone);
        let noon = |day| {
            calendar
                .instant(Moment {
                    day,
                    clock_ms: 43_200_500,
                })
                .to_string()
        };
        assert_eq!(noon(0), "2026-03-28T11:00:00Z");
        assert_eq!(noon(1), "2026-03-29T10:00:00Z");
        assert_eq!(calendar.n_days(), 3);
        assert_eq!(weekday(day(3, 29)), 6, "2026-03-29 is a Sunday");
    }
}
