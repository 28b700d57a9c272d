//! The equivalence test can fail: every seeded bug in leaf code makes it do so.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use regulars_rules::{Keep, Mutation};

use crate::equivalence::{case, difference};

/// How many random cases a bug may survive: what takes two lines or two carts, or an element of a
/// list, is rare.
const CASES: usize = 4_096;

#[test]
fn every_seeded_bug_is_caught() {
    let mut runner = TestRunner::deterministic();
    let mut survivors = Mutation::ALL.to_vec();
    for position in 0..CASES {
        if survivors.is_empty() {
            break;
        }
        let case = case().new_tree(&mut runner).unwrap().current();
        survivors.retain(|&mutation| {
            let caught = difference(&case, Keep::Needed, Some(mutation)).is_some();
            if caught {
                println!("{mutation:?} is caught by case {position}");
            }
            !caught
        });
    }
    assert_eq!(survivors, [], "survive {CASES} cases");
}
