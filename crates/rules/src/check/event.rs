//! Conditions on events and carts, checked.

use regulars_core::{DataNeed, TraitKind, Window};

use super::Vocabulary;
use super::condition::checked_filter;
use super::typed::{EventSpec, EventValue, EventsSpec};
use super::values::Kind;
use crate::error::RuleError;
use crate::print::print_path;
use crate::tree::{
    CartProperty, EventAggregate, EventCall, EventMeasure, EventTime, Events, Length, Period,
    PropertyPath, Sequence, Then,
};

pub(super) fn aggregate(
    aggregate: &EventAggregate,
    vocabulary: &Vocabulary,
    needs: &mut Vec<DataNeed>,
) -> Result<(EventSpec, Kind, TraitKind), RuleError> {
    let of = events(&aggregate.of, vocabulary, needs)?;
    let (value, kind, trait_kind) = match &aggregate.measure {
        EventMeasure::Count => (EventValue::Count(of), Kind::Count, TraitKind::Count),
        EventMeasure::Sum(path) => (
            EventValue::Sum(of, path.clone()),
            Kind::Millionths,
            TraitKind::Number(""),
        ),
        EventMeasure::Distinct(path) => (
            EventValue::Distinct(of, path.clone()),
            Kind::Count,
            TraitKind::Count,
        ),
    };
    let spec = EventSpec {
        value,
        window: aggregate.period.map_or(Window::Ever, Period::window),
    };
    Ok((spec, kind, trait_kind))
}

pub(super) fn time(
    time: &EventTime,
    vocabulary: &Vocabulary,
    needs: &mut Vec<DataNeed>,
) -> Result<EventSpec, RuleError> {
    Ok(EventSpec {
        value: EventValue::Time(time.which, events(&time.of, vocabulary, needs)?),
        window: Window::Ever,
    })
}

pub(super) fn sequence(
    sequence: &Sequence,
    vocabulary: &Vocabulary,
    needs: &mut Vec<DataNeed>,
) -> Result<EventSpec, RuleError> {
    let ms = sequence.within.map_or(0, Length::ms);
    let first = events(&sequence.first, vocabulary, needs)?;
    let then = events(sequence.then.events(), vocabulary, needs)?;
    let value = match &sequence.then {
        Then::Event(_) => EventValue::Followed { first, then, ms },
        Then::NotEvent(_) => {
            let is_of_orders = |name: &String| Some(name.as_str()) == vocabulary.order_event;
            let ends_by_orders = then.call == EventCall::Event
                && then.filter.is_none()
                && then.names.iter().any(is_of_orders);
            EventValue::NotFollowed {
                first,
                then,
                ms,
                ends_by_orders,
            }
        }
    };
    Ok(EventSpec {
        value,
        window: sequence.period.map_or(Window::Ever, Period::window),
    })
}

fn events(
    events: &Events,
    vocabulary: &Vocabulary,
    needs: &mut Vec<DataNeed>,
) -> Result<EventsSpec, RuleError> {
    needs.push(DataNeed::Events);
    let kind = |path: &PropertyPath| (print_path(path), Kind::Property, None);
    let mut names = events.names.clone();
    if events.call == EventCall::Event {
        for name in &mut names {
            if let Some(standard) = (vocabulary.standard_event)(name) {
                standard.clone_into(name);
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    Ok(EventsSpec {
        call: events.call,
        names,
        filter: checked_filter(events.filter.as_ref(), vocabulary, needs, kind)?,
    })
}

pub(super) fn kind_of(property: CartProperty) -> Kind {
    match property {
        CartProperty::Value => Kind::Money,
        CartProperty::Items => Kind::Number,
        CartProperty::Changed => Kind::Instant,
    }
}
