//! What stands in the files of the made-up shop: the columns of each, and its rows.

use regulars_core::{OrderStatus, Timestamp};
use regulars_shop::{AdSpend, Buyer, Customers, OrderLines, Product, Shop};
use regulars_store::export::{Column, ColumnKind, Values};

use super::table::Table;
use crate::error::PipelineError;

fn column(name: &str, kind: ColumnKind) -> Column {
    Column {
        name: name.to_owned(),
        kind,
    }
}

fn money(shop: &Shop) -> ColumnKind {
    ColumnKind::Money {
        exponent: shop.options().currency.exponent(),
    }
}

pub(super) fn order_columns(shop: &Shop) -> Vec<Column> {
    vec![
        column("order_id", ColumnKind::Text),
        column("customer_id", ColumnKind::Text),
        column("email", ColumnKind::Text),
        column("ordered_at", ColumnKind::Instant),
        column("updated_at", ColumnKind::Instant),
        column("status", ColumnKind::Text),
        column("cancelled_at", ColumnKind::Instant),
        column("product_id", ColumnKind::Text),
        column("quantity", ColumnKind::Integer),
        column("unit_price", money(shop)),
        column("line_discount", money(shop)),
        column("refunded", money(shop)),
        column("channel", ColumnKind::Text),
        column("country", ColumnKind::Text),
        column("coupon", ColumnKind::Text),
    ]
}

/// Text of a status in the files.
fn status_text(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Unpaid => "pending",
        OrderStatus::Placed => "paid",
        OrderStatus::Refunded => "refunded",
        OrderStatus::Cancelled => "cancelled",
    }
}

pub(super) fn write_orders(
    table: &mut Table,
    shop: &Shop,
    rows: &OrderLines,
) -> Result<(), PipelineError> {
    let count = rows.len();
    let order_ids: Vec<String> = rows.order.iter().map(ToString::to_string).collect();
    let buyers: Vec<(Option<String>, Option<String>)> = rows
        .buyer
        .iter()
        .map(|buyer| match buyer {
            Buyer::Account(customer) => (Some(customer.to_string()), None),
            Buyer::Guest(customer) => (None, Some(shop.email(*customer))),
            Buyer::Unknown => (None, None),
        })
        .collect();
    let products: Vec<String> = shop
        .products()
        .iter()
        .map(|p| p.number.to_string())
        .collect();
    let product_texts: Vec<&str> = products.iter().map(String::as_str).collect();
    let codes: Vec<u32> = rows.product.iter().map(|product| product.0).collect();
    let texts = |of: &dyn Fn(usize) -> Option<&'static str>| -> Vec<Option<&'static str>> {
        (0..count).map(of).collect()
    };
    let refunded = refunds_by_order(rows);
    // Of an order that was refunded in part, nothing has ended.
    let ended: Vec<Option<Timestamp>> = (0..count)
        .map(|row| match rows.status[row] {
            OrderStatus::Placed | OrderStatus::Unpaid => None,
            OrderStatus::Cancelled => rows.cancelled_at[row],
            OrderStatus::Refunded => rows.refunded_at[row],
        })
        .collect();
    let quantities: Vec<i64> = rows
        .quantity
        .iter()
        .map(|&pieces| i64::from(pieces))
        .collect();
    table.write(
        &[
            Values::Texts(
                &order_ids
                    .iter()
                    .map(|id| Some(id.as_str()))
                    .collect::<Vec<_>>(),
            ),
            Values::Texts(
                &buyers
                    .iter()
                    .map(|(id, _)| id.as_deref())
                    .collect::<Vec<_>>(),
            ),
            Values::Texts(
                &buyers
                    .iter()
                    .map(|(_, email)| email.as_deref())
                    .collect::<Vec<_>>(),
            ),
            Values::Instants(&rows.ordered_at),
            Values::Instants(&rows.updated_at),
            Values::Texts(&texts(&|row| Some(status_text(rows.status[row])))),
            Values::MaybeInstants(&ended),
            Values::Coded {
                codes: &codes,
                texts: &product_texts,
            },
            Values::Integers(&quantities),
            Values::Integers(&rows.unit_price_minor),
            Values::Integers(&rows.discount_minor),
            Values::MaybeIntegers(&refunded),
            Values::Texts(&texts(&|row| Some(rows.channel[row].name()))),
            Values::Texts(&texts(&|row| Some(rows.country[row].name()))),
            Values::Texts(&texts(&|row| rows.coupon[row].map(|coupon| coupon.name()))),
        ],
        count,
    )
}

/// What was refunded of an order, on its first line, as shops' exports have it.
fn refunds_by_order(rows: &OrderLines) -> Vec<Option<i64>> {
    let mut refunded = vec![None; rows.len()];
    let mut first = 0;
    for row in 0..rows.len() {
        if rows.order[row] != rows.order[first] {
            first = row;
        }
        if rows.refunded_minor[row] != 0 {
            *refunded[first].get_or_insert(0) += rows.refunded_minor[row];
        }
    }
    refunded
}

