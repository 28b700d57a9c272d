//! Splits rows over the partitions on disk, while an import reads.
//!
//! One file for all partitions: a partition's bytes are collected up to its share of the budget,
//! then written as one LZ4 block; the blocks' places are kept in memory. A later sort takes one
//! partition at a time, or one [`Slice`] of a partition where rows are many, so that memory hardly
//! grows with the input.
//!
//! Spilled bytes live as long as the import: they have no format version, are never synced, and are
//! removed on drop (or when the store is opened next).

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use regulars_core::{CustomerId, Partition};

use crate::StoreError;

/// A smaller block would cost more in calls than it saves in memory.
const MIN_BLOCK_BYTES: usize = 16 << 10;
const MAX_BLOCK_BYTES: usize = 4 << 20;

/// What rows are split by on disk.
pub trait Part: Copy {
    /// How many there are.
    const COUNT: usize;

    /// Position in an array of [`Part::COUNT`] elements.
    fn index(self) -> usize;
}

impl Part for Partition {
    const COUNT: usize = Self::COUNT;

    fn index(self) -> usize {
        self.index()
    }
}

/// A part of a partition, and like it a range of customer ids: what lies in one slice is sorted
/// before anything of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slice(u16);

impl Slice {
    const BITS: u32 = 10;
    const IN_PARTITION: usize = Self::COUNT / Partition::COUNT;

    /// The slice that holds this customer.
    pub fn of(customer: CustomerId) -> Self {
        Self((customer.0 >> (u64::BITS - Self::BITS)) as u16)
    }

    /// All slices, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT as u16).map(Self)
    }

    /// The slices of a partition, in order.
    pub fn of_partition(partition: Partition) -> impl Iterator<Item = Self> {
        let first = partition.index() * Self::IN_PARTITION;
        (first..first + Self::IN_PARTITION).map(|index| Self(index as u16))
    }
}

impl Part for Slice {
    const COUNT: usize = 1 << Self::BITS;

    fn index(self) -> usize {
        usize::from(self.0)
    }
}

#[derive(Debug, Clone, Copy)]
struct Block {
    at: u64,
    stored_bytes: usize,
    plain_bytes: usize,
}

#[derive(Debug, Default)]
struct Blocks {
    list: Vec<Block>,
    bytes: u64,
}

/// Removes the file when dropped.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed now is removed when the store is opened next.
        let _ = fs::remove_file(&self.0);
    }
}

/// Bytes for each part, kept on disk beyond a budget of memory. Removed when dropped.
#[derive(Debug)]
pub struct Spill<P = Partition> {
    // Declared before its name: some systems only remove files that are closed.
    file: File,
    name: Temporary,
    block_bytes: usize,
    buffers: Vec<Vec<u8>>,
    blocks: Vec<Blocks>,
    written: u64,
    parts: PhantomData<P>,
}

impl<P: Part> Spill<P> {
    /// Starts a file in `dir`; `number` keeps the names of one process apart.
    pub(crate) fn new(dir: &Path, number: u64, budget_bytes: usize) -> Result<Self, StoreError> {
        fs::create_dir_all(dir).map_err(StoreError::io("create", dir))?;
        let path = dir.join(format!("spill-{number}"));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(StoreError::io("create", &path))?;
        let share = budget_bytes / P::COUNT;
        Ok(Self {
            file,
            name: Temporary(path),
            block_bytes: share.clamp(MIN_BLOCK_BYTES, MAX_BLOCK_BYTES),
            buffers: vec![Vec::new(); P::COUNT],
            blocks: std::iter::repeat_with(Blocks::default)
                .take(P::COUNT)
                .collect(),
            written: 0,
            parts: PhantomData,
        })
    }

    /// Appends whole rows to a part, in any encoding.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&mut self, part: P, rows: &[u8]) -> Result<(), StoreError> {
        let index = part.index();
        let buffer = &mut self.buffers[index];
        if buffer.len() + rows.len() > self.block_bytes && !buffer.is_empty() {
            self.flush(index)?;
        }
        let buffer = &mut self.buffers[index];
        if buffer.capacity() == 0 {
            // At once what it will need: growing would leave as much behind.
            buffer.reserve_exact(self.block_bytes);
        }
        buffer.extend_from_slice(rows);
        self.blocks[index].bytes += rows.len() as u64;
        Ok(())
    }

    /// Number of bytes appended to a part.
    pub fn bytes(&self, part: P) -> u64 {
        self.blocks[part.index()].bytes
    }

    /// No more is appended: from here on it can be read, from several threads.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(mut self) -> Result<Spilled<P>, StoreError> {
        for index in 0..self.buffers.len() {
            self.flush(index)?;
        }
        Ok(Spilled {
            file: Mutex::new(self.file),
            name: self.name,
            blocks: self.blocks,
            parts: PhantomData,
        })
    }

    fn flush(&mut self, index: usize) -> Result<(), StoreError> {
        let buffer = &mut self.buffers[index];
        if buffer.is_empty() {
            return Ok(());
        }
        let stored = lz4_flex::block::compress(buffer);
        self.file
            .write_all(&stored)
            .map_err(StoreError::io("write", &self.name.0))?;
        self.blocks[index].list.push(Block {
            at: self.written,
            stored_bytes: stored.len(),
            plain_bytes: buffer.len(),
        });
        self.written += stored.len() as u64;
        buffer.clear();
        Ok(())
    }
}

/// A finished [`Spill`]. Removed when dropped.
#[derive(Debug)]
pub struct Spilled<P = Partition> {
    file: Mutex<File>,
    name: Temporary,
    blocks: Vec<Blocks>,
    parts: PhantomData<P>,
}

impl<P: Part> Spilled<P> {
    /// Everything appended to a part, in the order of appending.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, part: P) -> Result<Vec<u8>, StoreError> {
        let blocks = &self.blocks[part.index()];
        let mut rows = vec![0; blocks.bytes as usize];
        let mut filled = 0;
        let mut stored = Vec::new();
        for block in &blocks.list {
            stored.resize(block.stored_bytes, 0);
            self.read_at(block.at, &mut stored)?;
            let into = &mut rows[filled..filled + block.plain_bytes];
            lz4_flex::block::decompress_into(&stored, into)
                .map_err(|error| StoreError::damaged(&self.name.0, error.to_string()))?;
            filled += block.plain_bytes;
        }
        Ok(rows)
    }

    /// Number of bytes appended to a part.
    pub fn bytes(&self, part: P) -> u64 {
        self.blocks[part.index()].bytes
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<(), StoreError> {
        // Every reader seeks first, so that a panic of another one leaves nothing inconsistent.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.read_exact(into))
            .map_err(StoreError::io("read", &self.name.0))
    }
}
