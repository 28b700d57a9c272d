//! Fields: what a column of a user's file can hold, with the names that stand for it.
//!
//! One table for each kind of file ([`names`]): recognition, `--map` and the documentation read
//! it. Field names are stable: they are part of `--map` and of the JSON output.

mod names;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use names::{FieldNames, field_table};
pub(crate) use names::{normalised, split_minor_units};

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// Refunds of orders.
    Refunds,
    /// Orders or order lines.
    Orders,
    /// Customers.
    Customers,
    /// Products.
    Products,
    /// Advertising spend.
    AdSpend,
    /// Events: things that happened.
    Events,
}

impl Entity {
    /// All kinds, in the order in which they are tried; events before all others, where the rows
    /// speak of them.
    pub const ALL: [Self; 6] = [
        Self::Refunds,
        Self::Orders,
        Self::AdSpend,
        Self::Products,
        Self::Customers,
        Self::Events,
    ];

    /// Name in `--entity` and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refunds => "refunds",
            Self::Orders => "orders",
            Self::Customers => "customers",
            Self::Products => "products",
            Self::AdSpend => "ad_spend",
            Self::Events => "events",
        }
    }

    /// The rows, in a sentence.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Refunds => "refunds",
            Self::Orders => "orders",
            Self::Customers => "customers",
            Self::Products => "products",
            Self::AdSpend => "ad spend",
            Self::Events => "events",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entity| entity.name() == name)
    }
}

/// How the cells of a field are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// An id: text, with the traces of spreadsheets and float columns taken off.
    Id,
    /// An e-mail address.
    Email,
    /// A text that repeats.
    Text,
    /// A personal text, sealed before anything is written.
    Personal,
    /// A day or an instant.
    Instant,
    /// An amount of money.
    Amount,
    /// A number.
    Number,
    /// A currency code.
    Currency,
    /// The status of an order.
    Status,
    /// Yes or no.
    Flag,
}

macro_rules! fields {
    ($($id:ident $name:literal $kind:ident $doc:literal;)*) => {
        /// What a column holds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Field {
            $(#[doc = $doc] $id,)*
        }

        impl Field {
            /// All fields, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$id,)*];

            /// Name in `--map` and in JSON.
            pub fn name(self) -> &'static str {
                match self { $(Self::$id => $name,)* }
            }

            /// What it means, for a person, in most files.
            fn usual_doc(self) -> &'static str {
                match self { $(Self::$id => $doc,)* }
            }

            pub(crate) fn kind(self) -> FieldKind {
                match self { $(Self::$id => FieldKind::$kind,)* }
            }
        }
    };
}

