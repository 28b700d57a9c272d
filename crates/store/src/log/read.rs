//! Reads segments: once to find the end of the log, later from any offset.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::frame::{self, Frame, HEADER_BYTES, SegmentHeader, Unpacked};
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
    /// The last frame.
    frame: Unpacked,
    /// Offsets of the records of that frame.
    of_frame: Range<u64>,
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
        Self {
            next_segment: source.segment_of(offset),
            source,
            offset,
            segment: None,
            frame: Unpacked::default(),
            of_frame: 0..0,
        }
    }

    /// The next record, with its offset.
    pub(crate) fn next_record(&mut self) -> Result<Option<(u64, &[u8])>, StoreError> {
        while !self.of_frame.contains(&self.offset) {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(error) => {
                    self.segment = None;
                    self.next_segment = self.source.segments.len();
                    return Err(error);
                }
            }
        }
        let offset = self.offset;
        self.offset += 1;
        let position = (offset - self.of_frame.start) as usize;
        Ok(self.frame.get(position).map(|record| (offset, record)))
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
                self.segment = Some(self.source.load(index)?);
                continue;
            };
            if segment.next_offset >= segment.end {
                self.segment = None;
                continue;
            }
            let frame = segment.frame()?;
            let offsets = frame.offsets();
            if offsets.end > self.offset {
                segment.unpack(&frame, &mut self.frame)?;
                // Records from the end on are not read, though they may share a frame with others.
                self.of_frame = offsets.start..offsets.end.min(self.source.end);
            }
            let bytes = frame.bytes;
            segment.pass(offsets.end, bytes);
            if self.of_frame.contains(&self.offset) {
                return Ok(true);
            }
        }
    }
}

impl Iterator for LogReader {
    type Item = Result<(u64, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_record();
        let owned = next.map(|next| next.map(|(offset, record)| (offset, record.to_vec())));
        owned.transpose()
    }
}

impl Source {
    /// Position of the segment that holds a record.
    fn segment_of(&self, offset: u64) -> usize {
        let after = self.segments.partition_point(|&first| first <= offset);
        after.saturating_sub(1)
    }

    fn load(&self, index: usize) -> Result<Segment, StoreError> {
        let first = self.segments[index];
        let path = self.dir.join(frame::segment_name(first));
        let bytes = read_listed(self.disk.as_ref(), &path)?;
        let header = SegmentHeader::decode(&path, &bytes)?;
        let following = self.segments.get(index + 1).copied();
        Ok(Segment {
            salt: header.salt,
            at: HEADER_BYTES,
            next_offset: header.first_offset,
            end: following.map_or(self.end, |following| following.min(self.end)),
            path,
            bytes,
        })
    }

    /// Makes something of each record from `offset` on, on several threads; gives that in order.
    pub(super) fn map<T: Send>(
        &self,
        offset: u64,
        threads: usize,
        each: &(impl Fn(u64, &[u8]) -> Result<T, StoreError> + Sync),
    ) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::new();
        for index in self.segment_of(offset)..self.segments.len() {
            if self.segments[index] < self.end {
                let segment = self.load(index)?;
                segment.map(offset..self.end, threads, each, &mut all)?;
            }
        }
        Ok(all)
    }
}

/// Frames of about so many bytes, unpacked, are given to a thread at once.
const AT_ONCE_BYTES: usize = 1 << 20;

impl Segment {
    /// The next frame.
    fn frame(&self) -> Result<Frame<'_>, StoreError> {
        self.frame_at(self.at, self.next_offset)
    }

    /// The frame at a position, which begins with a record.
    fn frame_at(&self, at: usize, due: u64) -> Result<Frame<'_>, StoreError> {
        let damaged = |detail: String| StoreError::damaged(&self.path, detail);
        let Some(frame) = frame::decode(self.salt, &self.bytes[at..]) else {
            return Err(damaged(format!(
                "the frame at byte {at}, which begins with record {due}, is bad or missing"
            )));
        };
        if frame.first_offset != due {
            return Err(damaged(format!(
                "the frame at byte {at} begins with record {} where {due} is due",
                frame.first_offset
            )));
        }
        Ok(frame)
    }

    fn unpack(&self, frame: &Frame<'_>, into: &mut Unpacked) -> Result<(), StoreError> {
        frame.unpack(into).ok_or_else(|| {
            let first = frame.first_offset;
            let detail = format!(
                "the frame that begins with record {first} does not hold what its head says"
            );
            StoreError::damaged(&self.path, detail)
        })
    }

    /// Goes on after a frame of so many bytes, with the record at an offset.
    fn pass(&mut self, next_offset: u64, bytes: usize) {
        self.next_offset = next_offset;
        self.at += bytes;
    }

    /// Makes something of each record of a range, on several threads, and appends that to `all`.
    fn map<T: Send>(
        &self,
        offsets: Range<u64>,
        threads: usize,
        each: &(impl Fn(u64, &[u8]) -> Result<T, StoreError> + Sync),
        all: &mut Vec<T>,
    ) -> Result<(), StoreError> {
        let parts = self.parts(&offsets)?;
        let of_part = |frames: &Vec<Frame<'_>>| {
            let (mut made, mut unpacked) = (Vec::new(), Unpacked::default());
            for frame in frames {
                self.unpack(frame, &mut unpacked)?;
                for (offset, record) in frame.offsets().zip(unpacked.iter()) {
                    if offsets.contains(&offset) {
                        made.push(each(offset, record)?);
                    }
                }
            }
            Ok(made)
        };
        let next = AtomicUsize::new(0);
        let work = || {
            let mut made = Vec::new();
            while let Some((index, part)) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                parts.get(index).map(|part| (index, part))
            } {
                made.push((index, of_part(part)));
            }
            made
        };
        let mut made: Vec<(usize, Result<Vec<T>, StoreError>)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
            let joined = threads.into_iter().map(|thread| thread.join());
            joined
                .flat_map(|made| made.expect("reading does not panic"))
                .collect()
        });
        made.sort_unstable_by_key(|(index, _)| *index);
        for (_, made) in made {
            all.append(&mut made?);
        }
        Ok(())
    }

    /// The frames that hold anything of a range, some together.
    fn parts(&self, offsets: &Range<u64>) -> Result<Vec<Vec<Frame<'_>>>, StoreError> {
        let (mut parts, mut plain_bytes) = (vec![Vec::new()], 0);
        let (mut at, mut next_offset) = (self.at, self.next_offset);
        while next_offset < self.end {
            let frame = self.frame_at(at, next_offset)?;
            at += frame.bytes;
            next_offset = frame.offsets().end;
            if next_offset <= offsets.start {
                continue;
            }
            if plain_bytes >= AT_ONCE_BYTES {
                parts.push(Vec::new());
                plain_bytes = 0;
            }
            plain_bytes += frame.plain_bytes();
            parts
                .last_mut()
                .expect("there is one from the start")
                .push(frame);
        }
        Ok(parts)
    }
}
