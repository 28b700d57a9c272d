//! The reader: batches of typed rows, one after the other, in the order of the file.

mod build;
mod cell;
mod column;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use build::{Builder, RETURNS, is_of_sales};
pub(crate) use cell::{Privacy, is_rounded_id, masked, text_of};
pub use column::Contradiction;

use crate::recognition::Form;
use crate::rows::{
    Delimited, JsonKeys, JsonLines, Limits, ParquetColumns, ParquetRows, Projection, RowSource,
    TextRows, TextShape,
};
use crate::{Batch, Format, Header, IngestError, Input, ReadOptions, Recognition, Role};

/// Reads a recognised file in batches.
pub struct Reader {
    file: PathBuf,
    rows: RowSource,
    builder: Builder,
    read: Arc<AtomicU64>,
    bytes_total: u64,
    /// Rows of a Parquet file: its bytes are not read in their order.
    rows_total: Option<u64>,
    tally: Tally,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("tally", &self.tally)
            .finish_non_exhaustive()
    }
}

/// How far a reader is, in bytes of the file as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub bytes_read: u64,
    /// Bytes of the file.
    pub bytes_total: u64,
}

/// What a reader has seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Rows delivered.
    pub rows: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Repeated headers that were skipped, as in files that were put together.
    pub repeated_headers: u64,
    /// Rows without any content that were skipped.
    pub blank_rows: u64,
}

/// Opens a recognised file for reading.
///
/// # Errors
/// When a question is open, or the file cannot be read.
pub fn open(
    input: impl Into<Input>,
    recognition: &Recognition,
    options: &ReadOptions,
) -> Result<Reader, IngestError> {
    let input = input.into();
    if let Some(question) = recognition.questions.first() {
        let file = input.name().to_owned();
        return Err(IngestError::Question {
            file,
            question: Box::new(question.clone()),
        });
    }
    let bytes_total = input.size()?;
    let columns = recognition
        .columns
        .iter()
        .filter(|column| column.role != Role::Unmapped);
    let repeats = |column: &&crate::ColumnInfo| build::repeats(column, recognition.entity);
    let projection = Projection {
        positions: columns.clone().map(|column| column.position).collect(),
        repeating: columns
            .filter(repeats)
            .map(|column| column.position)
            .collect(),
    };
    let read = Arc::new(AtomicU64::new(0));
    let limits = Limits {
        batch_rows: options.batch_rows,
        max_line_bytes: options.max_line_bytes,
    };
    let rows = open_rows(&input, &recognition.form, &projection, limits, &read)?;
    let rows_total = match recognition.format {
        Format::Parquet => Some(ParquetColumns::of(&input)?.rows),
        Format::Delimited { .. }
        | Format::Whitespace { .. }
        | Format::Ndjson { .. }
        | Format::TrackingCalls { .. } => None,
    };
    let builder = Builder::new(recognition, options);
    Ok(Reader {
        file: input.name().to_owned(),
        rows,
        builder,
        read,
        bytes_total,
        rows_total,
        tally: Tally::default(),
    })
}

impl Reader {
    /// The next rows; `None` at the end. A batch may hold rejected rows only.
    ///
    /// # Errors
    /// When the file cannot be read any further, or a row contradicts what was decided about its
    /// column. Rows that cannot be read are in the batch.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, IngestError> {
        let batch = self.rows.next_batch()?;
        let skipped = self.rows.skipped();
        self.tally.repeated_headers = skipped.repeated_headers;
        self.tally.blank_rows = skipped.blank_rows;
        let Some(rows) = batch else {
            return Ok(None);
        };
        let (batch, contradiction) = self.builder.build(rows);
        if let Some(contradiction) = contradiction {
            return Err(IngestError::Contradiction {
                file: self.file.clone(),
                contradiction: Box::new(contradiction),
            });
        }
        self.tally.rows += batch.len() as u64;
        self.tally.rejected += batch.rejected().len() as u64;
        Ok(Some(batch))
    }

    /// How far the reader is.
    pub fn progress(&self) -> Progress {
        let bytes_read = match (&self.rows, self.rows_total) {
            (RowSource::Parquet(rows), Some(total)) if total > 0 => {
                let share = rows.rows_done() as f64 / total as f64;
                (share * self.bytes_total as f64) as u64
            }
            _ => self.read.load(Ordering::Relaxed),
        };
        Progress {
            bytes_read: bytes_read.min(self.bytes_total),
            bytes_total: self.bytes_total,
        }
    }

    /// What has been read so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }
}

/// Opens the rows of a file; of a Parquet file, some of its columns only.
pub(crate) fn open_rows(
    input: &Input,
    form: &Form,
    projection: &Projection,
    limits: Limits,
    read: &Arc<AtomicU64>,
) -> Result<RowSource, IngestError> {
    let width = form.names.len();
    let (encoding, header, shape) = match form.format {
        Format::Parquet => {
            let rows = ParquetRows::new(input, projection, limits.batch_rows)?;
            return Ok(RowSource::Parquet(rows));
        }
        Format::Delimited {
            delimiter,
            encoding,
            header,
        } => {
            let cells = form.header.clone();
            let shape = Delimited::new(delimiter as u8, form.line_end, width, cells);
            (encoding, header, TextShape::Delimited(shape))
        }
        Format::Whitespace { encoding, header } => {
            (encoding, header, TextShape::Whitespace { width })
        }
        Format::TrackingCalls { encoding } => {
            let shape = TextShape::Json(JsonLines::whole());
            (encoding, Header::Absent, shape)
        }
        Format::Ndjson { encoding } => {
            let keys = JsonKeys::new(form.names.clone());
            (
                encoding,
                Header::Absent,
                TextShape::Json(JsonLines::new(keys)),
            )
        }
    };
    let text = input.text(form.compression, encoding, read)?;
    let rows = TextRows::new(input.clone(), text, shape, limits);
    // The splitter of delimited text skips the header itself, wherever it stands.
    let skip = match (&form.format, header) {
        (Format::Whitespace { .. }, Header::Present) => 1,
        _ => 0,
    };
    Ok(RowSource::Text(
        rows.skipping(skip).after_preamble(form.preamble)?,
    ))
}
