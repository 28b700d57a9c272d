//! Identities in memory: one arena of bytes and two tables of positions in it.
//!
//! A record is `kind u8 | text length u16 | id u64 | text | key 32 bytes`, which is also its form in
//! the (encrypted) files. A lookup costs two cache misses: a slot, and the start of the record that
//! it points to (the key, which a lookup does not need, comes last).

use std::hash::BuildHasher;

use super::{IdentityId, IdentityKind};

const ID: usize = 3;
const TEXT: usize = 11;
const KEY_BYTES: usize = 32;

#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) kind: IdentityKind,
    pub(super) id: IdentityId,
    pub(super) key: [u8; 32],
    pub(super) text: &'a str,
}

#[derive(Debug, Default)]
pub(super) struct Arena {
    bytes: Vec<u8>,
    by_text: Table,
    by_id: Table,
}

/// Why bytes are not records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotRecords;

impl Arena {
    pub(super) fn len(&self) -> usize {
        self.by_id.len
    }

    /// Position of the next record.
    pub(super) fn end(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn find(&self, kind: IdentityKind, text: &str) -> Option<IdentityId> {
        let at = self.by_text.find(hash_of_text(kind, text), |at| {
            self.bytes[at] == tag(kind) && self.text_at(at) == text.as_bytes()
        })?;
        Some(self.id_at(at))
    }

    pub(super) fn position(&self, id: IdentityId) -> Option<usize> {
        self.by_id.find(hash_of_id(id), |at| self.id_at(at) == id)
    }

    pub(super) fn by_id(&self, id: IdentityId) -> Option<Entry<'_>> {
        Some(self.entry(self.position(id)?))
    }

    /// Adds an identity that is not there yet.
    pub(super) fn add(&mut self, entry: &Entry<'_>) {
        let at = self.bytes.len();
        let length = u16::try_from(entry.text.len()).expect("longer texts are blocked");
        self.bytes.push(tag(entry.kind));
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(&entry.id.0.to_le_bytes());
        self.bytes.extend_from_slice(entry.text.as_bytes());
        self.bytes.extend_from_slice(&entry.key);
        self.index(at);
    }

    /// A record has at least so many bytes.
    pub(super) const SMALLEST_BYTES: usize = TEXT;

    /// Makes room for so many more identities.
    pub(super) fn reserve(&mut self, identities: usize, bytes: usize) {
        self.bytes.reserve_exact(bytes);
        let (records, by_text, by_id) = (&self.bytes, &mut self.by_text, &mut self.by_id);
        by_text.reserve(identities, |at| text_hash_in(records, at));
        by_id.reserve(identities, |at| hash_of_id(id_in(records, at)));
    }

    /// Adds records in their stored form.
    pub(super) fn add_records(&mut self, records: &[u8]) -> Result<(), NotRecords> {
        let mut at = self.bytes.len();
        self.bytes.extend_from_slice(records);
        while at < self.bytes.len() {
            let whole = self.bytes.get(at..at + TEXT).ok_or(NotRecords)?;
            kind_of(whole[0]).ok_or(NotRecords)?;
            let next = at + record_bytes(&self.bytes, at);
            if next > self.bytes.len() || std::str::from_utf8(self.text_at(at)).is_err() {
                return Err(NotRecords);
            }
            self.index(at);
            at = next;
        }
        Ok(())
    }

    /// The stored form of all records from a position on, each whole.
    pub(super) fn records_from(&self, at: usize) -> impl Iterator<Item = &[u8]> {
        self.positions(at)
            .map(|at| &self.bytes[at..at + record_bytes(&self.bytes, at)])
    }

    /// In the order of adding.
    pub(super) fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.positions(0).map(|at| self.entry(at))
    }

    /// Those from a position on, each with the position after it.
    pub(super) fn iter_from(&self, at: usize) -> impl Iterator<Item = (usize, Entry<'_>)> {
        let after = |at| at + record_bytes(&self.bytes, at);
        self.positions(at)
            .map(move |at| (after(at), self.entry(at)))
    }

    fn positions(&self, from: usize) -> impl Iterator<Item = usize> {
        let mut at = from;
        std::iter::from_fn(move || {
            let here = at;
            (here < self.bytes.len()).then(|| {
                at += record_bytes(&self.bytes, here);
                here
            })
        })
    }

    fn index(&mut self, at: usize) {
        let bytes = &self.bytes;
        self.by_text
            .insert(text_hash_in(bytes, at), at, |at| text_hash_in(bytes, at));
        let hash = hash_of_id(id_in(bytes, at));
        self.by_id
            .insert(hash, at, |at| hash_of_id(id_in(bytes, at)));
    }

    fn entry(&self, at: usize) -> Entry<'_> {
        let end = at + record_bytes(&self.bytes, at);
        let key = self.bytes[end - KEY_BYTES..end]
            .try_into()
            .expect("a key has 32 bytes");
        let text = std::str::from_utf8(self.text_at(at)).expect("checked when it was added");
        Entry {
            kind: self.kind_at(at),
            id: self.id_at(at),
            key,
            text,
        }
    }

    fn kind_at(&self, at: usize) -> IdentityKind {
        kind_of(self.bytes[at]).expect("checked when it was added")
    }

    fn id_at(&self, at: usize) -> IdentityId {
        id_in(&self.bytes, at)
    }

    fn text_at(&self, at: usize) -> &[u8] {
        text_in(&self.bytes, at)
    }
}

