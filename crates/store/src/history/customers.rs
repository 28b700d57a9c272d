//! The family of declared traits.

use regulars_core::{CustomerId, Timestamp};

use crate::vault::IdentityId;

/// What one row of an import said about a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRow {
    /// Who.
    pub customer: CustomerId,
    /// The identity under which the row came.
    pub identity: IdentityId,
    /// When it was true; of two values of a trait, the later counts.
    pub occurred_at: Timestamp,
    /// Offset in the log of the import.
    pub import: u64,
    /// Traits that are no personal data, as a JSON object.
    pub traits: String,
    /// Personal data, sealed with the identity's key ([`crate::vault::Vault::seal`]).
    pub sealed: Option<Vec<u8>>,
}
