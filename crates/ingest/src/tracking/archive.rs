//! Tracking calls as archives keep them: one object each, with the time of arrival in it.

use regulars_core::Timestamp;
use serde_json::value::RawValue;

use super::event::{Around, Sent, event};
use super::instant::instant_of;
use super::json::Raw;
use super::text::{text, with_escaped_controls};
use super::{Limits, TrackedEvent};

/// An event of an archive.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchivedEvent {
    /// The event.
    pub event: TrackedEvent<'static>,
    /// When it arrived, where the archive tells; else when it happened.
    pub received_at: Timestamp,
}

/// True for a tracking call: an object that says of what kind it is and whose.
pub(crate) fn is_call(line: &str) -> bool {
    let Ok(raw) = serde_json::from_str::<&RawValue>(line.trim()) else {
        return false;
    };
    let raw = Raw(raw.get());
    let ids = ["userId", "anonymousId", "user_id", "anonymous_id"];
    raw.is_object() && Sent::of(raw).kind().is_ok() && ids.iter().any(|id| raw.get(id).is_some())
}

/// Reads an archived call. Its `timestamp` is when it happened: the error of the client's clock
/// was taken out when it arrived.
///
/// # Errors
/// Why it cannot be taken and what to do, for a person; nothing of the call is in it.
pub(crate) fn archived(call: &str, limits: &Limits) -> Result<ArchivedEvent, String> {
    let mended = text(call.as_bytes());
    let mended = with_escaped_controls(&mended).unwrap_or_else(|| mended.into_owned());
    let raw: &RawValue =
        serde_json::from_str(&mended).map_err(|_| "not a JSON object on one line".to_owned())?;
    let raw = Raw(raw.get());
    if raw.0.len() > limits.event_bytes {
        let most = limits.event_bytes;
        return Err(format!("the event has more than {most} bytes"));
    }
    let sent = Sent::of(raw).archived();
    let kind = sent.kind().map_err(|(_, message)| message)?;
    let happened = sent.happened_at();
    let arrived = ["receivedAt", "received_at"];
    let arrived = arrived.iter().find_map(|key| instant_of(raw.get(key)?));
    let Some(received_at) = arrived.or(happened) else {
        return Err("the event has no time that can be read: `timestamp` tells it".to_owned());
    };
    let around = Around {
        context: None,
        integrations: None,
        sent_at: None,
        received_at,
        may_lack_ids: true,
        limits,
    };
    let event = event(&sent, kind, 0, &around).map_err(|(_, message)| message)?;
    Ok(ArchivedEvent {
        event: event.into_owned(),
        received_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracking::instant;

    fn read(call: &str) -> Result<ArchivedEvent, String> {
        archived(call, &Limits::default())
    }

    #[test]
    fn the_corrected_time_of_an_archive_is_kept() {
        let call = r#"{"type":"track","event":"Order Completed","userId":"u","messageId":"m",
            "originalTimestamp":"2026-03-01T10:00:00Z","sentAt":"2026-03-01T10:00:05Z",
            "receivedAt":"2026-03-01T09:00:05Z","timestamp":"2026-03-01T09:00:00Z",
            "context":{"traits":{"email":"ann@example.com"}},"properties":{"total":3}}"#;
        let read = read(call).unwrap();
        assert_eq!(
            Some(read.event.occurred_at),
            instant("2026-03-01T09:00:00Z")
        );
        assert_eq!(Some(read.received_at), instant("2026-03-01T09:00:05Z"));
        assert!(
            !read.event.context.contains("ann@"),
            "{}",
            read.event.context
        );
    }

    #[test]
    fn what_cannot_be_taken_says_why_and_repeats_nothing() {
        for (call, why) in [
            (
                "{\"type\":\"track\",\"userId\":\"secret\"",
                "not a JSON object",
            ),
            (r#"{"type":"trick","userId":"secret"}"#, "`type` must be"),
            (
                r#"{"type":"track","userId":"secret","timestamp":"2026-01-01"}"#,
                "name",
            ),
            (
                r#"{"type":"track","event":"a","userId":"secret"}"#,
                "no time",
            ),
        ] {
            let error = read(call).unwrap_err();
            assert!(error.contains(why) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn tracking_calls_are_told_from_other_objects() {
        assert!(is_call(r#"{"type":"page","anonymousId":"a"}"#));
        assert!(is_call(r#"{"type":"track","user_id":"a","event":"x"}"#));
        assert!(!is_call(r#"{"type":"order","userId":"a"}"#));
        assert!(!is_call(r#"{"order_id":"7","customer_id":"a"}"#));
        assert!(!is_call("[]"));
    }
}
