//! The log: what happened, in order; the only thing that is durable for each record.
//!
//! Segments `seg-<first offset>.log`, each a header and frames (`frame` has the layout). One
//! `Log::append` is one frame, one write and one sync, so that at most the last frame of the last
//! segment can be torn by a crash. Opening cuts such a tail. Anything else that cannot be read
//! (a bad frame before a good one, or in an earlier segment) is damage, and the log refuses to
//! start, naming file and position: to go on would silently lose what was acknowledged.
//!
//! After a failed write or sync the log is poisoned: what the disk holds is not known, and asking
//! again is not an answer (a second sync may succeed without having written anything).
//!
//! Records that were moved to files of their own ([`crate::moved`]) are not read here any more; a
//! segment that holds nothing else is removed.
//!
//! Bodies are bytes here; [`record`] says what they mean.

pub mod live;
pub mod record;

mod frame;
mod identity;
pub(crate) mod inspect;
mod read;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use identity::{Evidence, MergeAccepted, MergeRefused, MergeRule, Refusal, Unmerged};
pub use live::{Found, Logged, StoredEvent};
pub use record::{
    CutpointsSet, HistoryCompacted, ImportAdded, ImportedFile, LogRecord, LogRecordKind,
    MembershipsNoted, ModelsFitted, RecordsMoved, SegmentDefined, SegmentsDefined,
};

use crate::StoreError;
use crate::disk::{Disk, DiskFile};
use frame::SegmentHeader;
pub(crate) use read::LogReader;

/// Segments are closed at this size, unless told otherwise.
pub(crate) const SEGMENT_BYTES: u64 = 64 << 20;

/// An open log.
#[derive(Debug)]
pub(crate) struct Log {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    segment_bytes: u64,
    /// First offset of each segment, ascending.
    segments: Vec<u64>,
    next_offset: u64,
    cut_bytes: u64,
    writer: Writer,
}

#[derive(Debug)]
enum Writer {
    /// Opened for reading.
    None,
    /// The last segment.
    Open(OpenSegment),
    /// A write failed.
    Poisoned,
}

#[derive(Debug)]
struct OpenSegment {
    file: Box<dyn DiskFile>,
    salt: u32,
    bytes: u64,
}

