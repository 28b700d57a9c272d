//! The body of a request: one event or a batch, read event by event.

use std::borrow::Cow;
use std::fmt;

use regulars_core::{EventKind, Timestamp};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::event::{Around, Refusal, Sent, event};
use super::instant::instant_of;
use super::json::Raw;
use super::text::{text, with_escaped_controls};
use super::{BodyError, Endpoint, Limits, RejectCode, Rejected, TrackedEvent};

/// What a batch says of all its events may come to this many times the bytes of the largest
/// batch, when it stands with each of them.
const MOST_REPEATED: usize = 4;

/// What was read of a body: at least one event.
#[derive(Debug, Clone, PartialEq)]
pub struct Received<'b> {
    /// The key of the body, where it has one.
    pub write_key: Option<Cow<'b, str>>,
    /// The events, in the order of the body.
    pub events: Vec<TrackedEvent<'b>>,
    /// Those that cannot be taken.
    pub rejected: Vec<Rejected>,
}

impl<'b> Received<'b> {
    fn new(write_key: Option<Raw<'b>>, events: usize) -> Self {
        Self {
            write_key: key_of(write_key),
            events: Vec::with_capacity(events),
            rejected: Vec::new(),
        }
    }

    fn add(&mut self, index: usize, event: Result<TrackedEvent<'b>, Refusal>) {
        match event {
            Ok(event) => self.events.push(event),
            Err((code, message)) => self.rejected.push(Rejected {
                index,
                code,
                message,
            }),
        }
    }

    fn into_owned(self) -> Received<'static> {
        let events = self.events.into_iter();
        Received {
            write_key: self.write_key.map(|key| Cow::Owned(key.into_owned())),
            events: events.map(TrackedEvent::into_owned).collect(),
            rejected: self.rejected,
        }
    }
}

/// Reads the body of a request to `endpoint`, inflated, that arrived at `received_at`.
///
/// # Errors
/// When it is no JSON, is too large, or not one event of it can be taken.
pub fn read<'b>(
    endpoint: Endpoint,
    body: &'b [u8],
    received_at: Timestamp,
    limits: &Limits,
) -> Result<Received<'b>, BodyError> {
    if body.len() > limits.batch_bytes {
        return Err(BodyError::BatchTooLarge {
            bytes: body.len(),
            most: limits.batch_bytes,
        });
    }
    let reading = Reading {
        endpoint,
        received_at,
        limits,
    };
    let mended = match text(body) {
        Cow::Borrowed(text) => match reading.text(text) {
            Err(error @ BodyError::NotJson { .. }) => with_escaped_controls(text).ok_or(error)?,
            done => return done,
        },
        Cow::Owned(text) => with_escaped_controls(&text).unwrap_or(text),
    };
    reading.text(&mended).map(Received::into_owned)
}

struct Reading<'l> {
    endpoint: Endpoint,
    received_at: Timestamp,
    limits: &'l Limits,
}

