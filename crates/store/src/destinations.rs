//! Where webhooks go: definitions and signing secrets.
//!
//! `destinations.json` in the data directory: `{"format": "regulars-destinations", "version": 1,
//! "destinations": […]}`, replaced as a whole and readable by its owner alone, as the master key
//! is: secrets stand in it, because requests are signed with them. What a definition says is for
//! its owner to know; here it is JSON.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use regulars_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::StoreError;
use crate::disk::{self, Disk, RealDisk};

const FORMAT: &str = "regulars-destinations";
const VERSION: u32 = 1;
const FILE: &str = "destinations.json";

/// A secret with its name. It is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecret {
    /// Its name.
    pub id: String,
    /// The secret.
    pub secret: String,
}

impl fmt::Debug for StoredSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StoredSecret({})", self.id)
    }
}

/// A destination as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDestination {
    /// The definition, as its owner writes it.
    pub definition: Value,
    /// When it was added.
    pub created_at: Timestamp,
    /// What the log holds from this offset on is for it.
    pub log_offset: u64,
    /// Its signing secrets.
    pub secrets: Vec<StoredSecret>,
}

#[derive(Serialize, Deserialize)]
struct File {
    format: String,
    version: u32,
    destinations: Vec<StoredDestination>,
}

/// The file in a data directory.
pub fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// All destinations of a data directory, oldest first; without a file there are none.
///
/// # Errors
/// When the file is damaged or of an unknown version.
pub fn load(data: &Path) -> Result<Vec<StoredDestination>, StoreError> {
    load_from(&RealDisk, data)
}

pub(crate) fn load_from(
    disk: &dyn Disk,
    data: &Path,
) -> Result<Vec<StoredDestination>, StoreError> {
    let path = path(data);
    let bytes = match disk.read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io("read", &path)(error)),
    };
    // What the parser says might quote a secret.
    let damaged = |error: serde_json::Error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        StoreError::damaged(&path, format!("it cannot be read at {place}"))
    };
    let file: File = serde_json::from_slice(&bytes).map_err(damaged)?;
    if file.format != FORMAT || file.version != VERSION {
        return Err(StoreError::UnknownVersion {
            path,
            what: "file of destinations",
            found: format!("{} ({})", file.version, file.format),
            known: VERSION,
        });
    }
    Ok(file.destinations)
}

/// Replaces all destinations; durable when it returns.
///
/// # Errors
/// When the file cannot be written.
pub fn save(data: &Path, destinations: &[StoredDestination]) -> Result<(), StoreError> {
    save_to(&RealDisk, data, destinations)
}

pub(crate) fn save_to(
    disk: &dyn Disk,
    data: &Path,
    destinations: &[StoredDestination],
) -> Result<(), StoreError> {
    let path = path(data);
    let file = File {
        format: FORMAT.to_owned(),
        version: VERSION,
        destinations: destinations.to_vec(),
    };
    let bytes = serde_json::to_vec_pretty(&file).expect("text keys only");
    disk::replace_for_owner(disk, &path, &bytes).map_err(StoreError::io("replace", &path))
}

/// Random bytes, for names and secrets.
///
/// # Errors
/// When the system has none.
pub fn random<const BYTES: usize>(data: &Path) -> Result<[u8; BYTES], StoreError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| {
        let error = io::Error::other(error.to_string());
        StoreError::io("draw a random number for", &path(data))(error)
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_saved_is_loaded_and_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(load(dir.path()).unwrap(), []);
        let stored = StoredDestination {
            definition: serde_json::json!({"id": "crm"}),
            created_at: Timestamp(3),
            log_offset: 7,
            secrets: vec![StoredSecret {
                id: "crm-1".to_owned(),
                secret: "whsec_quiet".to_owned(),
            }],
        };
        assert!(!format!("{stored:?}").contains("quiet"));
        for _ in 0..2 {
            save(dir.path(), std::slice::from_ref(&stored)).unwrap();
        }
        assert_eq!(load(dir.path()).unwrap(), [stored]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(path(dir.path())).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_file_is_named_and_not_quoted() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(
            path(dir.path()),
            "{\"format\": \"whsec_quiet\", \"version\": \"whsec_quiet\"}",
        )
        .unwrap();
        let error = load(dir.path()).unwrap_err().to_string();
        assert!(error.contains(FILE) && !error.contains("quiet"), "{error}");
        fs::write(
            path(dir.path()),
            "{\"format\": \"regulars-destinations\", \"version\": 2, \"destinations\": []}",
        )
        .unwrap();
        assert!(matches!(
            load(dir.path()),
            Err(StoreError::UnknownVersion { .. })
        ));
    }
}
