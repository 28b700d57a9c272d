//! Who was taken for whom, as the log tells: by which event and rule, what was refused and why; and how
//! a merge is undone.

use std::collections::BTreeSet;

use regulars_core::{CustomerId, Timestamp};
use regulars_store::log::{Evidence, LogRecord, MergeRule, Unmerged};
use regulars_store::vault::{IdentityId, IdentityKind, Vault};
use regulars_store::{Frame, Store};
use serde::{Deserialize, Serialize};

use crate::error::PipelineError;
use crate::live::identify::unmerged;

/// What is known of the names of a customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IdentityView {
    /// What the customer is called.
    pub customer_id: String,
    /// Every name that stands for them, their own first; on the first page only.
    pub names: Vec<NameView>,
    /// What happened to these names, the earliest first.
    pub history: Vec<IdentityEvent>,
    /// What to give as `after` for what happened later; null when there is nothing.
    pub next: Option<String>,
}

/// A name of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameView {
    /// The name.
    pub name: String,
    /// `customer_id`, `email`, `anonymous_id` or `previous_id`.
    pub kind: String,
}

/// Something that happened to a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityEvent {
    /// Its offset in the log.
    pub offset: u64,
    /// When it was recorded.
    pub recorded_at: String,
    /// `merged`, `refused`, `unmerged` or `taken_over`.
    pub what: String,
    /// The name that it happened to.
    pub name: Option<String>,
    /// The name that it was named with, or left.
    pub with: Option<String>,
    /// Of `taken_over`: the customer that it left.
    pub from: Option<String>,
    /// By which two names: `device`, `email` or `alias`; null for a command.
    pub rule: Option<MergeRule>,
    /// The tracking call that said so, or the name of the event.
    pub event: Option<String>,
    /// The write key that it came with; null for files and commands.
    pub key: Option<String>,
    /// Of `refused`: how often anything was refused of the name by then, at least.
    pub count: Option<u64>,
    /// Why, for a person.
    pub why: String,
}

/// A customer by any of their names.
///
/// # Errors
/// When there is none of that name.
pub fn customer_named(vault: &Vault, name: &str) -> Result<CustomerId, PipelineError> {
    vault.find(name).ok_or_else(|| PipelineError::NotFound {
        what: "customer",
        name: name.to_owned(),
        hint: ": use a customer id, an e-mail address or an anonymous id".to_owned(),
    })
}

/// Which of the records of identities are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedRecords {
    /// Those after this offset; all when `None`.
    pub after: Option<u64>,
    /// At most so many, the earliest.
    pub most: usize,
}

impl WantedRecords {
    /// All of them.
    pub const ALL: Self = Self {
        after: None,
        most: usize::MAX,
    };
}

/// Records of the identities of one customer, in order.
#[derive(Debug, Clone)]
pub struct IdentityRecords {
    records: Vec<(u64, LogRecord)>,
    is_first: bool,
    next: Option<u64>,
}

/// The records of the log that are about the identities of one customer, a page of them.
///
/// # Errors
/// When the log cannot be read.
pub fn identity_records(
    store: &Store,
    ids: &BTreeSet<CustomerId>,
    wanted: WantedRecords,
) -> Result<IdentityRecords, PipelineError> {
    let mut records = Vec::new();
    let mut has_more = false;
    store.each_record(|offset, record| {
        let concerned = match &record {
            LogRecord::MergeAccepted(merge) => [Some(merge.from), Some(merge.into), None],
            LogRecord::MergeRefused(refused) => [Some(refused.from), Some(refused.into), None],
            LogRecord::Unmerged(parted) => [parted.identity(), parted.from(), parted.into],
            _ => return,
        };
        let is_after = wanted.after.is_none_or(|after| offset > after);
        if !is_after || !concerned.into_iter().flatten().any(|id| ids.contains(&id)) {
            return;
        }
        if records.len() == wanted.most {
            has_more = true;
        } else {
            records.push((offset, record));
        }
    })?;
    let last = records.last().map(|(offset, _)| *offset);
    Ok(IdentityRecords {
        records,
        is_first: wanted.after.is_none(),
        next: last.filter(|_| has_more),
    })
}

/// What is known of the names of a customer, by the records of their identities.
pub fn identity_view(vault: &Vault, customer: CustomerId, page: &IdentityRecords) -> IdentityView {
    let name = |id| vault.external_id(id).map(str::to_owned);
    let names = if page.is_first {
        vault.names(customer)
    } else {
        Vec::new()
    };
    let names = names.into_iter();
    let history = page.records.iter();
    IdentityView {
        customer_id: name(customer).unwrap_or_default(),
        names: names
            .map(|(name, kind)| NameView {
                name: name.to_owned(),
                kind: kind.name().to_owned(),
            })
            .collect(),
        history: history
            .filter_map(|(offset, record)| event_of(name, *offset, record))
            .collect(),
        next: page.next.map(|next| next.to_string()),
    }
}

