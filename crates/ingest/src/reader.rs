//! The reader: batches of typed rows, one after the other, in the order of the file.

use crate::{Batch, IngestError, Input, ReadOptions, Recognition};

/// Reads a recognised file in batches.
#[derive(Debug)]
pub struct Reader {
    options: ReadOptions,
}

/// How far a reader is, in bytes of the file as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub bytes_read: u64,
    /// Bytes of the file.
    pub bytes_total: u64,
}

/// What a reader has seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Rows delivered.
    pub rows: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Repeated headers that were skipped, as in files that were put together.
    pub repeated_headers: u64,
    /// Rows without any content that were skipped.
    pub blank_rows: u64,
}

/// Opens a recognised file for reading.
///
/// # Errors
/// When a question is open, or the file cannot be read.
pub fn open(
    input: impl Into<Input>,
    recognition: &Recognition,
    options: &ReadOptions,
) -> Result<Reader, IngestError> {
    let _ = (input.into(), recognition);
    Ok(Reader {
        options: options.clone(),
    })
}

impl Reader {
    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read any further. Rows that cannot be read are in the batch.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, IngestError> {
        let _ = &self.options;
        Ok(None)
    }

    /// How far the reader is.
    pub fn progress(&self) -> Progress {
        Progress {
            bytes_read: 0,
            bytes_total: 0,
        }
    }

    /// What has been read so far.
    pub fn tally(&self) -> Tally {
        Tally::default()
    }
}
