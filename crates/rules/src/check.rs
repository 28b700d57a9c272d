//! A tree made sense of: kinds, names, choices, amounts and days.
//!
//! Stands between the tree and the program. A [`CheckedRule`] cannot compare money with a text,
//! name an unknown segment or ask for a choice that does not exist; everything in it that depends
//! on the workspace (currency, zone) is resolved.

mod availability;
mod condition;
mod event;
mod reads;
mod typed;
mod values;

use regulars_core::{Currency, SegmentName, Zone};

use crate::error::RuleError;
use crate::tree::Rule;

pub use availability::{Availability, Present};
pub use reads::{ComparedWith, Reads};
pub(crate) use typed::{
    EventSpec, EventValue, EventsSpec, FilterNode, InstantTest, LeafSpec, MILLIONTHS, MeasureKind,
    MeasureSpec, Node, OrderedTest, Source, TextTest, ValueTest,
};

/// What names and literals of a rule mean in a workspace.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    /// Currency of money literals.
    pub currency: Currency,
    /// Zone of days and calendar windows.
    pub zone: Zone,
    /// Segments that a rule may refer to.
    pub segments: Vec<SegmentName>,
    /// The standard name of what was tracked, if its name is one of a standard event: events stand
    /// under it, however they were sent, so names in rules stand for it too.
    pub standard_event: fn(&str) -> Option<&'static str>,
    /// The standard name of the event that tells an order: what ends by it ends by orders of files
    /// too.
    pub order_event: Option<&'static str>,
}

/// A rule that makes sense in a workspace.
#[derive(Debug, Clone)]
pub struct CheckedRule {
    rule: Rule,
    node: Node,
}

impl CheckedRule {
    /// The tree that was checked.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }
}

/// Checks a tree against a vocabulary.
///
/// # Errors
/// At the first comparison that cannot be, with its place when the tree was read from text.
pub fn check(rule: &Rule, vocabulary: &Vocabulary) -> Result<CheckedRule, RuleError> {
    rule.validate()?;
    Ok(CheckedRule {
        rule: rule.clone(),
        node: check_rule(rule, vocabulary)?,
    })
}

/// The cell of a name such as `rfm_543`, which commands take for a segment.
fn rfm_cell(name: &str) -> Option<&str> {
    let cell = name.strip_prefix("rfm_")?;
    let is_score = |digit| (b'1'..=b'5').contains(&digit);
    (cell.len() == 3 && cell.bytes().all(is_score)).then_some(cell)
}

/// What follows `channel_` in the name of a segment that is made for a channel.
fn channel(name: &str) -> Option<&str> {
    name.strip_prefix("channel_")
        .filter(|name| !name.is_empty())
}

fn check_rule(rule: &Rule, vocabulary: &Vocabulary) -> Result<Node, RuleError> {
    let all = |rules: &[Rule]| -> Result<Vec<Node>, RuleError> {
        rules
            .iter()
            .map(|rule| check_rule(rule, vocabulary))
            .collect()
    };
    Ok(match rule {
        Rule::Everyone => Node::Everyone,
        Rule::And(rules) => Node::And(all(rules)?),
        Rule::Or(rules) => Node::Or(all(rules)?),
        Rule::Not(rule) => Node::Not(Box::new(check_rule(rule, vocabulary)?)),
        Rule::InSegment(segment) => {
            if !vocabulary.segments.contains(&segment.name) {
                let known = vocabulary.segments.iter().map(SegmentName::as_str);
                let name = segment.name.as_str();
                let error = RuleError::unknown("segment", name, known);
                let error = match rfm_cell(name) {
                    Some(cell) => error.hint(format!(
                        "rules ask for a cell by its trait: `rfm_cell = '{cell}'`"
                    )),
                    None => match channel(name).filter(|_| !error.has_hint()) {
                        Some(channel) => error.hint(format!(
                            "rules ask for a channel by its trait, as the data spells it: `first_channel = '{channel}'`"
                        )),
                        None => error,
                    },
                };
                return Err(error.at(segment.span));
            }
            Node::InSegment(segment.name.clone())
        }
        Rule::Condition(condition) => {
            Node::Leaf(condition::check_condition(condition, vocabulary)?)
        }
    })
}
