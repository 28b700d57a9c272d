//! Where the bytes of a file come from: a path, or memory.

use std::path::{Path, PathBuf};

use bytes::Bytes;

/// A file to read: it is opened as often as recognition and reading need.
#[derive(Debug, Clone)]
pub enum Input {
    /// A file of the file system.
    Path(PathBuf),
    /// Bytes in memory, under a name for messages.
    Bytes {
        /// What messages call it.
        name: PathBuf,
        /// Its content.
        bytes: Bytes,
    },
}

impl Input {
    /// What messages call it.
    pub fn name(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Bytes { name, .. } => name,
        }
    }
}

impl From<&Path> for Input {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<PathBuf> for Input {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl From<&PathBuf> for Input {
    fn from(path: &PathBuf) -> Self {
        Self::Path(path.clone())
    }
}
