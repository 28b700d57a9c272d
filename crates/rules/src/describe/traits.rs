//! Conditions on standard traits in words.

use regulars_core::{Trait, TraitKind};

use super::subject::{Flag, flag_of, subject_of};
use super::{amount_words, any_of, literal_words, measured, spaced, test_words, value_words};
use crate::print::print_literal;
use crate::tree::{CompareOp, Literal, LiteralValue, Measure, Test};

pub(super) fn trait_words(which: Trait, test: &Test) -> String {
    if let Some(flag) = flag_of(which) {
        return flag_words(flag, test);
    }
    let shorthand = which.window().and(which.def().name.split_once("_last_"));
    if let Some((things, days)) = shorthand {
        let measure = match things {
            "orders" => Measure::Orders,
            _ => Measure::Revenue,
        };
        return measured(measure, "", &format!(" in the last {}", spaced(days)), test);
    }
    let words = |literal: &Literal| match (which.def().kind, &literal.value) {
        (TraitKind::Share, LiteralValue::Number(number)) => {
            let (digits, scale) = number.parts();
            match scale {
                0 => format!("{} %", i128::from(digits) * 100),
                1 => format!("{} %", i128::from(digits) * 10),
                _ => format!("{} %", regulars_core::format_minor(digits, scale - 2)),
            }
        }
        (TraitKind::Choice(_), LiteralValue::Text(text)) => format!("“{}”", spaced(text)),
        (TraitKind::Number("days"), LiteralValue::Number(number)) => days(&number.to_string()),
        _ => literal_words(literal),
    };
    format!("{} {}", subject_of(which), test_words(test, &words))
}

fn days(number: &str) -> String {
    match number {
        "1" => "1 day".to_owned(),
        number => format!("{number} days"),
    }
}

/// Days since an order say when it was.
pub(super) fn ago_words(order: &str, test: &Test) -> String {
    let ago = |literal: &Literal| days(&print_literal(literal));
    match test {
        Test::Compare { op, value } => {
            format!("{order} was {} {} ago", amount_words(*op), ago(value))
        }
        Test::Between { low, high } => format!(
            "{order} was between {} and {} ago",
            print_literal(low),
            ago(high)
        ),
        Test::In(values) => format!(
            "{order} was {} ago",
            days(&any_of(values, &print_literal, " or "))
        ),
        Test::NotIn(values) => {
            format!(
                "{order} was not {} ago",
                days(&any_of(values, &print_literal, " or "))
            )
        }
        other => value_words(&format!("the time since {order}"), other),
    }
}

/// Churn levels have names.
pub(super) fn churn_words(test: &Test) -> String {
    let name = |literal: &Literal| {
        let level = print_literal(literal);
        let name = match level.as_str() {
            "1" => "very low",
            "2" => "low",
            "3" => "medium",
            "4" => "high",
            "5" => "critical",
            _ => return level,
        };
        format!("{level} ({name})")
    };
    format!("the churn level {}", test_words(test, &name))
}

pub(super) fn tier_words(test: &Test) -> String {
    let tier = |not: &str, words: String| format!("{not}in the {words} value tier");
    match test {
        Test::Compare {
            op: CompareOp::Equal,
            value,
        } => tier("", stage_word(value)),
        Test::Compare {
            op: CompareOp::NotEqual,
            value,
        } => tier("not ", stage_word(value)),
        Test::In(values) => tier("", any_of(values, &stage_word, " or ")),
        Test::NotIn(values) => tier("not ", any_of(values, &stage_word, " or ")),
        other => value_words("the value tier", other),
    }
}

/// Stages of life are adjectives: `dormant`, `not loyal`.
pub(super) fn stage_words(test: &Test) -> String {
    match test {
        Test::Compare {
            op: CompareOp::Equal,
            value,
        } => stage_word(value),
        Test::Compare {
            op: CompareOp::NotEqual,
            value,
        } => format!("not {}", stage_word(value)),
        Test::In(values) => any_of(values, &stage_word, " or "),
        Test::NotIn(values) => format!("not {}", any_of(values, &stage_word, " or ")),
        other => value_words("the lifecycle stage", other),
    }
}

fn stage_word(literal: &Literal) -> String {
    match &literal.value {
        LiteralValue::Text(stage) => spaced(stage),
        _ => print_literal(literal),
    }
}

fn flag_words(flag: Flag, test: &Test) -> String {
    match test {
        Test::Holds => flag.yes.to_owned(),
        Test::Compare { op, value } => {
            let wanted = value.value == LiteralValue::Flag(true);
            let holds = wanted == (*op == CompareOp::Equal);
            if holds { flag.yes } else { flag.no }.to_owned()
        }
        other => value_words(&format!("whether “{}”", flag.yes), other),
    }
}
