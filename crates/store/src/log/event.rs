//! Events as the log keeps them, and where they lie in its bytes.

use std::borrow::Cow;

use regulars_core::{CustomerId, EventKind, Timestamp};
use serde::Deserialize;

use crate::fields::Fields;
use crate::vault::IdentityId;

/// Set in the kind of an event that nothing but an anonymous id names.
const ANONYMOUS: u8 = 1 << 7;

pub(super) const KINDS: [EventKind; 6] = [
    EventKind::Identify,
    EventKind::Track,
    EventKind::Page,
    EventKind::Screen,
    EventKind::Group,
    EventKind::Alias,
];

/// An event as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The tracking call.
    pub kind: EventKind,
    /// Whether nothing but an anonymous id said whose it is.
    pub anonymous: bool,
    /// Under which identity it came.
    pub identity: IdentityId,
    /// Whose it was when it came: a later merge may have made it another's.
    pub customer: CustomerId,
    /// When it happened, corrected by the error of the client's clock.
    pub occurred_at: Timestamp,
    /// When it arrived.
    pub received_at: Timestamp,
    /// Hash of what makes it the same event when it is sent again.
    pub message: u128,
    /// Name of what was tracked, or of the page or screen; of `group` the id of the account; else
    /// empty.
    pub name: Box<str>,
    /// Properties or traits, as a JSON object without personal data.
    pub properties: Box<str>,
    /// Context, likewise.
    pub context: Box<str>,
    /// The personal data that was in it, sealed with the key of its identity; may be empty.
    pub sealed: Box<[u8]>,
}

/// An event where it lies: in a record, or in memory.
#[derive(Debug, Clone)]
pub(crate) struct EventRef<'e> {
    pub(crate) kind: EventKind,
    pub(crate) anonymous: bool,
    pub(crate) identity: IdentityId,
    pub(crate) customer: CustomerId,
    pub(crate) occurred_at: Timestamp,
    pub(crate) received_at: Timestamp,
    pub(crate) message: u128,
    pub(crate) name: Cow<'e, str>,
    pub(crate) properties: &'e str,
    pub(crate) context: &'e str,
    pub(crate) sealed: &'e [u8],
}

impl StoredEvent {
    pub(crate) fn as_ref(&self) -> EventRef<'_> {
        EventRef {
            kind: self.kind,
            anonymous: self.anonymous,
            identity: self.identity,
            customer: self.customer,
            occurred_at: self.occurred_at,
            received_at: self.received_at,
            message: self.message,
            name: Cow::Borrowed(&self.name),
            properties: &self.properties,
            context: &self.context,
            sealed: &self.sealed,
        }
    }

    /// With the account of a `group` call as its name, where it has none: versions before accounts
    /// kept it in the context only.
    pub(crate) fn with_account(mut self) -> Self {
        if self.kind == EventKind::Group && self.name.is_empty() {
            self.name = account_in(&self.context);
        }
        self
    }
}

impl<'e> EventRef<'e> {
    /// Reads the fields of a record.
    pub(super) fn decode(fields: &'e [u8]) -> Option<Self> {
        let mut fields = Fields(fields);
        let [kind] = fields.take()?;
        let anonymous = kind & ANONYMOUS != 0;
        let kind = *KINDS.get(usize::from(kind & !ANONYMOUS))?;
        let mut event = Self {
            kind,
            anonymous,
            identity: IdentityId(u64::from_le_bytes(fields.take()?)),
            customer: CustomerId(u64::from_le_bytes(fields.take()?)),
            occurred_at: Timestamp(i64::from_le_bytes(fields.take()?)),
            received_at: Timestamp(i64::from_le_bytes(fields.take()?)),
            message: u128::from_le_bytes(fields.take()?),
            name: Cow::Borrowed(fields.str()?),
            properties: fields.str()?,
            context: fields.str()?,
            sealed: fields.bytes()?,
        };
        // As in `StoredEvent::with_account`.
        if kind == EventKind::Group && event.name.is_empty() {
            event.name = Cow::Owned(account_in(event.context).into());
        }
        fields.0.is_empty().then_some(event)
    }

    /// Writes the fields of a record.
    pub(super) fn encode(&self, into: &mut Vec<u8>) {
        let kind = KINDS.iter().position(|known| *known == self.kind);
        let flag = if self.anonymous { ANONYMOUS } else { 0 };
        into.push(kind.unwrap_or_default() as u8 | flag);
        into.extend(self.identity.0.to_le_bytes());
        into.extend(self.customer.0.to_le_bytes());
        into.extend(self.occurred_at.0.to_le_bytes());
        into.extend(self.received_at.0.to_le_bytes());
        into.extend(self.message.to_le_bytes());
        let texts = [&self.name, self.properties, self.context].map(str::as_bytes);
        for bytes in texts.into_iter().chain([self.sealed]) {
            into.extend((bytes.len() as u32).to_le_bytes());
            into.extend_from_slice(bytes);
        }
    }

    /// A copy that stands for itself.
    pub(super) fn to_event(&self) -> StoredEvent {
        StoredEvent {
            kind: self.kind,
            anonymous: self.anonymous,
            identity: self.identity,
            customer: self.customer,
            occurred_at: self.occurred_at,
            received_at: self.received_at,
            message: self.message,
            name: (&*self.name).into(),
            properties: self.properties.into(),
            context: self.context.into(),
            sealed: self.sealed.into(),
        }
    }
}

/// The account that a context names.
fn account_in(context: &str) -> Box<str> {
    let context: Context = serde_json::from_str(context).unwrap_or_default();
    context.group_id.unwrap_or_default()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Context {
    #[serde(rename = "groupId")]
    group_id: Option<Box<str>>,
}
