//! The first rows of a file, as they stand and as they will be read.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use regulars_core::{Currency, Timestamp, format_minor};

use crate::batch::{Amounts, Instants};
use crate::reader::{Builder, Privacy, masked, open_rows, text_of};
use crate::rows::{Limits, Projection};
use crate::{
    AdSpendBatch, Batch, CustomerBatch, DeclaredValues, DictColumn, EventBatch, Field, IngestError,
    Input, OrderBatch, ProductBatch, ReadOptions, Recognition, RefundBatch, SampleRow, TextColumn,
};

/// Rows that are shown.
const ROWS: usize = 10;

/// Reads the first rows with what was recognised.
pub(super) fn samples(
    input: &Input,
    recognition: &Recognition,
    options: &ReadOptions,
) -> Result<Vec<SampleRow>, IngestError> {
    let positions = (0..recognition.form.names.len()).collect();
    let projection = Projection {
        positions,
        repeating: Vec::new(),
    };
    let read = Arc::new(AtomicU64::new(0));
    let limits = Limits {
        batch_rows: ROWS,
        max_line_bytes: options.max_line_bytes,
    };
    let mut rows = open_rows(input, &recognition.form, &projection, limits, &read)?;
    let Some(split) = rows.next_batch()? else {
        return Ok(Vec::new());
    };
    let (lines, width) = (split.rows.lines(), recognition.columns.len());
    let raw: Vec<Vec<String>> = (0..split.rows.len())
        .map(|row| {
            let cell = |position: usize| {
                let text = text_of(split.rows.column(position), row);
                masked(&text, recognition.columns[position].privacy())
            };
            (0..width).map(cell).collect()
        })
        .collect();
    let (batch, _) = Builder::new(recognition, options).build(split);
    let mut samples: Vec<SampleRow> = lines
        .iter()
        .zip(raw)
        .map(|(&line, raw)| SampleRow {
            line,
            raw,
            typed: Vec::new(),
            rejected: None,
        })
        .collect();
    for reject in batch.rejected() {
        let reason = match reject.column.as_str() {
            "" => reject.reason.to_string(),
            column => format!("`{column}`: {}", reject.reason),
        };
        match samples.iter_mut().find(|sample| sample.line == reject.line) {
            Some(sample) => sample.rejected = Some(reason),
            None => samples.push(SampleRow {
                line: reject.line,
                raw: Vec::new(),
                typed: Vec::new(),
                rejected: Some(reason),
            }),
        }
    }
    for (row, line) in lines_of(&batch).iter().enumerate() {
        if let Some(sample) = samples.iter_mut().find(|sample| sample.line == *line) {
            sample.typed = typed(&batch, row);
        }
    }
    samples.sort_by_key(|sample| sample.line);
    samples.truncate(ROWS);
    Ok(samples)
}

fn lines_of(batch: &Batch) -> &[u64] {
    match batch {
        Batch::Refunds(batch) => &batch.line,
        Batch::Orders(batch) => &batch.line,
        Batch::Customers(batch) => &batch.line,
        Batch::Products(batch) => &batch.line,
        Batch::AdSpend(batch) => &batch.line,
        Batch::Events(batch) => &batch.line,
    }
}

fn typed(batch: &Batch, row: usize) -> Vec<(String, String)> {
    let mut shown = Shown {
        row,
        values: Vec::new(),
    };
    match batch {
        Batch::Refunds(batch) => shown.refund(batch),
        Batch::Orders(batch) => shown.order(batch),
        Batch::Customers(batch) => shown.customer(batch),
        Batch::Products(batch) => shown.product(batch),
        Batch::AdSpend(batch) => shown.ad_spend(batch),
        Batch::Events(batch) => shown.event(batch),
    }
    shown.values
}

/// The values of one row, as text.
struct Shown {
    row: usize,
    values: Vec<(String, String)>,
}

