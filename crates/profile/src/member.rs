//! A customer who moves: facts, what conditions remember, memberships, and when they change next.
//!
//! ```text
//!              ┌─ advance(now): every flip that the passing of time brings, at its instant
//! Member ──────┼─ happened(changes, …): something happened, what it flips
//!              ├─ changed(…): anything may have happened, what it flips
//!              ├─ leave_all(…): nothing of them counts any more
//!              └─ wake_at: nothing flips before
//! ```
//!
//! A pure state machine: the same calls give the same flips. Time never goes back for a member:
//! what is told late counts from the moment at which it is told. What conditions on their account
//! come to is told them, since it is the same for all customers of one.

use regulars_core::{Direction, Timestamp};
use regulars_rules::{AccountTruths, Change, LeafStates, Memberships, Program, Scratch, Truths};

use crate::carts::Carts;
use crate::context::Context;
use crate::customer::Customer;
use crate::profile::{Profile, Purchases};
use crate::sequences::Sequences;

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
    /// The orders as models see them; `None` before a fit or without an order.
    purchases: Option<Purchases>,
    truths: Truths,
    segments: Memberships,
    sequences: Sequences,
    /// Up to when the passing of time has been taken into account.
    seen_to: Timestamp,
    last_flip_at: Timestamp,
}

impl Member {
    /// A customer of whom nothing has been said: in no segment yet.
    pub fn new(profile: Profile, states: LeafStates, program: &Program) -> Self {
        Self {
            profile,
            states,
            carts: Carts::default(),
            purchases: None,
            truths: Truths::unknown(),
            segments: program.no_memberships(),
            sequences: Sequences::default(),
            seen_to: Timestamp::MIN,
            last_flip_at: Timestamp::MIN,
        }
    }

    /// The segments that the customer is in.
    pub fn segments(&self) -> &Memberships {
        &self.segments
    }