fields! {
    RefundId "refund_id" Id "The source's id of the refund";
    OrderId "order_id" Id "The source's id of the order";
    CustomerId "customer_id" Id "The source's id of the customer";
    Email "email" Email "E-mail of the customer";
    OccurredAt "occurred_at" Instant "When the order was placed";
    UpdatedAt "updated_at" Instant "When the order was last changed";
    EndedAt "ended_at" Instant "When the order was cancelled or refunded in full";
    Status "status" Status "Where the order stands";
    ProductId "product_id" Id "The source's id of the product";
    ProductName "product_name" Text "Name of the product";
    Category "category" Text "Category of the product";
    Brand "brand" Text "Brand or vendor of the product";
    Channel "channel" Text "Sales or acquisition channel";
    Country "country" Text "Country";
    Currency "currency" Currency "Currency of the amounts of the row";
    Coupon "coupon" Text "Discount code";
    Quantity "quantity" Number "Pieces; negative for goods that came back";
    UnitPrice "unit_price" Amount "Price of one piece";
    LineTotal "line_total" Amount "Amount of the line, after its discount";
    LineList "line_list" Amount "Amount of the line before discounts";
    LineGross "line_gross" Amount "Amount of the line, tax and shipping included";
    LineTax "line_tax" Amount "Tax in the line";
    LineShipping "line_shipping" Amount "Shipping charged for the line";
    LineRefunded "line_refunded" Amount "Money that went back for the line";
    LineDiscount "line_discount" Amount "What discounts took off the line";
    UnitCost "unit_cost" Amount "What one piece costs the shop";
    OrderTotal "order_total" Amount "Amount of the order";
    OrderSubtotal "order_subtotal" Amount "Amount of the order before tax and shipping";
    OrderList "order_list" Amount "Amount of the order before discounts, tax and shipping";
    OrderDiscount "order_discount" Amount "What discounts took off the order";
    Shipping "shipping" Amount "Shipping charged";
    Tax "tax" Amount "Tax in the order";
    Refunded "refunded" Amount "Money that went back";
    RefundNet "refund_net" Amount "What went back, without tax and shipping";
    RefundTax "refund_tax" Amount "Tax in what went back";
    RefundShipping "refund_shipping" Amount "Shipping in what went back";
    Name "name" Personal "Full name of the customer";
    FirstName "first_name" Personal "First name";
    LastName "last_name" Personal "Last name";
    Phone "phone" Personal "Telephone number";
    Street "street" Personal "Street and house number";
    Zip "zip" Personal "Postal code";
    Note "note" Personal "Free text about the customer";
    City "city" Text "City";
    Region "region" Text "State or province";
    Gender "gender" Text "Gender";
    Birthday "birthday" Instant "Date of birth";
    Consent "consent" Flag "Consent to marketing";
    Tags "tags" Text "Tags";
    CreatedAt "created_at" Instant "When the customer was added";
    Date "date" Instant "The day of the spend";
    Campaign "campaign" Text "Campaign";
    Spend "spend" Amount "What was spent";
    Clicks "clicks" Number "Clicks";
    Impressions "impressions" Number "Impressions";
    EventName "event_name" Text "Name of what happened";
    AnonymousId "anonymous_id" Id "Id of a visitor who may not be known";
    MessageId "message_id" Id "What makes an event the same when it comes again";
    Call "call" Text "A tracking call, as JSON";
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Field {
    /// The field as it is called in files of `entity`: a `date` of orders is `occurred_at`.
    /// `None` when such files have no such field.
    pub(crate) fn within(self, entity: Entity) -> Option<Self> {
        let field = match (self, entity) {
            (Self::Date, Entity::Orders) => Self::OccurredAt,
            (Self::Date | Self::EndedAt, Entity::Refunds) => Self::OccurredAt,
            (Self::OrderTotal, Entity::Refunds) => Self::Refunded,
            (Self::OrderSubtotal, Entity::Refunds) => Self::RefundNet,
            (Self::Tax, Entity::Refunds) => Self::RefundTax,
            (Self::Shipping, Entity::Refunds) => Self::RefundShipping,
            (Self::OccurredAt, Entity::AdSpend) => Self::Date,
            (Self::Name, Entity::Products) => Self::ProductName,
            (Self::Date, Entity::Events) => Self::OccurredAt,
            (Self::UnitCost, Entity::AdSpend) => Self::Spend,
            (field, _) => field,
        };
        field_table(entity)
            .iter()
            .any(|names| names.field == field)
            .then_some(field)
    }

    /// What it means in files of `entity`, for a person.
    pub fn doc(self, entity: Entity) -> &'static str {
        match (self, entity) {
            (Self::OccurredAt, Entity::Refunds) => "When the money went back",
            (Self::UpdatedAt, Entity::Refunds) => "When the refund was last changed",
            (Self::Status, Entity::Refunds) => "Where the refund stands",
            (Self::Quantity, Entity::Refunds) => "Pieces that came back",
            (Self::OccurredAt, Entity::Events) => "When it happened",
            (field, _) => field.usual_doc(),
        }
    }

    /// The field of that name, or of that header.
    ///
    /// # Errors
    /// When there is none; the message names the nearest.
    pub fn named(name: &str) -> Result<Self, FieldError> {
        if let Some(&field) = Self::ALL.iter().find(|field| field.name() == name) {
            return Ok(field);
        }
        // A known header names its field as well.
        let wanted = normalised(name);
        // Names that orders and refunds share are rather those of orders.
        let (refunds, others) = Entity::ALL.split_at(1);
        let mut tables = others.iter().chain(refunds).copied().flat_map(field_table);
        let known = tables.find(|names| {
            names
                .headers
                .iter()
                .any(|header| normalised(header) == wanted)
        });
        if let Some(names) = known {
            return Ok(names.field);
        }
        let nearest = nearest(name, Self::ALL.iter().map(|field| field.name()));
        Err(FieldError {
            name: name.to_owned(),
            nearest: nearest.unwrap_or("order_id").to_owned(),
        })
    }
}

/// A name that no field has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no field `{name}`: did you mean `{nearest}`?")]
pub struct FieldError {
    /// What was asked for.
    pub name: String,
    /// The field whose name is nearest.
    pub nearest: String,
}

/// The candidate that is nearest to `name`; between equals the first.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted = normalised(name);
    candidates.min_by_key(|candidate| {
        let candidate = normalised(candidate);
        let contains = candidate.contains(&wanted) || wanted.contains(&candidate);
        // A name that contains the other is nearer than one that only looks alike.
        distance(&wanted, &candidate) * if contains { 1 } else { 2 }
    })
}

/// Levenshtein distance, over characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_get_the_nearest_name() {
        let nearest = |name| Field::named(name).unwrap_err().nearest;
        assert_eq!(nearest("costumer_id"), "customer_id");
        assert_eq!(nearest("oder_id"), "order_id");
        assert_eq!(nearest("quantiy"), "quantity");
        assert_eq!(Field::named("line_total"), Ok(Field::LineTotal));
        assert_eq!(Field::named("Kundennummer"), Ok(Field::CustomerId));
        assert_eq!(Field::Date.within(Entity::Orders), Some(Field::OccurredAt));
        assert_eq!(Field::Spend.within(Entity::Orders), None);
        assert_eq!(Field::named("amount"), Ok(Field::OrderTotal));
        let amount = Field::OrderTotal.within(Entity::Refunds);
        assert_eq!(amount, Some(Field::Refunded));
        assert_eq!(Field::named("Refund ID"), Ok(Field::RefundId));
    }

    #[test]
    fn field_names_are_those_of_json() {
        for field in Field::ALL {
            assert_eq!(
                serde_json::to_string(field).unwrap(),
                format!("\"{}\"", field.name())
            );
        }
    }
}
