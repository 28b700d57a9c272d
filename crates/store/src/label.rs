//! The label of a Parquet file of ours: what its metadata say that it is, and of which version.

use std::path::Path;

use parquet::file::metadata::ParquetMetaData;

use crate::StoreError;

pub(crate) const FORMAT_KEY: &str = "regulars.format";
pub(crate) const VERSION_KEY: &str = "regulars.version";

/// What a reader expects of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Label {
    /// What such a file is called in messages.
    pub(crate) what: &'static str,
    pub(crate) format: &'static str,
    pub(crate) version: u32,
}

impl Label {
    /// Says whether the file is what it should be.
    ///
    /// # Errors
    /// When it is of another format or version.
    pub(crate) fn check(self, path: &Path, metadata: &ParquetMetaData) -> Result<(), StoreError> {
        let (format, version) = (value(metadata, FORMAT_KEY), value(metadata, VERSION_KEY));
        if format == self.format && version == self.version.to_string() {
            return Ok(());
        }
        Err(StoreError::UnknownVersion {
            path: path.to_owned(),
            what: self.what,
            found: format!("{version} ({format})"),
            known: self.version,
        })
    }
}

/// What the metadata of a file say under a key; empty when they do not.
pub(crate) fn value<'m>(metadata: &'m ParquetMetaData, key: &str) -> &'m str {
    let entries = metadata.file_metadata().key_value_metadata();
    let entry = entries.into_iter().flatten().find(|entry| entry.key == key);
    entry
        .and_then(|entry| entry.value.as_deref())
        .unwrap_or_default()
}
