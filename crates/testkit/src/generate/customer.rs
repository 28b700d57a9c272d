//! Random customers.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use regulars_core::{CivilDate, DAY_MS, HOUR_MS, Timestamp, Trait};

use super::event::{carts, events};
use super::{BRANDS, CATEGORIES, CHANNELS, COUNTRIES, DECLARED, PRODUCTS};
use crate::history::{Course, Customer, RawLine, RawOrder, RawValue};

/// The first day of all random times: nine days before summer time begins in [`ZONE`].
pub const FIRST_DAY: CivilDate = CivilDate(20_532);

/// A zone whose days are not those of UTC and of which one has 23 hours.
pub const ZONE: &str = "Europe/Berlin";

/// The lengths of time that random rules use, in milliseconds.
pub const LENGTHS_MS: [i64; 7] = [
    HOUR_MS / 60 * 90,
    12 * HOUR_MS,
    DAY_MS,
    2 * DAY_MS,
    3 * DAY_MS,
    7 * DAY_MS,
    30 * DAY_MS,
];

/// An instant of a dozen days; often the same, often a whole number of days from another.
pub fn instant() -> impl Strategy<Value = Timestamp> {
    let in_day = select(vec![
        0,
        1,
        12 * HOUR_MS,
        45 * HOUR_MS / 2,
        23 * HOUR_MS,
        DAY_MS - 1,
    ]);
    (0_i64..12, in_day)
        .prop_map(|(day, ms)| Timestamp((i64::from(FIRST_DAY.0) + day) * DAY_MS + ms))
}

fn text(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(texts).prop_map(str::to_owned)
}

fn line() -> impl Strategy<Value = RawLine> {
    (
        text(&PRODUCTS),
        text(&CATEGORIES),
        text(&BRANDS),
        select(vec![0.0, 0.5, 1.0, 2.0]),
        select(vec![0_i64, 500, 999, 1000]),
    )
        .prop_map(|(product, category, brand, quantity, net_minor)| RawLine {
            product,
            category,
            brand,
            quantity,
            net_minor,
        })
}

pub(super) fn order() -> impl Strategy<Value = RawOrder> {
    (
        any::<u64>(),
        instant(),
        select(vec![None, Some(0), Some(100)]),
        text(&CHANNELS),
        text(&COUNTRIES),
        vec(line(), 0..4),
    )
        .prop_map(
            |(key, at, discount_minor, channel, country, lines)| RawOrder {
                key,
                at,
                discount_minor,
                cost_minor: None,
                refunded_minor: 0,
                channel,
                country,
                lines,
            },
        )
}

/// A value before the first instant and one from each instant on.
fn staircase(
    values: fn() -> BoxedStrategy<RawValue>,
) -> impl Strategy<Value = (RawValue, Vec<(Timestamp, RawValue)>)> {
    (values(), vec((instant(), values()), 0..4)).prop_map(|(first, mut steps)| {
        steps.sort_by_key(|(at, _)| *at);
        steps.dedup_by_key(|(at, _)| *at);
        (first, steps)
    })
}

