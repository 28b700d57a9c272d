//! Conditions on events and carts, as the text says them.

use serde::{Deserialize, Serialize};

use super::{Filter, Length, Period, WhichOrder};

/// Which events: those of a call, of one of several names, that a filter lets through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// How they were sent.
    pub call: EventCall,
    /// Their names, standard events by any of theirs; any event when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Which of them take part; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter<PropertyPath>>,
}

/// What a rule calls events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventCall {
    /// With names, what was tracked; without, pages and screens as well: whatever someone did.
    Event,
    /// Pages seen.
    Page,
    /// Screens of an app seen.
    Screen,
}

impl EventCall {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Event, Self::Page, Self::Screen];

    /// Name of one in rules.
    pub fn singular(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Page => "page",
            Self::Screen => "screen",
        }
    }

    /// Name of several in rules.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Event => "events",
            Self::Page => "pages",
            Self::Screen => "screens",
        }
    }
}

/// A property of an event by its dotted path: `product_id`, `address.city`. Case matters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PropertyPath(pub String);

/// A count or sum over events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventAggregate {
    /// What is counted or summed.
    pub measure: EventMeasure,
    /// Over which events.
    pub of: Events,
    /// Over which time; ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
}

/// What is counted or summed over events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventMeasure {
    /// The events.
    Count,
    /// The numbers that a property has.
    Sum(PropertyPath),
    /// The different values that a property has.
    Distinct(PropertyPath),
}

/// Time of the first or last of some events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventTime {
    /// The first or the last.
    pub which: WhichOrder,
    /// Of which events.
    pub of: Events,
}

/// One event, then another one or its absence.
///
/// With [`Then::Event`] there is a first event at `t` and another at `u` with
/// `t < u <= t + within`; with a period, the latest such `u` is in it. With [`Then::NotEvent`] the
/// latest first event is at `t`, `t + within` has come (with a period: is in it), and no other
/// event is later than `t`; without `within` it has come at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// What happens first.
    pub first: Events,
    /// What does or does not happen after it.
    pub then: Then,
    /// How soon after it; only [`Then::NotEvent`] can be without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Length>,
    /// When it is completed; ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
}

/// The second step of a sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// It happens.
    Event(Events),
    /// It does not.
    NotEvent(Events),
}

impl Then {
    /// The events that do or do not happen.
    pub fn events(&self) -> &Events {
        match self {
            Self::Event(events) | Self::NotEvent(events) => events,
        }
    }
}

/// Open carts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carts {
    /// Which of them; all when absent. Looks at one cart at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter<CartProperty>>,
}

/// A property of a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartProperty {
    /// What is in it, in money.
    Value,
    /// Pieces in it.
    Items,
    /// When its content last changed; `idle for 2 hours` is `changed before 2 hours ago`.
    Changed,
}

impl CartProperty {
    /// All properties, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Value, Self::Items, Self::Changed];

    /// Its name in rules.
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Items => "items",
            Self::Changed => "changed",
        }
    }
}
