//! The vault: who the customers are; the only place that knows.
//!
//! An identity is a text that names a person: a source's customer id or an e-mail address. It gets a
//! random 64-bit id, which is all that history and log ever see, and a random key of its own, with
//! which everything personal about it is sealed. To destroy the key is to erase the person.
//!
//! ```text
//! import row ─► lookup_or_mint(kind, text) ─► IdentityId ─► resolve ─► CustomerId ─► history
//!            └► link(e-mail, customer id)                     ▲
//!                                                             └ moves(): rows to take along
//! ```
//!
//! An e-mail that was seen with exactly one customer id belongs to that customer; one seen with
//! several is ambiguous and stands for itself. That is a function of the set of links alone, so
//! the order in which rows and files come does not matter.
//!
//! On disk: one file for each commit that added something, encrypted with the workspace's master
//! key (`file` has the layout), merged into one when they are many.

mod arena;
mod blocked;
pub(crate) mod file;
#[cfg(test)]
mod fuzz;
mod key;
mod seal;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::path::Path;

use regulars_core::CustomerId;

pub use blocked::is_blocked_identity;
pub(crate) use key::{MasterKey, hex};

use crate::StoreError;
use crate::disk::Disk;
use arena::{Arena, Entry};
use seal::Randomness;

/// An identity: a customer id of a source, or an e-mail address. Random, so that it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityId(pub u64);

/// What kind of text names a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityKind {
    /// The source's customer id.
    CustomerId,
    /// An e-mail address.
    Email,
    /// What a device calls a visitor whom it does not know.
    Anonymous,
}

/// What a person is called, with its kind: an e-mail may read like somebody's customer id.
pub type Name = (Box<str>, IdentityKind);

/// An identity that now stands for another customer than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Whose rows move.
    pub identity: IdentityId,
    /// The customer that has them.
    pub from: CustomerId,
    /// The customer that gets them.
    pub into: CustomerId,
}

/// Identities whose resolution changed in this transaction, sorted by identity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// Known before it: their stored rows move ([`crate::Transaction::apply_moves`]).
    pub stored: Vec<Move>,
    /// First seen in it: only rows of this import can be concerned.
    pub fresh: Vec<Move>,
}

/// The customer ids that an e-mail was seen with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    With(IdentityId),
    WithSeveral,
}

type Links = HashMap<IdentityId, Seen, foldhash::fast::FixedState>;

/// All identities of a workspace, in memory: about 100 bytes each.
#[derive(Debug, Default)]
pub struct Vault {
    arena: Arena,
    links: Links,
    randomness: Randomness,
    /// End of the arena when the transaction began: what lies beyond is new.
    begun_at: usize,
    /// End of what the files of the vault hold.
    saved_to: usize,
    /// Links that they do not hold yet and that changed something, in order.
    new_links: Vec<(IdentityId, IdentityId)>,
    /// How much of both the log has already.
    journaled: (usize, usize),
    /// By the offset of the record that holds it, how far that goes.
    journals: VecDeque<(u64, usize, usize)>,
    /// Identities linked since the transaction began, with what they stood for before.
    before: HashMap<IdentityId, CustomerId, foldhash::fast::FixedState>,
}

impl Vault {
    /// The identity of `value`, made if it is new; e-mails are compared trimmed and in lower case,
    /// customer ids trimmed.
    ///
    /// # Errors
    /// When the value is blocked ([`is_blocked_identity`]) or no random number can be had.
    pub fn lookup_or_mint(
        &mut self,
        kind: IdentityKind,
        value: &str,
    ) -> Result<IdentityId, StoreError> {
        let text = normal_form(kind, value);
        if let Some(id) = self.arena.find(kind, &text) {
            return Ok(id);
        }
        if is_blocked_identity(&text) {
            return Err(StoreError::BlockedIdentity(value.to_owned()));
        }
        let id = loop {
            let id = IdentityId(u64::from_le_bytes(self.randomness.draw()?));
            if self.arena.by_id(id).is_none() {
                break id;
            }
        };
        let key = self.randomness.draw()?;
        self.arena.add(&Entry {
            kind,
            id,
            key,
            text: &text,
        });
        Ok(id)
    }

    /// The identity of `value`, if it is known.
    pub fn lookup(&self, kind: IdentityKind, value: &str) -> Option<IdentityId> {
        self.arena.find(kind, &normal_form(kind, value))
    }

    /// Notes that an e-mail was seen together with a customer id; any order, any number of times.
    ///
    /// Of another identity than an e-mail the first link counts: a device that somebody else
    /// signs in on later does not take the first one's past along. A link that would go in a
    /// circle says nothing.
    pub fn link(&mut self, email: IdentityId, customer: IdentityId) {
        let is_email = self.kind_of(email) == Some(IdentityKind::Email);
        let seen = match self.links.get(&email) {
            None => Seen::With(customer),
            Some(Seen::With(known)) if *known != customer && is_email => Seen::WithSeveral,
            Some(Seen::With(_) | Seen::WithSeveral) => return,
        };
        if self.resolve(customer) == CustomerId(email.0) {
            return;
        }
        let before = self.resolve(email);
        self.before.entry(email).or_insert(before);
        self.links.insert(email, seen);
        self.new_links.push((email, customer));
    }

