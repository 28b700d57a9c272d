//! Random events and carts, and conditions on them.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use regulars_core::{Cart, DAY_MS, EventKind, HOUR_MS};
use regulars_rules::{
    CartProperty, Carts, Condition, EventAggregate, EventCall, EventMeasure, EventTime, Events,
    Filter, FilterCondition, Length, Operand, PropertyPath, Sequence, Span, Test, Then, Unit,
    WhichOrder,
};

use super::instant;
use super::rule::{
    contains_test, flag_test, length, nested, number, ordered_test, period, set_test, text_test,
    time_test,
};
use super::{EVENTS, SKUS};
use crate::history::{RawEvent, RawValue};

const CALLS: [EventKind; 4] = [
    EventKind::Track,
    EventKind::Page,
    EventKind::Screen,
    EventKind::Identify,
];

/// Up to a dozen events around a few instants: often at the same time, often at a length of time
/// that rules ask for from each other. Some arrive late.
pub fn events() -> impl Strategy<Value = Vec<RawEvent>> {
    let kind = prop_oneof![6 => Just(EventKind::Track), 2 => select(&CALLS[..])];
    let after_ms = select(vec![0, 0, 1, HOUR_MS / 60 * 90, 12 * HOUR_MS, DAY_MS]);
    let late_ms = select(vec![0, 0, 0, HOUR_MS, 2 * DAY_MS]);
    let event = (
        kind,
        select(&EVENTS[..]),
        any::<Index>(),
        after_ms,
        late_ms,
        properties(),
    );
    (vec(instant(), 1..4), vec(event, 0..13)).prop_map(|(starts, events)| {
        let mut times = starts;
        let made = events.into_iter().map(|event| {
            let (kind, name, start, after_ms, late_ms, properties) = event;
            let at = times[start.index(times.len())].plus_ms(after_ms);
            times.push(at);
            RawEvent {
                kind,
                name: name.to_owned(),
                at,
                received_at: at.plus_ms(late_ms),
                properties,
            }
        });
        let mut events: Vec<RawEvent> = made.collect();
        events.sort_by_key(|event| event.received_at);
        events
    })
}

fn properties() -> impl Strategy<Value = BTreeMap<String, RawValue>> {
    let text = || select(&SKUS[..]).prop_map(|text| RawValue::Text(text.to_owned()));
    let number = || select(vec![0.1, 0.2, 2.5, 7.0, 10.0, -0.1]).prop_map(RawValue::Number);
    let flag = || any::<bool>().prop_map(RawValue::Flag);
    let list = || vec(select(&["S", "es", "x", "7"][..]), 0..3);
    let list = || list().prop_map(|texts| RawValue::List(texts.join("\u{1f}")));
    let path = select(&PATHS[..]).prop_map(str::to_owned);
    btree_map(
        path,
        prop_oneof![3 => text(), 3 => number(), 1 => flag(), 1 => list()],
        1..4,
    )
}

/// Up to three carts; some of them have run out soon.
pub fn carts() -> impl Strategy<Value = Vec<Cart>> {
    let cart = (
        instant(),
        select(vec![HOUR_MS, 2 * DAY_MS, 30 * DAY_MS]),
        select(vec![None, Some(500), Some(999), Some(1000)]),
        select(vec![0.5, 1.0, 2.0]),
    )
        .prop_map(|(changed_at, open_ms, value_minor, items)| Cart {
            changed_at,
            open_until: changed_at.plus_ms(open_ms),
            value_minor,
            items,
        });
    vec(cart, 0..4)
}

const PATHS: [&str; 3] = ["sku", "box.size", "it's big"];

fn condition_of<P: Clone + std::fmt::Debug + 'static>(
    property: P,
    test: impl Strategy<Value = Test> + 'static,
) -> BoxedStrategy<Filter<P>> {
    test.prop_map(move |test| {
        Filter::Property(FilterCondition {
            property: property.clone(),
            test,
            span: Span::default(),
        })
    })
    .boxed()
}

fn event_filter() -> impl Strategy<Value = Filter<PropertyPath>> {
    let condition = select(&PATHS[..]).prop_flat_map(|path| {
        let test = prop_oneof![
            2 => text_test(&SKUS),
            1 => contains_test(),
            2 => ordered_test(&["-0.1", "0.2", "7", "10"]),
            1 => flag_test(),
            1 => set_test(),
        ];
        condition_of(PropertyPath(path.to_owned()), test)
    });
    nested(condition)
}

