//! Parquet files: their columns as Arrow arrays of a few kinds.
//!
//! Writers differ in how they store one and the same thing (three kinds of strings, eight of
//! integers, four of timestamps). Here they become one each, so that reading a field has few
//! cases.

use std::fs::File;
use std::sync::Arc;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderBuilder, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use ::parquet::file::reader::ChunkReader;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    Float32Array, Float64Array, Int64Array, StringArray, TimestampMillisecondArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field as ArrowField, FieldRef as ArrowFieldRef,
    Float32Type, Float64Type, Int32Type, Int64Type, Schema, SchemaRef, TimeUnit,
    TimestampMillisecondType,
};
use arrow::record_batch::RecordBatch;

use super::{CellColumn, RowBatch, Rows};
use crate::recognition::CellType;
use crate::{IngestError, Input};

/// A column of some rows, in one of the kinds that fields are read from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column<'a> {
    Cells(CellColumn<'a>),
    Strings(&'a StringArray),
    /// Texts by their key in a dictionary.
    Dictionary(&'a DictionaryArray<Int32Type>, &'a StringArray),
    Integers(&'a Int64Array),
    Floats(&'a Float64Array),
    SmallFloats(&'a Float32Array),
    Decimals(&'a Decimal128Array),
    Flags(&'a BooleanArray),
    Dates(&'a Date32Array),
    /// Instants, or what a clock shows when the file names no time zone.
    Times(&'a TimestampMillisecondArray),
    /// A kind that no field is read from.
    Other(&'a ArrayRef),
    /// So many empty cells.
    Absent(usize),
}

impl<'a> Column<'a> {
    pub(super) fn of(array: &'a ArrayRef) -> Self {
        match array.data_type() {
            DataType::Utf8 => Self::Strings(array.as_string()),
            DataType::Dictionary(..) => {
                let keyed = array.as_dictionary::<Int32Type>();
                Self::Dictionary(keyed, keyed.values().as_string())
            }
            DataType::Int64 => Self::Integers(array.as_primitive::<Int64Type>()),
            DataType::Float64 => Self::Floats(array.as_primitive::<Float64Type>()),
            DataType::Float32 => Self::SmallFloats(array.as_primitive::<Float32Type>()),
            DataType::Decimal128(..) => Self::Decimals(array.as_primitive::<Decimal128Type>()),
            DataType::Boolean => Self::Flags(array.as_boolean()),
            DataType::Date32 => Self::Dates(array.as_primitive::<Date32Type>()),
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                Self::Times(array.as_primitive::<TimestampMillisecondType>())
            }
            _ => Self::Other(array),
        }
    }

    pub(crate) fn len(self) -> usize {
        match self {
            Self::Cells(cells) => cells.len(),
            Self::Strings(array) => array.len(),
            Self::Dictionary(array, _) => array.len(),
            Self::Integers(array) => array.len(),
            Self::Floats(array) => array.len(),
            Self::SmallFloats(array) => array.len(),
            Self::Decimals(array) => array.len(),
            Self::Flags(array) => array.len(),
            Self::Dates(array) => array.len(),
            Self::Times(array) => array.len(),
            Self::Other(array) => array.len(),
            Self::Absent(rows) => rows,
        }
    }
}

/// What a Parquet file says of itself.
#[derive(Debug, Clone)]
pub(crate) struct ParquetColumns {
    /// Names of the top-level columns.
    pub(crate) names: Vec<String>,
    /// Their types.
    pub(crate) types: Vec<CellType>,
    pub(crate) rows: u64,
}

/// The rows of a Parquet file.
pub(crate) struct ParquetRows {
    input: Input,
    reader: ParquetRecordBatchReader,
    indices: Vec<Option<usize>>,
    /// Whether texts of each column that is read keep their dictionary.
    repeating: Vec<bool>,
    next_row: u64,
}

/// Which columns of a Parquet file are read, and how.
#[derive(Debug, Clone, Default)]
pub(crate) struct Projection {
    /// Positions, ascending.
    pub(crate) positions: Vec<usize>,
    /// Positions of those that are read as texts that repeat: their dictionary is kept.
    pub(crate) repeating: Vec<usize>,
}

impl ParquetColumns {
    pub(crate) fn of(input: &Input) -> Result<Self, IngestError> {
        let (schema, rows) = match open(input)? {
            Opened::File(builder) => (Arc::clone(builder.schema()), count_rows(&builder)),
            Opened::Bytes(builder) => (Arc::clone(builder.schema()), count_rows(&builder)),
        };
        let names = schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        let types = schema
            .fields()
            .iter()
            .map(|field| cell_type(field.data_type()))
            .collect();
        Ok(Self { names, types, rows })
    }
}

impl ParquetRows {
    /// Opens a file to read some of its columns.
    pub(crate) fn new(
        input: &Input,
        projection: &Projection,
        batch_rows: usize,
    ) -> Result<Self, IngestError> {
        let (positions, plain) = (&projection.positions, open(input)?);
        let schema = with_dictionaries(plain.schema(), &projection.repeating);
        // A file whose texts cannot be read so is read without.
        let opened = open_with(input, schema).unwrap_or(plain);
        let (reader, columns) = match opened {
            Opened::File(builder) => built(input, *builder, positions, batch_rows)?,
            Opened::Bytes(builder) => built(input, *builder, positions, batch_rows)?,
        };
        let mut indices = vec![None; columns];
        for (index, &position) in positions.iter().enumerate() {
            indices[position] = Some(index);
        }
        let repeating = positions
            .iter()
            .map(|position| projection.repeating.contains(position));
        let (input, repeating) = (input.clone(), repeating.collect());
        Ok(Self {
            input,
            reader,
            indices,
            repeating,
            next_row: 1,
        })
    }

    /// Rows delivered so far.
    pub(crate) fn rows_done(&self) -> u64 {
        self.next_row - 1
    }

    pub(super) fn next_batch(&mut self) -> Result<Option<RowBatch>, IngestError> {
        let Some(batch) = self.reader.next() else {
            return Ok(None);
        };
        let damaged = |error: arrow::error::ArrowError| IngestError::Damaged {
            file: self.input.name().to_owned(),
            detail: error.to_string(),
        };
        let batch = simplified(batch.map_err(damaged)?, &self.repeating).map_err(damaged)?;
        let first_row = self.next_row;
        self.next_row += batch.num_rows() as u64;
        let rows = Rows::Arrow {
            batch,
            first_row,
            indices: self.indices.clone(),
        };
        Ok(Some(RowBatch {
            rows,
            rejected: Vec::new(),
        }))
    }
}

enum Opened {
    File(Box<ParquetRecordBatchReaderBuilder<File>>),
    Bytes(Box<ParquetRecordBatchReaderBuilder<bytes::Bytes>>),
}

impl Opened {
    fn schema(&self) -> &SchemaRef {
        match self {
            Self::File(builder) => builder.schema(),
            Self::Bytes(builder) => builder.schema(),
        }
    }
}

fn open(input: &Input) -> Result<Opened, IngestError> {
    open_as(input, ArrowReaderOptions::new())
}

fn open_with(input: &Input, schema: SchemaRef) -> Result<Opened, IngestError> {
    open_as(input, ArrowReaderOptions::new().with_schema(schema))
}

fn open_as(input: &Input, options: ArrowReaderOptions) -> Result<Opened, IngestError> {
    let damaged = |error: ::parquet::errors::ParquetError| IngestError::Damaged {
        file: input.name().to_owned(),
        detail: error.to_string(),
    };
    Ok(match input {
        Input::Path(path) => {
            let file = File::open(path).map_err(|source| IngestError::Io {
                file: path.clone(),
                source,
            })?;
            let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options);
            Opened::File(Box::new(builder.map_err(damaged)?))
        }
        Input::Bytes { bytes, .. } => {
            let bytes = bytes.clone();
            let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options);
            Opened::Bytes(Box::new(builder.map_err(damaged)?))
        }
    })
}

/// The schema with dictionaries for the texts of the columns at `repeating`.
fn with_dictionaries(schema: &SchemaRef, repeating: &[usize]) -> SchemaRef {
    let fields = schema.fields().iter().enumerate().map(|(position, field)| {
        let text = target(field.data_type()) == Some(DataType::Utf8)
            && !matches!(
                field.data_type(),
                DataType::UInt64 | DataType::Decimal256(..)
            );
        if text && repeating.contains(&position) {
            Arc::new(field.as_ref().clone().with_data_type(dictionary()))
        } else {
            Arc::clone(field)
        }
    });
    let fields: Vec<ArrowFieldRef> = fields.collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn count_rows<T>(builder: &ArrowReaderBuilder<T>) -> u64 {
    u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0)
}

/// The reader of the columns at `positions`, and how many columns the file has.
fn built<T: ChunkReader + 'static>(
    input: &Input,
    builder: ParquetRecordBatchReaderBuilder<T>,
    positions: &[usize],
    batch_rows: usize,
) -> Result<(ParquetRecordBatchReader, usize), IngestError> {
    let columns = builder.schema().fields().len();
    let mask = ProjectionMask::roots(builder.parquet_schema(), positions.iter().copied());
    let reader = builder
        .with_projection(mask)
        .with_batch_size(batch_rows.max(1))
        .build();
    let reader = reader.map_err(|error| IngestError::Damaged {
        file: input.name().to_owned(),
        detail: error.to_string(),
    })?;
    Ok((reader, columns))
}

/// The kind that a column becomes; `None` for one that no field is read from.
fn target(kind: &DataType) -> Option<DataType> {
    Some(match kind {
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        // No signed 64-bit integer holds all of these: they are read as digits.
        | DataType::UInt64
        | DataType::Decimal256(..) => DataType::Utf8,
        DataType::Dictionary(_, value) => return target(value),
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32 => DataType::Int64,
        DataType::Float16 | DataType::Float32 => DataType::Float32,
        DataType::Float64 => DataType::Float64,
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale) => DataType::Decimal128(*precision, *scale),
        DataType::Boolean => DataType::Boolean,
        DataType::Date32 => DataType::Date32,
        DataType::Date64 => DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Millisecond, zone.clone()),
        _ => return None,
    })
}

fn cell_type(kind: &DataType) -> CellType {
    match target(kind) {
        Some(DataType::Utf8) => CellType::Text,
        Some(DataType::Boolean) => CellType::Flag,
        Some(DataType::Date32 | DataType::Timestamp(..)) => CellType::Date,
        Some(_) => CellType::Number,
        None => CellType::Other,
    }
}

fn simplified(
    batch: RecordBatch,
    repeating: &[bool],
) -> Result<RecordBatch, arrow::error::ArrowError> {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    let schema = batch.schema();
    let all = schema.fields().iter().zip(batch.columns()).zip(repeating);
    for ((field, column), &repeating) in all {
        let column = match target(field.data_type()) {
            _ if repeating && *field.data_type() == dictionary() => Arc::clone(column),
            Some(kind) if kind != *field.data_type() => cast_with_options(column, &kind, &options)?,
            _ => Arc::clone(column),
        };
        fields.push(ArrowField::new(
            field.name(),
            column.data_type().clone(),
            true,
        ));
        columns.push(column);
    }
    let rows =
        arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &rows)
}
