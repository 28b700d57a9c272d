//! Records of the live path: what the log holds most of, so they are binary.
//!
//! ```text
//! tag u8 | version u8 | fields
//! 1 event:       kind u8 (highest bit: anonymous) | identity u64 | customer u64 | occurred_at i64 | received_at i64
//!                | message u128 | name, properties, context, sealed: length u32 and bytes each
//! 2 identities:  a file of the vault with what was minted and linked since the last such record
//! 3 found:       JSON of `Found`
//! 4 tick:        now i64
//! 5 marks:       JSON of what became of deliveries, as their owner writes it
//! ```
//!
//! Numbers are little-endian. A record of the log that begins with `{` is a
//! [`LogRecord`].

use regulars_core::{CustomerId, EventKind, Timestamp, Transition};
use serde::{Deserialize, Serialize};

use super::LogRecord;
use super::record::Entry;
use crate::StoreError;
use crate::fields::Fields;
use crate::vault::IdentityId;

const VERSION: u8 = 1;
const EVENT: u8 = 1;
const IDENTITIES: u8 = 2;
const FOUND: u8 = 3;
const TICK: u8 = 4;
const MARKS: u8 = 5;
/// Set in the kind of an event that nothing but an anonymous id names.
const ANONYMOUS: u8 = 1 << 7;

const KINDS: [EventKind; 6] = [
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

impl StoredEvent {
    /// With the account of a `group` call as its name, where it has none: versions before accounts
    /// kept it in the context only.
    pub(crate) fn with_account(mut self) -> Self {
        if self.kind == EventKind::Group && self.name.is_empty() {
            let context: Context = serde_json::from_str(&self.context).unwrap_or_default();
            self.name = context.group_id.unwrap_or_default();
        }
        self
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Context {
    #[serde(rename = "groupId")]
    group_id: Option<Box<str>>,
}

/// What the folder found: transitions, and how far it had come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Every transition that records before this offset cause is in the log. 0 when that
    /// is not known yet: see [`Found::ahead`].
    pub folded_to: u64,
    /// So is every one that the time up to this instant causes.
    pub now: Timestamp,
    /// Transitions, in the order in which they were found.
    pub transitions: Vec<Transition>,
}

impl Found {
    /// Transitions ahead of others: what records before them cause is not all in the log yet. A
    /// start folds those records again and finds these transitions among others, unless a later
    /// record says how far everything is known: then they count as well.
    pub fn ahead(transitions: Vec<Transition>) -> Self {
        Self {
            folded_to: 0,
            now: Timestamp::MIN,
            transitions,
        }
    }

    /// Whether it says nothing of how far everything is known.
    pub fn is_ahead(&self) -> bool {
        self.folded_to == 0
    }
}

/// A record of the log, whatever it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Logged {
    /// Something that happened to the workspace.
    Workspace(Box<LogRecord>),
    /// Something that happened to a customer.
    Event(StoredEvent),
    /// What came of the records before.
    Found(Found),
    /// Time went by.
    Tick(Timestamp),
    /// What became of deliveries, as JSON.
    Marks(Vec<u8>),
    /// New identities: the vault has taken them up.
    Identities,
}

/// Says which records the vault has to take up.
pub(crate) fn identities_in(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(&[IDENTITIES, VERSION])
}

/// True for a record of this module.
pub(crate) fn is_live(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|&tag| tag != b'{')
}

/// When an event arrived, if a record is one.
pub(crate) fn arrival_in(bytes: &[u8]) -> Option<Timestamp> {
    let fields = bytes.strip_prefix(&[EVENT, VERSION])?;
    let arrived = fields.get(ARRIVED_AT..)?.first_chunk::<8>()?;
    Some(Timestamp(i64::from_le_bytes(*arrived)))
}

/// What a record says that became of deliveries, if that is what it says.
pub(crate) fn marks_in(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(&[MARKS, VERSION])
}

/// True for a record of what was found.
pub(crate) fn is_found(bytes: &[u8]) -> bool {
    bytes.starts_with(&[FOUND])
}

/// Where an event has the time of its arrival: after kind, identity, customer and its own time.
const ARRIVED_AT: usize = 1 + 3 * 8;

