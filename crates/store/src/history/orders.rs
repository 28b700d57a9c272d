//! The family of order lines: rows, their columns in the files, and back.
//!
//! | column | type | meaning |
//! |---|---|---|
//! | `customer_id` | u64 | canonical id of the customer |
//! | `occurred_at` | timestamp (ms, UTC) | when the order was placed, the credit or refund given |
//! | `order_key` | u64 | hash of source and order id |
//! | `import_offset` | u64 | offset in the log of the import |
//! | `line` | u32 | position of the line in its version of the order |
//! | `refund_key` | u64 | hash of the refund's id, of a refund from a file of its own; else 0 |
//! | `kind` | text | `sale`, `credit`, `refund` |
//! | `status` | text | `placed`, `unpaid`, `refunded`, `cancelled` |
//! | `updated_at`, `ended_at` | timestamp (ms, UTC) or null | see [`LineRecord`] |
//! | `product_id`, `category`, `brand`, `channel`, `country` | text or null | |
//! | `quantity` | f64 | |
//! | `net_minor`, `refunded_minor` | i64 | minor units of the currency in the file's metadata |
//! | `beside_minor`, `discount_minor`, `cost_minor` | i64 or null | the same |
//! | `order_id` | text | what the source called the order |
//! | `identity_id` | u64 | identity under which the row came |

mod columns;
mod spilled;
mod views;

use regulars_core::{CustomerId, LineRecord, OrderKey, OrderStatus, RefundKey, Timestamp};

pub(super) use columns::{OrderColumns, kind_of, properties, schema, status_of};
pub use spilled::{decode_rows, encode_row};
pub(super) use views::{FullView, VersionView};

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

/// A row of the order history as a version of its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionRow {
    /// Whose rows it lies with.
    pub customer: CustomerId,
    /// The order.
    pub order: OrderKey,
    /// Offset in the log of the import.
    pub import: u64,
    /// The refund, if it is one from a file of refunds.
    pub refund: RefundKey,
    /// True for a credit or refund of a document without the lines of the order.
    pub is_apart: bool,
    /// Where the order stands.
    pub status: OrderStatus,
    /// When this version was made, if it says so.
    pub updated_at: Option<Timestamp>,
    /// The identity under which it came.
    pub identity: IdentityId,
}

/// Order of rows within a customer.
pub(super) type RowOrder = (Timestamp, OrderKey, u64, u32);

/// See [`RowOrder`].
pub(super) fn row_order(record: &LineRecord) -> RowOrder {
    (record.occurred_at, record.order, record.import, record.line)
}
