//! Reads segments: once to find the end of the log, later from any offset.

use std::path::Path;

use super::Log;
use super::frame::{self, HEADER_BYTES, SegmentHeader};
use crate::StoreError;
use crate::disk::Disk;

/// What a look at the directory found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) segments: Vec<u64>,
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

/// Checks the segments' names and headers and every frame of the last one.
pub(super) fn scan(disk: &dyn Disk, dir: &Path) -> Result<Scan, StoreError> {
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
    check_earlier(disk, dir, &scan.segments)?;
    Ok(scan)
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

/// Goes through the log, a segment in memory at a time.
#[derive(Debug)]
pub(crate) struct LogReader<'l> {
    log: &'l Log,
    /// Position in `log.segments` of the next segment to load.
    next_segment: usize,
    /// The next offset wanted.
    offset: u64,
    /// Records of the loaded segment, last first.
    loaded: Vec<(u64, Vec<u8>)>,
}

impl<'l> LogReader<'l> {
    pub(super) fn new(log: &'l Log, offset: u64) -> Self {
        let next_segment = log
            .segments
            .partition_point(|&first| first <= offset)
            .saturating_sub(1);
        Self {
            log,
            next_segment,
            offset,
            loaded: Vec::new(),
        }
    }

    fn load(&mut self, index: usize) -> Result<(), StoreError> {
        let log = self.log;
        let path = log.path(log.segments[index]);
        let bytes = log
            .disk
            .read(&path)
            .map_err(StoreError::io("read", &path))?;
        let header = SegmentHeader::decode(&path, &bytes)?;
        let following = log.segments.get(index + 1).copied();
        let place = if following.is_some() {
            Place::Earlier
        } else {
            Place::Last
        };
        let end = end_of(&path, &bytes, header, place)?;
        if end.next_offset != following.unwrap_or(log.next_offset) {
            let detail = format!("it ends before record {}", end.next_offset);
            return Err(StoreError::damaged(&path, detail));
        }
        let mut at = HEADER_BYTES;
        while at < end.good_bytes {
            let records = frame::decode(header.salt, &bytes[at..end.good_bytes])
                .and_then(|frame| Some((frame, frame.records()?)));
            let Some((frame, records)) = records else {
                let detail = format!("the frame at byte {at} does not hold what its head says");
                return Err(StoreError::damaged(&path, detail));
            };
            if frame.first_offset + u64::from(frame.count) > self.offset {
                self.loaded.extend((frame.first_offset..).zip(records));
            }
            at += frame.bytes;
        }
        self.loaded.retain(|&(offset, _)| offset >= self.offset);
        self.loaded.reverse();
        Ok(())
    }
}

impl Iterator for LogReader<'_> {
    type Item = Result<(u64, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.loaded.is_empty() {
            let index = self.next_segment;
            if index >= self.log.segments.len() {
                return None;
            }
            self.next_segment += 1;
            if let Err(error) = self.load(index) {
                self.next_segment = self.log.segments.len();
                return Some(Err(error));
            }
        }
        let (offset, record) = self.loaded.pop()?;
        self.offset = offset + 1;
        Some(Ok((offset, record)))
    }
}
