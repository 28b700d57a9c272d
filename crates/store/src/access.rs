//! Who may send and who may ask: write keys and API tokens, by the hash of their secret.
//!
//! `access.json` in the data directory: `{"format": "regulars-access", "version": 1, "grants": […]}`,
//! replaced as a whole. A secret is shown once, when it is made; what is kept of it is its SHA-256,
//! which is enough for 256 random bits.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regulars_core::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::StoreError;
use crate::disk::{self, Disk, RealDisk};
use crate::vault::hex;

const FORMAT: &str = "regulars-access";
const VERSION: u32 = 1;
const FILE: &str = "access.json";

/// What a secret opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Events may be sent by a server of the shop, which is believed who is whom; nothing can be
    /// read.
    Write,
    /// Events may be sent by pages and apps: their key is public, and merges no two customers who are
    /// known; nothing can be read.
    WriteClient,
    /// Everything may be read, nothing changed.
    ReadOnly,
    /// Everything may be read; segments may be made and changed.
    Analyst,
    /// Everything but erasing.
    Admin,
    /// Persons may be erased.
    Erase,
}

impl Role {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::WriteClient => "write_client",
            Self::ReadOnly => "read_only",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
            Self::Erase => "erase",
        }
    }

    /// True for those of write keys.
    pub fn is_write(self) -> bool {
        matches!(self, Self::Write | Self::WriteClient)
    }

    /// First characters of its secrets, so that a leaked one is recognised.
    fn prefix(self) -> &'static str {
        match self {
            Self::Write => "rwk_",
            Self::WriteClient => "rck_",
            Self::ReadOnly | Self::Analyst | Self::Admin | Self::Erase => "rat_",
        }
    }
}

/// The two kinds of grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantKind {
    /// A write key: events may be sent with it.
    Key,
    /// An API token: questions may be asked with it.
    Token,
}

impl GrantKind {
    /// True for a grant of this kind.
    pub fn holds(self, grant: &Grant) -> bool {
        (self == Self::Key) == grant.role.is_write()
    }

    /// What it is called.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Key => "write key",
            Self::Token => "API token",
        }
    }
}

/// A secret that was given to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Names it in commands.
    pub id: String,
    /// What it opens.
    pub role: Role,
    /// What it is for, in the words of whoever made it.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// SHA-256 of the secret, in hexadecimal.
    hash: String,
}

/// A grant with its secret, which is known at this moment only.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// The grant.
    pub grant: Grant,
    /// The secret.
    pub secret: String,
}

/// All grants of a workspace.
#[derive(Debug, Clone)]
pub struct Access {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    grants: Vec<Grant>,
    /// Grants of this process alone: they are not listed and not kept.
    passing: Vec<Grant>,
}

#[derive(Serialize, Deserialize)]
struct File {
    format: String,
    version: u32,
    grants: Vec<Grant>,
}

impl Access {
    /// Reads the grants of a data directory; without a file there are none.
    ///
    /// # Errors
    /// When the file is damaged or of an unknown version.
    pub fn load(data: &Path) -> Result<Self, StoreError> {
        Self::load_from(Arc::new(RealDisk), data)
    }

    pub(crate) fn load_from(disk: Arc<dyn Disk>, data: &Path) -> Result<Self, StoreError> {
        let path = data.join(FILE);
        let grants = read(disk.as_ref(), &path)?;
        Ok(Self {
            disk,
            path,
            grants,
            passing: Vec::new(),
        })
    }

    /// Takes up what other processes made of the file since.
    ///
    /// # Errors
    /// When the file is damaged or of an unknown version; the grants stay as they were.
    pub fn reload(&mut self) -> Result<(), StoreError> {
        self.grants = read(self.disk.as_ref(), &self.path)?;
        Ok(())
    }

    /// All grants, oldest first.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// Makes a grant; durable when it returns.
    ///
    /// # Errors
    /// When no random number can be had, or the file cannot be written.
    pub fn grant(
        &mut self,
        role: Role,
        label: &str,
        created_at: Timestamp,
    ) -> Result<NewGrant, StoreError> {
        let made = self.draw(role, label, created_at)?;
        let mut grants = self.grants.clone();
        grants.push(made.grant.clone());
        self.save(grants)?;
        Ok(made)
    }

    /// Makes a grant that holds as long as this value lives and is written nowhere.
    ///
    /// # Errors
    /// When no random number can be had.
    pub fn grant_in_passing(
        &mut self,
        role: Role,
        label: &str,
        created_at: Timestamp,
    ) -> Result<NewGrant, StoreError> {
        let made = self.draw(role, label, created_at)?;
        self.passing.push(made.grant.clone());
        Ok(made)
    }

