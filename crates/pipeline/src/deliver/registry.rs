//! The destinations of a workspace: added, removed, given new secrets. What the commands and the
//! API do; a running server takes it up with [`Deliveries::take_up`](super::Deliveries::take_up).

use std::path::Path;

use regulars_actions::signature::Secret;
use regulars_actions::{
    CauseKind, Destination, DestinationId, Form, Guard, SecretId, Segments, Target,
};
use regulars_core::Timestamp;
use regulars_store::destinations::{self, StoredDestination, StoredSecret};
use serde::Deserialize;

use crate::error::PipelineError;

/// While a secret is replaced, the one before it signs too.
const SECRETS: usize = 2;

/// A destination with what is needed to send to it.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its definition.
    pub destination: Destination,
    /// Its secrets, the current one first.
    pub secrets: Vec<Secret>,
    /// When it was added.
    pub created_at: Timestamp,
    /// It gets what the log holds from this offset on.
    pub log_offset: u64,
}

/// A destination to be added.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDestination {
    /// Where requests go.
    pub url: String,
    /// Of which segments: `"all"` or a list of names.
    #[serde(default)]
    pub segments: Segments,
    /// What requests look like.
    #[serde(default)]
    pub form: Form,
    /// For which causes.
    #[serde(default = "CauseKind::usual")]
    pub causes: std::collections::BTreeSet<CauseKind>,
    /// Whether the address may be `http://`.
    #[serde(default)]
    pub allow_http: bool,
}

/// All destinations, oldest first.
///
/// # Errors
/// When the file cannot be read or a definition makes no sense.
pub fn known(data: &Path) -> Result<Vec<Known>, PipelineError> {
    destinations::load(data)?.iter().map(read).collect()
}

fn read(stored: &StoredDestination) -> Result<Known, PipelineError> {
    let destination = Destination::deserialize(&stored.definition)
        .map_err(|error| PipelineError::Destination(format!("`destinations.json`: {error}")))?;
    // One that is missing is noticed where it is needed: nothing is sent unsigned.
    let secret = |id: &SecretId| {
        let found = stored
            .secrets
            .iter()
            .find(|secret| secret.id == id.as_str());
        found.and_then(|found| Secret::parse(&found.secret).ok())
    };
    Ok(Known {
        secrets: destination.secret_ids.iter().filter_map(secret).collect(),
        destination,
        created_at: stored.created_at,
        log_offset: stored.log_offset,
    })
}

/// Adds a destination, which gets what the log holds from `log_offset` on; durable when this
/// returns. The secret is known at this moment only.
///
/// # Errors
/// When the address is none or one that is not called, or the file cannot be written.
pub fn add(
    data: &Path,
    guard: &Guard,
    wanted: NewDestination,
    log_offset: u64,
    now: Timestamp,
) -> Result<(Known, Secret), PipelineError> {
    let refused = |message: String| PipelineError::Destination(message);
    let url: Target = wanted
        .url
        .parse()
        .map_err(|error: regulars_actions::TargetError| refused(format!("the address: {error}")))?;
    let guard = Guard {
        allow_http: guard.allow_http || wanted.allow_http,
        ..guard.clone()
    };
    guard
        .check_target(&url)
        .map_err(|why| refused(format!("{why} (`--allow-http`, `[delivery.guard]`)")))?;
    let id = format!("d{}", hex(&destinations::random::<5>(data)?));
    let secret = new_secret(data)?;
    let secret_id = format!("{id}-1");
    let destination = Destination {
        id: id
            .parse::<DestinationId>()
            .map_err(|e| refused(e.to_string()))?,
        url,
        form: wanted.form,
        segments: wanted.segments,
        causes: wanted.causes,
        secret_ids: vec![
            secret_id
                .parse()
                .map_err(|error: regulars_actions::DestinationError| refused(error.to_string()))?,
        ],
        enabled: true,
        allow_http: wanted.allow_http,
    };
    destination.check().map_err(|e| refused(e.to_string()))?;
    let stored = StoredDestination {
        definition: definition(&destination),
        created_at: now,
        log_offset,
        secrets: vec![StoredSecret {
            id: secret_id,
            secret: secret.reveal(),
        }],
    };
    let mut all = destinations::load(data)?;
    let added = read(&stored)?;
    all.push(stored);
    destinations::save(data, &all)?;
    Ok((added, secret))
}

