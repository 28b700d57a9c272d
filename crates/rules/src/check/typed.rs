//! The checked tree: every literal has the type of what it is compared with.

use std::borrow::Cow;

use regulars_core::{
    DataNeed, List, SegmentName, Timestamp, Trait, TraitKind, TraitValue, Window, Zone,
};

use crate::tree::{
    CartProperty, CompareOp, EventCall, Measure, Property, PropertyPath, WhichOrder,
};

/// A rule whose names and literals are resolved; of the same shape as its tree.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Everyone,
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    InSegment(SegmentName),
    Leaf(LeafSpec),
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LeafSpec {
    pub(crate) source: Source,
    pub(crate) test: ValueTest,
    /// Kind of the value; `None` for a declared trait or one of an account.
    pub(crate) kind: Option<TraitKind>,
    pub(crate) needs: Vec<DataNeed>,
    /// Canonical text of the condition.
    pub(crate) text: String,
}

/// Where a condition's value comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    Trait(Trait),
    Declared(String),
    /// A trait of the customer's account.
    Account(String),
    Measure(MeasureSpec),
    Events(Box<EventSpec>),
    /// How many open carts the filter lets through.
    Carts(Option<FilterNode<CartProperty>>),
}

/// A value folded from orders.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MeasureSpec {
    pub(crate) kind: MeasureKind,
    pub(crate) filter: Option<FilterNode>,
    pub(crate) window: Window,
}

/// What is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MeasureKind {
    Aggregate(Measure),
    OrderTime(WhichOrder),
}

/// A value folded from events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EventSpec {
    pub(crate) value: EventValue,
    /// Over which time; of sequences, when they are completed.
    pub(crate) window: Window,
}

/// What is folded from events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum EventValue {
    Count(EventsSpec),
    /// The sum of a property, in millionths.
    Sum(EventsSpec, PropertyPath),
    Distinct(EventsSpec, PropertyPath),
    Time(WhichOrder, EventsSpec),
    /// The latest `then` within `ms` after a `first`.
    Followed {
        first: EventsSpec,
        then: EventsSpec,
        ms: i64,
    },
    /// `ms` after the latest `first`, if there is no `then` after it, nor an order when those end
    /// it too.
    NotFollowed {
        first: EventsSpec,
        then: EventsSpec,
        ms: i64,
        ends_by_orders: bool,
    },
}

/// Which events, with resolved literals.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EventsSpec {
    pub(crate) call: EventCall,
    /// Sorted, each once; any when empty.
    pub(crate) names: Vec<String>,
    pub(crate) filter: Option<FilterNode<PropertyPath>>,
}

impl EventValue {
    /// The events that it looks at.
    pub(crate) fn events(&self) -> impl Iterator<Item = &EventsSpec> {
        let (first, then) = match self {
            Self::Count(events)
            | Self::Sum(events, _)
            | Self::Distinct(events, _)
            | Self::Time(_, events) => (events, None),
            Self::Followed { first, then, .. } | Self::NotFollowed { first, then, .. } => {
                (first, Some(then))
            }
        };
        std::iter::once(first).chain(then)
    }

    /// Calls `each` with every path of a property that it asks for.
    pub(crate) fn for_each_path(&self, each: &mut impl FnMut(&str)) {
        if let Self::Sum(_, path) | Self::Distinct(_, path) = self {
            each(&path.0);
        }
        for filter in self.events().filter_map(|events| events.filter.as_ref()) {
            filter.for_each_test(&mut |path, _| each(&path.0));
        }
    }
}

/// A filter whose literals are resolved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FilterNode<P = Property> {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Property(P, ValueTest),
}

impl<P> FilterNode<P> {
    /// True when the filter lets that through whose properties `passes` tests.
    pub(crate) fn holds(&self, passes: &impl Fn(&P, &ValueTest) -> bool) -> bool {
        match self {
            Self::And(nodes) => nodes.iter().all(|node| node.holds(passes)),
            Self::Or(nodes) => nodes.iter().any(|node| node.holds(passes)),
            Self::Not(node) => !node.holds(passes),
            Self::Property(property, test) => passes(property, test),
        }
    }

