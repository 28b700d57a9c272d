//! The tree as JSON: stable names, and what a tree from JSON must satisfy.
//!
//! A tree from text satisfies it by the grammar; [`Rule::from_json`] and the check satisfy
//! themselves of it, so that every checked tree can be printed and read back.

use super::{
    Aggregate, Condition, EventAggregate, EventMeasure, Events, Filter, Length, Literal,
    LiteralValue, Measure, Operand, Period, PropertyPath, Rule, Sequence, Test, Then,
};
use crate::error::{RuleError, RuleProblem};
use crate::parse::{MAX_DEPTH, MAX_TEXT_BYTES};
use regulars_core::Trait;

/// A day as `YYYY-MM-DD`.
pub(super) mod date {
    use regulars_core::CivilDate;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(date: &CivilDate, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(date)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<CivilDate, D::Error> {
        let text = String::deserialize(from)?;
        CivilDate::parse(&text)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not a day such as `2026-01-31`")))
    }
}

/// A standard trait by its name.
pub(super) mod trait_name {
    use regulars_core::Trait;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(which: &Trait, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(which.def().name)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Trait, D::Error> {
        let name = String::deserialize(from)?;
        Trait::named(&name).ok_or_else(|| D::Error::custom(format!("unknown trait `{name}`")))
    }
}

impl Rule {
    /// Reads a tree from JSON.
    ///
    /// # Errors
    /// When the text is no JSON of a rule, or the tree says what no text can say (an `and` of one
    /// rule, a window of no length, more than 50 levels).
    pub fn from_json(json: &str) -> Result<Self, RuleError> {
        if json.len() > 4 * MAX_TEXT_BYTES {
            return Err(RuleError::new(RuleProblem::TooLong { bytes: json.len() }));
        }
        let rule: Self = serde_json::from_str(json).map_err(|error| {
            RuleError::new(RuleProblem::Json {
                detail: error.to_string(),
            })
        })?;
        let rule = rule.with_traits_for_plain_aggregates();
        rule.validate()?;
        Ok(rule)
    }

    /// The tree as JSON on one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a tree has only texts, numbers and lists")
    }

    /// An aggregate without filter and period is what a trait says: one way to say a thing.
    fn with_traits_for_plain_aggregates(self) -> Self {
        let all = |rules: Vec<Self>| {
            rules
                .into_iter()
                .map(Self::with_traits_for_plain_aggregates)
                .collect()
        };
        match self {
            Self::And(rules) => Self::And(all(rules)),
            Self::Or(rules) => Self::Or(all(rules)),
            Self::Not(rule) => Self::Not(Box::new(rule.with_traits_for_plain_aggregates())),
            Self::Condition(condition) => Self::Condition(Condition {
                operand: condition.operand.into_trait_if_plain(),
                ..condition
            }),
            Self::Everyone | Self::InSegment(_) => self,
        }
    }

    /// Checks what the types alone do not say.
    pub(crate) fn validate(&self) -> Result<(), RuleError> {
        self.validate_at(1)
    }

