//! One event of a body: what it says, with the time corrected and personal data taken out.

mod ids;

use std::borrow::Cow;

use regulars_core::{EventKind, Properties, Timestamp};

use ids::{Ids, clean, message_id};

use super::instant::{instant_of, occurred_at};
use super::json::{Raw, quoted};
use super::merge::merge;
use super::rewrite::TooDeep;
use super::seal::{Needles, Sealer, without_addresses};
use super::surroundings::surroundings;
use super::vocabulary::StandardEvent;
use super::{Contact, ExternalId, Limits, Personal, RejectCode, flatten};

/// Where [`TrackedEvent::occurred_at`] comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeSource {
    /// The client's time, corrected by the error of its clock.
    Corrected,
    /// The client's time as it was sent: the client did not say when it sent it.
    Client,
    /// The time of arrival: the client sent no time that can be read.
    Arrival,
    /// The time of arrival: the client's time lies too far after it.
    Future,
}

/// One event as it was sent, with its personal data apart.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackedEvent<'b> {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// The tracking call.
    pub kind: EventKind,
    /// Name of what was tracked, or of the page or screen, as it was sent; empty for the others.
    pub name: Cow<'b, str>,
    /// The standard event that the name stands for.
    pub standard: Option<StandardEvent>,
    /// The key by which repeats are told, at most 100 characters: a longer one ends in a hash of
    /// the whole.
    pub message_id: Option<Cow<'b, str>>,
    /// The customer's id of the sender.
    pub user_id: Option<Cow<'b, str>>,
    /// The id of a visitor who may not be known yet.
    pub anonymous_id: Option<Cow<'b, str>>,
    /// Of `alias`: the id that is the same person's.
    pub previous_id: Option<Cow<'b, str>>,
    /// The account: of `group`, or of the context. Never one that is personal.
    pub group_id: Option<Cow<'b, str>>,
    /// Ids of other systems.
    pub external_ids: Vec<ExternalId<'b>>,
    /// E-mail and telephone number, of traits or properties.
    pub contacts: Vec<Contact>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Where that time comes from.
    pub time_source: TimeSource,
    /// The client's time as it was sent.
    pub original_at: Option<Timestamp>,
    /// A JSON object: the properties, without personal data.
    pub properties: Cow<'b, str>,
    /// A JSON object: traits, without personal data. Of `group` the account's, else the person's,
    /// those of the context among them.
    pub traits: Cow<'b, str>,
    /// A JSON object: the context, that of the batch below it, without personal data.
    pub context: Cow<'b, str>,
    /// A JSON object: where it came from, in standard names; empty when nothing is said of that.
    pub surroundings: String,
    /// A JSON object: which destinations are meant.
    pub integrations: Cow<'b, str>,
    /// What was taken out.
    pub personal: Vec<Personal<'b>>,
}

impl TrackedEvent<'_> {
    /// The standard name where the event has one, else the name as it was sent.
    pub fn known_name(&self) -> &str {
        match self.standard {
            Some(standard) => standard.name(),
            None => &self.name,
        }
    }

    /// What rules can look at: of identify and group the traits, of the others the properties.
    pub fn scalars(&self, limits: &Limits) -> Properties<'_> {
        match self.kind {
            EventKind::Identify | EventKind::Group => flatten(&self.traits, limits),
            EventKind::Track | EventKind::Page | EventKind::Screen | EventKind::Alias => {
                flatten(&self.properties, limits)
            }
        }
    }

    /// The same event, which borrows nothing.
    pub fn into_owned(self) -> TrackedEvent<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let external_ids = self.external_ids.into_iter();
        let personal = self.personal.into_iter();
        TrackedEvent {
            index: self.index,
            kind: self.kind,
            name: owned(self.name),
            standard: self.standard,
            message_id: self.message_id.map(owned),
            user_id: self.user_id.map(owned),
            anonymous_id: self.anonymous_id.map(owned),
            previous_id: self.previous_id.map(owned),
            group_id: self.group_id.map(owned),
            external_ids: external_ids
                .map(|external| ExternalId {
                    kind: owned(external.kind),
                    id: owned(external.id),
                })
                .collect(),
            contacts: self.contacts,
            occurred_at: self.occurred_at,
            time_source: self.time_source,
            original_at: self.original_at,
            properties: owned(self.properties),
            traits: owned(self.traits),
            context: owned(self.context),
            surroundings: self.surroundings,
            integrations: owned(self.integrations),
            personal: personal.map(Personal::into_owned).collect(),
        }
    }
}

