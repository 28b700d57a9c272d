//! The vault: who the customers are.

use regulars_core::CustomerId;

use crate::StoreError;

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
}

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

/// All identities of a workspace, in memory.
#[derive(Debug)]
pub struct Vault {}

/// True for values that many people share (`0`, `null`, `guest`, …), which identify nobody.
pub fn is_blocked_identity(_value: &str) -> bool {
    unimplemented!()
}

impl Vault {
    /// The identity of `value`, made if it is new; e-mails are compared trimmed and in lower case.
    ///
    /// # Errors
    /// When the value is blocked ([`is_blocked_identity`]) or no random number can be had.
    pub fn lookup_or_mint(
        &mut self,
        _kind: IdentityKind,
        _value: &str,
    ) -> Result<IdentityId, StoreError> {
        unimplemented!()
    }

    /// The identity of `value`, if it is known.
    pub fn lookup(&self, _kind: IdentityKind, _value: &str) -> Option<IdentityId> {
        unimplemented!()
    }

    /// Notes that an e-mail was seen together with a customer id; any order, any number of times.
    pub fn link(&mut self, _email: IdentityId, _customer: IdentityId) {
        unimplemented!()
    }

    /// The customer that an identity stands for: an e-mail that was seen with exactly one customer
    /// id stands for that one, any other identity for itself.
    pub fn resolve(&self, _identity: IdentityId) -> CustomerId {
        unimplemented!()
    }

    /// Identities whose resolution changed since the transaction began.
    pub fn moves(&self) -> Moves {
        unimplemented!()
    }

    /// Encrypts personal data with the identity's own key.
    ///
    /// # Errors
    /// When no random number can be had.
    pub fn seal(&self, _identity: IdentityId, _plaintext: &[u8]) -> Result<Vec<u8>, StoreError> {
        unimplemented!()
    }

    /// Decrypts what [`Vault::seal`] made.
    ///
    /// # Errors
    /// When it is not of this identity, damaged or of an unknown version.
    pub fn open(&self, _identity: IdentityId, _sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        unimplemented!()
    }

    /// What a person calls the customer: the customer id if there is one, else the e-mail; `None`
    /// for an id that the vault does not know.
    pub fn external_id(&self, _customer: CustomerId) -> Option<&str> {
        unimplemented!()
    }

    /// The customer with that customer id, else with that e-mail.
    pub fn find(&self, _value: &str) -> Option<CustomerId> {
        unimplemented!()
    }

    /// All customers (identities that stand for themselves) with their external ids, sorted by
    /// external id.
    pub fn customers(&self) -> Vec<(&str, CustomerId)> {
        unimplemented!()
    }

    /// Number of identities.
    pub fn len(&self) -> usize {
        unimplemented!()
    }

    /// True without identities.
    pub fn is_empty(&self) -> bool {
        unimplemented!()
    }
}
