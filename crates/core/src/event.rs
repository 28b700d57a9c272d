//! Events: what happened to a customer, as folds see it, and what came of it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{CustomerId, SegmentName, Timestamp};

/// Which tracking call an event came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Says who someone is, and their traits.
    Identify,
    /// Something that someone did.
    Track,
    /// A page seen.
    Page,
    /// A screen of an app seen.
    Screen,
    /// Joins someone to an account, with the account's traits.
    Group,
    /// Says that two ids are one person.
    Alias,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Identify,
        Self::Track,
        Self::Page,
        Self::Screen,
        Self::Group,
        Self::Alias,
    ];

    /// Name of the call.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identify => "identify",
            Self::Track => "track",
            Self::Page => "page",
            Self::Screen => "screen",
            Self::Group => "group",
            Self::Alias => "alias",
        }
    }
}

/// A property of an event that rules can look at.
#[derive(Debug, Clone, PartialEq)]
pub enum PropertyValue<'a> {
    /// A text, as it was sent.
    Text(Cow<'a, str>),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// A list of texts, as [`List::join`](crate::List::join) makes it.
    List(Cow<'a, str>),
}

/// The scalar properties of an event, and lists of scalars, by dotted path (`product_id`,
/// `address.city`), in the order in which they were sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Properties<'a>(pub Vec<(Cow<'a, str>, PropertyValue<'a>)>);

impl<'a> Properties<'a> {
    /// The value at `path`; of several the last.
    pub fn get(&self, path: &str) -> Option<&PropertyValue<'a>> {
        let found = self.0.iter().rev().find(|(known, _)| known == path);
        found.map(|(_, value)| value)
    }
}

/// One thing that happened to one customer. Holds no personal data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event<'a> {
    /// The tracking call.
    pub kind: EventKind,
    /// Name of what was tracked, or of the page or screen; empty for the others.
    pub name: &'a str,
    /// When it happened, corrected by the error of the client's clock.
    pub occurred_at: Timestamp,
    /// When it arrived.
    pub received_at: Timestamp,
    /// Of identify and group the traits, of the others the properties.
    pub properties: &'a Properties<'a>,
}

/// Identity of a transition: the same however often it is computed; receivers of webhooks see it
/// as `webhook-id`. Written as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransitionId(pub u128);

impl fmt::Display for TransitionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl std::str::FromStr for TransitionId {
    type Err = TransitionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| u128::from_str_radix(text, 16).ok());
        number.flatten().map(Self).ok_or(TransitionIdError)
    }
}

impl Serialize for TransitionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TransitionId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Not the identity of a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a transition has 32 hexadecimal digits")]
pub struct TransitionIdError;

/// Which way a customer went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into the segment.
    Entered,
    /// Out of the segment.
    Exited,
}

impl Direction {
    /// By how many members it changes the segment.
    pub fn change(self) -> i64 {
        match self {
            Self::Entered => 1,
            Self::Exited => -1,
        }
    }
}

/// Why a customer entered or left a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Cause {
    /// Something that happened to them.
    Event {
        /// Its offset in the log.
        offset: u64,
        /// Its name; of an event without one, the tracking call.
        name: String,
    },
    /// Time went by.
    Time,
    /// Time went by while nothing was running, or what happened was imported later.
    CatchUp,
    /// History was imported.
    Import,
    /// Models were fitted or limits of the population computed anew.
    Models,
    /// The segment is new, was changed or was removed.
    Definition,
    /// Two customers turned out to be one.
    Merge,
    /// A customer turned out to be two.
    Unmerge,
}

/// A customer entered or left a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// Its identity.
    pub id: TransitionId,
    /// Who moved.
    pub customer: CustomerId,
    /// Which segment.
    pub segment: SegmentName,
    /// Which definition of the segment, counted from 1.
    pub version: u32,
    /// Which transition of this customer and segment, counted from 1.
    pub sequence: u64,
    /// In or out.
    pub direction: Direction,
    /// The instant of the flip.
    pub occurred_at: Timestamp,
    /// The time of the event or tick that found it.
    pub recorded_at: Timestamp,
    /// Why.
    pub cause: Cause,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_transition_reads_as_written() {
        let id = TransitionId(0xab);
        assert_eq!(id.to_string(), "000000000000000000000000000000ab");
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in [
            "",
            "ab",
            "+00000000000000000000000000000ab",
            &"g".repeat(32),
        ] {
            assert_eq!(wrong.parse::<TransitionId>(), Err(TransitionIdError));
        }
    }

    #[test]
    fn of_a_property_sent_twice_the_last_counts() {
        let number = |value| PropertyValue::Number(value);
        let properties = Properties(vec![
            ("a.b".into(), number(1.0)),
            ("a.b".into(), number(2.0)),
        ]);
        assert_eq!(properties.get("a.b"), Some(&number(2.0)));
        assert_eq!(properties.get("a"), None);
    }
}
