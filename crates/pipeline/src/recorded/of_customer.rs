//! From when to when a customer was in which segment.

use std::collections::{BTreeMap, BTreeSet};

use regulars_core::{Cause, CustomerId, Direction, SegmentName};
use regulars_store::WantedTransitions;
use regulars_store::moved::{TransitionPlace, TransitionRow};
use serde::Serialize;

use super::{Wanted, each_latest_first};

/// From when to when a customer was in a segment.
#[derive(Debug, Clone, Serialize)]
pub struct Stay {
    /// Who, by the customer's id then.
    pub customer_id: Option<String>,
    /// Where.
    pub segment: String,
    /// When they entered; null for who was in it before anything was recorded.
    pub entered_at: Option<String>,
    /// When they left; null for who is in it.
    pub left_at: Option<String>,
    /// What was recorded of the entering.
    pub entered: Option<Move>,
    /// What was recorded of the leaving.
    pub left: Option<Move>,
}

/// A transition of a customer and segment that are told already.
#[derive(Debug, Clone, Serialize)]
pub struct Move {
    /// Its id, which webhooks carry.
    pub id: String,
    /// Which definition of the segment, from 1.
    pub version: u32,
    /// Which transition of this customer and segment, from 1.
    pub sequence: u64,
    /// The time of what found it.
    pub recorded_at: String,
    /// Why.
    pub cause: Cause,
}

impl Move {
    fn of(row: &TransitionRow) -> Self {
        let transition = &row.transition;
        Self {
            id: transition.id.to_string(),
            version: transition.version,
            sequence: transition.sequence,
            recorded_at: transition.recorded_at.to_string(),
            cause: transition.cause.clone(),
        }
    }
}

/// What was recorded of a stay.
#[derive(Debug, Clone)]
struct Known {
    customer: CustomerId,
    segment: SegmentName,
    entered: Option<TransitionRow>,
    left: Option<TransitionRow>,
}

impl Known {
    fn new(
        (customer, segment): (CustomerId, SegmentName),
        entered: Option<TransitionRow>,
        left: Option<TransitionRow>,
    ) -> Self {
        Self {
            customer,
            segment,
            entered,
            left,
        }
    }
}

/// The stays of a customer, those that began last first.
#[derive(Debug, Clone)]
pub struct MembershipHistory {
    stays: Vec<Known>,
    /// Before which the stays after these began; `None` when these are the last.
    pub next: Option<TransitionPlace>,
}

impl MembershipHistory {
    /// Reads at most `most` stays that began before `before`, of what `wanted` says (its own
    /// `before` aside). Those whose beginning was not recorded come last, beside the others: of
    /// these are the segments `since_ever`, in which the customer is without any transition.
    ///
    /// # Errors
    /// Whatever `read` fails with.
    pub fn read<E>(
        wanted: WantedTransitions,
        before: Option<TransitionPlace>,
        most: usize,
        since_ever: &[(CustomerId, SegmentName)],
        read: impl FnMut(&WantedTransitions, usize) -> Result<Vec<TransitionRow>, E>,
    ) -> Result<Self, E> {
        let mut history = Self {
            stays: Vec::new(),
            next: None,
        };
        // Of each customer and segment the leaving whose entering is not read yet.
        let mut left: BTreeMap<(CustomerId, SegmentName), TransitionRow> = BTreeMap::new();
        let mut moved: BTreeSet<(CustomerId, SegmentName)> = BTreeSet::new();
        let only = wanted.segment.clone();
        let mut is_whole = true;
        each_latest_first(wanted, read, |row| {
            let key = (row.transition.customer, row.transition.segment.clone());
            moved.insert(key.clone());
            if row.transition.direction == Direction::Exited {
                left.insert(key, row);
                return Wanted::More;
            }
            let ended = left.remove(&key);
            if before.is_none_or(|before| row.place < before) {
                if history.stays.len() == most {
                    let last = history.stays.last().and_then(|last| last.entered.as_ref());
                    history.next = last.map(|entered| entered.place);
                    is_whole = false;
                    return Wanted::Enough;
                }
                history.stays.push(Known::new(key, Some(row), ended));
            }
            Wanted::More
        })?;
        if is_whole {
            let wanted = |segment: &SegmentName| only.as_ref().is_none_or(|only| only == segment);
            let inside = since_ever.iter().filter(|&key| !moved.contains(key));
            let inside = inside.filter(|(_, segment)| wanted(segment)).cloned();
            let inside = inside.map(|key| Known::new(key, None, None));
            let left = left
                .into_iter()
                .map(|(key, row)| Known::new(key, None, Some(row)));
            history.stays.extend(inside.chain(left));
        }
        Ok(history)
    }

