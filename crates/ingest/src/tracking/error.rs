//! Why a body, or an event of it, cannot be taken. Messages say what to do and repeat nothing of
//! what was sent, since that may be personal.

use serde::Serialize;

/// An event that was left out, while others of the same body were taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// Why, for a program.
    pub code: RejectCode,
    /// Why and what to do, for a person.
    pub message: String,
}

/// Why an event cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectCode {
    /// No JSON object.
    NotAnObject,
    /// More bytes than an event may have.
    EventTooLarge,
    /// More objects within one another than an event may have.
    TooDeep,
    /// No `type`, or none that is known.
    UnknownType,
    /// Neither `userId` nor `anonymousId`.
    NoId,
    /// `track` without `event`.
    NoEventName,
    /// `alias` without `previousId`.
    NoPreviousId,
    /// `group` without `groupId`.
    NoGroupId,
    /// `group` with a `groupId` that is personal: an e-mail address, a telephone number, or what the
    /// event says of a person elsewhere.
    PersonalGroupId,
    /// An id with more bytes than ids may have.
    IdTooLong,
    /// A name with more bytes than names may have.
    NameTooLong,
}

/// Why nothing of a body can be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// No bytes.
    #[error("the body is empty: send one event as JSON, or `{{\"batch\":[…]}}`")]
    Empty,
    /// No JSON.
    #[error("the body is not JSON (line {line}, column {column}: {detail}): send UTF-8 JSON")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// What is wrong there.
        detail: String,
    },
    /// JSON, but no object.
    #[error("the body is no JSON object: send `{{\"batch\":[…]}}` with the events in it")]
    NotAnObject,
    /// No list of events.
    #[error("the body has no list `batch`: send `{{\"batch\":[…]}}`, or one event to `/v1/track`")]
    NoBatch,
    /// A list without events.
    #[error("the list `batch` is empty: send at least one event")]
    EmptyBatch,
    /// More bytes than a batch may have.
    #[error("the body has {bytes} bytes and may have {most}: send smaller batches")]
    BatchTooLarge {
        /// Bytes of the body.
        bytes: usize,
        /// What it may have.
        most: usize,
    },
    /// More events than a batch may have.
    #[error("the batch has {events} events and may have {most}: send smaller batches")]
    TooManyEvents {
        /// Events of the batch.
        events: usize,
        /// What it may have.
        most: usize,
    },
    /// A context of the batch that would be far too much with each of its events.
    #[error(
        "`context` and `integrations` of the batch have {bytes} bytes for each of its events: \
         send less there, or smaller batches"
    )]
    SharedTooLarge {
        /// Bytes of both.
        bytes: usize,
    },
    /// Not one event that can be taken.
    #[error("no event can be taken: {}", first_of(.0))]
    NoUsableEvent(
        /// Why, event by event.
        Vec<Rejected>,
    ),
}

impl BodyError {
    /// Why, for a program: the `code` of the answer.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty_body",
            Self::NotJson { .. } => "invalid_json",
            Self::NotAnObject => "not_an_object",
            Self::NoBatch => "no_batch",
            Self::EmptyBatch => "empty_batch",
            Self::BatchTooLarge { .. } => "batch_too_large",
            Self::TooManyEvents { .. } => "too_many_events",
            Self::SharedTooLarge { .. } => "context_too_large",
            Self::NoUsableEvent(_) if self.is_too_large() => "event_too_large",
            Self::NoUsableEvent(_) => "no_usable_event",
        }
    }

    /// True where less would have been taken (413), false where the body is wrong (400).
    pub fn is_too_large(&self) -> bool {
        match self {
            Self::BatchTooLarge { .. }
            | Self::TooManyEvents { .. }
            | Self::SharedTooLarge { .. } => true,
            Self::NoUsableEvent(rejected) => rejected
                .iter()
                .all(|rejected| rejected.code == RejectCode::EventTooLarge),
            Self::Empty
            | Self::NotJson { .. }
            | Self::NotAnObject
            | Self::NoBatch
            | Self::EmptyBatch => false,
        }
    }

    /// The events that cannot be taken, where that is the reason.
    pub fn rejected(&self) -> &[Rejected] {
        match self {
            Self::NoUsableEvent(rejected) => rejected,
            Self::Empty
            | Self::NotJson { .. }
            | Self::NotAnObject
            | Self::NoBatch
            | Self::EmptyBatch
            | Self::BatchTooLarge { .. }
            | Self::TooManyEvents { .. }
            | Self::SharedTooLarge { .. } => &[],
        }
    }
}

fn first_of(rejected: &[Rejected]) -> String {
    match rejected {
        [] => "there is none".to_owned(),
        [only] => only.message.clone(),
        [first, rest @ ..] => format!(
            "event {}: {} (and {} more)",
            first.index,
            first.message,
            rest.len()
        ),
    }
}

/// Why a compressed body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InflateError {
    /// Another compression than gzip and deflate (415).
    #[error("bodies may be plain, gzip or deflate: set `Content-Encoding` to one of them")]
    UnknownEncoding,
    /// The compressed bytes are damaged (400).
    #[error("the compressed body is damaged: compress it again, or send it plain")]
    Damaged,
    /// More bytes than a body may have (413).
    #[error("the body has more than {most} bytes when inflated: send smaller batches")]
    TooLarge {
        /// Bytes that it may have.
        most: usize,
    },
}

impl InflateError {
    /// Why, for a program: the `code` of the answer.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownEncoding => "unknown_encoding",
            Self::Damaged => "damaged_body",
            Self::TooLarge { .. } => "batch_too_large",
        }
    }
}