impl Reading<'_> {
    fn text<'t>(&self, text: &'t str) -> Result<Received<'t>, BodyError> {
        let trimmed = text.trim_start();
        if trimmed.is_empty() {
            return Err(BodyError::Empty);
        }
        if !trimmed.starts_with('{') {
            parse::<IgnoredAny>(text)?;
            return Err(BodyError::NotAnObject);
        }
        let received = match self.endpoint {
            Endpoint::One(kind) => self.one(kind, parse(text)?),
            Endpoint::Batch => self.batch(&parse(text)?)?,
        };
        if received.events.is_empty() {
            return Err(BodyError::NoUsableEvent(received.rejected));
        }
        Ok(received)
    }

    fn one<'t>(&self, kind: EventKind, raw: &'t RawValue) -> Received<'t> {
        let around = Around {
            context: None,
            integrations: None,
            sent_at: None,
            received_at: self.received_at,
            may_lack_ids: false,
            limits: self.limits,
        };
        let sent = Sent::of(Raw(raw.get()));
        let event = match raw.get().len() {
            bytes if bytes > self.limits.event_bytes => Err(self.too_large(bytes)),
            _ => event(&sent, kind, 0, &around),
        };
        let mut received = Received::new(sent.write_key, 1);
        received.add(0, event);
        received
    }

    fn batch<'t>(&self, batch: &Batch<'t>) -> Result<Received<'t>, BodyError> {
        let raw = |raw: Option<&'t RawValue>| raw.map(|raw| Raw(raw.get()));
        let Some(items) = &batch.items else {
            return Err(BodyError::NoBatch);
        };
        if items.is_empty() {
            return Err(BodyError::EmptyBatch);
        }
        let (events, most) = (items.len(), self.limits.batch_events);
        if events > most {
            return Err(BodyError::TooManyEvents { events, most });
        }
        let around = Around {
            context: raw(batch.context),
            integrations: raw(batch.integrations),
            sent_at: raw(batch.sent_at).and_then(instant_of),
            received_at: self.received_at,
            may_lack_ids: false,
            limits: self.limits,
        };
        let shared = [around.context, around.integrations];
        let bytes: usize = shared.into_iter().flatten().map(|raw| raw.0.len()).sum();
        let most = self.limits.batch_bytes.saturating_mul(MOST_REPEATED);
        if bytes.saturating_mul(events) > most {
            return Err(BodyError::SharedTooLarge { bytes });
        }
        let mut received = Received::new(raw(batch.write_key), events);
        for (index, item) in items.iter().enumerate() {
            let item = Raw(item.get());
            let event = self.item(item, index, &around, &mut received.write_key);
            received.add(index, event);
        }
        Ok(received)
    }

    fn item<'t>(
        &self,
        item: Raw<'t>,
        index: usize,
        around: &Around<'t, '_>,
        write_key: &mut Option<Cow<'t, str>>,
    ) -> Result<TrackedEvent<'t>, Refusal> {
        if !item.is_object() {
            let message = "an event is a JSON object: send `{\"type\":\"track\",…}`";
            return Err((RejectCode::NotAnObject, message.to_owned()));
        }
        if item.0.len() > self.limits.event_bytes {
            return Err(self.too_large(item.0.len()));
        }
        let sent = Sent::of(item);
        if write_key.is_none() {
            *write_key = key_of(sent.write_key);
        }
        event(&sent, sent.kind()?, index, around)
    }

    fn too_large(&self, bytes: usize) -> Refusal {
        let most = self.limits.event_bytes;
        let message = format!(
            "the event has {bytes} bytes and may have {most}: send less with it, or in several"
        );
        (RejectCode::EventTooLarge, message)
    }
}

fn key_of(sent: Option<Raw<'_>>) -> Option<Cow<'_, str>> {
    sent.and_then(Raw::text).filter(|key| !key.is_empty())
}

fn parse<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, BodyError> {
    serde_json::from_str(text).map_err(|error| {
        let detail = error.to_string();
        let detail = detail.split(" at line ").next().unwrap_or_default();
        BodyError::NotJson {
            line: error.line(),
            column: error.column(),
            detail: detail.to_owned(),
        }
    })
}

/// The members of a batch that have a meaning; of those sent twice the last.
#[derive(Default)]
struct Batch<'t> {
    /// `None` when there is no list.
    items: Option<Vec<&'t RawValue>>,
    context: Option<&'t RawValue>,
    integrations: Option<&'t RawValue>,
    sent_at: Option<&'t RawValue>,
    write_key: Option<&'t RawValue>,
}

/// A key of an object.
#[derive(Deserialize)]
struct Key<'t>(#[serde(borrow)] Cow<'t, str>);

impl<'t> Deserialize<'t> for Batch<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(BatchVisitor)
    }
}

struct BatchVisitor;

impl<'t> Visitor<'t> for BatchVisitor {
    type Value = Batch<'t>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Batch<'t>, A::Error> {
        let mut batch = Batch::default();
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "batch" => batch.items = map.next_value::<List<'t>>()?.0,
                "context" => batch.context = Some(map.next_value()?),
                "integrations" => batch.integrations = Some(map.next_value()?),
                "sentAt" | "sent_at" => batch.sent_at = Some(map.next_value()?),
                "writeKey" | "write_key" => batch.write_key = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(batch)
    }
}

/// The elements of a list as they stand; `None` of what is no list.
struct List<'t>(Option<Vec<&'t RawValue>>);

impl<'t> Deserialize<'t> for List<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor)
    }
}

struct ListVisitor;

impl<'t> Visitor<'t> for ListVisitor {
    type Value = List<'t>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<List<'t>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(List(Some(items)))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<List<'t>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(List(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<List<'t>, E> {
        Ok(List(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<List<'t>, E> {
        Ok(List(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<List<'t>, E> {
        Ok(List(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<List<'t>, E> {
        Ok(List(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<List<'t>, E> {
        Ok(List(None))
    }

    fn visit_unit<E>(self) -> Result<List<'t>, E> {
        Ok(List(None))
    }
}

#[cfg(test)]
mod tests;
