//! The family of events: what tracking calls told, moved here from the log.
//!
//! | column | type | meaning |
//! |---|---|---|
//! | `customer_id` | u64 | canonical id of the customer when the event was moved |
//! | `occurred_at` | timestamp (ms, UTC) | when it happened, corrected by the error of the client's clock |
//! | `log_offset` | u64 | its offset in the log |
//! | `received_at` | timestamp (ms, UTC) | when it arrived |
//! | `identity_id` | u64 | identity under which it came |
//! | `kind` | text | `identify`, `track`, `page`, `screen`, `group`, `alias` |
//! | `anonymous` | bool | whether nothing but an anonymous id said whose it is |
//! | `message` | 16 bytes | hash of what makes it the same event when it is sent again, big-endian |
//! | `name` | text | what was tracked, the page or screen, or the id of the account of `group`; else empty |
//! | `properties` | text | properties or traits, a JSON object without personal data |
//! | `context` | text | context, likewise |
//! | `sealed` | binary or null | personal data, encrypted with the identity's key |

use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryBuilder, BooleanArray, FixedSizeBinaryArray, FixedSizeBinaryBuilder,
    RecordBatch, StringArray, StringBuilder, TimestampMillisecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use regulars_core::{CustomerId, EventKind, Timestamp};

use super::merge::View;
use super::values::{Columns, Unusable};
use crate::log::StoredEvent;
use crate::log::event::EventRef;
use crate::manifest::Family;
use crate::vault::IdentityId;

/// Rows of a page: a look at one customer reads whole pages, and events are long.
pub(super) const PAGE_ROWS: usize = 512;
/// Rows of a row group: what a reader holds of a run at a time.
pub(super) const ROW_GROUP_ROWS: usize = 32 << 10;

/// An event of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its offset in the log.
    pub offset: u64,
    /// The event; its customer is the one under whom it lies.
    pub event: StoredEvent,
}

/// Order of rows within a run.
pub(crate) fn row_order(row: &EventRow) -> (CustomerId, Timestamp, u64) {
    (row.event.customer, row.event.occurred_at, row.offset)
}

fn kind_of(text: &str) -> Option<EventKind> {
    EventKind::ALL.into_iter().find(|kind| kind.name() == text)
}

/// Columns of the files, in order.
pub(super) fn schema() -> SchemaRef {
    let instant = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("customer_id", DataType::UInt64, false),
        Field::new("occurred_at", instant.clone(), false),
        Field::new("log_offset", DataType::UInt64, false),
        Field::new("received_at", instant, false),
        Field::new("identity_id", DataType::UInt64, false),
        Field::new("kind", DataType::Utf8, false),
        Field::new("anonymous", DataType::Boolean, false),
        Field::new("message", DataType::FixedSizeBinary(16), false),
        Field::new("name", DataType::Utf8, false),
        Field::new("properties", DataType::Utf8, false),
        Field::new("context", DataType::Utf8, false),
        Field::new("sealed", DataType::Binary, true),
    ]))
}

/// How the columns are written: what is random or encrypted does not compress.
pub(super) fn properties() -> WriterPropertiesBuilder {
    let column = |name: &str| ColumnPath::from(name);
    let zstd = Compression::ZSTD(ZstdLevel::default());
    WriterProperties::builder()
        .set_compression(Compression::LZ4_RAW)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(column("customer_id"), EnabledStatistics::Page)
        .set_column_statistics_enabled(column("occurred_at"), EnabledStatistics::Chunk)
        .set_column_dictionary_enabled(column("log_offset"), false)
        .set_column_dictionary_enabled(column("received_at"), false)
        .set_column_dictionary_enabled(column("properties"), false)
        .set_column_compression(column("properties"), zstd)
        .set_column_compression(column("context"), zstd)
        .set_column_dictionary_enabled(column("message"), false)
        .set_column_compression(column("message"), Compression::UNCOMPRESSED)
        .set_column_dictionary_enabled(column("sealed"), false)
        .set_column_compression(column("sealed"), Compression::UNCOMPRESSED)
}

/// Rows that wait to be written.
#[derive(Debug)]
pub(super) struct EventColumns {
    customers: Vec<u64>,
    occurred_at: Vec<i64>,
    offsets: Vec<u64>,
    received_at: Vec<i64>,
    identities: Vec<u64>,
    kinds: StringBuilder,
    anonymous: Vec<bool>,
    messages: FixedSizeBinaryBuilder,
    names: StringBuilder,
    properties: StringBuilder,
    contexts: StringBuilder,
    sealed: BinaryBuilder,
}

impl Default for EventColumns {
    fn default() -> Self {
        Self {
            customers: Vec::new(),
            occurred_at: Vec::new(),
            offsets: Vec::new(),
            received_at: Vec::new(),
            identities: Vec::new(),
            kinds: StringBuilder::new(),
            anonymous: Vec::new(),
            messages: FixedSizeBinaryBuilder::new(16),
            names: StringBuilder::new(),
            properties: StringBuilder::new(),
            contexts: StringBuilder::new(),
            sealed: BinaryBuilder::new(),
        }
    }
}

impl EventColumns {
    pub(super) fn len(&self) -> usize {
        self.customers.len()
    }

