//! Random rules, right in kind for the traits of random customers.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use regulars_core::{CalendarUnit, CivilDate, SegmentName, Trait};
use regulars_rules::{
    Aggregate, CalendarLength, CompareOp, Condition, Day, Decimal, Filter, FilterCondition, Length,
    Literal, LiteralValue, Measure, Operand, OrderTime, Period, Property, Rule, SegmentRef, Span,
    Test, Unit, WhichOrder,
};

use super::event::event_condition;
use super::{BRANDS, CATEGORIES, CHANNELS, COUNTRIES, DECLARED, FIRST_DAY, PRODUCTS};

fn literal(value: LiteralValue) -> Literal {
    Literal {
        value,
        span: Span::default(),
    }
}

pub(super) fn number(text: &str) -> Literal {
    literal(LiteralValue::Number(
        text.parse::<Decimal>().expect("a number"),
    ))
}

fn op() -> impl Strategy<Value = CompareOp> {
    select(vec![
        CompareOp::Equal,
        CompareOp::NotEqual,
        CompareOp::Less,
        CompareOp::AtMost,
        CompareOp::Greater,
        CompareOp::AtLeast,
    ])
}

/// A test of a value that has an order, with literals of this list, which ascends.
pub(super) fn ordered_test(literals: &'static [&'static str]) -> impl Strategy<Value = Test> {
    let one = || select(literals).prop_map(number);
    let last = literals.len();
    prop_oneof![
        4 => (op(), one()).prop_map(|(op, value)| Test::Compare { op, value }),
        1 => (0..last, 0..last).prop_map(move |(a, b)| Test::Between {
            low: number(literals[a.min(b)]),
            high: number(literals[a.max(b)]),
        }),
        1 => vec(one(), 1..3).prop_map(Test::In),
        1 => vec(one(), 1..3).prop_map(Test::NotIn),
    ]
}

fn share_test() -> impl Strategy<Value = Test> {
    let percent = select(vec!["30%", "50%", "60%", "12.5%"]).prop_map(|text| {
        let text = text.trim_end_matches('%');
        literal(LiteralValue::Percent(text.parse().expect("a number")))
    });
    prop_oneof![
        ordered_test(&["0", "0.3", "0.5", "0.6", "1"]),
        (op(), percent).prop_map(|(op, value)| Test::Compare { op, value }),
    ]
}

pub(super) fn set_test() -> impl Strategy<Value = Test> {
    select(vec![Test::IsSet, Test::IsNotSet])
}

pub(super) fn text_test(texts: &'static [&'static str]) -> impl Strategy<Value = Test> {
    let one = || {
        let known = texts
            .iter()
            .copied()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>();
        select(known).prop_map(|text| literal(LiteralValue::Text(text.to_owned())))
    };
    let part = || {
        select(vec!["s", "E", "x", "'", ""])
            .prop_map(|text| literal(LiteralValue::Text(text.to_owned())))
    };
    let equality = select(vec![CompareOp::Equal, CompareOp::NotEqual]);
    prop_oneof![
        3 => (equality, one()).prop_map(|(op, value)| Test::Compare { op, value }),
        1 => vec(one(), 1..3).prop_map(Test::In),
        1 => vec(one(), 1..3).prop_map(Test::NotIn),
        1 => part().prop_map(Test::Contains),
        1 => part().prop_map(Test::StartsWith),
        1 => set_test(),
    ]
}

/// Whether a list has an element, or a text a part.
pub(super) fn contains_test() -> impl Strategy<Value = Test> {
    let part = select(vec!["s", "x", "ES", "7"]);
    part.prop_map(|part| Test::Contains(literal(LiteralValue::Text(part.to_owned()))))
}

pub(super) fn flag_test() -> impl Strategy<Value = Test> {
    let compared = (
        select(vec![CompareOp::Equal, CompareOp::NotEqual]),
        any::<bool>(),
    );
    prop_oneof![
        Just(Test::Holds),
        compared.prop_map(|(op, flag)| Test::Compare {
            op,
            value: literal(LiteralValue::Flag(flag))
        }),
        set_test(),
    ]
}

pub(super) fn length() -> impl Strategy<Value = Length> {
    select(vec![
        Length {
            count: 90,
            unit: Unit::Minutes,
        },
        Length {
            count: 12,
            unit: Unit::Hours,
        },
        Length {
            count: 1,
            unit: Unit::Days,
        },
        Length {
            count: 2,
            unit: Unit::Days,
        },
        Length {
            count: 3,
            unit: Unit::Days,
        },
        Length {
            count: 1,
            unit: Unit::Weeks,
        },
    ])
}

