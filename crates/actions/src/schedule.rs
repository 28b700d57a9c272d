//! When an attempt is repeated, and when it is too late for it.
//!
//! Delays have full jitter: a delay of five minutes is anything from nothing to five minutes, so
//! that what failed together does not come again together.

use regulars_core::{DAY_MS, HOUR_MS, Timestamp};
use serde::{Deserialize, Serialize};

/// The longest delay or lifetime that can be set.
const MAX_SECONDS: u64 = 365 * 86_400;
const MAX_ATTEMPTS: usize = 100;

/// When attempts are made, as settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// Seconds before each attempt; as many attempts as there are entries.
    pub delays_seconds: Vec<u64>,
    /// What could not be delivered in this time is not delivered any more.
    pub expires_after_seconds: u64,
    /// The longest wait that a receiver can ask for.
    pub retry_after_max_seconds: u64,
    /// How long a destination is left alone that says it has too much to do, but not for how long.
    pub throttle_seconds: u64,
}

impl Default for Schedule {
    /// The example of Standard Webhooks, three days.
    fn default() -> Self {
        let (minute, hour) = (60, 3_600);
        Self {
            delays_seconds: vec![
                0,
                5,
                5 * minute,
                30 * minute,
                2 * hour,
                5 * hour,
                10 * hour,
                14 * hour,
                20 * hour,
                24 * hour,
            ],
            expires_after_seconds: (3 * DAY_MS / 1000) as u64,
            retry_after_max_seconds: (HOUR_MS / 1000) as u64,
            throttle_seconds: 10,
        }
    }
}

/// Settings that make no schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Name 1 to 100 delays.
    #[error("`delays_seconds` needs between 1 and 100 entries, one for each attempt")]
    Attempts,
    /// Name shorter times.
    #[error("`{0}` is longer than a year")]
    TooLong(&'static str),
}

impl Schedule {
    /// Checks the settings.
    ///
    /// # Errors
    /// When there is no attempt, there are more than 100, or a time is longer than a year.
    pub fn check(&self) -> Result<(), ScheduleError> {
        if !(1..=MAX_ATTEMPTS).contains(&self.delays_seconds.len()) {
            return Err(ScheduleError::Attempts);
        }
        let longest = self.delays_seconds.iter().max().copied().unwrap_or(0);
        let times = [
            ("delays_seconds", longest),
            ("expires_after_seconds", self.expires_after_seconds),
            ("retry_after_max_seconds", self.retry_after_max_seconds),
            ("throttle_seconds", self.throttle_seconds),
        ];
        match times.iter().find(|(_, seconds)| *seconds > MAX_SECONDS) {
            Some((name, _)) => Err(ScheduleError::TooLong(name)),
            None => Ok(()),
        }
    }

    /// When something recorded at `since` is first tried.
    pub fn first_at(&self, since: Timestamp) -> Timestamp {
        let delay = self.delays_seconds.first().copied().unwrap_or(0);
        since.plus_ms(milliseconds(delay))
    }

    /// When it is tried again after `attempts` failed, the last of them at `now`; `random` is drawn
    /// evenly from 0 to 1. `None` when there are no attempts left.
    pub fn again_at(&self, attempts: u32, now: Timestamp, random: f64) -> Option<Timestamp> {
        let delay = self.delays_seconds.get(attempts as usize)?;
        let share = if random.is_finite() {
            random.clamp(0.0, 1.0)
        } else {
            1.0
        };
        Some(now.plus_ms((milliseconds(*delay) as f64 * share) as i64))
    }

    /// From when on something recorded at `since` is too old.
    pub fn expires_at(&self, since: Timestamp) -> Timestamp {
        since.plus_ms(milliseconds(self.expires_after_seconds))
    }

    /// Milliseconds to wait for a receiver that asks for `asked_ms`.
    pub fn bounded_wait_ms(&self, asked_ms: i64) -> i64 {
        asked_ms.clamp(0, milliseconds(self.retry_after_max_seconds))
    }

    /// Milliseconds to wait for a receiver that has too much to do and does not say for how long.
    pub fn throttle_ms(&self) -> i64 {
        milliseconds(self.throttle_seconds)
    }
}

fn milliseconds(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX)
}

/// Milliseconds from `now` that a `Retry-After` header asks for: seconds or a date of HTTP
/// (RFC 9110, 10.2.3). `None` when it is neither; a date that has passed is 0.
pub fn parse_retry_after(header: &str, now: Timestamp) -> Option<i64> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(header.parse().map_or(i64::MAX, milliseconds));
    }
    let date = jiff::fmt::rfc2822::parse(header).ok()?;
    let at = date.timestamp().as_millisecond();
    Some(at.saturating_sub(now.0).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_example_of_the_specification() {
        let schedule = Schedule::default();
        assert_eq!(schedule.check(), Ok(()));
        let mut at = schedule.first_at(Timestamp(0));
        let mut attempts = 1;
        while let Some(next) = schedule.again_at(attempts, at, 1.0) {
            (at, attempts) = (next, attempts + 1);
        }
        // Standard Webhooks, "Deliverability and reliability": 75:35:05 after ten attempts.
        assert_eq!(
            (attempts, at),
            (10, Timestamp(((75 * 60 + 35) * 60 + 5) * 1000))
        );
        assert_eq!(schedule.expires_at(Timestamp(5)), Timestamp(3 * DAY_MS + 5));
    }

    #[test]
    fn a_delay_is_anything_up_to_its_length() {
        let schedule = Schedule::default();
        let again = |random| schedule.again_at(2, Timestamp(1_000), random);
        assert_eq!(again(0.0), Some(Timestamp(1_000)));
        assert_eq!(again(0.5), Some(Timestamp(151_000)));
        assert_eq!(again(f64::NAN), Some(Timestamp(301_000)));
        assert_eq!(schedule.again_at(10, Timestamp(0), 0.5), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_bounded() {
        // RFC 9110, 10.2.3: the two examples.
        assert_eq!(parse_retry_after("120", Timestamp(0)), Some(120_000));
        let date = "Fri, 31 Dec 1999 23:59:59 GMT";
        let now = Timestamp(946_684_799_000 - 7_000);
        assert_eq!(parse_retry_after(date, now), Some(7_000));
        assert_eq!(parse_retry_after(date, now.plus_ms(DAY_MS)), Some(0));
        for wrong in ["", "-1", "1.5", "soon", "Fri, 31 Foo 1999"] {
            assert_eq!(parse_retry_after(wrong, now), None, "{wrong}");
        }
        let long = parse_retry_after(&"9".repeat(30), now).unwrap();
        assert_eq!(Schedule::default().bounded_wait_ms(long), HOUR_MS);
    }

    #[test]
    fn senseless_settings_are_refused() {
        let of = |delays: &[u64]| Schedule {
            delays_seconds: delays.to_vec(),
            ..Schedule::default()
        };
        assert_eq!(of(&[]).check(), Err(ScheduleError::Attempts));
        assert_eq!(of(&[0; 101]).check(), Err(ScheduleError::Attempts));
        assert_eq!(
            of(&[u64::MAX]).check(),
            Err(ScheduleError::TooLong("delays_seconds"))
        );
    }
}