    fn validate_at(&self, depth: usize) -> Result<(), RuleError> {
        depth_within_limit(depth)?;
        match self {
            Self::Everyone | Self::InSegment(_) => Ok(()),
            Self::And(rules) | Self::Or(rules) => {
                at_least_two(rules.len())?;
                rules
                    .iter()
                    .try_for_each(|rule| rule.validate_at(depth + 1))
            }
            Self::Not(rule) => rule.validate_at(depth + 1),
            Self::Condition(condition) => {
                condition.test.validate()?;
                match &condition.operand {
                    Operand::Trait(_) => Ok(()),
                    Operand::Declared(name) if name.is_empty() => {
                        Err(not_sayable("a declared trait needs a name"))
                    }
                    Operand::Account(name) if name.is_empty() => {
                        Err(not_sayable("a trait of the account needs a name"))
                    }
                    Operand::Declared(_) | Operand::Account(_) => Ok(()),
                    Operand::Aggregate(aggregate) => aggregate.validate(depth),
                    Operand::OrderTime(time) => time.filter.validate_at(depth + 1),
                    Operand::Events(aggregate) => aggregate.validate(depth),
                    Operand::EventTime(time) => time.of.validate(depth),
                    Operand::Sequence(_) if condition.test != Test::Holds => {
                        Err(not_sayable("a sequence of events has no test but `holds`"))
                    }
                    Operand::Sequence(sequence) => sequence.validate(depth),
                    Operand::Carts(carts) => match &carts.filter {
                        Some(filter) => filter.validate_at(depth + 1),
                        None => Ok(()),
                    },
                }
            }
        }
    }
}

impl Operand {
    /// The trait that says the same, if there is one.
    fn into_trait_if_plain(self) -> Self {
        match self {
            Self::Aggregate(Aggregate {
                measure,
                filter: None,
                period: None,
            }) => match measure {
                Measure::Orders => Self::Trait(Trait::Orders),
                Measure::Revenue => Self::Trait(Trait::Revenue),
                Measure::Items => Self::Trait(Trait::Items),
                Measure::DistinctProducts
                | Measure::DistinctCategories
                | Measure::DistinctBrands => Self::Aggregate(Aggregate {
                    measure,
                    filter: None,
                    period: None,
                }),
            },
            other => other,
        }
    }
}

impl Aggregate {
    fn validate(&self, depth: usize) -> Result<(), RuleError> {
        let plain = matches!(
            self.measure,
            Measure::Orders | Measure::Revenue | Measure::Items
        );
        if plain && self.filter.is_none() && self.period.is_none() {
            return Err(not_sayable(
                "an aggregate without filter and period is a trait",
            ));
        }
        if let Some(filter) = &self.filter {
            filter.validate_at(depth + 1)?;
        }
        period_in_range(self.period)
    }
}

impl EventAggregate {
    fn validate(&self, depth: usize) -> Result<(), RuleError> {
        match &self.measure {
            EventMeasure::Count => {}
            EventMeasure::Sum(path) | EventMeasure::Distinct(path) => path.validate()?,
        }
        self.of.validate(depth)?;
        period_in_range(self.period)
    }
}

impl Events {
    fn validate(&self, depth: usize) -> Result<(), RuleError> {
        if self.names.iter().any(String::is_empty) {
            return Err(not_sayable("an event needs a name"));
        }
        let Some(filter) = &self.filter else {
            return Ok(());
        };
        filter.validate_at(depth + 1)?;
        filter.paths_are_sayable()
    }
}

impl Filter<PropertyPath> {
    fn paths_are_sayable(&self) -> Result<(), RuleError> {
        match self {
            Self::And(filters) | Self::Or(filters) => {
                filters.iter().try_for_each(Self::paths_are_sayable)
            }
            Self::Not(filter) => filter.paths_are_sayable(),
            Self::Property(condition) => condition.property.validate(),
        }
    }
}

impl PropertyPath {
    fn validate(&self) -> Result<(), RuleError> {
        if self.0.is_empty() {
            return Err(not_sayable("a property needs a name"));
        }
        Ok(())
    }
}

impl Sequence {
    fn validate(&self, depth: usize) -> Result<(), RuleError> {
        self.first.validate(depth)?;
        self.then.events().validate(depth)?;
        match (self.within, &self.then) {
            (Some(within), _) => length_in_range(within)?,
            (None, Then::NotEvent(_)) => {}
            (None, Then::Event(_)) => {
                return Err(not_sayable("`then event` needs `within`"));
            }
        }
        period_in_range(self.period)
    }
}

fn length_in_range(length: Length) -> Result<(), RuleError> {
    if length.is_in_range() {
        Ok(())
    } else {
        Err(RuleError::new(RuleProblem::LengthRange))
    }
}

fn period_in_range(period: Option<Period>) -> Result<(), RuleError> {
    match period {
        Some(period) if !period.is_in_range() => Err(RuleError::new(RuleProblem::LengthRange)),
        Some(_) | None => Ok(()),
    }
}

impl<P> Filter<P> {
    fn validate_at(&self, depth: usize) -> Result<(), RuleError> {
        depth_within_limit(depth)?;
        match self {
            Self::And(filters) | Self::Or(filters) => {
                at_least_two(filters.len())?;
                filters
                    .iter()
                    .try_for_each(|filter| filter.validate_at(depth + 1))
            }
            Self::Not(filter) => filter.validate_at(depth + 1),
            Self::Property(condition) => condition.test.validate(),
        }
    }
}

impl Test {
    fn validate(&self) -> Result<(), RuleError> {
        match self {
            Self::In(values) | Self::NotIn(values) if values.is_empty() => {
                Err(not_sayable("a list needs at least one value"))
            }
            Self::BeforeAgo(length) => length_in_range(*length),
            Self::Within(period) => period_in_range(Some(*period)),
            Self::Before(day) | Self::After(day) | Self::On(day) => year_has_four_digits(day.date),
            Self::Between { low, high } => {
                literal_is_sayable(low)?;
                literal_is_sayable(high)
            }
            Self::Compare { value, .. } => literal_is_sayable(value),
            Self::In(values) | Self::NotIn(values) => {
                values.iter().try_for_each(literal_is_sayable)
            }
            Self::Holds
            | Self::Contains(_)
            | Self::StartsWith(_)
            | Self::IsSet
            | Self::IsNotSet => Ok(()),
        }
    }
}

fn literal_is_sayable(literal: &Literal) -> Result<(), RuleError> {
    match literal.value {
        LiteralValue::Date(date) => year_has_four_digits(date),
        LiteralValue::Number(_)
        | LiteralValue::Percent(_)
        | LiteralValue::Text(_)
        | LiteralValue::Flag(_) => Ok(()),
    }
}

fn year_has_four_digits(date: regulars_core::CivilDate) -> Result<(), RuleError> {
    if (0..=9999).contains(&date.ymd().0) {
        Ok(())
    } else {
        Err(not_sayable("a day needs a year from 0000 to 9999"))
    }
}

fn depth_within_limit(depth: usize) -> Result<(), RuleError> {
    if depth > MAX_DEPTH {
        Err(RuleError::new(RuleProblem::TooDeep))
    } else {
        Ok(())
    }
}

fn at_least_two(parts: usize) -> Result<(), RuleError> {
    if parts < 2 {
        Err(not_sayable("`and` and `or` need at least two parts"))
    } else {
        Ok(())
    }
}

fn not_sayable(detail: &str) -> RuleError {
    RuleError::new(RuleProblem::Json {
        detail: detail.to_owned(),
    })
}
