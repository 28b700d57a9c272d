//! Who is in which segment at one point of the log: what later transitions start from.
//!
//! ```text
//! magic "RGLRMEMB" | version u32 | crc32c u32 of the rest | folded to u64 | now i64 | body length u64 | LZ4 block
//! body: segments u32, each its length u16 and name
//!       customers u64, each: id u64 | last flip i64 | entries u16, each: segment u16 | sequence and inside u64
//! ```
//!
//! Numbers are little-endian; an entry's lowest bit says whether the customer is inside.

use std::path::Path;

use regulars_core::{CustomerId, SegmentName, Timestamp};

use crate::StoreError;
use crate::fields::Fields;

const MAGIC: &[u8; 8] = b"RGLRMEMB";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 16;

/// Memberships at one point of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipsSaved {
    /// Records of the log before this offset are taken into account.
    pub folded_to: u64,
    /// The time that is.
    pub now: Timestamp,
    /// Names of the segments that `customers` count from 0 on.
    pub segments: Vec<SegmentName>,
    /// Customers with any transition so far, sorted.
    pub customers: Vec<SavedMember>,
}

/// The memberships of one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedMember {
    /// Who it is.
    pub customer: CustomerId,
    /// When they last entered or left a segment.
    pub last_flip_at: Timestamp,
    /// Number of the segment, transitions so far, and whether they are inside.
    pub entries: Vec<(u16, u64, bool)>,
}

pub(crate) fn encode(saved: &MembershipsSaved) -> Vec<u8> {
    let mut body = Vec::with_capacity(saved.customers.len() * 128);
    body.extend((saved.segments.len() as u32).to_le_bytes());
    for name in &saved.segments {
        body.extend((name.as_str().len() as u16).to_le_bytes());
        body.extend_from_slice(name.as_str().as_bytes());
    }
    body.extend((saved.customers.len() as u64).to_le_bytes());
    for member in &saved.customers {
        body.extend(member.customer.0.to_le_bytes());
        body.extend(member.last_flip_at.0.to_le_bytes());
        body.extend((member.entries.len() as u16).to_le_bytes());
        for &(segment, sequence, inside) in &member.entries {
            body.extend(segment.to_le_bytes());
            body.extend((sequence << 1 | u64::from(inside)).to_le_bytes());
        }
    }
    let packed = lz4_flex::block::compress(&body);
    let mut bytes = Vec::with_capacity(packed.len() + 64);
    bytes.extend_from_slice(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(saved.folded_to.to_le_bytes());
    bytes.extend(saved.now.0.to_le_bytes());
    bytes.extend((body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&packed);
    let crc = crc32c::crc32c(&bytes[HEAD_BYTES..]);
    bytes[12..HEAD_BYTES].copy_from_slice(&crc.to_le_bytes());
    bytes
}

pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<MembershipsSaved, StoreError> {
    let damaged = |detail: &str| StoreError::damaged(path, detail);
    let head = bytes
        .get(..HEAD_BYTES)
        .filter(|head| head.starts_with(MAGIC))
        .ok_or_else(|| damaged("it does not begin like saved memberships"))?;
    let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().expect("four bytes"));
    if number(8) != VERSION {
        return Err(StoreError::UnknownVersion {
            path: path.to_owned(),
            what: "file of memberships",
            found: number(8).to_string(),
            known: VERSION,
        });
    }
    if crc32c::crc32c(&bytes[HEAD_BYTES..]) != number(12) {
        return Err(damaged("its checksum is wrong"));
    }
    read(&bytes[HEAD_BYTES..]).ok_or_else(|| damaged("it does not hold what it says"))
}

fn read(bytes: &[u8]) -> Option<MembershipsSaved> {
    let mut fields = Fields(bytes);
    let folded_to = u64::from_le_bytes(fields.take()?);
    let now = Timestamp(i64::from_le_bytes(fields.take()?));
    let body_bytes = usize::try_from(u64::from_le_bytes(fields.take()?)).ok()?;
    // LZ4 packs nothing into fewer than one of 255 bytes.
    if body_bytes > fields.0.len().saturating_mul(255) {
        return None;
    }
    let body = lz4_flex::block::decompress(fields.0, body_bytes).ok()?;
    let mut fields = Fields(&body);
    let mut segments = Vec::new();
    for _ in 0..u32::from_le_bytes(fields.take()?) {
        let length = u16::from_le_bytes(fields.take()?);
        let name = fields.slice(usize::from(length))?;
        segments.push(SegmentName::new(std::str::from_utf8(name).ok()?).ok()?);
    }
    let mut customers = Vec::new();
    for _ in 0..u64::from_le_bytes(fields.take()?) {
        let customer = CustomerId(u64::from_le_bytes(fields.take()?));
        let last_flip_at = Timestamp(i64::from_le_bytes(fields.take()?));
        let mut entries = Vec::new();
        for _ in 0..u16::from_le_bytes(fields.take()?) {
            let segment = u16::from_le_bytes(fields.take()?);
            let packed = u64::from_le_bytes(fields.take()?);
            entries.push((segment, packed >> 1, packed & 1 == 1));
        }
        customers.push(SavedMember {
            customer,
            last_flip_at,
            entries,
        });
    }
    fields.0.is_empty().then_some(MembershipsSaved {
        folded_to,
        now,
        segments,
        customers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> MembershipsSaved {
        let member = |id, entries| SavedMember {
            customer: CustomerId(id),
            last_flip_at: Timestamp(-5),
            entries,
        };
        MembershipsSaved {
            folded_to: 17,
            now: Timestamp(99),
            segments: vec![
                SegmentName::new("new").unwrap(),
                SegmentName::new("loyal").unwrap(),
            ],
            customers: vec![
                member(1, vec![(0, 2, false), (1, 1, true)]),
                member(u64::MAX, vec![(1, u64::MAX >> 1, true)]),
                member(3, Vec::new()),
            ],
        }
    }

    #[test]
    fn memberships_come_back() {
        let bytes = encode(&saved());
        assert_eq!(decode(Path::new("m"), &bytes).unwrap(), saved());
    }

    #[test]
    fn a_changed_byte_or_length_is_noticed() {
        let bytes = encode(&saved());
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(decode(Path::new("m"), &changed).is_err(), "byte {at}");
            assert!(decode(Path::new("m"), &bytes[..at]).is_err(), "length {at}");
        }
    }
}
