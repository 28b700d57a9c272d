//! Which server is using the workspace: `data/serving.json`, there as long as it serves.
//!
//! `{"format": "regulars-serving", "version": 1, "address", "token", "pid"}`, readable by its
//! owner alone. The token is known to that process only and opens everything, so that commands on
//! the same workspace can go through the server.

use std::fs::{self, File};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context;
use regulars_store::{StoreError, lock_alone};
use serde::{Deserialize, Serialize};

const FORMAT: &str = "regulars-serving";
const VERSION: u32 = 1;
const FILE: &str = "serving.json";
const TURN: &str = "SERVING";

/// A server that uses the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Serving {
    format: String,
    version: u32,
    /// Where it can be reached from this machine.
    pub(crate) address: SocketAddr,
    /// Opens everything.
    pub(crate) token: String,
    /// Its process.
    pub(crate) pid: u32,
}

impl Serving {
    /// What the file in the data directory says; `None` without one, or when it says nothing
    /// usable.
    pub(crate) fn read(data: &Path) -> Option<Self> {
        let bytes = fs::read(data.join(FILE)).ok()?;
        let serving: Self = serde_json::from_slice(&bytes).ok()?;
        (serving.format == FORMAT && serving.version == VERSION).then_some(serving)
    }
}

/// The right to serve a workspace: one process has it for as long as it serves, also while it lends
/// the data to a command, when the data itself is locked by others or by nobody.
#[derive(Debug)]
pub(crate) struct Turn {
    /// Locked as long as it is open.
    _file: File,
}

impl Turn {
    /// Takes it.
    ///
    /// # Errors
    /// When another process has it, or the file cannot be opened.
    pub(crate) fn take(data: &Path) -> Result<Self, StoreError> {
        let file = lock_alone(data, TURN)?;
        Ok(Self { _file: file })
    }
}

/// The file, removed when this goes.
#[derive(Debug)]
pub(crate) struct Announced {
    path: PathBuf,
}

impl Announced {
    /// Says that this process serves at `address`.
    pub(crate) fn new(data: &Path, address: SocketAddr, token: String) -> anyhow::Result<Self> {
        let serving = Serving {
            format: FORMAT.to_owned(),
            version: VERSION,
            address: reachable(address),
            token,
            pid: std::process::id(),
        };
        let path = data.join(FILE);
        let text = serde_json::to_string(&serving).expect("plain data");
        write_for_owner(&path, &text)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(Self { path })
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        // If it stays, whoever reads it finds nobody there and goes on.
        let _ = fs::remove_file(&self.path);
    }
}

/// An address that listens everywhere is reached on this machine by its loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Writes beside and renames: nobody sees half of it, and nobody else sees any of it.
fn write_for_owner(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("json.new");
    let _ = fs::remove_file(&beside);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(&beside)?.write_all(text.as_bytes())?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_may_serve() {
        let dir = tempfile::tempdir().unwrap();
        let turn = Turn::take(dir.path()).unwrap();
        let refused = Turn::take(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("another process is using"), "{refused}");
        drop(turn);
        Turn::take(dir.path()).unwrap();
    }

    #[test]
    fn the_file_is_its_owners_alone_and_goes_with_the_server() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Serving::read(dir.path()), None);
        let address = "0.0.0.0:7070".parse().unwrap();
        let announced = Announced::new(dir.path(), address, "rat_1".to_owned()).unwrap();
        let serving = Serving::read(dir.path()).unwrap();
        assert_eq!(serving.address, "127.0.0.1:7070".parse().unwrap());
        assert_eq!(
            (serving.token.as_str(), serving.pid),
            ("rat_1", std::process::id())
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(dir.path().join(FILE))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        drop(announced);
        assert_eq!(Serving::read(dir.path()), None);
        fs::write(dir.path().join(FILE), "{\"format\": \"regul").unwrap();
        assert_eq!(Serving::read(dir.path()), None);
    }
}
