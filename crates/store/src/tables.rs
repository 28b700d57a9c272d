//! Tables that are not kept by customer: written and loaded as a whole.
//!
//! Parquet files with the metadata `regulars.format` and `regulars.version`.

mod columns;
pub mod memberships;

use std::fs::File;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use regulars_core::CivilDate;

pub(crate) use columns::column;

use crate::StoreError;
use crate::label::{FORMAT_KEY, Label, VERSION_KEY};

const VERSION: u32 = 1;

/// A product of the shop.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProductRow {
    /// The source's id of it.
    pub product: String,
    /// Its name.
    pub name: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// Its brand.
    pub brand: Option<String>,
    /// What one piece costs the shop, in minor units.
    pub cost_minor: Option<i64>,
    /// What one piece sells for, in minor units.
    pub price_minor: Option<i64>,
}

/// What was spent on a channel on a day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AdSpendRow {
    /// The day.
    pub date: CivilDate,
    /// Channel.
    pub channel: String,
    /// Campaign, when the source names it.
    pub campaign: Option<String>,
    /// Amount in minor units.
    pub spend_minor: i64,
    /// Times shown.
    pub impressions: Option<i64>,
    /// Times clicked.
    pub clicks: Option<i64>,
}

/// A row of a table that is not kept by customer.
pub(crate) trait TableRow: Sized {
    const FORMAT: &'static str;

    fn schema() -> Schema;

    fn to_batch(rows: &[Self], schema: SchemaRef) -> Result<RecordBatch, ArrowError>;

    fn from_batch(batch: &RecordBatch, into: &mut Vec<Self>) -> Result<(), ArrowError>;
}

/// Writes a table in the order of its rows, durably once the names in its directory are.
pub(crate) fn save<R: TableRow>(path: &Path, rows: &[R]) -> Result<(), StoreError> {
    let entry = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_key_value_metadata(Some(vec![
            entry(FORMAT_KEY, R::FORMAT.to_owned()),
            entry(VERSION_KEY, VERSION.to_string()),
        ]))
        .build();
    let file = File::create(path).map_err(StoreError::io("create", path))?;
    let schema = SchemaRef::new(R::schema());
    let write = || {
        let batch = R::to_batch(rows, SchemaRef::clone(&schema))?;
        let mut writer = ArrowWriter::try_new(file, schema, Some(properties))?;
        writer.write(&batch)?;
        writer.into_inner()
    };
    let failed = |error| StoreError::io("write", path)(std::io::Error::other(error));
    write()
        .map_err(failed)?
        .sync_all()
        .map_err(StoreError::io("sync", path))
}

/// Reads a table.
pub(crate) fn load<R: TableRow>(path: &Path) -> Result<Vec<R>, StoreError> {
    let reader = open::<R>(path)?.build();
    let mut rows = Vec::new();
    for batch in reader.map_err(StoreError::parquet(path))? {
        let batch = batch.map_err(StoreError::parquet(path))?;
        R::from_batch(&batch, &mut rows).map_err(StoreError::parquet(path))?;
    }
    Ok(rows)
}

/// Opens a table to read some of it.
pub(crate) fn open<R: TableRow>(
    path: &Path,
) -> Result<ParquetRecordBatchReaderBuilder<File>, StoreError> {
    let file = File::open(path).map_err(crate::store::missing_or("open", path))?;
    // What Arrow wrote of its own into the file is not needed, and not robust when damaged.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        .map_err(StoreError::parquet(path))?;
    let label = Label {
        what: "table",
        format: R::FORMAT,
        version: VERSION,
    };
    label.check(path, builder.metadata())?;
    Ok(builder)
}
