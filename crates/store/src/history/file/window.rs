//! The pages of one row group, column by column, for scans.

use std::fmt::{self, Debug, Formatter};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes};
use parquet::column::page::{Page, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;
use serde_json::Value;

use super::RunInput;

/// What a scan reads of a column at a time.
const WINDOW_BYTES: usize = 128 << 10;
/// More than the header of a page has; none of ours holds statistics of texts.
const HEADER_BYTES: usize = 1 << 10;

/// The column chunks of a row group, for a reader of pages.
#[derive(Debug)]
pub(in crate::history) struct Chunks<'r> {
    pub(super) input: &'r RunInput,
    pub(super) group: &'r RowGroupMetaData,
}

/// The pages of a column chunk.
pub(in crate::history) struct Pages {
    reader: SerializedPageReader<Window>,
    window: Arc<Window>,
    /// True when rows may be null.
    pub(in crate::history) optional: bool,
}

impl Debug for Pages {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

impl Pages {
    /// The next page, decompressed.
    pub(in crate::history) fn next_page(&mut self) -> Result<Option<Page>, ParquetError> {
        self.reader.get_next_page()
    }

    fn into_memory(self) -> Bytes {
        let mut held = self
            .window
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *held).1
    }
}

impl Chunks<'_> {
    /// Rows of the row group.
    pub(in crate::history) fn rows(&self) -> usize {
        self.group.num_rows() as usize
    }

    /// The value of a column that has only one.
    pub(in crate::history) fn constant(&self, column: &str) -> Option<&Value> {
        self.input.constants.get(column)
    }

    /// The pages of a column, in the memory of those of an earlier row group.
    pub(in crate::history) fn pages(
        &self,
        column: &str,
        spare: Option<Pages>,
    ) -> Result<Pages, String> {
        let schema = self.input.metadata.parquet_schema();
        let mut columns = schema.columns().iter();
        let index = columns
            .position(|known| known.name() == column)
            .ok_or("it is missing")?;
        let chunk = self.group.column(index);
        let (start, bytes) = chunk.byte_range();
        let end = start.saturating_add(bytes);
        if end > self.input.length {
            return Err("it lies beyond the end of the file".to_owned());
        }
        let window = Window {
            file: Arc::clone(&self.input.file),
            end,
            held: Mutex::new((u64::MAX, spare.map_or_else(Bytes::new, Pages::into_memory))),
        };
        let window = Arc::new(window);
        Ok(Pages {
            reader: SerializedPageReader::new(Arc::clone(&window), chunk, self.rows(), None)
                .map_err(|error| error.to_string())?,
            window,
            optional: schema.column(index).max_def_level() > 0,
        })
    }
}

/// A column chunk of which a part at a time is in memory: few enough bytes that memory in the
/// processor's cache is used again and again.
#[derive(Debug)]
struct Window {
    file: Arc<File>,
    /// Where the chunk ends.
    end: u64,
    held: Mutex<(u64, Bytes)>,
}

impl Window {
    /// At least `length` bytes from `start` on, fewer only at the end of the chunk.
    fn at(&self, start: u64, length: usize) -> std::io::Result<Bytes> {
        // What is held is replaced whole, so a panic elsewhere leaves it as it was.
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (from, bytes) = &*held;
        let skip = start
            .checked_sub(*from)
            .map_or(usize::MAX, |skip| skip as usize);
        if skip <= bytes.len() && bytes.len() - skip >= length {
            return Ok(bytes.slice(skip..));
        }
        let ahead = self.end.saturating_sub(start);
        let wanted = ahead.min(length.max(WINDOW_BYTES) as u64);
        // Memory that no page uses any more is used again.
        let spare = std::mem::take(&mut *held).1.try_into_mut();
        let mut read = spare.unwrap_or_default();
        read.resize(wanted as usize, 0);
        // The file is read by one thread only.
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut read)?;
        *held = (start, read.freeze());
        Ok(held.1.clone())
    }
}

impl Length for Window {
    fn len(&self) -> u64 {
        self.end
    }
}

impl ChunkReader for Window {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.at(start, HEADER_BYTES)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.at(start, length)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!(
                "a page at byte {start} is cut short"
            )));
        }
        Ok(bytes.slice(..length))
    }
}