    /// True for what a device calls a visitor whom it does not know.
    pub fn is_anonymous(&self, identity: IdentityId) -> bool {
        self.kind_of(identity) == Some(IdentityKind::Anonymous)
    }

    fn kind_of(&self, identity: IdentityId) -> Option<IdentityKind> {
        self.arena.by_id(identity).map(|entry| entry.kind)
    }

    /// The customer that an identity stands for: an e-mail that was seen with exactly one customer
    /// id stands for that one, another identity for the one that it was linked to first, if any.
    pub fn resolve(&self, identity: IdentityId) -> CustomerId {
        let mut identity = identity;
        while let Some(&Seen::With(customer)) = self.links.get(&identity) {
            identity = customer;
        }
        CustomerId(identity.0)
    }

    /// Identities whose resolution changed since the transaction began.
    pub fn moves(&self) -> Moves {
        let mut moves = Moves::default();
        for (&identity, &from) in &self.before {
            let into = self.resolve(identity);
            if from == into {
                continue;
            }
            let new = self
                .arena
                .position(identity)
                .is_none_or(|at| at >= self.begun_at);
            let list = if new {
                &mut moves.fresh
            } else {
                &mut moves.stored
            };
            list.push(Move {
                identity,
                from,
                into,
            });
        }
        moves.stored.sort_unstable_by_key(|found| found.identity);
        moves.fresh.sort_unstable_by_key(|found| found.identity);
        moves
    }

    /// Encrypts personal data with the identity's own key.
    ///
    /// # Errors
    /// When the identity is unknown or no random number can be had.
    pub fn seal(&self, identity: IdentityId, plaintext: &[u8]) -> Result<Vec<u8>, StoreError> {
        let entry = self.arena.by_id(identity).ok_or(UNKNOWN_IDENTITY)?;
        seal::seal(&entry.key, identity, plaintext)
    }

    /// Decrypts what [`Vault::seal`] made.
    ///
    /// # Errors
    /// When it is not of this identity, damaged or of an unknown version.
    pub fn open(&self, identity: IdentityId, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let entry = self.arena.by_id(identity).ok_or(UNKNOWN_IDENTITY)?;
        seal::open(&entry.key, identity, sealed)
    }

    /// What a person calls the customer: the customer id if there is one, else the e-mail; `None`
    /// for an id that the vault does not know.
    pub fn external_id(&self, customer: CustomerId) -> Option<&str> {
        Some(self.arena.by_id(IdentityId(customer.0))?.text)
    }

    /// The customer with that customer id, else with that e-mail, else with that anonymous id.
    pub fn find(&self, value: &str) -> Option<CustomerId> {
        let kinds = [
            IdentityKind::CustomerId,
            IdentityKind::Email,
            IdentityKind::Anonymous,
        ];
        let identity = kinds.iter().find_map(|kind| self.lookup(*kind, value))?;
        Some(self.resolve(identity))
    }

