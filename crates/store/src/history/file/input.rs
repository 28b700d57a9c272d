//! Reads a run: whole, a row group at a time; or one customer's pages.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, UInt64Array};
use arrow::datatypes::SchemaRef;
use bytes::{Buf, Bytes};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, RowGroupMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::Statistics;
use regulars_core::CustomerId;
use serde_json::Value;

use super::window::Chunks;
use super::{CONSTANTS_KEY, ENDS_KEY, ENDS_TOLD, VERSION, format_name};
use crate::StoreError;
use crate::label::{self, Label};
use crate::manifest::Family;

/// Rows decoded at a time: few enough to stay in the processor's cache.
const BATCH_ROWS: usize = 4 << 10;
/// Column chunks that lie closer together are read with one call.
const READ_THROUGH_BYTES: u64 = 64 << 10;

/// An open run.
#[derive(Debug)]
pub(in crate::history) struct RunInput {
    path: PathBuf,
    pub(super) file: Arc<File>,
    pub(super) length: u64,
    pub(super) metadata: ArrowReaderMetadata,
    pub(super) constants: BTreeMap<String, Value>,
}

impl RunInput {
    pub(in crate::history) fn open(
        path: &Path,
        family: Family,
        schema: SchemaRef,
        page_index: PageIndexPolicy,
    ) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(crate::store::missing_or("open", path))?;
        let length = file
            .metadata()
            .map_err(StoreError::io("look at", path))?
            .len();
        let of_label = ArrowReaderOptions::new()
            .with_page_index_policy(page_index)
            .with_skip_arrow_metadata(true);
        let metadata =
            ArrowReaderMetadata::load(&file, of_label).map_err(StoreError::parquet(path))?;
        let constants = check_label(path, family, &metadata)?;
        // Only a file of the right version need have the right columns.
        let options = ArrowReaderOptions::new()
            .with_schema(schema)
            .with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::try_new(metadata.metadata().clone(), options)
            .map_err(StoreError::parquet(path))?;
        Ok(Self {
            path: path.to_owned(),
            file: Arc::new(file),
            length,
            metadata,
            constants,
        })
    }

    pub(in crate::history) fn path(&self) -> &Path {
        &self.path
    }

    /// Columns with one value, which [`RunInput::projection`] leaves out.
    pub(in crate::history) fn constants(&self) -> &BTreeMap<String, Value> {
        &self.constants
    }

    /// True when its order lines say without `updated_at` when their orders ended.
    pub(in crate::history) fn tells_ends(&self) -> bool {
        label::value(self.metadata.metadata(), ENDS_KEY) == ENDS_TOLD
    }

    pub(in crate::history) fn row_groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    fn projection(&self, columns: &[&str]) -> ProjectionMask {
        let read = columns
            .iter()
            .copied()
            .filter(|column| !self.constants.contains_key(*column));
        ProjectionMask::columns(self.metadata.parquet_schema(), read)
    }

    /// The rows of one row group; only the columns asked for are read.
    pub(in crate::history) fn row_group(
        &self,
        index: usize,
        columns: &[&str],
    ) -> Result<Batches, StoreError> {
        let mask = self.projection(columns);
        let pieces = self.pieces(index, &mask)?;
        ParquetRecordBatchReaderBuilder::new_with_metadata(pieces, self.metadata.clone())
            .with_row_groups(vec![index])
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(StoreError::parquet(&self.path))
    }

    /// The column chunks of one row group.
    pub(in crate::history) fn chunks(&self, index: usize) -> Chunks<'_> {
        Chunks {
            input: self,
            group: self.metadata.metadata().row_group(index),
        }
    }

    fn pieces(&self, index: usize, mask: &ProjectionMask) -> Result<Pieces, StoreError> {
        let group = self.metadata.metadata().row_group(index);
        let ranges = ranges_of(group, mask);
        let mut pieces = Vec::with_capacity(ranges.len());
        for range in ranges {
            let damaged = || StoreError::damaged(&self.path, "its columns lie beyond its end");
            let bytes = range.end.checked_sub(range.start).ok_or_else(damaged)?;
            if range.end > self.length {
                return Err(damaged());
            }
            let mut piece = Vec::with_capacity(bytes as usize);
            (&*self.file)
                .seek(SeekFrom::Start(range.start))
                .and_then(|_| (&*self.file).take(bytes).read_to_end(&mut piece))
                .map_err(StoreError::io("read", &self.path))?;
            pieces.push((range.start, Bytes::from(piece)));
        }
        Ok(Pieces {
            length: self.length,
            pieces,
        })
    }

    /// The rows of the pages in which the customer may be; the run must have been opened with its
    /// page index.
    pub(in crate::history) fn pages_of(
        &self,
        customer: CustomerId,
        columns: &[&str],
    ) -> Result<Batches, StoreError> {
        let metadata = self.metadata.metadata();
        let mut selected = Vec::new();
        let mut before = 0;
        for (index, group) in metadata.row_groups().iter().enumerate() {
            let rows = group.num_rows() as usize;
            if may_hold(group, customer) {
                let within = self.pages_in_group(index, rows, customer);
                selected.extend(within.into_iter().map(|r| before + r.start..before + r.end));
            }
            before += rows;
        }
        let selection = RowSelection::from_consecutive_ranges(selected.into_iter(), before);
        let file = self
            .file
            .try_clone()
            .map_err(StoreError::io("open", &self.path))?;
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
            .with_projection(self.projection(columns))
            .with_row_selection(selection)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(StoreError::parquet(&self.path))
    }

    /// The rows of some customers in a row group; `None` when it has none of them.
    pub(in crate::history) fn rows_in_group(
        &self,
        group: usize,
        is_wanted: impl Fn(CustomerId) -> bool,
        columns: &[&str],
    ) -> Result<Option<Batches>, StoreError> {
        let damaged = || StoreError::damaged(&self.path, "column `customer_id` has another type");
        let mut wanted: Vec<Range<usize>> = Vec::new();
        let mut before = 0;
        // Rows are sorted by customer: each is asked for once.
        let mut last = None;
        let mut is_wanted = |customer: u64| match last {
            Some((asked, answer)) if asked == customer => answer,
            _ => {
                let answer = is_wanted(CustomerId(customer));
                last = Some((customer, answer));
                answer
            }
        };
        for batch in self.row_group(group, &["customer_id"])? {
            let batch = batch.map_err(StoreError::parquet(&self.path))?;
            let customers: &UInt64Array = batch
                .column_by_name("customer_id")
                .and_then(|column| column.as_any().downcast_ref())
                .ok_or_else(damaged)?;
            for (row, &customer) in (before..).zip(customers.values()) {
                if !is_wanted(customer) {
                    continue;
                }
                match wanted.last_mut() {
                    Some(last) if last.end == row => last.end += 1,
                    Some(_) | None => wanted.push(row..row + 1),
                }
            }
            before += batch.num_rows();
        }
        if wanted.is_empty() {
            return Ok(None);
        }
        let selection = RowSelection::from_consecutive_ranges(wanted.into_iter(), before);
        let file = self
            .file
            .try_clone()
            .map_err(StoreError::io("open", &self.path))?;
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
            .with_row_groups(vec![group])
            .with_projection(self.projection(columns))
            .with_row_selection(selection)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map(Some)
            .map_err(StoreError::parquet(&self.path))
    }

    /// Ranges of rows within a row group; all of it when it has no usable index.
    fn pages_in_group(&self, group: usize, rows: usize, customer: CustomerId) -> Vec<Range<usize>> {
        let metadata = self.metadata.metadata();
        let index = metadata
            .column_index()
            .and_then(|index| index.get(group)?.first());
        let pages = metadata
            .offset_index()
            .and_then(|index| index.get(group)?.first());
        let (Some(ColumnIndexMetaData::INT64(index)), Some(pages)) = (index, pages) else {
            return std::iter::once(0..rows).collect();
        };
        let starts: Vec<usize> = pages
            .page_locations()
            .iter()
            .map(|page| page.first_row_index as usize)
            .collect();
        let ends = starts.iter().skip(1).copied().chain([rows]);
        let ranges = starts
            .iter()
            .copied()
            .zip(ends)
            .map(|(start, end)| start..end);
        let limits = index.min_values_iter().zip(index.max_values_iter());
        let held = limits.map(|(min, max)| within(min, max, customer));
        ranges
            .zip(held)
            .filter(|(_, held)| *held)
            .map(|(range, _)| range)
            .collect()
    }
}

