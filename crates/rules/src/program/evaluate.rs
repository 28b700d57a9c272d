//! Truth of all segments at `now`: boolean programs over leaf truths, each leaf asked at most once.

use regulars_core::Timestamp;

use super::{LeafStates, Memberships, Op, Program, Scratch};
use crate::subject::Subject;

pub(super) fn evaluate<S: Subject>(
    program: &Program,
    states: &LeafStates,
    subject: &S,
    now: Timestamp,
    scratch: &mut Scratch,
    memberships: &mut Memberships,
) {
    scratch.known.fill(0);
    memberships.clear();
    let (known, truth) = (&mut scratch.known, &mut scratch.truth);
    for &segment in &program.order {
        let leaf_truth = |leaf: u32| {
            let (word, bit) = (leaf as usize / 64, 1_u64 << (leaf % 64));
            if known[word] & bit == 0 {
                known[word] |= bit;
                let holds = program.leaves[leaf as usize].truth(program, states, subject, now);
                truth[word] = if holds {
                    truth[word] | bit
                } else {
                    truth[word] & !bit
                };
            }
            truth[word] & bit != 0
        };
        if run(
            &program.segments[segment as usize].code,
            leaf_truth,
            memberships,
        ) {
            memberships.insert(segment as usize);
        }
    }
}

/// Runs a boolean program. The memberships of the segments it refers to are known.
pub(super) fn run(
    code: &[Op],
    mut leaf_truth: impl FnMut(u32) -> bool,
    memberships: &Memberships,
) -> bool {
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
        }
    }
    truth
}
