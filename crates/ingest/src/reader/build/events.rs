//! Batches of events: tracking calls as they were archived, or rows that become such calls.

use regulars_core::Timestamp;
use serde_json::{Map, Number, Value};

use super::{Retain, Work};
use crate::batch::{DeclaredValues, EventBatch};
use crate::reader::column::{Cleaning, texts};
use crate::tracking::{Limits, archived};
use crate::{DeclaredColumn, Field, Reject, RejectReason, Role, TextColumn};

/// Reads the rows as events.
pub(super) fn build(work: &mut Work<'_>, lines: &[u64]) -> EventBatch {
    let rows = match work.info(Field::Call) {
        Some(_) => Rows::Calls(work.texts(Field::Call)),
        None => Rows::Table(Box::new(Table::of(work))),
    };
    let mut batch = EventBatch {
        line: lines.to_vec(),
        events: Vec::with_capacity(lines.len()),
        rejected: Vec::new(),
    };
    let limits = Limits::default();
    let mut kept = Vec::with_capacity(lines.len());
    for (row, &line) in lines.iter().enumerate() {
        if work.rejections.has(row) {
            continue;
        }
        let event = match &rows {
            Rows::Calls(calls) => archived(text(calls.as_ref(), row), &limits),
            Rows::Table(table) => {
                let call = table.call(row).to_string();
                archived(&call, &limits).map(|mut event| {
                    table.hide(row, &mut event.event.personal);
                    event
                })
            }
        };
        match event {
            Ok(event) => {
                batch.events.push(event);
                kept.push(line);
            }
            Err(why) => work.rejections.whole_row(row, RejectReason::Event(why)),
        }
    }
    batch.line = kept;
    batch
}

enum Rows {
    Calls(Option<TextColumn>),
    Table(Box<Table>),
}

/// The columns of a table of events.
struct Table {
    /// What happened, where no column says it.
    event: Option<String>,
    name: Option<TextColumn>,
    customer_id: Option<TextColumn>,
    anonymous_id: Option<TextColumn>,
    email: Option<TextColumn>,
    message_id: Option<TextColumn>,
    occurred_at: Vec<Option<Timestamp>>,
    personal: Vec<(String, TextColumn)>,
    properties: Vec<DeclaredColumn>,
}

impl Table {
    fn of(work: &mut Work<'_>) -> Self {
        let (mut personal, mut properties) = (Vec::new(), Vec::new());
        for info in &work.plan.columns {
            match &info.role {
                Role::Personal(name) => {
                    let column = work.rows.column(info.position);
                    personal.push((name.clone(), texts(column, Cleaning::Id)));
                }
                Role::Declared(name, kind) => properties.push(DeclaredColumn {
                    name: name.clone(),
                    values: work.declared(info, *kind),
                }),
                Role::Field(_) | Role::Unmapped => {}
            }
        }
        let occurred_at = work.instants(Field::OccurredAt);
        Self {
            event: work.plan.event.clone(),
            name: work.texts(Field::EventName),
            customer_id: work.texts(Field::CustomerId),
            anonymous_id: work.texts(Field::AnonymousId),
            email: work.emails(Field::Email),
            message_id: work.texts(Field::MessageId),
            occurred_at: occurred_at.unwrap_or_else(|| vec![None; work.rows.len()]),
            personal,
            properties,
        }
    }

    /// The row as the tracking call that says the same.
    fn call(&self, row: usize) -> Value {
        let mut call = Map::new();
        call.insert("type".to_owned(), "track".into());
        let name = match text(self.name.as_ref(), row) {
            "" => self.event.as_deref().unwrap_or_default(),
            name => name,
        };
        let texts = [
            ("event", name),
            ("userId", text(self.customer_id.as_ref(), row)),
            ("anonymousId", text(self.anonymous_id.as_ref(), row)),
            ("messageId", text(self.message_id.as_ref(), row)),
        ];
        for (key, value) in texts.into_iter().filter(|(_, value)| !value.is_empty()) {
            call.insert(key.to_owned(), value.into());
        }
        if let Some(at) = self.occurred_at[row] {
            call.insert("timestamp".to_owned(), at.to_string().into());
        }
        let email = text(self.email.as_ref(), row);
        if !email.is_empty() {
            let context = serde_json::json!({ "traits": { "email": email } });
            call.insert("context".to_owned(), context);
        }
        let mut properties = Map::new();
        for column in &self.properties {
            if let Some(value) = property(&column.values, row) {
                properties.insert(column.name.clone(), value);
            }
        }
        call.insert("properties".to_owned(), properties.into());
        Value::Object(call)
    }

    /// Adds what is personal in the row to what is sealed.
    fn hide(&self, row: usize, sealed: &mut Vec<crate::tracking::Personal<'static>>) {
        for (name, column) in &self.personal {
            let value = column.get(row);
            if !value.is_empty() {
                sealed.push(crate::tracking::Personal {
                    path: format!("properties.{name}"),
                    value: value.to_owned().into(),
                });
            }
        }
    }
}

fn text(column: Option<&TextColumn>, row: usize) -> &str {
    column.map_or("", |column| column.get(row))
}

fn property(values: &DeclaredValues, row: usize) -> Option<Value> {
    match values {
        DeclaredValues::Flag(values) => values[row].map(Value::from),
        DeclaredValues::Number(values) => {
            let number = values[row]?;
            // Whole numbers are written as such: they may be ids.
            let whole = number.fract() == 0.0 && number.abs() < 1e15;
            Some(match whole {
                true => Value::from(number as i64),
                false => Number::from_f64(number).map_or(Value::Null, Value::Number),
            })
        }
        DeclaredValues::Date(values) => values[row].map(|at| at.to_string().into()),
        DeclaredValues::Text(column) => column.get(row).map(Value::from),
    }
}

impl Retain for EventBatch {
    fn set_rejected(&mut self, rejected: Vec<Reject>) {
        self.rejected = rejected;
    }

    /// Rejected rows were left out when the batch was built.
    fn retain(&mut self, _: &[bool]) {}
}
