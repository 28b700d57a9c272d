//! Where the log, the manifest and the vault meet the file system.
