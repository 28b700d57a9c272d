//! The equivalence test can fail: every seeded bug in leaf code makes it do so.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use regulars_rules::{Keep, Mutation};

use crate::equivalence::{case, difference};

/// How many random cases a bug may survive: about as many as the property test tries in a run.
const CASES: usize = 1024;

#[test]
fn every_seeded_bug_is_caught() {
    let mut runner = TestRunner::deterministic();
    let cases: Vec<_> = (0..CASES)
        .map(|_| case().new_tree(&mut runner).unwrap().current())
        .collect();
    let mut survivors = Vec::new();
    for mutation in Mutation::ALL {
        let caught = cases
            .iter()
            .position(|case| difference(case, Keep::Needed, Some(mutation)).is_some());
        match caught {
            Some(position) => println!("{mutation:?} is caught by case {position}"),
            None => survivors.push(mutation),
        }
    }
    assert_eq!(survivors, [], "survive {CASES} cases");
}
