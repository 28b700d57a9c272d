//! The manifest: which files count.

use regulars_core::{Partition, Timestamp};
use serde::{Deserialize, Serialize};

/// The two families of files that are kept by customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Lines of orders, credits and refunds.
    Orders,
    /// What was declared about customers.
    Customers,
}

/// A finished file of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Name in `history/`.
    pub file: String,
    /// Its family.
    pub family: Family,
    /// Whose customers it holds.
    pub partition: Partition,
    /// Number of rows.
    pub rows: u64,
    /// Number of distinct customers.
    pub customers: u64,
    /// Earliest `occurred_at`.
    pub first_at: Timestamp,
    /// Latest `occurred_at`.
    pub last_at: Timestamp,
    /// Offset of the earliest import whose rows it holds.
    pub first_import: u64,
    /// Offset of the latest.
    pub last_import: u64,
    /// Length in bytes.
    pub bytes: u64,
}
