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
//! the order in which rows and files come does not matter. What somebody parted by hand stands for
//! itself as well (`links`).
//!
//! On disk: one file for each commit that added something, encrypted with the workspace's master
//! key (`file` has the layout), merged into one when they are many.

mod arena;
mod blocked;
pub(crate) mod file;
#[cfg(test)]
mod fuzz;
mod key;
mod linking;
mod links;
mod saving;
mod seal;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use regulars_core::CustomerId;

pub use blocked::Blocked;
pub(crate) use key::{MasterKey, hex};
pub use linking::{Linked, Parted, Trust};
pub use links::NameCounts;
#[cfg(test)]
use saving::Loading;

use crate::StoreError;
use arena::{Arena, Entry};
use linking::NewLink;
use links::Links;
use seal::Randomness;

/// An identity: a customer id of a source, an e-mail address, or what else names somebody. Random, so that it says nothing.
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
    /// What `alias` called somebody before: their customer id or an anonymous id, whichever is or will
    /// be known. It is nobody's name of its own, and stands for whom `alias` says.
    Previous,
}

impl IdentityKind {
    /// Every kind; of several names that read alike, the one that is meant when nothing is said.
    pub const ALL: [Self; 4] = [
        Self::CustomerId,
        Self::Email,
        Self::Anonymous,
        Self::Previous,
    ];

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What it is, for a person.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::CustomerId => "a customer id",
            Self::Email => "an e-mail address",
            Self::Anonymous => "an anonymous id",
            Self::Previous => "a previous id",
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::CustomerId => "customer_id",
            Self::Email => "email",
            Self::Anonymous => "anonymous_id",
            Self::Previous => "previous_id",
        }
    }
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

/// Identities that stand for somebody since this transaction began, sorted by identity. Of those that
/// left somebody no rows move ([`Vault::parted`]).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// Known before it: their stored rows move ([`crate::Transaction::apply_moves`]).
    pub stored: Vec<Move>,
    /// First seen in it: only rows of this import can be concerned.
    pub fresh: Vec<Move>,
}

/// All identities of a workspace, in memory: about 100 bytes each.
#[derive(Debug, Default)]
pub struct Vault {
    arena: Arena,
    links: Links,
    blocked: Arc<Blocked>,
    randomness: Randomness,
    /// End of the arena when the transaction began: what lies beyond is new.
    begun_at: usize,
    /// End of what the files of the vault hold.
    saved_to: usize,
    /// Links that they do not hold yet and that changed something, in order.
    new_links: Vec<NewLink>,
    /// How much of both the log has already.
    journaled: (usize, usize),
    /// By the offset of the record that holds it, how far that goes.
    journals: VecDeque<(u64, usize, usize)>,
    /// Identities linked since the transaction began, with what they stood for before.
    before: HashMap<IdentityId, CustomerId, foldhash::fast::FixedState>,
    /// Those of them that left whom they stood for.
    parted: Vec<Parted>,
}