    /// Whose stays they are, in their order.
    pub fn customers(&self) -> Vec<CustomerId> {
        self.stays.iter().map(|known| known.customer).collect()
    }

    /// The stays for whoever asks, with the names of [`MembershipHistory::customers`].
    pub fn views(&self, names: impl IntoIterator<Item = Option<String>>) -> Vec<Stay> {
        let stays = self.stays.iter().zip(names);
        let at = |row: &TransitionRow| row.transition.occurred_at.to_string();
        let view = |(known, customer_id): (&Known, Option<String>)| Stay {
            customer_id,
            segment: known.segment.to_string(),
            entered_at: known.entered.as_ref().map(at),
            left_at: known.left.as_ref().map(at),
            entered: known.entered.as_ref().map(Move::of),
            left: known.left.as_ref().map(Move::of),
        };
        stays.map(view).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use regulars_core::{Timestamp, Transition, TransitionId};

    use super::*;

    fn row(number: u64, segment: &str, direction: Direction) -> TransitionRow {
        let place = TransitionPlace {
            offset: number,
            number: 0,
        };
        let transition = Transition {
            id: TransitionId(u128::from(number)),
            customer: CustomerId(1),
            segment: SegmentName::new(segment).unwrap(),
            version: 1,
            sequence: number,
            direction,
            occurred_at: Timestamp(number as i64),
            recorded_at: Timestamp(number as i64),
            cause: Cause::Time,
        };
        TransitionRow { place, transition }
    }

    fn told(history: &MembershipHistory) -> Vec<(String, Option<u64>, Option<u64>)> {
        let views = history.views(std::iter::repeat(None));
        let sequence = |told: &Option<Move>| told.as_ref().map(|told| told.sequence);
        let stays = views.iter();
        let told = stays.map(|of| {
            (
                of.segment.clone(),
                sequence(&of.entered),
                sequence(&of.left),
            )
        });
        told.collect()
    }

    #[test]
    fn stays_begin_and_end_with_what_was_recorded_page_by_page() {
        use Direction::{Entered, Exited};
        let rows = [
            row(9, "a", Entered),
            row(8, "b", Exited),
            row(7, "a", Exited),
            row(6, "b", Entered),
            row(5, "a", Entered),
            row(4, "c", Exited),
        ];
        let mut read = |wanted: &WantedTransitions, most: usize| {
            let rows = rows.iter().filter(|row| wanted.takes(row)).take(most);
            Ok::<_, Infallible>(rows.cloned().collect::<Vec<_>>())
        };
        let ever = ["a", "d"].map(|name| (CustomerId(1), SegmentName::new(name).unwrap()));
        let mut all = Vec::new();
        let mut before = None;
        loop {
            let wanted = WantedTransitions::default();
            let page = MembershipHistory::read(wanted, before, 2, &ever, &mut read).unwrap();
            all.push(told(&page));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        let stay = |name: &str, entered, left| (name.to_owned(), entered, left);
        assert_eq!(
            all,
            [
                vec![stay("a", Some(9), None), stay("b", Some(6), Some(8))],
                vec![
                    stay("a", Some(5), Some(7)),
                    // Nothing was recorded of this one, `a` has moved since.
                    stay("d", None, None),
                    stay("c", None, Some(4)),
                ],
            ]
        );
        let only = WantedTransitions {
            segment: Some(SegmentName::new("b").unwrap()),
            ..WantedTransitions::default()
        };
        let page = MembershipHistory::read(only, None, 9, &ever, &mut read).unwrap();
        assert_eq!(told(&page), [stay("b", Some(6), Some(8))]);
    }
}
