//! What a kind of rows needs, and what to say when a file does not have it.

use std::collections::HashSet;

use super::{Mapped, Said};
use crate::field::nearest;
use crate::reader::{Privacy, masked, text_of};
use crate::recognition::Form;
use crate::rows::Rows;
use crate::{Entity, Field, IngestError, Input, MapReason};

/// Columns that a message lists.
const LISTED: usize = 40;

/// Something that is needed and not there: the field to name, and what it is, for a person.
pub(super) type Missing = (Field, &'static str);

const NO_CUSTOMER: Missing = (
    Field::CustomerId,
    "nothing to tell the customer by (`customer_id` or `email`)",
);
const NO_DATE: Missing = (Field::OccurredAt, "no date of the order (`occurred_at`)");
const NO_AMOUNT: Missing = (
    Field::OrderTotal,
    "no amount (`order_total`, `order_subtotal`, `line_total` or `unit_price`)",
);

/// Amounts of which orders need one.
const AMOUNTS_SOLD: [Field; 7] = [
    Field::OrderTotal,
    Field::OrderSubtotal,
    Field::OrderList,
    Field::LineTotal,
    Field::LineGross,
    Field::LineList,
    Field::UnitPrice,
];

/// What the rows lack to be of their kind; `tried` are the kinds that were tried before.
pub(super) fn missing(
    mapped: &Mapped,
    tried: &[(Mapped, Vec<Missing>)],
    form: &Form,
    (sample, said): (&Rows, &Said),
) -> Vec<Missing> {
    let any = |fields: &[Field]| fields.iter().any(|&field| mapped.has(field));
    let mut missing = Vec::new();
    let mut need = |fields: &[Field], what: Missing| {
        if !any(fields) {
            missing.push(what);
        }
    };
    match mapped.entity {
        Entity::Refunds => {
            let what = (Field::OrderId, "nothing to tell the order by (`order_id`)");
            need(&[Field::OrderId], what);
            let what = (Field::OccurredAt, "no date of the refund (`occurred_at`)");
            need(&[Field::OccurredAt], what);
            let what = (Field::Refunded, "no amount (`refunded` or `refund_net`)");
            let amounts = [Field::Refunded, Field::LineRefunded, Field::RefundNet];
            need(&amounts, what);
        }
        Entity::Orders => {
            need(&[Field::CustomerId, Field::Email], NO_CUSTOMER);
            need(&[Field::OccurredAt], NO_DATE);
            need(&AMOUNTS_SOLD, NO_AMOUNT);
        }
        Entity::AdSpend => {
            need(&[Field::Date], (Field::Date, "no date (`date`)"));
            need(&[Field::Spend], (Field::Spend, "no amount (`spend`)"));
            let what = (
                Field::Channel,
                "nothing that it was spent on (`channel` or `campaign`)",
            );
            need(&[Field::Channel, Field::Campaign], what);
        }
        Entity::Products => {
            let what = (
                Field::ProductId,
                "nothing to tell the product by (`product_id`)",
            );
            need(&[Field::ProductId], what);
            let about = [
                Field::ProductName,
                Field::Category,
                Field::Brand,
                Field::UnitCost,
                Field::UnitPrice,
            ];
            let what = (
                Field::Category,
                "nothing about the product (`category`, `brand`, `unit_cost`, …)",
            );
            need(&about, what);
        }
        Entity::Events => needs_of_events(said, &mut need),
        Entity::Customers => {
            need(&[Field::CustomerId, Field::Email], NO_CUSTOMER);
            let meant = tried
                .iter()
                .find(|(tried, _)| tried.entity == Entity::Orders);
            // Rows that speak of orders are no customers, even when a date or an amount of
            // theirs was not found.
            if let Some((orders, open)) = meant
                && (speaks_of_orders(orders) || repeats(mapped, form, sample))
            {
                missing.extend(open);
            }
        }
    }
    missing
}

fn needs_of_events(said: &Said, need: &mut dyn FnMut(&[Field], Missing)) {
    let ids = [Field::CustomerId, Field::Email, Field::AnonymousId];
    let what = (
        Field::CustomerId,
        "nothing to tell whose it is by (`customer_id`, `email` or `anonymous_id`)",
    );
    need(&ids, what);
    let what = (Field::OccurredAt, "no time of the event (`occurred_at`)");
    need(&[Field::OccurredAt], what);
    if said.now.event.is_none() {
        let what = (
            Field::EventName,
            "nothing that says what happened (`event_name`, or `--event NAME` for all rows)",
        );
        need(&[Field::EventName], what);
    }
}

/// Whether the rows are refunds: each has an id of its own as one, or the only amount beside an
/// order is what went back. `orders` is what they would be as orders.
pub(super) fn speaks_of_refunds(refunds: &Mapped, orders: &Mapped, sample: &Rows) -> bool {
    let id = |found: &super::Found| found.field == Field::RefundId;
    if let Some(position) = refunds
        .fields
        .iter()
        .position(|f| f.as_ref().is_some_and(id))
    {
        let ids = sample.column(position);
        return (0..ids.len()).all(|row| !text_of(ids, row).is_empty());
    }
    let is_said = |reason| reason != MapReason::Content;
    let mut found = orders.fields.iter().flatten();
    let sells = found.any(|found| AMOUNTS_SOLD.contains(&found.field) && is_said(found.reason));
    let back = orders.has(Field::Refunded) || orders.has(Field::LineRefunded);
    back && !sells && orders.has(Field::OrderId)
}

fn speaks_of_orders(orders: &Mapped) -> bool {
    let lines = [
        Field::OrderId,
        Field::ProductId,
        Field::Quantity,
        Field::UnitPrice,
        Field::LineTotal,
    ];
    lines.iter().any(|&field| orders.has(field))
}

/// Whether many customers stand on several rows.
fn repeats(mapped: &Mapped, form: &Form, sample: &Rows) -> bool {
    let key = |field| {
        let found = |position: &usize| mapped.fields[*position].is_some_and(|f| f.field == field);
        (0..form.names.len()).find(found)
    };
    let Some(position) = key(Field::CustomerId).or_else(|| key(Field::Email)) else {
        return false;
    };
    let column = sample.column(position);
    let ids: Vec<String> = (0..column.len()).map(|row| text_of(column, row)).collect();
    let distinct: HashSet<&String> = ids.iter().collect();
    distinct.len() * 5 < ids.len() * 4
}

/// The error for a file whose columns are of no kind of rows; `said` is what it was taken for,
/// and the pairs of `--map` that name no column of it.
pub(super) fn unmapped(
    input: &Input,
    form: &Form,
    mapped: &Mapped,
    missing: &[Missing],
    (entity, unused): (Option<Entity>, &[String]),
) -> IngestError {
    let what: Vec<&str> = missing.iter().map(|&(_, what)| what).collect();
    let unnamed = form
        .names
        .iter()
        .enumerate()
        .all(|(i, name)| *name == format!("column_{}", i + 1));
    let example = if let Some(pair) = unused.first() {
        let (_, column) = pair.split_once('=').unwrap_or(("", pair));
        let nearest = nearest(column, form.names.iter().map(String::as_str));
        let nearest = masked(nearest.unwrap_or_default(), Privacy::Open);
        format!("`--map {pair}`: there is no column `{column}`: did you mean `{nearest}`?")
    } else if form.names.len() == 1 {
        "it has one column: if lines such as a title stand above the header, delete them".to_owned()
    } else if unnamed {
        "it has no header: name its columns in order, such as \
         `--columns order_id,customer_id,date,-,total` (`-` leaves one out)"
            .to_owned()
    } else {
        let free = form
            .names
            .iter()
            .enumerate()
            .filter(|(i, _)| mapped.fields[*i].is_none());
        let field = missing
            .first()
            .map_or(Field::CustomerId, |&(field, _)| field);
        let column = nearest(field.name(), free.map(|(_, name)| name.as_str()));
        let column = column
            .or(form.names.first().map(String::as_str))
            .unwrap_or_default();
        let column = masked(column, Privacy::Open);
        format!("say which column it is, such as `--map '{field}={column}'`")
    };
    IngestError::Unmapped {
        file: input.name().to_owned(),
        entity,
        missing: what.join(", "),
        columns: listed(form),
        example,
    }
}

/// The error for a file that may hold products or customers.
pub(super) fn either(input: &Input, form: &Form) -> IngestError {
    IngestError::ProductsOrCustomers {
        file: input.name().to_owned(),
        columns: listed(form),
    }
}

/// The columns, each in backticks.
fn listed(form: &Form) -> String {
    let shown = |name: &String| format!("`{}`", masked(name, Privacy::Open));
    let mut columns: Vec<String> = form.names.iter().take(LISTED).map(shown).collect();
    if form.names.len() > LISTED {
        columns.push(format!("and {} more", form.names.len() - LISTED));
    }
    columns.join(", ")
}
