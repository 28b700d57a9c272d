//! Destinations: where transitions go, which of them, and in which form.
//!
//! A definition is JSON or TOML and carries its version; one that reads is one that makes sense.
//! Whether its address may be called is for the [`Guard`](crate::Guard) to say.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use regulars_core::{Cause, SegmentName, Transition};
use serde::{Deserialize, Serialize};

use crate::{Target, TargetError};

/// The version of definitions that this program writes and reads.
const VERSION: u32 = 1;
const MAX_SECRETS: usize = 4;
const MAX_ID_BYTES: usize = 64;

/// Name of a destination: lower-case letters, digits, `_` and `-`, starting with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DestinationId(Arc<str>);

impl DestinationId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Name of a secret in the vault, by the rules of [`DestinationId`]; not the secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretId(Arc<str>);

impl SecretId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn checked_id(text: &str) -> Result<Arc<str>, DestinationError> {
    let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    if starts_well && text.bytes().all(fits) && text.len() <= MAX_ID_BYTES {
        Ok(Arc::from(text))
    } else {
        Err(DestinationError::Id)
    }
}

macro_rules! id_as_text {
    ($id:ident) => {
        impl FromStr for $id {
            type Err = DestinationError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                checked_id(text).map(Self)
            }
        }

        impl TryFrom<String> for $id {
            type Error = DestinationError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$id> for String {
            fn from(id: $id) -> Self {
                id.0.to_string()
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

id_as_text!(DestinationId);
id_as_text!(SecretId);

/// What requests look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Standard Webhooks: `segment.entered` and `segment.exited`.
    #[default]
    Standard,
    /// Segment's `track` calls `Audience Entered` and `Audience Exited`.
    Segment,
    /// Segment's `identify` calls with the segment as a trait that is true or false.
    SegmentIdentify,
}

/// Which segments a destination hears of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SegmentsForm", into = "SegmentsForm")]
pub enum Segments {
    /// All, those to come included: `"all"`.
    #[default]
    All,
    /// These; never none: `["one", "two"]`.
    Only(BTreeSet<SegmentName>),
}

#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "`segments` is \"all\" or a list of names of segments"
)]
enum SegmentsForm {
    Word(AllWord),
    List(BTreeSet<SegmentName>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AllWord {
    All,
}

impl TryFrom<SegmentsForm> for Segments {
    type Error = DestinationError;

    fn try_from(form: SegmentsForm) -> Result<Self, Self::Error> {
        match form {
            SegmentsForm::Word(AllWord::All) => Ok(Self::All),
            SegmentsForm::List(names) if names.is_empty() => Err(DestinationError::NoSegment),
            SegmentsForm::List(names) => Ok(Self::Only(names)),
        }
    }
}

impl From<Segments> for SegmentsForm {
    fn from(segments: Segments) -> Self {
        match segments {
            Segments::All => Self::Word(AllWord::All),
            Segments::Only(names) => Self::List(names),
        }
    }
}

/// The kinds of [`Cause`], to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// Something happened to the customer.
    Event,
    /// Time went by.
    Time,
    /// Found late, after nothing was running.
    CatchUp,
    /// History was imported.
    Import,
    /// Models or limits of the population are new.
    Models,
    /// The segment is new, was changed or removed (backfill).
    Definition,
    /// Two customers are one.
    Merge,
    /// A customer is two.
    Unmerge,
}

impl CauseKind {
    /// All kinds but the backfill of a segment and the import of history: both move customers for
    /// what happened long ago, which would come as a surprise.
    pub fn usual() -> BTreeSet<Self> {
        let kinds = [
            Self::Event,
            Self::Time,
            Self::CatchUp,
            Self::Models,
            Self::Merge,
            Self::Unmerge,
        ];
        kinds.into_iter().collect()
    }
}

impl From<&Cause> for CauseKind {
    fn from(cause: &Cause) -> Self {
        match cause {
            Cause::Event { .. } => Self::Event,
            Cause::Time => Self::Time,
            Cause::CatchUp => Self::CatchUp,
            Cause::Import => Self::Import,
            Cause::Models => Self::Models,
            Cause::Definition => Self::Definition,
            Cause::Merge => Self::Merge,
            Cause::Unmerge => Self::Unmerge,
        }
    }
}

/// Where transitions go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Definition", into = "Definition")]
pub struct Destination {
    /// Its name.
    pub id: DestinationId,
    /// The address that requests are posted to.
    pub url: Target,
    /// What they look like.
    pub form: Form,
    /// Of which segments.
    pub segments: Segments,
    /// For which causes; never none.
    pub causes: BTreeSet<CauseKind>,
    /// The secrets that requests are signed with, between 1 and 4: the current one first, then
    /// those that are being replaced.
    pub secret_ids: Vec<SecretId>,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Whether `url` may be `http://`, whatever the settings say.
    pub allow_http: bool,
}

/// Why a definition makes no destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// Use a newer program.
    #[error("a destination of version {0} is not known here: this program reads version {VERSION}")]
    Version(u32),
    /// Choose another name.
    #[error(
        "names of destinations and of their secrets have up to 64 lower-case letters, digits, `_` and `-`, and start with a letter or a digit"
    )]
    Id,
    /// Correct the address.
    #[error("`url`: {0}")]
    Url(#[from] TargetError),
    /// Name a segment.
    #[error("`segments` is empty: name segments, or write \"all\"")]
    NoSegment,
    /// Name a cause.
    #[error("`causes` is empty: name causes, or leave it out for all but imports and the backfill")]
    NoCause,
    /// Give it secrets.
    #[error("`secret_ids` needs between 1 and {MAX_SECRETS} different names")]
    Secrets,
}