    /// Calls `each` with every test of a property.
    pub(crate) fn for_each_test(&self, each: &mut impl FnMut(&P, &ValueTest)) {
        match self {
            Self::And(nodes) | Self::Or(nodes) => {
                for node in nodes {
                    node.for_each_test(each);
                }
            }
            Self::Not(node) => node.for_each_test(each),
            Self::Property(property, test) => each(property, test),
        }
    }
}

/// Pieces, and numbers of events, are added up in millionths, so that sums are exact in any order.
pub(crate) const MILLIONTH_DIGITS: u32 = 6;
/// Millionths in one.
pub(crate) const MILLIONTHS: f64 = 1e6;

/// A test of a value, typed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ValueTest {
    IsSet,
    IsNotSet,
    Flag(bool),
    /// Of counts, days, minor units and millionths.
    Integer(OrderedTest<i64>),
    Number(OrderedTest<f64>),
    Text(TextTest),
    Instant(InstantTest),
}

/// A test of a value that has an order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OrderedTest<T> {
    Compare(CompareOp, T),
    Between(T, T),
    In(Vec<T>),
    NotIn(Vec<T>),
}

/// A test of a text. The texts of the last two are in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TextTest {
    In(Vec<String>),
    NotIn(Vec<String>),
    Contains(String),
    StartsWith(String),
}

/// A test of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InstantTest {
    /// At `now − ms` or earlier.
    BeforeAgo { ms: i64 },
    /// Inside the window that ends at `now`.
    Within(Window),
    /// `from <= t < until`.
    Range { from: Timestamp, until: Timestamp },
}

impl<T: PartialOrd + Copy> OrderedTest<T> {
    pub(crate) fn holds(&self, value: T) -> bool {
        match self {
            Self::Compare(CompareOp::Equal, of) => value == *of,
            Self::Compare(CompareOp::NotEqual, of) => value != *of,
            Self::Compare(CompareOp::Less, of) => value < *of,
            Self::Compare(CompareOp::AtMost, of) => value <= *of,
            Self::Compare(CompareOp::Greater, of) => value > *of,
            Self::Compare(CompareOp::AtLeast, of) => value >= *of,
            Self::Between(low, high) => *low <= value && value <= *high,
            Self::In(values) => values.contains(&value),
            Self::NotIn(values) => !values.contains(&value),
        }
    }

    /// The values next to which the truth may change.
    pub(crate) fn bounds(&self) -> Cow<'_, [T]> {
        match self {
            Self::Compare(_, of) => Cow::Owned(vec![*of]),
            Self::Between(low, high) => Cow::Owned(vec![*low, *high]),
            Self::In(values) | Self::NotIn(values) => Cow::Borrowed(values),
        }
    }
}

impl TextTest {
    pub(crate) fn holds(&self, value: &str) -> bool {
        let lower = || value.chars().flat_map(char::to_lowercase);
        match self {
            Self::In(texts) => texts.iter().any(|text| text == value),
            Self::NotIn(texts) => !texts.iter().any(|text| text == value),
            Self::StartsWith(prefix) => starts_with(lower(), prefix),
            Self::Contains(part) => {
                let mut rest = lower();
                loop {
                    if starts_with(rest.clone(), part) {
                        return true;
                    }
                    if rest.next().is_none() {
                        return false;
                    }
                }
            }
        }
    }
}

impl TextTest {
    /// True when an element of the list is the whole text that it should contain; any other test
    /// is one of single texts.
    fn holds_of_list(&self, list: List<'_>) -> bool {
        let Self::Contains(wanted) = self else {
            return false;
        };
        let lower = |element: &str| {
            element
                .chars()
                .flat_map(char::to_lowercase)
                .eq(wanted.chars())
        };
        list.elements().any(lower)
    }
}

fn starts_with(mut text: impl Iterator<Item = char>, prefix: &str) -> bool {
    prefix.chars().all(|wanted| text.next() == Some(wanted))
}

