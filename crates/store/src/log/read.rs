//! Reads segments: once to find the end of the log, later from any offset.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::frame::{self, HEADER_BYTES, SegmentHeader};
use crate::StoreError;
use crate::disk::Disk;
use crate::store::read_listed;

/// What a look at the directory found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) segments: Vec<u64>,
    /// Segments that hold nothing but what was moved elsewhere.
    pub(super) moved: Vec<u64>,
    pub(super) next_offset: u64,
    /// Bytes at the end of the last segment that a crash left half-written.
    pub(super) torn_bytes: u64,
    /// A segment that a crash caught being made: it holds nothing.
    pub(super) unborn: Option<u64>,
    pub(super) last: Option<LastSegment>,
}

#[derive(Debug)]
pub(super) struct LastSegment {
    pub(super) header: SegmentHeader,
    pub(super) good_bytes: u64,
}

/// Checks the segments' names and headers and every frame; records before `moved_to` are not needed
/// any more.
pub(super) fn scan(disk: &dyn Disk, dir: &Path, moved_to: u64) -> Result<Scan, StoreError> {
    let names = disk.list(dir).map_err(StoreError::io("list", dir))?;
    let mut scan = Scan {
        segments: names
            .iter()
            .filter_map(|name| frame::segment_offset(name))
            .collect(),
        ..Scan::default()
    };
    while let Some(&first) = scan.segments.last() {
        let path = dir.join(frame::segment_name(first));
        let bytes = disk.read(&path).map_err(StoreError::io("read", &path))?;
        let header = match SegmentHeader::decode(&path, &bytes) {
            Ok(header) => header,
            // A header is synced before the first frame follows it: nothing was in this segment.
            Err(StoreError::Damaged { .. })
                if bytes.len() <= HEADER_BYTES && scan.unborn.is_none() =>
            {
                scan.unborn = scan.segments.pop();
                continue;
            }
            Err(error) => return Err(error),
        };
        if header.first_offset != first {
            return Err(StoreError::damaged(
                &path,
                "its header does not agree with its name",
            ));
        }
        let end = end_of(&path, &bytes, header, Place::Last)?;
        scan.next_offset = end.next_offset;
        scan.torn_bytes = (bytes.len() - end.good_bytes) as u64;
        scan.last = Some(LastSegment {
            header,
            good_bytes: end.good_bytes as u64,
        });
        break;
    }
    if scan.unborn.is_some_and(|unborn| unborn != scan.next_offset) {
        return Err(StoreError::damaged(
            dir,
            "records before its last segment are missing",
        ));
    }
    // A crash while they were removed may have left any of these.
    let kept = scan
        .segments
        .split_off(moved_before(&scan.segments, moved_to));
    scan.moved = std::mem::replace(&mut scan.segments, kept);
    if let Some(&first) = scan.segments.first().filter(|&&first| first > moved_to) {
        let detail = format!("records {moved_to} to {first} are missing");
        return Err(StoreError::damaged(dir, detail));
    }
    check_earlier(disk, dir, &scan.segments)?;
    Ok(scan)
}

/// How many of the segments hold nothing from `moved_to` on; never the last.
pub(super) fn moved_before(segments: &[u64], moved_to: u64) -> usize {
    let ends = segments.iter().skip(1);
    ends.take_while(|&&end| end <= moved_to).count()
}

/// Checks that every segment but the last is whole and ends where the next one begins.
fn check_earlier(disk: &dyn Disk, dir: &Path, segments: &[u64]) -> Result<(), StoreError> {
    for pair in segments.windows(2) {
        let path = dir.join(frame::segment_name(pair[0]));
        let bytes = disk.read(&path).map_err(StoreError::io("read", &path))?;
        let header = SegmentHeader::decode(&path, &bytes)?;
        let end = end_of(&path, &bytes, header, Place::Earlier)?;
        if header.first_offset != pair[0] || end.next_offset != pair[1] {
            let detail = format!(
                "it holds records {} to {}, the next segment begins with {}",
                header.first_offset, end.next_offset, pair[1]
            );
            return Err(StoreError::damaged(&path, detail));
        }
    }
    Ok(())
}

/// Where a segment stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A crash may have torn its last frame.
    Last,
    /// Complete, or damaged.
    Earlier,
}

struct End {
    next_offset: u64,
    good_bytes: usize,
}

fn end_of(
    path: &Path,
    bytes: &[u8],
    header: SegmentHeader,
    place: Place,
) -> Result<End, StoreError> {
    let mut end = End {
        next_offset: header.first_offset,
        good_bytes: HEADER_BYTES,
    };
    while end.good_bytes < bytes.len() {
        let rest = &bytes[end.good_bytes..];
        let Some(frame) = frame::decode(header.salt, rest) else {
            let detail = match (place, frame::find(header.salt, rest)) {
                (Place::Last, None) => break,
                (_, Some(ahead)) => format!(
                    "the frame at byte {} is bad, a good one follows at byte {}",
                    end.good_bytes,
                    end.good_bytes + ahead
                ),
                (Place::Earlier, None) => {
                    format!(
                        "the frame at byte {} is bad, later segments follow",
                        end.good_bytes
                    )
                }
            };
            return Err(StoreError::damaged(path, detail));
        };
        if frame.first_offset != end.next_offset {
            let detail = format!(
                "the frame at byte {} begins with record {} where {} is due",
                end.good_bytes, frame.first_offset, end.next_offset
            );
            return Err(StoreError::damaged(path, detail));
        }
        end.next_offset += u64::from(frame.count);
        end.good_bytes += frame.bytes;
    }
    Ok(end)
}

