//! Every session of somebody, one by one: nothing is too late to find its place, and to find it and
//! to sum what is older than the latest takes no look at the others.

use std::collections::BTreeMap;
use std::ops::Bound;

use regulars_core::Timestamp;

use super::{KEPT, Session, Sessions, Settled, is_silent};

/// Every session of one customer.
#[derive(Debug, Clone, Default)]
pub struct AllSessions {
    by_start: BTreeMap<Timestamp, Session>,
    /// Those of one event.
    bounces: u32,
    /// From the first to the last event of each, together.
    ms: i64,
}

impl AllSessions {
    /// Puts an event in its place; `silence_ms` ends a session.
    pub fn put(&mut self, at: Timestamp, silence_ms: i64) {
        let (mut until, after) = (
            self.by_start.range(..=at),
            (Bound::Excluded(at), Bound::Unbounded),
        );
        let before = until.next_back().map(|(_, session)| *session);
        let next = self.by_start.range(after).next();
        let next = next.map(|(_, session)| *session);
        let before = before.filter(|before| !is_silent(before.end, at, silence_ms));
        let next = next.filter(|next| !is_silent(at, next.start, silence_ms));
        let mut session = Session {
            start: at,
            end: at,
            events: 1,
        };
        for part in before.into_iter().chain(next) {
            self.by_start.remove(&part.start);
            self.bounces -= u32::from(part.is_bounce());
            self.ms -= part.ms();
            session = Session {
                start: session.start.min(part.start),
                end: session.end.max(part.end),
                events: session.events.saturating_add(part.events),
            };
        }
        self.bounces += u32::from(session.is_bounce());
        self.ms += session.ms();
        self.by_start.insert(session.start, session);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_start.len()
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.by_start.is_empty()
    }

    /// The end of the latest session, so far.
    pub fn end(&self) -> Option<Timestamp> {
        let last = self.by_start.last_key_value();
        last.map(|(_, session)| session.end)
    }

    /// The same, with no more than the latest one by one.
    pub(super) fn summed(&self) -> Sessions {
        let mut from_last = self.by_start.values().rev();
        let mut latest: Vec<Session> = from_last.by_ref().take(KEPT).copied().collect();
        latest.reverse();
        let first = self.by_start.first_key_value();
        let settled = from_last.next().zip(first);
        let bounces = latest.iter().filter(|session| session.is_bounce()).count();
        Sessions {
            settled: settled.map(|(last, (&first_start, _))| Settled {
                first_start,
                last_end: last.end,
                sessions: (self.len() - latest.len()) as u32,
                bounces: self.bounces - bounces as u32,
                ms: self.ms - latest.iter().map(|session| session.ms()).sum::<i64>(),
            }),
            latest,
        }
    }
}
