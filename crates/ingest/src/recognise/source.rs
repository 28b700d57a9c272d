//! Whose export a file is, by the names of its columns, and the names that mean something else
//! there.

use std::collections::HashSet;

use crate::field::normalised;
use crate::recognition::Form;
use crate::value::{DateHint, NumberHint, date_hint, number_hint};
use crate::{Entity, Field, Format, Header, Source};

/// The source of a file by its columns.
pub(super) fn source(form: &Form, first_row: &[String]) -> Source {
    let names: HashSet<String> = form.names.iter().map(|name| normalised(name)).collect();
    let has = |all: &[&str]| all.iter().all(|name| names.contains(*name));
    if has(&["name", "financialstatus", "lineitemquantity"])
        || has(&["name", "financialstatus", "paidat", "createdat"])
        || has(&["acceptsemailmarketing", "totalspent", "totalorders"])
        || has(&["handle", "variantsku", "variantprice"])
        || (has(&["name", "refundid"]) && !names.contains("orderid"))
    {
        return Source::Shopify;
    }
    if has(&["emailbilling", "ordernumber"])
        || has(&["ordernumber", "orderstatus", "quantityrefund"])
        || has(&["orderkey", "ordercurrency"])
        || has(&["orderid", "ordercurrency", "customeruser"])
        || has(&[
            "orderid",
            "ordercurrency",
            "billingfirstname",
            "paymentmethodtitle",
        ])
        || names.contains("nrevenueformatted")
    {
        return Source::WooCommerce;
    }
    if has(&["stockcode", "invoicedate", "customerid"])
        && (names.contains("invoice") || names.contains("invoiceno"))
    {
        return Source::UciOnlineRetail;
    }
    if is_cdnow(form, first_row) {
        Source::Cdnow
    } else {
        Source::Generic
    }
}

/// CDNOW: `[id] id YYYYMMDD pieces dollars`, separated by spaces, without a header.
fn is_cdnow(form: &Form, first_row: &[String]) -> bool {
    let headerless = matches!(
        form.format,
        Format::Whitespace {
            header: Header::Absent,
            ..
        }
    );
    let unnamed = form.names.iter().all(|name| name.starts_with("column_"));
    let [ids @ .., date, pieces, dollars] = first_row else {
        return false;
    };
    let digits = |cell: &String| cell.bytes().all(|byte| byte.is_ascii_digit());
    headerless
        && unnamed
        && matches!(ids.len(), 1 | 2)
        && ids.iter().all(|id| digits(id) && id.len() >= 4)
        && date.len() == 8
        && date_hint(date) == DateHint::Silent
        && digits(pieces)
        && matches!(number_hint(dollars), NumberHint::Only(_))
}

/// Names that mean a field in the exports of a source, before the general table.
pub(super) fn own_names(source: Source, entity: Entity) -> &'static [(Field, &'static str)] {
    match (source, entity) {
        (Source::Shopify, Entity::Orders) => {
            &[(Field::OrderId, "name"), (Field::OccurredAt, "createdat")]
        }
        (Source::Shopify, Entity::Refunds) => &[(Field::OrderId, "name")],
        (Source::Shopify, Entity::Products) => &[
            (Field::ProductId, "variantsku"),
            (Field::UnitPrice, "variantprice"),
        ],
        (Source::WooCommerce, Entity::Orders) => &[
            (Field::OrderDiscount, "cartdiscountamount"),
            (Field::OrderDiscount, "discounttotal"),
            (Field::Coupon, "couponcode"),
        ],
        (
            Source::Shopify
            | Source::WooCommerce
            | Source::UciOnlineRetail
            | Source::Cdnow
            | Source::Generic,
            _,
        ) => &[],
    }
}

/// Fields by position, of sources without a header.
pub(super) fn positions(source: Source, width: usize) -> Vec<(Field, usize)> {
    match source {
        Source::Cdnow => vec![
            // Of two ids, the second is the one within the sample.
            (Field::CustomerId, width - 4),
            (Field::OccurredAt, width - 3),
            (Field::Quantity, width - 2),
            (Field::OrderTotal, width - 1),
        ],
        Source::Shopify | Source::WooCommerce | Source::UciOnlineRetail | Source::Generic => {
            Vec::new()
        }
    }
}