/// Where the records lie that a reader goes through.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) dir: PathBuf,
    /// First offset of each segment, ascending.
    pub(super) segments: Vec<u64>,
    /// Records from this offset on are not read; all before it are on disk.
    pub(super) end: u64,
}

/// Goes through the log, a segment as it lies on disk and a frame of it unpacked at a time.
///
/// What it reads is never changed: it may be used on another thread while records are appended.
#[derive(Debug)]
pub(crate) struct LogReader {
    source: Source,
    /// Position in `source.segments` of the next segment to load.
    next_segment: usize,
    /// The next offset wanted.
    offset: u64,
    segment: Option<Segment>,
    /// Records of the last frame, last first.
    loaded: Vec<(u64, Vec<u8>)>,
}

/// A segment in memory.
#[derive(Debug)]
struct Segment {
    path: PathBuf,
    bytes: Vec<u8>,
    salt: u32,
    /// Position of the next frame.
    at: usize,
    /// Offset that the next frame begins with.
    next_offset: u64,
    /// Offset that ends it, as far as it is read.
    end: u64,
}

impl LogReader {
    pub(super) fn new(source: Source, offset: u64) -> Self {
        let next_segment = source
            .segments
            .partition_point(|&first| first <= offset)
            .saturating_sub(1);
        Self {
            source,
            next_segment,
            offset,
            segment: None,
            loaded: Vec::new(),
        }
    }

    fn load(&self, index: usize) -> Result<Segment, StoreError> {
        let source = &self.source;
        let first = source.segments[index];
        let path = source.dir.join(frame::segment_name(first));
        let bytes = read_listed(source.disk.as_ref(), &path)?;
        let header = SegmentHeader::decode(&path, &bytes)?;
        let following = source.segments.get(index + 1).copied();
        Ok(Segment {
            salt: header.salt,
            at: HEADER_BYTES,
            next_offset: header.first_offset,
            end: following.map_or(source.end, |following| following.min(source.end)),
            path,
            bytes,
        })
    }

    /// Unpacks the next frame that holds anything wanted; false at the end.
    fn advance(&mut self) -> Result<bool, StoreError> {
        loop {
            let Some(segment) = &mut self.segment else {
                let index = self.next_segment;
                let starts = self.source.segments.get(index);
                if starts.is_none_or(|&first| first >= self.source.end) {
                    return Ok(false);
                }
                self.next_segment += 1;
                self.segment = Some(self.load(index)?);
                continue;
            };
            if segment.next_offset >= segment.end {
                self.segment = None;
            } else if segment.unpack(self.offset, &mut self.loaded)? {
                let end = self.source.end;
                self.loaded.retain(|&(offset, _)| offset < end);
                self.loaded.reverse();
                return Ok(true);
            }
        }
    }
}

impl Segment {
    /// Goes over the next frame, into `loaded` if it holds anything from `offset` on.
    fn unpack(
        &mut self,
        offset: u64,
        loaded: &mut Vec<(u64, Vec<u8>)>,
    ) -> Result<bool, StoreError> {
        let damaged = |detail: String| StoreError::damaged(&self.path, detail);
        let Some(frame) = frame::decode(self.salt, &self.bytes[self.at..]) else {
            let (at, next) = (self.at, self.next_offset);
            return Err(damaged(format!(
                "the frame at byte {at}, which begins with record {next}, is bad or missing"
            )));
        };
        if frame.first_offset != self.next_offset {
            return Err(damaged(format!(
                "the frame at byte {} begins with record {} where {} is due",
                self.at, frame.first_offset, self.next_offset
            )));
        }
        let is_wanted = frame.first_offset + u64::from(frame.count) > offset;
        if is_wanted {
            let Some(records) = frame.records() else {
                let at = self.at;
                return Err(damaged(format!(
                    "the frame at byte {at} does not hold what its head says"
                )));
            };
            let records = (frame.first_offset..).zip(records);
            loaded.extend(records.filter(|(at, _)| *at >= offset));
        }
        self.next_offset += u64::from(frame.count);
        self.at += frame.bytes;
        Ok(is_wanted)
    }
}

impl Iterator for LogReader {
    type Item = Result<(u64, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.loaded.is_empty() {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.segment = None;
                    self.next_segment = self.source.segments.len();
                    return Some(Err(error));
                }
            }
        }
        let (offset, record) = self.loaded.pop()?;
        self.offset = offset + 1;
        Some(Ok((offset, record)))
    }
}
