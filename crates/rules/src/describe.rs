//! A rule in words, for people who do not read rules.
//!
//! One plain sentence. It follows the tree, so that nothing that the rule says is left out; fine
//! print that is the same for every rule (what missing values do) is not repeated.

mod event;

use regulars_core::Trait;

use crate::print::{print_current, print_last, print_literal};
use crate::tree::{
    Aggregate, CompareOp, Condition, Filter, Literal, LiteralValue, Measure, Operand, Period,
    Property, Rule, Test, WhichOrder,
};

/// A rule as an English sentence: `Ordered at least 3 times, and not dormant.`
pub fn describe(rule: &Rule) -> String {
    let words = match rule {
        Rule::And(rules) => sentence_parts(rules, ", and "),
        Rule::Or(rules) => sentence_parts(rules, ", or "),
        Rule::Everyone | Rule::Not(_) | Rule::InSegment(_) | Rule::Condition(_) => rule_words(rule),
    };
    let mut chars = words.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        None => words,
    }
}

/// The parts of a whole sentence: a comma before the last one too.
fn sentence_parts(rules: &[Rule], before_last: &str) -> String {
    let words = |rule: &Rule| match rule {
        Rule::And(rules) => both(rules),
        Rule::Or(rules) => either(rules),
        Rule::Everyone | Rule::Not(_) | Rule::InSegment(_) | Rule::Condition(_) => rule_words(rule),
    };
    listed(&rules.iter().map(words).collect::<Vec<_>>(), before_last)
}

fn both(rules: &[Rule]) -> String {
    let words: Vec<String> = rules.iter().map(rule_words).collect();
    format!("both {}", listed(&words, " and "))
}

fn either(rules: &[Rule]) -> String {
    let words: Vec<String> = rules.iter().map(rule_words).collect();
    format!("either {}", listed(&words, " or "))
}

/// A part of a sentence: groups in parentheses, so that it is plain what belongs together.
fn rule_words(rule: &Rule) -> String {
    match rule {
        Rule::Everyone => "every customer".to_owned(),
        Rule::And(rules) => format!("({})", both(rules)),
        Rule::Or(rules) => format!("({})", either(rules)),
        Rule::Not(inside) => match &**inside {
            Rule::Everyone | Rule::InSegment(_) => format!("not {}", rule_words(inside)),
            Rule::Condition(condition) if condition.test == Test::Holds => {
                format!("not {}", rule_words(inside))
            }
            Rule::And(_) | Rule::Or(_) | Rule::Not(_) | Rule::Condition(_) => {
                format!("it is not so that {}", rule_words(inside))
            }
        },
        Rule::InSegment(segment) => format!("in segment “{}”", spaced(segment.name.as_str())),
        Rule::Condition(condition) => condition_words(condition),
    }
}

/// `a and b`; `a, b and c`.
fn listed(words: &[String], before_last: &str) -> String {
    match words.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, rest)) => format!("{}{before_last}{end}", rest.join(", ")),
        None => String::new(),
    }
}

fn any_of(values: &[Literal], words: fn(&Literal) -> String, before_last: &str) -> String {
    listed(&values.iter().map(words).collect::<Vec<_>>(), before_last)
}

fn condition_words(condition: &Condition) -> String {
    let test = &condition.test;
    match &condition.operand {
        Operand::Trait(Trait::Orders) => measured(Measure::Orders, "", "", test),
        Operand::Trait(Trait::Revenue) => measured(Measure::Revenue, "", "", test),
        Operand::Trait(Trait::Items) => measured(Measure::Items, "", "", test),
        Operand::Trait(Trait::Lifecycle) => stage_words(test),
        Operand::Trait(Trait::Consent) => flag_words("agreed to marketing", test),
        Operand::Trait(Trait::AboveMedianOrderValue) => {
            flag_words("average order value at or above the median", test)
        }
        Operand::Trait(which) => value_words(&spaced(which.def().name), test),
        Operand::Declared(name) => value_words(&spaced(name), test),
        Operand::Aggregate(aggregate) => aggregate_words(aggregate, test),
        Operand::OrderTime(time) => {
            let which = match time.which {
                WhichOrder::First => "first",
                WhichOrder::Last => "last",
            };
            let filter = filter_words(&time.filter);
            value_words(&format!("{which} order with {filter}"), test)
        }
        Operand::Events(aggregate) => event::aggregate_words(aggregate, test),
        Operand::EventTime(time) => event::time_words(time, test),
        Operand::Sequence(sequence) => event::sequence_words(sequence),
        Operand::Carts(carts) => event::cart_words(carts, test),
    }
}

