//! Rows into columns, a row group at a time.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    StringBuilder, TimestampMillisecondArray, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use regulars_core::{LineRecord, OrderStatus, RecordKind, Symbol, Symbols};
use serde_json::Value;

use crate::history::constants::Constants;
use crate::vault::IdentityId;

pub(super) const KINDS: [RecordKind; 3] =
    [RecordKind::Sale, RecordKind::Credit, RecordKind::Refund];
pub(super) const STATUSES: [OrderStatus; 4] = [
    OrderStatus::Placed,
    OrderStatus::Unpaid,
    OrderStatus::Refunded,
    OrderStatus::Cancelled,
];
const KIND_TEXTS: [&str; 3] = ["sale", "credit", "refund"];
const STATUS_TEXTS: [&str; 4] = ["placed", "unpaid", "refunded", "cancelled"];

/// Position in [`KINDS`].
pub(super) fn kind_code(kind: RecordKind) -> u8 {
    match kind {
        RecordKind::Sale => 0,
        RecordKind::Credit => 1,
        RecordKind::Refund => 2,
    }
}

/// Position in [`STATUSES`].
pub(super) fn status_code(status: OrderStatus) -> u8 {
    match status {
        OrderStatus::Placed => 0,
        OrderStatus::Unpaid => 1,
        OrderStatus::Refunded => 2,
        OrderStatus::Cancelled => 3,
    }
}

pub(super) fn kind_of(text: &str) -> Option<RecordKind> {
    KIND_TEXTS
        .iter()
        .position(|known| *known == text)
        .map(|code| KINDS[code])
}

pub(super) fn status_of(text: &str) -> Option<OrderStatus> {
    STATUS_TEXTS
        .iter()
        .position(|known| *known == text)
        .map(|code| STATUSES[code])
}

/// Columns of the files, in order.
pub(in crate::history) fn schema() -> SchemaRef {
    let instant = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    let text = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let required = |name: &str, kind: &DataType| Field::new(name, kind.clone(), false);
    let optional = |name: &str, kind: &DataType| Field::new(name, kind.clone(), true);
    Arc::new(Schema::new(vec![
        required("customer_id", &DataType::UInt64),
        required("occurred_at", &instant),
        required("order_key", &DataType::UInt64),
        required("import_offset", &DataType::UInt64),
        required("line", &DataType::UInt32),
        required("kind", &text),
        required("status", &text),
        optional("updated_at", &instant),
        optional("ended_at", &instant),
        optional("product_id", &text),
        optional("category", &text),
        optional("brand", &text),
        optional("channel", &text),
        optional("country", &text),
        required("quantity", &DataType::Float64),
        required("net_minor", &DataType::Int64),
        required("refunded_minor", &DataType::Int64),
        optional("discount_minor", &DataType::Int64),
        optional("cost_minor", &DataType::Int64),
        required("order_id", &DataType::Utf8),
        required("identity_id", &DataType::UInt64),
    ]))
}

/// How the columns are written.
///
/// Keys that hardly repeat are neither put into dictionaries nor compressed; statistics are kept
/// where they find a customer or a span of time.
pub(in crate::history) fn properties() -> WriterPropertiesBuilder {
    let column = |name: &str| ColumnPath::from(name);
    WriterProperties::builder()
        .set_compression(Compression::LZ4_RAW)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(column("customer_id"), EnabledStatistics::Page)
        .set_column_statistics_enabled(column("occurred_at"), EnabledStatistics::Chunk)
        .set_column_dictionary_enabled(column("order_key"), false)
        .set_column_compression(column("order_key"), Compression::UNCOMPRESSED)
        .set_column_dictionary_enabled(column("order_id"), false)
}

/// Rows of one row group in the making.
#[derive(Debug, Default)]
pub(in crate::history) struct OrderColumns {
    records: Vec<LineRecord>,
    identities: Vec<u64>,
    order_ids: StringBuilder,
    /// Position of each symbol in the dictionary being made, plus one; 0 is none yet.
    positions: Vec<u32>,
}

impl OrderColumns {
    pub(in crate::history) fn len(&self) -> usize {
        self.records.len()
    }

    pub(in crate::history) fn push(
        &mut self,
        record: &LineRecord,
        order_id: &str,
        identity: IdentityId,
    ) {
        self.records.push(*record);
        self.identities.push(identity.0);
        self.order_ids.append_value(order_id);
    }

