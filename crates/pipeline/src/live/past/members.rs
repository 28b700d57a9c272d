//! What was recorded of everyone's memberships: the latest file, and the transitions since.

use std::collections::{BTreeMap, HashMap};

use regulars_core::{CustomerId, Direction, SegmentName, Timestamp, Transition};
use regulars_store::tables::memberships::{MembershipsSaved, SavedMember};

/// What was recorded of everyone. Segments have numbers, since a million customers are members of
/// dozens each.
#[derive(Debug, Default)]
pub(in crate::live) struct Members {
    names: Vec<SegmentName>,
    numbers: HashMap<SegmentName, usize>,
    /// The latest file, sorted by customer.
    saved: Vec<SavedMember>,
    since: BTreeMap<CustomerId, Vec<(usize, Recall)>>,
}

/// The last transition of a customer and a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::live) struct Recall {
    /// Transitions so far.
    pub(in crate::live) sequence: u64,
    pub(in crate::live) inside: bool,
    pub(in crate::live) at: Timestamp,
}

impl Members {
    /// Those of a file.
    pub(super) fn of(saved: MembershipsSaved) -> Self {
        let MembershipsSaved {
            segments,
            customers,
            ..
        } = saved;
        let numbered = segments.iter().cloned().zip(0..);
        Self {
            numbers: numbered.collect(),
            names: segments,
            saved: customers,
            since: BTreeMap::new(),
        }
    }

    /// Takes a later transition.
    pub(in crate::live) fn note(&mut self, transition: &Transition) {
        let number = self.numbers.get(&transition.segment).copied();
        let number = number.unwrap_or_else(|| {
            let (name, number) = (&transition.segment, self.names.len());
            self.names.push(name.clone());
            self.numbers.insert(name.clone(), number);
            number
        });
        let recall = Recall {
            sequence: transition.sequence,
            inside: transition.direction == Direction::Entered,
            at: transition.occurred_at,
        };
        put(
            self.since.entry(transition.customer).or_default(),
            number,
            recall,
        );
    }

    /// Names of the segments, by number.
    pub(in crate::live) fn names(&self) -> &[SegmentName] {
        &self.names
    }

    /// Calls `each` with what was recorded of each customer, sorted; of each, by name of the segment.
    pub(in crate::live) fn for_each(
        mut self,
        mut each: impl FnMut(CustomerId, &[(usize, Recall)]),
    ) {
        let mut by_name: Vec<usize> = (0..self.names.len()).collect();
        by_name.sort_unstable_by_key(|&number| &self.names[number]);
        let mut ranks = vec![0; by_name.len()];
        for (rank, &number) in by_name.iter().enumerate() {
            ranks[number] = rank;
        }
        let mut states = Vec::new();
        let mut tell = |customer, states: &mut Vec<(usize, Recall)>| {
            states.sort_unstable_by_key(|&(number, _)| ranks[number]);
            each(customer, states);
            states.clear();
        };
        for member in self.saved {
            while let Some(entry) = self.since.first_entry()
                && *entry.key() < member.customer
            {
                let (customer, mut since) = entry.remove_entry();
                tell(customer, &mut since);
            }
            let at = member.last_flip_at;
            states.extend(member.entries.iter().map(|&(number, sequence, inside)| {
                let recall = Recall {
                    sequence,
                    inside,
                    at,
                };
                (usize::from(number), recall)
            }));
            for (number, recall) in self.since.remove(&member.customer).unwrap_or_default() {
                put(&mut states, number, recall);
            }
            tell(member.customer, &mut states);
        }
        for (customer, mut since) in self.since {
            tell(customer, &mut since);
        }
    }
}

/// Puts a state in the place of an earlier one.
fn put(states: &mut Vec<(usize, Recall)>, number: usize, recall: Recall) {
    match states.iter_mut().find(|(known, _)| *known == number) {
        Some((_, earlier)) => *earlier = recall,
        None => states.push((number, recall)),
    }
}

#[cfg(test)]
mod tests {
    use regulars_core::{
        Cause, CustomerId, Direction, SegmentName, Timestamp, Transition, TransitionId,
    };
    use regulars_store::tables::memberships::{MembershipsSaved, SavedMember};

    use super::{Members, Recall};

    fn name(text: &str) -> SegmentName {
        SegmentName::new(text).unwrap()
    }

    fn transition(customer: u64, segment: &str, sequence: u64, at: i64) -> Transition {
        let inside = sequence % 2 == 1;
        Transition {
            id: TransitionId(u128::from(sequence)),
            customer: CustomerId(customer),
            segment: name(segment),
            version: 1,
            sequence,
            direction: if inside {
                Direction::Entered
            } else {
                Direction::Exited
            },
            occurred_at: Timestamp(at),
            recorded_at: Timestamp(at),
            cause: Cause::Time,
        }
    }

    #[test]
    fn what_came_since_counts_and_everyone_is_told_once() {
        let member = |customer, entries| SavedMember {
            customer: CustomerId(customer),
            last_flip_at: Timestamp(10),
            entries,
        };
        let mut members = Members::of(MembershipsSaved {
            folded_to: 5,
            now: Timestamp(20),
            segments: vec![name("loyal"), name("at_risk")],
            customers: vec![
                member(3, vec![(0, 1, true), (1, 2, false)]),
                member(7, vec![(1, 3, true)]),
            ],
        });
        members.note(&transition(3, "at_risk", 3, 30));
        members.note(&transition(3, "at_risk", 4, 31));
        members.note(&transition(5, "new", 1, 32));
        members.note(&transition(5, "loyal", 1, 33));
        members.note(&transition(9, "new", 1, 34));
        let names = members.names().to_vec();
        let mut told = Vec::new();
        members.for_each(|customer, states| {
            for &(
                number,
                Recall {
                    sequence,
                    inside,
                    at,
                },
            ) in states
            {
                told.push((customer.0, names[number].as_str(), sequence, inside, at.0));
            }
        });
        assert_eq!(
            told,
            [
                (3, "at_risk", 4, false, 31),
                (3, "loyal", 1, true, 10),
                (5, "loyal", 1, true, 33),
                (5, "new", 1, true, 32),
                (7, "at_risk", 3, true, 10),
                (9, "new", 1, true, 34),
            ]
        );
    }
}