    /// Nothing flips before, unless something happens, of their account too; `None` when nothing
    /// flips at all.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.truths.next_look()
    }

    /// Up to when the passing of time has been taken into account.
    pub fn seen_to(&self) -> Timestamp {
        self.seen_to
    }

    /// Transitions of a segment so far.
    pub fn sequence(&self, segment: usize) -> u64 {
        self.sequences.of(segment)
    }

    /// Of each segment that has had transitions: its number, how many, and whether the customer
    /// is inside.
    pub fn entries(&self) -> impl Iterator<Item = (u16, u64, bool)> + '_ {
        self.sequences.iter().map(|(segment, sequence)| {
            let inside = self.segments.contains(usize::from(segment));
            (segment, sequence, inside)
        })
    }

    /// When the customer last entered or left a segment.
    pub fn last_flip_at(&self) -> Timestamp {
        self.last_flip_at
    }

    /// Takes over what is recorded of a segment: the last transition, and whether that led inside.
    pub fn recall(&mut self, segment: usize, sequence: u64, inside: bool, at: Timestamp) {
        self.sequences.set(segment, sequence);
        self.segments.set(segment, inside);
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
        while let Some(at) = self.wake_at().filter(|&at| at <= now) {
            let customer = customer(&self.profile, &self.carts, &self.purchases, world.context);
            let (truths, states) = (&mut self.truths, &self.states);
            if world.program.look_at_due(truths, states, &customer, at) {
                self.move_to_truth(world.program, at, scratch, each);
            }
        }
        self.seen_to = self.seen_to.max(now);
    }

    /// Looks again at every segment after something happened at `occurred_at` that was learnt at
    /// `now`; its flips have that time, but none is earlier than an earlier flip or later than
    /// `now`. Of the account `account` is true by then.
    pub fn changed(
        &mut self,
        world: World<'_>,
        account: &AccountTruths,
        (occurred_at, now): (Timestamp, Timestamp),
        scratch: &mut Scratch,
        each: &mut impl FnMut(Flip),
    ) {
        let now = now.max(self.seen_to);
        self.purchases = None;
        self.catch_up_with_orders(world.context);
        let customer = customer(&self.profile, &self.carts, &self.purchases, world.context);
        world
            .program
            .look(&mut self.truths, account, &self.states, &customer, now);
        self.seen_to = now;
        self.move_to_truth(
            world.program,
            self.flip_time(occurred_at, now),
            scratch,
            each,
        );
    }

    /// As [`Self::changed`], when no more than `changes` happened since everything was looked at,
    /// besides what is another of the account: looks only at what they touch.
    pub fn happened(
        &mut self,
        world: World<'_>,
        (changes, account): (&[Change], &AccountTruths),
        (occurred_at, now): (Timestamp, Timestamp),
        scratch: &mut Scratch,
        each: &mut impl FnMut(Flip),
    ) {
        if !self.truths.is_known() {
            return self.changed(world, account, (occurred_at, now), scratch, each);
        }
        let now = now.max(self.seen_to);
        self.seen_to = now;
        if changes.contains(&Change::Order) {
            self.catch_up_with_orders(world.context);
        }
        let customer = customer(&self.profile, &self.carts, &self.purchases, world.context);
        let (program, truths, states) = (world.program, &mut self.truths, &self.states);
        let mut differs = program.look_at_due(truths, states, &customer, now);
        differs |= program.look_at_account(truths, account);
        for &change in changes {
            differs |= program.look_at_change(change, truths, states, &customer, now);
        }
        if differs {
            self.move_to_truth(program, self.flip_time(occurred_at, now), scratch, each);
        }
    }

    /// Leaves every segment after something happened at `occurred_at` that was learnt at `now`:
    /// nothing of the customer counts any more. With the next look at everything they are there
    /// again, and go on counting.
    pub fn leave_all(
        &mut self,
        (occurred_at, now): (Timestamp, Timestamp),
        each: &mut impl FnMut(Flip),
    ) {
        self.purchases = None;
        self.truths = Truths::unknown();
        self.seen_to = now.max(self.seen_to);
        let occurred_at = self.flip_time(occurred_at, self.seen_to);
        let inside: Vec<usize> = self.segments.iter().collect();
        for segment in inside {
            self.segments.set(segment, false);
            self.last_flip_at = occurred_at;
            each(Flip {
                segment,
                sequence: self.sequences.count_one(segment),
                direction: Direction::Exited,
                occurred_at,
            });
        }
    }

    fn catch_up_with_orders(&mut self, context: &Context) {
        let Some(models) = &context.models else {
            return;
        };
        let (orders, zone) = (&self.profile.orders, &context.zone);
        let known = self.purchases.as_mut();
        if !known.is_some_and(|known| known.catch_up(orders, zone, models.grain)) {
            self.purchases = Purchases::of(orders, zone, models.grain);
        }
    }

    /// When what happened at `occurred_at` and was learnt at `now` counts.
    fn flip_time(&self, occurred_at: Timestamp, now: Timestamp) -> Timestamp {
        occurred_at.min(now).max(self.last_flip_at.min(now))
    }

    /// Enters and leaves segments until they are those of the truths.
    fn move_to_truth(
        &mut self,
        program: &Program,
        occurred_at: Timestamp,
        scratch: &mut Scratch,
        each: &mut impl FnMut(Flip),
    ) {
        let members = program.members(&self.truths, scratch);
        if *members == self.segments {
            return;
        }
        for segment in members.differing(&self.segments) {
            let direction = if members.contains(segment) {
                Direction::Entered
            } else {
                Direction::Exited
            };
            let sequence = self.sequences.count_one(segment);
            each(Flip {
                segment,
                sequence,
                direction,
                occurred_at,
            });
        }
        self.last_flip_at = occurred_at;
        self.segments.copy_from(members);
    }
}

/// A customer as conditions see them.
fn customer<'a>(
    profile: &'a Profile,
    carts: &'a Carts,
    purchases: &'a Option<Purchases>,
    context: &'a Context,
) -> Customer<'a> {
    Customer {
        carts: carts.open(),
        purchases: purchases.as_ref(),
        ..Customer::new(profile, context)
    }
}
