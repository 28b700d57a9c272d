//! Windows: the span of time up to `now` that a condition looks at.
//!
//! A rolling window is a length; a calendar window is whole days, weeks, months, quarters or years
//! of the workspace's zone, the current one included. Both are open at their start and closed at
//! `now`.

use serde::{Deserialize, Serialize};

use crate::{CivilDate, DAY_MS, Timestamp, Zone};

/// The span of time that a condition looks at, seen from `now`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// All of time up to `now`.
    Ever,
    /// `(now − ms, now]`; a day is 24 hours.
    Rolling {
        /// Length in milliseconds, positive.
        ms: i64,
    },
    /// The current unit of the calendar and the `count − 1` before it, in the workspace's time zone.
    Calendar {
        /// Number of units, at least 1.
        count: u32,
        /// What is counted.
        unit: CalendarUnit,
    },
}

/// A unit of the calendar, which has a first and a last day but no fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalendarUnit {
    /// A day, which has 23 or 25 hours when clocks change.
    Days,
    /// Monday to Sunday.
    Weeks,
    /// From the first of a month to its last day.
    Months,
    /// Three months, the first of which is January, April, July or October.
    Quarters,
    /// January to December.
    Years,
}

impl CalendarUnit {
    /// All units, the shortest first.
    pub const ALL: [Self; 5] = [
        Self::Days,
        Self::Weeks,
        Self::Months,
        Self::Quarters,
        Self::Years,
    ];

    /// In the plural.
    pub fn name(self) -> &'static str {
        match self {
            Self::Days => "days",
            Self::Weeks => "weeks",
            Self::Months => "months",
            Self::Quarters => "quarters",
            Self::Years => "years",
        }
    }

    /// In the singular.
    pub fn singular(self) -> &'static str {
        match self {
            Self::Days => "day",
            Self::Weeks => "week",
            Self::Months => "month",
            Self::Quarters => "quarter",
            Self::Years => "year",
        }
    }

    /// Number of the unit in which `date` lies; the next unit has the next number.
    pub fn number_of(self, date: CivilDate) -> i64 {
        let months = || {
            let (year, month, _) = date.ymd();
            i64::from(year) * 12 + i64::from(month) - 1
        };
        match self {
            Self::Days => i64::from(date.0),
            // 1970-01-01 was a Thursday: three days after a Monday.
            Self::Weeks => (i64::from(date.0) + 3).div_euclid(7),
            Self::Months => months(),
            Self::Quarters => months().div_euclid(3),
            Self::Years => months().div_euclid(12),
        }
    }

    /// The first day of the unit of that number.
    pub fn first_day(self, number: i64) -> CivilDate {
        let day =
            |days: i64| CivilDate(days.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32);
        match self {
            Self::Days => day(number),
            Self::Weeks => day(number * 7 - 3),
            Self::Months => CivilDate::first_of_month(number),
            Self::Quarters => CivilDate::first_of_month(number * 3),
            Self::Years => CivilDate::first_of_month(number * 12),
        }
    }
}

impl Window {
    /// A rolling window of `days` times 24 hours.
    pub fn rolling_days(days: u32) -> Self {
        Self::Rolling {
            ms: i64::from(days) * DAY_MS,
        }
    }

    /// The last instant that lies before the window; an event at `t` is inside when
    /// `start < t && t <= now`.
    pub fn start(self, now: Timestamp, zone: &Zone) -> Timestamp {
        match self {
            Self::Ever => Timestamp::MIN,
            Self::Rolling { ms } => now.plus_ms(-ms),
            Self::Calendar { count, unit } => {
                let first = unit.number_of(zone.date_of(now)) - (i64::from(count) - 1);
                zone.start_of(unit.first_day(first)).plus_ms(-1)
            }
        }
    }

