//! How many events each write key may send: so many a second, on average over ten seconds.
//!
//! A bucket for each key: events take from it, time fills it up. Whole numbers only (thousandths
//! of events), so that the same requests at the same times are always taken or refused alike.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use regulars_core::Timestamp;

/// A bucket holds what so many seconds bring.
const SECONDS_HELD: u64 = 10;
const THOUSANDTHS: u64 = 1_000;

/// The buckets of all keys.
#[derive(Debug)]
pub(crate) struct Rates {
    per_second: u64,
    /// The most that a bucket holds, in thousandths of events.
    full: u64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// Thousandths of events.
    left: u64,
    at: Timestamp,
}

impl Rates {
    /// `per_second` events for each key, 0 for any number; at least `at_once` events fit into a
    /// bucket that is full.
    pub(crate) fn new(per_second: u32, at_once: usize) -> Self {
        let per_second = u64::from(per_second);
        let full = (per_second * SECONDS_HELD).max(at_once as u64);
        Self {
            per_second,
            full: full * THOUSANDTHS,
            buckets: Mutex::new(HashMap::new()),
        }
    }

    /// Events that a key may send in a second.
    pub(crate) fn per_second(&self) -> u64 {
        self.per_second
    }

    /// Takes `events` from the bucket of a key, all or none.
    ///
    /// # Errors
    /// The seconds after which there are enough.
    pub(crate) fn take(&self, key: &str, events: usize, now: Timestamp) -> Result<(), u32> {
        if self.per_second == 0 {
            return Ok(());
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full = Bucket {
            left: self.full,
            at: now,
        };
        let bucket = match buckets.get_mut(key) {
            Some(bucket) => bucket,
            None => buckets.entry(key.to_owned()).or_insert(full),
        };
        // A clock that goes back brings nothing.
        let passed_ms = now.0.saturating_sub(bucket.at.0).max(0).unsigned_abs();
        let came = passed_ms.saturating_mul(self.per_second);
        bucket.left = bucket.left.saturating_add(came).min(self.full);
        bucket.at = bucket.at.max(now);
        let wanted = (events as u64).saturating_mul(THOUSANDTHS);
        if let Some(left) = bucket.left.checked_sub(wanted) {
            bucket.left = left;
            return Ok(());
        }
        let missing = wanted - bucket.left;
        let seconds = missing.div_ceil(self.per_second * THOUSANDTHS);
        Err(u32::try_from(seconds).unwrap_or(u32::MAX).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_ten_seconds_in_hand_and_gets_them_back_with_time() {
        let rates = Rates::new(10, 50);
        let take = |events, at_ms| rates.take("a", events, Timestamp(at_ms));
        assert_eq!(take(60, 0), Ok(()));
        assert_eq!(take(40, 0), Ok(()));
        assert_eq!(take(1, 0), Err(1));
        assert_eq!(take(25, 0), Err(3));
        assert_eq!(
            rates.take("b", 100, Timestamp(0)),
            Ok(()),
            "others have their own"
        );
        assert_eq!(take(25, 2_499), Err(1), "what was refused took nothing");
        assert_eq!(take(25, 2_500), Ok(()));
        assert_eq!(
            take(1, 2_400),
            Err(1),
            "a clock that goes back brings nothing"
        );
        assert_eq!(take(1, 2_600), Ok(()));
        assert_eq!(
            take(101, 1_000_000),
            Err(1),
            "never more than ten seconds' worth"
        );
    }

    #[test]
    fn a_batch_fits_into_a_full_bucket_and_none_is_no_limit() {
        let rates = Rates::new(1, 2_500);
        assert_eq!(rates.take("a", 2_500, Timestamp(0)), Ok(()));
        assert_eq!(rates.take("a", 2_500, Timestamp(0)), Err(2_500));
        let rates = Rates::new(0, 2_500);
        for _ in 0..9 {
            assert_eq!(rates.take("a", usize::MAX, Timestamp(0)), Ok(()));
        }
    }
}
