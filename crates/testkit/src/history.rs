//! A customer as plain data, and the same customer as the compiled evaluation takes it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use regulars_core::{
    Cart, DAY_MS, Event, EventKind, List, Motion, Order, OrderKey, OrderLine, Properties,
    PropertyValue, Symbols, Timestamp, Trait, TraitValue,
};
use regulars_rules::Subject;

/// An order with texts; the empty text is an unknown one.
#[derive(Debug, Clone, PartialEq)]
pub struct RawOrder {
    /// Identity: decides between orders of the same time.
    pub key: u64,
    /// When it was placed.
    pub at: Timestamp,
    /// What discounts took off.
    pub discount_minor: Option<i64>,
    /// Cost of the goods.
    pub cost_minor: Option<i64>,
    /// What went back, which is no longer in the lines.
    pub refunded_minor: i64,
    /// Channel.
    pub channel: String,
    /// Country.
    pub country: String,
    /// Its lines.
    pub lines: Vec<RawLine>,
}

/// A line of a [`RawOrder`].
#[derive(Debug, Clone, PartialEq)]
pub struct RawLine {
    /// Product.
    pub product: String,
    /// Category.
    pub category: String,
    /// Brand.
    pub brand: String,
    /// Pieces.
    pub quantity: f64,
    /// Net revenue.
    pub net_minor: i64,
}

impl RawOrder {
    /// Net revenue of the whole order; it ends at 64 bits.
    pub fn net_minor(&self) -> i64 {
        sum_of(self.lines.iter().map(|line| line.net_minor))
    }

    /// Pieces of the whole order.
    pub fn quantity(&self) -> f64 {
        self.lines.iter().map(|line| line.quantity).sum()
    }

    /// Interns the texts and hands the order as it is folded to `then`.
    pub fn with_order<T>(&self, symbols: &mut Symbols, then: impl FnOnce(&Order<'_>) -> T) -> T {
        let lines: Vec<OrderLine> = self
            .lines
            .iter()
            .map(|line| OrderLine {
                product: symbols.intern(&line.product),
                category: symbols.intern(&line.category),
                brand: symbols.intern(&line.brand),
                quantity: line.quantity,
                net_minor: line.net_minor,
            })
            .collect();
        then(&Order {
            key: OrderKey(self.key),
            occurred_at: self.at,
            net_minor: self.net_minor(),
            refunded_minor: self.refunded_minor,
            discount_minor: self.discount_minor,
            cost_minor: self.cost_minor,
            quantity: self.quantity(),
            channel: symbols.intern(&self.channel),
            country: symbols.intern(&self.country),
            lines: &lines,
        })
    }
}

/// A sum of exact amounts; only the result ends at 64 bits.
pub fn sum_of(amounts: impl Iterator<Item = i64>) -> i64 {
    let exact: i128 = amounts.map(i128::from).sum();
    i64::try_from(exact).unwrap_or(if exact < 0 { i64::MIN } else { i64::MAX })
}

/// An event with its properties.
#[derive(Debug, Clone, PartialEq)]
pub struct RawEvent {
    /// The tracking call.
    pub kind: EventKind,
    /// Its name.
    pub name: String,
    /// When it happened.
    pub at: Timestamp,
    /// When it arrived: not known before.
    pub received_at: Timestamp,
    /// Texts, numbers and flags by dotted path.
    pub properties: BTreeMap<String, RawValue>,
}

impl RawEvent {
    /// Hands the event as it is folded to `then`.
    pub fn with_event<T>(&self, then: impl FnOnce(&Event<'_>) -> T) -> T {
        let scalar = |value: &RawValue| match value {
            RawValue::Text(text) => Some(PropertyValue::Text(text.clone().into())),
            RawValue::Number(number) => Some(PropertyValue::Number(*number)),
            RawValue::Flag(flag) => Some(PropertyValue::Flag(*flag)),
            RawValue::List(joined) => Some(PropertyValue::List(joined.clone().into())),
            RawValue::Missing
            | RawValue::Integer(_)
            | RawValue::Money(_)
            | RawValue::Instant(_) => None,
        };
        let named =
            |(path, value): (&String, &RawValue)| Some((Cow::Owned(path.clone()), scalar(value)?));
        let properties = Properties(self.properties.iter().filter_map(named).collect());
        then(&Event {
            kind: self.kind,
            name: &self.name,
            occurred_at: self.at,
            received_at: self.received_at,
            properties: &properties,
        })
    }
}

/// A trait's value with its own text.
#[derive(Debug, Clone, PartialEq)]
pub enum RawValue {
    /// Not known.
    Missing,
    /// Counts and days.
    Integer(i64),
    /// Numbers and shares.
    Number(f64),
    /// Minor units.
    Money(i64),
    /// Texts and choices.
    Text(String),
    /// An instant.
    Instant(Timestamp),
    /// True or false.
    Flag(bool),
    /// A list of texts, joined as [`List`] keeps them.
    List(String),
}

impl RawValue {
    fn borrowed(&self) -> TraitValue<'_> {
        match self {
            Self::Missing => TraitValue::Missing,
            Self::Integer(value) => TraitValue::Integer(*value),
            Self::Number(value) => TraitValue::Number(*value),
            Self::Money(minor) => TraitValue::Money(*minor),
            Self::Text(text) => TraitValue::Text(text),
            Self::Instant(at) => TraitValue::Instant(*at),
            Self::Flag(flag) => TraitValue::Flag(*flag),
            Self::List(joined) => List::of(joined).map_or(TraitValue::Missing, TraitValue::List),
        }
    }
}

/// A trait as a function of time, while nothing happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Course {
    /// It stays.
    Still(RawValue),
    /// Whole days since an instant.
    DaysSince(Timestamp),
    /// A value before the first instant, then one from each instant on; ascending.
    Steps(RawValue, Vec<(Timestamp, RawValue)>),
    /// The same, with values that never fall.
    Rises(RawValue, Vec<(Timestamp, RawValue)>),
    /// The same, with values that never rise.
    Falls(RawValue, Vec<(Timestamp, RawValue)>),
    /// `at_start + per_day · days`, rising or falling without jumps.
    Slope {
        /// When it has its first value.
        start: Timestamp,
        /// The first value.
        at_start: f64,
        /// What each day adds.
        per_day: f64,
    },
}