    pub(super) fn push(&mut self, offset: u64, event: &EventRef<'_>) -> Result<(), ArrowError> {
        self.customers.push(event.customer.0);
        self.occurred_at.push(event.occurred_at.0);
        self.offsets.push(offset);
        self.received_at.push(event.received_at.0);
        self.identities.push(event.identity.0);
        self.kinds.append_value(event.kind.name());
        self.anonymous.push(event.anonymous);
        self.messages.append_value(event.message.to_be_bytes())?;
        self.names.append_value(&event.name);
        self.properties.append_value(event.properties);
        self.contexts.append_value(event.context);
        let sealed = Some(event.sealed).filter(|sealed| !sealed.is_empty());
        self.sealed.append_option(sealed);
        Ok(())
    }

    /// The rows as columns; empties them.
    pub(super) fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        let u64s = |values: &mut Vec<u64>| -> ArrayRef {
            Arc::new(UInt64Array::from(std::mem::take(values)))
        };
        let instants = |values: &mut Vec<i64>| -> ArrayRef {
            let values = TimestampMillisecondArray::from(std::mem::take(values));
            Arc::new(values.with_timezone("UTC"))
        };
        let columns: Vec<ArrayRef> = vec![
            u64s(&mut self.customers),
            instants(&mut self.occurred_at),
            u64s(&mut self.offsets),
            instants(&mut self.received_at),
            u64s(&mut self.identities),
            Arc::new(self.kinds.finish()),
            Arc::new(BooleanArray::from(std::mem::take(&mut self.anonymous))),
            Arc::new(self.messages.finish()),
            Arc::new(self.names.finish()),
            Arc::new(self.properties.finish()),
            Arc::new(self.contexts.finish()),
            Arc::new(self.sealed.finish()),
        ];
        RecordBatch::try_new(schema(), columns)
    }
}

/// How much of an event a reader needs.
pub(super) trait Extent: std::fmt::Debug {
    const COLUMNS: &'static [&'static str];
}

/// Everything.
#[derive(Debug)]
pub(super) struct Whole;

/// What a fold needs: not the context, which is left empty, and nothing sealed.
#[derive(Debug)]
pub(super) struct Facts;

impl Extent for Whole {
    const COLUMNS: &'static [&'static str] = &[
        "customer_id",
        "occurred_at",
        "log_offset",
        "received_at",
        "identity_id",
        "kind",
        "anonymous",
        "message",
        "name",
        "properties",
        "context",
        "sealed",
    ];
}

impl Extent for Facts {
    const COLUMNS: &'static [&'static str] = Whole::COLUMNS.split_at(10).0;
}

/// Rows as they were stored, as far as they are needed.
#[derive(Debug)]
pub(super) struct EventView<E>(PhantomData<E>);

impl<E> EventView<E> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E: Extent> View for EventView<E> {
    type Row = EventRow;
    const FAMILY: Family = Family::Events;
    const COLUMNS: &'static [&'static str] = E::COLUMNS;

    fn schema() -> SchemaRef {
        schema()
    }

    fn decode(&mut self, columns: Columns<'_>, rows: &mut Vec<EventRow>) -> Result<(), Unusable> {
        let customers = columns.u64s("customer_id")?;
        let occurred_at = columns.instants("occurred_at")?;
        let offsets = columns.u64s("log_offset")?;
        let received_at = columns.instants("received_at")?;
        let identities = columns.u64s("identity_id")?;
        let kinds = columns.texts("kind")?;
        let anonymous: &BooleanArray = columns.of_type("anonymous")?;
        let messages: &FixedSizeBinaryArray = columns.of_type("message")?;
        let names = columns.texts("name")?;
        let properties = columns.texts("properties")?;
        let of_all = E::COLUMNS.contains(&"sealed");
        let contexts: Option<&StringArray> =
            of_all.then(|| columns.texts("context")).transpose()?;
        let sealed = of_all.then(|| columns.bytes("sealed")).transpose()?;
        for row in 0..columns.batch.num_rows() {
            let kind = kinds.value(row);
            let kind = kind_of(kind).ok_or_else(|| format!("`{kind}` is no kind of event"))?;
            let message = messages.value(row).try_into();
            let sealed = sealed.filter(|sealed| sealed.is_valid(row));
            rows.push(EventRow {
                offset: offsets.get(row),
                event: StoredEvent {
                    kind,
                    anonymous: anonymous.value(row),
                    identity: IdentityId(identities.get(row)),
                    customer: CustomerId(customers.get(row)),
                    occurred_at: Timestamp(occurred_at.get(row)),
                    received_at: Timestamp(received_at.get(row)),
                    message: u128::from_be_bytes(
                        message.map_err(|_| "a message is not 16 bytes long")?,
                    ),
                    name: names.value(row).into(),
                    properties: properties.value(row).into(),
                    context: contexts.map_or_else(Box::default, |texts| texts.value(row).into()),
                    sealed: sealed.map_or_else(Box::default, |sealed| sealed.value(row).into()),
                }
                .with_account(),
            });
        }
        Ok(())
    }

    fn customer(row: &EventRow) -> CustomerId {
        row.event.customer
    }

    fn sort(rows: &mut [EventRow]) {
        rows.sort_by_key(row_order);
    }
}