    /// The first instant at which an event of time `at` is no longer inside; `None` for never.
    pub fn leaves_at(self, at: Timestamp, zone: &Zone) -> Option<Timestamp> {
        match self {
            Self::Ever => None,
            Self::Rolling { ms } => Some(at.plus_ms(ms)),
            Self::Calendar { count, unit } => {
                let last = unit.number_of(zone.date_of(at)) + i64::from(count);
                Some(zone.start_of(unit.first_day(last)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> CivilDate {
        CivilDate::parse(text).unwrap()
    }

    #[test]
    fn windows_are_open_at_their_start_and_closed_at_now() {
        let zone = Zone::utc();
        let now = Timestamp(100 * DAY_MS);
        let window = Window::rolling_days(30);
        assert_eq!(window.start(now, &zone), Timestamp(70 * DAY_MS));
        assert_eq!(window.leaves_at(Timestamp(70 * DAY_MS), &zone), Some(now));
        let today = Window::Calendar {
            count: 1,
            unit: CalendarUnit::Days,
        };
        assert_eq!(today.start(now.plus_ms(5), &zone), now.plus_ms(-1));
        assert_eq!(today.leaves_at(now, &zone), Some(Timestamp(101 * DAY_MS)));
    }

    #[test]
    fn units_of_the_calendar_begin_where_people_expect() {
        let first =
            |unit: CalendarUnit, date: &str| unit.first_day(unit.number_of(day(date))).to_string();
        // 2026-11-25 is a Wednesday.
        assert_eq!(first(CalendarUnit::Days, "2026-11-25"), "2026-11-25");
        assert_eq!(first(CalendarUnit::Weeks, "2026-11-25"), "2026-11-23");
        assert_eq!(first(CalendarUnit::Weeks, "2026-11-23"), "2026-11-23");
        assert_eq!(first(CalendarUnit::Weeks, "2026-11-22"), "2026-11-16");
        assert_eq!(first(CalendarUnit::Weeks, "1969-12-31"), "1969-12-29");
        assert_eq!(first(CalendarUnit::Months, "2024-02-29"), "2024-02-01");
        assert_eq!(first(CalendarUnit::Quarters, "2026-11-25"), "2026-10-01");
        assert_eq!(first(CalendarUnit::Quarters, "2026-03-31"), "2026-01-01");
        assert_eq!(first(CalendarUnit::Years, "2026-12-31"), "2026-01-01");
        for unit in CalendarUnit::ALL {
            for days in (-800_000..800_000).step_by(997) {
                let number = unit.number_of(CivilDate(days));
                let (from, until) = (unit.first_day(number), unit.first_day(number + 1));
                assert!(
                    from <= CivilDate(days) && CivilDate(days) < until,
                    "{unit:?} {days}"
                );
            }
        }
    }

    #[test]
    fn calendar_windows_follow_the_clocks_of_the_zone() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let window = |count, unit| Window::Calendar { count, unit };
        let instant = |text: &str| berlin.parse_instant(text).unwrap();
        let october = window(1, CalendarUnit::Months);
        // Summer time ends on 2026-10-25: the month begins at +02:00 and ends at +01:00.
        let now = instant("2026-10-31T12:00");
        assert_eq!(
            october.start(now, &berlin).plus_ms(1).to_string(),
            "2026-09-30T22:00:00Z"
        );
        assert_eq!(
            october
                .leaves_at(instant("2026-10-01T00:00"), &berlin)
                .unwrap()
                .to_string(),
            "2026-10-31T23:00:00Z"
        );
        let two_weeks = window(2, CalendarUnit::Weeks);
        assert_eq!(
            two_weeks
                .leaves_at(instant("2026-03-23T08:00"), &berlin)
                .unwrap()
                .to_string(),
            "2026-04-05T22:00:00Z",
            "the week of the order and the next one, through the change to summer time"
        );
        let year = window(1, CalendarUnit::Years);
        assert_eq!(
            year.start(instant("2026-01-01T00:00"), &berlin).plus_ms(1),
            instant("2026-01-01T00:00")
        );
    }
}
