//! Seasons: when people of a kind like to order, and the time that they stretch.

use super::{Calendar, Moment, Sale, sale_on, weekday};

/// When people of a kind like to order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Season {
    /// New collections in spring and autumn; evenings and Sundays.
    Collections,
    /// From 1 November to 22 December only.
    Presents,
    /// Sales and Black Friday.
    Sales,
    /// Autumn, when new devices come out; evenings.
    Launches,
    /// No season; mornings and evenings.
    Steady,
    /// Office hours.
    Office,
}

/// Weights of months (January first), weekdays (Monday first), hours (midnight first), and of
/// days of an end-of-season sale and around Black Friday.
struct Weights {
    months: [f64; 12],
    weekdays: [f64; 7],
    hours: [f64; 24],
    sale: f64,
    black_friday: f64,
}

#[rustfmt::skip]
const EVENING: [f64; 24] = [
    1.2, 0.5, 0.2, 0.1, 0.1, 0.2, 0.6, 1.4, 2.2, 2.8, 3.2, 3.4,
    3.9, 3.6, 3.2, 3.2, 3.5, 4.2, 5.0, 6.2, 7.6, 7.8, 5.6, 2.8,
];
#[rustfmt::skip]
const OFFICE: [f64; 24] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 1.0, 4.5, 8.0, 9.0, 8.0,
    4.0, 6.0, 8.0, 7.0, 5.0, 2.0, 0.5, 0.1, 0.1, 0.0, 0.0, 0.0,
];
const LEISURE_WEEK: [f64; 7] = [1.05, 0.95, 0.92, 0.95, 0.88, 0.95, 1.3];
const OFFICE_WEEK: [f64; 7] = [1.4, 1.4, 1.3, 1.2, 1.0, 0.05, 0.02];

impl Season {
    /// All seasons, each at the position of its number.
    pub(crate) const ALL: [Self; 6] = [
        Self::Collections,
        Self::Presents,
        Self::Sales,
        Self::Launches,
        Self::Steady,
        Self::Office,
    ];

    #[rustfmt::skip]
    fn weights(self) -> Weights {
        let even = Weights {
            months: [1.0; 12], weekdays: LEISURE_WEEK, hours: EVENING, sale: 1.0, black_friday: 1.0,
        };
        match self {
            Self::Collections => Weights {
                months: [0.8, 0.85, 1.2, 1.3, 1.15, 0.9, 0.8, 0.85, 1.25, 1.3, 1.2, 1.1],
                sale: 1.15, black_friday: 1.4, ..even
            },
            Self::Presents => Weights {
                months: [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.9, 1.2], ..even
            },
            Self::Sales => Weights { sale: 2.0, black_friday: 3.5, ..even },
            Self::Launches => Weights {
                months: [0.8, 0.8, 0.95, 0.95, 0.9, 0.9, 0.85, 0.9, 1.3, 1.25, 1.3, 1.2],
                black_friday: 1.5, ..even
            },
            Self::Steady => even,
            Self::Office => Weights {
                months: [1.0, 1.0, 1.05, 1.0, 1.0, 0.95, 0.8, 0.75, 1.1, 1.1, 1.1, 0.9],
                weekdays: OFFICE_WEEK, hours: OFFICE, ..even
            },
        }
    }
}

/// Season time over the days of a calendar.
#[derive(Debug)]
pub(crate) struct SeasonTime {
    /// Season time at the start of each day, and at the end of the last.
    at_start: Vec<f64>,
    /// Share of a day's weight that lies before each hour, and 1.
    before_hour: [f64; 25],
}

