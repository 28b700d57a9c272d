//! The canonical text of a tree: `parse(print(tree)) == tree`.
//!
//! Keywords in lower case, one space between words, parentheses only where they decide something.

use std::fmt;

use regulars_core::CalendarUnit;

use crate::tree::{
    Aggregate, CalendarLength, CartProperty, Condition, EventAggregate, EventMeasure, Events,
    Filter, FilterCondition, Literal, LiteralValue, Measure, Operand, Period, Property,
    PropertyPath, Rule, Sequence, Test, Then, WhichOrder,
};

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::And(rules) => joined(f, rules, " and ", |rule| {
                matches!(rule, Self::And(_) | Self::Or(_)) || rule.ends_in_filter()
            }),
            Self::Or(rules) => joined(f, rules, " or ", |rule| {
                matches!(rule, Self::Or(_)) || rule.ends_in_filter()
            }),
            Self::Not(rule) if rule.is_short() => write!(f, "not {rule}"),
            Self::Not(rule) => write!(f, "not ({rule})"),
            Self::InSegment(segment) => write!(f, "in segment {}", segment.name),
            Self::Condition(condition) => f.write_str(&print_condition(condition)),
        }
    }
}

impl Rule {
    /// True when its text ends within a filter, which would take what follows for its own.
    fn ends_in_filter(&self) -> bool {
        let Self::Condition(condition) = self else {
            return false;
        };
        let Operand::Sequence(sequence) = &condition.operand else {
            return false;
        };
        let (Then::Event(last) | Then::NotEvent(last)) = &sequence.then;
        let is_closed = sequence.within.is_some() || sequence.period.is_some();
        last.filter.is_some() && !is_closed
    }

    /// True when `not` before it reads well without parentheses.
    fn is_short(&self) -> bool {
        match self {
            Self::Everyone | Self::InSegment(_) => true,
            Self::Condition(condition) => {
                condition.test == Test::Holds && !matches!(condition.operand, Operand::Sequence(_))
            }
            Self::And(_) | Self::Or(_) | Self::Not(_) => false,
        }
    }
}

/// A property as rules write it, with its test.
pub(crate) trait PrintProperty {
    fn print(&self, test: &Test) -> String;
}

impl PrintProperty for Property {
    fn print(&self, test: &Test) -> String {
        with_test(self.name().to_owned(), test)
    }
}

impl PrintProperty for PropertyPath {
    fn print(&self, test: &Test) -> String {
        with_test(print_path(self), test)
    }
}

impl PrintProperty for CartProperty {
    fn print(&self, test: &Test) -> String {
        match (self, test) {
            (Self::Changed, Test::BeforeAgo(length)) => format!("idle for {length}"),
            _ => with_test(self.name().to_owned(), test),
        }
    }
}

impl<P: PrintProperty> fmt::Display for Filter<P> {
    /// As it stands within the parentheses of `where (…)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(filters) => joined(f, filters, " and ", |filter| {
                matches!(filter, Self::And(_) | Self::Or(_))
            }),
            Self::Or(filters) => joined(f, filters, " or ", |filter| matches!(filter, Self::Or(_))),
            Self::Not(filter) => write!(f, "not ({filter})"),
            Self::Property(FilterCondition { property, test, .. }) => {
                f.write_str(&property.print(test))
            }
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

fn with_test(operand: String, test: &Test) -> String {
    match test {
        Test::Holds => operand,
        other => operand + " " + &print_test(other),
    }
}

