//! Truth of all segments at `now`: boolean programs over leaf truths.
//!
//! The hot loop of a fold over all customers: nothing is allocated, every leaf and every trait is
//! asked at most once, and only if an earlier one has not decided.

use regulars_core::{Timestamp, TraitValue};

use super::{Leaf, LeafStates, Memberships, Op, Program, Scratch};
use crate::subject::Subject;

/// How many traits' values one evaluation remembers.
pub(super) const REMEMBERED: usize = 16;

/// Values of traits that several leaves ask for, at one instant.
pub(super) struct Remembered<'s> {
    values: [TraitValue<'s>; REMEMBERED],
    /// One bit for each value that is there.
    asked: u32,
}

impl<'s> Remembered<'s> {
    pub(super) fn nothing() -> Self {
        Self {
            values: [TraitValue::Missing; REMEMBERED],
            asked: 0,
        }
    }

    /// The value of a leaf: `ask` is called unless another leaf asked for the same trait before.
    pub(super) fn value(
        &mut self,
        leaf: &Leaf,
        ask: impl FnOnce() -> TraitValue<'s>,
    ) -> TraitValue<'s> {
        let Some(place) = leaf.memory.map(usize::from) else {
            return ask();
        };
        if self.asked >> place & 1 == 0 {
            self.asked |= 1 << place;
            self.values[place] = ask();
        }
        self.values[place]
    }
}

pub(super) fn evaluate<S: Subject>(
    program: &Program,
    code: &[Op],
    states: &LeafStates,
    subject: &S,
    now: Timestamp,
    scratch: &mut Scratch,
    memberships: &mut Memberships,
) {
    scratch.look_from(program, now);
    scratch.known.fill(0);
    memberships.clear();
    let Scratch {
        known,
        truth,
        starts,
        ..
    } = scratch;
    let mut remembered = Remembered::nothing();
    let leaf_truth = |number: u32| {
        let (word, bit) = (number as usize / 64, 1_u64 << (number % 64));
        if known[word] & bit == 0 {
            known[word] |= bit;
            let leaf = &program.leaves[number as usize];
            let value =
                remembered.value(leaf, || leaf.value(program, states, subject, now, starts));
            let holds = leaf.holds(program, value, now);
            truth[word] = if holds {
                truth[word] | bit
            } else {
                truth[word] & !bit
            };
        }
        truth[word] & bit != 0
    };
    run(code, leaf_truth, memberships);
}

/// Runs the boolean programs of a scope, each segment after those that it refers to.
pub(super) fn run(
    code: &[Op],
    mut leaf_truth: impl FnMut(u32) -> bool,
    memberships: &mut Memberships,
) {
    let (mut truth, mut step) = (true, 0);
    while let Some(op) = code.get(step) {
        step += 1;
        match *op {
            Op::Constant(value) => truth = value,
            Op::Leaf(leaf) => truth = leaf_truth(leaf),
            Op::Segment(segment) => truth = memberships.contains(segment as usize),
            Op::Not => truth = !truth,
            Op::JumpIfFalse(target) if !truth => step = target as usize,
            Op::JumpIfTrue(target) if truth => step = target as usize,
            Op::JumpIfFalse(_) | Op::JumpIfTrue(_) => {}
            Op::Member(segment) if truth => memberships.insert(segment as usize),
            Op::Member(_) => {}
        }
    }
}
