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

/// Amounts with their times, ascending, and their sum.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Amounts {
    pub(super) total: i128,
    pub(super) entries: VecDeque<(Timestamp, i64)>,
}

impl Amounts {
    pub(super) fn add(&mut self, at: Timestamp, amount: i64) {
        self.total += i128::from(amount);
        let place = match self.entries.back() {
            Some(&last) if last > (at, amount) => {
                self.entries.partition_point(|known| *known <= (at, amount))
            }
            _ => self.entries.len(),
        };
        self.entries.insert(place, (at, amount));
    }

    /// Drops what is not later than `start`.
    pub(super) fn forget(&mut self, start: Timestamp) {
        while let Some((_, gone)) = self.entries.pop_front_if(|(time, _)| *time <= start) {
            self.total -= i128::from(gone);
        }
    }

    /// The sum of what is later than `start`.
    pub(super) fn since(&self, start: Timestamp) -> i128 {
        let gone = self.entries.iter().take_while(|(time, _)| *time <= start);
        let gone: i128 = gone.map(|&(_, amount)| i128::from(amount)).sum();
        self.total - gone
    }
}
