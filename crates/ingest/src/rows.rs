//! Rows of a file, split into cells but not read yet: the step between bytes and typed columns.
//!
//! Text files become [`Cells`], Parquet files Arrow arrays of a few kinds. Rows that are no rows
//! (too many cells, an open quote, broken text) are rejected here, with their lines.

mod cells;
mod delimited;
mod json;
mod parquet;
mod text;
mod whitespace;

pub(crate) use cells::{CellColumn, Cells, trimmed};
pub(crate) use delimited::{Delimited, split_sample};
pub(crate) use json::{JsonKeys, JsonLearner, JsonLines};
pub(crate) use parquet::{Column, ParquetColumns, ParquetRows, Projection};
pub(crate) use text::{Limits, TextRows, TextShape, read_line};
pub(crate) use whitespace::split_line;

use ::arrow::record_batch::RecordBatch;

use crate::{IngestError, Reject};

/// Some rows, in the order of the file.
#[derive(Debug)]
pub(crate) struct RowBatch {
    pub(crate) rows: Rows,
    /// Rows that could not be split.
    pub(crate) rejected: Vec<Reject>,
}

/// The cells of some rows.
#[derive(Debug)]
pub(crate) enum Rows {
    Cells(Cells),
    Arrow {
        batch: RecordBatch,
        /// Number of the first row, from 1.
        first_row: u64,
        /// Index in `batch` of each column of the file; `None` for one that is not read.
        indices: Vec<Option<usize>>,
    },
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Cells(cells) => cells.len(),
            Self::Arrow { batch, .. } => batch.num_rows(),
        }
    }

    /// Line of the file of each row (row number in Parquet), from 1.
    pub(crate) fn lines(&self) -> Vec<u64> {
        match self {
            Self::Cells(cells) => cells.lines().to_vec(),
            Self::Arrow {
                batch, first_row, ..
            } => (*first_row..*first_row + batch.num_rows() as u64).collect(),
        }
    }

    /// The column at `position` of the file.
    pub(crate) fn column(&self, position: usize) -> Column<'_> {
        match self {
            Self::Cells(cells) => Column::Cells(cells.column(position)),
            Self::Arrow { batch, indices, .. } => match indices.get(position).copied().flatten() {
                Some(index) => Column::of(batch.column(index)),
                None => Column::Absent(batch.num_rows()),
            },
        }
    }
}

/// The rows of a file, a batch at a time.
pub(crate) enum RowSource {
    Text(TextRows),
    Parquet(ParquetRows),
}

impl RowSource {
    pub(crate) fn next_batch(&mut self) -> Result<Option<RowBatch>, IngestError> {
        match self {
            Self::Text(rows) => rows.next_batch(),
            Self::Parquet(rows) => rows.next_batch(),
        }
    }

    /// Repeated headers and blank rows that were skipped.
    pub(crate) fn skipped(&self) -> Skipped {
        match self {
            Self::Text(rows) => rows.skipped(),
            Self::Parquet(_) => Skipped::default(),
        }
    }
}

/// Rows that are neither delivered nor rejected.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Skipped {
    pub(crate) repeated_headers: u64,
    pub(crate) blank_rows: u64,
}
