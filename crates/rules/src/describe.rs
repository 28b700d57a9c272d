//! A rule in words, for people who do not read rules.
//!
//! One plain sentence. It follows the tree, so that nothing that the rule says is left out; fine
//! print that is the same for every rule (what missing values do) is not repeated.

mod event;
mod filter;
mod subject;
mod traits;

use regulars_core::Trait;

use crate::print::{print_current, print_last, print_literal};
use crate::tree::{
    Aggregate, CompareOp, Condition, Literal, LiteralValue, Measure, Operand, Period, Rule, Test,
    WhichOrder,
};
use filter::filter_words;
use subject::flag_of;
use traits::{ago_words, churn_words, stage_words, tier_words, trait_words};

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
        Rule::Not(inside) => match &**inside {
            Rule::Or(rules) => neither(rules),
            _ => rule_words(rule),
        },
        Rule::Everyone | Rule::InSegment(_) | Rule::Condition(_) => rule_words(rule),
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

fn neither(rules: &[Rule]) -> String {
    let words: Vec<String> = rules.iter().map(rule_words).collect();
    format!("neither {}", listed(&words, " nor "))
}

/// A part of a sentence: groups in parentheses, so that it is plain what belongs together.
fn rule_words(rule: &Rule) -> String {
    match rule {
        Rule::Everyone => "every customer".to_owned(),
        Rule::And(rules) => format!("({})", both(rules)),
        Rule::Or(rules) => format!("({})", either(rules)),
        Rule::Not(inside) => not_words(inside),
        Rule::InSegment(segment) => format!("in segment “{}”", spaced(segment.name.as_str())),
        Rule::Condition(condition) => condition_words(condition),
    }
}

fn not_words(inside: &Rule) -> String {
    match inside {
        Rule::Or(rules) => format!("({})", neither(rules)),
        Rule::Not(_) => format!("not ({})", rule_words(inside)),
        Rule::Everyone => "nobody".to_owned(),
        Rule::InSegment(_) | Rule::And(_) => {
            format!("not {}", rule_words(inside))
        }
        Rule::Condition(condition) => match (&condition.operand, &condition.test) {
            (Operand::Trait(which), Test::Holds) if flag_of(*which).is_some() => {
                flag_of(*which).map_or_else(String::new, |flag| flag.no.to_owned())
            }
            (Operand::Aggregate(_), _)
            | (
                Operand::Trait(Trait::Orders | Trait::Revenue | Trait::Items | Trait::Lifecycle),
                _,
            ) => {
                format!("not {}", condition_words(condition))
            }
            _ => format!("it is not true that {}", condition_words(condition)),
        },
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

fn any_of(values: &[Literal], words: &dyn Fn(&Literal) -> String, before_last: &str) -> String {
    listed(&values.iter().map(words).collect::<Vec<_>>(), before_last)
}

fn condition_words(condition: &Condition) -> String {
    let test = &condition.test;
    match &condition.operand {
        Operand::Trait(Trait::Orders) => measured(Measure::Orders, "", "", test),
        Operand::Trait(Trait::Revenue) => measured(Measure::Revenue, "", "", test),
        Operand::Trait(Trait::Items) => measured(Measure::Items, "", "", test),
        Operand::Trait(Trait::Lifecycle) => stage_words(test),
        Operand::Trait(Trait::ChurnLevel) => churn_words(test),
        Operand::Trait(Trait::ValueTier) => tier_words(test),
        Operand::Trait(Trait::DaysSinceFirstOrder) => ago_words("the first order", test),
        Operand::Trait(Trait::DaysSinceLastOrder) => ago_words("the last order", test),
        Operand::Trait(Trait::DaysSinceLastSession) => ago_words("the last session", test),
        Operand::Trait(which) => trait_words(*which, test),
        Operand::Declared(name) => value_words(&spaced(name), test),
        Operand::Account(name) => value_words(&format!("{} of the account", spaced(name)), test),
        Operand::Aggregate(aggregate) => aggregate_words(aggregate, test),
        Operand::OrderTime(time) => {
            let which = match time.which {
                WhichOrder::First => "first",
                WhichOrder::Last => "last",
            };
            let filter = filter_words(&time.filter);
            value_words(&format!("the {which} order with {filter}"), test)
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
    let infinitive = match measure {
        Measure::Orders => "order",
        Measure::Revenue => "spend",
        _ => "buy",
    };
    let number = |literal: &Literal| literal_words(literal);
    let (verb, amount) = match (test, measure) {
        (Test::Compare { op, value }, Measure::Orders) => match (op, print_literal(value).as_str())
        {
            (CompareOp::Equal, "0") | (CompareOp::Less, "1") => {
                return format!("never ordered{filter}{period}");
            }
            (CompareOp::AtLeast, "1") | (CompareOp::Greater, "0") => {
                (verb, "at least once".to_owned())
            }
            (CompareOp::Equal, "1") => (verb, "exactly once".to_owned()),
            (CompareOp::NotEqual, number) => (
                &*format!("did not {infinitive}"),
                format!("exactly {number} times"),
            ),
            (_, "1") => (verb, format!("{} once", amount_words(*op))),
            (_, number) => (verb, format!("{} {number} times", amount_words(*op))),
        },
        (
            Test::Compare {
                op: CompareOp::NotEqual,
                value,
            },
            _,
        ) => (
            &*format!("did not {infinitive}"),
            format!("exactly {} {things}", number(value)),
        ),
        (Test::Compare { op, value }, _) => (
            verb,
            format!("{} {} {things}", amount_words(*op), number(value)),
        ),
        (Test::Between { low, high }, _) => {
            let to = match (whole(low), whole(high)) {
                (Some(low), Some(high)) if low + 1 == high => "or",
                _ => "to",
            };
            (
                verb,
                format!("{} {to} {} {things}", number(low), number(high)),
            )
        }
        (Test::In(values), _) => (
            verb,
            format!("{} {things}", any_of(values, &number, " or ")),
        ),
        (Test::NotIn(values), _) => (
            &*format!("did not {infinitive}"),
            format!("{} {things}", any_of(values, &number, " or ")),
        ),
        (other, _) => {
            let subject = format!("what the customer {verb}{filter}{period}");
            return value_words(&subject, other);
        }
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

fn value_words(subject: &str, test: &Test) -> String {
    format!("{subject} {}", test_words(test, &literal_words))
}

/// The test as it follows its subject; `literal` says a value.
fn test_words(test: &Test, literal: &dyn Fn(&Literal) -> String) -> String {
    let any = |values: &[Literal]| any_of(values, literal, " or ");
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
            format!("{op} {}", literal(value))
        }
        Test::Between { low, high } => {
            let verb = match low.value {
                LiteralValue::Date(_) => "was",
                _ => "is",
            };
            format!("{verb} between {} and {}", literal(low), literal(high))
        }
        Test::In(values) => format!("is {}", any(values)),
        Test::NotIn(values) => format!("is known and not {}", any(values)),
        Test::Contains(text) => format!("contains {}", literal(text)),
        Test::StartsWith(text) => format!("starts with {}", literal(text)),
        Test::IsSet => "is known".to_owned(),
        Test::IsNotSet => "is not known".to_owned(),
        Test::BeforeAgo(length) => format!("was at least {length} ago"),
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

fn whole(literal: &Literal) -> Option<i64> {
    match literal.value {
        LiteralValue::Number(number) if number.parts().1 == 0 => Some(number.parts().0),
        _ => None,
    }
}
