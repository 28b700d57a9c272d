//! Files beside the log: those that the manifest lists, those that it does not, and who may read
//! the secret ones.

use std::collections::BTreeSet;
use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::Path;

use super::{Inspection, Severity};
use crate::StoreError;
use crate::catalog::{HISTORY, MASTER_KEY, TABLES, VAULT, is_named_by_us};
use crate::disk::{Disk, RealDisk};
use crate::history::verify::verify;
use crate::manifest::{Manifest, MovedFile, MovedKind, TableName};
use crate::moved::messages::MessageRow;
use crate::moved::records;
use crate::moved::transitions::TransitionRow;
use crate::store::{missing_or, read_listed};
use crate::tables::{self, AdSpendRow, ProductRow, memberships};

/// Reads every file that the manifest lists to its end.
pub(super) fn look_at_listed(dir: &Path, manifest: &Manifest, found: &mut Inspection) {
    for run in &manifest.runs {
        found.files += 1;
        found.rows += run.rows;
        found.bytes += run.bytes;
        let path = dir.join(HISTORY).join(&run.file);
        if let Err(error) = guarded(&path, || verify(&path, run)) {
            found.refused(&format!("{HISTORY}/{}", run.file), error);
        }
    }
    for (table, file) in &manifest.tables {
        let path = dir.join(TABLES).join(file);
        let read = guarded(&path, || match table {
            TableName::Products => tables::load::<ProductRow>(&path).map(drop),
            TableName::AdSpend => tables::load::<AdSpendRow>(&path).map(drop),
            TableName::Memberships => read_listed(&RealDisk, &path)
                .and_then(|bytes| memberships::decode(&path, &bytes).map(drop)),
        });
        count(&path, found);
        if let Err(error) = read {
            found.refused(&format!("{TABLES}/{file}"), error);
        }
    }
    for moved in &manifest.moved.files {
        let path = dir.join(TABLES).join(&moved.file);
        count(&path, found);
        if let Err(error) = guarded(&path, || read_moved(&path, moved)) {
            found.refused(&format!("{TABLES}/{}", moved.file), error);
        }
    }
    for file in &manifest.vault {
        count(&dir.join(VAULT).join(file), found);
    }
}

/// Reads a file of what was moved out of the log to its end.
fn read_moved(path: &Path, moved: &MovedFile) -> Result<(), StoreError> {
    let length = fs::metadata(path)
        .map_err(missing_or("look at", path))?
        .len();
    if length != moved.bytes {
        let detail = format!("it has {length} bytes where {} were written", moved.bytes);
        return Err(StoreError::damaged(path, detail));
    }
    match moved.kind {
        MovedKind::Messages => tables::load::<MessageRow>(path).map(drop),
        MovedKind::Transitions => tables::load::<TransitionRow>(path).map(drop),
        MovedKind::Records => {
            let bytes = read_listed(&RealDisk, path)?;
            records::decode(path, &bytes).map(drop)
        }
    }
}

/// The reader of Parquet panics on some damage instead of refusing it.
fn guarded(path: &Path, read: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
    std::panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        let detail = "what it holds is not what its head says";
        Err(StoreError::damaged(path, detail))
    })
}

fn count(path: &Path, found: &mut Inspection) {
    found.files += 1;
    // One that is not there is told by whoever reads it.
    found.bytes += fs::metadata(path).map_or(0, |file| file.len());
}

/// Looks for files that the manifest does not list.
pub(super) fn look_at_others(dir: &Path, manifest: &Manifest, found: &mut Inspection) {
    let runs: BTreeSet<&str> = manifest.runs.iter().map(|run| run.file.as_str()).collect();
    let moved = manifest.moved.files.iter().map(|file| file.file.as_str());
    let tables = manifest.tables.values().map(String::as_str);
    let tables: BTreeSet<&str> = tables.chain(moved).collect();
    let vault = manifest.vault.iter().map(String::as_str);
    let vault: BTreeSet<&str> = vault.chain([MASTER_KEY]).collect();
    for (name, listed) in [(HISTORY, runs), (TABLES, tables), (VAULT, vault)] {
        let files = match RealDisk.list(&dir.join(name)) {
            Ok(files) => files,
            Err(error) => {
                found.refused(name, StoreError::io("list", &dir.join(name))(error));
                continue;
            }
        };
        for file in files.iter().filter(|file| !listed.contains(file.as_str())) {
            other(&format!("{name}/{file}"), file, found);
        }
    }
    if dir.join("tmp").exists() && !found.in_use {
        let detail = "left over from an import that did not end";
        let advice = "nothing: the next import or start removes it";
        found.add(Severity::Note, "left_over", Some("tmp"), detail, advice);
    }
}

fn other(path: &str, file: &str, found: &mut Inspection) {
    let ours = is_named_by_us(file);
    if ours && found.in_use {
        // Something is being written, or was replaced a moment ago.
        return;
    }
    let (code, detail, advice) = if ours {
        (
            "left_over",
            "left over from work that did not end: the manifest does not list it",
            "nothing: the next import or start removes it",
        )
    } else {
        (
            "not_ours",
            "Regulars did not write it and does not read it",
            "move it elsewhere: a data directory is for Regulars alone",
        )
    };
    found.add(Severity::Note, code, Some(path), detail, advice);
}

/// Secrets are for their owner alone.
#[cfg(unix)]
pub(super) fn look_at_permissions(dir: &Path, key_path: &Path, found: &mut Inspection) {
    use std::os::unix::fs::PermissionsExt as _;

    let secrets = [
        ("vault/master.key", key_path.to_owned()),
        ("destinations.json", crate::destinations::path(dir)),
        ("serving.json", dir.join("serving.json")),
    ];
    for (name, path) in secrets {
        // One that is not there holds no secret.
        let mode = fs::metadata(&path).map_or(0, |file| file.permissions().mode() & 0o777);
        if mode & 0o077 == 0 {
            continue;
        }
        let detail = format!("others may read it (mode {mode:03o}), and a secret stands in it");
        let advice = format!("chmod 600 {}", path.display());
        found.add(Severity::Warning, "permissions", Some(name), detail, advice);
    }
}

/// What others may read is not a matter of modes here.
#[cfg(not(unix))]
pub(super) fn look_at_permissions(_: &Path, _: &Path, _: &mut Inspection) {}
