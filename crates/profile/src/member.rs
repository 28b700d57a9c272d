//! A customer who moves: facts, what conditions remember, memberships, and when they change next.
//!
//! ```text
//!              ┌─ advance(now): every flip that the passing of time brings, at its instant
//! Member ──────┼─ change(…): something happened, what it flips
//!              └─ wake_at: nothing flips before
//! ```
//!
//! A pure state machine: the same calls give the same flips. Time never goes back for a member:
//! what is told late counts from the moment at which it is told.

use regulars_core::{Direction, Timestamp};
use regulars_rules::{LeafStates, Memberships, Program, Scratch};

use crate::carts::Carts;
use crate::context::Context;
use crate::customer::Customer;
use crate::profile::Profile;

/// What members are seen against.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// The segments, compiled.
    pub program: &'a Program,
    /// Settings, everyone else, models.
    pub context: &'a Context,
}

/// A customer entered or left a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flip {
    /// Number of the segment in the program.
    pub segment: usize,
    /// Which transition of this customer and segment, counted from 1.
    pub sequence: u64,
    /// In or out.
    pub direction: Direction,
    /// The instant at which it became so.
    pub occurred_at: Timestamp,
}

/// One customer, live.
#[derive(Debug, Clone)]
pub struct Member {
    /// The facts.
    pub profile: Profile,
    /// What conditions remember of orders and events.
    pub states: LeafStates,
    /// Carts.
    pub carts: Carts,
    segments: Memberships,
    /// Transitions so far by segment, ascending; those without any are left out.
    sequences: Vec<(u32, u64)>,
    /// Up to when the passing of time has been taken into account.
    seen_to: Timestamp,
    last_flip_at: Timestamp,
    wake_at: Option<Timestamp>,
}

impl Member {
    /// A customer of whom nothing has been said: in no segment yet.
    pub fn new(profile: Profile, states: LeafStates, program: &Program) -> Self {
        Self {
            profile,
            states,
            carts: Carts::default(),
            segments: program.no_memberships(),
            sequences: Vec::new(),
            seen_to: Timestamp::MIN,
            last_flip_at: Timestamp::MIN,
            wake_at: None,
        }
    }

    /// The segments that the customer is in.
    pub fn segments(&self) -> &Memberships {
        &self.segments
    }

    /// Nothing flips before, unless something happens; `None` when nothing flips at all.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }

    /// Up to when the passing of time has been taken into account.
    pub fn seen_to(&self) -> Timestamp {
        self.seen_to
    }

    /// Transitions of a segment so far.
    pub fn sequence(&self, segment: usize) -> u64 {
        let found = self.position(segment).ok();
        found.map_or(0, |at| self.sequences[at].1)
    }

    /// Of each segment that has had transitions: its number, how many, and whether the customer
    /// is inside.
    pub fn entries(&self) -> impl Iterator<Item = (u16, u64, bool)> + '_ {
        self.sequences.iter().map(|&(segment, sequence)| {
            let inside = self.segments.contains(segment as usize);
            (segment as u16, sequence, inside)
        })
    }

    /// When the customer last entered or left a segment.
    pub fn last_flip_at(&self) -> Timestamp {
        self.last_flip_at
    }

    /// Takes over what is recorded of a segment: its last transition.
    pub fn recall(&mut self, segment: usize, sequence: u64, direction: Direction, at: Timestamp) {
        self.set_sequence(segment, sequence);
        self.segments.set(segment, direction == Direction::Entered);
        self.last_flip_at = self.last_flip_at.max(at);
    }

    /// Lets time pass up to `now`, giving every flip at its instant to `each`.
    pub fn advance(
        &mut self,
        world: World<'_>,
        now: Timestamp,
        scratch: &mut Scratch,
        each: &mut impl FnMut(Flip),
    ) {
        while let Some(at) = self.wake_at.filter(|&at| at <= now) {
            self.look(world, at, at, scratch, each);
        }
        self.seen_to = self.seen_to.max(now);
    }

    /// Looks again at every segment after something happened at `occurred_at` that was learnt at
    /// `now`; its flips have that time, but none is earlier than an earlier flip or later than
    /// `now`.
    pub fn changed(
        &mut self,
        world: World<'_>,
        occurred_at: Timestamp,
        now: Timestamp,
        scratch: &mut Scratch,
        each: &mut impl FnMut(Flip),
    ) {
        let now = now.max(self.seen_to);
        let at = occurred_at.min(now).max(self.last_flip_at.min(now));
        self.look(world, now, at, scratch, each);
    }

    fn look(
        &mut self,
        world: World<'_>,
        now: Timestamp,
        occurred_at: Timestamp,
        scratch: &mut Scratch,
        each: &mut impl FnMut(Flip),
    ) {
        let World { program, context } = world;
        let customer = Customer {
            carts: self.carts.open(),
            ..Customer::new(&self.profile, context)
        };
        let mut members = program.no_memberships();
        program.evaluate(&self.states, &customer, now, scratch, &mut members);
        self.wake_at = program.next_look(&self.states, &customer, now);
        self.seen_to = self.seen_to.max(now);
        if members == self.segments {
            return;
        }
        for segment in 0..program.segment_count() {
            let direction = match (self.segments.contains(segment), members.contains(segment)) {
                (false, true) => Direction::Entered,
                (true, false) => Direction::Exited,
                _ => continue,
            };
            let sequence = self.sequence(segment) + 1;
            self.set_sequence(segment, sequence);
            each(Flip {
                segment,
                sequence,
                direction,
                occurred_at,
            });
        }
        self.last_flip_at = occurred_at;
        self.segments = members;
    }

    fn position(&self, segment: usize) -> Result<usize, usize> {
        self.sequences
            .binary_search_by_key(&(segment as u32), |&(known, _)| known)
    }

    fn set_sequence(&mut self, segment: usize, sequence: u64) {
        match self.position(segment) {
            Ok(at) => self.sequences[at].1 = sequence,
            Err(at) => self.sequences.insert(at, (segment as u32, sequence)),
        }
    }
}