pub(crate) fn encode_event(event: &StoredEvent, into: &mut Vec<u8>) {
    let kind = KINDS.iter().position(|known| *known == event.kind);
    let flag = if event.anonymous { ANONYMOUS } else { 0 };
    into.extend([EVENT, VERSION, kind.unwrap_or_default() as u8 | flag]);
    into.extend(event.identity.0.to_le_bytes());
    into.extend(event.customer.0.to_le_bytes());
    into.extend(event.occurred_at.0.to_le_bytes());
    into.extend(event.received_at.0.to_le_bytes());
    into.extend(event.message.to_le_bytes());
    let texts = [&event.name, &event.properties, &event.context];
    for text in texts.map(|text| text.as_bytes()) {
        into.extend((text.len() as u32).to_le_bytes());
        into.extend_from_slice(text);
    }
    into.extend((event.sealed.len() as u32).to_le_bytes());
    into.extend_from_slice(&event.sealed);
}

pub(crate) fn encode_identities(file: &[u8]) -> Vec<u8> {
    [&[IDENTITIES, VERSION], file].concat()
}

pub(crate) fn encode_found(found: &Found) -> Vec<u8> {
    let mut bytes = vec![FOUND, VERSION];
    serde_json::to_writer(&mut bytes, found).expect("text keys only, and memory takes all");
    bytes
}

pub(crate) fn encode_tick(now: Timestamp) -> Vec<u8> {
    let mut bytes = vec![TICK, VERSION];
    bytes.extend(now.0.to_le_bytes());
    bytes
}

pub(crate) fn encode_marks(json: &[u8]) -> Vec<u8> {
    [&[MARKS, VERSION], json].concat()
}

/// Reads the record at `offset`.
pub(crate) fn decode(
    log: &std::path::Path,
    offset: u64,
    bytes: &[u8],
) -> Result<Logged, StoreError> {
    if !is_live(bytes) {
        let record = Entry::decode(log, offset, bytes)?.record;
        return Ok(Logged::Workspace(Box::new(record)));
    }
    let unknown = |tag: u8, version: u8| StoreError::UnknownRecord {
        offset,
        kind: format!("live record {tag} of version {version}"),
    };
    let damaged = || StoreError::damaged(log, format!("record {offset} cannot be read"));
    let (&[tag, version], fields) = bytes.split_first_chunk::<2>().ok_or_else(damaged)?;
    if version != VERSION {
        return Err(unknown(tag, version));
    }
    match tag {
        EVENT => event_of(fields).map(Logged::Event).ok_or_else(damaged),
        IDENTITIES => Ok(Logged::Identities),
        FOUND => serde_json::from_slice(fields)
            .map(Logged::Found)
            .map_err(|error| {
                StoreError::damaged(log, format!("record {offset} cannot be read: {error}"))
            }),
        TICK => {
            let now = fields.try_into().map_err(|_| damaged())?;
            Ok(Logged::Tick(Timestamp(i64::from_le_bytes(now))))
        }
        MARKS => Ok(Logged::Marks(fields.to_vec())),
        _ => Err(unknown(tag, version)),
    }
}

