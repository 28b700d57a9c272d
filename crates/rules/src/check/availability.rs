//! Whether a segment's size can be known from the data that a workspace has.

use std::collections::BTreeSet;

use regulars_core::{DataNeed, SegmentName};
use serde::{Serialize, Serializer};

use super::{CheckedRule, Node, Source};

/// How far a rule can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// Everything that it reads is there.
    Known,
    /// One branch of an `or` cannot be answered: customers may be missing from the segment, or under
    /// `not` be in it, who would not with the data.
    Partial {
        /// What is not there.
        missing: BTreeSet<DataNeed>,
    },
    /// It cannot be answered.
    Unknown {
        /// What is not there.
        missing: BTreeSet<DataNeed>,
    },
}

impl Serialize for Availability {
    /// Always an object: `{"status": "partial", "missing": ["channels"]}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            status: &'static str,
            missing: &'a BTreeSet<DataNeed>,
        }
        let nothing = BTreeSet::new();
        let (status, missing) = match self {
            Self::Known => ("known", &nothing),
            Self::Partial { missing } => ("partial", missing),
            Self::Unknown { missing } => ("unknown", missing),
        };
        Written { status, missing }.serialize(serializer)
    }
}

impl CheckedRule {
    /// Whether the rule can be answered, given which data is there and what is known of the
    /// segments that it refers to.
    pub fn availability(
        &self,
        present: Present<'_>,
        segments: &dyn Fn(&SegmentName) -> Availability,
    ) -> Availability {
        of_node(&self.node, present, segments)
    }
}

/// The data that a workspace has.
#[derive(Clone, Copy)]
pub struct Present<'p> {
    /// Whether there is such data.
    pub has: &'p dyn Fn(DataNeed) -> bool,
    /// Whether anybody has the declared trait of that name.
    pub declares: &'p dyn Fn(&str) -> bool,
    /// Whether any account has the trait of that name.
    pub of_accounts: &'p dyn Fn(&str) -> bool,
}

impl std::fmt::Debug for Present<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Present").finish_non_exhaustive()
    }
}

fn of_node(
    node: &Node,
    present: Present<'_>,
    segments: &dyn Fn(&SegmentName) -> Availability,
) -> Availability {
    let parts = |nodes: &[Node]| {
        nodes
            .iter()
            .map(|node| of_node(node, present, segments))
            .collect::<Vec<_>>()
    };
    match node {
        Node::Everyone => Availability::Known,
        Node::InSegment(name) => segments(name),
        Node::Not(inside) => of_node(inside, present, segments),
        Node::And(nodes) => combined(&parts(nodes), |unknown, _| unknown > 0),
        Node::Or(nodes) => combined(&parts(nodes), |unknown, all| unknown == all),
        Node::Leaf(leaf) => {
            let needs = leaf.needs.iter().copied();
            let mut missing: BTreeSet<_> = needs.filter(|&need| !(present.has)(need)).collect();
            if let Source::Declared(name) = &leaf.source
                && !(present.declares)(name)
            {
                missing.insert(DataNeed::DeclaredTraits);
            }
            if let Source::Account(name) = &leaf.source
                && !(present.of_accounts)(name)
            {
                missing.insert(DataNeed::AccountTraits);
            }
            if missing.is_empty() {
                Availability::Known
            } else {
                Availability::Unknown { missing }
            }
        }
    }
}

/// Unknown when `is_unknown(unknown parts, all parts)`, else partial when any part is not known.
fn combined(parts: &[Availability], is_unknown: fn(usize, usize) -> bool) -> Availability {
    let mut missing = BTreeSet::new();
    let mut unknown = 0;
    for part in parts {
        match part {
            Availability::Known => {}
            Availability::Partial { missing: of_part } => missing.extend(of_part),
            Availability::Unknown { missing: of_part } => {
                unknown += 1;
                missing.extend(of_part);
            }
        }
    }
    if is_unknown(unknown, parts.len()) {
        Availability::Unknown { missing }
    } else if missing.is_empty() {
        Availability::Known
    } else {
        Availability::Partial { missing }
    }
}
