//! Filters of aggregates, compiled: texts become sets of symbols.

use regulars_core::{Order, OrderLine, Symbol, Symbols, Timestamp, TraitValue, Zone};

use super::{Faults, mutated};
use crate::check::{FilterNode, TextTest, ValueTest};
use crate::tree::Property;

/// A filter over the lines of an order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FilterProgram {
    root: Step,
    /// True when it asks something of lines; else it is about the order as a whole.
    pub(crate) is_of_lines: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    And(Vec<Step>),
    Or(Vec<Step>),
    Not(Box<Step>),
    /// The text is known, and in the set or (if `not`) outside of it. The set is sorted.
    Text {
        property: Property,
        set: Vec<Symbol>,
        not: bool,
    },
    /// The text is known, or (if `not`) unknown.
    Known {
        property: Property,
        not: bool,
    },
    Value(Property, ValueTest),
}

/// A line with its order in view; no line when the filter is about the order.
#[derive(Clone, Copy)]
struct View<'a> {
    order: &'a Order<'a>,
    line: Option<&'a OrderLine>,
}

impl FilterProgram {
    pub(crate) fn new(node: &FilterNode, symbols: &Symbols) -> Self {
        Self {
            root: step(node, symbols),
            is_of_lines: asks_of_lines(node),
        }
    }

    /// True when the order as a whole passes: some line does, or the order itself.
    pub(crate) fn passes(&self, order: &Order<'_>, zone: &Zone, faults: Faults) -> bool {
        if !self.is_of_lines {
            return holds(&self.root, View { order, line: None }, zone, faults);
        }
        if mutated!(faults, FilterAcrossLines)
            && let Step::And(steps) = &self.root
        {
            let any_line = |step: &Step| {
                order.lines.iter().any(|l| {
                    holds(
                        step,
                        View {
                            order,
                            line: Some(l),
                        },
                        zone,
                        faults,
                    )
                })
            };
            return steps.iter().all(any_line);
        }
        order
            .lines
            .iter()
            .any(|line| self.passes_line(order, line, zone, faults))
    }

    /// True when this line of the order passes.
    pub(crate) fn passes_line(
        &self,
        order: &Order<'_>,
        line: &OrderLine,
        zone: &Zone,
        faults: Faults,
    ) -> bool {
        holds(
            &self.root,
            View {
                order,
                line: Some(line),
            },
            zone,
            faults,
        )
    }
}

/// True when a filter tells this text from others.
pub(super) fn asks_for_text(node: &FilterNode, text: &str) -> bool {
    match node {
        FilterNode::And(nodes) | FilterNode::Or(nodes) => {
            nodes.iter().any(|node| asks_for_text(node, text))
        }
        FilterNode::Not(node) => asks_for_text(node, text),
        FilterNode::Property(_, ValueTest::Text(test)) => match test {
            TextTest::In(texts) | TextTest::NotIn(texts) => texts.iter().any(|it| it == text),
            TextTest::Contains(_) | TextTest::StartsWith(_) => test.holds(text),
        },
        FilterNode::Property(..) => false,
    }
}

/// Adds the texts that a filter compares with to `texts`; false when it asks for a part of one.
pub(super) fn texts_compared<'n>(node: &'n FilterNode, texts: &mut Vec<&'n str>) -> bool {
    match node {
        FilterNode::And(nodes) | FilterNode::Or(nodes) => {
            nodes.iter().all(|node| texts_compared(node, texts))
        }
        FilterNode::Not(node) => texts_compared(node, texts),
        FilterNode::Property(_, ValueTest::Text(test)) => match test {
            TextTest::In(compared) | TextTest::NotIn(compared) => {
                texts.extend(compared.iter().map(String::as_str));
                true
            }
            TextTest::Contains(_) | TextTest::StartsWith(_) => false,
        },
        FilterNode::Property(..) => true,
    }
}

