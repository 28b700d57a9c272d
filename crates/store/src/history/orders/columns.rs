//! Rows into columns, a few pages at a time.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Int32Array, PrimitiveArray, RecordBatch, StringArray, StringBuilder,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Field, Float64Type, Int32Type, Int64Type, Schema, SchemaRef,
    TimeUnit, TimestampMillisecondType, UInt32Type, UInt64Type,
};
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

pub(in crate::history) fn kind_of(text: &str) -> Option<RecordKind> {
    KIND_TEXTS
        .iter()
        .position(|known| *known == text)
        .map(|code| KINDS[code])
}

pub(in crate::history) fn status_of(text: &str) -> Option<OrderStatus> {
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
        required("refund_key", &DataType::UInt64),
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
        optional("beside_minor", &DataType::Int64),
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
        .set_column_statistics_enabled(column("updated_at"), EnabledStatistics::Chunk)
        .set_column_statistics_enabled(column("ended_at"), EnabledStatistics::Chunk)
        .set_column_dictionary_enabled(column("order_key"), false)
        .set_column_compression(column("order_key"), Compression::UNCOMPRESSED)
        .set_column_dictionary_enabled(column("order_id"), false)
}

/// Rows that wait to be written.
#[derive(Debug, Default)]
pub(in crate::history) struct OrderColumns {
    customers: Vec<u64>,
    occurred_at: Vec<i64>,
    orders: Vec<u64>,
    imports: Vec<u64>,
    lines: Vec<u32>,
    refund_keys: Vec<u64>,
    kinds: Vec<u8>,
    statuses: Vec<u8>,
    updated_at: Vec<Option<i64>>,
    ended_at: Vec<Option<i64>>,
    products: Vec<Symbol>,
    categories: Vec<Symbol>,
    brands: Vec<Symbol>,
    channels: Vec<Symbol>,
    countries: Vec<Symbol>,
    quantities: Vec<f64>,
    net: Vec<i64>,
    refunded: Vec<i64>,
    beside: Vec<Option<i64>>,
    discounts: Vec<Option<i64>>,
    costs: Vec<Option<i64>>,
    order_ids: StringBuilder,
    identities: Vec<u64>,
    /// Position of each symbol in the dictionary being made, plus one; 0 is none yet, as all are
    /// between dictionaries.
    positions: Vec<u32>,
}

impl OrderColumns {
    pub(in crate::history) fn len(&self) -> usize {
        self.customers.len()
    }

    pub(in crate::history) fn push(
        &mut self,
        record: &LineRecord,
        order_id: &str,
        identity: IdentityId,
    ) {
        self.customers.push(record.customer.0);
        self.occurred_at.push(record.occurred_at.0);
        self.orders.push(record.order.0);
        self.imports.push(record.import);
        self.lines.push(record.line);
        self.refund_keys.push(record.refund.0);
        self.kinds.push(kind_code(record.kind));
        self.statuses.push(status_code(record.status));
        self.updated_at.push(record.updated_at.map(|at| at.0));
        self.ended_at.push(record.ended_at.map(|at| at.0));
        self.products.push(record.product);
        self.categories.push(record.category);
        self.brands.push(record.brand);
        self.channels.push(record.channel);
        self.countries.push(record.country);
        self.quantities.push(record.quantity);
        self.net.push(record.net_minor);
        self.refunded.push(record.refunded_minor);
        self.beside.push(record.beside_minor);
        self.discounts.push(record.discount_minor);
        self.costs.push(record.cost_minor);
        self.order_ids.append_value(order_id);
        self.identities.push(identity.0);
    }

    /// The rows as columns; empties them.
    pub(in crate::history) fn take(
        &mut self,
        symbols: &Symbols,
        constants: &mut Constants,
    ) -> Result<RecordBatch, ArrowError> {
        self.observe(symbols, constants);
        let kinds = codes(&mut self.kinds, &KIND_TEXTS)?;
        let statuses = codes(&mut self.statuses, &STATUS_TEXTS)?;
        let mut texts = |column: &mut Vec<Symbol>| dictionary(column, symbols, &mut self.positions);
        let columns: Vec<ArrayRef> = vec![
            numbers::<UInt64Type>(&mut self.customers),
            instants(numbers_of(&mut self.occurred_at)),
            numbers::<UInt64Type>(&mut self.orders),
            numbers::<UInt64Type>(&mut self.imports),
            numbers::<UInt32Type>(&mut self.lines),
            numbers::<UInt64Type>(&mut self.refund_keys),
            kinds,
            statuses,
            instants(maybe_numbers(&mut self.updated_at)),
            instants(maybe_numbers(&mut self.ended_at)),
            texts(&mut self.products)?,
            texts(&mut self.categories)?,
            texts(&mut self.brands)?,
            texts(&mut self.channels)?,
            texts(&mut self.countries)?,
            numbers::<Float64Type>(&mut self.quantities),
            numbers::<Int64Type>(&mut self.net),
            numbers::<Int64Type>(&mut self.refunded),
            Arc::new(maybe_numbers::<Int64Type>(&mut self.beside)),
            Arc::new(maybe_numbers::<Int64Type>(&mut self.discounts)),
            Arc::new(maybe_numbers::<Int64Type>(&mut self.costs)),
            Arc::new(self.order_ids.finish()),
            numbers::<UInt64Type>(&mut self.identities),
        ];
        RecordBatch::try_new(schema(), columns)
    }

