//! What is asked of events and carts, as plainly as possible: every event is looked at each time.

use std::collections::BTreeSet;

use regulars_core::{Cart, EventKind, Timestamp};
use regulars_rules::{
    CartProperty, Carts, Decimal, EventAggregate, EventCall, EventMeasure, EventTime, Events,
    Filter, LiteralValue, PropertyPath, Sequence, Test, Then, WhichOrder,
};

use super::{World, is_within, milliseconds, passes};
use crate::history::{Customer, RawEvent, RawValue};

/// The events that take part, of those that are known at `now`.
fn events<'a>(
    of: &Events,
    customer: &'a Customer,
    world: &World,
    now: Timestamp,
) -> Vec<&'a RawEvent> {
    let all = customer.events.iter();
    let known = all.filter(|event| event.at <= now && event.received_at <= now);
    let of_call = known.filter(|event| match (of.call, event.kind) {
        (EventCall::Event, EventKind::Track) => true,
        (EventCall::Event, EventKind::Page | EventKind::Screen) => of.names.is_empty(),
        (EventCall::Page, kind) => kind == EventKind::Page,
        (EventCall::Screen, kind) => kind == EventKind::Screen,
        _ => false,
    });
    let named = of_call.filter(|event| of.names.is_empty() || of.names.contains(&event.name));
    let passing = named.filter(|event| match &of.filter {
        None => true,
        Some(filter) => event_passes(filter, event, world),
    });
    passing.collect()
}

fn event_passes(filter: &Filter<PropertyPath>, event: &RawEvent, world: &World) -> bool {
    match filter {
        Filter::And(filters) => filters.iter().all(|f| event_passes(f, event, world)),
        Filter::Or(filters) => filters.iter().any(|f| event_passes(f, event, world)),
        Filter::Not(filter) => !event_passes(filter, event, world),
        Filter::Property(condition) => {
            let value = as_compared(property(event, &condition.property), &condition.test);
            passes(&value, &condition.test, world, Timestamp::MIN)
        }
    }
}

/// A text that is a number, as one where it is compared with numbers.
fn as_compared(value: RawValue, test: &Test) -> RawValue {
    let literal = match test {
        Test::Compare { value, .. } => Some(value),
        Test::Between { low, .. } => Some(low),
        Test::In(values) | Test::NotIn(values) => values.first(),
        _ => None,
    };
    let literal = literal.map(|literal| &literal.value);
    match (&value, literal) {
        (RawValue::Text(text), Some(LiteralValue::Number(_) | LiteralValue::Percent(_))) => {
            let number = text.parse::<Decimal>();
            number.map_or(value, |number| RawValue::Number(number.to_f64()))
        }
        _ => value,
    }
}

fn property(event: &RawEvent, path: &PropertyPath) -> RawValue {
    match event.properties.get(&path.0) {
        None => RawValue::Missing,
        Some(RawValue::Text(text)) if text.is_empty() => RawValue::Missing,
        Some(value) => value.clone(),
    }
}

pub(super) fn measure(
    of: &EventAggregate,
    customer: &Customer,
    world: &World,
    now: Timestamp,
) -> RawValue {
    let mut events = events(&of.of, customer, world, now);
    events.retain(|event| {
        of.period
            .is_none_or(|period| is_within(event.at, period, world, now))
    });
    match &of.measure {
        EventMeasure::Count => RawValue::Integer(events.len() as i64),
        EventMeasure::Sum(path) => {
            let mut millionths = 0_i64;
            for event in events {
                if let RawValue::Number(number) = property(event, path) {
                    millionths += (number * 1e6).round() as i64;
                }
            }
            RawValue::Number(millionths as f64 / 1e6)
        }
        EventMeasure::Distinct(path) => {
            let mut values = BTreeSet::new();
            for event in events {
                match property(event, path) {
                    RawValue::Text(text) => values.insert(text),
                    RawValue::Number(number) => values.insert(number.to_string()),
                    RawValue::Flag(flag) => values.insert(flag.to_string()),
                    _ => false,
                };
            }
            RawValue::Integer(values.len() as i64)
        }
    }
}

pub(super) fn time(of: &EventTime, customer: &Customer, world: &World, now: Timestamp) -> RawValue {
    let events = events(&of.of, customer, world, now);
    let times = events.iter().map(|event| event.at);
    let time = match of.which {
        WhichOrder::First => times.min(),
        WhichOrder::Last => times.max(),
    };
    time.map_or(RawValue::Missing, RawValue::Instant)
}

pub(super) fn is_completed(
    of: &Sequence,
    customer: &Customer,
    world: &World,
    now: Timestamp,
) -> bool {
    let within = of.within.map_or(0, milliseconds);
    let times = |of: &Events| -> Vec<i64> {
        let events = events(of, customer, world, now);
        events.iter().map(|event| event.at.0).collect()
    };
    let firsts = times(&of.first);
    let completed = match &of.then {
        Then::Event(then) => {
            let follows = |&u: &i64| firsts.iter().any(|&t| t < u && u <= t + within);
            times(then).into_iter().filter(follows).max()
        }
        Then::NotEvent(then) => {
            let latest = firsts.iter().copied().max();
            let has_come = |t: &i64| times(then).iter().all(|u| u <= t);
            latest.filter(has_come).map(|t| t + within)
        }
    };
    completed.is_some_and(|at| {
        let at = Timestamp(at);
        at <= now
            && of
                .period
                .is_none_or(|period| is_within(at, period, world, now))
    })
}

pub(super) fn carts(of: &Carts, customer: &Customer, world: &World, now: Timestamp) -> RawValue {
    let carts = customer.carts.iter();
    let open = carts.filter(|cart| cart.changed_at <= now && now < cart.open_until);
    let passing = open.filter(|cart| match &of.filter {
        None => true,
        Some(filter) => cart_passes(filter, cart, world, now),
    });
    RawValue::Integer(passing.count() as i64)
}

fn cart_passes(filter: &Filter<CartProperty>, cart: &Cart, world: &World, now: Timestamp) -> bool {
    match filter {
        Filter::And(filters) => filters.iter().all(|f| cart_passes(f, cart, world, now)),
        Filter::Or(filters) => filters.iter().any(|f| cart_passes(f, cart, world, now)),
        Filter::Not(filter) => !cart_passes(filter, cart, world, now),
        Filter::Property(condition) => {
            let value = match condition.property {
                CartProperty::Value => cart.value_minor.map_or(RawValue::Missing, RawValue::Money),
                CartProperty::Items => RawValue::Number(cart.items),
                CartProperty::Changed => RawValue::Instant(cart.changed_at),
            };
            passes(&value, &condition.test, world, now)
        }
    }
}
