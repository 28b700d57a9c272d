//! The master key of a workspace: 32 random bytes in a file that only its owner may read.
//!
//! One line: `regulars-master-key 1 <number> <key>`, both in hexadecimal. The number is random and
//! stands in every file that the key encrypted, so that a wrong key is told apart from damage.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::seal;
use crate::StoreError;

const NAME: &str = "regulars-master-key";
const VERSION: u32 = 1;

#[derive(Clone)]
pub(crate) struct MasterKey {
    pub(super) path: PathBuf,
    pub(super) number: [u8; 8],
    pub(super) key: [u8; 32],
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterKey")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl MasterKey {
    /// Draws a key and writes it to `path`, where nothing may be yet.
    pub(crate) fn create(path: &Path) -> Result<Self, StoreError> {
        let mut made = Self {
            path: path.to_owned(),
            number: [0; 8],
            key: [0; 32],
        };
        seal::fill(&mut made.number)?;
        seal::fill(&mut made.key)?;
        let line = format!(
            "{NAME} {VERSION} {} {}\n",
            hex(&made.number),
            hex(&made.key)
        );
        let write = || {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(path)?;
            file.write_all(line.as_bytes())?;
            file.sync_all()
        };
        write().map_err(StoreError::io("create", path))?;
        Ok(made)
    }

    /// Reads the key at `path`; `None` when there is none.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>, StoreError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("read", path)(error)),
        };
        let no_key = |detail: &str| StoreError::MasterKey {
            path: path.to_owned(),
            detail: detail.to_owned(),
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let &[name, version, number, key] = words.as_slice() else {
            return Err(no_key("it is no key file of Regulars"));
        };
        if name != NAME {
            return Err(no_key("it is no key file of Regulars"));
        }
        if version != VERSION.to_string() {
            return Err(StoreError::UnknownVersion {
                path: path.to_owned(),
                what: "master key",
                found: version.to_owned(),
                known: VERSION,
            });
        }
        let number = from_hex(number).ok_or_else(|| no_key("its number is cut short"))?;
        let key = from_hex(key).ok_or_else(|| no_key("its key is cut short"))?;
        Ok(Some(Self {
            path: path.to_owned(),
            number,
            key,
        }))
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}