pub(crate) fn print_operand(operand: &Operand) -> String {
    match operand {
        Operand::Trait(which) => which.def().name.to_owned(),
        Operand::Declared(name) => format!("traits.{}", print_name(name)),
        Operand::Account(name) => format!("account.{}", print_name(name)),
        Operand::Aggregate(aggregate) => print_aggregate(aggregate),
        Operand::OrderTime(time) => {
            let which = print_which(time.which);
            // A flag at the end would take an `is set` that belongs to the time.
            if ends_with_flag(&time.filter) {
                return format!("{which} order where ({})", time.filter);
            }
            format!("{which} order{}", print_where(&time.filter))
        }
        Operand::Events(aggregate) => print_event_aggregate(aggregate),
        Operand::EventTime(time) => {
            let events = print_events(time.of.call.singular(), &time.of);
            format!("{} {events}", print_which(time.which))
        }
        Operand::Sequence(sequence) => print_sequence(sequence),
        Operand::Carts(carts) => {
            let filter = carts.filter.as_ref().map(print_where);
            format!("carts{}", filter.unwrap_or_default())
        }
    }
}

/// A name, in quotes where it is no word.
fn print_name(name: &str) -> String {
    if is_plain_name(name) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn print_which(which: WhichOrder) -> &'static str {
    match which {
        WhichOrder::First => "first",
        WhichOrder::Last => "last",
    }
}

fn print_event_aggregate(aggregate: &EventAggregate) -> String {
    let events = print_events(aggregate.of.call.plural(), &aggregate.of);
    let mut out = match &aggregate.measure {
        EventMeasure::Count => events,
        EventMeasure::Sum(path) => format!("sum of {} of {events}", print_path(path)),
        EventMeasure::Distinct(path) => format!("distinct {} of {events}", print_path(path)),
    };
    out.push_str(&print_period(aggregate.period));
    out
}

fn print_sequence(sequence: &Sequence) -> String {
    let one = |events: &Events| print_events(events.call.singular(), events);
    let then = match &sequence.then {
        Then::Event(events) => one(events),
        Then::NotEvent(events) => format!("not {}", one(events)),
    };
    let within = match sequence.within {
        Some(length) => format!(" within {length}"),
        None => String::new(),
    };
    format!(
        "{} then {then}{within}{}",
        one(&sequence.first),
        print_period(sequence.period)
    )
}

/// The word, the names and the filter.
fn print_events(word: &str, events: &Events) -> String {
    let names: Vec<String> = events.names.iter().map(|name| quoted(name)).collect();
    let names = match &names[..] {
        [] => String::new(),
        [name] => format!(" {name}"),
        names => format!(" ({})", names.join(", ")),
    };
    let filter = match &events.filter {
        None => String::new(),
        // A flag at the end would take a comparison that belongs to the count.
        Some(filter) if ends_with_flag(filter) => format!(" where ({filter})"),
        Some(filter) => print_where(filter),
    };
    format!("{word}{names}{filter}")
}

/// The path as it is when each of its parts is a plain name, else in quotes.
pub(crate) fn print_path(path: &PropertyPath) -> String {
    let is_joint = |part: &str| {
        ["and", "or", "not"]
            .iter()
            .any(|joint| part.eq_ignore_ascii_case(joint))
    };
    let is_plain = |part: &str| is_plain_name(part) && !is_joint(part);
    if path.0.split('.').all(is_plain) {
        path.0.clone()
    } else {
        quoted(&path.0)
    }
}

fn print_period(period: Option<Period>) -> String {
    match period {
        None => String::new(),
        Some(period) => match print_current(period) {
            Some(current) => format!(" {current}"),
            None => format!(" in {}", print_last(period)),
        },
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
    out.push_str(&print_period(aggregate.period));
    out
}

/// One condition, or a chain of conditions with `and`, stands without parentheses.
fn print_where<P: PrintProperty>(filter: &Filter<P>) -> String {
    let is_condition = |filter: &Filter<P>| matches!(filter, Filter::Property(_));
    match filter {
        Filter::Property(_) => format!(" where {filter}"),
        Filter::And(filters) if filters.iter().all(is_condition) => format!(" where {filter}"),
        _ => format!(" where ({filter})"),
    }
}

fn ends_with_flag<P>(filter: &Filter<P>) -> bool {
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
