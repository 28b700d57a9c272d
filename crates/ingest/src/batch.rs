//! What a reader delivers: typed columns of equal length, a few thousand rows at a time.
//!
//! A batch says what the rows of the file say and nothing more: putting rows together into
//! orders, converting currencies and judging dates is the business of who takes the batches.
//! A row is either in every column of a batch or in `rejected`, never in both.

mod column;

use regulars_core::{Currency, OrderStatus, Timestamp};
use serde::{Serialize, Serializer};

pub(crate) use column::DictBuilder;
pub use column::{DeclaredColumn, DeclaredValues, DictColumn, TextColumn};

use crate::tracking::ArchivedEvent;

use crate::RowLevel;

/// Rows of one kind, in the order of the file.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one value stands for thousands of rows"
)]
pub enum Batch {
    /// Refunds of orders.
    Refunds(RefundBatch),
    /// Orders or order lines.
    Orders(OrderBatch),
    /// Customers.
    Customers(CustomerBatch),
    /// Products.
    Products(ProductBatch),
    /// Advertising spend.
    AdSpend(AdSpendBatch),
    /// Events.
    Events(EventBatch),
}

impl Batch {
    /// Rows delivered.
    pub fn len(&self) -> usize {
        match self {
            Self::Refunds(batch) => batch.line.len(),
            Self::Orders(batch) => batch.line.len(),
            Self::Customers(batch) => batch.line.len(),
            Self::Products(batch) => batch.line.len(),
            Self::AdSpend(batch) => batch.line.len(),
            Self::Events(batch) => batch.line.len(),
        }
    }

    /// True when every row was rejected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows of the file that this batch was made from: delivered and rejected.
    pub fn rows_read(&self) -> u64 {
        (self.len() + self.rejected().len()) as u64
    }

    /// Rows that could not be read.
    pub fn rejected(&self) -> &[Reject] {
        match self {
            Self::Refunds(batch) => &batch.rejected,
            Self::Orders(batch) => &batch.rejected,
            Self::Customers(batch) => &batch.rejected,
            Self::Products(batch) => &batch.rejected,
            Self::AdSpend(batch) => &batch.rejected,
            Self::Events(batch) => &batch.rejected,
        }
    }
}

/// Events.
#[derive(Debug)]
pub struct EventBatch {
    /// Line of the file (row number in Parquet), from 1.
    pub line: Vec<u64>,
    /// The events.
    pub events: Vec<ArchivedEvent>,
    /// Rows that could not be read.
    pub rejected: Vec<Reject>,
}

/// Amounts of one column, in minor units of each row's currency; `None` where the cell is empty.
pub type Amounts = Vec<Option<i64>>;

/// Instants of one column; `None` where the cell is empty.
pub type Instants = Vec<Option<Timestamp>>;

/// Orders or order lines. A column is `None` when the file has no such column.
#[derive(Debug)]
pub struct OrderBatch {
    /// Whether a row is an order or a line of one.
    pub level: RowLevel,
    /// Currency of the rows that name none.
    pub file_currency: Currency,
    /// Line of the file (row number in Parquet), from 1.
    pub line: Vec<u64>,
    /// The source's id of the order.
    pub order_id: Option<TextColumn>,
    /// The source's id of the customer.
    pub customer_id: Option<TextColumn>,
    /// E-mail of the customer, trimmed and in lower case.
    pub email: Option<TextColumn>,
    /// When the order was placed. Some exports say it on the first row of an order only.
    pub occurred_at: Instants,
    /// When the source last changed the order.
    pub updated_at: Option<Instants>,
    /// When the order was cancelled or refunded in full.
    pub ended_at: Option<Instants>,
    /// Where the order stands.
    pub status: Option<Vec<Option<OrderStatus>>>,
    /// True for a credit note of its own, such as a UCI invoice that begins with `C`.
    pub credit: Vec<bool>,
    /// The source's id of the product.
    pub product_id: Option<DictColumn>,
    /// Name of the product.
    pub product_name: Option<DictColumn>,
    /// Category of the product.
    pub category: Option<DictColumn>,
    /// Brand or vendor of the product.
    pub brand: Option<DictColumn>,
    /// Sales or acquisition channel.
    pub channel: Option<DictColumn>,
    /// Country of the order.
    pub country: Option<DictColumn>,
    /// Currency code in capitals; missing means `file_currency`.
    pub currency: Option<DictColumn>,
    /// True where the row names no currency and was read in that of the row before, of the same
    /// order; empty when no row was.
    pub currency_carried: Vec<bool>,
    /// Discount code.
    pub coupon: Option<DictColumn>,
    /// Pieces; negative for goods that came back.
    pub quantity: Option<Vec<Option<f64>>>,
    /// Price of one piece.
    pub unit_price: Option<Amounts>,
    /// Amount of the line.
    pub line_total: Option<Amounts>,
    /// Amount of the line, tax and shipping included.
    pub line_gross: Option<Amounts>,
    /// Tax in the line.
    pub line_tax: Option<Amounts>,
    /// Shipping charged for the line.
    pub line_shipping: Option<Amounts>,
    /// Money that went back for the line.
    pub line_refunded: Option<Amounts>,
    /// What discounts took off the line.
    pub line_discount: Option<Amounts>,
    /// What one piece cost the shop.
    pub unit_cost: Option<Amounts>,
    /// Amount of the order.
    pub order_total: Option<Amounts>,
    /// Amount of the order before tax and shipping.
    pub order_subtotal: Option<Amounts>,
    /// What discounts took off the order.
    pub order_discount: Option<Amounts>,
    /// Shipping charged.
    pub shipping: Option<Amounts>,
    /// Tax in the order.
    pub tax: Option<Amounts>,
    /// Money that went back.
    pub refunded: Option<Amounts>,
    /// Rows that could not be read.
    pub rejected: Vec<Reject>,
}

