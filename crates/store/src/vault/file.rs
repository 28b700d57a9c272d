//! Files of the vault: identities and links, encrypted with the master key.
//!
//! ```text
//! header: magic "RGLRVALT" | version u32 | key number 8 bytes | identities u64 | identity bytes u64
//!         | links u64 | file number 12 bytes
//! block:  length u32 | ChaCha20-Poly1305 of the identities' records, or of links: two ids, and
//!         whose word it is (1 a server's, 0 a client's)
//! ```
//!
//! Numbers are little-endian. The nonce of block `i` is the file's random number with `i` added to
//! its last four bytes; every block authenticates the header and its own kind, so that blocks cannot
//! be left out, exchanged or cut off without notice: the header says how much there must be.

use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};

use super::arena::Arena;
use super::key::{MasterKey, hex};
use super::{IdentityId, NewLink, Trust, seal};
use crate::StoreError;

const MAGIC: &[u8; 8] = b"RGLRVALT";
/// 1 had no links of an identity with itself; neither had 2 previous ids, nor whose word a link is: it is
/// a server's.
const VERSION: u32 = 3;
const OLDEST: u32 = 1;
const HEADER_BYTES: usize = 56;
const BLOCK_BYTES: usize = 256 << 10;

/// Where in a link it stands whose word it is.
const WORD_AT: usize = 16;

/// Bytes of a link.
fn link_bytes(version: u32) -> usize {
    if version < 3 { WORD_AT } else { WORD_AT + 1 }
}

/// What a block holds.
#[derive(Debug, Clone, Copy)]
enum Content {
    Identities = 1,
    Links = 2,
}

/// Encrypts one block after another under one header.
struct Blocks<'h> {
    cipher: ChaCha20Poly1305,
    header: &'h [u8; HEADER_BYTES],
    next: u32,
}

impl<'h> Blocks<'h> {
    fn new(key: &MasterKey, header: &'h [u8; HEADER_BYTES]) -> Self {
        Self {
            cipher: ChaCha20Poly1305::new(&key.key.into()),
            header,
            next: 0,
        }
    }

    fn nonce_and_context(&mut self, content: Content) -> (Nonce, [u8; HEADER_BYTES + 1]) {
        let mut nonce: [u8; 12] = self.header[44..56].try_into().expect("twelve bytes");
        let last = u32::from_le_bytes([nonce[8], nonce[9], nonce[10], nonce[11]]);
        nonce[8..].copy_from_slice(&last.wrapping_add(self.next).to_le_bytes());
        self.next += 1;
        let mut context = [content as u8; HEADER_BYTES + 1];
        context[..HEADER_BYTES].copy_from_slice(self.header);
        (Nonce::from(nonce), context)
    }

    fn encrypt(
        &mut self,
        content: Content,
        plain: &[u8],
        into: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let (nonce, context) = self.nonce_and_context(content);
        let payload = Payload {
            msg: plain,
            aad: &context,
        };
        let block = self
            .cipher
            .encrypt(&nonce, payload)
            .map_err(|_| StoreError::Sealed("a block of the vault is too long"))?;
        into.extend_from_slice(&(block.len() as u32).to_le_bytes());
        into.extend_from_slice(&block);
        Ok(())
    }

    fn decrypt(&mut self, content: Content, block: &[u8]) -> Option<Vec<u8>> {
        let (nonce, context) = self.nonce_and_context(content);
        self.cipher
            .decrypt(
                &nonce,
                Payload {
                    msg: block,
                    aad: &context,
                },
            )
            .ok()
    }
}

pub(super) fn encode<'r>(
    records: impl Iterator<Item = &'r [u8]>,
    links: &[NewLink],
    key: &MasterKey,
) -> Result<Vec<u8>, StoreError> {
    encode_as(VERSION, records, links, key)
}

