//! Goes through every byte of the log without changing anything, and over bad places to what lies
//! behind them.

use std::path::Path;

use super::frame::{self, HEADER_BYTES, SegmentHeader, Unpacked};
use super::live;
use crate::StoreError;
use crate::disk::Disk;

/// Of each segment so many places are told.
const PLACES_TOLD: usize = 5;

/// What the segments hold.
#[derive(Debug, Default)]
pub(crate) struct LogInspection {
    pub(crate) segments: u64,
    pub(crate) bytes: u64,
    /// Offset of the first record.
    pub(crate) first_offset: u64,
    /// Offset after the last good record.
    pub(crate) next_offset: u64,
    /// The last segment, and how many bytes at its end are no whole frame.
    pub(crate) torn: Option<(String, u64)>,
    /// Name of a segment, and what is wrong with it.
    pub(crate) damage: Vec<(String, String)>,
}

/// Looks at all segments in `dir`, and gives every record that can be read to `record`, which says
/// what it thinks of it.
pub(crate) fn inspect(
    disk: &dyn Disk,
    dir: &Path,
    mut record: impl FnMut(u64, &[u8]) -> Result<(), StoreError>,
) -> Result<LogInspection, StoreError> {
    let names = disk.list(dir).map_err(StoreError::io("list", dir))?;
    let segments: Vec<u64> = names
        .iter()
        .filter_map(|name| frame::segment_offset(name))
        .collect();
    let mut found = LogInspection::default();
    for (index, &first) in segments.iter().enumerate() {
        let name = frame::segment_name(first);
        let path = dir.join(&name);
        let bytes = disk.read(&path).map_err(StoreError::io("read", &path))?;
        let mut walk = Walk {
            name: &name,
            path: &path,
            is_last: index + 1 == segments.len(),
            due: (index > 0).then_some(found.next_offset),
            damage: Vec::new(),
        };
        if index == 0 {
            found.first_offset = first;
            found.next_offset = first;
        }
        found.segments += 1;
        found.bytes += bytes.len() as u64;
        let end = walk.segment(first, &bytes, &mut record);
        found.next_offset = end.next_offset.max(found.next_offset);
        if end.torn_bytes > 0 {
            found.torn = Some((name.clone(), end.torn_bytes));
        }
        let damage = walk.damage.into_iter().take(PLACES_TOLD);
        found
            .damage
            .extend(damage.map(|detail| (name.clone(), detail)));
    }
    Ok(found)
}

/// One segment.
struct Walk<'a> {
    name: &'a str,
    path: &'a Path,
    is_last: bool,
    /// Offset with which it should begin; unknown of the first.
    due: Option<u64>,
    damage: Vec<String>,
}

struct End {
    next_offset: u64,
    torn_bytes: u64,
}

impl Walk<'_> {
    fn segment(
        &mut self,
        first: u64,
        bytes: &[u8],
        record: &mut impl FnMut(u64, &[u8]) -> Result<(), StoreError>,
    ) -> End {
        let mut end = End {
            next_offset: first,
            torn_bytes: 0,
        };
        if let Some(due) = self.due.filter(|due| *due != first) {
            self.damage.push(format!(
                "it begins with record {first} where {due} is due: a segment is missing, or damaged"
            ));
        }
        let header = match SegmentHeader::decode(self.path, bytes) {
            Ok(header) => header,
            // Its header is synced before the first frame follows: it holds nothing.
            Err(StoreError::Damaged { .. }) if self.is_last && bytes.len() <= HEADER_BYTES => {
                end.torn_bytes = bytes.len() as u64;
                return end;
            }
            Err(error) => {
                self.damage.push(plain(error));
                return end;
            }
        };
        if header.first_offset != first {
            self.damage.push(format!(
                "its header says that it begins with record {}, its name {}",
                header.first_offset, self.name
            ));
        }
        let mut at = HEADER_BYTES;
        while at < bytes.len() {
            let rest = &bytes[at..];
            if let Some(frame) = frame::decode(header.salt, rest) {
                self.frame(&frame, at, end.next_offset, record);
                let next = frame.first_offset.checked_add(frame.count.into());
                end.next_offset = next.unwrap_or(end.next_offset);
                at += frame.bytes;
                continue;
            }
            match frame::find(header.salt, rest) {
                Some(ahead) => {
                    let following = frame::decode(header.salt, &rest[ahead..]);
                    let resumes = following.map_or(end.next_offset, |frame| frame.first_offset);
                    self.damage.push(format!(
                        "bytes {at} to {} are bad, with records {} to {}; good records follow",
                        at + ahead,
                        end.next_offset,
                        resumes.saturating_sub(1)
                    ));
                    end.next_offset = resumes;
                    at += ahead;
                }
                None if self.is_last => {
                    end.torn_bytes = rest.len() as u64;
                    break;
                }
                None => {
                    let detail = format!("bytes {at} to its end, {}, are bad", bytes.len());
                    self.damage.push(detail);
                    break;
                }
            }
        }
        end
    }

    fn frame(
        &mut self,
        frame: &frame::Frame<'_>,
        at: usize,
        due: u64,
        record: &mut impl FnMut(u64, &[u8]) -> Result<(), StoreError>,
    ) {
        if frame.first_offset != due {
            self.damage.push(format!(
                "the frame at byte {at} begins with record {} where {due} is due",
                frame.first_offset
            ));
        }
        // Offsets do not go on for ever: a frame that says so is no frame.
        let last = frame.first_offset.checked_add(frame.count.into());
        let mut records = Unpacked::default();
        let Some(()) = last.and_then(|_| frame.unpack(&mut records)) else {
            let detail = format!("the frame at byte {at} does not hold what its head says");
            self.damage.push(detail);
            return;
        };
        for (offset, bytes) in (frame.first_offset..).zip(records.iter()) {
            let read = live::decode(self.path, offset, bytes).map(drop);
            if let Err(error) = read.and_then(|()| record(offset, bytes)) {
                self.damage.push(plain(error));
            }
        }
    }
}

/// Without the name of the file, which is told beside it.
fn plain(error: StoreError) -> String {
    match error {
        StoreError::Damaged { detail, .. } => detail,
        error => error.to_string(),
    }
}
