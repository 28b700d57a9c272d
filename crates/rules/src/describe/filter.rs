//! Filters and the properties that they ask for, in words.

use super::{amount_words, any_of, literal_words, test_words};
use crate::tree::{CompareOp, Filter, Literal, LiteralValue, Property, Test};

/// A property with its test, in words.
pub(super) trait PropertyWords {
    fn words(&self, test: &Test) -> String;

    /// That it does not have it.
    fn opposite(&self, test: &Test) -> String {
        format!("not ({})", self.words(test))
    }
}

pub(super) fn filter_words<P: PropertyWords>(filter: &Filter<P>) -> String {
    match filter {
        Filter::And(filters) => grouped(filters, " and "),
        Filter::Or(filters) => grouped(filters, " or "),
        Filter::Not(filter) => match &**filter {
            Filter::Property(condition) => condition.property.opposite(&condition.test),
            Filter::And(_) | Filter::Or(_) | Filter::Not(_) => {
                format!("anything but ({})", filter_words(filter))
            }
        },
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
            Test::Compare { op, value } if *self == Self::Discounted => {
                let wanted = value.value == LiteralValue::Flag(true);
                let holds = wanted == (*op == CompareOp::Equal);
                if holds { "a discount" } else { "no discount" }.to_owned()
            }
            other => property_words(self.name(), other),
        }
    }

    fn opposite(&self, test: &Test) -> String {
        match test {
            Test::Holds => "no discount".to_owned(),
            other => format!("anything but {}", self.words(other)),
        }
    }
}

/// What something has: `a quantity of at least 2`.
pub(super) fn property_words(name: &str, test: &Test) -> String {
    let any = |values: &[Literal]| any_of(values, &literal_words, " or ");
    match test {
        Test::Holds => name.to_owned(),
        Test::Compare { op, value } => match op {
            CompareOp::Equal => format!("{name} {}", literal_words(value)),
            CompareOp::NotEqual => format!("a {name} other than {}", literal_words(value)),
            op => format!("a {name} of {} {}", amount_words(*op), literal_words(value)),
        },
        Test::Between { low, high } => {
            format!(
                "a {name} from {} to {}",
                literal_words(low),
                literal_words(high)
            )
        }
        Test::In(values) => format!("{name} {}", any(values)),
        Test::NotIn(values) => format!("a {name} other than {}", any(values)),
        Test::IsSet => format!("a known {name}"),
        Test::IsNotSet => format!("no known {name}"),
        other => format!("a {name} that {}", test_words(other, &literal_words)),
    }
}