    /// Notes which columns hold one value only, so that readers can leave them out.
    fn observe(&self, symbols: &Symbols, constants: &mut Constants) {
        let text = |symbol: Symbol| match symbol.known() {
            Some(known) => Value::from(symbols.text(known)),
            None => Value::Null,
        };
        constants.observe("import_offset", &self.imports, Value::from);
        constants.observe("line", &self.lines, Value::from);
        constants.observe("refund_key", &self.refund_keys, Value::from);
        constants.observe("kind", &self.kinds, |code| {
            KIND_TEXTS[usize::from(code)].into()
        });
        constants.observe("status", &self.statuses, |code| {
            STATUS_TEXTS[usize::from(code)].into()
        });
        constants.observe("updated_at", &self.updated_at, Value::from);
        constants.observe("ended_at", &self.ended_at, Value::from);
        constants.observe("product_id", &self.products, text);
        constants.observe("category", &self.categories, text);
        constants.observe("brand", &self.brands, text);
        constants.observe("channel", &self.channels, text);
        constants.observe("country", &self.countries, text);
        constants.observe("quantity", &self.quantities, Value::from);
        constants.observe("net_minor", &self.net, Value::from);
        constants.observe("refunded_minor", &self.refunded, Value::from);
        constants.observe("beside_minor", &self.beside, Value::from);
        constants.observe("discount_minor", &self.discounts, Value::from);
        constants.observe("cost_minor", &self.costs, Value::from);
    }
}

fn numbers_of<T: ArrowPrimitiveType>(column: &mut Vec<T::Native>) -> PrimitiveArray<T> {
    let room = Vec::with_capacity(column.len());
    PrimitiveArray::new(std::mem::replace(column, room).into(), None)
}

fn numbers<T: ArrowPrimitiveType>(column: &mut Vec<T::Native>) -> ArrayRef {
    Arc::new(numbers_of::<T>(column))
}

fn maybe_numbers<T: ArrowPrimitiveType>(column: &mut Vec<Option<T::Native>>) -> PrimitiveArray<T> {
    if column.iter().all(Option::is_none) {
        let nulls = PrimitiveArray::new_null(column.len());
        column.clear();
        return nulls;
    }
    column.drain(..).collect()
}

fn instants(values: PrimitiveArray<TimestampMillisecondType>) -> ArrayRef {
    Arc::new(values.with_timezone("UTC"))
}

/// A column of symbols: the texts once, and for each row which of them.
fn dictionary(
    column: &mut Vec<Symbol>,
    symbols: &Symbols,
    positions: &mut Vec<u32>,
) -> Result<ArrayRef, ArrowError> {
    positions.resize(symbols.len().max(positions.len()), 0);
    let mut used = Vec::new();
    let mut key_of = |symbol: Symbol| {
        let position = &mut positions[symbol.0 as usize];
        if *position == 0 {
            used.push(symbol);
            *position = used.len() as u32;
        }
        *position as i32 - 1
    };
    let keys: Int32Array = if column.contains(&Symbol::NONE) {
        column
            .drain(..)
            .map(|symbol| symbol.known().map(&mut key_of))
            .collect()
    } else {
        Int32Array::from_iter_values(column.drain(..).map(&mut key_of))
    };
    let texts = used.iter().map(|&symbol| symbols.text(symbol));
    let texts = Arc::new(StringArray::from_iter_values(texts));
    for symbol in used {
        positions[symbol.0 as usize] = 0;
    }
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
        keys, texts,
    )?))
}

/// A column of one of a few fixed texts.
fn codes(column: &mut Vec<u8>, texts: &[&str]) -> Result<ArrayRef, ArrowError> {
    let keys = Int32Array::from_iter_values(column.drain(..).map(i32::from));
    let texts = Arc::new(StringArray::from_iter_values(texts));
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
        keys, texts,
    )?))
}