impl Course {
    /// The value at an instant.
    pub fn at(&self, now: Timestamp) -> RawValue {
        match self {
            Self::Still(value) => value.clone(),
            Self::DaysSince(since) => RawValue::Integer((now.0 - since.0).div_euclid(DAY_MS)),
            Self::Slope {
                start,
                at_start,
                per_day,
            } => {
                let days = (now.0 - start.0) as f64 / DAY_MS as f64;
                RawValue::Number(at_start + per_day * days)
            }
            Self::Steps(first, steps) | Self::Rises(first, steps) | Self::Falls(first, steps) => {
                let reached = steps.iter().rev().find(|(from, _)| *from <= now);
                reached.map_or(first, |(_, value)| value).clone()
            }
        }
    }

    fn borrowed_at(&self, now: Timestamp) -> TraitValue<'_> {
        match self {
            Self::Still(value) => value.borrowed(),
            Self::Steps(first, steps) | Self::Rises(first, steps) | Self::Falls(first, steps) => {
                let reached = steps.iter().rev().find(|(from, _)| *from <= now);
                reached.map_or(first, |(_, value)| value).borrowed()
            }
            Self::DaysSince(_) | Self::Slope { .. } => match self.at(now) {
                RawValue::Integer(value) => TraitValue::Integer(value),
                RawValue::Number(value) => TraitValue::Number(value),
                _ => TraitValue::Missing,
            },
        }
    }

    /// Instants near which the value may change.
    pub fn edges(&self) -> Vec<Timestamp> {
        match self {
            Self::Still(RawValue::Instant(at)) | Self::DaysSince(at) => vec![*at],
            Self::Still(_) => Vec::new(),
            Self::Slope { start, .. } => vec![*start],
            Self::Steps(_, steps) | Self::Rises(_, steps) | Self::Falls(_, steps) => {
                steps.iter().map(|(from, _)| *from).collect()
            }
        }
    }
}

/// All that is known of a customer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Customer {
    /// Orders, ascending in time, ties by key.
    pub orders: Vec<RawOrder>,
    /// Events, ascending in the time at which they arrived.
    pub events: Vec<RawEvent>,
    /// Carts that were not ordered.
    pub carts: Vec<Cart>,
    /// Standard traits; those not named are missing.
    pub traits: BTreeMap<Trait, Course>,
    /// Declared traits.
    pub declared: BTreeMap<String, RawValue>,
    /// Id of the account that they belong to; empty for none.
    pub belongs_to: String,
    /// Traits of the account that they belong to, by name.
    pub account: BTreeMap<String, RawValue>,
}

impl Customer {
    /// The customer without the orders after `now`, the events that arrived and the carts that
    /// changed after it.
    #[must_use]
    pub fn up_to(&self, now: Timestamp) -> Self {
        let orders = self
            .orders
            .iter()
            .filter(|order| order.at <= now)
            .cloned()
            .collect();
        let mut known = self.clone();
        known.orders = orders;
        known.events.retain(|event| event.received_at <= now);
        known.carts.retain(|cart| cart.changed_at <= now);
        known
    }
}

impl Subject for Customer {
    fn carts(&self) -> &[Cart] {
        &self.carts
    }

    fn value(&self, which: Trait, now: Timestamp) -> TraitValue<'_> {
        self.traits
            .get(&which)
            .map_or(TraitValue::Missing, |course| course.borrowed_at(now))
    }

    fn declared(&self, name: &str) -> TraitValue<'_> {
        self.declared
            .get(name)
            .map_or(TraitValue::Missing, RawValue::borrowed)
    }

    fn account(&self, name: &str) -> TraitValue<'_> {
        self.account
            .get(name)
            .map_or(TraitValue::Missing, RawValue::borrowed)
    }

    fn motion(&self, which: Trait) -> Motion {
        match self.traits.get(&which) {
            None | Some(Course::Still(_)) => Motion::Still,
            Some(Course::DaysSince(since)) => Motion::DaysSince(*since),
            Some(Course::Steps(..)) => Motion::Steps,
            Some(Course::Rises(..)) => Motion::Rises,
            Some(Course::Falls(..)) => Motion::Falls,
            Some(Course::Slope { per_day, .. }) => {
                if *per_day < 0.0 {
                    Motion::Falls
                } else {
                    Motion::Rises
                }
            }
        }
    }

    fn next_step_after(&self, which: Trait, now: Timestamp) -> Option<Timestamp> {
        let edges = self
            .traits
            .get(&which)
            .map(Course::edges)
            .unwrap_or_default();
        edges.into_iter().find(|&edge| edge > now)
    }
}
