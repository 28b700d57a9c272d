//! Whose an event is: identities found or made, linked, and personal data sealed.
//!
//! Each name of an event (customer id, e-mail address, anonymous id, in this order) is an identity. The
//! event belongs to the first; the others stand for it from then on, if nothing speaks against that:
//!
//! | what speaks against it | |
//! |---|---|
//! | the name stands for another customer | the first link counts; an e-mail address seen with two customers stands for itself; what only client-side keys say of an address gives way to a server |
//! | nobody says that the address is the person's own | it came with a client-side key and without `email_verified` |
//! | the key is a client-side one, and `alias` names two who are known, or an address would be parted | only a server's word does that |
//! | a limit | a customer has so many names of each kind; those that only client-side keys have named keep out none that a server names |
//!
//! What was merged, parted or refused is a record before that of the event.

mod refusals;

use std::sync::Arc;

use regulars_core::{CustomerId, EventKind, Timestamp};
use regulars_ingest::tracking::{
    Contact, ContactKind, ContactSource, TrackedEvent, with_surroundings,
};
use regulars_store::StoreError;
use regulars_store::log::{
    Evidence, LogRecord, MergeAccepted, MergeRefused, MergeRule, Refusal, StoredEvent, Unmerged,
};
pub use regulars_store::vault::Trust;
use regulars_store::vault::{IdentityId, IdentityKind, Linked, NameCounts, Parted, Vault};
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_128;

pub(crate) use refusals::Refusals;

use crate::config::IdentityConfig;

/// An event identifies nobody: every id in it is one that many people share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nobody;

/// Who sends events.
#[derive(Debug, Clone)]
pub struct Sender {
    /// What their word is worth.
    pub trust: Trust,
    /// Id of the write key; `None` without one.
    pub key: Option<Arc<str>>,
}

impl Sender {
    /// The shop itself, without a key.
    pub const SHOP: Self = Self {
        trust: Trust::Server,
        key: None,
    };
}

/// An event that arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) event: &'a TrackedEvent<'a>,
    pub(crate) message: u128,
    pub(crate) received_at: Timestamp,
    pub(crate) sender: &'a Sender,
}

/// By which rules identities are joined.
#[derive(Debug)]
pub(crate) struct Rules {
    limits: IdentityConfig,
    refusals: Refusals,
}

impl Rules {
    /// By these settings, after these refusals.
    pub(crate) fn new(limits: &IdentityConfig, refusals: Refusals) -> Self {
        Self {
            limits: limits.clone(),
            refusals,
        }
    }

    /// Why names may not all be those of one customer, of which `added` would be new.
    fn limit(&self, of: NameCounts, added: NameCounts) -> Option<Refusal> {
        let limits = &self.limits;
        let all = of.and(added);
        let over = |added: u32, all: u32, most: u32| added > 0 && all > most;
        if over(
            added.customer_ids,
            all.customer_ids,
            limits.customer_ids_per_customer,
        ) {
            return Some(Refusal::CustomerIds);
        }
        if over(added.emails, all.emails, limits.emails_per_customer) {
            return Some(Refusal::Emails);
        }
        let most = limits.anonymous_ids_per_customer;
        over(added.anonymous_ids, all.anonymous_ids, most).then_some(Refusal::AnonymousIds)
    }
}

