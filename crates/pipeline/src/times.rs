//! How long something takes, counted by buckets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets, in milliseconds.
const BOUNDS_MS: [u64; 12] = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/// How long something took, each time that it happened.
#[derive(Debug, Default)]
pub struct Times {
    /// How often it took at most each of the bounds, and more than the bound before.
    within: [AtomicU64; BOUNDS_MS.len()],
    longer: AtomicU64,
    sum_us: AtomicU64,
}

impl Times {
    /// Counts one that took so long.
    pub fn add(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MS.partition_point(|bound| bound * 1_000 < us);
        let count = self.within.get(bucket).unwrap_or(&self.longer);
        count.fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// Bounds in milliseconds, and how often it took at most that long.
    pub fn within_ms(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = BOUNDS_MS.iter().zip(&self.within);
        counts.scan(0, |count, (&bound, within)| {
            *count += within.load(Ordering::Relaxed);
            Some((bound, *count))
        })
    }

    /// How often it took longer than the last bound.
    pub fn longer(&self) -> u64 {
        self.longer.load(Ordering::Relaxed)
    }

    /// All times together, in seconds.
    pub fn sum_seconds(&self) -> f64 {
        self.sum_us.load(Ordering::Relaxed) as f64 / 1e6
    }
}