impl OrderBatch {
    /// True when the file says of a first row in which currency its amounts are.
    pub fn names_currency(&self) -> bool {
        let named = self.currency.as_ref().and_then(|column| column.get(0));
        !self.line.is_empty() && named.is_some()
    }

    /// Currency of the amounts of row `row`.
    pub fn currency_of(&self, row: usize) -> Currency {
        self.currency
            .as_ref()
            .and_then(|column| column.get(row))
            .and_then(|code| Currency::new(code).ok())
            .unwrap_or(self.file_currency)
    }
}

/// Refunds of orders, or lines of them. A column is `None` when the file has no such column.
#[derive(Debug)]
pub struct RefundBatch {
    /// Currency of the rows that name none.
    pub file_currency: Currency,
    /// Line of the file (row number in Parquet), from 1.
    pub line: Vec<u64>,
    /// The source's id of the refund.
    pub refund_id: Option<TextColumn>,
    /// The source's id of the order; empty where the cell is.
    pub order_id: TextColumn,
    /// When the money went back.
    pub occurred_at: Instants,
    /// When the source last changed the refund.
    pub updated_at: Option<Instants>,
    /// Where the refund stands: one that is unpaid or cancelled has not happened.
    pub status: Option<Vec<Option<OrderStatus>>>,
    /// The source's id of the product that came back.
    pub product_id: Option<DictColumn>,
    /// Currency code in capitals; missing means `file_currency`.
    pub currency: Option<DictColumn>,
    /// Pieces that came back.
    pub quantity: Option<Vec<Option<f64>>>,
    /// Money that went back, tax and shipping included.
    pub refunded: Option<Amounts>,
    /// The same for the line.
    pub line_refunded: Option<Amounts>,
    /// Money that went back without tax and shipping.
    pub net: Option<Amounts>,
    /// The same for the line.
    pub line_net: Option<Amounts>,
    /// Tax in it.
    pub tax: Option<Amounts>,
    /// The same for the line.
    pub line_tax: Option<Amounts>,
    /// Shipping in it.
    pub shipping: Option<Amounts>,
    /// The same for the line.
    pub line_shipping: Option<Amounts>,
    /// Rows that could not be read.
    pub rejected: Vec<Reject>,
}

impl RefundBatch {
    /// Currency of the amounts of row `row`.
    pub fn currency_of(&self, row: usize) -> Currency {
        let code = self.currency.as_ref().and_then(|column| column.get(row));
        code.and_then(|code| Currency::new(code).ok())
            .unwrap_or(self.file_currency)
    }
}

/// Customers.
#[derive(Debug)]
pub struct CustomerBatch {
    /// Line of the file (row number in Parquet), from 1.
    pub line: Vec<u64>,
    /// The source's id of the customer.
    pub customer_id: Option<TextColumn>,
    /// E-mail, trimmed and in lower case.
    pub email: Option<TextColumn>,
    /// Fields that are sealed before anything is written, by name (`first_name`, `phone`, …).
    pub personal: Vec<(String, TextColumn)>,
    /// Declared traits: the standard ones by their field name, every other column by its header.
    pub declared: Vec<DeclaredColumn>,
    /// Rows that could not be read.
    pub rejected: Vec<Reject>,
}

/// Products.
#[derive(Debug)]
pub struct ProductBatch {
    /// Currency of the rows that name none.
    pub file_currency: Currency,
    /// Line of the file (row number in Parquet), from 1.
    pub line: Vec<u64>,
    /// The source's id of the product; empty where the cell is.
    pub product_id: TextColumn,
    /// Name.
    pub product_name: Option<TextColumn>,
    /// Category.
    pub category: Option<DictColumn>,
    /// Brand or vendor.
    pub brand: Option<DictColumn>,
    /// Currency code in capitals; missing means `file_currency`.
    pub currency: Option<DictColumn>,
    /// What one piece costs the shop.
    pub unit_cost: Option<Amounts>,
    /// What one piece sells for.
    pub unit_price: Option<Amounts>,
    /// Rows that could not be read.
    pub rejected: Vec<Reject>,
}

