//! Who and what an event is about: ids, as clients send them.

use std::borrow::Cow;

use regulars_core::EventKind;
use xxhash_rust::xxh3::xxh3_128;

use super::{Around, OfContext, Refusal, Sent, refuse};
use crate::tracking::json::Raw;
use crate::tracking::{ExternalId, Limits, RejectCode};

/// Message ids up to this length are kept whole.
const MESSAGE_ID_CHARS: usize = 100;
/// What is kept of a longer one, before a hash of the whole.
const MESSAGE_ID_HEAD: usize = 60;

/// Who and what an event is about.
pub(super) struct Ids<'t> {
    pub(super) user: Option<Cow<'t, str>>,
    pub(super) anonymous: Option<Cow<'t, str>>,
    pub(super) previous: Option<Cow<'t, str>>,
    pub(super) group: Option<Cow<'t, str>>,
    pub(super) external: Vec<ExternalId<'t>>,
}

impl<'t> Ids<'t> {
    pub(super) fn of(
        sent: &Sent<'t>,
        kind: EventKind,
        about: &OfContext<'t>,
        around: &Around<'t, '_>,
    ) -> Result<Self, Refusal> {
        let limits = around.limits;
        let ids = Self {
            user: id("userId", sent.user_id, limits)?,
            anonymous: id("anonymousId", sent.anonymous_id, limits)?,
            previous: id("previousId", sent.previous_id, limits)?,
            group: id("groupId", sent.group_id.or(about.group_id), limits)?,
            external: external_ids(about, limits)?,
        };
        if ids.user.is_none() && ids.anonymous.is_none() && !around.may_lack_ids {
            return refuse(
                RejectCode::NoId,
                "the event says of nobody: send `userId`, or `anonymousId` of a visitor",
            );
        }
        match kind {
            EventKind::Alias if ids.previous.is_none() => refuse(
                RejectCode::NoPreviousId,
                "an `alias` event needs the id that is the same person's: send `previousId`",
            ),
            EventKind::Group if ids.group.is_none() => refuse(
                RejectCode::NoGroupId,
                "a `group` event needs the id of the account: send `groupId`",
            ),
            EventKind::Identify
            | EventKind::Track
            | EventKind::Page
            | EventKind::Screen
            | EventKind::Group
            | EventKind::Alias => Ok(ids),
        }
    }
}

/// An id, numbers as text; what is no text and no number counts as none.
fn id<'t>(
    called: &str,
    sent: Option<Raw<'t>>,
    limits: &Limits,
) -> Result<Option<Cow<'t, str>>, Refusal> {
    let Some(sent) = sent else {
        return Ok(None);
    };
    let id = if sent.is_number() {
        // A column of floats makes 17 into 17.0.
        Cow::Borrowed(sent.0.strip_suffix(".0").unwrap_or(sent.0))
    } else {
        clean(sent.text().unwrap_or_default())
    };
    if id.len() > limits.id_bytes {
        let message = format!(
            "`{called}` has {} bytes and may have {}: send the id alone",
            id.len(),
            limits.id_bytes
        );
        return Err((RejectCode::IdTooLong, message));
    }
    Ok((!id.is_empty()).then_some(id))
}

/// Without spaces around it and without zeros, which no store of texts takes.
pub(super) fn clean(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\0') {
        let without: String = text
            .chars()
            .filter(|&character| character != '\0')
            .collect();
        return Cow::Owned(without.trim().to_owned());
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

pub(super) fn message_id(sent: Option<Raw<'_>>) -> Option<Cow<'_, str>> {
    let id = clean(sent?.text_or_number()?);
    if id.is_empty() {
        return None;
    }
    if id.len() > MESSAGE_ID_CHARS && id.chars().count() > MESSAGE_ID_CHARS {
        let head: String = id.chars().take(MESSAGE_ID_HEAD).collect();
        return Some(Cow::Owned(format!(
            "{head}~{:032x}",
            xxh3_128(id.as_bytes())
        )));
    }
    Some(id)
}

/// The ids of people in `externalIds` (or `externalId`, its other name).
fn external_ids<'t>(
    about: &OfContext<'t>,
    limits: &Limits,
) -> Result<Vec<ExternalId<'t>>, Refusal> {
    let mut found = Vec::new();
    for list in about.external_ids.iter().flatten() {
        for external in list.elements() {
            let of_account = external.get("collection").and_then(Raw::text);
            let kind = external.get("type").and_then(Raw::text).map(clean);
            let id = id("externalIds", external.get("id"), limits)?;
            if let (Some(kind), Some(id)) = (kind, id)
                && !kind.is_empty()
                && of_account.as_deref() != Some("accounts")
            {
                found.push(ExternalId { kind, id });
            }
        }
    }
    Ok(found)
}