    /// True for a grant of [`Self::grant_in_passing`].
    pub fn is_in_passing(&self, grant: &Grant) -> bool {
        self.passing.contains(grant)
    }

    fn draw(&self, role: Role, label: &str, created_at: Timestamp) -> Result<NewGrant, StoreError> {
        let secret = format!("{}{}", role.prefix(), random_text::<32>(&self.path)?);
        let grant = Grant {
            id: random_text::<6>(&self.path)?,
            role,
            label: label.to_owned(),
            created_at,
            hash: hex(&Sha256::digest(&secret)),
        };
        Ok(NewGrant { grant, secret })
    }

    /// Takes a grant back, by its id; false when there is none.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn revoke(&mut self, id: &str) -> Result<bool, StoreError> {
        let mut grants = self.grants.clone();
        grants.retain(|grant| grant.id != id);
        if grants.len() == self.grants.len() {
            return Ok(false);
        }
        self.save(grants)?;
        Ok(true)
    }

    /// The grant of a secret. Takes the same time for every secret that is none.
    pub fn find(&self, secret: &str) -> Option<&Grant> {
        let hash = hex(&Sha256::digest(secret));
        let mut found = None;
        for grant in self.grants.iter().chain(&self.passing) {
            let pairs = grant.hash.bytes().zip(hash.bytes());
            let differs = pairs.fold(0, |differs, (a, b)| differs | (a ^ b));
            if differs == 0 && grant.hash.len() == hash.len() {
                found = Some(grant);
            }
        }
        found
    }

    /// Only what is on disk counts: when this fails, the grants stay as they were.
    fn save(&mut self, grants: Vec<Grant>) -> Result<(), StoreError> {
        let file = File {
            format: FORMAT.to_owned(),
            version: VERSION,
            grants,
        };
        let bytes = serde_json::to_vec_pretty(&file).expect("text keys only");
        disk::replace(self.disk.as_ref(), &self.path, &bytes)
            .map_err(StoreError::io("replace", &self.path))?;
        self.grants = file.grants;
        Ok(())
    }
}

fn read(disk: &dyn Disk, path: &Path) -> Result<Vec<Grant>, StoreError> {
    let bytes = match disk.read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io("read", path)(error)),
    };
    let file: File = serde_json::from_slice(&bytes)
        .map_err(|error| StoreError::damaged(path, error.to_string()))?;
    if file.format != FORMAT || file.version != VERSION {
        return Err(StoreError::UnknownVersion {
            path: path.to_owned(),
            what: "file of grants",
            found: format!("{} ({})", file.version, file.format),
            known: VERSION,
        });
    }
    Ok(file.grants)
}

fn random_text<const BYTES: usize>(path: &Path) -> Result<String, StoreError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| {
        let error = io::Error::other(error.to_string());
        StoreError::io("draw a random number for", path)(error)
    })?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_until_it_is_revoked_and_is_written_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let mut access = Access::load(dir.path()).unwrap();
        let made = access.grant(Role::Write, "web shop", Timestamp(1)).unwrap();
        let other = access.grant(Role::Admin, "", Timestamp(2)).unwrap();
        let mut access = Access::load(dir.path()).unwrap();
        assert_eq!(access.find(&made.secret), Some(&made.grant));
        assert_eq!(access.find(&other.secret), Some(&other.grant));
        assert_eq!(access.find("rwk_0"), None);
        let passing = access.grant_in_passing(Role::Admin, "", Timestamp(3));
        let passing = passing.unwrap();
        assert_eq!(access.find(&passing.secret), Some(&passing.grant));
        assert!(!access.grants().contains(&passing.grant));
        assert!(access.is_in_passing(&passing.grant) && !access.is_in_passing(&made.grant));
        let text = std::fs::read_to_string(dir.path().join(FILE)).unwrap();
        assert!(!text.contains(&made.secret), "{text}");
        assert!(!text.contains(&passing.grant.id), "{text}");
        let mut beside = Access::load(dir.path()).unwrap();
        let late = beside.grant(Role::Write, "", Timestamp(4)).unwrap();
        assert_eq!(access.find(&late.secret), None);
        access.reload().unwrap();
        assert_eq!(access.find(&late.secret), Some(&late.grant));
        assert_eq!(access.find(&passing.secret), Some(&passing.grant));
        assert!(beside.revoke(&late.grant.id).unwrap());
        access.reload().unwrap();
        assert_eq!(access.find(&late.secret), None);
        assert!(access.revoke(&made.grant.id).unwrap());
        assert!(!access.revoke(&made.grant.id).unwrap());
        let access = Access::load(dir.path()).unwrap();
        assert_eq!(access.find(&made.secret), None);
        assert_eq!(access.grants(), [other.grant]);
    }
}