    /// All identities that stand for themselves and are not anonymous, with their external ids,
    /// sorted by external id.
    ///
    /// An e-mail seen with several customer ids is among them, also when no row is its own.
    pub fn customers(&self) -> Vec<(&str, CustomerId)> {
        let own = |entry: &Entry<'_>| {
            entry.kind != IdentityKind::Anonymous
                && self.resolve(entry.id) == CustomerId(entry.id.0)
        };
        let mut customers: Vec<_> = self.arena.iter().filter(own).collect();
        customers.sort_unstable_by_key(|entry| (entry.text, entry.kind));
        customers
            .into_iter()
            .map(|entry| (entry.text, CustomerId(entry.id.0)))
            .collect()
    }

    /// What customers are called, from a place on: the names that are not of anonymous visitors
    /// among the next `most` identities, with what each is and the id that a customer of that name
    /// has; and the place to go on from. Names are added and never change.
    ///
    /// Places are those of this vault: one that is loaded again may have others.
    pub fn names_from(&self, place: usize, most: usize) -> (Vec<(Name, CustomerId)>, usize) {
        let mut names = Vec::new();
        let mut end = place;
        for (after, entry) in self.arena.iter_from(place).take(most) {
            end = after;
            if entry.kind != IdentityKind::Anonymous {
                names.push(((entry.text.into(), entry.kind), CustomerId(entry.id.0)));
            }
        }
        (names, end)
    }

    /// The place after all names.
    pub fn names_end(&self) -> usize {
        self.arena.end()
    }

    /// Number of identities.
    pub fn len(&self) -> usize {
        self.arena.len()
    }

    /// True without identities.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads the files of a vault, in the order of the manifest.
    pub(crate) fn load(
        disk: &dyn Disk,
        dir: &Path,
        files: &[String],
        key: &MasterKey,
    ) -> Result<Self, StoreError> {
        let mut vault = Self::default();
        for name in files {
            let path = dir.join(name);
            let bytes = crate::store::read_listed(disk, &path)?;
            file::read(&path, &bytes, key, &mut vault.arena, |email, customer| {
                let seen = vault.links.entry(email).or_insert(Seen::With(customer));
                if *seen != Seen::With(customer) {
                    *seen = Seen::WithSeveral;
                }
            })?;
        }
        vault.saved();
        Ok(vault)
    }

    /// From here on, additions are new.
    pub(crate) fn begin(&mut self) {
        self.begun_at = self.arena.end();
        self.before.clear();
    }

    /// The files hold everything.
    pub(crate) fn saved(&mut self) {
        self.begin();
        self.saved_to = self.arena.end();
        self.new_links.clear();
        self.journaled = (self.saved_to, 0);
        self.journals.clear();
    }

    /// The files hold what records of the log before an offset hold.
    pub(crate) fn saved_before(&mut self, offset: u64) {
        while let Some((_, identities, links)) = self.journals.pop_front_if(|(at, ..)| *at < offset)
        {
            self.saved_to = identities;
            self.new_links.drain(..links);
            self.journaled.1 -= links;
            for (_, _, later) in &mut self.journals {
                *later -= links;
            }
        }
    }

    /// What was added since the last call, as a file of the vault for a record of the log; `None`
    /// without any. It still counts as changed: the next file of the vault holds it too.
    pub(crate) fn journal(&mut self, key: &MasterKey) -> Result<Option<Vec<u8>>, StoreError> {
        let (from, first_link) = self.journaled;
        if self.arena.end() == from && self.new_links.len() == first_link {
            return Ok(None);
        }
        let links = &self.new_links[first_link..];
        let bytes = file::encode(self.arena.records_from(from), links, key)?;
        self.journaled = (self.arena.end(), self.new_links.len());
        // Each frame decides for itself what moved.
        self.before.clear();
        Ok(Some(bytes))
    }

    /// The last journal is in the log, as the record of that offset.
    pub(crate) fn is_journaled_at(&mut self, offset: u64) {
        let (identities, links) = self.journaled;
        self.journals.push_back((offset, identities, links));
    }

    /// A file of the vault that holds what several journals hold.
    pub(crate) fn file_of_journals(
        log: &Path,
        journals: &[Vec<u8>],
        key: &MasterKey,
    ) -> Result<Vec<u8>, StoreError> {
        let (mut arena, mut links) = (Arena::default(), Vec::new());
        for journal in journals {
            file::read(log, journal, key, &mut arena, |a, b| links.push((a, b)))?;
        }
        file::encode(arena.records_from(0), &links, key)
    }

    /// Takes up what a record of the log brought.
    pub(crate) fn take_journal(
        &mut self,
        (log, offset): (&Path, u64),
        bytes: &[u8],
        key: &MasterKey,
    ) -> Result<(), StoreError> {
        let mut links = Vec::new();
        file::read(log, bytes, key, &mut self.arena, |a, b| links.push((a, b)))?;
        for (identity, customer) in links {
            self.link(identity, customer);
        }
        self.journaled = (self.arena.end(), self.new_links.len());
        self.is_journaled_at(offset);
        self.before.clear();
        Ok(())
    }

    /// True when there is something that the files do not hold.
    pub(crate) fn has_changed(&self) -> bool {
        self.arena.end() > self.saved_to || !self.new_links.is_empty()
    }

    /// A file with what they do not hold.
    pub(crate) fn encode_additions(&self, key: &MasterKey) -> Result<Vec<u8>, StoreError> {
        file::encode(self.arena.records_from(self.saved_to), &self.new_links, key)
    }

    /// A file with everything.
    pub(crate) fn encode_all(&self, key: &MasterKey) -> Result<Vec<u8>, StoreError> {
        let mut links = Vec::with_capacity(self.links.len());
        for (&email, &seen) in &self.links {
            match seen {
                Seen::With(customer) => links.push((email, customer)),
                // Two different ids say "several"; an e-mail's own id is never its customer's.
                Seen::WithSeveral => links.extend([(email, email), (email, IdentityId(!email.0))]),
            }
        }
        links.sort_unstable();
        file::encode(self.arena.records_from(0), &links, key)
    }
}

const UNKNOWN_IDENTITY: StoreError = StoreError::Sealed("the vault does not know the identity");

/// The form in which texts are compared and kept.
fn normal_form(kind: IdentityKind, value: &str) -> Cow<'_, str> {
    let trimmed = value.trim();
    match kind {
        IdentityKind::CustomerId | IdentityKind::Anonymous => Cow::Borrowed(trimmed),
        IdentityKind::Email => {
            let settled = |b: u8| b.is_ascii() && !b.is_ascii_uppercase();
            if trimmed.bytes().all(settled) {
                Cow::Borrowed(trimmed)
            } else {
                Cow::Owned(trimmed.to_lowercase())
            }
        }
    }
}
