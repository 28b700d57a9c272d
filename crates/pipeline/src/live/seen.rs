//! Which messages arrived lately, so that a repeat is told from a new one.
//!
//! A shop with millions of events a day has tens of millions of messages in a week, and the thread
//! that asks is the one that everybody waits for. So they lie in many short sorted lists: sixteen
//! bytes each and little more, and none is ever moved to a larger table while others wait.

use std::hash::{BuildHasher, RandomState};

use regulars_core::{DAY_MS, Timestamp};

use crate::live::past::REPEATS_MS;

/// Lists, of which the first bits of a message say which it is in.
const LISTS: usize = 1 << LIST_BITS;
const LIST_BITS: u32 = 16;
/// The day stands where those bits were.
const DAY_MASK: u128 = (1 << LIST_BITS) - 1;
/// Days that a message is known for after the day of its arrival.
const DAYS_KEPT: u16 = (REPEATS_MS / DAY_MS) as u16;
/// A list has room for so large a part more than it holds.
const ROOM: usize = 8;

/// Messages of the last days.
#[derive(Debug)]
pub(super) struct Seen {
    /// Odd, and another in each process: nobody can send messages that all go to one list.
    multiplier: u128,
    lists: Vec<List>,
    /// The latest day of arrival.
    today: u16,
}

#[derive(Debug, Clone, Default)]
struct List {
    /// What is left of a message, then the day of its arrival; sorted.
    messages: Vec<u128>,
    /// When the old ones were dropped last.
    swept_on: u16,
}

impl Default for Seen {
    fn default() -> Self {
        let random = RandomState::new();
        let half = |of: u8| u128::from(random.hash_one(of));
        Self {
            multiplier: half(0) << 64 | half(1) | 1,
            lists: vec![List::default(); LISTS],
            today: 0,
        }
    }
}

impl Seen {
    /// True when the message was noted before.
    pub(super) fn contains(&self, message: u128) -> bool {
        let (list, rest) = self.place_of(message);
        let messages = &self.lists[list].messages;
        let known = messages.get(place_in(messages, rest));
        known.is_some_and(|&known| known & !DAY_MASK == rest && is_kept(known, self.today))
    }

    /// Notes a message.
    pub(super) fn note(&mut self, message: u128, received_at: Timestamp) {
        let day = self.arrive(received_at);
        let (list, rest) = self.place_of(message);
        let List { messages, swept_on } = &mut self.lists[list];
        if *swept_on < self.today {
            messages.retain(|&known| is_kept(known, self.today));
            *swept_on = self.today;
        }
        let place = place_in(messages, rest);
        let known = messages.get(place);
        if known.is_none_or(|known| known & !DAY_MASK != rest) {
            make_room(messages);
            messages.insert(place, rest | u128::from(day));
        }
    }

    fn arrive(&mut self, received_at: Timestamp) -> u16 {
        let day = received_at.0.div_euclid(DAY_MS).clamp(0, u16::MAX.into()) as u16;
        self.today = self.today.max(day);
        day
    }

    /// The list that a message is in, and what it is there, without a day.
    ///
    /// An odd multiplier gives different messages different products: nothing is taken for a
    /// repeat that is none.
    fn place_of(&self, message: u128) -> (usize, u128) {
        let mixed = message.wrapping_mul(self.multiplier);
        (
            (mixed >> (u128::BITS - LIST_BITS)) as usize,
            mixed << LIST_BITS,
        )
    }
}

/// Where the first that is not before `rest` stands: near where it would if all were evenly apart,
/// which they nearly are. That is in one or two lines of the cache; halving would touch a dozen.
fn place_in(messages: &[u128], rest: u128) -> usize {
    let share = ((rest >> 64) * messages.len() as u128) >> 64;
    let mut place = share as usize;
    while place > 0 && messages[place - 1] >= rest {
        place -= 1;
    }
    while messages.get(place).is_some_and(|&known| known < rest) {
        place += 1;
    }
    place
}

fn is_kept(message: u128, today: u16) -> bool {
    today.saturating_sub((message & DAY_MASK) as u16) <= DAYS_KEPT
}

/// Makes room for one more.
fn make_room(messages: &mut Vec<u128>) {
    if messages.len() == messages.capacity() {
        messages.reserve_exact(1 + messages.len() / ROOM);
    }
}

/// Messages in any order, very many at once.
#[derive(Debug, Default)]
pub(super) struct Unsorted(Seen);

impl Unsorted {
    /// Adds a message; it may be there already.
    pub(super) fn add(&mut self, message: u128, received_at: Timestamp) {
        let day = self.0.arrive(received_at);
        let (list, rest) = self.0.place_of(message);
        let messages = &mut self.0.lists[list].messages;
        make_room(messages);
        messages.push(rest | u128::from(day));
    }

    /// All of them.
    pub(super) fn sorted(mut self) -> Seen {
        for list in &mut self.0.lists {
            list.messages.sort_unstable();
            // Of the same message the latest day counts.
            list.messages.dedup_by(|later, known| {
                let is_same = *later & !DAY_MASK == *known & !DAY_MASK;
                if is_same {
                    *known = *later;
                }
                is_same
            });
        }
        self.0
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use regulars_core::{DAY_MS, Timestamp};

    use super::{LISTS, Seen, Unsorted};

    /// A day after a million.
    const START: i64 = 20_000 * DAY_MS;

    #[test]
    fn messages_are_known_for_a_week() {
        let mut seen = Seen::default();
        // Neighbours, and some that only the last bits tell apart.
        let messages: Vec<u128> = (0..5_000_u128)
            .flat_map(|n| [n, n << 100, u128::MAX - n])
            .collect();
        for &message in &messages[3..] {
            assert!(!seen.contains(message), "{message}");
            seen.note(message, Timestamp(START));
            assert!(seen.contains(message), "{message}");
        }
        seen.note(7 << 60, Timestamp(START + 7 * DAY_MS));
        assert!(messages[3..].iter().all(|&message| seen.contains(message)));
        seen.note(8 << 60, Timestamp(START + 8 * DAY_MS));
        assert!(!messages.iter().any(|&message| seen.contains(message)));
        assert!(seen.contains(7 << 60));
    }

    #[test]
    fn what_is_old_takes_no_room_once_its_list_is_used() {
        let mut seen = Seen::default();
        let count = |seen: &Seen| {
            seen.lists
                .iter()
                .map(|list| list.messages.len())
                .sum::<usize>()
        };
        // Hashes, as messages are.
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..20 * LISTS {
            seen.note(rng.random(), Timestamp(START));
        }
        assert_eq!(count(&seen), 20 * LISTS);
        for _ in 0..20 * LISTS {
            seen.note(rng.random(), Timestamp(START + 30 * DAY_MS));
        }
        assert!(count(&seen) < 21 * LISTS, "{}", count(&seen));
    }

    #[test]
    fn many_at_once_are_the_same_as_one_after_the_other() {
        let arrivals: Vec<(u128, Timestamp)> = (0..30_000_i64)
            .map(|n| {
                (
                    u128::from(n.unsigned_abs() % 9_000) << 50,
                    Timestamp(START + n % 12 * DAY_MS),
                )
            })
            .collect();
        let mut many = Unsorted::default();
        let mut latest = std::collections::BTreeMap::new();
        for &(message, at) in &arrivals {
            many.add(message, at);
            let known = latest.entry(message).or_insert(at);
            *known = at.max(*known);
        }
        let many = many.sorted();
        for (message, at) in latest {
            let is_kept = at.0 >= START + 4 * DAY_MS;
            assert_eq!(many.contains(message), is_kept, "{message}");
        }
    }
}
