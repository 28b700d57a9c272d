//! Conditions and filters, checked: where the value comes from and what it needs.

use regulars_core::{DataNeed, Trait, TraitKind, Window};

use super::Vocabulary;
use super::typed::{FilterNode, LeafSpec, MeasureKind, MeasureSpec, Source};
use super::values::{Kind, Target};
use crate::error::{RuleError, RuleProblem};
use crate::print::{print_condition, print_operand, print_test};
use crate::tree::{Condition, Filter, Measure, Operand, Period, Property, Test};

pub(super) fn check_condition(
    condition: &Condition,
    vocabulary: &Vocabulary,
) -> Result<LeafSpec, RuleError> {
    let mut needs = Vec::new();
    let (source, kind, trait_kind) = match &condition.operand {
        Operand::Trait(which) => {
            let def = which.def();
            needs.extend(def.needs);
            (source_of(*which), Kind::from(def.kind), Some(def.kind))
        }
        Operand::Declared(name) => (Source::Declared(name.clone()), Kind::Declared, None),
        Operand::Aggregate(aggregate) => {
            let filter = checked_filter(aggregate.filter.as_ref(), vocabulary, &mut needs)?;
            let (kind, trait_kind, need) = kind_of(aggregate.measure);
            needs.extend(need);
            let spec = MeasureSpec {
                kind: MeasureKind::Aggregate(aggregate.measure),
                filter,
                window: aggregate.period.map_or(Window::Ever, Period::window),
            };
            (Source::Measure(spec), kind, Some(trait_kind))
        }
        Operand::OrderTime(time) => {
            let filter = checked_filter(Some(&time.filter), vocabulary, &mut needs)?;
            let kind = MeasureKind::OrderTime(time.which);
            let spec = MeasureSpec {
                kind,
                filter,
                window: Window::Ever,
            };
            (
                Source::Measure(spec),
                Kind::Instant,
                Some(TraitKind::Instant),
            )
        }
    };
    let name = print_operand(&condition.operand);
    if let (Operand::Aggregate(_), Test::IsSet | Test::IsNotSet) =
        (&condition.operand, &condition.test)
    {
        let problem = RuleProblem::WrongTest {
            operand: name,
            kind: "always known",
            test: print_test(&condition.test),
        };
        let error = RuleError::new(problem).at(condition.span);
        return Err(error.hint("compare it with a number: `>= 1`"));
    }
    let target = Target {
        name,
        kind,
        span: condition.span,
        vocabulary,
    };
    let test = target.typed(&condition.test)?;
    needs.sort_unstable();
    needs.dedup();
    Ok(LeafSpec {
        source,
        test,
        kind: trait_kind,
        needs,
        text: print_condition(condition),
    })
}

/// A windowed trait is shorthand for the aggregate, and becomes the same leaf.
fn source_of(which: Trait) -> Source {
    let measure = match which.def().kind {
        TraitKind::Money => Measure::Revenue,
        _ => Measure::Orders,
    };
    match which.window() {
        Some(window) => Source::Measure(MeasureSpec {
            kind: MeasureKind::Aggregate(measure),
            filter: None,
            window,
        }),
        None => Source::Trait(which),
    }
}

fn kind_of(measure: Measure) -> (Kind, TraitKind, Option<DataNeed>) {
    match measure {
        Measure::Orders | Measure::DistinctProducts => (Kind::Count, TraitKind::Count, None),
        Measure::Revenue => (Kind::Money, TraitKind::Money, None),
        Measure::Items => (Kind::Pieces, TraitKind::Number("pieces"), None),
        Measure::DistinctCategories => (Kind::Count, TraitKind::Count, Some(DataNeed::Categories)),
        Measure::DistinctBrands => (Kind::Count, TraitKind::Count, Some(DataNeed::Brands)),
    }
}

fn checked_filter(
    filter: Option<&Filter>,
    vocabulary: &Vocabulary,
    needs: &mut Vec<DataNeed>,
) -> Result<Option<FilterNode>, RuleError> {
    filter
        .map(|filter| check_filter(filter, vocabulary, needs))
        .transpose()
}

fn check_filter(
    filter: &Filter,
    vocabulary: &Vocabulary,
    needs: &mut Vec<DataNeed>,
) -> Result<FilterNode, RuleError> {
    let mut all = |filters: &[Filter]| -> Result<Vec<FilterNode>, RuleError> {
        filters
            .iter()
            .map(|filter| check_filter(filter, vocabulary, needs))
            .collect()
    };
    Ok(match filter {
        Filter::And(filters) => FilterNode::And(all(filters)?),
        Filter::Or(filters) => FilterNode::Or(all(filters)?),
        Filter::Not(inside) => FilterNode::Not(Box::new(check_filter(inside, vocabulary, needs)?)),
        Filter::Property(condition) => {
            let (kind, need) = property_kind(condition.property);
            needs.extend(need);
            let target = Target {
                name: condition.property.name().to_owned(),
                kind,
                span: condition.span,
                vocabulary,
            };
            FilterNode::Property(condition.property, target.typed(&condition.test)?)
        }
    })
}

fn property_kind(property: Property) -> (Kind, Option<DataNeed>) {
    match property {
        Property::Product => (Kind::Text, None),
        Property::Category => (Kind::Text, Some(DataNeed::Categories)),
        Property::Brand => (Kind::Text, Some(DataNeed::Brands)),
        Property::Quantity => (Kind::Number, None),
        Property::Channel => (Kind::Text, Some(DataNeed::Channels)),
        Property::Country => (Kind::Text, Some(DataNeed::Countries)),
        Property::Value => (Kind::Money, None),
        Property::Discount => (Kind::Money, Some(DataNeed::Discounts)),
        Property::Discounted => (Kind::Flag, Some(DataNeed::Discounts)),
    }
}