fn text_bytes(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at + 1], bytes[at + 2]]))
}

fn text_in(bytes: &[u8], at: usize) -> &[u8] {
    &bytes[at + TEXT..at + TEXT + text_bytes(bytes, at)]
}

fn record_bytes(bytes: &[u8], at: usize) -> usize {
    TEXT + text_bytes(bytes, at) + KEY_BYTES
}

fn id_in(bytes: &[u8], at: usize) -> IdentityId {
    let id = bytes[at + ID..at + TEXT]
        .try_into()
        .expect("an id has eight bytes");
    IdentityId(u64::from_le_bytes(id))
}

fn text_hash_in(bytes: &[u8], at: usize) -> u64 {
    hash_of_bytes(bytes[at], text_in(bytes, at))
}

fn hash_of_text(kind: IdentityKind, text: &str) -> u64 {
    hash_of_bytes(tag(kind), text.as_bytes())
}

fn hash_of_bytes(tag: u8, text: &[u8]) -> u64 {
    foldhash::fast::FixedState::with_seed(u64::from(tag)).hash_one(text)
}

fn hash_of_id(id: IdentityId) -> u64 {
    // Ids are random, so that one multiplication spreads them well enough.
    id.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn tag(kind: IdentityKind) -> u8 {
    match kind {
        IdentityKind::CustomerId => 1,
        IdentityKind::Email => 2,
        IdentityKind::Anonymous => 3,
        IdentityKind::Previous => 4,
    }
}

fn kind_of(tag: u8) -> Option<IdentityKind> {
    match tag {
        1 => Some(IdentityKind::CustomerId),
        2 => Some(IdentityKind::Email),
        3 => Some(IdentityKind::Anonymous),
        4 => Some(IdentityKind::Previous),
        _ => None,
    }
}

/// Open addressing with linear probing. A slot holds a position plus one in its low 40 bits and
/// the top 24 bits of the hash above, so that a foreign slot is told apart without a look at its
/// record; 0 is an empty slot.
#[derive(Debug, Default)]
struct Table {
    slots: Vec<u64>,
    len: usize,
}

const POSITION_BITS: u32 = 40;
const POSITION_MASK: u64 = (1 << POSITION_BITS) - 1;

impl Table {
    fn find(&self, hash: u64, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut index = hash as usize & mask;
        loop {
            let slot = self.slots[index];
            if slot == 0 {
                return None;
            }
            if slot >> POSITION_BITS == hash >> POSITION_BITS {
                let at = ((slot & POSITION_MASK) - 1) as usize;
                if is_it(at) {
                    return Some(at);
                }
            }
            index = (index + 1) & mask;
        }
    }

    fn insert(&mut self, hash: u64, at: usize, hash_at: impl Fn(usize) -> u64) {
        self.reserve(1, hash_at);
        self.place(hash, at);
        self.len += 1;
    }

    /// Keeps at least a third of the slots empty.
    fn reserve(&mut self, more: usize, hash_at: impl Fn(usize) -> u64) {
        let wanted = (self.len + more) * 3 / 2 + 1;
        if wanted <= self.slots.len() {
            return;
        }
        let old = std::mem::take(&mut self.slots);
        self.slots = vec![0; wanted.next_power_of_two().max(64)];
        for slot in old.into_iter().filter(|&slot| slot != 0) {
            let at = ((slot & POSITION_MASK) - 1) as usize;
            self.place(hash_at(at), at);
        }
    }

    fn place(&mut self, hash: u64, at: usize) {
        let mask = self.slots.len() - 1;
        let mut index = hash as usize & mask;
        while self.slots[index] != 0 {
            index = (index + 1) & mask;
        }
        self.slots[index] = (hash >> POSITION_BITS << POSITION_BITS) | (at as u64 + 1);
    }
}
