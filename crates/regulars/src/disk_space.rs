//! How much is free on the disk that a directory lies on.

use std::path::Path;

/// Bytes of a file system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Space {
    /// Free for this user.
    pub(crate) free_bytes: u64,
    /// In all.
    pub(crate) total_bytes: u64,
}

/// Of the file system that `directory` lies on; `None` where the system does not say.
#[cfg(unix)]
pub(crate) fn space(directory: &Path) -> Option<Space> {
    let found = rustix::fs::statvfs(directory).ok()?;
    Some(Space {
        free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
    })
}

/// Not known here.
#[cfg(not(unix))]
pub(crate) fn space(_: &Path) -> Option<Space> {
    None
}
