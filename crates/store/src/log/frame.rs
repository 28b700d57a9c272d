//! Layout of a segment.
//!
//! All numbers are little-endian.
//!
//! ```text
//! header: magic "RGLRSLOG" | version u32 | first offset u64 | salt u32 | crc32c u32 of what is before
//! frame:  mark "RFRM" | body length u32 | crc32c u32 | first offset u64 | count u32 | plain length u32 | body
//! body:   LZ4 block of: for each record, its length u32 and its bytes
//! ```
//!
//! The checksum covers the salt of the segment and everything after itself.

use std::ops::Range;
use std::path::Path;

use crate::StoreError;

pub(super) const HEADER_BYTES: usize = 28;
const FRAME_HEAD_BYTES: usize = 28;
const MAGIC: &[u8; 8] = b"RGLRSLOG";
const MARK: &[u8; 4] = b"RFRM";
const VERSION: u32 = 1;

/// LZ4 packs nothing into fewer than one of so many bytes.
const MOST_PACKED: usize = 255;

/// A frame's plain body is never longer: a longer one is damage, not data.
pub(super) const MAX_PLAIN_BYTES: u32 = 1 << 30;

/// First bytes of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) first_offset: u64,
    pub(super) salt: u32,
}

impl SegmentHeader {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.first_offset.to_le_bytes());
        bytes.extend_from_slice(&self.salt.to_le_bytes());
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<Self, StoreError> {
        let header = bytes
            .get(..HEADER_BYTES)
            .filter(|header| header.starts_with(MAGIC))
            .ok_or_else(|| StoreError::damaged(path, "it does not begin like a log segment"))?;
        // A later version keeps the header's layout, so that its number can be trusted.
        if crc32c::crc32c(&header[..HEADER_BYTES - 4]) != u32_at(header, HEADER_BYTES - 4) {
            return Err(StoreError::damaged(
                path,
                "the checksum of its header is wrong",
            ));
        }
        let version = u32_at(header, 8);
        if version != VERSION {
            return Err(StoreError::UnknownVersion {
                path: path.to_owned(),
                what: "log segment",
                found: version.to_string(),
                known: VERSION,
            });
        }
        Ok(Self {
            first_offset: u64_at(header, 12),
            salt: u32_at(header, 20),
        })
    }
}

/// A frame that passed its checksum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) first_offset: u64,
    pub(super) count: u32,
    plain_bytes: u32,
    body: &'a [u8],
    /// Length with its head.
    pub(super) bytes: usize,
}

pub(super) fn segment_name(first_offset: u64) -> String {
    format!("seg-{first_offset:020}.log")
}

pub(super) fn segment_offset(name: &str) -> Option<u64> {
    name.strip_prefix("seg-")?
        .strip_suffix(".log")?
        .parse()
        .ok()
}

/// Length of the body of a frame before compression.
pub(super) fn plain_bytes(records: &[&[u8]]) -> usize {
    records.iter().map(|record| record.len() + 4).sum()
}

pub(super) fn encode(salt: u32, first_offset: u64, records: &[&[u8]]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(plain_bytes(records));
    for record in records {
        plain.extend_from_slice(&(record.len() as u32).to_le_bytes());
        plain.extend_from_slice(record);
    }
    let body = lz4_flex::block::compress(&plain);
    let mut bytes = Vec::with_capacity(FRAME_HEAD_BYTES + body.len());
    bytes.extend_from_slice(MARK);
    bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&first_offset.to_le_bytes());
    bytes.extend_from_slice(&(records.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&(plain.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&body);
    let crc = checksum(salt, &bytes);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// The checksum does not cover the length by itself: a wrong length gives a wrong checksum anyway.
fn checksum(salt: u32, frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&salt.to_le_bytes()), &frame[12..])
}

/// The frame at the start of `bytes`, if a whole good one is there.
pub(super) fn decode(salt: u32, bytes: &[u8]) -> Option<Frame<'_>> {
    let head = bytes
        .get(..FRAME_HEAD_BYTES)
        .filter(|head| head.starts_with(MARK))?;
    let whole = bytes.get(..FRAME_HEAD_BYTES + u32_at(head, 4) as usize)?;
    let (count, plain_bytes) = (u32_at(head, 20), u32_at(head, 24));
    let is_possible = count > 0 && plain_bytes <= MAX_PLAIN_BYTES;
    if !is_possible || checksum(salt, whole) != u32_at(head, 8) {
        return None;
    }
    Some(Frame {
        first_offset: u64_at(head, 12),
        count,
        plain_bytes,
        body: &whole[FRAME_HEAD_BYTES..],
        bytes: whole.len(),
    })
}

/// Position of the first good frame in `bytes`.
pub(super) fn find(salt: u32, bytes: &[u8]) -> Option<usize> {
    (0..bytes.len())
        .find(|&at| bytes[at..].starts_with(MARK) && decode(salt, &bytes[at..]).is_some())
}

/// The records of a frame, in memory that is used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    plain: Vec<u8>,
    /// Where each record lies in `plain`.
    places: Vec<Range<usize>>,
}

impl Unpacked {
    /// The record at a position in the frame.
    pub(super) fn get(&self, position: usize) -> Option<&[u8]> {
        let place = self.places.get(position)?;
        self.plain.get(place.clone())
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.places.iter().map(|place| &self.plain[place.clone()])
    }
}

impl Frame<'_> {
    /// Offsets of the records.
    pub(super) fn offsets(&self) -> Range<u64> {
        self.first_offset..self.first_offset.saturating_add(u64::from(self.count))
    }

    /// Unpacks the records; `None` when the body does not hold what the head says.
    pub(super) fn unpack(&self, into: &mut Unpacked) -> Option<()> {
        let Unpacked { plain, places } = into;
        places.clear();
        let plain_bytes = self.plain_bytes();
        if plain_bytes > self.body.len().saturating_mul(MOST_PACKED) {
            return None;
        }
        plain.resize(plain_bytes, 0);
        let unpacked = lz4_flex::block::decompress_into(self.body, plain).ok()?;
        plain.truncate(unpacked);
        let mut at = 0;
        while at < plain.len() {
            let (length, _) = plain.get(at..)?.split_first_chunk::<4>()?;
            let first = at + 4;
            let end = first.checked_add(u32::from_le_bytes(*length) as usize)?;
            plain.get(first..end)?;
            places.push(first..end);
            at = end;
        }
        (places.len() == self.count as usize).then_some(())
    }

    /// Length of the body before compression, as the head says.
    pub(super) fn plain_bytes(&self) -> usize {
        self.plain_bytes as usize
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