fn event_of(bytes: &[u8]) -> Option<StoredEvent> {
    let mut fields = Fields(bytes);
    let [kind] = fields.take()?;
    let anonymous = kind & ANONYMOUS != 0;
    let kind = *KINDS.get(usize::from(kind & !ANONYMOUS))?;
    let event = StoredEvent {
        kind,
        anonymous,
        identity: IdentityId(u64::from_le_bytes(fields.take()?)),
        customer: CustomerId(u64::from_le_bytes(fields.take()?)),
        occurred_at: Timestamp(i64::from_le_bytes(fields.take()?)),
        received_at: Timestamp(i64::from_le_bytes(fields.take()?)),
        message: u128::from_le_bytes(fields.take()?),
        name: fields.text()?,
        properties: fields.text()?,
        context: fields.text()?,
        sealed: fields.bytes()?.into(),
    };
    fields.0.is_empty().then(|| event.with_account())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;
    use regulars_core::{Cause, Direction, SegmentName, TransitionId};

    use super::*;

    fn event() -> impl Strategy<Value = StoredEvent> {
        let numbers = (any::<u64>(), any::<u64>(), any::<i64>(), any::<i64>());
        let texts = ("\\PC{0,20}", "\\PC{0,40}", "\\PC{0,20}");
        let rest = (
            0..6_usize,
            any::<u128>(),
            prop::collection::vec(any::<u8>(), 0..30),
        );
        (numbers, texts, rest).prop_map(|(numbers, texts, (kind, message, sealed))| StoredEvent {
            kind: KINDS[kind],
            anonymous: message % 2 == 1,
            identity: IdentityId(numbers.0),
            customer: CustomerId(numbers.1),
            occurred_at: Timestamp(numbers.2),
            received_at: Timestamp(numbers.3),
            message,
            name: texts.0.into(),
            properties: texts.1.into(),
            context: texts.2.into(),
            sealed: sealed.into(),
        })
    }

    fn read(bytes: &[u8]) -> Result<Logged, StoreError> {
        decode(Path::new("log"), 7, bytes)
    }

    proptest! {
        #[test]
        fn events_come_back_and_pieces_of_them_are_refused(event in event(), cut in 0.0..1.0) {
            let mut bytes = Vec::new();
            encode_event(&event, &mut bytes);
            prop_assert_eq!(arrival_in(&bytes), Some(event.received_at));
            prop_assert_eq!(read(&bytes).unwrap(), Logged::Event(event));
            let cut = (bytes.len() as f64 * cut) as usize;
            prop_assert!(cut == 0 || read(&bytes[..cut]).is_err());
            bytes.push(0);
            prop_assert!(read(&bytes).is_err());
        }
    }

    #[test]
    fn the_other_records_come_back() {
        let found = Found {
            folded_to: 9,
            now: Timestamp(5),
            transitions: vec![Transition {
                id: TransitionId(u128::MAX),
                customer: CustomerId(u64::MAX),
                segment: SegmentName::new("loyal").unwrap(),
                version: 1,
                sequence: 2,
                direction: Direction::Entered,
                occurred_at: Timestamp(3),
                recorded_at: Timestamp(4),
                cause: Cause::Event {
                    offset: 8,
                    name: "Order Completed".to_owned(),
                },
            }],
        };
        assert_eq!(read(&encode_found(&found)).unwrap(), Logged::Found(found));
        let tick = read(&encode_tick(Timestamp(-3))).unwrap();
        assert_eq!(tick, Logged::Tick(Timestamp(-3)));
        assert_eq!(
            read(&encode_marks(b"[]")).unwrap(),
            Logged::Marks(b"[]".to_vec())
        );
        let identities = encode_identities(b"file");
        assert_eq!(identities_in(&identities), Some(b"file".as_slice()));
        assert_eq!(read(&identities).unwrap(), Logged::Identities);
    }

    #[test]
    fn what_a_later_program_wrote_is_named() {
        for bytes in [&[EVENT, 2][..], &[99, 1]] {
            assert!(matches!(
                read(bytes),
                Err(StoreError::UnknownRecord { offset: 7, .. })
            ));
        }
    }

    #[test]
    fn a_group_call_that_has_its_account_in_the_context_is_named_by_it() {
        let account = |kind: EventKind, name: &str, context: &str| {
            let event = StoredEvent {
                kind,
                anonymous: false,
                identity: IdentityId(1),
                customer: CustomerId(1),
                occurred_at: Timestamp(1),
                received_at: Timestamp(1),
                message: 1,
                name: name.into(),
                properties: "{}".into(),
                context: context.into(),
                sealed: Box::default(),
            };
            String::from(event.with_account().name)
        };
        let old = r#"{"groupId":"a-1","locale":"de","app":{"groupId":"b"}}"#;
        assert_eq!(account(EventKind::Group, "", old), "a-1");
        assert_eq!(account(EventKind::Group, "a-2", old), "a-2");
        assert_eq!(account(EventKind::Track, "", old), "");
        for context in ["", "{}", r#"{"groupId":7}"#, r#"{"a":{"groupId":"a-1"}}"#] {
            assert_eq!(account(EventKind::Group, "", context), "", "{context}");
        }
    }
}
