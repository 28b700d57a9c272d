//! Which messages arrived lately.

use std::collections::{HashSet, VecDeque};

use foldhash::fast::FixedState;
use regulars_core::{DAY_MS, Timestamp};

use crate::live::past::REPEATS_MS;

/// Messages of the last days, so that a repeat is told from a new one.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// By day of arrival, the latest last.
    days: VecDeque<(i64, HashSet<u128, FixedState>)>,
}

impl Seen {
    /// Knows messages, each with its arrival.
    pub(super) fn of(messages: &[(Timestamp, u128)]) -> Self {
        let mut seen = Self::default();
        for &(received_at, message) in messages {
            seen.note(message, received_at);
        }
        seen
    }

    /// True when the message was noted before.
    pub(super) fn contains(&self, message: u128) -> bool {
        self.days.iter().any(|(_, known)| known.contains(&message))
    }

    /// Notes a message.
    pub(super) fn note(&mut self, message: u128, received_at: Timestamp) {
        let day = received_at.0.div_euclid(DAY_MS);
        if self.days.back().is_none_or(|(last, _)| *last < day) {
            self.days.push_back((day, HashSet::default()));
        }
        while self
            .days
            .front()
            .is_some_and(|(first, _)| first * DAY_MS + DAY_MS + REPEATS_MS < received_at.0)
        {
            self.days.pop_front();
        }
        if let Some((_, today)) = self.days.back_mut() {
            today.insert(message);
        }
    }
}
