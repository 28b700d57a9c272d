//! Events that are moved, as the bytes that they are in the log: they are many, and are sorted before
//! they are written.

use std::ops::Range;

use regulars_core::{CustomerId, Timestamp};

use crate::log::event::EventRef;
use crate::log::live;
use crate::vault::IdentityId;

/// Bytes of records in one piece of memory, about.
const PIECE_BYTES: usize = 1 << 20;

/// Events, and the bytes of their records.
#[derive(Debug, Default)]
pub(super) struct MovedEvents {
    places: Vec<EventPlace>,
    pieces: Vec<Vec<u8>>,
}

/// What an event is sorted by, and where its record lies.
#[derive(Debug, Clone)]
pub(super) struct EventPlace {
    pub(super) customer: CustomerId,
    pub(super) occurred_at: Timestamp,
    pub(super) offset: u64,
    pub(super) identity: IdentityId,
    piece: usize,
    bytes: Range<usize>,
}

impl MovedEvents {
    /// Takes an event, of which `record` is the record.
    pub(super) fn push(&mut self, offset: u64, event: &EventRef<'_>, record: &[u8]) {
        let fits = |piece: &Vec<u8>| piece.len() + record.len() <= piece.capacity();
        if !self.pieces.last().is_some_and(fits) {
            let capacity = PIECE_BYTES.max(record.len());
            self.pieces.push(Vec::with_capacity(capacity));
        }
        let piece = self.pieces.len() - 1;
        let begin = self.pieces[piece].len();
        self.pieces[piece].extend_from_slice(record);
        self.places.push(EventPlace {
            customer: event.customer,
            occurred_at: event.occurred_at,
            offset,
            identity: event.identity,
            piece,
            bytes: begin..begin + record.len(),
        });
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &EventPlace> {
        self.places.iter()
    }

    /// Says whose each is now, and sorts them as runs of the history are.
    pub(super) fn sort(&mut self, owner: impl Fn(IdentityId) -> Option<CustomerId>) {
        for place in &mut self.places {
            place.customer = owner(place.identity).unwrap_or(place.customer);
        }
        let order = |place: &EventPlace| (place.customer, place.occurred_at, place.offset);
        self.places.sort_unstable_by_key(order);
    }

    /// Events in their order, those of one partition at a time.
    pub(super) fn by_partition(&self) -> impl Iterator<Item = &[EventPlace]> {
        let partition = |place: &EventPlace| place.customer.partition();
        self.places
            .chunk_by(move |a, b| partition(a) == partition(b))
    }

    /// An event, under the customer whose it is now.
    pub(super) fn get(&self, place: &EventPlace) -> EventRef<'_> {
        let record = &self.pieces[place.piece][place.bytes.clone()];
        let event = live::event_in(record).expect("it was read before it was taken");
        EventRef {
            customer: place.customer,
            ..event
        }
    }
}