impl Shown {
    fn push(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.values.push((name.to_owned(), value));
        }
    }

    fn text(&mut self, field: Field, column: Option<&TextColumn>) {
        self.push(
            field.name(),
            column.map(|column| masked(column.get(self.row), Privacy::Open)),
        );
    }

    fn event(&mut self, batch: &EventBatch) {
        let event = &batch.events[self.row].event;
        let open = |text: &str| Some(masked(text, Privacy::Open));
        self.push("event", open(event.known_name()));
        for (field, id) in [
            (Field::CustomerId, &event.user_id),
            (Field::AnonymousId, &event.anonymous_id),
        ] {
            self.push(field.name(), id.as_deref().and_then(open));
        }
        self.push(
            Field::OccurredAt.name(),
            Some(event.occurred_at.to_string()),
        );
        self.push("properties", open(&event.properties));
    }

    fn hidden(&mut self, name: &str, column: Option<&TextColumn>) {
        let value = column.map(|column| column.get(self.row));
        self.push(
            name,
            value
                .filter(|value| !value.is_empty())
                .map(|_| "***".to_owned()),
        );
    }

    fn word(&mut self, field: Field, column: Option<&DictColumn>) {
        let text = column.and_then(|column| column.get(self.row));
        let value = text.map(|text| masked(text, Privacy::Open));
        self.push(field.name(), value);
    }

    fn amount(&mut self, field: Field, column: Option<&Amounts>, currency: Currency) {
        let minor = column.and_then(|column| column[self.row]);
        self.push(
            field.name(),
            minor.map(|minor| format_minor(minor, currency.exponent())),
        );
    }

    fn instant(&mut self, field: Field, column: Option<&Instants>) {
        let at = column.and_then(|column| column[self.row]);
        self.push(field.name(), at.map(|at: Timestamp| at.to_string()));
    }

    fn number(&mut self, field: Field, column: Option<&Vec<Option<f64>>>) {
        let number = column.and_then(|column| column[self.row]);
        self.push(field.name(), number.map(|number| number.to_string()));
    }

    fn order(&mut self, batch: &OrderBatch) {
        let currency = batch.currency_of(self.row);
        self.text(Field::OrderId, batch.order_id.as_ref());
        self.text(Field::CustomerId, batch.customer_id.as_ref());
        self.hidden(Field::Email.name(), batch.email.as_ref());
        self.instant(Field::OccurredAt, Some(&batch.occurred_at));
        self.instant(Field::UpdatedAt, batch.updated_at.as_ref());
        self.instant(Field::EndedAt, batch.ended_at.as_ref());
        let status = batch.status.as_ref().and_then(|status| status[self.row]);
        self.push(
            Field::Status.name(),
            status.map(|status| format!("{status:?}").to_lowercase()),
        );
        self.push("credit", batch.credit[self.row].then(|| "yes".to_owned()));
        let words = [
            (Field::ProductId, &batch.product_id),
            (Field::ProductName, &batch.product_name),
            (Field::Category, &batch.category),
            (Field::Brand, &batch.brand),
            (Field::Channel, &batch.channel),
            (Field::Country, &batch.country),
            (Field::Coupon, &batch.coupon),
        ];
        words
            .into_iter()
            .for_each(|(field, column)| self.word(field, column.as_ref()));
        self.number(Field::Quantity, batch.quantity.as_ref());
        let amounts = [
            (Field::UnitPrice, &batch.unit_price),
            (Field::LineTotal, &batch.line_total),
            (Field::LineGross, &batch.line_gross),
            (Field::LineTax, &batch.line_tax),
            (Field::LineShipping, &batch.line_shipping),
            (Field::LineRefunded, &batch.line_refunded),
            (Field::LineDiscount, &batch.line_discount),
            (Field::UnitCost, &batch.unit_cost),
            (Field::OrderTotal, &batch.order_total),
            (Field::OrderSubtotal, &batch.order_subtotal),
            (Field::OrderDiscount, &batch.order_discount),
            (Field::Shipping, &batch.shipping),
            (Field::Tax, &batch.tax),
            (Field::Refunded, &batch.refunded),
        ];
        for (field, column) in amounts {
            self.amount(field, column.as_ref(), currency);
        }
        self.push(Field::Currency.name(), Some(currency.to_string()));
    }

    fn refund(&mut self, batch: &RefundBatch) {
        let currency = batch.currency_of(self.row);
        self.text(Field::RefundId, batch.refund_id.as_ref());
        self.text(Field::OrderId, Some(&batch.order_id));
        self.instant(Field::OccurredAt, Some(&batch.occurred_at));
        self.instant(Field::UpdatedAt, batch.updated_at.as_ref());
        let status = batch.status.as_ref().and_then(|column| column[self.row]);
        self.push(
            Field::Status.name(),
            status.map(|status| format!("{status:?}").to_lowercase()),
        );
        self.word(Field::ProductId, batch.product_id.as_ref());
        self.number(Field::Quantity, batch.quantity.as_ref());
        let amounts = [
            (Field::Refunded, &batch.refunded),
            (Field::LineRefunded, &batch.line_refunded),
            (Field::RefundNet, &batch.net),
            (Field::LineTotal, &batch.line_net),
            (Field::RefundTax, &batch.tax),
            (Field::LineTax, &batch.line_tax),
            (Field::RefundShipping, &batch.shipping),
            (Field::LineShipping, &batch.line_shipping),
        ];
        for (field, column) in amounts {
            self.amount(field, column.as_ref(), currency);
        }
        self.push(Field::Currency.name(), Some(currency.to_string()));
    }

    fn customer(&mut self, batch: &CustomerBatch) {
        self.text(Field::CustomerId, batch.customer_id.as_ref());
        self.hidden(Field::Email.name(), batch.email.as_ref());
        for (name, column) in &batch.personal {
            self.hidden(name, Some(column));
        }
        for column in &batch.declared {
            let value = match &column.values {
                DeclaredValues::Flag(values) => values[self.row].map(|flag| flag.to_string()),
                DeclaredValues::Number(values) => values[self.row].map(|number| number.to_string()),
                DeclaredValues::Date(values) => values[self.row].map(|at| at.to_string()),
                DeclaredValues::Text(column) => column.get(self.row).map(str::to_owned),
            };
            self.push(&column.name, value);
        }
    }

    fn product(&mut self, batch: &ProductBatch) {
        let code = batch
            .currency
            .as_ref()
            .and_then(|column| column.get(self.row));
        let currency = code
            .and_then(|code| Currency::new(code).ok())
            .unwrap_or(batch.file_currency);
        self.text(Field::ProductId, Some(&batch.product_id));
        self.text(Field::ProductName, batch.product_name.as_ref());
        self.word(Field::Category, batch.category.as_ref());
        self.word(Field::Brand, batch.brand.as_ref());
        self.amount(Field::UnitCost, batch.unit_cost.as_ref(), currency);
        self.amount(Field::UnitPrice, batch.unit_price.as_ref(), currency);
    }

    fn ad_spend(&mut self, batch: &AdSpendBatch) {
        let code = batch
            .currency
            .as_ref()
            .and_then(|column| column.get(self.row));
        let currency = code
            .and_then(|code| Currency::new(code).ok())
            .unwrap_or(batch.file_currency);
        self.instant(Field::Date, Some(&batch.date));
        self.word(Field::Channel, batch.channel.as_ref());
        self.word(Field::Campaign, batch.campaign.as_ref());
        self.amount(Field::Spend, Some(&batch.spend), currency);
        self.number(Field::Clicks, batch.clicks.as_ref());
        self.number(Field::Impressions, batch.impressions.as_ref());
    }
}
