//! What the log says of who is whom: customers that turned out to be one, were not taken for one, or
//! are two again. Names are in the vault alone.

use regulars_core::{CustomerId, EventKind, Timestamp};
use serde::{Deserialize, Serialize};

/// Two customers that are one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeAccepted {
    /// The customer that is no more.
    pub from: CustomerId,
    /// The customer that took over.
    pub into: CustomerId,
    /// When it was accepted.
    pub recorded_at: Timestamp,
    /// Why, for a person; no personal data.
    pub reason: String,
    /// What said so; absent in records of older programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// Two customers that stay two, although an event named both. It is recorded once, however many events
/// say the same; of very many refusals of one name few are recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeRefused {
    /// The identity that would have been merged.
    pub from: CustomerId,
    /// The identity that it was named with.
    pub into: CustomerId,
    /// When the event arrived.
    pub recorded_at: Timestamp,
    /// What said so.
    pub evidence: Evidence,
    /// Why not.
    pub refusal: Refusal,
    /// How often anything was refused of the name by then, at least; 0 in records of older programs.
    #[serde(default)]
    pub count: u64,
}

/// An identity that left a customer: it stands for itself for ever, or for another customer from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmerged {
    /// Itself and all that stand for it, which go along; it comes first.
    pub along: Vec<CustomerId>,
    /// What it stood for until then, the nearest first; the last is the customer.
    pub through: Vec<CustomerId>,
    /// The customer that it stands for from then on, by the word of a server against that of a client;
    /// `None` for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<CustomerId>,
    /// Whether nothing but an anonymous id names it: standing for itself it is a visitor then, and no
    /// customer.
    pub anonymous: bool,
    /// When it was parted.
    pub recorded_at: Timestamp,
    /// The event that did it; `None` for a file or a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// Offset of the import that did it, the record right before those of what it parted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<u64>,
}

impl Unmerged {
    /// The identity that left.
    pub fn identity(&self) -> Option<CustomerId> {
        self.along.first().copied()
    }

    /// The customer that it was part of.
    pub fn from(&self) -> Option<CustomerId> {
        self.through.last().copied()
    }
}

/// The event that named two identities, and what they were to each other in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Which two names it has.
    pub rule: MergeRule,
    /// Which tracking call.
    pub call: EventKind,
    /// Its name, where it has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub event: String,
    /// Id of the write key that it came with; `None` for an event of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// By which two names an event says that two customers are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeRule {
    /// An anonymous id, and the id or address of a customer.
    Device,
    /// An e-mail address, and the id of a customer.
    Email,
    /// `alias`: the previous id, and the one that stands for the customer from then on.
    Alias,
}

impl MergeRule {
    /// What it says, for a person.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Device => "one event named the anonymous id and the customer",
            Self::Email => "one event named the e-mail address and the customer id",
            Self::Alias => "`alias` said that both ids are one customer's",
        }
    }
}

/// Why two customers stay two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The first belongs to another customer, and the first link counts.
    OfAnother,
    /// The first was parted from a customer: it stands for itself.
    Apart,
    /// The event came with a client-side key: it merges no two who are known, and parts nobody.
    ClientSideKey,
    /// Nobody says that the e-mail address is the person's own.
    Unverified,
    /// The customer would have more customer ids than the settings allow.
    CustomerIds,
    /// The customer would have more e-mail addresses than the settings allow.
    Emails,
    /// The customer would have more anonymous ids than the settings allow.
    AnonymousIds,
}

impl Refusal {
    /// What it says, for a person.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::OfAnother => "it belongs to another customer: the first counts",
            Self::Apart => "it was parted from a customer, and stands for itself",
            Self::ClientSideKey => {
                "a client-side key neither merges two customers who are known nor parts any"
            }
            Self::Unverified => {
                "nothing says that the e-mail address is the person's own: it came with a \
                 client-side key and without `email_verified`"
            }
            Self::CustomerIds => {
                "the customer would have more ids than `identity.customer_ids_per_customer`"
            }
            Self::Emails => {
                "the customer would have more addresses than `identity.emails_per_customer`"
            }
            Self::AnonymousIds => {
                "the customer would have more anonymous ids than \
                 `identity.anonymous_ids_per_customer`"
            }
        }
    }
}
