//! How many entered and left a segment, by day or by hour.

use regulars_core::{CivilDate, DAY_MS, Direction, HOUR_MS, Timestamp, Zone};
use regulars_store::WantedTransitions;
use regulars_store::moved::TransitionRow;
use serde::{Deserialize, Serialize};

use super::{Wanted, each_latest_first};

/// Intervals of one answer.
const MOST: usize = 1_000;
/// A flip is recorded so long before its instant at most: a client's clock may be ahead.
const AHEAD_MS: i64 = DAY_MS;

/// Length of the intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Days of the workspace's time zone.
    Day,
    /// Hours.
    Hour,
}

/// Intervals that make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// Nothing lies between the two.
    #[error("`since` must be before `until`, and not in the future")]
    Empty,
    /// More than one answer holds.
    #[error("that are more than {MOST} intervals: ask for less time, or by `day`")]
    TooMany,
}

/// An interval: what happened at its start belongs to it, what happened at its end to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interval {
    /// Where it begins.
    pub start: String,
    /// Where it ends; of the last one, `until`.
    pub end: String,
    /// Times that a customer entered.
    pub entered: u64,
    /// Times that a customer left.
    pub left: u64,
    /// Members at its end; null when that is not known.
    pub members: Option<i64>,
}

/// How many entered and left a segment.
#[derive(Debug, Clone)]
pub struct SegmentHistory {
    /// Where each interval begins, and where the last one ends.
    edges: Vec<Timestamp>,
    /// Entered and left in each.
    moves: Vec<(u64, u64)>,
    /// Entered less left since the last edge.
    since: i64,
}

impl SegmentHistory {
    /// It goes back so far when nothing is said.
    pub const DEFAULT_MS: i64 = 30 * DAY_MS;

    /// Reads of what is wanted (all of one segment, with what came after `until`) what happened
    /// between two instants, in intervals that begin at days or hours of `zone`.
    ///
    /// # Errors
    /// When the intervals are none or too many, or `read` fails.
    pub fn read<E: From<SpanError>>(
        mut wanted: WantedTransitions,
        (since, until): (Timestamp, Timestamp),
        (span, zone): (Span, &Zone),
        read: impl FnMut(&WantedTransitions, usize) -> Result<Vec<TransitionRow>, E>,
    ) -> Result<Self, E> {
        let edges = edges((since, until), span, zone)?;
        let mut history = Self {
            moves: vec![(0, 0); edges.len() - 1],
            edges,
            since: 0,
        };
        wanted.since = since.plus_ms(-AHEAD_MS);
        each_latest_first(wanted, read, |row| {
            history.take(&row);
            Wanted::More
        })?;
        Ok(history)
    }

    fn take(&mut self, row: &TransitionRow) {
        let at = row.transition.occurred_at;
        let after = self.edges.partition_point(|&edge| edge <= at);
        let entered = row.transition.direction == Direction::Entered;
        if after == self.edges.len() {
            self.since += if entered { 1 } else { -1 };
        } else if let Some(number) = after.checked_sub(1) {
            let (enters, leaves) = &mut self.moves[number];
            *(if entered { enters } else { leaves }) += 1;
        }
    }

    /// The intervals, in order, of a segment that has so many members when all that was read has
    /// happened.
    pub fn intervals(&self, members: Option<i64>) -> Vec<Interval> {
        let mut members = members.map(|members| members - self.since);
        let mut intervals = Vec::with_capacity(self.moves.len());
        for (edges, &(entered, left)) in self.edges.windows(2).zip(&self.moves).rev() {
            intervals.push(Interval {
                start: edges[0].to_string(),
                end: edges[1].to_string(),
                entered,
                left,
                members,
            });
            members = members.map(|members| members - entered as i64 + left as i64);
        }
        intervals.reverse();
        intervals
    }
}

/// Where intervals begin, the first at `since`, and where the last one ends.
fn edges(
    (since, until): (Timestamp, Timestamp),
    span: Span,
    zone: &Zone,
) -> Result<Vec<Timestamp>, SpanError> {
    if since >= until {
        return Err(SpanError::Empty);
    }
    let mut edges = vec![since];
    loop {
        let last = edges[edges.len() - 1];
        let next = match span {
            Span::Day => zone.start_of(CivilDate(zone.date_of(last).0 + 1)),
            Span::Hour => Timestamp((last.0.div_euclid(HOUR_MS) + 1) * HOUR_MS),
        };
        if next >= until {
            edges.push(until);
            return Ok(edges);
        }
        if edges.len() == MOST {
            return Err(SpanError::TooMany);
        }
        edges.push(next);
    }
}

#[cfg(test)]
mod tests {
    use regulars_core::{Cause, CustomerId, SegmentName, Transition, TransitionId};
    use regulars_store::moved::TransitionPlace;

    use super::*;

    const START: i64 = 1_795_615_380_000;

    fn row(offset: u64, at: i64, direction: Direction) -> TransitionRow {
        let place = TransitionPlace { offset, number: 0 };
        let transition = Transition {
            id: TransitionId(0),
            customer: CustomerId(offset),
            segment: SegmentName::new("a").unwrap(),
            version: 1,
            sequence: 1,
            direction,
            occurred_at: Timestamp(at),
            recorded_at: Timestamp(at),
            cause: Cause::Time,
        };
        TransitionRow { place, transition }
    }

    fn history(rows: &[TransitionRow], span: Span, hours: i64) -> Vec<Interval> {
        let between = (Timestamp(START), Timestamp(START + hours * HOUR_MS));
        let zone = Zone::named("Europe/Berlin").unwrap();
        let read = |wanted: &WantedTransitions, most: usize| {
            let rows = rows.iter().rev().filter(|row| wanted.takes(row)).take(most);
            Ok::<_, SpanError>(rows.cloned().collect::<Vec<_>>())
        };
        let wanted = WantedTransitions::default();
        let history = SegmentHistory::read(wanted, between, (span, &zone), read).unwrap();
        history.intervals(Some(7))
    }

    #[test]
    fn who_enters_and_leaves_is_counted_in_days_of_the_shop() {
        use Direction::{Entered, Exited};
        let rows = [
            row(0, START - HOUR_MS, Entered),
            row(1, START, Entered),
            row(2, START + 9 * HOUR_MS, Entered),
            // A late event: recorded after what follows.
            row(3, START + 8 * HOUR_MS, Exited),
            row(4, START + 30 * HOUR_MS, Exited),
        ];
        let days = history(&rows, Span::Day, 24);
        let told = days.iter();
        let told = told.map(|of| (of.start.as_str(), of.entered, of.left, of.members));
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                ("2026-11-25T14:03:00Z", 1, 1, Some(7)),
                ("2026-11-25T23:00:00Z", 1, 0, Some(8)),
            ]
        );
        assert_eq!(days[1].end, "2026-11-26T14:03:00Z");
        assert_eq!(history(&rows, Span::Hour, 24).len(), 25);
    }

    #[test]
    fn no_time_and_too_many_intervals_are_refused() {
        let zone = Zone::utc();
        let edges = |hours, span| {
            let until = Timestamp(START + hours * HOUR_MS);
            edges((Timestamp(START), until), span, &zone)
        };
        assert_eq!(edges(0, Span::Day), Err(SpanError::Empty));
        assert_eq!(edges(1_001, Span::Hour), Err(SpanError::TooMany));
        assert_eq!(edges(999, Span::Hour).unwrap().len(), 1_001);
    }
}
