//! Members of segments as they are recorded: what later transitions start from.

use std::collections::{BTreeSet, HashSet};

use regulars_core::{Cause, CustomerId, Direction, SegmentName, Transition};
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
                    let Recall {
                        sequence,
                        inside,
                        at,
                    } = recall;
                    person.member.recall(number, sequence, inside, at);
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
            // Of what was removed before versions of that were kept, the first is as good as any.
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
        let Some(number) = number else {
            self.retired.note(segment, customer, recall.sequence);
            return;
        };
        let gone = self.gone.entry(customer).or_insert(SavedMember {
            customer,
            last_flip_at: recall.at,
            entries: Vec::new(),
        });
        gone.last_flip_at = gone.last_flip_at.max(recall.at);
        let entry = (number as u16, recall.sequence, recall.inside);
        // One that was recorded ahead comes after what was known before.
        gone.entries.retain(|&(known, ..)| known != entry.0);
        gone.entries.push(entry);
    }

    /// Takes over the transitions that were recorded ahead of others: records that were folded
    /// again have caused them again, and they are not said twice. Says whether a customer was sent
    /// elsewhere by any that was not found: something else is known now than when they were, and
    /// who is concerned is to be looked at.
    ///
    /// What is found of a customer and segment goes back and forth from what was recorded before,
    /// and so did what was recorded ahead: of the same sequence it has the same direction. The ids
    /// may differ, as they tell the version of the segment, which may be another by now; a
    /// receiver knows the transition by the one that was recorded.
    pub(super) fn find_again(&mut self, ahead: &[Transition], imported: bool) -> bool {
        let Some(recorded_at) = ahead.iter().map(|moved| moved.recorded_at).max() else {
            return false;
        };
        // It was that late already.
        self.now = self.now.max(recorded_at);
        let customers: BTreeSet<CustomerId> = ahead.iter().map(|moved| moved.customer).collect();
        for customer in customers {
            self.advance(self.canonical(customer));
        }
        self.find_all();
        let which = |moved: &Transition| (moved.customer, moved.segment.clone(), moved.sequence);
        let recorded: HashSet<_> = ahead.iter().map(which).collect();
        self.found.retain(|found| !recorded.contains(&which(found)));
        let (mut missing, mut is_any) = (Members::default(), false);
        let mut nobodies = BTreeSet::new();
        for moved in ahead {
            let customer = moved.customer;
            // Of a segment that is no more it is not kept: what was recorded ahead counts.
            let number = self.program.segment_index(&moved.segment);
            if number.is_some_and(|number| self.transitions_of(customer, number) >= moved.sequence)
            {
                continue;
            }
            missing.note(moved);
            if number.is_some() && self.people.contains_key(&customer) {
                is_any = true;
            } else {
                nobodies.insert(customer);
            }
        }
        self.recall(missing, imported);
        for customer in nobodies {
            if self.redirects.contains_key(&customer) {
                self.leave_recorded(customer);
            }
        }
        is_any
    }

    /// How often somebody entered or left a segment by now, who may be nobody any more.
    fn transitions_of(&self, customer: CustomerId, segment: usize) -> u64 {
        if let Some(person) = self.people.get(&customer) {
            return person.member.sequence(segment);
        }
        let entries = self.gone.get(&customer).map(|gone| &gone.entries);
        let mut entries = entries.into_iter().flatten();
        let of_segment = entries.find(|(number, ..)| usize::from(*number) == segment);
        of_segment.map_or(0, |&(_, sequence, _)| sequence)
    }
}