/// The same, with the values put into order.
fn numbers_in_order(
    descending: Direction,
    make: fn(i64) -> RawValue,
) -> impl Strategy<Value = (RawValue, Vec<(Timestamp, RawValue)>)> {
    (vec(1_i64..6, 4), vec(instant(), 0..4)).prop_map(move |(mut values, mut times)| {
        values.sort_unstable();
        if descending == Direction::Falling {
            values.reverse();
        }
        times.sort();
        times.dedup();
        let steps = times
            .into_iter()
            .zip(values[1..].iter().map(|&value| make(value)));
        (make(values[0]), steps.collect())
    })
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Direction {
    Rising,
    Falling,
}

fn still(values: impl Strategy<Value = RawValue>) -> impl Strategy<Value = Course> {
    values.prop_map(Course::Still)
}

fn maybe(values: impl Strategy<Value = RawValue>) -> impl Strategy<Value = RawValue> {
    prop_oneof![1 => Just(RawValue::Missing), 4 => values]
}

/// A course that fits the kind of each trait that random rules ask for.
fn traits() -> impl Strategy<Value = BTreeMap<Trait, Course>> {
    let share = |tenths: i64| RawValue::Number(tenths as f64 / 10.0);
    let stage = || {
        let stages = select(vec!["new", "loyal", "dormant"]);
        maybe(stages.prop_map(|stage| RawValue::Text(stage.to_owned()))).boxed()
    };
    let slope = |per_day: Vec<f64>| {
        (instant(), select(vec![0.2, 0.5, 0.6]), select(per_day)).prop_map(
            |(start, at_start, per_day)| Course::Slope {
                start,
                at_start,
                per_day,
            },
        )
    };
    (
        still(maybe((0_i64..4).prop_map(RawValue::Integer))),
        still(maybe(select(vec![0, 500, 1000]).prop_map(RawValue::Money))),
        still(maybe((0_i64..11).prop_map(share))),
        still(maybe(instant().prop_map(RawValue::Instant))),
        prop_oneof![
            Just(Course::Still(RawValue::Missing)),
            instant().prop_map(Course::DaysSince)
        ],
        still(maybe(
            select(vec!["DE", "FR", "de"]).prop_map(|t| RawValue::Text(t.to_owned())),
        )),
        staircase(stage).prop_map(|(first, steps)| Course::Steps(first, steps)),
        still(maybe(any::<bool>().prop_map(RawValue::Flag))),
        slope(vec![0.0, 0.01, 0.05]),
        slope(vec![-0.01, -0.05]),
        numbers_in_order(Direction::Rising, RawValue::Integer)
            .prop_map(|(first, steps)| Course::Rises(first, steps)),
        numbers_in_order(Direction::Falling, |v| RawValue::Number(v as f64))
            .prop_map(|(first, steps)| Course::Falls(first, steps)),
    )
        .prop_map(|courses| {
            BTreeMap::from([
                (Trait::Orders, courses.0),
                (Trait::Revenue, courses.1),
                (Trait::DiscountShare, courses.2),
                (Trait::LastOrder, courses.3),
                (Trait::DaysSinceLastOrder, courses.4),
                (Trait::Country, courses.5),
                (Trait::Lifecycle, courses.6),
                (Trait::Consent, courses.7),
                (Trait::ChurnRisk, courses.8),
                (Trait::ProbabilityAlive, courses.9),
                (Trait::ChurnLevel, courses.10),
                (Trait::ExpectedOrders, courses.11),
            ])
        })
}

/// Traits that somebody declared, of a customer or of an account.
fn declared() -> impl Strategy<Value = BTreeMap<String, RawValue>> {
    let value = prop_oneof![
        Just(RawValue::Missing),
        (0_i64..4).prop_map(RawValue::Integer),
        (0_i64..4).prop_map(|half| RawValue::Number(half as f64 / 2.0)),
        select(vec!["f", "m", "F"]).prop_map(|text| RawValue::Text(text.to_owned())),
        instant().prop_map(RawValue::Instant),
        any::<bool>().prop_map(RawValue::Flag),
        vec(select(vec!["f", "S", "es", "X"]), 0..4)
            .prop_map(|texts| RawValue::List(texts.join("\u{1f}"))),
    ];
    btree_map(text(&DECLARED), value, 1..4)
}

/// A customer with up to nine orders and twelve events.
pub fn customer() -> impl Strategy<Value = Customer> {
    let orders = vec(order(), 0..10);
    let stated = (declared(), declared());
    (orders, events(), carts(), traits(), stated).prop_map(
        |(mut orders, events, carts, traits, (declared, account))| {
            orders.sort_by_key(|order| (order.at, order.key));
            Customer {
                orders,
                events,
                carts,
                traits,
                declared,
                account,
                belongs_to: String::new(),
            }
        },
    )
}