/// A text in lower case, letter by letter, as it is compared by `contains` and `starts with`.
pub(crate) fn lower_case(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

impl InstantTest {
    pub(crate) fn holds(self, at: Timestamp, now: Timestamp, zone: &Zone) -> bool {
        match self {
            Self::BeforeAgo { ms } => at <= now.plus_ms(-ms),
            Self::Within(window) => window.start(now, zone) < at && at <= now,
            Self::Range { from, until } => from <= at && at < until,
        }
    }

    /// The first instant after `now` at which the truth for an instant that stays changes.
    pub(crate) fn next_flip(self, at: Timestamp, now: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let later = |instant: Timestamp| (instant > now).then_some(instant);
        match self {
            Self::BeforeAgo { ms } => later(at.plus_ms(ms)),
            Self::Within(window) => {
                later(at).or_else(|| window.leaves_at(at, zone).and_then(later))
            }
            Self::Range { .. } => None,
        }
    }
}

impl ValueTest {
    /// True when `value`, known at `now`, passes. A missing value passes [`Self::IsNotSet`] only.
    pub(crate) fn holds(&self, value: TraitValue<'_>, now: Timestamp, zone: &Zone) -> bool {
        match (self, value) {
            (Self::IsNotSet, TraitValue::Missing) => true,
            (_, TraitValue::Missing) | (Self::IsNotSet, _) => false,
            (Self::IsSet, _) => true,
            (Self::Flag(wanted), TraitValue::Flag(flag)) => *wanted == flag,
            (Self::Integer(test), TraitValue::Integer(number) | TraitValue::Money(number)) => {
                test.holds(number)
            }
            (Self::Number(test), TraitValue::Number(number)) => {
                !number.is_nan() && test.holds(number)
            }
            (Self::Number(test), TraitValue::Integer(number)) => test.holds(number as f64),
            (Self::Text(test), TraitValue::Text(text)) => test.holds(text),
            (Self::Text(test), TraitValue::List(list)) => test.holds_of_list(list),
            (Self::Instant(test), TraitValue::Instant(at)) => test.holds(at, now, zone),
            // A declared trait may hold a value of another kind than the rule asks for.
            (
                Self::Flag(_)
                | Self::Integer(_)
                | Self::Number(_)
                | Self::Text(_)
                | Self::Instant(_),
                _,
            ) => false,
        }
    }
}

impl<T: PartialOrd + Copy> OrderedTest<T> {
    /// True of `>= k` and `< k`, which need no more than to know whether there are `k`.
    pub(crate) fn is_threshold(&self) -> bool {
        matches!(self, Self::Compare(CompareOp::AtLeast | CompareOp::Less, _))
    }

    /// How many ends of half-lines lie below `value`: the same for all values between two bounds,
    /// different on either side of a bound and on it.
    fn side_of(&self, value: T) -> usize {
        let bounds = self.bounds();
        bounds
            .iter()
            .map(|bound| usize::from(*bound < value) + usize::from(*bound <= value))
            .sum()
    }
}

impl ValueTest {
    /// On which side of the test's bounds a value is; equal sides have equal truth. `None` for a
    /// value that the test cannot place.
    pub(crate) fn side_of(&self, value: TraitValue<'_>) -> Option<usize> {
        match (self, value) {
            (_, TraitValue::Missing) => None,
            (Self::Integer(test), TraitValue::Integer(number) | TraitValue::Money(number)) => {
                Some(test.side_of(number))
            }
            (Self::Number(test), TraitValue::Number(number)) => {
                (!number.is_nan()).then(|| test.side_of(number))
            }
            (Self::Number(test), TraitValue::Integer(number)) => Some(test.side_of(number as f64)),
            (
                Self::IsSet
                | Self::IsNotSet
                | Self::Flag(_)
                | Self::Integer(_)
                | Self::Number(_)
                | Self::Text(_)
                | Self::Instant(_),
                _,
            ) => Some(0),
        }
    }
}