fn aggregate_words(aggregate: &Aggregate, test: &Test) -> String {
    let filter = match &aggregate.filter {
        Some(filter) => format!(" with {}", filter_words(filter)),
        None => String::new(),
    };
    measured(
        aggregate.measure,
        &filter,
        &within_words(aggregate.period),
        test,
    )
}

/// ` in the last 7 days`; nothing for ever.
fn within_words(period: Option<Period>) -> String {
    match period {
        Some(period) => match print_current(period) {
            Some(current) => format!(" {current}"),
            None => format!(" in the {}", period_words(period)),
        },
        None => String::new(),
    }
}

/// What was counted or summed, as something that the customer did.
fn measured(measure: Measure, filter: &str, period: &str, test: &Test) -> String {
    let things = match measure {
        Measure::Orders => "times",
        Measure::Revenue => "",
        Measure::Items => "items",
        Measure::DistinctProducts => "different products",
        Measure::DistinctCategories => "different categories",
        Measure::DistinctBrands => "different brands",
    };
    let verb = match measure {
        Measure::Orders => "ordered",
        Measure::Revenue => "spent",
        Measure::Items
        | Measure::DistinctProducts
        | Measure::DistinctCategories
        | Measure::DistinctBrands => "bought",
    };
    let amount = match (test, measure) {
        (Test::IsSet | Test::IsNotSet, _) => {
            let subject = format!("what the customer {verb}{filter}{period}");
            return value_words(&subject, test);
        }
        (Test::Compare { op, value }, Measure::Orders) => match times_words(*op, value) {
            Some(times) => times,
            None => return format!("never ordered{filter}{period}"),
        },
        (Test::Compare { op, value }, _) => {
            format!("{} {} {things}", amount_words(*op), literal_words(value))
        }
        (Test::NotIn(values), _) => {
            format!("not {} {things}", any_of(values, literal_words, " or "))
        }
        (other, _) => format!("{} {things}", test_words(other).trim_start_matches("is ")),
    };
    format!("{verb} {}{filter}{period}", amount.trim_end())
}

/// `at least once`, `more than 3 times`; `None` when it is never.
fn times_words(op: CompareOp, value: &Literal) -> Option<String> {
    match (op, print_literal(value).as_str()) {
        (CompareOp::Equal, "0") | (CompareOp::Less, "1") => None,
        (CompareOp::AtLeast, "1") | (CompareOp::Greater, "0") => Some("at least once".to_owned()),
        (CompareOp::Equal, "1") => Some("exactly once".to_owned()),
        (_, number) => Some(format!("{} {number} times", amount_words(op))),
    }
}

fn amount_words(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Equal => "exactly",
        CompareOp::NotEqual => "not exactly",
        CompareOp::Less => "less than",
        CompareOp::AtMost => "at most",
        CompareOp::Greater => "more than",
        CompareOp::AtLeast => "at least",
    }
}

/// Stages of life are adjectives: `dormant`, `not loyal`.
fn stage_words(test: &Test) -> String {
    match test {
        Test::Compare {
            op: CompareOp::Equal,
            value,
        } => stage_word(value),
        Test::Compare {
            op: CompareOp::NotEqual,
            value,
        } => format!("not {}", stage_word(value)),
        Test::In(values) => any_of(values, stage_word, " or "),
        Test::NotIn(values) => format!("not {}", any_of(values, stage_word, " or ")),
        other => value_words("lifecycle stage", other),
    }
}

fn stage_word(literal: &Literal) -> String {
    match &literal.value {
        LiteralValue::Text(stage) => spaced(stage),
        _ => print_literal(literal),
    }
}