/// A definition as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    version: u32,
    id: DestinationId,
    url: Target,
    #[serde(default)]
    form: Form,
    #[serde(default)]
    segments: Segments,
    #[serde(default = "CauseKind::usual")]
    causes: BTreeSet<CauseKind>,
    secret_ids: Vec<SecretId>,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    allow_http: bool,
}

/// Whoever hears of merges hears of those that are undone: destinations from before there was such a
/// cause list the others only.
fn with_unmerge(mut causes: BTreeSet<CauseKind>) -> BTreeSet<CauseKind> {
    if causes.contains(&CauseKind::Merge) {
        causes.insert(CauseKind::Unmerge);
    }
    causes
}

fn yes() -> bool {
    true
}

impl TryFrom<Definition> for Destination {
    type Error = DestinationError;

    fn try_from(written: Definition) -> Result<Self, Self::Error> {
        if written.version != VERSION {
            return Err(DestinationError::Version(written.version));
        }
        let destination = Self {
            id: written.id,
            url: written.url,
            form: written.form,
            segments: written.segments,
            causes: with_unmerge(written.causes),
            secret_ids: written.secret_ids,
            enabled: written.enabled,
            allow_http: written.allow_http,
        };
        destination.check()?;
        Ok(destination)
    }
}

impl From<Destination> for Definition {
    fn from(destination: Destination) -> Self {
        Self {
            version: VERSION,
            id: destination.id,
            url: destination.url,
            form: destination.form,
            segments: destination.segments,
            causes: destination.causes,
            secret_ids: destination.secret_ids,
            enabled: destination.enabled,
            allow_http: destination.allow_http,
        }
    }
}

impl Destination {
    /// Checks what types do not; a definition that was read has been checked.
    ///
    /// # Errors
    /// When there are no segments or causes, or no, too many or repeated secrets.
    pub fn check(&self) -> Result<(), DestinationError> {
        if matches!(&self.segments, Segments::Only(names) if names.is_empty()) {
            return Err(DestinationError::NoSegment);
        }
        if self.causes.is_empty() {
            return Err(DestinationError::NoCause);
        }
        let distinct: BTreeSet<_> = self.secret_ids.iter().collect();
        let count = self.secret_ids.len();
        if !(1..=MAX_SECRETS).contains(&count) || distinct.len() != count {
            return Err(DestinationError::Secrets);
        }
        Ok(())
    }

    /// True when `transition` is to be sent there.
    pub fn wants(&self, transition: &Transition) -> bool {
        let segment = match &self.segments {
            Segments::All => true,
            Segments::Only(names) => names.contains(&transition.segment),
        };
        self.enabled && segment && self.causes.contains(&CauseKind::from(&transition.cause))
    }
}

#[cfg(test)]
mod tests;