/// An event as it is stored, and the records of whom it joined, which come first.
///
/// # Errors
/// When the vault fails. The inside is an error when the event names nobody.
pub(crate) fn identify(
    vault: &mut Vault,
    rules: &mut Rules,
    arrival: Arrival<'_>,
) -> Result<Result<(Vec<LogRecord>, StoredEvent), Nobody>, StoreError> {
    let event = arrival.event;
    let mut joining = Joining {
        vault,
        rules,
        arrival,
        records: Vec::new(),
    };
    let user = joining.identity(IdentityKind::CustomerId, event.user_id.as_deref())?;
    let visitor = joining.identity(IdentityKind::Anonymous, event.anonymous_id.as_deref())?;
    let address = email_of(event);
    let is_own = address.is_some_and(|address| is_own(address, arrival.sender.trust));
    let known =
        address.and_then(|address| joining.vault.lookup(IdentityKind::Email, &address.value));
    let email = address.filter(|_| is_own);
    let email = joining.identity(
        IdentityKind::Email,
        email.map(|address| address.value.as_str()),
    )?;
    let Some(identity) = user.or(email).or(visitor) else {
        return Ok(Err(Nobody));
    };
    if let Some(email) = email {
        // Whoever reads the key of a page could take over what was bought under any address.
        let is_client = arrival.sender.trust == Trust::Client;
        let resolve = |identity| joining.vault.resolve(identity);
        if is_client && known.is_some() && resolve(email) != resolve(identity) {
            joining.refuse(email, identity, MergeRule::Email, Refusal::ClientSideKey);
        } else {
            joining.join(email, identity, MergeRule::Email);
        }
    }
    if let Some(visitor) = visitor {
        joining.join(visitor, identity, MergeRule::Device);
    }
    if !is_own {
        let vault = &*joining.vault;
        let other = |&known: &IdentityId| vault.resolve(known) != vault.resolve(identity);
        if let Some(known) = known.filter(other) {
            joining.refuse(known, identity, MergeRule::Email, Refusal::Unverified);
        }
    }
    if let Some(previous) = event.previous_id.as_deref() {
        joining.alias(previous, identity)?;
    }
    let records = joining.records;
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
        received_at: arrival.received_at,
        message: arrival.message,
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
    Ok(Ok((records, stored)))
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

struct Joining<'v> {
    vault: &'v mut Vault,
    rules: &'v mut Rules,
    arrival: Arrival<'v>,
    records: Vec<LogRecord>,
}