/// A record of identities, for whoever asks.
fn event_of(
    name: impl Fn(CustomerId) -> Option<String>,
    offset: u64,
    record: &LogRecord,
) -> Option<IdentityEvent> {
    let left = match record {
        LogRecord::Unmerged(unmerged) if unmerged.into.is_some() => unmerged.from(),
        _ => None,
    };
    let count = match record {
        LogRecord::MergeRefused(refused) => Some(refused.count.max(1)),
        _ => None,
    };
    let (what, from, with, recorded_at, evidence, why) = match record {
        LogRecord::MergeAccepted(merge) => (
            "merged",
            merge.from,
            merge.into,
            merge.recorded_at,
            merge.evidence.as_ref(),
            merge.reason.as_str(),
        ),
        LogRecord::MergeRefused(refused) => (
            "refused",
            refused.from,
            refused.into,
            refused.recorded_at,
            Some(&refused.evidence),
            refused.refusal.in_words(),
        ),
        LogRecord::Unmerged(unmerged) => (
            unmerged.into.map_or("unmerged", |_| "taken_over"),
            unmerged.identity()?,
            unmerged.into.or(unmerged.from())?,
            unmerged.recorded_at,
            unmerged.evidence.as_ref(),
            match (&unmerged.evidence, unmerged.import) {
                _ if unmerged.into.is_some() => {
                    "a server says whose the e-mail address is; so far a client-side key alone did"
                }
                (Some(_), _) => "the e-mail address was named with a second customer",
                (None, Some(_)) => "a file named the e-mail address with a second customer",
                (None, None) => "somebody asked for it",
            },
        ),
        _ => return None,
    };
    Some(IdentityEvent {
        offset,
        recorded_at: recorded_at.to_string(),
        what: what.to_owned(),
        name: name(from),
        with: name(with),
        from: left.and_then(name),
        rule: evidence.map(|evidence| evidence.rule),
        event: evidence.map(event_name),
        key: evidence.and_then(|evidence| evidence.key.clone()),
        count,
        why: why.to_owned(),
    })
}

fn event_name(evidence: &Evidence) -> String {
    match evidence.event.as_str() {
        "" => evidence.call.name().to_owned(),
        name => name.to_owned(),
    }
}

/// Lets a name that was merged into a customer stand for itself again, and for ever, with all that was
/// merged into it; what was told and bought under it goes along. `kind` says what the name is, where
/// several kinds of names read alike. Recorded when this returns.
///
/// # Errors
/// When the name is not known, is of several kinds, or stands for itself, or the log cannot be written.
pub fn unmerge(
    store: &mut Store,
    name: &str,
    kind: Option<IdentityKind>,
    now: Timestamp,
) -> Result<Unmerged, PipelineError> {
    let unmerged = part(store.live_vault()?, name, kind, now)?;
    let mut frame = Frame::default();
    frame.record(&LogRecord::Unmerged(unmerged.clone()));
    store.append(&frame)?;
    Ok(unmerged)
}

/// What was parted, by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnmergedView {
    /// The name that stands for itself.
    pub name: String,
    /// The customer that it was part of.
    pub from: String,
    /// The names that went along.
    pub along: Vec<String>,
}

impl UnmergedView {
    /// Of a record.
    pub fn of(vault: &Vault, unmerged: &Unmerged) -> Self {
        let name = |id| vault.external_id(id).unwrap_or_default().to_owned();
        let mut along: Vec<String> = unmerged.along.iter().skip(1).copied().map(name).collect();
        along.sort_unstable();
        Self {
            name: unmerged.identity().map(name).unwrap_or_default(),
            from: unmerged.from().map(name).unwrap_or_default(),
            along,
        }
    }
}

/// Parts a name in the vault; gives the record of it.
pub(crate) fn part(
    vault: &mut Vault,
    name: &str,
    kind: Option<IdentityKind>,
    now: Timestamp,
) -> Result<Unmerged, PipelineError> {
    let identity = the_one_named(vault, name, kind)?;
    let Some(parted) = vault.part(identity) else {
        let hint = ": it stands for itself; name one of those that stand for it (`customers identity` lists them)";
        return Err(not_merged(name, hint.to_owned()));
    };
    Ok(unmerged(vault, &parted, now, None))
}

/// The identity of that name, and of that kind if one is given.
fn the_one_named(
    vault: &Vault,
    name: &str,
    kind: Option<IdentityKind>,
) -> Result<IdentityId, PipelineError> {
    let known = IdentityKind::ALL.into_iter();
    let mut known: Vec<(IdentityKind, IdentityId)> = known
        .filter_map(|kind| Some((kind, vault.lookup(kind, name)?)))
        .collect();
    if vault.known_as(name).next().is_some() {
        // What `alias` called somebody is them, once they are known.
        known.retain(|(kind, _)| *kind != IdentityKind::Previous);
    }
    if known.is_empty() {
        return Err(not_merged(name, ": no event and no file has it".to_owned()));
    }
    let kinds: Vec<IdentityKind> = known.iter().map(|(kind, _)| *kind).collect();
    match (kind, known.as_slice()) {
        (None, &[(_, identity)]) => Ok(identity),
        (None, _) => Err(PipelineError::SeveralKinds {
            name: name.to_owned(),
            kinds,
        }),
        (Some(asked), _) => {
            let found = known.iter().find(|(kind, _)| *kind == asked);
            found.map(|(_, identity)| *identity).ok_or_else(|| {
                let words: Vec<&str> = kinds.iter().map(|kind| kind.in_words()).collect();
                let hint = format!(" as {}: it is {}", asked.in_words(), words.join(" and "));
                not_merged(name, hint)
            })
        }
    }
}

fn not_merged(name: &str, hint: String) -> PipelineError {
    PipelineError::NotFound {
        what: "merged id",
        name: name.to_owned(),
        hint,
    }
}