impl Log {
    /// Opens the log in `dir` for writing, cutting a torn tail.
    ///
    /// Records before `moved_to` lie elsewhere by now; segments of nothing else are removed.
    /// `acknowledged` is an offset that the log is known to have reached: if it has not, something
    /// other than a crash took records away, and nothing is cut.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        segment_bytes: u64,
        (moved_to, acknowledged): (u64, u64),
    ) -> Result<Self, StoreError> {
        let scan = read::scan(disk.as_ref(), dir, moved_to)?;
        check_reached(&scan, dir, acknowledged)?;
        let mut log = Self {
            disk,
            dir: dir.to_owned(),
            segment_bytes,
            segments: scan.segments,
            next_offset: scan.next_offset,
            cut_bytes: scan.torn_bytes,
            writer: Writer::Poisoned,
        };
        log.remove(&scan.moved);
        if let Some(unborn) = scan.unborn {
            let path = log.path(unborn);
            log.disk
                .remove(&path)
                .map_err(StoreError::io("remove", &path))?;
            log.sync_dir()?;
        }
        log.writer = Writer::Open(match scan.last {
            Some(last) => log.reopen(&last, scan.torn_bytes)?,
            None => log.start_segment()?,
        });
        Ok(log)
    }

    /// Opens the log for reading; a torn tail is left alone and not read.
    pub(crate) fn open_read(
        disk: Arc<dyn Disk>,
        dir: &Path,
        (moved_to, acknowledged): (u64, u64),
    ) -> Result<Self, StoreError> {
        let scan = read::scan(disk.as_ref(), dir, moved_to)?;
        check_reached(&scan, dir, acknowledged)?;
        Ok(Self {
            disk,
            dir: dir.to_owned(),
            segment_bytes: 0,
            segments: scan.segments,
            next_offset: scan.next_offset,
            cut_bytes: 0,
            writer: Writer::None,
        })
    }

    /// Offset that the next record will have.
    pub(crate) fn next_offset(&self) -> u64 {
        self.next_offset
    }

    /// Bytes that opening cut from the end.
    pub(crate) fn cut_bytes(&self) -> u64 {
        self.cut_bytes
    }

    /// Why the log takes no records, if so.
    pub(crate) fn check_writable(&self) -> Result<(), StoreError> {
        match self.writer {
            Writer::Open(_) => Ok(()),
            Writer::None => Err(StoreError::ReadOnly(self.dir.clone())),
            Writer::Poisoned => Err(StoreError::Poisoned(self.dir.clone())),
        }
    }

    /// Appends records as one frame; when it returns they are durable, all or none.
    pub(crate) fn append(&mut self, records: &[&[u8]]) -> Result<Range<u64>, StoreError> {
        self.check_writable()?;
        let first = self.next_offset;
        if records.is_empty() {
            return Ok(first..first);
        }
        if frame::plain_bytes(records) > frame::MAX_PLAIN_BYTES as usize {
            let error = std::io::Error::other("more than 1 GiB of records at once");
            return Err(StoreError::io("append to", &self.dir)(error));
        }
        // Left poisoned by an early return: only a finished append takes it back.
        let Writer::Open(mut segment) = std::mem::replace(&mut self.writer, Writer::Poisoned)
        else {
            return Err(StoreError::Poisoned(self.dir.clone()));
        };
        if segment.bytes >= self.segment_bytes && self.segments.last() != Some(&first) {
            segment = self.start_segment()?;
        }
        let bytes = frame::encode(segment.salt, first, records);
        let path = self.path(*self.segments.last().unwrap_or(&first));
        segment
            .file
            .write(&bytes)
            .map_err(StoreError::io("write", &path))?;
        segment.file.sync().map_err(StoreError::io("sync", &path))?;
        segment.bytes += bytes.len() as u64;
        self.writer = Writer::Open(segment);
        self.next_offset = first + records.len() as u64;
        Ok(first..self.next_offset)
    }

    /// The records from `offset` on, with their offsets.
    pub(crate) fn read_from(&self, offset: u64) -> LogReader {
        self.read(offset..self.next_offset)
    }

    /// The records of a range that is on disk.
    pub(crate) fn read(&self, range: Range<u64>) -> LogReader {
        LogReader::new(self.source(range.end), range.start)
    }

    /// What `each` makes of the records from `offset` on, in order, on several threads.
    ///
    /// # Errors
    /// When a segment is missing or damaged, and whatever `each` fails with.
    pub(crate) fn map_from<T: Send>(
        &self,
        offset: u64,
        threads: usize,
        each: impl Fn(u64, &[u8]) -> Result<T, StoreError> + Sync,
    ) -> Result<Vec<T>, StoreError> {
        self.source(self.next_offset).map(offset, threads, &each)
    }

    fn source(&self, end: u64) -> read::Source {
        read::Source {
            disk: Arc::clone(&self.disk),
            dir: self.dir.clone(),
            segments: self.segments.clone(),
            end,
        }
    }

    /// The log as it is now, to be read on another thread while records are appended. A segment of it
    /// is [`StoreError::Missing`] once all that it held was moved.
    pub(crate) fn beside(&self) -> Self {
        Self {
            disk: Arc::clone(&self.disk),
            dir: self.dir.clone(),
            segment_bytes: 0,
            segments: self.segments.clone(),
            next_offset: self.next_offset,
            cut_bytes: 0,
            writer: Writer::None,
        }
    }

    /// Removes the segments that hold nothing from `moved_to` on, as far as that goes now: opening
    /// removes the others.
    pub(crate) fn cut(&mut self, moved_to: u64) {
        let count = read::moved_before(&self.segments, moved_to);
        let moved: Vec<u64> = self.segments.drain(..count).collect();
        self.remove(&moved);
    }

    fn remove(&self, segments: &[u64]) {
        for &first in segments {
            // One that stays holds nothing that is read.
            let _ = self.disk.remove(&self.path(first));
        }
    }

    /// The directory, for messages.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    fn path(&self, first_offset: u64) -> PathBuf {
        self.dir.join(frame::segment_name(first_offset))
    }

    fn sync_dir(&self) -> Result<(), StoreError> {
        self.disk
            .sync_dir(&self.dir)
            .map_err(StoreError::io("sync", &self.dir))
    }

    fn start_segment(&mut self) -> Result<OpenSegment, StoreError> {
        let path = self.path(self.next_offset);
        let header = SegmentHeader {
            first_offset: self.next_offset,
            salt: random_salt(&path)?,
        };
        let bytes = header.encode();
        let mut file = self
            .disk
            .create(&path)
            .map_err(StoreError::io("create", &path))?;
        file.write(&bytes).map_err(StoreError::io("write", &path))?;
        file.sync().map_err(StoreError::io("sync", &path))?;
        self.sync_dir()?;
        self.segments.push(self.next_offset);
        Ok(OpenSegment {
            file,
            salt: header.salt,
            bytes: bytes.len() as u64,
        })
    }

    fn reopen(&self, last: &read::LastSegment, torn: u64) -> Result<OpenSegment, StoreError> {
        let path = self.path(last.header.first_offset);
        if torn > 0 {
            self.disk
                .truncate(&path, last.good_bytes)
                .map_err(StoreError::io("cut", &path))?;
        }
        let file = self
            .disk
            .append(&path)
            .map_err(StoreError::io("open", &path))?;
        Ok(OpenSegment {
            file,
            salt: last.header.salt,
            bytes: last.good_bytes,
        })
    }
}

fn check_reached(scan: &read::Scan, dir: &Path, acknowledged: u64) -> Result<(), StoreError> {
    if scan.next_offset >= acknowledged {
        return Ok(());
    }
    let detail = format!(
        "its good records end before offset {}, but {acknowledged} had been reached",
        scan.next_offset
    );
    Err(StoreError::damaged(dir, detail))
}

/// The salt makes frames of other segments, and frames written inside a record by someone who
/// wants to confuse the recovery, fail their checksum.
fn random_salt(path: &Path) -> Result<u32, StoreError> {
    getrandom::u32().map_err(|error| {
        StoreError::io("draw a random number for", path)(std::io::Error::other(error.to_string()))
    })
}