fn asks_of_lines(node: &FilterNode) -> bool {
    match node {
        FilterNode::And(nodes) | FilterNode::Or(nodes) => nodes.iter().any(asks_of_lines),
        FilterNode::Not(node) => asks_of_lines(node),
        FilterNode::Property(property, _) => property.is_of_line(),
    }
}

fn step(node: &FilterNode, symbols: &Symbols) -> Step {
    let all = |nodes: &[FilterNode]| nodes.iter().map(|node| step(node, symbols)).collect();
    match node {
        FilterNode::And(nodes) => Step::And(all(nodes)),
        FilterNode::Or(nodes) => Step::Or(all(nodes)),
        FilterNode::Not(node) => Step::Not(Box::new(step(node, symbols))),
        FilterNode::Property(property, test) => {
            let property = *property;
            let is_text = match property {
                Property::Product
                | Property::Category
                | Property::Brand
                | Property::Channel
                | Property::Country => true,
                Property::Quantity
                | Property::Value
                | Property::Discount
                | Property::Discounted => false,
            };
            match test {
                ValueTest::Text(test) => text_step(property, test, symbols),
                ValueTest::IsSet if is_text => Step::Known {
                    property,
                    not: false,
                },
                ValueTest::IsNotSet if is_text => Step::Known {
                    property,
                    not: true,
                },
                other => Step::Value(property, other.clone()),
            }
        }
    }
}

fn text_step(property: Property, test: &TextTest, symbols: &Symbols) -> Step {
    let found = |texts: &[String]| texts.iter().filter_map(|text| symbols.find(text)).collect();
    let (mut set, not): (Vec<Symbol>, bool) = match test {
        TextTest::In(texts) => (found(texts), false),
        TextTest::NotIn(texts) => (found(texts), true),
        TextTest::Contains(_) | TextTest::StartsWith(_) => {
            let known = (1..symbols.len() as u32).map(Symbol);
            (
                known
                    .filter(|&symbol| test.holds(symbols.text(symbol)))
                    .collect(),
                false,
            )
        }
    };
    set.sort_unstable();
    Step::Text { property, set, not }
}

fn holds(step: &Step, view: View<'_>, zone: &Zone, faults: Faults) -> bool {
    match step {
        Step::And(steps) => steps.iter().all(|step| holds(step, view, zone, faults)),
        Step::Or(steps) => steps.iter().any(|step| holds(step, view, zone, faults)),
        Step::Not(step) => !holds(step, view, zone, faults),
        Step::Text { property, set, not } => match view.symbol(*property) {
            None => mutated!(faults, MissingDiffers) && *not,
            Some(symbol) => set.binary_search(&symbol).is_ok() != *not,
        },
        Step::Known { property, not } => view.symbol(*property).is_some() != *not,
        // Properties are no instants: `now` takes no part.
        Step::Value(property, test) => test.holds(view.value(*property), Timestamp::MIN, zone),
    }
}

impl View<'_> {
    fn symbol(self, property: Property) -> Option<Symbol> {
        let symbol = match property {
            Property::Product => self.line?.product,
            Property::Category => self.line?.category,
            Property::Brand => self.line?.brand,
            Property::Channel => self.order.channel,
            Property::Country => self.order.country,
            Property::Quantity | Property::Value | Property::Discount | Property::Discounted => {
                return None;
            }
        };
        symbol.known()
    }

    fn value(self, property: Property) -> TraitValue<'static> {
        let known = |value: Option<TraitValue<'static>>| value.unwrap_or(TraitValue::Missing);
        match property {
            Property::Quantity => known(self.line.map(|line| TraitValue::Number(line.quantity))),
            Property::Value => TraitValue::Money(self.order.net_minor),
            Property::Discount => known(self.order.discount_minor.map(TraitValue::Money)),
            Property::Discounted => known(
                self.order
                    .discount_minor
                    .map(|minor| TraitValue::Flag(minor > 0)),
            ),
            Property::Product
            | Property::Category
            | Property::Brand
            | Property::Channel
            | Property::Country => TraitValue::Missing,
        }
    }
}
