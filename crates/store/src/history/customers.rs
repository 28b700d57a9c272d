//! The family of declared traits: what imports said about customers.
//!
//! | column | type | meaning |
//! |---|---|---|
//! | `customer_id` | u64 | canonical id of the customer |
//! | `identity_id` | u64 | identity under which the row came |
//! | `occurred_at` | timestamp (ms, UTC) | when it was true |
//! | `import_offset` | u64 | offset in the log of the import |
//! | `traits` | text | traits that are no personal data, a JSON object |
//! | `sealed` | binary or null | personal data, encrypted with the identity's key |

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryBuilder, RecordBatch, StringBuilder, TimestampMillisecondArray,
    UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use bytes::Bytes;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use regulars_core::{CustomerId, Timestamp};

use super::merge::View;
use super::values::{Columns, Unusable};
use crate::manifest::Family;
use crate::vault::IdentityId;

/// What one row of an import said about a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRow {
    /// Who.
    pub customer: CustomerId,
    /// The identity under which the row came.
    pub identity: IdentityId,
    /// When it was true; of two values of a trait, the later counts.
    pub occurred_at: Timestamp,
    /// Offset in the log of the import.
    pub import: u64,
    /// Traits that are no personal data, as a JSON object.
    pub traits: String,
    /// Personal data, sealed with the identity's key ([`crate::vault::Vault::seal`]).
    pub sealed: Option<Vec<u8>>,
}

/// What one row of an import said about a customer, as a fold needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredRow {
    /// Who.
    pub customer: CustomerId,
    /// When it was true; of two values of a trait, the later counts.
    pub occurred_at: Timestamp,
    /// Offset in the log of the import.
    pub import: u64,
    /// Traits that are no personal data, as a JSON object in UTF-8.
    pub traits: Bytes,
}

/// Columns of the files, in order.
pub(super) fn schema() -> SchemaRef {
    let instant = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("customer_id", DataType::UInt64, false),
        Field::new("identity_id", DataType::UInt64, false),
        Field::new("occurred_at", instant, false),
        Field::new("import_offset", DataType::UInt64, false),
        Field::new("traits", DataType::Utf8, false),
        Field::new("sealed", DataType::Binary, true),
    ]))
}

/// How the columns are written: what is encrypted does not compress.
pub(super) fn properties() -> WriterPropertiesBuilder {
    let column = |name: &str| ColumnPath::from(name);
    WriterProperties::builder()
        .set_compression(Compression::LZ4_RAW)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(column("customer_id"), EnabledStatistics::Page)
        .set_column_statistics_enabled(column("occurred_at"), EnabledStatistics::Chunk)
        .set_column_compression(column("traits"), Compression::ZSTD(ZstdLevel::default()))
        .set_column_dictionary_enabled(column("sealed"), false)
        .set_column_compression(column("sealed"), Compression::UNCOMPRESSED)
}

/// Rows of one row group in the making.
#[derive(Debug, Default)]
pub(super) struct CustomerColumns {
    customers: Vec<u64>,
    identities: Vec<u64>,
    occurred_at: Vec<i64>,
    imports: Vec<u64>,
    traits: StringBuilder,
    sealed: BinaryBuilder,
}

impl CustomerColumns {
    pub(super) fn len(&self) -> usize {
        self.customers.len()
    }

    pub(super) fn push(&mut self, row: &CustomerRow) {
        self.customers.push(row.customer.0);
        self.identities.push(row.identity.0);
        self.occurred_at.push(row.occurred_at.0);
        self.imports.push(row.import);
        self.traits.append_value(&row.traits);
        self.sealed.append_option(row.sealed.as_deref());
    }

    /// The rows as columns; empties them.
    pub(super) fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        let u64s = |values: &mut Vec<u64>| -> ArrayRef {
            Arc::new(UInt64Array::from(std::mem::take(values)))
        };
        let occurred_at = std::mem::take(&mut self.occurred_at);
        let columns: Vec<ArrayRef> = vec![
            u64s(&mut self.customers),
            u64s(&mut self.identities),
            Arc::new(TimestampMillisecondArray::from(occurred_at).with_timezone("UTC")),
            u64s(&mut self.imports),
            Arc::new(self.traits.finish()),
            Arc::new(self.sealed.finish()),
        ];
        RecordBatch::try_new(schema(), columns)
    }
}

/// Rows as they were stored.
#[derive(Debug)]
pub(super) struct CustomerView;

impl View for CustomerView {
    type Row = CustomerRow;
    const FAMILY: Family = Family::Customers;
    const COLUMNS: &'static [&'static str] = &[
        "customer_id",
        "identity_id",
        "occurred_at",
        "import_offset",
        "traits",
        "sealed",
    ];

    fn schema() -> SchemaRef {
        schema()
    }

    fn decode(
        &mut self,
        columns: Columns<'_>,
        rows: &mut Vec<CustomerRow>,
    ) -> Result<(), Unusable> {
        let customers = columns.u64s("customer_id")?;
        let identities = columns.u64s("identity_id")?;
        let occurred_at = columns.instants("occurred_at")?;
        let imports = columns.u64s("import_offset")?;
        let traits = columns.texts("traits")?;
        let sealed = columns.bytes("sealed")?;
        rows.extend((0..columns.batch.num_rows()).map(|row| CustomerRow {
            customer: CustomerId(customers.get(row)),
            identity: IdentityId(identities.get(row)),
            occurred_at: Timestamp(occurred_at.get(row)),
            import: imports.get(row),
            traits: traits.value(row).to_owned(),
            sealed: sealed.is_valid(row).then(|| sealed.value(row).to_vec()),
        }));
        Ok(())
    }

    fn customer(row: &CustomerRow) -> CustomerId {
        row.customer
    }

    fn sort(rows: &mut [CustomerRow]) {
        rows.sort_by_key(|row| (row.occurred_at, row.import, row.identity));
    }
}
