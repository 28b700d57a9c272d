//! The family of order lines.

use regulars_core::{LineRecord, Symbols};

use crate::StoreError;
use crate::vault::IdentityId;

/// A row of the order history with everything that was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRow {
    /// The row.
    pub record: LineRecord,
    /// What the source called the order.
    pub order_id: String,
    /// The identity under which it came.
    pub identity: IdentityId,
}

/// Appends a row to `into` in a compact form for [`crate::spill`]; not a stored format.
pub fn encode_row(
    _record: &LineRecord,
    _order_id: &str,
    _identity: IdentityId,
    _into: &mut Vec<u8>,
) {
    unimplemented!()
}

/// Reads back what [`encode_row`] wrote; symbols are those of the process that wrote.
///
/// # Errors
/// When the bytes are not rows.
pub fn decode_rows(
    _bytes: &[u8],
    _each: impl FnMut(LineRecord, &str, IdentityId),
) -> Result<(), StoreError> {
    let _ = Symbols::default();
    unimplemented!()
}