pub(super) fn period() -> impl Strategy<Value = Period> {
    prop_oneof![
        2 => length().prop_map(Period::Last),
        1 => (1_u32..4, select(&CalendarUnit::ALL[..]))
            .prop_map(|(count, unit)| Period::LastCalendar(CalendarLength { count, unit })),
    ]
}

fn date() -> impl Strategy<Value = CivilDate> {
    (0_i32..12).prop_map(|day| CivilDate(FIRST_DAY.0 + day))
}

pub(super) fn time_test() -> impl Strategy<Value = Test> {
    let day = || {
        date().prop_map(|date| Day {
            date,
            span: Span::default(),
        })
    };
    prop_oneof![
        2 => length().prop_map(Test::BeforeAgo),
        2 => period().prop_map(Test::Within),
        1 => day().prop_map(Test::Before),
        1 => day().prop_map(Test::After),
        1 => day().prop_map(Test::On),
        1 => (date(), 0_i32..4).prop_map(|(low, days)| Test::Between {
            low: literal(LiteralValue::Date(low)),
            high: literal(LiteralValue::Date(CivilDate(low.0 + days))),
        }),
        1 => set_test(),
    ]
}

fn property() -> impl Strategy<Value = Filter> {
    let of = |property: Property, test: BoxedStrategy<Test>| {
        test.prop_map(move |test| FilterCondition {
            property,
            test,
            span: Span::default(),
        })
        .boxed()
    };
    let amounts = || ordered_test(&["0", "5", "9.99", "10", "20"]).boxed();
    prop_oneof![
        of(Property::Product, text_test(&PRODUCTS).boxed()),
        of(Property::Category, text_test(&CATEGORIES).boxed()),
        of(Property::Category, text_test(&CATEGORIES).boxed()),
        of(Property::Brand, text_test(&BRANDS).boxed()),
        of(
            Property::Quantity,
            ordered_test(&["0", "0.5", "1", "2"]).boxed()
        ),
        of(Property::Channel, text_test(&CHANNELS).boxed()),
        of(Property::Country, text_test(&COUNTRIES).boxed()),
        of(Property::Value, amounts()),
        of(
            Property::Discount,
            prop_oneof![amounts(), set_test()].boxed()
        ),
        of(Property::Discounted, flag_test().boxed()),
    ]
    .prop_map(Filter::Property)
}

/// A filter of an aggregate.
pub fn filter() -> impl Strategy<Value = Filter> {
    nested(property())
}

/// One condition, or several combined.
pub(super) fn nested<P: Clone + std::fmt::Debug + 'static>(
    condition: impl Strategy<Value = Filter<P>> + 'static,
) -> impl Strategy<Value = Filter<P>> {
    condition.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            2 => vec(inner.clone(), 2..4).prop_map(Filter::And),
            1 => vec(inner.clone(), 2..4).prop_map(Filter::Or),
            1 => inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

fn of_trait(which: Trait, test: impl Strategy<Value = Test> + 'static) -> BoxedStrategy<Condition> {
    let operand = Operand::Trait(which);
    test.prop_map(move |test| Condition {
        operand: operand.clone(),
        test,
        span: Span::default(),
    })
    .boxed()
}

fn trait_condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        of_trait(
            Trait::Orders,
            prop_oneof![ordered_test(&["0", "1", "2", "3"]), set_test()]
        ),
        of_trait(Trait::Revenue, ordered_test(&["0", "5", "10"])),
        of_trait(Trait::DiscountShare, share_test()),
        of_trait(Trait::LastOrder, time_test()),
        of_trait(
            Trait::DaysSinceLastOrder,
            ordered_test(&["0", "1", "2", "5"])
        ),
        of_trait(Trait::Country, text_test(&["DE", "FR"])),
        of_trait(Trait::Lifecycle, text_test(&["new", "loyal", "dormant"])),
        of_trait(Trait::Consent, flag_test()),
        of_trait(Trait::ChurnRisk, share_test()),
        of_trait(Trait::ProbabilityAlive, share_test()),
        of_trait(Trait::ChurnLevel, ordered_test(&["1", "2", "3", "4", "5"])),
        of_trait(Trait::ExpectedOrders, ordered_test(&["1", "2.5", "4"])),
        of_trait(Trait::OrdersLast30Days, ordered_test(&["0", "1", "2", "5"])),
        of_trait(Trait::RevenueLast30Days, ordered_test(&["0", "5", "10"])),
    ]
}

