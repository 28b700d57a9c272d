//! How often the history is gone through for a base, and that it comes to the same.

use std::sync::Mutex;

use regulars_core::{CustomerId, SegmentName};
use regulars_pipeline::{Base, FoldOptions, Membership, Progress, Unit};

use crate::scratch::{Scratch, shop_files, shop_workspace};

/// The phases that were begun.
#[derive(Default)]
struct Phases(Mutex<Vec<String>>);

impl Progress for Phases {
    fn begin(&self, phase: &str, _total: u64, _unit: Unit) {
        self.0.lock().unwrap().push(phase.to_owned());
    }

    fn advance(&self, _done: u64) {}
}

/// Members of segments with these rules, and the phases of the fold.
fn members(scratch: &Scratch, rules: &[String]) -> (Vec<Vec<CustomerId>>, Vec<String>) {
    let segments = (0..).zip(rules).map(|(number, rule)| {
        format!("[[segment]]\nname = \"own_{number}\"\nrule = \"\"\"{rule}\"\"\"\n")
    });
    let path = scratch.workspace.segments_dir().join("own.toml");
    std::fs::write(path, segments.collect::<String>()).unwrap();
    let phases = Phases::default();
    let store = scratch.workspace.open_read().unwrap();
    let options = FoldOptions::at(scratch.now(None), 2);
    let config = scratch.workspace.config();
    let base = Base::fold(&store, config, &scratch.catalogue(), options, &phases).unwrap();
    let of_rule = |number: usize| {
        let name = SegmentName::new(&format!("own_{number}")).unwrap();
        let segment = base.program.segment_index(&name).unwrap();
        let all = base.evaluate_one(segment, 1, Vec::new, |all, _, folded, membership| {
            if membership == Membership::In {
                all.push(folded.profile.customer);
            }
        });
        all.concat()
    };
    let members = (0..rules.len()).map(of_rule).collect();
    (members, phases.0.into_inner().unwrap())
}

const ONCE: [&str; 1] = ["folding"];
const TWICE: [&str; 2] = ["folding", "folding conditions"];

#[test]
fn conditions_that_compare_texts_are_folded_with_the_facts() {
    let scratch = shop_workspace();
    scratch.import(&shop_files(&scratch, 400));
    // Categories stand in the table of products, channels nowhere but in orders.
    for (property, text, part) in [("category", "Shoes", "hoes"), ("channel", "email", "mai")] {
        let within = "in last 400 days";
        let rules = [
            format!("orders where {property} = '{text}' {within} >= 1"),
            format!("orders where {property} != '{text}' {within} >= 2"),
            format!("orders {within} >= 2"),
            format!("orders where {property} = 'Submarines' {within} >= 1"),
            format!("orders where {property} contains '{part}' {within} >= 1"),
        ];
        let (once, phases) = members(&scratch, &rules[..4]);
        assert_eq!(phases, ONCE, "{property}");
        let sizes: Vec<usize> = once.iter().map(Vec::len).collect();
        assert!(sizes[..3].iter().all(|&size| size > 10), "{sizes:?}");
        assert_eq!(sizes[3], 0, "{property}");
        // Asked for together with a part of a text, all of them are folded afterwards.
        let (twice, phases) = members(&scratch, &rules);
        assert_eq!(phases, TWICE, "{property}");
        assert_eq!(twice[..4], once, "{property}");
        assert_eq!(twice[4], once[0], "{property}");
    }
}
