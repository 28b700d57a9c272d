//! Times of a million customers, of which one moves at a time.

use std::collections::BTreeMap;

use regulars_core::{HOUR_MS, Timestamp};

/// Times, each as often as it was put, by hour: to move one, only its hour is touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Times(BTreeMap<i64, Vec<Timestamp>>);

impl Times {
    /// Puts a time in its place.
    pub(super) fn put(&mut self, at: Timestamp) {
        let times = self.0.entry(hour_of(at)).or_default();
        let place = times.partition_point(|&known| known <= at);
        times.insert(place, at);
    }

    /// Takes out one of the times that are `at`.
    pub(super) fn take(&mut self, at: Timestamp) {
        let hour = hour_of(at);
        let Some(times) = self.0.get_mut(&hour) else {
            return;
        };
        if let Ok(place) = times.binary_search(&at) {
            times.remove(place);
        }
        if times.is_empty() {
            self.0.remove(&hour);
        }
    }

    /// The latest.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.0.values().next_back()?.last().copied()
    }

    /// The first that is later than `start`.
    pub(super) fn first_after(&self, start: Timestamp) -> Option<Timestamp> {
        let later = |times: &Vec<Timestamp>| times.get(until(times, start)).copied();
        let from = self.0.range(hour_of(start)..);
        // Nothing but the first hour may have none.
        from.take(2).find_map(|(_, times)| later(times))
    }

    /// How many are later than `start` and not later than `end`.
    pub(super) fn count(&self, start: Timestamp, end: Timestamp) -> u64 {
        let hours = hour_of(start)..=hour_of(end).max(hour_of(start));
        let inside = self.0.range(hours).map(|(&hour, times)| {
            if hour == hour_of(start) || hour == hour_of(end) {
                until(times, end).saturating_sub(until(times, start))
            } else {
                times.len()
            }
        });
        inside.sum::<usize>() as u64
    }
}

fn hour_of(at: Timestamp) -> i64 {
    at.0.div_euclid(HOUR_MS)
}

/// How many are not later than `at`.
fn until(times: &[Timestamp], at: Timestamp) -> usize {
    times.partition_point(|&known| known <= at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_counted_and_taken_as_in_a_sorted_list() {
        let at = |n: i64| Timestamp((n * 7919 % 977) * HOUR_MS / 13 - 20 * HOUR_MS);
        let (mut times, mut list) = (Times::default(), Vec::new());
        for n in 0..400 {
            if n % 3 == 2 {
                let gone = list.remove((n as usize * 31) % list.len());
                times.take(gone);
            } else {
                times.put(at(n % 150));
                list.push(at(n % 150));
                list.sort_unstable();
            }
            times.take(Timestamp(i64::MAX));
            assert_eq!(times.last(), list.last().copied());
            let (start, end) = (at(n + 5), at(n + 9));
            let first = list.iter().find(|&&known| known > start);
            assert_eq!(times.first_after(start), first.copied());
            let inside = list.iter().filter(|&&known| known > start && known <= end);
            assert_eq!(times.count(start, end), inside.count() as u64);
        }
    }
}