/// Why an event is not taken.
pub(super) type Refusal = (RejectCode, String);

/// What a batch says of all its events, and when they arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'t, 'l> {
    pub(super) context: Option<Raw<'t>>,
    pub(super) integrations: Option<Raw<'t>>,
    pub(super) sent_at: Option<Timestamp>,
    pub(super) received_at: Timestamp,
    /// Whether an event may say by its contacts alone whose it is.
    pub(super) may_lack_ids: bool,
    pub(super) limits: &'l Limits,
}

/// The members of an event that have a meaning.
#[derive(Debug, Default)]
pub(super) struct Sent<'t> {
    kind: Option<Raw<'t>>,
    event: Option<Raw<'t>>,
    name: Option<Raw<'t>>,
    category: Option<Raw<'t>>,
    message_id: Option<Raw<'t>>,
    user_id: Option<Raw<'t>>,
    anonymous_id: Option<Raw<'t>>,
    previous_id: Option<Raw<'t>>,
    group_id: Option<Raw<'t>>,
    properties: Option<Raw<'t>>,
    traits: Option<Raw<'t>>,
    context: Option<Raw<'t>>,
    integrations: Option<Raw<'t>>,
    timestamp: Option<Raw<'t>>,
    original_timestamp: Option<Raw<'t>>,
    sent_at: Option<Raw<'t>>,
    pub(super) write_key: Option<Raw<'t>>,
}

impl<'t> Sent<'t> {
    pub(super) fn of(event: Raw<'t>) -> Self {
        let mut sent = Self::default();
        for (key, value) in event.members() {
            let member = match &*key {
                "type" | "action" => &mut sent.kind,
                "event" => &mut sent.event,
                "name" => &mut sent.name,
                "category" => &mut sent.category,
                "messageId" | "message_id" => &mut sent.message_id,
                "userId" | "user_id" => &mut sent.user_id,
                "anonymousId" | "anonymous_id" => &mut sent.anonymous_id,
                "previousId" | "previous_id" => &mut sent.previous_id,
                "groupId" | "group_id" => &mut sent.group_id,
                "properties" => &mut sent.properties,
                "traits" => &mut sent.traits,
                "context" => &mut sent.context,
                "integrations" => &mut sent.integrations,
                "timestamp" => &mut sent.timestamp,
                "originalTimestamp" | "original_timestamp" => &mut sent.original_timestamp,
                "sentAt" | "sent_at" => &mut sent.sent_at,
                "writeKey" | "write_key" => &mut sent.write_key,
                _ => continue,
            };
            *member = Some(value);
        }
        sent
    }

    /// The event without what the correction of times needs: it is done already.
    pub(super) fn archived(self) -> Self {
        Self {
            sent_at: None,
            ..self
        }
    }

    /// When it says that it happened.
    pub(super) fn happened_at(&self) -> Option<Timestamp> {
        let timestamp = self.timestamp.and_then(instant_of);
        timestamp.or_else(|| self.original_timestamp.and_then(instant_of))
    }

    /// The kind that the event says it is of.
    pub(super) fn kind(&self) -> Result<EventKind, Refusal> {
        let kind = self.kind.and_then(Raw::text).unwrap_or_default();
        Ok(match kind.trim().to_ascii_lowercase().as_str() {
            "identify" => EventKind::Identify,
            "track" => EventKind::Track,
            "page" => EventKind::Page,
            "screen" => EventKind::Screen,
            "group" => EventKind::Group,
            "alias" => EventKind::Alias,
            _ => {
                return refuse(
                    RejectCode::UnknownType,
                    "`type` must be `identify`, `track`, `page`, `screen`, `group` or `alias`",
                );
            }
        })
    }
}