/// Rows of a run, some at a time.
pub(in crate::history) type Batches = ParquetRecordBatchReader;

/// Says whether the file is what it should be; gives its constant columns.
fn check_label(
    path: &Path,
    family: Family,
    metadata: &ArrowReaderMetadata,
) -> Result<BTreeMap<String, Value>, StoreError> {
    let label = Label {
        what: "file of the history",
        format: format_name(family),
        version: VERSION,
    };
    let metadata = metadata.metadata();
    label.check(path, metadata)?;
    serde_json::from_str(label::value(metadata, CONSTANTS_KEY)).map_err(StoreError::parquet(path))
}

fn ranges_of(group: &RowGroupMetaData, mask: &ProjectionMask) -> Vec<Range<u64>> {
    let wanted = (0..group.num_columns()).filter(|&column| mask.leaf_included(column));
    let mut ranges: Vec<Range<u64>> = wanted
        .map(|column| {
            let (start, bytes) = group.column(column).byte_range();
            start..start.saturating_add(bytes)
        })
        .collect();
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, last| {
        let near = next.start <= last.end.saturating_add(READ_THROUGH_BYTES);
        if near {
            last.end = last.end.max(next.end);
        }
        near
    });
    ranges
}

fn may_hold(group: &RowGroupMetaData, customer: CustomerId) -> bool {
    match group.column(0).statistics() {
        Some(Statistics::Int64(limits)) => within(limits.min_opt(), limits.max_opt(), customer),
        _ => true,
    }
}

/// Parquet keeps unsigned numbers in signed ones of the same bits.
fn within(min: Option<&i64>, max: Option<&i64>, customer: CustomerId) -> bool {
    min.is_none_or(|&min| min as u64 <= customer.0)
        && max.is_none_or(|&max| customer.0 <= max as u64)
}

/// The parts of a file that were read, at their places.
#[derive(Debug)]
struct Pieces {
    length: u64,
    pieces: Vec<(u64, Bytes)>,
}

impl Pieces {
    fn from(&self, start: u64) -> Result<Bytes, ParquetError> {
        let after = self.pieces.partition_point(|(at, _)| *at <= start);
        let piece = after.checked_sub(1).map(|index| &self.pieces[index]);
        piece
            .and_then(|(at, bytes)| {
                let skip = (start - at) as usize;
                (skip <= bytes.len()).then(|| bytes.slice(skip..))
            })
            .ok_or_else(|| ParquetError::EOF(format!("nothing was read at byte {start}")))
    }
}

impl Length for Pieces {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Pieces {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.from(start)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!(
                "a page at byte {start} is cut short"
            )));
        }
        Ok(bytes.slice(..length))
    }
}

/// The next batch of a run.
pub(in crate::history) fn next_batch(
    path: &Path,
    batches: &mut Batches,
) -> Result<Option<RecordBatch>, StoreError> {
    batches
        .next()
        .transpose()
        .map_err(StoreError::parquet(path))
}
