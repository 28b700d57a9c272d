//! Carts: what a customer has put aside and not ordered yet.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A cart of one customer, as it is now. It has at least one item and has not been ordered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cart {
    /// When its content last changed.
    pub changed_at: Timestamp,
    /// The first instant at which it no longer counts as open if nothing happens.
    pub open_until: Timestamp,
    /// What is in it, in minor units of the workspace's currency; `None` when unknown.
    pub value_minor: Option<i64>,
    /// Pieces in it.
    pub items: f64,
}