/// The members of a context that say who and what an event is about.
#[derive(Debug, Default)]
struct OfContext<'t> {
    traits: Option<Raw<'t>>,
    group_id: Option<Raw<'t>>,
    external_ids: [Option<Raw<'t>>; 2],
}

impl<'t> OfContext<'t> {
    fn of(context: Raw<'t>) -> Self {
        let mut about = Self::default();
        for (key, value) in context.members() {
            match &*key {
                "traits" => about.traits = Some(value),
                "groupId" => about.group_id = Some(value),
                "externalIds" => about.external_ids[0] = Some(value),
                // RudderStack's name.
                "externalId" => about.external_ids[1] = Some(value),
                _ => {}
            }
        }
        about
    }
}

fn refuse<T>(code: RejectCode, message: &str) -> Result<T, Refusal> {
    Err((code, message.to_owned()))
}

/// Reads one event.
pub(super) fn event<'t>(
    sent: &Sent<'t>,
    kind: EventKind,
    index: usize,
    around: &Around<'t, '_>,
) -> Result<TrackedEvent<'t>, Refusal> {
    let context = merge(around.context, sent.context);
    let properties = properties(sent, kind);
    let merged = match (&context, &properties) {
        (&Cow::Borrowed(context), &Cow::Borrowed(properties)) => {
            return with_traits(sent, kind, index, around, [context, properties]);
        }
        (context, properties) => {
            with_traits(sent, kind, index, around, [context, properties])?.into_owned()
        }
    };
    Ok(merged)
}

/// The properties; of a page or screen with the category that stands beside them.
fn properties<'t>(sent: &Sent<'t>, kind: EventKind) -> Cow<'t, str> {
    let properties = merge(None, sent.properties);
    let category = sent.category.and_then(Raw::text);
    let Some(category) = category.filter(|category| !category.is_empty()) else {
        return properties;
    };
    let of_pages = matches!(kind, EventKind::Page | EventKind::Screen);
    if !of_pages || Raw(&properties).get("category").is_some() {
        return properties;
    }
    let rest = properties.trim_start_matches('{');
    let comma = if rest.trim_start().starts_with('}') {
        ""
    } else {
        ","
    };
    Cow::Owned(format!("{{\"category\":{}{comma}{rest}", quoted(&category)))
}

fn with_traits<'t>(
    sent: &Sent<'t>,
    kind: EventKind,
    index: usize,
    around: &Around<'t, '_>,
    [context, properties]: [&'t str; 2],
) -> Result<TrackedEvent<'t>, Refusal> {
    let about = OfContext::of(Raw(context));
    let of_context = match kind {
        EventKind::Group => None,
        EventKind::Identify
        | EventKind::Track
        | EventKind::Page
        | EventKind::Screen
        | EventKind::Alias => about.traits,
    };
    match merge(of_context, sent.traits) {
        Cow::Borrowed(traits) => whole(
            sent,
            kind,
            index,
            around,
            &about,
            [context, properties, traits],
        ),
        Cow::Owned(traits) => {
            let parts = [context, properties, &traits];
            Ok(whole(sent, kind, index, around, &about, parts)?.into_owned())
        }
    }
}