pub(super) fn customer_columns() -> Vec<Column> {
    let mut columns: Vec<Column> = [
        "customer_id",
        "email",
        "first_name",
        "last_name",
        "phone",
        "street",
        "city",
        "region",
        "country",
        "zip",
        "gender",
        "birthday",
        "channel",
    ]
    .into_iter()
    .map(|name| column(name, ColumnKind::Text))
    .collect();
    columns.push(column("consent", ColumnKind::Flag));
    columns.push(column("created_at", ColumnKind::Instant));
    columns
}

pub(super) fn write_customers(table: &mut Table, rows: &Customers) -> Result<(), PipelineError> {
    let owned = |of: &dyn Fn(usize) -> Option<String>| -> Vec<Option<String>> {
        (0..rows.len()).map(of).collect()
    };
    let ids = owned(&|row| Some(rows.customer[row].to_string()));
    let birthdays = owned(&|row| rows.birthday[row].map(|day| day.to_string()));
    let columns: [Vec<Option<&str>>; 13] = [
        ids.iter().map(Option::as_deref).collect(),
        rows.email.iter().map(|text| Some(text.as_str())).collect(),
        rows.first_name
            .iter()
            .map(|text| Some(text.as_str()))
            .collect(),
        rows.last_name
            .iter()
            .map(|text| Some(text.as_str()))
            .collect(),
        rows.phone.iter().map(Option::as_deref).collect(),
        rows.street.iter().map(|text| Some(text.as_str())).collect(),
        rows.city.iter().map(|text| Some(*text)).collect(),
        rows.region.iter().map(|text| Some(*text)).collect(),
        rows.country
            .iter()
            .map(|country| Some(country.name()))
            .collect(),
        rows.zip.iter().map(|text| Some(text.as_str())).collect(),
        rows.gender
            .iter()
            .map(|gender| gender.map(|gender| gender.name()))
            .collect(),
        birthdays.iter().map(Option::as_deref).collect(),
        rows.channel
            .iter()
            .map(|channel| Some(channel.name()))
            .collect(),
    ];
    let consents: Vec<Option<bool>> = rows.consent.iter().map(|&consent| Some(consent)).collect();
    let mut values: Vec<Values<'_>> = columns.iter().map(|texts| Values::Texts(texts)).collect();
    values.push(Values::Flags(&consents));
    values.push(Values::Instants(&rows.created_at));
    table.write(&values, rows.len())
}

pub(super) fn product_columns(shop: &Shop) -> Vec<Column> {
    vec![
        column("product_id", ColumnKind::Text),
        column("product_name", ColumnKind::Text),
        column("category", ColumnKind::Text),
        column("brand", ColumnKind::Text),
        column("price", money(shop)),
        column("cost", money(shop)),
    ]
}

pub(super) fn write_products(table: &mut Table, products: &[Product]) -> Result<(), PipelineError> {
    let ids: Vec<String> = products.iter().map(|p| p.number.to_string()).collect();
    table.write(
        &[
            Values::Texts(&ids.iter().map(|id| Some(id.as_str())).collect::<Vec<_>>()),
            Values::Texts(
                &products
                    .iter()
                    .map(|p| Some(p.name.as_str()))
                    .collect::<Vec<_>>(),
            ),
            Values::Texts(
                &products
                    .iter()
                    .map(|p| Some(p.category))
                    .collect::<Vec<_>>(),
            ),
            Values::Texts(&products.iter().map(|p| Some(p.brand)).collect::<Vec<_>>()),
            Values::Integers(&products.iter().map(|p| p.price_minor).collect::<Vec<_>>()),
            Values::Integers(&products.iter().map(|p| p.cost_minor).collect::<Vec<_>>()),
        ],
        products.len(),
    )
}

pub(super) fn spend_columns(shop: &Shop) -> Vec<Column> {
    vec![
        column("date", ColumnKind::Text),
        column("channel", ColumnKind::Text),
        column("campaign", ColumnKind::Text),
        column("spend", money(shop)),
        column("impressions", ColumnKind::Integer),
        column("clicks", ColumnKind::Integer),
    ]
}

pub(super) fn write_spend(table: &mut Table, rows: &[AdSpend]) -> Result<(), PipelineError> {
    let dates: Vec<String> = rows.iter().map(|row| row.date.to_string()).collect();
    let count = |of: fn(&AdSpend) -> u64| rows.iter().map(|row| of(row) as i64).collect::<Vec<_>>();
    table.write(
        &[
            Values::Texts(
                &dates
                    .iter()
                    .map(|date| Some(date.as_str()))
                    .collect::<Vec<_>>(),
            ),
            Values::Texts(
                &rows
                    .iter()
                    .map(|r| Some(r.channel.name()))
                    .collect::<Vec<_>>(),
            ),
            Values::Texts(&rows.iter().map(|r| Some(r.campaign)).collect::<Vec<_>>()),
            Values::Integers(&rows.iter().map(|r| r.cost_minor).collect::<Vec<_>>()),
            Values::Integers(&count(|row| row.impressions)),
            Values::Integers(&count(|row| row.clicks)),
        ],
        rows.len(),
    )
}
