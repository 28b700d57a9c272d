//! The orders file: one row per order line.

use std::fmt;

use regulars_core::{OrderStatus, Timestamp};

use crate::columns::columns;
use crate::{Channel, Country, Coupon, CustomerNumber, Device, ProductNumber};

/// An order: whose it is, and how many orders that customer placed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderNumber {
    /// Whose order it is.
    pub customer: CustomerNumber,
    /// Position among this customer's orders, from 1 on.
    pub ordinal: u32,
}

impl fmt::Display for OrderNumber {
    /// The id in files, such as `00123-007`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:03}", self.customer, self.ordinal)
    }
}

/// How the orders file says who bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Buyer {
    /// By customer id: they have an account.
    Account(CustomerNumber),
    /// By e-mail address only: [`crate::Shop::email`].
    Guest(CustomerNumber),
    /// By nothing: only with [`crate::Dirt::Some`].
    Unknown,
}

columns! {
    /// Rows of the orders file, as columns. The lines of an order are neighbours.
    ///
    /// Amounts are minor units of the shop's currency; prices are without tax.
    /// What the shop earns with a line is
    /// `unit_price × quantity − discount − refunded` (net revenue).
    table OrderLines;
    /// A row of the orders file.
    row OrderLineRow;
    /// Identity of the order; the id in files is its text.
    order: OrderNumber,
    /// Position of the line in its order, from 1 on.
    line: u32,
    /// Who bought.
    buyer: Buyer,
    /// When the order was placed: whole seconds.
    ordered_at: Timestamp,
    /// What was bought.
    product: ProductNumber,
    /// Pieces.
    quantity: u32,
    /// Price of one piece, without tax.
    unit_price_minor: i64,
    /// What was taken off the whole line.
    discount_minor: i64,
    /// Shipping of the whole order, on its first line; 0 on the others.
    shipping_minor: i64,
    /// Tax on the discounted line.
    tax_minor: i64,
    /// What brought the customer to the shop this time.
    channel: Channel,
    /// Where the order went.
    country: Country,
    /// What the order was placed with.
    device: Device,
    /// Code used for the order. A discount without a code is a sale price.
    coupon: Option<Coupon>,
    /// Where the order stands at the end of the data.
    status: OrderStatus,
    /// When a cancelled order was cancelled.
    cancelled_at: Option<Timestamp>,
    /// What went back for the line.
    refunded_minor: i64,
    /// When it went back.
    refunded_at: Option<Timestamp>,
    /// When the order last changed.
    updated_at: Timestamp,
}