fn declared_condition() -> impl Strategy<Value = Condition> {
    let test = prop_oneof![
        ordered_test(&["0", "0.5", "1", "2"]),
        text_test(&["f", "m"]),
        contains_test(),
        flag_test(),
        time_test(),
    ];
    let operand: fn(&str) -> Operand = |name| Operand::Declared(name.to_owned());
    let of_account: fn(&str) -> Operand = |name| Operand::Account(name.to_owned());
    let operands = select(vec![operand, of_account]);
    (operands, select(&DECLARED[..]), test).prop_map(|(operand, name, test)| Condition {
        operand: operand(name),
        test,
        span: Span::default(),
    })
}

fn aggregate_condition() -> impl Strategy<Value = Condition> {
    let counts = || ordered_test(&["0", "1", "2", "3"]).boxed();
    let measured = prop_oneof![
        3 => (Just(Measure::Orders), counts()),
        2 => (Just(Measure::Revenue), ordered_test(&["0", "5", "9.99", "10", "20"]).boxed()),
        2 => (Just(Measure::Items), ordered_test(&["0", "0.5", "1", "2", "3"]).boxed()),
        1 => (Just(Measure::DistinctProducts), counts()),
        1 => (Just(Measure::DistinctCategories), counts()),
        1 => (Just(Measure::DistinctBrands), counts()),
    ];
    let option = |strategy: BoxedStrategy<Filter>| proptest::option::of(strategy);
    let parts = (
        measured,
        option(filter().boxed()),
        proptest::option::weighted(0.8, period()),
    );
    parts.prop_map(|((measure, test), filter, period)| {
        let operand = match (measure, &filter, period) {
            (Measure::Orders, None, None) => Operand::Trait(Trait::Orders),
            (Measure::Revenue, None, None) => Operand::Trait(Trait::Revenue),
            (Measure::Items, None, None) => Operand::Trait(Trait::Items),
            _ => Operand::Aggregate(Aggregate {
                measure,
                filter,
                period,
            }),
        };
        Condition {
            operand,
            test,
            span: Span::default(),
        }
    })
}

fn order_time_condition() -> impl Strategy<Value = Condition> {
    let which = select(vec![WhichOrder::First, WhichOrder::Last]);
    (which, filter(), time_test()).prop_map(|(which, filter, test)| Condition {
        operand: Operand::OrderTime(OrderTime { which, filter }),
        test,
        span: Span::default(),
    })
}

/// What the conditions of random rules are about.
#[derive(Debug, Clone, Copy, PartialEq)]
enum About {
    Orders,
    Events,
    Both,
}

/// A rule that may refer to these segments.
pub fn rule(segments: Vec<SegmentName>) -> impl Strategy<Value = Rule> {
    rule_about(About::Both, segments)
}

fn rule_about(about: About, segments: Vec<SegmentName>) -> impl Strategy<Value = Rule> {
    let of_orders = prop_oneof![
        3 => trait_condition(),
        1 => declared_condition(),
        4 => aggregate_condition(),
        1 => order_time_condition(),
    ];
    let condition = match about {
        About::Orders => of_orders.boxed(),
        About::Events => event_condition().boxed(),
        About::Both => prop_oneof![of_orders, event_condition()].boxed(),
    };
    let leaf = prop_oneof![
        12 => condition.prop_map(Rule::Condition),
        1 => Just(Rule::Everyone),
    ];
    let leaf = if segments.is_empty() {
        leaf.boxed()
    } else {
        let reference = select(segments).prop_map(|name| {
            Rule::InSegment(SegmentRef {
                name,
                span: Span::default(),
            })
        });
        prop_oneof![4 => leaf, 1 => reference].boxed()
    };
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            2 => vec(inner.clone(), 2..4).prop_map(Rule::And),
            2 => vec(inner.clone(), 2..4).prop_map(Rule::Or),
            1 => inner.prop_map(|rule| Rule::Not(Box::new(rule))),
        ]
    })
}

/// Three segments, given in an order in which the first may refer to the later ones. Often all are
/// about orders, or all about events, so that a few cases try much.
pub fn rules() -> impl Strategy<Value = Vec<(SegmentName, Rule)>> {
    let name = |name: &str| SegmentName::new(name).expect("a good name");
    let (first, second, third) = (name("first"), name("second"), name("third"));
    select(vec![About::Orders, About::Events, About::Both]).prop_flat_map(move |about| {
        let (first, second, third) = (first.clone(), second.clone(), third.clone());
        (
            rule_about(about, vec![second.clone(), third.clone()]),
            rule_about(about, vec![third.clone()]),
            rule_about(about, Vec::new()),
        )
            .prop_map(move |(a, b, c)| {
                vec![(first.clone(), a), (second.clone(), b), (third.clone(), c)]
            })
    })
}
