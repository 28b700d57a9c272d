//! Orders: the rows that the history keeps, and what the ledger makes of them.
//!
//! ```text
//! file rows ──ingest, pipeline──► LineRecord (every version, as it was read)
//!                                     │ profile::ledger: versions, refunds, credits, as of `now`
//!                                     ▼
//!                                  Order (what counts), folded into traits and leaves
//! ```

use serde::{Deserialize, Serialize};

use crate::{CustomerId, OrderKey, RefundKey, Symbol, Timestamp};

/// What a row of the order history says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// A line of an order.
    Sale,
    /// Goods that came back with no order named: reduces the latest earlier order of the same
    /// customer and product that still has that much.
    Credit,
    /// Money (and goods, where it names them) that went back for the order of the same
    /// [`OrderKey`], and for no other.
    Refund,
}

/// Where an order stands, in the one vocabulary that all sources are mapped to; ordered by how far
/// it is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Not paid (yet): does not count until a newer version says that it is placed.
    Unpaid,
    /// Placed and not cancelled: counts.
    Placed,
    /// Refunded in full: counted until it was refunded.
    Refunded,
    /// Cancelled: counted until it was cancelled.
    Cancelled,
}

/// One row of the order history: a line of one version of an order, a credit or a refund.
///
/// Amounts are minor units of the workspace's currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineRecord {
    /// Whose order it is.
    pub customer: CustomerId,
    /// Identity of the order; of a [`RecordKind::Credit`], of the credit note.
    pub order: OrderKey,
    /// Offset in the log of the import that brought this version; with `updated_at` it decides
    /// which version is the newest.
    pub import: u64,
    /// When the source says that this version was made.
    pub updated_at: Option<Timestamp>,
    /// When the order was placed, or the credit or refund given.
    pub occurred_at: Timestamp,
    /// When a cancelled or refunded order ended, as far as it is told: see [`Self::ended_by`].
    pub ended_at: Option<Timestamp>,
    /// What the row says.
    pub kind: RecordKind,
    /// Where the order stands in this version.
    pub status: OrderStatus,
    /// Position of the line in its version, from 0; from [`Self::FIRST_LINE_APART`] on for credits
    /// and refunds of a document of their own.
    pub line: u32,
    /// Which refund of the order a row from a file of refunds belongs to; else
    /// [`RefundKey::NONE`]. Refunds of different keys add up, a newer one of the same key replaces
    /// the older one, and none is replaced by a version of the order.
    pub refund: RefundKey,
    /// Product, by the source's id of it.
    pub product: Symbol,
    /// Category named on the line, else unknown here and taken from the products.
    pub category: Symbol,
    /// Brand named on the line, else unknown here and taken from the products.
    pub brand: Symbol,
    /// Acquisition or sales channel of the order.
    pub channel: Symbol,
    /// Country of the order.
    pub country: Symbol,
    /// Pieces, or another measure (kilogrammes); never negative.
    pub quantity: f64,
    /// After discounts, without tax and shipping; of a credit or refund, what went back (positive).
    pub net_minor: i64,
    /// Tax and shipping paid beside `net_minor`; `None` when unknown. A row with a [`RefundKey`]
    /// that does not know holds them in `net_minor`, in the proportion of its order.
    pub beside_minor: Option<i64>,
    /// What discounts took off; `None` when the source does not say.
    pub discount_minor: Option<i64>,
    /// What the goods cost the shop; `None` when unknown.
    pub cost_minor: Option<i64>,
    /// What this version says has been refunded of the line.
    pub refunded_minor: i64,
}

impl LineRecord {
    /// Credits and refunds whose document names an order without holding its lines (a file of
    /// refunds) are numbered from here on: a newer version of that order does not replace them,
    /// though one import may have brought both.
    pub const FIRST_LINE_APART: u32 = 1 << 31;

    /// A line sold of which no more is known than whose it is and when it was placed.
    pub fn new(customer: CustomerId, order: OrderKey, import: u64, occurred_at: Timestamp) -> Self {
        Self {
            customer,
            order,
            import,
            updated_at: None,
            occurred_at,
            ended_at: None,
            kind: RecordKind::Sale,
            status: OrderStatus::Placed,
            line: 0,
            refund: RefundKey::NONE,
            product: Symbol::NONE,
            category: Symbol::NONE,
            brand: Symbol::NONE,
            channel: Symbol::NONE,
            country: Symbol::NONE,
            quantity: 0.0,
            net_minor: 0,
            beside_minor: None,
            discount_minor: None,
            cost_minor: None,
            refunded_minor: 0,
        }
    }

    /// When it is known that an order ended or was refunded in part: when the source says that it
    /// happened, else when it made the version that says so, else at once.
    #[inline]
    pub fn ended_by(&self) -> Timestamp {
        let told = self.ended_at.or(self.updated_at);
        told.map_or(self.occurred_at, |at| at.max(self.occurred_at))
    }

    /// True when it says what was sold.
    pub fn names_product(&self) -> bool {
        self.product != Symbol::NONE
    }

    /// True for a credit or refund of a document of its own.
    pub fn is_apart(&self) -> bool {
        self.line >= Self::FIRST_LINE_APART
    }
}

/// An order that counts, as known at some `now`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Order<'a> {
    /// Identity of the order.
    pub key: OrderKey,
    /// When it was placed.
    pub occurred_at: Timestamp,
    /// Net revenue after refunds known at `now`.
    pub net_minor: i64,
    /// Refunds and credits known at `now`.
    pub refunded_minor: i64,
    /// What discounts took off the goods that the customer kept; `None` when unknown.
    pub discount_minor: Option<i64>,
    /// Cost of the goods that the customer kept; `None` unless known for every line.
    pub cost_minor: Option<i64>,
    /// Pieces ordered, returned ones included.
    pub quantity: f64,
    /// Channel of the order.
    pub channel: Symbol,
    /// Country of the order.
    pub country: Symbol,
    /// Its lines.
    pub lines: &'a [OrderLine],
}

/// A line of an order that counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderLine {
    /// Product, by the source's id of it.
    pub product: Symbol,
    /// Category of the product.
    pub category: Symbol,
    /// Brand of the product.
    pub brand: Symbol,
    /// Pieces.
    pub quantity: f64,
    /// Net revenue after refunds known at `now`.
    pub net_minor: i64,
}