/// The form of an earlier version, or of this one.
pub(super) fn encode_as<'r>(
    version: u32,
    records: impl Iterator<Item = &'r [u8]>,
    links: &[NewLink],
    key: &MasterKey,
) -> Result<Vec<u8>, StoreError> {
    let link_bytes = link_bytes(version);
    let mut identities = 0_u64;
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    for record in records {
        identities += 1;
        match blocks.last_mut() {
            Some(block) if block.len() + record.len() <= BLOCK_BYTES => {
                block.extend_from_slice(record);
            }
            _ => blocks.push(record.to_vec()),
        }
    }
    let identity_bytes: usize = blocks.iter().map(Vec::len).sum();
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&version.to_le_bytes());
    header[12..20].copy_from_slice(&key.number);
    header[20..28].copy_from_slice(&identities.to_le_bytes());
    header[28..36].copy_from_slice(&(identity_bytes as u64).to_le_bytes());
    header[36..44].copy_from_slice(&(links.len() as u64).to_le_bytes());
    seal::fill(&mut header[44..])?;
    let mut bytes = Vec::with_capacity(identity_bytes + links.len() * link_bytes + 4096);
    bytes.extend_from_slice(&header);
    let mut encrypted = Blocks::new(key, &header);
    for block in &blocks {
        encrypted.encrypt(Content::Identities, block, &mut bytes)?;
    }
    for chunk in links.chunks(BLOCK_BYTES / link_bytes) {
        let mut plain = Vec::with_capacity(chunk.len() * link_bytes);
        for (identity, with, trust) in chunk {
            plain.extend_from_slice(&identity.0.to_le_bytes());
            plain.extend_from_slice(&with.0.to_le_bytes());
            if link_bytes > WORD_AT {
                plain.push(u8::from(*trust == Trust::Server));
            }
        }
        encrypted.encrypt(Content::Links, &plain, &mut bytes)?;
    }
    Ok(bytes)
}

pub(super) fn read(
    path: &Path,
    bytes: &[u8],
    key: &MasterKey,
    arena: &mut Arena,
    mut link: impl FnMut(NewLink),
) -> Result<(), StoreError> {
    let header = read_header(path, bytes, key)?;
    let link_bytes = link_bytes(version_of(header));
    let number = |at: usize| u64_at(header, at) as usize;
    let (identities, identity_bytes, links) = (number(20), number(28), number(36));
    // Before the first block is decrypted nobody vouches for these numbers.
    if identity_bytes.saturating_add(links.saturating_mul(link_bytes)) > bytes.len()
        || identities.saturating_mul(Arena::SMALLEST_BYTES) > identity_bytes
    {
        return Err(StoreError::damaged(
            path,
            "it is shorter than its header says",
        ));
    }
    arena.reserve(identities, identity_bytes);
    let mut blocks = Blocks::new(key, header);
    let (mut rest, mut identity_bytes_left) = (&bytes[HEADER_BYTES..], identity_bytes);
    let mut links_left = links;
    while identity_bytes_left > 0 || links_left > 0 {
        let content = if identity_bytes_left > 0 {
            Content::Identities
        } else {
            Content::Links
        };
        let at = bytes.len() - rest.len();
        let damaged = || StoreError::damaged(path, format!("the block at byte {at} is bad"));
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (block, after) = after.split_at_checked(length).ok_or_else(damaged)?;
        let plain = blocks.decrypt(content, block).ok_or_else(damaged)?;
        match content {
            Content::Identities => {
                arena.add_records(&plain).map_err(|_| damaged())?;
                identity_bytes_left = identity_bytes_left
                    .checked_sub(plain.len())
                    .ok_or_else(damaged)?;
            }
            Content::Links => {
                let read = plain.chunks_exact(link_bytes);
                links_left = links_left.checked_sub(read.len()).ok_or_else(damaged)?;
                for bytes in read {
                    let trust = match bytes.get(WORD_AT) {
                        Some(0) => Trust::Client,
                        Some(1) | None => Trust::Server,
                        Some(_) => return Err(damaged()),
                    };
                    let id = |at| IdentityId(u64_at(bytes, at));
                    link((id(0), id(8), trust));
                }
            }
        }
        rest = after;
    }
    Ok(())
}

fn read_header<'b>(
    path: &Path,
    bytes: &'b [u8],
    key: &MasterKey,
) -> Result<&'b [u8; HEADER_BYTES], StoreError> {
    let header = bytes
        .first_chunk::<HEADER_BYTES>()
        .filter(|header| header.starts_with(MAGIC))
        .ok_or_else(|| StoreError::damaged(path, "it does not begin like a file of the vault"))?;
    let version = version_of(header);
    if !(OLDEST..=VERSION).contains(&version) {
        return Err(StoreError::UnknownVersion {
            path: path.to_owned(),
            what: "file of the vault",
            found: version.to_string(),
            known: VERSION,
        });
    }
    if header[12..20] != key.number {
        return Err(StoreError::MasterKey {
            path: key.path.clone(),
            detail: format!(
                "`{}` was encrypted with key {}, this is key {}",
                path.display(),
                hex(&header[12..20]),
                hex(&key.number)
            ),
        });
    }
    Ok(header)
}

fn version_of(header: &[u8; HEADER_BYTES]) -> u32 {
    u32::from_le_bytes([header[8], header[9], header[10], header[11]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