impl Vault {
    /// The identity of `value`, made if it is new; e-mails are compared trimmed and in lower case,
    /// customer ids trimmed.
    ///
    /// # Errors
    /// When the value is blocked ([`Blocked`]) or no random number can be had.
    pub fn lookup_or_mint(
        &mut self,
        kind: IdentityKind,
        value: &str,
    ) -> Result<IdentityId, StoreError> {
        let text = normal_form(kind, value);
        // What was blocked after it was known names nobody from then on.
        if self.blocked.has_own() && self.is_blocked(&text) {
            return Err(StoreError::BlockedIdentity(value.to_owned()));
        }
        if let Some(id) = self.arena.find(kind, &text) {
            return Ok(id);
        }
        if self.is_blocked(&text) {
            return Err(StoreError::BlockedIdentity(value.to_owned()));
        }
        let id = loop {
            let id = IdentityId(u64::from_le_bytes(self.randomness.draw()?));
            if id != links::NONE && self.arena.by_id(id).is_none() {
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

    /// True for values that name nobody.
    pub fn is_blocked(&self, value: &str) -> bool {
        self.blocked.contains(value)
    }

    /// Blocks these values, and no others of the workspace's own, from now on.
    pub(crate) fn block(&mut self, blocked: Arc<Blocked>) {
        self.blocked = blocked;
    }

    /// How many names an identity and all that stand for it have.
    pub fn names_of(&self, identity: IdentityId) -> NameCounts {
        let own = self.own_name(identity);
        own.and(self.links.names_below(identity))
    }

    /// The same, without those that only clients have named.
    pub fn told_names_of(&self, identity: IdentityId) -> NameCounts {
        let all = self.names_of(identity);
        all.without(self.links.claimed_below(identity))
    }

    fn own_name(&self, identity: IdentityId) -> NameCounts {
        NameCounts::one(self.kind_of(identity))
    }

    /// The ids of a customer and of all who turned out to be them.
    pub fn ids_of(&self, customer: CustomerId) -> BTreeSet<CustomerId> {
        let along = self.links.along(IdentityId(customer.0)).into_iter();
        along.map(|identity| CustomerId(identity.0)).collect()
    }

    /// All names of a customer, each with its kind: their own first, the others sorted. A previous id is
    /// among them as long as nothing else is known of it.
    pub fn names(&self, customer: CustomerId) -> Vec<(&str, IdentityKind)> {
        let mut along = self.links.along(IdentityId(customer.0)).into_iter();
        let name = |identity| {
            let entry = self.arena.by_id(identity)?;
            let is_known = || self.known_as(entry.text).next().is_some();
            let is_said_elsewhere = entry.kind == IdentityKind::Previous && is_known();
            (!is_said_elsewhere).then_some((entry.text, entry.kind))
        };
        let own = along.next().and_then(name);
        let mut others: Vec<_> = along.filter_map(name).collect();
        others.sort_unstable_by_key(|&(text, kind)| (kind, text));
        own.into_iter().chain(others).collect()
    }

    /// True for what a device calls a visitor whom it does not know, or `alias` called somebody before.
    pub fn is_anonymous(&self, identity: IdentityId) -> bool {
        self.kind_of(identity).is_some_and(names_no_customer)
    }

    /// Identities of which `alias` may speak when it says that somebody was called so before.
    pub fn known_as(&self, text: &str) -> impl Iterator<Item = IdentityId> {
        let kinds = [IdentityKind::CustomerId, IdentityKind::Anonymous];
        kinds.into_iter().filter_map(|kind| self.lookup(kind, text))
    }

    fn kind_of(&self, identity: IdentityId) -> Option<IdentityKind> {
        self.arena.by_id(identity).map(|entry| entry.kind)
    }

    /// The customer that an identity stands for: an e-mail that was seen with exactly one customer
    /// id stands for that one, another identity for the one that it was linked to first, if any.
    pub fn resolve(&self, identity: IdentityId) -> CustomerId {
        CustomerId(self.links.root(identity).0)
    }

    /// The identity that one stands for, as the next step to the customer.
    pub fn stands_for(&self, identity: IdentityId) -> Option<IdentityId> {
        self.links.above(identity).next()
    }

    /// Identities that stood for themselves when the transaction began and stand for somebody now.
    pub fn moves(&self) -> Moves {
        let mut moves = Moves::default();
        for (&identity, &from) in &self.before {
            let into = self.resolve(identity);
            let has_left = from != CustomerId(identity.0);
            if from == into || has_left {
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

    /// The customer with that customer id, else with that e-mail, else with that anonymous id, else of
    /// whom `alias` says that they were called so before.
    pub fn find(&self, value: &str) -> Option<CustomerId> {
        let mut kinds = IdentityKind::ALL.into_iter();
        let identity = kinds.find_map(|kind| self.lookup(kind, value))?;
        Some(self.resolve(identity))
    }

    /// All identities that stand for themselves and are not anonymous, with their external ids,
    /// sorted by external id.
    ///
    /// An e-mail seen with several customer ids is among them, also when no row is its own.
    pub fn customers(&self) -> Vec<(&str, CustomerId)> {
        let own = |entry: &Entry<'_>| {
            !names_no_customer(entry.kind) && self.resolve(entry.id) == CustomerId(entry.id.0)
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
            if !names_no_customer(entry.kind) {
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
}

fn names_no_customer(kind: IdentityKind) -> bool {
    match kind {
        IdentityKind::Anonymous | IdentityKind::Previous => true,
        IdentityKind::CustomerId | IdentityKind::Email => false,
    }
}

const UNKNOWN_IDENTITY: StoreError = StoreError::Sealed("the vault does not know the identity");

/// The form in which texts are compared and kept.
fn normal_form(kind: IdentityKind, value: &str) -> Cow<'_, str> {
    let trimmed = value.trim();
    match kind {
        IdentityKind::CustomerId | IdentityKind::Anonymous | IdentityKind::Previous => {
            Cow::Borrowed(trimmed)
        }
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
