//! What a transition looks like in a request: the body of a Standard Webhook, or a call as
//! Segment sends them to the destinations of an audience.
//!
//! A body is smaller than [`BODY_BYTES`]; the texts in it that could be long are cut, ids never.

use std::fmt;

use regulars_core::{Cause, Direction, Transition, TransitionId};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::Form;
use crate::outcome::Unsendable;

/// Every body is smaller than this, in bytes (Standard Webhooks, "Payload size").
pub const BODY_BYTES: usize = 20_000;

/// The name of an event may take this many bytes of JSON in a body.
const EVENT_NAME_BYTES: usize = 1_000;

/// Stands where something was cut off.
const CUT: char = '…';

/// Who moved, by the ids that the receiver knows them by. Not shown by `Debug`.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Who<'a> {
    /// The customer's own id in the source; `None` for those who never signed in.
    pub customer_id: Option<&'a str>,
    /// The id of the device or browser that was seen last.
    pub anonymous_id: Option<&'a str>,
}

impl fmt::Debug for Who<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Who(…)")
    }
}

/// Everything that a body is made of.
#[derive(Debug, Clone, Copy)]
pub struct Story<'a> {
    /// What happened.
    pub transition: &'a Transition,
    /// To whom.
    pub who: Who<'a>,
    /// Why, in words; cut where the body would become too large.
    pub why: &'a str,
    /// The workspace's name: `space_id` and `namespace` in Segment's form.
    pub space: &'a str,
}

impl Story<'_> {
    /// The body in `form`, as the bytes that are signed and sent.
    ///
    /// # Errors
    /// When the ids alone make the body too large, or when Segment's form has nobody to name.
    pub fn body(&self, form: Form) -> Result<Vec<u8>, Unsendable> {
        let body = match form {
            Form::Standard => self.standard()?,
            Form::Segment => self.segment_track()?,
            Form::SegmentIdentify => self.segment_identify()?,
        };
        if body.len() < BODY_BYTES {
            Ok(body)
        } else {
            Err(Unsendable::TooLarge)
        }
    }

    fn standard(&self) -> Result<Vec<u8>, Unsendable> {
        let transition = self.transition;
        let cause = match &transition.cause {
            Cause::Event { offset, name } => Cause::Event {
                offset: *offset,
                name: cut(name, EVENT_NAME_BYTES),
            },
            other => other.clone(),
        };
        let mut body = StandardBody {
            kind: standard_type(transition.direction),
            timestamp: transition.occurred_at.to_string(),
            data: StandardData {
                transition_id: transition.id,
                customer_id: self.who.customer_id,
                anonymous_id: self.who.anonymous_id,
                segment: transition.segment.as_str(),
                version: transition.version,
                sequence: transition.sequence,
                direction: transition.direction,
                occurred_at: transition.occurred_at.to_string(),
                recorded_at: transition.recorded_at.to_string(),
                cause,
                why: String::new(),
            },
        };
        let rest = bytes_of(&body).len();
        let room = BODY_BYTES
            .checked_sub(rest + 1)
            .ok_or(Unsendable::TooLarge)?;
        body.data.why = cut(self.why, room);
        Ok(bytes_of(&body))
    }

    fn segment_track(&self) -> Result<Vec<u8>, Unsendable> {
        let segment = self.transition.segment.as_str();
        let event = match self.transition.direction {
            Direction::Entered => "Audience Entered",
            Direction::Exited => "Audience Exited",
        };
        let mut call = self.segment_call("track")?;
        call.insert("event".to_owned(), event.into());
        let properties = json!({ "audience_key": segment, segment: self.is_member() });
        call.insert("properties".to_owned(), properties);
        Ok(bytes_of(&call))
    }

    fn segment_identify(&self) -> Result<Vec<u8>, Unsendable> {
        let mut call = self.segment_call("identify")?;
        let traits = json!({ self.transition.segment.as_str(): self.is_member() });
        call.insert("traits".to_owned(), traits);
        Ok(bytes_of(&call))
    }

    /// What both calls have in common (Segment, "Using Engage Data").
    fn segment_call(&self, kind: &str) -> Result<Map<String, Value>, Unsendable> {
        let transition = self.transition;
        let segment = transition.segment.as_str();
        let mut call = Map::new();
        call.insert("type".to_owned(), kind.into());
        call.insert("messageId".to_owned(), transition.id.to_string().into());
        if let Some(id) = self.who.customer_id {
            call.insert("userId".to_owned(), id.into());
        }
        if let Some(id) = self.who.anonymous_id {
            call.insert("anonymousId".to_owned(), id.into());
        }
        if self.who == Who::default() {
            return Err(Unsendable::NobodyKnown);
        }
        let at = transition.occurred_at.to_string();
        call.insert("timestamp".to_owned(), at.into());
        let personas = json!({
            "computation_class": "audience",
            "computation_id": format!("aud_{segment}"),
            "computation_key": segment,
            "namespace": self.space,
            "space_id": self.space,
        });
        call.insert("context".to_owned(), json!({ "personas": personas }));
        Ok(call)
    }

    fn is_member(&self) -> bool {
        self.transition.direction == Direction::Entered
    }
}

/// The `type` of a Standard Webhook for a transition in this direction.
pub fn standard_type(direction: Direction) -> &'static str {
    match direction {
        Direction::Entered => "segment.entered",
        Direction::Exited => "segment.exited",
    }
}

#[derive(Serialize)]
struct StandardBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: StandardData<'a>,
}

#[derive(Serialize)]
struct StandardData<'a> {
    transition_id: TransitionId,
    customer_id: Option<&'a str>,
    anonymous_id: Option<&'a str>,
    segment: &'a str,
    version: u32,
    sequence: u64,
    direction: Direction,
    occurred_at: String,
    recorded_at: String,
    cause: Cause,
    why: String,
}

fn bytes_of(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("texts, numbers and maps with texts for keys become JSON")
}

/// The longest beginning of `text` that takes at most `room` bytes of JSON, with [`CUT`] at its end
/// where something is missing.
fn cut(text: &str, room: usize) -> String {
    if text.chars().map(json_bytes).sum::<usize>() <= room {
        return text.to_owned();
    }
    let Some(room) = room.checked_sub(CUT.len_utf8()) else {
        return String::new();
    };
    let mut taken = 0;
    let kept = text.chars().take_while(|&c| {
        taken += json_bytes(c);
        taken <= room
    });
    let mut kept: String = kept.collect();
    kept.push(CUT);
    kept
}

/// Bytes that `c` takes in a JSON text.
fn json_bytes(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c < ' ' => 6,
        c => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests;
