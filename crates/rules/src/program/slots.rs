//! What is kept of one customer for each condition that has anything to keep.

use std::collections::VecDeque;

use regulars_core::Timestamp;

/// The slots that are not empty, ascending by number of what they are of: a customer who did
/// nothing costs nothing, and of most conditions most customers have nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slots<T>(Vec<(u32, T)>);

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Slots<T> {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The slots that are not empty.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, slot)| slot)
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        let place = self.place(number).ok();
        place.map(|place| &self.0[place].1)
    }

    pub(super) fn get_or(&mut self, number: u32, empty: impl FnOnce() -> T) -> &mut T {
        let place = self.place(number).unwrap_or_else(|place| {
            // Exactly as much as there is: a million customers have them.
            self.0.reserve_exact(1);
            self.0.insert(place, (number, empty()));
            place
        });
        &mut self.0[place].1
    }

    fn place(&self, number: u32) -> Result<usize, usize> {
        self.0.binary_search_by_key(&number, |&(known, _)| known)
    }
}

/// Amounts with their times, ascending, and their sums within windows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Amounts {
    entries: VecDeque<(Timestamp, i64)>,
    /// By window.
    inside: Box<[Inside]>,
}

/// What was inside a window that ended at the latest entry.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Inside {
    /// Place of the first entry.
    first: usize,
    /// Sum of it and all later ones.
    total: i128,
}

impl Amounts {
    /// Nothing yet, for so many windows.
    pub(super) fn new(windows: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            inside: vec![Inside::default(); windows].into(),
        }
    }

    /// Takes in an amount, in its place.
    pub(super) fn add(&mut self, at: Timestamp, amount: i64) {
        let place = match self.entries.back() {
            Some(&last) if last > (at, amount) => {
                self.entries.partition_point(|known| *known <= (at, amount))
            }
            _ => self.entries.len(),
        };
        self.entries.insert(place, (at, amount));
        for inside in &mut self.inside {
            if place < inside.first {
                inside.first += 1;
            } else {
                inside.total += i128::from(amount);
            }
        }
    }

    /// How many are kept.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Time of the latest.
    pub(super) fn latest(&self) -> Option<Timestamp> {
        self.entries.back().map(|&(time, _)| time)
    }

    /// Drops what is in no window any more, each of which now starts after what `start` says of
    /// its number.
    pub(super) fn forget(&mut self, start: impl Fn(usize) -> Timestamp) {
        for (window, inside) in self.inside.iter_mut().enumerate() {
            let start = start(window);
            while let Some(&(time, gone)) = self.entries.get(inside.first)
                && time <= start
            {
                inside.total -= i128::from(gone);
                inside.first += 1;
            }
        }
        let needless = self.inside.iter().map(|inside| inside.first).min();
        let needless = needless.unwrap_or(0);
        self.entries.drain(..needless);
        for inside in &mut self.inside {
            inside.first -= needless;
        }
    }

    /// The sum of what is in a window that starts after `start`.
    pub(super) fn since(&self, window: usize, start: Timestamp) -> i128 {
        let (total, entries) = self.inside(window);
        let gone = entries.take_while(|(time, _)| *time <= start);
        let gone: i128 = gone.map(|(_, amount)| i128::from(amount)).sum();
        total - gone
    }

    /// What was in a window at the latest entry: its sum, and the entries.
    pub(super) fn inside(
        &self,
        window: usize,
    ) -> (i128, impl Iterator<Item = (Timestamp, i64)> + Clone) {
        let Inside { first, total } = self.inside[window];
        (total, self.entries.range(first..).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_each_window_are_exact_whatever_the_order_of_coming() {
        let lengths = [3, 10];
        let came = [(5, 100), (20, 7), (18, 20), (6, 1), (19, 300), (17, 4000)];
        let mut amounts = Amounts::new(lengths.len());
        for (n, &(at, amount)) in came.iter().enumerate() {
            amounts.add(Timestamp(at), amount);
            let latest = came[..=n].iter().map(|&(at, _)| at).max().unwrap();
            assert_eq!(amounts.latest(), Some(Timestamp(latest)));
            let start = |window: usize| Timestamp(latest - lengths[window]);
            amounts.forget(start);
            for window in 0..lengths.len() {
                for later in 0..4 {
                    let start = start(window).plus_ms(later);
                    let inside = came[..=n].iter().filter(|(at, _)| *at > start.0);
                    let expected: i64 = inside.map(|&(_, amount)| amount).sum();
                    assert_eq!(amounts.since(window, start), i128::from(expected));
                }
            }
        }
        assert_eq!(amounts.entries.len(), 4, "what is in no window is dropped");
    }
}