    /// The rows as columns; empties them.
    pub(in crate::history) fn take(
        &mut self,
        symbols: &Symbols,
        constants: &mut Constants,
    ) -> Result<RecordBatch, ArrowError> {
        let records = std::mem::take(&mut self.records);
        self.observe(&records, symbols, constants);
        let u64s = |get: fn(&LineRecord) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(records.iter().map(get)))
        };
        let i64s = |get: fn(&LineRecord) -> i64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(records.iter().map(get)))
        };
        let maybe = |get: fn(&LineRecord) -> Option<i64>| -> Int64Array {
            records.iter().map(get).collect()
        };
        let instants = |values: Int64Array| -> ArrayRef {
            Arc::new(
                values
                    .reinterpret_cast::<arrow::datatypes::TimestampMillisecondType>()
                    .with_timezone("UTC"),
            )
        };
        let occurred_at = records.iter().map(|record| record.occurred_at.0);
        let lines = records.iter().map(|record| record.line);
        let quantities = records.iter().map(|record| record.quantity);
        let mut texts = |get: fn(&LineRecord) -> Symbol| {
            dictionary(&records, get, symbols, &mut self.positions)
        };
        let columns: Vec<ArrayRef> = vec![
            u64s(|record| record.customer.0),
            Arc::new(TimestampMillisecondArray::from_iter_values(occurred_at).with_timezone("UTC")),
            u64s(|record| record.order.0),
            u64s(|record| record.import),
            Arc::new(UInt32Array::from_iter_values(lines)),
            codes(&records, |record| kind_code(record.kind), &KIND_TEXTS)?,
            codes(&records, |record| status_code(record.status), &STATUS_TEXTS)?,
            instants(maybe(|record| record.updated_at.map(|at| at.0))),
            instants(maybe(|record| record.ended_at.map(|at| at.0))),
            texts(|record| record.product)?,
            texts(|record| record.category)?,
            texts(|record| record.brand)?,
            texts(|record| record.channel)?,
            texts(|record| record.country)?,
            Arc::new(Float64Array::from_iter_values(quantities)),
            i64s(|record| record.net_minor),
            i64s(|record| record.refunded_minor),
            Arc::new(maybe(|record| record.discount_minor)),
            Arc::new(maybe(|record| record.cost_minor)),
            Arc::new(self.order_ids.finish()),
            Arc::new(UInt64Array::from(std::mem::take(&mut self.identities))),
        ];
        // The room is used again.
        self.records = records;
        self.records.clear();
        RecordBatch::try_new(schema(), columns)
    }

    /// Notes which columns hold one value only, so that readers can leave them out.
    fn observe(&self, records: &[LineRecord], symbols: &Symbols, constants: &mut Constants) {
        let text = |symbol: Symbol| match symbol.known() {
            Some(known) => Value::from(symbols.text(known)),
            None => Value::Null,
        };
        constants.observe(
            "import_offset",
            records,
            |record| record.import,
            Value::from,
        );
        constants.observe("line", records, |record| record.line, Value::from);
        constants.observe(
            "kind",
            records,
            |record| kind_code(record.kind),
            |code| Value::from(KIND_TEXTS[usize::from(code)]),
        );
        constants.observe(
            "status",
            records,
            |record| status_code(record.status),
            |code| Value::from(STATUS_TEXTS[usize::from(code)]),
        );
        constants.observe(
            "updated_at",
            records,
            |r| r.updated_at.map(|at| at.0),
            Value::from,
        );
        constants.observe(
            "ended_at",
            records,
            |r| r.ended_at.map(|at| at.0),
            Value::from,
        );
        constants.observe("product_id", records, |record| record.product, text);
        constants.observe("category", records, |record| record.category, text);
        constants.observe("brand", records, |record| record.brand, text);
        constants.observe("channel", records, |record| record.channel, text);
        constants.observe("country", records, |record| record.country, text);
        constants.observe("quantity", records, |record| record.quantity, Value::from);
        constants.observe("net_minor", records, |record| record.net_minor, Value::from);
        constants.observe("refunded_minor", records, |r| r.refunded_minor, Value::from);
        constants.observe("discount_minor", records, |r| r.discount_minor, Value::from);
        constants.observe(
            "cost_minor",
            records,
            |record| record.cost_minor,
            Value::from,
        );
    }
}

/// A column of symbols: the texts once, and for each row which of them.
fn dictionary(
    records: &[LineRecord],
    get: fn(&LineRecord) -> Symbol,
    symbols: &Symbols,
    positions: &mut Vec<u32>,
) -> Result<ArrayRef, ArrowError> {
    positions.clear();
    positions.resize(symbols.len(), 0);
    let mut texts = Vec::new();
    let mut keys = Vec::with_capacity(records.len());
    for record in records {
        let symbol = get(record);
        if symbol == Symbol::NONE {
            keys.push(None);
            continue;
        }
        let position = &mut positions[symbol.0 as usize];
        if *position == 0 {
            texts.push(symbols.text(symbol));
            *position = texts.len() as u32;
        }
        keys.push(Some(*position as i32 - 1));
    }
    let texts = Arc::new(StringArray::from_iter_values(texts));
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
        Int32Array::from(keys),
        texts,
    )?))
}

/// A column of one of a few fixed texts.
fn codes(
    records: &[LineRecord],
    get: fn(&LineRecord) -> u8,
    texts: &[&str],
) -> Result<ArrayRef, ArrowError> {
    let keys = Int32Array::from_iter_values(records.iter().map(|record| i32::from(get(record))));
    let texts = Arc::new(StringArray::from_iter_values(texts));
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
        keys, texts,
    )?))
}