fn whole<'t>(
    sent: &Sent<'t>,
    kind: EventKind,
    index: usize,
    around: &Around<'t, '_>,
    about: &OfContext<'t>,
    [context, properties, traits]: [&'t str; 3],
) -> Result<TrackedEvent<'t>, Refusal> {
    let limits = around.limits;
    let name = name(sent, kind, limits)?;
    let standard = match kind {
        EventKind::Track => StandardEvent::named(&name),
        EventKind::Identify
        | EventKind::Page
        | EventKind::Screen
        | EventKind::Group
        | EventKind::Alias => None,
    };
    let mut ids = Ids::of(sent, kind, about, around)?;
    let mut sealer = Sealer::new(
        limits.depth,
        standard.is_some_and(StandardEvent::is_written),
    );
    sealer.look_for_ids([&ids.user, &ids.anonymous, &ids.previous]);
    let parts = sealer.parts(
        kind,
        [traits, properties, context],
        merge(around.integrations, sent.integrations),
    );
    let [traits, properties, context, integrations] = parts.map_err(|TooDeep| {
        let message = format!(
            "the event has more than {} objects or lists within one another: flatten it",
            limits.depth
        );
        (RejectCode::TooDeep, message)
    })?;
    if let Some(value) = ids.group.take_if(|group| sealer.is_personal_id(group)) {
        // It stands in clear: it is no one's, and rules ask for it.
        if kind == EventKind::Group {
            return refuse(
                RejectCode::PersonalGroupId,
                "`groupId` is an e-mail address, a telephone number or something else that belongs to a person: send an id of the account that is nobody's",
            );
        }
        let path = "groupId".to_owned();
        sealer.personal.push(Personal { path, value });
    }
    let original = sent.original_timestamp.and_then(instant_of);
    let timestamp = sent.timestamp.and_then(instant_of);
    let sent_at = around.sent_at.or_else(|| sent.sent_at.and_then(instant_of));
    // An archive has both: `timestamp` is corrected already there.
    let original_at = match sent_at {
        Some(_) => original.or(timestamp),
        None => timestamp.or(original),
    };
    let (occurred_at, time_source) =
        occurred_at(original_at, sent_at, around.received_at, limits.ahead_ms);
    let mut event = TrackedEvent {
        index,
        kind,
        name,
        standard,
        message_id: message_id(sent.message_id),
        user_id: ids.user,
        anonymous_id: ids.anonymous,
        previous_id: ids.previous,
        group_id: ids.group,
        external_ids: ids.external,
        contacts: sealer.contacts,
        occurred_at,
        time_source,
        original_at,
        properties,
        traits,
        context,
        surroundings: String::new(),
        integrations,
        personal: sealer.personal,
    };
    take_out_echoes(&mut event);
    event.surroundings = surroundings(kind, &event.context, &event.properties);
    Ok(event)
}

/// Takes out of the name and of the JSON what was taken out elsewhere, and ids that can be told.
fn take_out_echoes(event: &mut TrackedEvent<'_>) {
    let mut found = Vec::new();
    if let Some(name) = without_addresses(&event.name, &mut found) {
        event.name = Cow::Owned(name);
        event
            .personal
            .extend(found.into_iter().map(|value| Personal {
                path: "event".to_owned(),
                value: Cow::Owned(value),
            }));
    }
    let needles = Needles::new(&event.personal);
    for json in [
        &mut event.traits,
        &mut event.properties,
        &mut event.context,
        &mut event.integrations,
    ] {
        if let Some(rest) = needles.out_of_json(json) {
            *json = Cow::Owned(rest);
        }
    }
    if let Some(name) = needles.out_of_text(&event.name) {
        event.name = Cow::Owned(name);
    }
}

fn name<'t>(sent: &Sent<'t>, kind: EventKind, limits: &Limits) -> Result<Cow<'t, str>, Refusal> {
    let name = match kind {
        EventKind::Track => sent.event,
        EventKind::Page | EventKind::Screen => sent.name,
        EventKind::Identify | EventKind::Group | EventKind::Alias => None,
    };
    let name = name.and_then(Raw::text_or_number).map(clean);
    let name = name.unwrap_or_default();
    if name.is_empty() && kind == EventKind::Track {
        return refuse(
            RejectCode::NoEventName,
            "a `track` event needs a name: send it in `event`",
        );
    }
    if name.len() > limits.name_bytes {
        let message = format!(
            "the name of the event has {} bytes and may have {}: put what varies into `properties`",
            name.len(),
            limits.name_bytes
        );
        return Err((RejectCode::NameTooLong, message));
    }
    Ok(name)
}

#[cfg(test)]
mod tests;