impl SeasonTime {
    pub(crate) fn new(season: Season, calendar: &Calendar) -> Self {
        let weights = season.weights();
        let weight = |day: i32| {
            let date = calendar.date(day);
            let (_, month, day_of_month) = date.ymd();
            if season == Season::Presents && month == 12 && day_of_month > 22 {
                return 0.0;
            }
            let sale = match sale_on(date) {
                Sale::None => 1.0,
                Sale::EndOfSeason => weights.sale,
                Sale::BlackFriday => weights.black_friday,
            };
            weights.months[month as usize - 1] * weights.weekdays[weekday(date)] * sale
        };
        let mut of_days: Vec<f64> = (0..calendar.n_days() as i32).map(weight).collect();
        let mut total: f64 = of_days.iter().sum();
        if total <= 0.0 {
            // Data without a November or December: presents are bought all the same.
            of_days.fill(1.0);
            total = of_days.len() as f64;
        }
        let scale = of_days.len() as f64 / total;
        let mut at_start = Vec::with_capacity(of_days.len() + 1);
        let mut sum = 0.0;
        at_start.push(sum);
        for of_day in of_days {
            sum += of_day * scale;
            at_start.push(sum);
        }
        let of_hours: f64 = weights.hours.iter().sum();
        let mut before_hour = [0.0; 25];
        for (hour, weight) in weights.hours.iter().enumerate() {
            before_hour[hour + 1] = before_hour[hour] + weight / of_hours;
        }
        before_hour[24] = 1.0;
        Self {
            at_start,
            before_hour,
        }
    }

    /// Season time at the end of the data: about the number of days.
    pub(crate) fn end(&self) -> f64 {
        self.at_start[self.at_start.len() - 1]
    }

    /// Season time at a day (with fraction), cut to the data.
    pub(crate) fn at_day(&self, day: f64) -> f64 {
        let last = self.at_start.len() - 1;
        let day = day.clamp(0.0, last as f64);
        let whole = (day as usize).min(last - 1);
        let (start, next) = (self.at_start[whole], self.at_start[whole + 1]);
        start + (next - start) * (day - whole as f64)
    }

    /// The moment at which season time is `time`, from 0 to less than [`SeasonTime::end`].
    pub(crate) fn moment(&self, time: f64) -> Moment {
        let day = self
            .at_start
            .partition_point(|&start| start <= time)
            .clamp(1, self.last_day() + 1)
            - 1;
        let (start, next) = (self.at_start[day], self.at_start[day + 1]);
        let share = if next > start {
            ((time - start) / (next - start)).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let hour = self
            .before_hour
            .partition_point(|&before| before <= share)
            .clamp(1, 24)
            - 1;
        let (from, to) = (self.before_hour[hour], self.before_hour[hour + 1]);
        let in_hour = if to > from {
            (share - from) / (to - from)
        } else {
            0.0
        };
        let clock_ms = hour as i64 * 3_600_000 + ((in_hour * 3_600_000.0) as i64).min(3_599_999);
        Moment { day, clock_ms }
    }

    fn last_day(&self) -> usize {
        self.at_start.len() - 2
    }
}

#[cfg(test)]
mod tests {
    use regulars_core::{CivilDate, Zone};

    use super::*;

    fn calendar(days: i32) -> Calendar {
        let first = CivilDate::new(2025, 1, 1).unwrap();
        Calendar::new(first, CivilDate(first.0 + days - 1), Zone::utc())
    }

    #[test]
    fn season_time_and_moments_are_each_others_inverse() {
        let calendar = calendar(365);
        for season in Season::ALL {
            let time = SeasonTime::new(season, &calendar);
            assert!((time.end() - 365.0).abs() < 1e-6);
            let mut before = (0, -1);
            for step in 0..5_000 {
                let moment = time.moment(time.end() * f64::from(step) / 5_000.0);
                assert!(
                    (moment.day, moment.clock_ms) >= before,
                    "{season:?} goes forward"
                );
                assert!((0..86_400_000).contains(&moment.clock_ms));
                before = (moment.day, moment.clock_ms);
            }
        }
    }

    #[test]
    fn presents_are_bought_before_christmas_when_there_is_a_christmas() {
        let time = SeasonTime::new(Season::Presents, &calendar(365));
        assert_eq!(
            calendar(365).date(time.moment(0.0).day as i32).to_string(),
            "2025-11-01"
        );
        let spring = SeasonTime::new(Season::Presents, &calendar(60));
        assert_eq!(spring.moment(0.0).day, 0);
    }
}