/// Events of which this share of rules filters some.
fn some_events(filtered: f64) -> impl Strategy<Value = Events> {
    let call = prop_oneof![
        6 => Just(EventCall::Event),
        1 => Just(EventCall::Page),
        1 => Just(EventCall::Screen),
    ];
    let names = vec(select(&EVENTS[..]).prop_map(str::to_owned), 0..3);
    let filter = proptest::option::weighted(filtered, event_filter());
    (call, names, filter).prop_map(|(call, names, filter)| Events {
        call,
        names,
        filter,
    })
}

fn path() -> impl Strategy<Value = PropertyPath> {
    select(&PATHS[..]).prop_map(|path| PropertyPath(path.to_owned()))
}

fn aggregate() -> impl Strategy<Value = (Operand, Test)> {
    let counts = || ordered_test(&["0", "1", "2", "3"]).boxed();
    let sums = ordered_test(&["-0.1", "0", "0.3", "2.5", "7.2", "10"]).boxed();
    let measured = prop_oneof![
        2 => (Just(EventMeasure::Count), counts()),
        1 => (path().prop_map(EventMeasure::Sum), sums),
        1 => (path().prop_map(EventMeasure::Distinct), counts()),
    ];
    let period = proptest::option::weighted(0.8, period());
    (measured, some_events(0.6), period).prop_map(|((measure, test), of, period)| {
        let aggregate = EventAggregate {
            measure,
            of,
            period,
        };
        (Operand::Events(Box::new(aggregate)), test)
    })
}

fn time() -> impl Strategy<Value = (Operand, Test)> {
    let which = select(vec![WhichOrder::First, WhichOrder::Last]);
    (which, some_events(0.6), time_test())
        .prop_map(|(which, of, test)| (Operand::EventTime(Box::new(EventTime { which, of })), test))
}

fn sequence() -> impl Strategy<Value = (Operand, Test)> {
    // The lengths that lie between random events.
    let within = select(vec![
        None,
        Some((90, Unit::Minutes)),
        Some((12, Unit::Hours)),
        Some((1, Unit::Days)),
    ])
    .prop_map(|within| within.map(|(count, unit)| Length { count, unit }));
    let period = proptest::option::of(period());
    let parts = (
        some_events(0.2),
        some_events(0.2),
        any::<bool>(),
        within,
        period,
    );
    parts.prop_map(|(first, then, not, within, period)| {
        let then = if not {
            Then::NotEvent(then)
        } else {
            Then::Event(then)
        };
        let sequence = Sequence {
            first,
            then,
            // Only `not` can do without.
            within: match within {
                None if !not => Some(Length {
                    count: 45,
                    unit: Unit::Seconds,
                }),
                within => within,
            },
            period,
        };
        (Operand::Sequence(Box::new(sequence)), Test::Holds)
    })
}

fn cart_filter() -> impl Strategy<Value = Filter<CartProperty>> {
    let amounts = || ordered_test(&["5", "9.99", "10"]);
    let condition = prop_oneof![
        condition_of(
            CartProperty::Value,
            prop_oneof![4 => amounts(), 1 => set_test()]
        ),
        condition_of(CartProperty::Items, ordered_test(&["0.5", "1", "2"])),
        condition_of(CartProperty::Changed, length().prop_map(Test::BeforeAgo)),
        condition_of(CartProperty::Changed, time_test()),
    ];
    let condition = condition.boxed();
    let both = (condition.clone(), condition.clone()).prop_map(|(a, b)| Filter::And(vec![a, b]));
    prop_oneof![nested(condition), both]
}

fn carts_operand() -> impl Strategy<Value = (Operand, Test)> {
    let few = number("1");
    let test = prop_oneof![
        2 => Just(Test::Compare { op: regulars_rules::CompareOp::AtLeast, value: few }),
        1 => ordered_test(&["0", "1", "2"]),
    ];
    let filter = proptest::option::weighted(0.8, cart_filter());
    (filter, test).prop_map(|(filter, test)| (Operand::Carts(Carts { filter }), test))
}

/// A condition on events or carts.
pub(super) fn event_condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        3 => aggregate().boxed(),
        1 => time().boxed(),
        3 => sequence().boxed(),
        2 => carts_operand().boxed(),
    ]
    .prop_map(|(operand, test)| Condition {
        operand,
        test,
        span: Span::default(),
    })
}
