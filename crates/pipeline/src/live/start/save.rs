//! Memberships as they are, written so that a start need not read what led to them.

use std::collections::BTreeMap;

use regulars_core::{CustomerId, SegmentName, Timestamp};
use regulars_store::Store;
use regulars_store::log::{LogRecord, MembershipsNoted};
use regulars_store::tables::memberships::{MembershipsSaved, SavedMember};

use crate::error::PipelineError;
use crate::live::engine::Engine;

/// How many transitions there were of segments that are no more: when one comes back, customers go
/// on counting.
#[derive(Debug, Default)]
pub(in crate::live) struct Retired(BTreeMap<SegmentName, BTreeMap<CustomerId, u64>>);

impl Retired {
    /// Notes the transitions of a customer so far.
    pub(super) fn note(&mut self, segment: &SegmentName, customer: CustomerId, sequence: u64) {
        if !self.0.contains_key(segment) {
            self.0.insert(segment.clone(), BTreeMap::new());
        }
        if let Some(customers) = self.0.get_mut(segment) {
            customers.insert(customer, sequence);
        }
    }

    fn names(&self) -> impl Iterator<Item = &SegmentName> {
        self.0.keys()
    }

    /// What there is to save of everyone; segments are counted from `first` on.
    fn entries(&self, first: usize) -> BTreeMap<CustomerId, Vec<(u16, u64, bool)>> {
        let mut all: BTreeMap<CustomerId, Vec<(u16, u64, bool)>> = BTreeMap::new();
        for (number, customers) in (first..).zip(self.0.values()) {
            for (&customer, &sequence) in customers {
                let entries = all.entry(customer).or_default();
                entries.push((number as u16, sequence, false));
            }
        }
        all
    }
}

impl Engine {
    /// Writes the memberships as they are, so that a start need not read what led to them.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn save(&self, store: &mut Store, recorded_at: Timestamp) -> Result<(), PipelineError> {
        let count = self.program.segment_count();
        let names = (0..count).map(|segment| self.program.segment_name(segment));
        let segments: Vec<SegmentName> = names.chain(self.retired.names()).cloned().collect();
        let mut retired = self.retired.entries(count);
        let mut customers = Vec::new();
        for (&customer, person) in &self.people {
            let member = &person.member;
            let mut entries: Vec<(u16, u64, bool)> = member.entries().collect();
            entries.extend(retired.remove(&customer).unwrap_or_default());
            if !entries.is_empty() {
                customers.push(SavedMember {
                    customer,
                    last_flip_at: member.last_flip_at(),
                    entries,
                });
            }
        }
        for member in self.gone.values() {
            if !self.people.contains_key(&member.customer) {
                let mut member = member.clone();
                let more = retired.remove(&member.customer);
                member.entries.extend(more.unwrap_or_default());
                customers.push(member);
            }
        }
        customers.extend(retired.into_iter().map(|(customer, entries)| SavedMember {
            customer,
            last_flip_at: Timestamp::MIN,
            entries,
        }));
        customers.sort_unstable_by_key(|member| member.customer);
        let saved = MembershipsSaved {
            folded_to: self.folded_to,
            now: self.looked_to(),
            segments,
            customers,
        };
        let mut transaction = store.begin()?;
        transaction.save_memberships(&saved)?;
        transaction.commit(LogRecord::MembershipsSaved(MembershipsNoted {
            recorded_at,
        }))?;
        Ok(())
    }
}
