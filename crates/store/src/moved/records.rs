//! Records that a move takes out of the log and that are needed as they are: a file of them.
//!
//! ```text
//! magic "RGLRRECS" | version u32 | crc32c u32 of the rest | plain length u64 | LZ4 block
//! block: for each record its offset in the log u64, its length u32 and its bytes
//! ```
//!
//! Numbers are little-endian; the bytes are those of the log, without what a record did to the files.

use std::path::Path;

use crate::StoreError;
use crate::fields::Fields;

const MAGIC: &[u8; 8] = b"RGLRRECS";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 16;

/// A record with its offset.
pub(crate) type KeptRecord = (u64, Vec<u8>);

pub(crate) fn encode(records: &[KeptRecord]) -> Vec<u8> {
    let mut plain = Vec::new();
    for (offset, record) in records {
        plain.extend(offset.to_le_bytes());
        plain.extend((record.len() as u32).to_le_bytes());
        plain.extend_from_slice(record);
    }
    let packed = lz4_flex::block::compress(&plain);
    let mut bytes = Vec::with_capacity(packed.len() + 32);
    bytes.extend_from_slice(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend((plain.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&packed);
    let crc = crc32c::crc32c(&bytes[HEAD_BYTES..]);
    bytes[12..HEAD_BYTES].copy_from_slice(&crc.to_le_bytes());
    bytes
}

pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<Vec<KeptRecord>, StoreError> {
    let damaged = |detail: &str| StoreError::damaged(path, detail);
    let head = bytes
        .get(..HEAD_BYTES)
        .filter(|head| head.starts_with(MAGIC))
        .ok_or_else(|| damaged("it does not begin like a file of records"))?;
    let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().expect("four bytes"));
    if number(8) != VERSION {
        return Err(StoreError::UnknownVersion {
            path: path.to_owned(),
            what: "file of records",
            found: number(8).to_string(),
            known: VERSION,
        });
    }
    if crc32c::crc32c(&bytes[HEAD_BYTES..]) != number(12) {
        return Err(damaged("its checksum is wrong"));
    }
    read(&bytes[HEAD_BYTES..]).ok_or_else(|| damaged("it does not hold what it says"))
}

fn read(bytes: &[u8]) -> Option<Vec<KeptRecord>> {
    let mut fields = Fields(bytes);
    let plain_bytes = u64::from_le_bytes(fields.take()?);
    let plain = lz4_flex::block::decompress(fields.0, usize::try_from(plain_bytes).ok()?).ok()?;
    let mut fields = Fields(&plain);
    let mut records = Vec::new();
    while !fields.0.is_empty() {
        let offset = u64::from_le_bytes(fields.take()?);
        records.push((offset, fields.bytes()?.to_vec()));
    }
    Some(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_and_a_changed_byte_or_length_is_noticed() {
        let records = vec![(3, b"{}".to_vec()), (u64::MAX, Vec::new())];
        let bytes = encode(&records);
        assert_eq!(decode(Path::new("r"), &bytes).unwrap(), records);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(decode(Path::new("r"), &changed).is_err(), "byte {at}");
            assert!(decode(Path::new("r"), &bytes[..at]).is_err(), "length {at}");
        }
    }
}
