//! Where the log, the manifest and the vault meet the file system.
//!
//! A thin trait, so that tests can put a disk under the store that forgets whatever was not synced.
//! What it promises is what POSIX promises: bytes are durable after [`DiskFile::sync`], names after
//! [`Disk::sync_dir`]; a rename replaces its target at once or not at all.

#[cfg(test)]
pub(crate) mod simulated;

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::StoreError;

/// A file system.
pub(crate) trait Disk: Debug + Send + Sync {
    /// Makes an empty file, replacing one that is there.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Makes an empty file that its owner alone may read, replacing one that is there.
    fn create_for_owner(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file to write at its end.
    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Cuts a file to `length` bytes, durably.
    fn truncate(&self, path: &Path, length: u64) -> io::Result<()>;
    /// Gives a file another name, replacing one that has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// The whole content of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Names of the files in a directory, sorted.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
}

/// An open file.
pub(crate) trait DiskFile: Debug + Send + Sync {
    /// Writes at the end.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes everything written durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// The operating system's file system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File::create(path)?))
    }

    fn create_for_owner(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        // One that is there may be open to others.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Box::new(options.open(path)?))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().append(true).open(path)?))
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(length)?;
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        sync_dir(dir)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                // A name that is not UTF-8 is none of ours.
                names.extend(entry.file_name().into_string().ok());
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

impl DiskFile for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Windows keeps names durable by itself and refuses to open directories.
fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(windows) {
        Ok(())
    } else {
        File::open(dir)?.sync_all()
    }
}

/// Writes a file under a temporary name, then gives it its own: durable when this returns, and at
/// no moment half-written under its name.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let file = disk.create(&beside)?;
    put_in_place(disk, file, &beside, path, bytes)
}

/// As [`replace`], but nobody except its owner can read it at any moment.
pub(crate) fn replace_for_owner(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let file = disk.create_for_owner(&beside)?;
    put_in_place(disk, file, &beside, path, bytes)
}

fn put_in_place(
    disk: &dyn Disk,
    mut file: Box<dyn DiskFile>,
    beside: &Path,
    path: &Path,
    bytes: &[u8],
) -> io::Result<()> {
    file.write(bytes)?;
    file.sync()?;
    disk.rename(beside, path)?;
    disk.sync_dir(path.parent().unwrap_or(Path::new(".")))
}

/// Writes a new file; durable once the names in its directory are.
pub(crate) fn write_new(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = disk.create(path).map_err(StoreError::io("create", path))?;
    file.write(bytes).map_err(StoreError::io("write", path))?;
    file.sync().map_err(StoreError::io("sync", path))
}