fn flag_words(words: &str, test: &Test) -> String {
    match test {
        Test::Holds => words.to_owned(),
        Test::Compare { op, value } => {
            let wanted = value.value == LiteralValue::Flag(true);
            if wanted == (*op == CompareOp::Equal) {
                words.to_owned()
            } else {
                format!("not {words}")
            }
        }
        other => value_words(&format!("“{words}”"), other),
    }
}

fn value_words(subject: &str, test: &Test) -> String {
    match test {
        Test::Holds => subject.to_owned(),
        other => format!("{subject} {}", test_words(other)),
    }
}

fn test_words(test: &Test) -> String {
    let any = |values: &[Literal]| any_of(values, literal_words, " or ");
    match test {
        Test::Holds => "is true".to_owned(),
        Test::Compare { op, value } => {
            let op = match op {
                CompareOp::Equal => "is",
                CompareOp::NotEqual => "is not",
                CompareOp::Less => "is less than",
                CompareOp::AtMost => "is at most",
                CompareOp::Greater => "is more than",
                CompareOp::AtLeast => "is at least",
            };
            format!("{op} {}", literal_words(value))
        }
        Test::Between { low, high } => {
            format!(
                "is between {} and {}",
                literal_words(low),
                literal_words(high)
            )
        }
        Test::In(values) => format!("is {}", any(values)),
        Test::NotIn(values) => format!("is known and not {}", any(values)),
        Test::Contains(text) => format!("contains {}", literal_words(text)),
        Test::StartsWith(text) => format!("starts with {}", literal_words(text)),
        Test::IsSet => "is known".to_owned(),
        Test::IsNotSet => "is not known".to_owned(),
        Test::BeforeAgo(length) => format!("was {length} ago or earlier"),
        Test::Within(period) => match print_current(*period) {
            Some(current) => format!("was {current}"),
            None => format!("was in the {}", period_words(*period)),
        },
        Test::Before(day) => format!("was before {}", day.date),
        Test::After(day) => format!("was after {}", day.date),
        Test::On(day) => format!("was on {}", day.date),
    }
}

fn period_words(period: Period) -> String {
    match period {
        Period::Last(length) if length.count == 1 => {
            format!("last {}", length.unit.name().trim_end_matches('s'))
        }
        Period::Last(_) | Period::LastCalendar(_) => print_last(period),
    }
}

/// A property with its test, in words.
trait PropertyWords {
    fn words(&self, test: &Test) -> String;
}

fn filter_words<P: PropertyWords>(filter: &Filter<P>) -> String {
    match filter {
        Filter::And(filters) => grouped(filters, " and "),
        Filter::Or(filters) => grouped(filters, " or "),
        Filter::Not(filter) => format!("not ({})", filter_words(filter)),
        Filter::Property(condition) => condition.property.words(&condition.test),
    }
}

fn grouped<P: PropertyWords>(filters: &[Filter<P>], between: &str) -> String {
    let words = |filter: &Filter<P>| match filter {
        Filter::And(_) | Filter::Or(_) => format!("({})", filter_words(filter)),
        Filter::Not(_) | Filter::Property(_) => filter_words(filter),
    };
    filters.iter().map(words).collect::<Vec<_>>().join(between)
}

impl PropertyWords for Property {
    fn words(&self, test: &Test) -> String {
        match test {
            Test::Holds => "a discount".to_owned(),
            other => property_words(self.name(), other),
        }
    }
}

fn property_words(name: &str, test: &Test) -> String {
    match test {
        Test::Compare {
            op: CompareOp::Equal,
            value,
        } => {
            format!("{name} {}", literal_words(value))
        }
        other => format!("{name} that {}", test_words(other)),
    }
}

fn literal_words(literal: &Literal) -> String {
    match &literal.value {
        LiteralValue::Text(text) => format!("“{text}”"),
        LiteralValue::Percent(number) => format!("{number} %"),
        LiteralValue::Number(_) | LiteralValue::Flag(_) | LiteralValue::Date(_) => {
            print_literal(literal)
        }
    }
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}
