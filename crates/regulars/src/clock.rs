//! The clock of a server: the time of day, guarded against jumps.
//!
//! A wall clock that jumps by more than five minutes (a mistyped date, a machine that wakes up with
//! the time of its battery) would make everything due at once. Such a jump is held until it has
//! lasted for ten minutes; until then time goes on as it went before.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use regulars_core::Timestamp;
use regulars_pipeline::live::Clock;

use crate::session::wall_clock;

/// A larger difference is a jump.
const JUMP_MS: u64 = 5 * 60 * 1000;
/// A jump that lasts so long is believed.
const BELIEVED_AFTER: Duration = Duration::from_secs(10 * 60);

/// When the wall clock was last believed.
#[derive(Debug)]
struct Steady {
    wall: Timestamp,
    at: Instant,
    jumped_at: Option<Instant>,
}

impl Steady {
    /// The time that is, when the wall clock says `wall`.
    fn time(&mut self, wall: Timestamp, at: Instant) -> Timestamp {
        let since = at.saturating_duration_since(self.at);
        let expected = self
            .wall
            .plus_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        let jumped_at = *self.jumped_at.get_or_insert(at);
        let lasts = at.saturating_duration_since(jumped_at) >= BELIEVED_AFTER;
        if wall.0.abs_diff(expected.0) > JUMP_MS && !lasts {
            return expected;
        }
        *self = Self {
            wall,
            at,
            jumped_at: None,
        };
        wall
    }
}

/// The clock of a server.
#[allow(
    clippy::disallowed_methods,
    reason = "a server lives by the clock; what it says is recorded in the log"
)]
pub(crate) fn steady_clock() -> Clock {
    let steady = Mutex::new(Steady {
        wall: wall_clock(),
        at: Instant::now(),
        jumped_at: None,
    });
    Arc::new(move || {
        let mut steady = steady.lock().unwrap_or_else(PoisonError::into_inner);
        steady.time(wall_clock(), Instant::now())
    })
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "an instant to count from")]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_held_until_it_lasts() {
        let begin = Instant::now();
        let mut steady = Steady {
            wall: Timestamp(0),
            at: begin,
            jumped_at: None,
        };
        let mut time = |wall_s: i64, s: u64| {
            let at = begin + Duration::from_secs(s);
            steady.time(Timestamp(wall_s * 1000), at).0 / 1000
        };
        let day = 24 * 3600;
        assert_eq!(time(2, 1), 2, "a second's difference is none");
        assert_eq!(time(day, 61), 62, "a day ahead is held");
        assert_eq!(time(122, 121), 122, "and forgotten when it is over");
        assert_eq!(time(-day, 131), 132, "so is a day back");
        assert_eq!(time(-day, 730), 731);
        assert_eq!(
            time(-day + 600, 731),
            -day + 600,
            "after ten minutes it is believed"
        );
    }
}