impl Joining<'_> {
    fn identity(
        &mut self,
        kind: IdentityKind,
        text: Option<&str>,
    ) -> Result<Option<IdentityId>, StoreError> {
        let Some(text) = text else {
            return Ok(None);
        };
        let known = self.vault.len();
        let identity = match self.vault.lookup_or_mint(kind, text) {
            Ok(identity) => identity,
            Err(StoreError::BlockedIdentity(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let is_of_alias = match kind {
            IdentityKind::CustomerId | IdentityKind::Anonymous => true,
            IdentityKind::Email | IdentityKind::Previous => false,
        };
        if is_of_alias
            && self.vault.len() > known
            && let Some((previous, trust)) = self.vault.called_before(text)
        {
            // As if they had been known when `alias` spoke of them.
            self.join_called_before(identity, previous, trust);
        }
        Ok(Some(identity))
    }

    /// Lets everyone whom `previous` names stand for an identity: those who are known, and those who will
    /// be.
    fn alias(&mut self, text: &str, identity: IdentityId) -> Result<(), StoreError> {
        let known: Vec<IdentityId> = self.vault.known_as(text).collect();
        if known.contains(&identity) {
            return Ok(());
        }
        let Some(previous) = self.identity(IdentityKind::Previous, Some(text))? else {
            return Ok(());
        };
        let said = self.records.len();
        let linked = self
            .vault
            .link(previous, identity, self.arrival.sender.trust);
        if let Linked::Parted(parted) = &linked {
            self.note_parted(parted, MergeRule::Alias);
        }
        match self.vault.called_before(text) {
            Some((previous, trust)) if linked != Linked::OfAnother => {
                for known in known {
                    self.join_called_before(known, previous, trust);
                }
            }
            _ => {
                let named = known.first().copied().unwrap_or(previous);
                let trust = self.arrival.sender.trust;
                let refusal = self.objection(named, identity, MergeRule::Alias, trust);
                let refusal = refusal.unwrap_or(Refusal::OfAnother);
                self.refuse(named, identity, MergeRule::Alias, refusal);
            }
        }
        if let Linked::Joined { from, into } = linked
            && self.records.len() == said
        {
            self.note_joined(from, into, MergeRule::Alias);
        }
        Ok(())
    }

    /// Joins somebody who is known with whom `alias` called so before.
    fn join_called_before(&mut self, identity: IdentityId, previous: IdentityId, trust: Trust) {
        let (one, other) = self.vault.by_alias(identity, previous);
        self.join_by(one, other, MergeRule::Alias, trust);
    }

    /// Lets `one` stand for `other` from now on, unless something speaks against it.
    fn join(&mut self, one: IdentityId, other: IdentityId, rule: MergeRule) {
        self.join_by(one, other, rule, self.arrival.sender.trust);
    }

    /// The same by somebody else's word.
    fn join_by(&mut self, one: IdentityId, other: IdentityId, rule: MergeRule, trust: Trust) {
        if self.vault.resolve(one) != self.vault.resolve(other)
            && let Some(refusal) = self.objection(one, other, rule, trust)
        {
            return self.refuse(one, other, rule, refusal);
        }
        match self.vault.link(one, other, trust) {
            Linked::Known => {}
            Linked::Joined { from, into } => self.note_joined(from, into, rule),
            Linked::Parted(parted) => self.note_parted(&parted, rule),
            Linked::OfAnother => self.refuse(one, other, rule, Refusal::OfAnother),
            Linked::Apart => self.refuse(one, other, rule, Refusal::Apart),
        }
    }

    fn note_joined(&mut self, from: CustomerId, into: CustomerId, rule: MergeRule) {
        let merge = MergeAccepted {
            from,
            into,
            recorded_at: self.arrival.received_at,
            reason: rule.in_words().to_owned(),
            evidence: Some(self.evidence(rule)),
        };
        self.records.push(LogRecord::MergeAccepted(merge));
    }

    fn note_parted(&mut self, parted: &Parted, rule: MergeRule) {
        let at = self.arrival.received_at;
        let unmerged = unmerged(self.vault, parted, at, Some(self.evidence(rule)));
        self.records.push(LogRecord::Unmerged(unmerged));
    }

    /// What speaks against a merge that the vault would make.
    fn objection(
        &self,
        one: IdentityId,
        other: IdentityId,
        rule: MergeRule,
        trust: Trust,
    ) -> Option<Refusal> {
        let customer = |identity| IdentityId(self.vault.resolve(identity).0);
        if customer(one) != one && !self.vault.gives_way(one, trust) {
            return None;
        }
        let into = customer(other);
        let is_known = |identity| !self.vault.is_anonymous(identity);
        let is_client = trust == Trust::Client;
        if is_client && rule == MergeRule::Alias && is_known(one) && is_known(into) {
            return Some(Refusal::ClientSideKey);
        }
        let names = |identity| match trust {
            Trust::Client => self.vault.names_of(identity),
            Trust::Server => self.vault.told_names_of(identity),
        };
        self.rules.limit(names(into), names(one))
    }

    fn refuse(&mut self, one: IdentityId, other: IdentityId, rule: MergeRule, refusal: Refusal) {
        let refused = MergeRefused {
            from: CustomerId(one.0),
            into: CustomerId(self.vault.said_of(other).0),
            recorded_at: self.arrival.received_at,
            evidence: self.evidence(rule),
            refusal,
            count: 0,
        };
        if let Some(count) = self.rules.refusals.count(&refused) {
            let refused = MergeRefused { count, ..refused };
            self.records.push(LogRecord::MergeRefused(refused));
        }
    }

    fn evidence(&self, rule: MergeRule) -> Evidence {
        let event = self.arrival.event;
        let event_name = match event.kind {
            EventKind::Track | EventKind::Page | EventKind::Screen => event.known_name(),
            EventKind::Identify | EventKind::Group | EventKind::Alias => "",
        };
        Evidence {
            rule,
            call: event.kind,
            event: event_name.to_owned(),
            key: self.arrival.sender.key.as_deref().map(str::to_owned),
        }
    }
}

/// The record of an identity that left a customer.
pub(crate) fn unmerged(
    vault: &Vault,
    parted: &Parted,
    recorded_at: Timestamp,
    evidence: Option<Evidence>,
) -> Unmerged {
    let ids = |identities: &[IdentityId]| identities.iter().map(|id| CustomerId(id.0)).collect();
    let is_anonymous = |&identity: &IdentityId| vault.is_anonymous(identity);
    Unmerged {
        along: ids(&parted.along),
        through: ids(&parted.through),
        anonymous: parted.along.first().is_some_and(is_anonymous),
        into: parted.into.map(|into| vault.resolve(into)),
        recorded_at,
        evidence,
        import: None,
    }
}

fn email_of<'e>(event: &'e TrackedEvent<'_>) -> Option<&'e Contact> {
    // An address among the properties may be somebody else's: of a friend who was invited.
    let email = |contact: &&Contact| {
        contact.kind == ContactKind::Email && contact.source == ContactSource::Traits
    };
    event.contacts.iter().find(email)
}

/// Whether somebody says that an address is the person's own: what a visitor types in may be anyone's.
fn is_own(address: &Contact, trust: Trust) -> bool {
    address.verified.unwrap_or(trust == Trust::Server)
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
