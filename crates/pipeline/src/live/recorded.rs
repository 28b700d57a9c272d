//! What everyone's memberships have to do with the transitions that are recorded of them.

use std::collections::{BTreeMap, BTreeSet};

use regulars_core::{CustomerId, SegmentName, Transition, Zone};

use super::engine::Engine;

impl Engine {
    /// The ids under which anything may be recorded of a customer: their own and those of customers
    /// who turned out to be them.
    pub fn ids_of(&self, customer: CustomerId) -> BTreeSet<CustomerId> {
        let customer = self.canonical(customer);
        let person = self.people.get(&customer);
        let merged = person.into_iter().flat_map(|person| &person.merged);
        merged.copied().chain([customer]).collect()
    }

    /// The segments that a customer is in without ever having entered them: since before anything
    /// was recorded.
    pub fn inside_since_ever(&self, customer: CustomerId) -> Vec<SegmentName> {
        let Some(person) = self.people.get(&self.canonical(customer)) else {
            return Vec::new();
        };
        let member = &person.member;
        let inside = member.segments().iter();
        let inside = inside.filter(|&segment| member.sequence(segment) == 0);
        inside
            .map(|segment| self.program.segment_name(segment).clone())
            .collect()
    }

    /// How often somebody turned out to be another, or was parted from whom they turned out to be.
    pub fn identity_changes(&self) -> usize {
        self.identity_changes
    }

    /// The time zone of the workspace, in which days begin and end.
    pub fn zone(&self) -> &Zone {
        &self.context.zone
    }

    /// Members of each segment by what is recorded: what [`Engine::take_found`] would give is not
    /// counted, what is recorded ahead of what is still to be folded is.
    pub fn recorded_sizes(&self) -> BTreeMap<SegmentName, i64> {
        let sizes = self.sizes().into_iter().enumerate();
        let mut sizes: BTreeMap<SegmentName, i64> = sizes
            .map(|(segment, size)| (self.program.segment_name(segment).clone(), size as i64))
            .collect();
        let mut count = |moved: &Transition, by: i64| {
            *sizes.entry(moved.segment.clone()).or_default() += by;
        };
        for found in &self.found {
            count(found, -found.direction.change());
        }
        for ahead in self.recorded_ahead() {
            count(ahead, ahead.direction.change());
        }
        sizes
    }
}
