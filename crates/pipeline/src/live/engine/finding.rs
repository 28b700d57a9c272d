//! Flips as transitions, with what caused them.

use regulars_core::{
    Cause, CustomerId, EventKind, SegmentName, Timestamp, Transition, TransitionId,
};
use regulars_profile::Flip;
use regulars_rules::Program;
use regulars_store::log::StoredEvent;
use xxhash_rust::xxh3::xxh3_128;

use crate::live::definitions::Definitions;
use crate::live::told::Told;

/// Turns flips of one customer into transitions.
pub(in crate::live) struct Finding<'a> {
    pub(in crate::live) customer: CustomerId,
    pub(in crate::live) program: &'a Program,
    pub(in crate::live) definitions: &'a Definitions,
    pub(in crate::live) recorded_at: Timestamp,
    pub(in crate::live) cause: &'a Cause,
    pub(in crate::live) found: &'a mut Vec<Transition>,
}

impl Finding<'_> {
    pub(in crate::live) fn add(&mut self, flip: Flip) {
        let segment = self.program.segment_name(flip.segment);
        let version = self.definitions.versions.get(segment).copied();
        let version = version.unwrap_or(1);
        self.found.push(Transition {
            id: transition_id(self.customer, segment, version, flip.sequence),
            customer: self.customer,
            segment: segment.clone(),
            version,
            sequence: flip.sequence,
            direction: flip.direction,
            occurred_at: flip.occurred_at,
            recorded_at: self.recorded_at,
            cause: self.cause.clone(),
        });
    }
}

/// The same for the same transition, whenever and however often it is found.
pub(in crate::live) fn transition_id(
    customer: CustomerId,
    segment: &SegmentName,
    version: u32,
    sequence: u64,
) -> TransitionId {
    let mut bytes = Vec::with_capacity(96);
    bytes.extend(customer.0.to_le_bytes());
    bytes.extend(version.to_le_bytes());
    bytes.extend(sequence.to_le_bytes());
    bytes.extend_from_slice(segment.as_str().as_bytes());
    TransitionId(xxh3_128(&bytes))
}

/// The event that was told last, at `offset`, as a cause.
pub(super) fn cause_of(offset: u64, told: &[Told]) -> Cause {
    let name = told.last().map(|told| name_of(&told.event));
    Cause::Event {
        offset,
        name: name.unwrap_or_default(),
    }
}

/// What an event is called where it caused something.
pub(super) fn name_of(event: &StoredEvent) -> String {
    match event.kind {
        EventKind::Track | EventKind::Page | EventKind::Screen if !event.name.is_empty() => {
            event.name.to_string()
        }
        kind => kind.name().to_owned(),
    }
}
