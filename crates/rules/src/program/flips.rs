//! The next instant at which segments change if nothing happens.
//!
//! Leaves flip at known instants; between them nothing changes. So the search goes from one leaf's
//! flip to the next, turns that leaf's truth around and runs the boolean programs again, until a
//! watched segment differs from what it was.

use regulars_core::Timestamp;

use super::evaluate::run;
use super::leaf::{HORIZON_MS, Search};
use super::{LeafStates, Program, Scope, Scratch};
use crate::subject::Subject;

pub(super) fn next_flip<S: Subject>(
    program: &Program,
    scope: &Scope,
    watched: &[u32],
    states: &LeafStates,
    subject: &S,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Option<Timestamp> {
    let search = Search::exact(now.plus_ms(HORIZON_MS));
    let flip_of = |leaf: u32, at| {
        program.leaves[leaf as usize].next_flip(program, states, subject, at, search)
    };
    scratch.flips.clear();
    scratch
        .flips
        .extend(scope.leaves.iter().map(|&leaf| flip_of(leaf, now)));
    if scratch.flips.iter().all(Option::is_none) {
        return None;
    }
    scratch.look_from(program, now);
    scratch.truth.fill(0);
    for &leaf in &scope.leaves {
        if program.leaves[leaf as usize].truth(program, states, subject, now, &scratch.starts) {
            scratch.truth[leaf as usize / 64] |= 1 << (leaf % 64);
        }
    }
    run_scope(scope, scratch);
    let before = scratch.members.clone();
    loop {
        let next = scratch.flips.iter().copied().flatten().min()?;
        for (flip, &leaf) in scratch.flips.iter_mut().zip(&scope.leaves) {
            if *flip == Some(next) {
                scratch.truth[leaf as usize / 64] ^= 1 << (leaf % 64);
                *flip = flip_of(leaf, next);
            }
        }
        run_scope(scope, scratch);
        let differs = |&segment: &u32| {
            scratch.members.contains(segment as usize) != before.contains(segment as usize)
        };
        if watched.iter().any(differs) {
            return Some(next);
        }
    }
}

fn run_scope(scope: &Scope, scratch: &mut Scratch) {
    let Scratch { truth, members, .. } = scratch;
    members.clear();
    run(
        &scope.code,
        |leaf| truth[leaf as usize / 64] >> (leaf % 64) & 1 == 1,
        members,
    );
}