/// Removes a destination and all that waits for it; durable when this returns.
///
/// # Errors
/// When there is none of that name, or the file cannot be written.
pub fn remove(data: &Path, id: &str) -> Result<(), PipelineError> {
    let mut all = destinations::load(data)?;
    let at = position(&all, id)?;
    all.remove(at);
    Ok(destinations::save(data, &all)?)
}

/// Gives a destination a new secret; the one before signs too until the next time. Durable when
/// this returns; the secret is known at this moment only.
///
/// # Errors
/// When there is none of that name, or the file cannot be written.
pub fn rotate(data: &Path, id: &str) -> Result<Secret, PipelineError> {
    let mut all = destinations::load(data)?;
    let at = position(&all, id)?;
    let stored = &mut all[at];
    let mut destination = read(stored)?.destination;
    let number = |id: &SecretId| -> u64 {
        let (_, number) = id.as_str().rsplit_once('-').unwrap_or_default();
        number.parse().unwrap_or(0)
    };
    let last = destination.secret_ids.iter().map(number).max();
    let secret_id = format!("{id}-{}", last.unwrap_or(0) + 1);
    let parsed: SecretId =
        secret_id
            .parse()
            .map_err(|error: regulars_actions::DestinationError| {
                PipelineError::Destination(error.to_string())
            })?;
    let secret = new_secret(data)?;
    destination.secret_ids.insert(0, parsed);
    destination.secret_ids.truncate(SECRETS);
    stored.secrets.push(StoredSecret {
        id: secret_id,
        secret: secret.reveal(),
    });
    let kept = |secret: &StoredSecret| {
        let mut ids = destination.secret_ids.iter();
        ids.any(|id| id.as_str() == secret.id)
    };
    stored.secrets.retain(kept);
    stored.definition = definition(&destination);
    destinations::save(data, &all)?;
    Ok(secret)
}

pub(super) fn no_destination(id: &str) -> PipelineError {
    PipelineError::NotFound {
        what: "destination",
        name: id.to_owned(),
        hint: ": `regulars destinations list` shows them".to_owned(),
    }
}

fn position(all: &[StoredDestination], id: &str) -> Result<usize, PipelineError> {
    let found = all.iter().position(|stored| stored.definition["id"] == id);
    found.ok_or_else(|| no_destination(id))
}

fn definition(destination: &Destination) -> serde_json::Value {
    serde_json::to_value(destination).expect("definitions are plain data")
}

fn new_secret(data: &Path) -> Result<Secret, PipelineError> {
    Ok(Secret::new(destinations::random::<32>(data)?))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(url: &str) -> NewDestination {
        serde_json::from_value(serde_json::json!({ "url": url })).unwrap()
    }

    #[test]
    fn a_destination_has_a_secret_that_is_replaced_in_two_steps() {
        let dir = tempfile::tempdir().unwrap();
        let (data, guard) = (dir.path(), Guard::default());
        let (added, first) = add(
            data,
            &guard,
            wanted("https://example.com/hook"),
            7,
            Timestamp(5),
        )
        .unwrap();
        let id = added.destination.id.as_str().to_owned();
        assert_eq!((added.log_offset, added.secrets.len()), (7, 1));
        let second = rotate(data, &id).unwrap();
        let secrets = || known(data).unwrap()[0].secrets.clone();
        assert_eq!(secrets(), [second.clone(), first]);
        let third = rotate(data, &id).unwrap();
        assert_eq!(secrets(), [third, second]);
        remove(data, &id).unwrap();
        assert!(known(data).unwrap().is_empty());
        for gone in [remove(data, &id), rotate(data, &id).map(|_| ())] {
            assert!(matches!(gone, Err(PipelineError::NotFound { .. })));
        }
    }

    #[test]
    fn what_is_not_called_is_refused_when_it_is_added() {
        let dir = tempfile::tempdir().unwrap();
        let guard = Guard::default();
        let tried = |url: &str, allow_http: bool| {
            let wanted = NewDestination {
                allow_http,
                ..wanted(url)
            };
            add(dir.path(), &guard, wanted, 0, Timestamp(0)).map_err(|error| error.to_string())
        };
        let error = tried("http://example.com/", false).unwrap_err();
        assert!(error.contains("--allow-http"), "{error}");
        assert!(tried("http://example.com/", true).is_ok());
        let error = tried("https://127.0.0.1/", false).unwrap_err();
        assert!(error.contains("allow_private_targets"), "{error}");
        assert!(tried("example.com", false).is_err());
    }
}
