//! Splits rows over the partitions on disk, while an import reads.

use regulars_core::Partition;

use crate::StoreError;

/// Bytes for each partition, kept on disk beyond a budget of memory. Removed when dropped.
#[derive(Debug)]
pub struct Spill {}

impl Spill {
    /// Appends whole rows to a partition, in any encoding.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&mut self, _partition: Partition, _rows: &[u8]) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Number of bytes appended to a partition.
    pub fn bytes(&self, _partition: Partition) -> u64 {
        unimplemented!()
    }

    /// No more is appended: from here on it can be read, from several threads.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(self) -> Result<Spilled, StoreError> {
        unimplemented!()
    }
}

/// A finished [`Spill`]. Removed when dropped.
#[derive(Debug)]
pub struct Spilled {}

impl Spilled {
    /// Everything appended to a partition, in the order of appending.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, _partition: Partition) -> Result<Vec<u8>, StoreError> {
        unimplemented!()
    }

    /// Number of bytes appended to a partition.
    pub fn bytes(&self, _partition: Partition) -> u64 {
        unimplemented!()
    }
}
