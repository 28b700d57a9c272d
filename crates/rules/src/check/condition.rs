//! Conditions and filters, checked: where the value comes from and what it needs.

use regulars_core::{DataNeed, Trait, TraitKind, Window};

use super::typed::{
    FilterNode, InstantTest, LeafSpec, MeasureKind, MeasureSpec, Source, ValueTest,
};
use super::values::{Kind, Target};
use super::{Vocabulary, event};
use crate::error::{RuleError, RuleProblem};
use crate::print::{print_condition, print_operand, print_test};
use crate::tree::{CartProperty, Condition, Filter, Measure, Operand, Period, Property, Test};

pub(super) fn check_condition(
    condition: &Condition,
    vocabulary: &Vocabulary,
) -> Result<LeafSpec, RuleError> {
    let mut needs = Vec::new();
    let (source, kind, trait_kind) = source(condition, vocabulary, &mut needs)?;
    let name = print_operand(&condition.operand);
    let is_always_known = matches!(
        condition.operand,
        Operand::Aggregate(_) | Operand::Events(_) | Operand::Carts(_)
    );
    if let (true, Test::IsSet | Test::IsNotSet) = (is_always_known, &condition.test) {
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
    let test = match &condition.operand {
        // The sequence is the condition: what is tested is when it was completed.
        Operand::Sequence(sequence) => completed(sequence.period),
        _ => target.typed(&condition.test)?,
    };
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

fn completed(period: Option<Period>) -> ValueTest {
    let window = period.map_or(Window::Ever, Period::window);
    ValueTest::Instant(InstantTest::Within(window))
}

/// Where the value of a condition comes from, and its kind.
fn source(
    condition: &Condition,
    vocabulary: &Vocabulary,
    needs: &mut Vec<DataNeed>,
) -> Result<(Source, Kind, Option<TraitKind>), RuleError> {
    let instant = |source| (source, Kind::Instant, Some(TraitKind::Instant));
    Ok(match &condition.operand {
        Operand::Trait(which) => {
            let def = which.def();
            needs.extend(def.needs);
            (source_of(*which), Kind::from(def.kind), Some(def.kind))
        }
        Operand::Declared(name) => (Source::Declared(name.clone()), Kind::Declared, None),
        Operand::Account(name) => (Source::Account(name.clone()), Kind::Declared, None),
        Operand::Aggregate(aggregate) => {
            let filter =
                checked_filter(aggregate.filter.as_ref(), vocabulary, needs, property_kind)?;
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
            let filter = checked_filter(Some(&time.filter), vocabulary, needs, property_kind)?;
            let kind = MeasureKind::OrderTime(time.which);
            let spec = MeasureSpec {
                kind,
                filter,
                window: Window::Ever,
            };
            instant(Source::Measure(spec))
        }
        Operand::Events(aggregate) => {
            let (spec, kind, trait_kind) = event::aggregate(aggregate, vocabulary, needs)?;
            (Source::Events(Box::new(spec)), kind, Some(trait_kind))
        }
        Operand::EventTime(of) => instant(Source::Events(Box::new(event::time(
            of, vocabulary, needs,
        )?))),
        Operand::Sequence(sequence) => instant(Source::Events(Box::new(event::sequence(
            sequence, vocabulary, needs,
        )?))),
        Operand::Carts(carts) => {
            needs.push(DataNeed::Events);
            let kind = |property: &CartProperty| {
                (property.name().to_owned(), event::kind_of(*property), None)
            };
            let filter = checked_filter(carts.filter.as_ref(), vocabulary, needs, kind)?;
            (Source::Carts(filter), Kind::Count, Some(TraitKind::Count))
        }
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
        Measure::Orders => (Kind::Count, TraitKind::Count, None),
        Measure::DistinctProducts => (Kind::Count, TraitKind::Count, Some(DataNeed::Products)),
        Measure::Revenue => (Kind::Money, TraitKind::Money, None),
        Measure::Items => (Kind::Millionths, TraitKind::Number("pieces"), None),
        Measure::DistinctCategories => (Kind::Count, TraitKind::Count, Some(DataNeed::Categories)),
        Measure::DistinctBrands => (Kind::Count, TraitKind::Count, Some(DataNeed::Brands)),
    }
}

/// What a filter's property is called, its kind, and what must be there for it.
type PropertyKind = (String, Kind, Option<DataNeed>);

pub(super) fn checked_filter<P: Clone>(
    filter: Option<&Filter<P>>,
    vocabulary: &Vocabulary,
    needs: &mut Vec<DataNeed>,
    kind_of: impl Fn(&P) -> PropertyKind,
) -> Result<Option<FilterNode<P>>, RuleError> {
    filter
        .map(|filter| check_filter(filter, vocabulary, needs, &kind_of))
        .transpose()
}

fn check_filter<P: Clone>(
    filter: &Filter<P>,
    vocabulary: &Vocabulary,
    needs: &mut Vec<DataNeed>,
    kind_of: &impl Fn(&P) -> PropertyKind,
) -> Result<FilterNode<P>, RuleError> {
    let mut all = |filters: &[Filter<P>]| -> Result<Vec<FilterNode<P>>, RuleError> {
        filters
            .iter()
            .map(|filter| check_filter(filter, vocabulary, needs, kind_of))
            .collect()
    };
    Ok(match filter {
        Filter::And(filters) => FilterNode::And(all(filters)?),
        Filter::Or(filters) => FilterNode::Or(all(filters)?),
        Filter::Not(inside) => {
            FilterNode::Not(Box::new(check_filter(inside, vocabulary, needs, kind_of)?))
        }
        Filter::Property(condition) => {
            let (name, kind, need) = kind_of(&condition.property);
            needs.extend(need);
            let target = Target {
                name,
                kind,
                span: condition.span,
                vocabulary,
            };
            FilterNode::Property(condition.property.clone(), target.typed(&condition.test)?)
        }
    })
}

fn property_kind(property: &Property) -> PropertyKind {
    let (kind, need) = match property {
        Property::Product => (Kind::Text, Some(DataNeed::Products)),
        Property::Category => (Kind::Text, Some(DataNeed::Categories)),
        Property::Brand => (Kind::Text, Some(DataNeed::Brands)),
        Property::Quantity => (Kind::Number, None),
        Property::Channel => (Kind::Text, Some(DataNeed::Channels)),
        Property::Country => (Kind::Text, Some(DataNeed::Countries)),
        Property::Value => (Kind::Money, None),
        Property::Discount => (Kind::Money, Some(DataNeed::Discounts)),
        Property::Discounted => (Kind::Flag, Some(DataNeed::Discounts)),
    };
    (property.name().to_owned(), kind, need)
}
