//! Looks at a data directory from outside, without changing anything: is everything there, can all
//! of it be read, and what is to be done where not?
//!
//! Nothing is locked, so that nobody is kept from writing: what a look finds missing may only have
//! been replaced meanwhile, so it is looked at again until the manifest stays as it is.

mod files;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::catalog::{LOG, MASTER_KEY, VAULT};
use crate::disk::RealDisk;
use crate::log::{inspect as log, live};
use crate::manifest::Manifest;
use crate::vault::{MasterKey, Vault};
use crate::{StoreError, StoreOptions, access, destinations, store};

/// A directory that changes while it is looked at is looked at again so many times.
const LOOKS: usize = 5;

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Something is to be done, and nothing is lost.
    Warning,
    /// Something cannot be read.
    Damage,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// For programs.
    pub code: &'static str,
    /// The file, relative to the data directory; `None` for the directory itself.
    pub file: Option<String>,
    /// What is so.
    pub detail: String,
    /// What to do about it.
    pub advice: String,
}

/// What a data directory holds, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Inspection {
    /// Another process writes here.
    pub in_use: bool,
    /// Segments of the log.
    pub segments: u64,
    /// Offset of the first record of the log.
    pub first_offset: u64,
    /// Offset after its last one.
    pub next_offset: u64,
    /// Files that the manifest lists.
    pub files: u64,
    /// Rows of the history.
    pub rows: u64,
    /// Bytes of the log and of the listed files.
    pub bytes: u64,
    /// Identities of the vault; `None` when it cannot be opened.
    pub identities: Option<u64>,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
}

impl Inspection {
    /// Adds something that was found.
    pub fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        file: Option<&str>,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.findings.push(Finding {
            severity,
            code,
            file: file.map(str::to_owned),
            detail: detail.into(),
            advice: advice.into(),
        });
    }

    /// True when something cannot be read.
    pub fn is_damaged(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.severity == Severity::Damage)
    }

    /// Adds what an error about a file says.
    fn refused(&mut self, file: &str, error: StoreError) {
        let (code, detail, advice) = match error {
            StoreError::UnknownVersion { found, known, .. } => (
                "unknown_version",
                format!("it is of version {found}, this program knows {known}"),
                "use the version of Regulars that wrote it",
            ),
            StoreError::Missing(_) => (
                "missing",
                "the manifest lists it, and it is not there".to_owned(),
                RESTORE,
            ),
            StoreError::Damaged { detail, .. } => ("damaged", detail, RESTORE),
            StoreError::MasterKey { detail, .. } => (
                "master_key",
                detail,
                "put the key back that the vault was encrypted with: nothing else opens it",
            ),
            StoreError::Io { source, action, .. } => (
                "unreadable",
                format!("cannot {action} it: {source}"),
                "see that this user may read it and that the disk is well",
            ),
            error => ("damaged", error.to_string(), RESTORE),
        };
        self.add(Severity::Damage, code, Some(file), detail, advice);
    }
}

const RESTORE: &str =
    "restore the data directory from a backup; until then keep all of it as it is";

/// Looks at the data directory `dir`.
///
/// # Errors
/// When there is no data directory of a version that is known.
pub fn inspect(dir: &Path, options: &StoreOptions) -> Result<Inspection, StoreError> {
    store::check_format(dir)?;
    let mut looks = 1;
    loop {
        let mut found = Inspection::default();
        match store::lock(dir, crate::catalog::Access::Read) {
            // Given back at once.
            Ok(_) => {}
            Err(StoreError::InUse(_)) => found.in_use = true,
            Err(error) => found.refused("LOCK", error),
        }
        let before = manifest(dir, &mut found);
        look(dir, options, before.as_ref(), &mut found);
        if found.is_damaged() && looks < LOOKS {
            let now = Manifest::load(&RealDisk, &dir.join("manifest.json"));
            if now.ok().flatten() != before {
                looks += 1;
                continue;
            }
        }
        // The worst first; what is equally bad in the order in which it was found.
        found
            .findings
            .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        return Ok(found);
    }
}

fn manifest(dir: &Path, found: &mut Inspection) -> Option<Manifest> {
    match Manifest::load(&RealDisk, &dir.join("manifest.json")) {
        Ok(manifest) => Some(manifest.unwrap_or_default()),
        Err(error) => {
            found.refused("manifest.json", error);
            None
        }
    }
}