/// Advertising spend.
#[derive(Debug)]
pub struct AdSpendBatch {
    /// Currency of the rows that name none.
    pub file_currency: Currency,
    /// Line of the file (row number in Parquet), from 1.
    pub line: Vec<u64>,
    /// The day, as its first instant in the workspace's time zone.
    pub date: Instants,
    /// Channel.
    pub channel: Option<DictColumn>,
    /// Campaign.
    pub campaign: Option<DictColumn>,
    /// Currency code in capitals; missing means `file_currency`.
    pub currency: Option<DictColumn>,
    /// What was spent.
    pub spend: Amounts,
    /// Clicks.
    pub clicks: Option<Vec<Option<f64>>>,
    /// Impressions.
    pub impressions: Option<Vec<Option<f64>>>,
    /// Rows that could not be read.
    pub rejected: Vec<Reject>,
}

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// Line of the file (row number in Parquet), from 1.
    pub line: u64,
    /// Header of the column; empty when the row as a whole is at fault.
    pub column: String,
    /// The cell, shortened; personal values are masked.
    pub value: String,
    /// Why, for a person.
    #[serde(serialize_with = "as_text")]
    pub reason: RejectReason,
}

fn as_text<S: Serializer>(reason: &RejectReason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(reason)
}

/// Why a row could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RejectReason {
    /// More or fewer cells than the header.
    #[error("{found} cells where {expected} were expected")]
    Ragged {
        /// Columns of the file.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// A quote that nothing closes.
    #[error("a quote is opened and not closed")]
    UnclosedQuote,
    /// Text between a closing quote and the next delimiter.
    #[error("text follows a closing quote")]
    TextAfterQuote,
    /// Bytes that the file's encoding does not have.
    #[error(
        "bytes that the encoding of the file does not have: save it as UTF-8, or name its encoding with `--encoding`"
    )]
    ForeignBytes,
    /// A byte that no text has.
    #[error("a zero byte, which no text has: the file may be damaged here")]
    ZeroByte,
    /// A line of NDJSON that is no object.
    #[error("not a JSON object on one line")]
    NotJson,
    /// An event that cannot be taken.
    #[error("{0}")]
    Event(
        /// Why and what to do; it says nothing of the event.
        String,
    ),
    /// An id that a spreadsheet rounded to a number of a few digits.
    #[error(
        "an id that a spreadsheet such as Excel rounded, so that others look the same: export the \
         file again and import it as it comes, without saving it from a spreadsheet"
    )]
    RoundedId,
    /// A cell that is no amount or number.
    #[error("not a number")]
    NotANumber,
    /// Two or more readings, and the column does not decide.
    #[error(
        "`,` and `.` are not decided for this column: say `--decimal point` or `--decimal comma`"
    )]
    UndecidedSeparator,
    /// A number that contradicts the decimal separator of the column.
    #[error(
        "contradicts the decimal {expected} of this column (`--decimal` overrides what was decided)"
    )]
    OtherSeparator {
        /// `point` or `comma`.
        expected: &'static str,
    },
    /// Beyond what 64 bits of minor units, or a float without loss, hold.
    #[error("too large a number")]
    TooLarge,
    /// An amount, or a quantity times a price, beyond any shop's.
    #[error("an amount beyond 1,000,000,000,000,000 minor units (cents)")]
    AmountBeyondBound,
    /// A quantity beyond any shop's.
    #[error("a quantity beyond 1,000,000,000")]
    QuantityBeyondBound,
    /// An amount whose sign or code is of another currency than the row.
    #[error("an amount in `{found}` where the row is in `{expected}`")]
    OtherCurrency {
        /// What the cell names.
        found: Currency,
        /// What the row is in.
        expected: Currency,
    },
    /// A text that is no currency.
    #[error("not a currency: use a three-letter code such as `EUR`")]
    NotACurrency,
    /// A cell that is no date.
    #[error("not a date")]
    NotADate,
    /// A date that the calendar does not have.
    #[error("no such day or time")]
    NoSuchDay,
    /// A date that contradicts the day and month order of the column.
    #[error(
        "contradicts the order {expected} of this column (`--date-order` overrides what was decided)"
    )]
    OtherDateOrder {
        /// `day/month/year` or `month/day/year`.
        expected: &'static str,
    },
    /// A day and a month that cannot be told apart.
    #[error("day and month cannot be told apart: say `--date-order dmy` or `--date-order mdy`")]
    UndecidedDateOrder,
    /// A bare number where a date was expected.
    #[error("a bare number where a date was expected (`--excel-dates` reads day numbers)")]
    BareNumber,
    /// A status that is not known.
    #[error(
        "unknown status: say what it means with `--status 'word=placed'` \
         (or `unpaid`, `refunded`, `cancelled`)"
    )]
    UnknownStatus,
    /// A text that is neither yes nor no.
    #[error("neither yes nor no")]
    NotAFlag,
    /// A value of a kind that cannot be read as this field.
    #[error("a value of type `{found}` cannot be read as this field")]
    WrongType {
        /// Type in the file.
        found: String,
    },
}
