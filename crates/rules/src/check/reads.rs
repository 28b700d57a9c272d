//! What a rule reads: for reverse indexes, documentation and data needs.

use std::collections::BTreeSet;

use regulars_core::{DataNeed, SegmentName, Trait};

use super::typed::ValueTest;
use super::{CheckedRule, Node, Source};
use crate::print::print_operand;
use crate::tree::Rule;

/// What a rule reads, without what the segments that it refers to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reads {
    /// Standard traits. Windowed ones stand under `aggregates`, as which they are evaluated.
    pub traits: BTreeSet<Trait>,
    /// Declared traits.
    pub declared: BTreeSet<String>,
    /// Declared traits and what their values are compared with.
    pub declared_as: BTreeSet<(String, ComparedWith)>,
    /// Traits of the customer's account.
    pub account: BTreeSet<String>,
    /// Aggregates over orders, as canonical text.
    pub aggregates: BTreeSet<String>,
    /// What is asked of events, as canonical text.
    pub events: BTreeSet<String>,
    /// What is asked of open carts, as canonical text.
    pub carts: BTreeSet<String>,
    /// Segments.
    pub segments: BTreeSet<SegmentName>,
    /// Data without which a part of the rule cannot be answered.
    pub needs: BTreeSet<DataNeed>,
}

/// What a value must be for a test to hold of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ComparedWith {
    /// Yes or no.
    Flag,
    /// A number.
    Number,
    /// A text, or an element of a list.
    Text,
    /// A time.
    Instant,
}

impl ComparedWith {
    /// `None` for a test of whether there is any value.
    fn of(test: &ValueTest) -> Option<Self> {
        match test {
            ValueTest::IsSet | ValueTest::IsNotSet => None,
            ValueTest::Flag(_) => Some(Self::Flag),
            ValueTest::Integer(_) | ValueTest::Number(_) => Some(Self::Number),
            ValueTest::Text(_) => Some(Self::Text),
            ValueTest::Instant(_) => Some(Self::Instant),
        }
    }

    /// With its article, for a person.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Flag => "a yes or no",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Instant => "a time",
        }
    }
}

impl CheckedRule {
    /// What the rule reads.
    pub fn reads(&self) -> Reads {
        let mut reads = Reads::default();
        collect(&self.rule, &self.node, &mut reads);
        reads
    }
}

/// Walks tree and checked tree together: they have the same shape.
fn collect(rule: &Rule, node: &Node, reads: &mut Reads) {
    match (rule, node) {
        (Rule::And(rules) | Rule::Or(rules), Node::And(nodes) | Node::Or(nodes)) => {
            for (rule, node) in rules.iter().zip(nodes) {
                collect(rule, node, reads);
            }
        }
        (Rule::Not(rule), Node::Not(node)) => collect(rule, node, reads),
        (Rule::InSegment(_), Node::InSegment(name)) => {
            reads.segments.insert(name.clone());
        }
        (Rule::Condition(condition), Node::Leaf(leaf)) => {
            reads.needs.extend(&leaf.needs);
            match (&leaf.source, &condition.operand) {
                (Source::Trait(which), _) => {
                    reads.traits.insert(*which);
                }
                (Source::Declared(name), _) => {
                    reads.declared.insert(name.clone());
                    let with = ComparedWith::of(&leaf.test);
                    reads
                        .declared_as
                        .extend(with.map(|with| (name.clone(), with)));
                }
                (Source::Account(name), _) => {
                    reads.account.insert(name.clone());
                }
                (Source::Measure(_), operand) => {
                    reads.aggregates.insert(print_operand(operand));
                }
                (Source::Events(_), operand) => {
                    reads.events.insert(print_operand(operand));
                }
                (Source::Carts(_), operand) => {
                    reads.carts.insert(print_operand(operand));
                }
            }
        }
        _ => {}
    }
}