/// Everything but the manifest itself. Without one, what needs it is left out.
fn look(dir: &Path, options: &StoreOptions, manifest: Option<&Manifest>, found: &mut Inspection) {
    let key_path = options.master_key.clone();
    let key_path = key_path.unwrap_or_else(|| dir.join(VAULT).join(MASTER_KEY));
    let vault = manifest.and_then(|manifest| open_vault(dir, &key_path, manifest, found));
    look_at_log(dir, manifest, vault, found);
    if let Some(manifest) = manifest {
        files::look_at_listed(dir, manifest, found);
        files::look_at_others(dir, manifest, found);
    }
    if let Err(error) = access::Access::load(dir) {
        found.refused("access.json", error);
    }
    if let Err(error) = destinations::load(dir) {
        found.refused("destinations.json", error);
    }
    files::look_at_permissions(dir, &key_path, found);
}

/// The vault of the files, with the key for what the log adds.
fn open_vault(
    dir: &Path,
    key_path: &Path,
    manifest: &Manifest,
    found: &mut Inspection,
) -> Option<(Vault, MasterKey)> {
    let key = match MasterKey::load(key_path) {
        Ok(Some(key)) => key,
        Ok(None) => {
            let detail = format!("there is no key at `{}`", key_path.display());
            let advice = "put the key back that the vault was encrypted with: without it customers \
                          have no names and personal data stays sealed for ever";
            found.add(
                Severity::Damage,
                "master_key",
                Some("vault/master.key"),
                detail,
                advice,
            );
            return None;
        }
        Err(error) => {
            found.refused("vault/master.key", error);
            return None;
        }
    };
    match Vault::load(&RealDisk, &dir.join(VAULT), &manifest.vault, &key) {
        Ok(vault) => Some((vault, key)),
        Err(error) => {
            let file = name_in(&error, dir).unwrap_or_else(|| "vault".to_owned());
            found.refused(&file, error);
            None
        }
    }
}

/// The file that an error is about, relative to the data directory.
fn name_in(error: &StoreError, dir: &Path) -> Option<String> {
    let (StoreError::Damaged { path, .. }
    | StoreError::Missing(path)
    | StoreError::UnknownVersion { path, .. }
    | StoreError::MasterKey { path, .. }
    | StoreError::Io { path, .. }) = error
    else {
        return None;
    };
    let path: PathBuf = path.strip_prefix(dir).ok()?.to_owned();
    Some(path.to_string_lossy().replace('\\', "/"))
}

fn look_at_log(
    dir: &Path,
    manifest: Option<&Manifest>,
    mut vault: Option<(Vault, MasterKey)>,
    found: &mut Inspection,
) {
    let log_dir = dir.join(LOG);
    let from = manifest.map_or(u64::MAX, |manifest| manifest.vault_from);
    let looked = log::inspect(&RealDisk, &log_dir, |offset, bytes| {
        match (&mut vault, live::identities_in(bytes)) {
            (Some((vault, key)), Some(file)) if offset >= from => {
                vault.take_journal((&log_dir, offset), file, key)
            }
            _ => Ok(()),
        }
    });
    let looked = match looked {
        Ok(looked) => looked,
        Err(error) => {
            let file = name_in(&error, dir).unwrap_or_else(|| LOG.to_owned());
            return found.refused(&file, error);
        }
    };
    found.segments = looked.segments;
    found.first_offset = looked.first_offset;
    found.next_offset = looked.next_offset;
    found.bytes += looked.bytes;
    found.identities = vault.map(|(vault, _)| vault.len() as u64);
    for (name, detail) in looked.damage {
        let file = format!("{LOG}/{name}");
        let advice = "restore the data directory from a backup; until then keep all of it as it is: \
                      what can still be read is in it";
        found.add(Severity::Damage, "damaged", Some(&file), detail, advice);
    }
    let torn = looked.torn.filter(|_| !found.in_use);
    if let Some((name, bytes)) = torn {
        let file = format!("{LOG}/{name}");
        let detail = format!("its last {bytes} bytes are half of a record, as a crash leaves them");
        let advice = "nothing: it was never acknowledged, and the next start cuts it off";
        found.add(Severity::Warning, "torn_tail", Some(&file), detail, advice);
    }
    let moved_to = manifest.map_or(0, |manifest| manifest.moved.to);
    if looked.segments > 0 && looked.first_offset > moved_to {
        let detail = format!(
            "it begins with record {}, but those from {moved_to} on are nowhere else",
            looked.first_offset
        );
        let code = "log_begins_late";
        found.add(Severity::Damage, code, Some(LOG), detail, RESTORE);
    }
    let applied = manifest.map_or(0, |manifest| manifest.applied);
    if looked.next_offset < applied {
        let detail = format!(
            "its records end before {}, but the manifest knows of {applied}",
            looked.next_offset
        );
        found.add(
            Severity::Damage,
            "log_too_short",
            Some(LOG),
            detail,
            RESTORE,
        );
    }
}
