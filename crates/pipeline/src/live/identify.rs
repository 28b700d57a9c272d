//! Whose an event is: identities found or made, linked, and personal data sealed.

use regulars_core::{CustomerId, EventKind, Timestamp};
use regulars_ingest::tracking::{
    Contact, ContactKind, ContactSource, TrackedEvent, with_surroundings,
};
use regulars_store::StoreError;
use regulars_store::log::{MergeAccepted, StoredEvent};
use regulars_store::vault::{IdentityId, IdentityKind, Vault};
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_128;

/// An event identifies nobody: every id in it is one that many people share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nobody;

/// An event as it is stored, and the merges that it brings, which come first.
///
/// # Errors
/// When the vault fails. The inside is an error when the event names nobody.
pub(crate) fn identify(
    vault: &mut Vault,
    event: &TrackedEvent<'_>,
    message: u128,
    received_at: Timestamp,
) -> Result<Result<(Vec<MergeAccepted>, StoredEvent), Nobody>, StoreError> {
    let mut identify = Identify {
        vault,
        merges: Vec::new(),
    };
    let user = identify.identity(IdentityKind::CustomerId, event.user_id.as_deref())?;
    let visitor = identify.identity(IdentityKind::Anonymous, event.anonymous_id.as_deref())?;
    let email = match user {
        Some(_) => None,
        None => identify.identity(IdentityKind::Email, email_of(event))?,
    };
    let Some(identity) = user.or(email).or(visitor) else {
        return Ok(Err(Nobody));
    };
    if let Some(visitor) = visitor {
        identify.link(visitor, identity);
    }
    if let Some(previous) = event.previous_id.as_deref() {
        let kinds = [IdentityKind::CustomerId, IdentityKind::Anonymous];
        let known = kinds.map(|kind| identify.vault.lookup(kind, previous));
        let previous = match known.into_iter().flatten().next() {
            Some(known) => Some(known),
            None => identify.identity(IdentityKind::Anonymous, Some(previous))?,
        };
        if let Some(previous) = previous {
            // A customer is never hidden behind the id of a device.
            let is_anonymous = |identity| identify.vault.is_anonymous(identity);
            if is_anonymous(identity) && !is_anonymous(previous) {
                identify.link(identity, previous);
            } else {
                identify.link(previous, identity);
            }
        }
    }
    let merges = identify.merges;
    let merges = merges.into_iter().map(|(from, into)| MergeAccepted {
        from,
        into,
        recorded_at: received_at,
        reason: "one event named both".to_owned(),
    });
    let merges = merges.collect();
    let customer = vault.resolve(identity);
    let properties = match event.kind {
        EventKind::Identify | EventKind::Group => (&*event.traits).into(),
        _ => with_surroundings(&event.properties, &event.surroundings),
    };
    let stored = StoredEvent {
        kind: event.kind,
        anonymous: vault.is_anonymous(IdentityId(customer.0)),
        identity,
        customer,
        occurred_at: event.occurred_at,
        received_at,
        message,
        name: match event.kind {
            EventKind::Group => event.group_id.as_deref().unwrap_or_default().into(),
            _ => event.known_name().into(),
        },
        properties,
        context: match event.kind {
            EventKind::Group => (&*event.context).into(),
            _ => with_group(&event.context, event.group_id.as_deref()),
        },
        sealed: sealed(vault, identity, event)?,
    };
    Ok(Ok((merges, stored)))
}

/// The context of what is no `group` call with the account in it, where the event names one: it
/// stands nowhere else.
fn with_group(context: &str, group_id: Option<&str>) -> Box<str> {
    let Some(group_id) = group_id else {
        return context.into();
    };
    let rest = context.trim_start().strip_prefix('{').unwrap_or("}");
    let comma = if rest.trim_start().starts_with('}') {
        ""
    } else {
        ","
    };
    format!("{{\"groupId\":{}{comma}{rest}", Value::from(group_id)).into()
}

struct Identify<'v> {
    vault: &'v mut Vault,
    merges: Vec<(CustomerId, CustomerId)>,
}

impl Identify<'_> {
    fn identity(
        &mut self,
        kind: IdentityKind,
        text: Option<&str>,
    ) -> Result<Option<IdentityId>, StoreError> {
        let Some(text) = text else {
            return Ok(None);
        };
        match self.vault.lookup_or_mint(kind, text) {
            Ok(identity) => Ok(Some(identity)),
            Err(StoreError::BlockedIdentity(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn link(&mut self, one: IdentityId, other: IdentityId) {
        if one == other {
            return;
        }
        let before = self.vault.resolve(one);
        self.vault.link(one, other);
        let after = self.vault.resolve(one);
        if before != after {
            self.merges.push((before, after));
        }
    }
}

fn email_of<'e>(event: &'e TrackedEvent<'_>) -> Option<&'e str> {
    // An address among the properties may be somebody else's: of a friend who was invited.
    let email = |contact: &&Contact| {
        contact.kind == ContactKind::Email && contact.source == ContactSource::Traits
    };
    let found = event.contacts.iter().find(email);
    found.map(|contact| contact.value.as_str())
}

/// The personal data of an event as a JSON object by path, sealed; empty without any.
fn sealed(
    vault: &Vault,
    identity: IdentityId,
    event: &TrackedEvent<'_>,
) -> Result<Box<[u8]>, StoreError> {
    if event.personal.is_empty() {
        return Ok(Box::default());
    }
    let fields = event.personal.iter();
    let object: Map<String, Value> = fields
        .map(|field| (field.path.to_string(), Value::from(field.value.to_string())))
        .collect();
    let json = Value::Object(object).to_string();
    Ok(vault.seal(identity, json.as_bytes())?.into())
}

/// What makes an event the same when it is sent again: its message id, else all that it says.
pub(crate) fn message_of(event: &TrackedEvent<'_>) -> u128 {
    if let Some(id) = &event.message_id {
        return xxh3_128(id.as_bytes());
    }
    let mut bytes = Vec::with_capacity(256);
    let ids = [&event.user_id, &event.anonymous_id, &event.previous_id];
    for id in ids.into_iter().map(|id| id.as_deref().unwrap_or_default()) {
        bytes.extend_from_slice(id.as_bytes());
        bytes.push(0);
    }
    let texts = [&event.name, &event.properties, &event.traits];
    for text in texts {
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
    }
    bytes.extend(event.occurred_at.0.to_le_bytes());
    bytes.push(event.kind as u8);
    if let (EventKind::Group, Some(account)) = (event.kind, &event.group_id) {
        bytes.extend_from_slice(account.as_bytes());
    }
    xxh3_128(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_kept_in_the_context() {
        assert_eq!(&*with_group("{}", Some("a\"1")), r#"{"groupId":"a\"1"}"#);
        let context = r#"{"locale":"de"}"#;
        assert_eq!(
            &*with_group(context, Some("a")),
            r#"{"groupId":"a","locale":"de"}"#
        );
        assert_eq!(&*with_group(context, None), context);
    }
}
