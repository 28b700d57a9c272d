//! The canonical text of a tree: `parse(print(tree)) == tree`.
//!
//! Keywords in lower case, one space between words, parentheses only where they decide something.

use std::fmt::{self, Write as _};

use regulars_core::CalendarUnit;

use crate::tree::{
    Aggregate, CalendarLength, Condition, Filter, FilterCondition, Literal, LiteralValue, Measure,
    Operand, Period, Rule, Test, WhichOrder,
};

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::And(rules) => joined(f, rules, " and ", |rule| {
                matches!(rule, Self::And(_) | Self::Or(_))
            }),
            Self::Or(rules) => joined(f, rules, " or ", |rule| matches!(rule, Self::Or(_))),
            Self::Not(rule) if rule.is_short() => write!(f, "not {rule}"),
            Self::Not(rule) => write!(f, "not ({rule})"),
            Self::InSegment(segment) => write!(f, "in segment {}", segment.name),
            Self::Condition(condition) => f.write_str(&print_condition(condition)),
        }
    }
}

impl Rule {
    /// True when `not` before it reads well without parentheses.
    fn is_short(&self) -> bool {
        match self {
            Self::Everyone | Self::InSegment(_) => true,
            Self::Condition(condition) => matches!(condition.test, Test::Holds),
            Self::And(_) | Self::Or(_) | Self::Not(_) => false,
        }
    }
}

impl fmt::Display for Filter {
    /// As it stands within the parentheses of `where (…)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(filters) => joined(f, filters, " and ", |filter| {
                matches!(filter, Self::And(_) | Self::Or(_))
            }),
            Self::Or(filters) => joined(f, filters, " or ", |filter| matches!(filter, Self::Or(_))),
            Self::Not(filter) => write!(f, "not ({filter})"),
            Self::Property(condition) => f.write_str(&print_property(condition)),
        }
    }
}

fn joined<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    parts: &[T],
    between: &str,
    needs_parentheses: fn(&T) -> bool,
) -> fmt::Result {
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            f.write_str(between)?;
        }
        if needs_parentheses(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

pub(crate) fn print_condition(condition: &Condition) -> String {
    with_test(print_operand(&condition.operand), &condition.test)
}

fn print_property(condition: &FilterCondition) -> String {
    with_test(condition.property.name().to_owned(), &condition.test)
}

fn with_test(operand: String, test: &Test) -> String {
    match test {
        Test::Holds => operand,
        other => operand + " " + &print_test(other),
    }
}

pub(crate) fn print_operand(operand: &Operand) -> String {
    match operand {
        Operand::Trait(which) => which.def().name.to_owned(),
        Operand::Declared(name) if is_plain_name(name) => format!("traits.{name}"),
        Operand::Declared(name) => format!("traits.{}", quoted(name)),
        Operand::Aggregate(aggregate) => print_aggregate(aggregate),
        Operand::OrderTime(time) => {
            let which = match time.which {
                WhichOrder::First => "first order",
                WhichOrder::Last => "last order",
            };
            // A flag at the end would take an `is set` that belongs to the time.
            if ends_with_flag(&time.filter) {
                return format!("{which} where ({})", time.filter);
            }
            format!("{which}{}", print_where(&time.filter))
        }
    }
}

fn is_plain_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn print_aggregate(aggregate: &Aggregate) -> String {
    let mut out = match aggregate.measure {
        Measure::Orders => "orders",
        Measure::Revenue => "revenue",
        Measure::Items => "items",
        Measure::DistinctProducts => "distinct products",
        Measure::DistinctCategories => "distinct categories",
        Measure::DistinctBrands => "distinct brands",
    }
    .to_owned();
    if let Some(filter) = &aggregate.filter {
        out.push_str(&print_where(filter));
    }
    match aggregate.period {
        None => {}
        Some(period) => {
            let _ = match print_current(period) {
                Some(current) => write!(out, " {current}"),
                None => write!(out, " in {}", print_last(period)),
            };
        }
    }
    out
}

/// One condition, or a chain of conditions with `and`, stands without parentheses.
fn print_where(filter: &Filter) -> String {
    let is_condition = |filter: &Filter| matches!(filter, Filter::Property(_));
    match filter {
        Filter::Property(_) => format!(" where {filter}"),
        Filter::And(filters) if filters.iter().all(is_condition) => format!(" where {filter}"),
        _ => format!(" where ({filter})"),
    }
}

fn ends_with_flag(filter: &Filter) -> bool {
    match filter {
        Filter::And(filters) => filters.last().is_some_and(ends_with_flag),
        Filter::Property(condition) => condition.test == Test::Holds,
        Filter::Or(_) | Filter::Not(_) => false,
    }
}

/// `today`, `this month` and the like; `None` for a period that says how many.
pub(crate) fn print_current(period: Period) -> Option<String> {
    match period {
        Period::LastCalendar(CalendarLength { count: 1, unit }) => Some(match unit {
            CalendarUnit::Days => "today".to_owned(),
            unit => format!("this {}", unit.singular()),
        }),
        Period::LastCalendar(_) | Period::Last(_) => None,
    }
}

pub(crate) fn print_last(period: Period) -> String {
    match period {
        Period::Last(length) => format!("last {length}"),
        Period::LastCalendar(CalendarLength { count: 1, unit }) => {
            format!("last 1 calendar {}", unit.singular())
        }
        Period::LastCalendar(CalendarLength { count, unit }) => {
            format!("last {count} calendar {}", unit.name())
        }
    }
}

/// The test as it follows its operand; of [`Test::Holds`] nothing.
pub(crate) fn print_test(test: &Test) -> String {
    match test {
        Test::Holds => String::new(),
        Test::Compare { op, value } => format!("{} {}", op.symbol(), print_literal(value)),
        Test::Between { low, high } => {
            format!("between {} and {}", print_literal(low), print_literal(high))
        }
        Test::In(values) => format!("in ({})", print_list(values)),
        Test::NotIn(values) => format!("not in ({})", print_list(values)),
        Test::Contains(text) => format!("contains {}", print_literal(text)),
        Test::StartsWith(text) => format!("starts with {}", print_literal(text)),
        Test::IsSet => "is set".to_owned(),
        Test::IsNotSet => "is not set".to_owned(),
        Test::BeforeAgo(length) => format!("before {length} ago"),
        Test::Within(Period::Last(length)) => format!("within {length}"),
        Test::Within(period) => match print_current(*period) {
            Some(current) => current,
            None => format!("within {}", print_last(*period)),
        },
        Test::Before(day) => format!("before {}", day.date),
        Test::After(day) => format!("after {}", day.date),
        Test::On(day) => format!("on {}", day.date),
    }
}

fn print_list(values: &[Literal]) -> String {
    values
        .iter()
        .map(print_literal)
        .collect::<Vec<_>>()
        .join(", ")
}

pub(crate) fn print_literal(literal: &Literal) -> String {
    match &literal.value {
        LiteralValue::Number(number) => number.to_string(),
        LiteralValue::Percent(number) => format!("{number}%"),
        LiteralValue::Text(text) => quoted(text),
        LiteralValue::Flag(flag) => flag.to_string(),
        LiteralValue::Date(date) => date.to_string(),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
