//! The rule as a tree: what the text says, before kinds are checked.
//!
//! The tree is the form that is stored; text and JSON are two ways to write it. JSON uses
//! externally tagged snake-case names:
//!
//! ```json
//! {"and": [
//!   {"condition": {"operand": {"trait": "orders"},
//!                  "test": {"compare": {"op": ">=", "value": {"number": "3"}}}}},
//!   {"not": {"in_segment": "dormant"}}
//! ]}
//! ```
//!
//! Trees that say the same are equal wherever they stood in a text: spans take no part in
//! equality and are not serialised.

mod event;
mod json;
mod literal;

use regulars_core::{SegmentName, Trait};
use serde::{Deserialize, Serialize};

pub use event::{
    CartProperty, Carts, EventAggregate, EventCall, EventMeasure, EventTime, Events, PropertyPath,
    Sequence, Then,
};
pub use literal::{
    CalendarLength, CompareOp, Day, Decimal, DecimalError, Length, LengthError, Literal,
    LiteralValue, Period, Span, Unit,
};

/// Who belongs: a condition, or a combination of rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Every customer.
    Everyone,
    /// All of these, at least two.
    And(Vec<Self>),
    /// Any of these, at least two.
    Or(Vec<Self>),
    /// True exactly when the inside is false, for whatever reason.
    Not(Box<Self>),
    /// Member of another segment.
    InSegment(SegmentRef),
    /// A condition on the customer.
    Condition(Condition),
}

/// A segment referred to by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SegmentRef {
    /// The segment's name.
    pub name: SegmentName,
    /// Where the name stood.
    #[serde(skip)]
    pub span: Span,
}

/// One question about a customer: an operand and a test of its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What is looked at.
    pub operand: Operand,
    /// What must be true of it.
    pub test: Test,
    /// Where the whole condition stood.
    #[serde(skip)]
    pub span: Span,
}

/// What a condition looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operand {
    /// A standard trait, by its name.
    #[serde(with = "json::trait_name")]
    Trait(Trait),
    /// A declared trait: a column of the customers file.
    Declared(String),
    /// A trait of the account that the customer belongs to.
    Account(String),
    /// A count or sum over orders. Never one that a trait says as well: `orders`, `revenue` and
    /// `items` have a filter or a period.
    Aggregate(Aggregate),
    /// Time of the first or last order that a filter lets through.
    OrderTime(OrderTime),
    /// A count or sum over events.
    Events(Box<EventAggregate>),
    /// Time of the first or last of some events.
    EventTime(Box<EventTime>),
    /// One event, then another one or its absence. Stands alone, with [`Test::Holds`].
    Sequence(Box<Sequence>),
    /// Number of open carts.
    Carts(Carts),
}

/// A count or sum over the customer's orders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// What is counted or summed.
    pub measure: Measure,
    /// Which orders and lines take part; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Over which time; ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
}

/// What an aggregate counts or sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Orders with at least one line that the filter lets through.
    Orders,
    /// Net revenue of the lines that the filter lets through; of whole orders when the filter
    /// asks nothing of lines.
    Revenue,
    /// Pieces, likewise.
    Items,
    /// Different products, likewise.
    DistinctProducts,
    /// Different categories, likewise.
    DistinctCategories,
    /// Different brands, likewise.
    DistinctBrands,
}

/// Time of the first or last order that the filter lets through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderTime {
    /// The first or the last.
    pub which: WhichOrder,
    /// Which orders take part.
    pub filter: Filter,
}

/// The first or the last order or event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhichOrder {
    /// The earliest.
    First,
    /// The latest.
    Last,
}

/// Which orders and lines, events or carts take part.
///
/// Of orders it is evaluated for each line, with the properties of its order in view; of events and
/// carts ([`PropertyPath`], [`CartProperty`]) for each one by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter<P = Property> {
    /// All of these, at least two.
    And(Vec<Self>),
    /// Any of these, at least two.
    Or(Vec<Self>),
    /// True exactly when the inside is false.
    Not(Box<Self>),
    /// A question about a property.
    Property(FilterCondition<P>),
}

/// One question about a property.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterCondition<P = Property> {
    /// What is looked at.
    pub property: P,
    /// What must be true of it.
    pub test: Test,
    /// Where the whole condition stood.
    #[serde(skip)]
    pub span: Span,
}

/// A property of a line or of its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    /// Product of the line, by the source's id.
    Product,
    /// Category of the line's product.
    Category,
    /// Brand of the line's product.
    Brand,
    /// Pieces of the line.
    Quantity,
    /// Channel of the order.
    Channel,
    /// Country of the order.
    Country,
    /// Net revenue of the whole order.
    Value,
    /// What discounts took off the order.
    Discount,
    /// Whether discounts took anything off the order.
    Discounted,
}

impl Property {
    /// All properties, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::Product,
        Self::Category,
        Self::Brand,
        Self::Quantity,
        Self::Channel,
        Self::Country,
        Self::Value,
        Self::Discount,
        Self::Discounted,
    ];

    /// Its name in rules.
    pub fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Category => "category",
            Self::Brand => "brand",
            Self::Quantity => "quantity",
            Self::Channel => "channel",
            Self::Country => "country",
            Self::Value => "value",
            Self::Discount => "discount",
            Self::Discounted => "discounted",
        }
    }

    /// True when it may differ between the lines of one order.
    pub fn is_of_line(self) -> bool {
        match self {
            Self::Product | Self::Category | Self::Brand | Self::Quantity => true,
            Self::Channel | Self::Country | Self::Value | Self::Discount | Self::Discounted => {
                false
            }
        }
    }
}

/// What must be true of a value. A missing value passes none of them but [`Test::IsNotSet`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// A flag is true.
    Holds,
    /// Compared with one value.
    Compare {
        /// How.
        op: CompareOp,
        /// With what.
        value: Literal,
    },
    /// Between two values, both included; of dates, whole days.
    Between {
        /// The lower end.
        low: Literal,
        /// The upper end.
        high: Literal,
    },
    /// One of these.
    In(Vec<Literal>),
    /// Known, and none of these.
    NotIn(Vec<Literal>),
    /// A text contains this one, in whatever case.
    Contains(Literal),
    /// A text starts with this one, in whatever case.
    StartsWith(Literal),
    /// Known.
    IsSet,
    /// Not known.
    IsNotSet,
    /// An instant at `now` minus this length, or earlier.
    BeforeAgo(Length),
    /// An instant within this period up to `now`.
    Within(Period),
    /// An instant before this day.
    Before(Day),
    /// An instant after this day.
    After(Day),
    /// An instant on this day.
    On(Day),
}
