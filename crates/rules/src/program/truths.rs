//! What is true of one customer, kept from look to look.
//!
//! ```text
//! something happens ─► the conditions that it touches are asked again ─────┐
//! time goes by ──────► the parts with something due are asked again ───────┼─► Truths ─► Memberships
//! unknown so far ────► all conditions are asked ───────────────────────────┤
//! the account ───────► what conditions on it come to is taken over ────────┘
//! ```
//!
//! A condition's truth changes because something that it looks at happened, or because time goes
//! by; both are known in advance, so that an event that touches nothing asks nothing.

use regulars_core::Timestamp;

use super::evaluate::{Remembered, run};
use super::leaf::{HORIZON_MS, Search};
use super::{AccountTruths, Change, LeafStates, Memberships, Program, Scratch, mutated};
use crate::subject::Subject;

/// What a condition looks at. Each part has its own next look: a cart that is abandoned asks
/// nothing about orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Orders, and what traits and models make of them; declared traits.
    Orders,
    Events,
    Carts,
    /// The customer's account, of which all its customers are told the same ([`AccountTruths`]).
    Accounts,
}

impl Part {
    pub(super) const COUNT: usize = 4;
    /// Those that are asked of each customer.
    const OWN: [Self; 3] = [Self::Orders, Self::Events, Self::Carts];
}

/// The truth of every condition of a program for one customer, and until when it stays as far as
/// the customer alone decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truths {
    /// By leaf number; empty before the first look.
    bits: Box<[u64]>,
    /// By part: no truth changes before if nothing happens; the greatest instant for never.
    next: [Timestamp; Part::OWN.len()],
}

impl Truths {
    /// Nothing was looked at yet.
    pub fn unknown() -> Self {
        Self {
            bits: Box::default(),
            next: [Timestamp::MAX; Part::OWN.len()],
        }
    }

    /// An instant before which no condition's truth changes if nothing happens, to the customer or
    /// of their account; `None` when none ever does, or nothing was looked at yet. When it comes,
    /// nothing may have changed.
    pub fn next_look(&self) -> Option<Timestamp> {
        let next = self.next.iter().copied().min();
        next.filter(|&at| at < Timestamp::MAX)
    }

    /// True once everything was looked at.
    pub fn is_known(&self) -> bool {
        !self.bits.is_empty()
    }

    fn set(&mut self, leaf: u32, holds: bool) -> bool {
        let (word, bit) = (leaf as usize / 64, 1_u64 << (leaf % 64));
        let held = self.bits[word] & bit != 0;
        if holds {
            self.bits[word] |= bit;
        } else {
            self.bits[word] &= !bit;
        }
        held != holds
    }

    fn holds(&self, leaf: u32) -> bool {
        self.bits[leaf as usize / 64] >> (leaf % 64) & 1 == 1
    }
}

impl Program {
    /// Asks every condition at `now`; those on accounts come to `account`.
    pub fn look<S: Subject>(
        &self,
        truths: &mut Truths,
        account: &AccountTruths,
        states: &LeafStates,
        subject: &S,
        now: Timestamp,
    ) {
        // At least one word: a program without conditions is known as well.
        let words = self.leaves.len().div_ceil(64).max(1);
        truths.bits = vec![0; words].into();
        for part in Part::OWN {
            self.look_at_part(part, truths, states, subject, now);
        }
        self.look_at_account(truths, account);
    }

    /// Takes over what conditions on the customer's account come to; says whether any truth is
    /// another. Everything was looked at once.
    pub fn look_at_account(&self, truths: &mut Truths, account: &AccountTruths) -> bool {
        let leaves = self.parts[Part::Accounts as usize].iter();
        let mut differs = false;
        for (&leaf, &holds) in leaves.zip(&account.holds) {
            differs |= truths.set(leaf, holds);
        }
        differs
    }

    /// Asks the conditions again that may have changed by `now` because time went by; says whether
    /// any did. Nothing else happened since the last look, and everything was looked at once.
    pub fn look_at_due<S: Subject>(
        &self,
        truths: &mut Truths,
        states: &LeafStates,
        subject: &S,
        now: Timestamp,
    ) -> bool {
        let mut differs = false;
        for part in Part::OWN {
            if truths.next[part as usize] <= now {
                differs |= self.look_at_part(part, truths, states, subject, now);
            }
        }
        differs
    }

    /// Asks the conditions again that `change`, which was learnt at `now`, touches; says whether
    /// any truth is another. What was due by `now` was looked at before.
    pub fn look_at_change<S: Subject>(
        &self,
        change: Change,
        truths: &mut Truths,
        states: &LeafStates,
        subject: &S,
        now: Timestamp,
    ) -> bool {
        let mut leaves = self.index.leaves(change);
        if mutated!(self.faults, TouchesOneLess) {
            leaves = leaves.split_last().map_or(&[], |(_, others)| others);
        }
        let Some(&first) = leaves.first() else {
            return false;
        };
        let (differs, next) = self.ask(leaves, truths, states, subject, now);
        let part = self.leaves[first as usize].part() as usize;
        if !mutated!(self.faults, ChangesWakeNobody) {
            truths.next[part] = truths.next[part].min(next);
        }
        differs
    }

    /// The segments that a customer of these truths is in.
    pub fn members<'s>(&self, truths: &Truths, scratch: &'s mut Scratch) -> &'s Memberships {
        scratch.members.clear();
        let leaf_truth = |leaf| truths.holds(leaf);
        run(&self.everything.code, leaf_truth, &mut scratch.members);
        &scratch.members
    }

    fn look_at_part<S: Subject>(
        &self,
        part: Part,
        truths: &mut Truths,
        states: &LeafStates,
        subject: &S,
        now: Timestamp,
    ) -> bool {
        let leaves = &self.parts[part as usize];
        let (differs, next) = self.ask(leaves, truths, states, subject, now);
        truths.next[part as usize] = next;
        differs
    }

    /// Asks some conditions; says whether any truth is another, and when the first of them may
    /// change next.
    fn ask<S: Subject>(
        &self,
        leaves: &[u32],
        truths: &mut Truths,
        states: &LeafStates,
        subject: &S,
        now: Timestamp,
    ) -> (bool, Timestamp) {
        let search = Search::soon(now.plus_ms(HORIZON_MS));
        let mut remembered = Remembered::nothing();
        let (mut differs, mut next) = (false, Timestamp::MAX);
        for &number in leaves {
            let leaf = &self.leaves[number as usize];
            let value = remembered.value(leaf, || leaf.value_alone(self, states, subject, now));
            differs |= truths.set(number, leaf.holds(self, value, now));
            if let Some(flip) = leaf.next_flip(self, states, subject, now, search) {
                next = next.min(flip);
            }
        }
        (differs, next)
    }
}
