//! Writes Parquet tables for other tools, in chunks of columns.
//!
//! Stands apart from the data directory: the file goes where the user wants it. It is written under
//! a temporary name beside its own, so that nobody reads a half-written one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use regulars_core::Timestamp;

use crate::StoreError;

/// Digits of an amount: as many as 64 bits hold for sure.
const MONEY_DIGITS: u8 = 18;
const ROW_GROUP_ROWS: usize = 1 << 20;

/// A column of an exported table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// What a column holds; any value may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// UTF-8 text.
    Text,
    /// 64-bit whole number.
    Integer,
    /// 64-bit real number.
    Number,
    /// True or false.
    Flag,
    /// Milliseconds, UTC.
    Instant,
    /// Decimal number with so many digits after the point, given as minor units.
    Money {
        /// Digits after the point.
        exponent: u32,
    },
}

/// The next values of a column.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    /// For [`ColumnKind::Text`].
    Texts(&'a [Option<&'a str>]),
    /// For [`ColumnKind::Text`], the fast way: each code is an index into `texts`, one beyond its
    /// end is missing.
    Coded {
        /// One for each row.
        codes: &'a [u32],
        /// The distinct texts.
        texts: &'a [&'a str],
    },
    /// For [`ColumnKind::Integer`] and [`ColumnKind::Money`], nothing missing.
    Integers(&'a [i64]),
    /// For [`ColumnKind::Integer`] and [`ColumnKind::Money`].
    MaybeIntegers(&'a [Option<i64>]),
    /// For [`ColumnKind::Number`], nothing missing.
    Numbers(&'a [f64]),
    /// For [`ColumnKind::Number`].
    MaybeNumbers(&'a [Option<f64>]),
    /// For [`ColumnKind::Flag`].
    Flags(&'a [Option<bool>]),
    /// For [`ColumnKind::Instant`], nothing missing.
    Instants(&'a [Timestamp]),
    /// For [`ColumnKind::Instant`].
    MaybeInstants(&'a [Option<Timestamp>]),
}

/// Writes one Parquet file. Dropped without [`TableWriter::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct TableWriter {
    path: PathBuf,
    temporary: Temporary,
    columns: Vec<Column>,
    schema: SchemaRef,
    writer: ArrowWriter<File>,
    rows: u64,
}

/// Removes the file when dropped, unless it has its own name by then.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Absent once renamed; otherwise the user sees the failure that led here.
        let _ = fs::remove_file(&self.0);
    }
}

impl TableWriter {
    /// Starts a file at `path`, replacing what is there once it is finished.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(path: &Path, columns: &[Column]) -> Result<Self, StoreError> {
        let fields: Vec<Field> = columns
            .iter()
            .map(|column| Field::new(&column.name, stored_type(column.kind), true))
            .collect();
        let schema = SchemaRef::new(Schema::new(fields));
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let temporary = Temporary(path.with_file_name(name));
        let file = File::create(&temporary.0).map_err(StoreError::io("create", &temporary.0))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::LZ4_RAW)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_created_by(concat!("Regulars ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = ArrowWriter::try_new(file, SchemaRef::clone(&schema), Some(properties))
            .map_err(|error| StoreError::io("create", path)(std::io::Error::other(error)))?;
        let columns = columns.to_vec();
        Ok(Self {
            path: path.to_owned(),
            temporary,
            columns,
            schema,
            writer,
            rows: 0,
        })
    }

    /// Appends rows: values for each column in order, all of the same length.
    ///
    /// # Errors
    /// When values do not fit their column or the file cannot be written.
    pub fn write(&mut self, values: &[Values<'_>]) -> Result<(), StoreError> {
        let fits = |column: &Column, detail: &str| StoreError::BadColumn {
            column: column.name.clone(),
            detail: detail.to_owned(),
        };
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (index, column) in self.columns.iter().enumerate() {
            let values = values
                .get(index)
                .ok_or_else(|| fits(column, "it has no values"))?;
            let array = to_array(column.kind, *values)
                .map_err(|error| fits(column, &error.to_string()))?
                .ok_or_else(|| fits(column, "the values are of another kind"))?;
            if arrays
                .first()
                .is_some_and(|first: &ArrayRef| first.len() != array.len())
            {
                return Err(fits(
                    column,
                    "it has another number of values than the first column",
                ));
            }
            arrays.push(array);
        }
        let failed =
            |error: ArrowError| StoreError::io("write", &self.path)(std::io::Error::other(error));
        // A column of codes has a type of its own for the writer, and the same in the file.
        let fields: Vec<Field> = self
            .schema
            .fields()
            .iter()
            .zip(&arrays)
            .map(|(field, array)| Field::new(field.name(), array.data_type().clone(), true))
            .collect();
        let batch =
            RecordBatch::try_new(SchemaRef::new(Schema::new(fields)), arrays).map_err(failed)?;
        self.rows += batch.num_rows() as u64;
        self.writer
            .write(&batch)
            .map_err(|error| StoreError::io("write", &self.path)(std::io::Error::other(error)))
    }

    /// Ends the file; gives its number of rows.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<u64, StoreError> {
        let Self {
            path,
            temporary,
            writer,
            rows,
            ..
        } = self;
        let file = writer
            .into_inner()
            .map_err(|error| StoreError::io("write", &path)(std::io::Error::other(error)))?;
        file.sync_all().map_err(StoreError::io("sync", &path))?;
        drop(file);
        fs::rename(&temporary.0, &path).map_err(StoreError::io("rename to", &path))?;
        Ok(rows)
    }
}

fn stored_type(kind: ColumnKind) -> DataType {
    match kind {
        ColumnKind::Text => DataType::Utf8,
        ColumnKind::Integer => DataType::Int64,
        ColumnKind::Number => DataType::Float64,
        ColumnKind::Flag => DataType::Boolean,
        ColumnKind::Instant => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        ColumnKind::Money { exponent } => DataType::Decimal128(MONEY_DIGITS, exponent as i8),
    }
}

/// `None` when the values are of another kind.
fn to_array(kind: ColumnKind, values: Values<'_>) -> Result<Option<ArrayRef>, ArrowError> {
    let array: ArrayRef = match (kind, values) {
        (ColumnKind::Text, Values::Texts(texts)) => {
            Arc::new(texts.iter().copied().collect::<StringArray>())
        }
        (ColumnKind::Text, Values::Coded { codes, texts }) => {
            let known = |&code: &u32| ((code as usize) < texts.len()).then_some(code as i32);
            let keys: Int32Array = codes.iter().map(known).collect();
            let texts = Arc::new(StringArray::from_iter_values(texts));
            Arc::new(DictionaryArray::<Int32Type>::try_new(keys, texts)?)
        }
        (ColumnKind::Integer, Values::Integers(numbers)) => {
            Arc::new(Int64Array::from(numbers.to_vec()))
        }
        (ColumnKind::Integer, Values::MaybeIntegers(numbers)) => {
            Arc::new(numbers.iter().copied().collect::<Int64Array>())
        }
        (ColumnKind::Money { exponent }, Values::Integers(minor)) => {
            let wide = minor.iter().map(|&minor| i128::from(minor));
            money(Decimal128Array::from_iter_values(wide), exponent)?
        }
        (ColumnKind::Money { exponent }, Values::MaybeIntegers(minor)) => {
            let wide = minor.iter().map(|minor| minor.map(i128::from));
            money(wide.collect(), exponent)?
        }
        (ColumnKind::Number, Values::Numbers(numbers)) => {
            Arc::new(Float64Array::from(numbers.to_vec()))
        }
        (ColumnKind::Number, Values::MaybeNumbers(numbers)) => {
            Arc::new(numbers.iter().copied().collect::<Float64Array>())
        }
        (ColumnKind::Flag, Values::Flags(flags)) => {
            Arc::new(flags.iter().copied().collect::<BooleanArray>())
        }
        (ColumnKind::Instant, Values::Instants(instants)) => {
            let instants = instants.iter().map(|at| at.0);
            Arc::new(TimestampMillisecondArray::from_iter_values(instants).with_timezone("UTC"))
        }
        (ColumnKind::Instant, Values::MaybeInstants(instants)) => {
            let instants = instants.iter().map(|at| at.map(|at| at.0));
            Arc::new(
                instants
                    .collect::<TimestampMillisecondArray>()
                    .with_timezone("UTC"),
            )
        }
        _ => return Ok(None),
    };
    Ok(Some(array))
}

fn money(minor: Decimal128Array, exponent: u32) -> Result<ArrayRef, ArrowError> {
    let scaled = minor.with_precision_and_scale(MONEY_DIGITS, exponent as i8)?;
    scaled.validate_decimal_precision(MONEY_DIGITS)?;
    Ok(Arc::new(scaled))
}
