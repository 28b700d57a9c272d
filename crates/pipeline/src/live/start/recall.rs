//! Members of segments as they are recorded: what later transitions start from.

use std::collections::{BTreeSet, HashSet};

use regulars_core::{Cause, CustomerId, Direction, SegmentName, Transition, TransitionId};
use regulars_store::tables::memberships::SavedMember;

use crate::live::engine::{Engine, transition_id};
use crate::live::past::{Members, Recall};

impl Engine {
    /// Takes over what is recorded of memberships. Members of segments that are no more leave; so do
    /// those who are nobody any more because files were `imported`, which put all that was known of
    /// them to somebody else.
    pub(super) fn recall(&mut self, members: Members, imported: bool) {
        let names = members.names().to_vec();
        let of_name = |name| self.program.segment_index(name);
        let numbers: Vec<Option<usize>> = names.iter().map(of_name).collect();
        members.for_each(|customer, states| {
            for &(recorded, recall) in states {
                let (name, number) = (&names[recorded], numbers[recorded]);
                let person = self.people.get_mut(&customer);
                if let (Some(number), Some(person)) = (number, person) {
                    let direction = if recall.inside {
                        Direction::Entered
                    } else {
                        Direction::Exited
                    };
                    let Recall { sequence, at, .. } = recall;
                    person.member.recall(number, sequence, direction, at);
                } else {
                    self.recall_of_nobody(customer, (name, number), recall, imported);
                }
            }
        });
    }

    /// Takes over what is recorded of somebody who is nobody any more, or of a segment that is no
    /// more.
    fn recall_of_nobody(
        &mut self,
        customer: CustomerId,
        (segment, number): (&SegmentName, Option<usize>),
        mut recall: Recall,
        imported: bool,
    ) {
        if recall.inside && (imported || number.is_none()) {
            let definitions = &self.definitions;
            let (version, cause) = match number {
                Some(_) => (definitions.versions.get(segment), Cause::Import),
                None => (definitions.removed.get(segment), Cause::Definition),
            };
            let version = version.copied().unwrap_or(1);
            recall = Recall {
                sequence: recall.sequence + 1,
                inside: false,
                at: self.now,
            };
            self.found.push(Transition {
                id: transition_id(customer, segment, version, recall.sequence),
                customer,
                segment: segment.clone(),
                version,
                sequence: recall.sequence,
                direction: Direction::Exited,
                occurred_at: self.now,
                recorded_at: self.now,
                cause,
            });
        }
        if let Some(&into) = self.redirects.get(&customer)
            && let Some(person) = self.people.get_mut(&into)
            && !person.merged.contains(&customer)
        {
            // What is recorded of them is of whom they turned out to be.
            person.merged.push(customer);
        }
        if let Some(number) = number {
            let gone = self.gone.entry(customer).or_insert(SavedMember {
                customer,
                last_flip_at: recall.at,
                entries: Vec::new(),
            });
            gone.last_flip_at = gone.last_flip_at.max(recall.at);
            let entry = (number as u16, recall.sequence, recall.inside);
            gone.entries.push(entry);
        }
    }

    /// Takes transitions that were recorded ahead of the others that were found with them: found
    /// again, they are recorded once. Where the rest of what was known then was lost and something
    /// else is true now, customers go on from what was told of them.
    pub(super) fn take_ahead(&mut self, ahead: Vec<Transition>) {
        if ahead.is_empty() {
            return;
        }
        let told: HashSet<TransitionId> = ahead.iter().map(|transition| transition.id).collect();
        let (again, found) = std::mem::take(&mut self.found)
            .into_iter()
            .partition(|transition| told.contains(&transition.id));
        self.found = found;
        let again: Vec<Transition> = again;
        let again: HashSet<TransitionId> = again.iter().map(|transition| transition.id).collect();
        let mut differing = BTreeSet::new();
        for transition in ahead
            .iter()
            .filter(|transition| !again.contains(&transition.id))
        {
            let number = self.program.segment_index(&transition.segment);
            let person = self.people.get_mut(&transition.customer);
            if let (Some(number), Some(person)) = (number, person)
                && person.member.sequence(number) < transition.sequence
            {
                let (direction, at) = (transition.direction, transition.occurred_at);
                person
                    .member
                    .recall(number, transition.sequence, direction, at);
                differing.insert(transition.customer);
                // It was that late already.
                self.now = self.now.max(transition.recorded_at);
            }
        }
        for customer in differing {
            self.look_at(customer, self.now, &Cause::CatchUp);
        }
    }
}
