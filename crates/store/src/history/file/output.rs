//! Writes a run and keeps its totals.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{DEFAULT_WRITE_BATCH_SIZE, WriterPropertiesBuilder};
use regulars_core::{Currency, CustomerId, Partition, Timestamp};

use super::{CONSTANTS_KEY, CURRENCY_KEY, ENDS_KEY, ENDS_TOLD, VERSION, format_name, layout};
use crate::StoreError;
use crate::history::constants::Constants;
use crate::label::{FORMAT_KEY, VERSION_KEY};
use crate::manifest::{Family, RunInfo};

/// What a row is sorted by, and what the totals need of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::history) struct Key {
    pub(in crate::history) customer: CustomerId,
    pub(in crate::history) occurred_at: Timestamp,
    /// What breaks ties of time, in order.
    pub(in crate::history) then: [u64; 3],
}

/// A file with the checksum of what was written to it.
#[derive(Debug)]
struct Summed {
    file: File,
    crc32c: u32,
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.crc32c = crc32c::crc32c_append(self.crc32c, &bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

#[derive(Debug)]
pub(in crate::history) struct RunOutput {
    path: PathBuf,
    writer: ArrowWriter<Summed>,
    info: RunInfo,
    last: Option<Key>,
    pub(in crate::history) constants: Constants,
}

impl RunOutput {
    pub(in crate::history) fn create(
        dir: &Path,
        file: String,
        (family, partition): (Family, Partition),
        (schema, properties): (SchemaRef, WriterPropertiesBuilder),
        currency: Option<Currency>,
    ) -> Result<Self, StoreError> {
        let path = dir.join(&file);
        let entry = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
        let mut metadata = vec![
            entry(FORMAT_KEY, format_name(family).to_owned()),
            entry(VERSION_KEY, VERSION.to_string()),
        ];
        metadata.extend(currency.map(|currency| entry(CURRENCY_KEY, currency.to_string())));
        let by_customer = |column_idx| SortingColumn {
            column_idx,
            descending: false,
            nulls_first: false,
        };
        let rows = layout(family);
        let properties = properties
            .set_max_row_group_row_count(Some(rows.group))
            .set_data_page_row_count_limit(rows.page)
            .set_write_batch_size(rows.page.min(DEFAULT_WRITE_BATCH_SIZE))
            .set_dictionary_page_size_limit(4 << 20)
            .set_sorting_columns(Some(vec![by_customer(0)]))
            .set_key_value_metadata(Some(metadata))
            .set_created_by(concat!("Regulars ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let sink = Summed {
            file: File::create(&path).map_err(StoreError::io("create", &path))?,
            crc32c: 0,
        };
        let writer = ArrowWriter::try_new(sink, schema, Some(properties))
            .map_err(failed("create", &path))?;
        let info = RunInfo {
            file,
            family,
            partition,
            rows: 0,
            customers: 0,
            first_at: Timestamp(i64::MAX),
            last_at: Timestamp(i64::MIN),
            first_import: u64::MAX,
            last_import: 0,
            bytes: 0,
            crc32c: None,
        };
        Ok(Self {
            path,
            writer,
            info,
            last: None,
            constants: Constants::default(),
        })
    }

    /// Checks that a row is in its place and counts it.
    pub(in crate::history) fn count(&mut self, key: Key, import: u64) -> Result<(), StoreError> {
        let info = &mut self.info;
        let misplaced = |detail| StoreError::Misplaced {
            path: self.path.clone(),
            row: info.rows,
            detail,
        };
        if key.customer.partition() != info.partition {
            return Err(misplaced("its customer belongs to another partition"));
        }
        match self.last {
            Some(last) if key < last => return Err(misplaced("it comes after a later row")),
            Some(last) if key.customer == last.customer => {}
            Some(_) | None => info.customers += 1,
        }
        self.last = Some(key);
        info.rows += 1;
        info.first_at = info.first_at.min(key.occurred_at);
        info.last_at = info.last_at.max(key.occurred_at);
        info.first_import = info.first_import.min(import);
        info.last_import = info.last_import.max(import);
        Ok(())
    }

    pub(in crate::history) fn write(&mut self, batch: &RecordBatch) -> Result<(), StoreError> {
        self.writer
            .write(batch)
            .map_err(failed("write", &self.path))
    }

    /// Notes that its order lines say without `updated_at` when their orders ended.
    pub(in crate::history) fn tell_ends(&mut self) {
        let told = KeyValue::new(ENDS_KEY.to_owned(), ENDS_TOLD.to_owned());
        self.writer.append_key_value_metadata(told);
    }

    /// The file, for messages.
    pub(in crate::history) fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the file and makes it durable (its name becomes so with the commit).
    pub(in crate::history) fn finish(mut self) -> Result<RunInfo, StoreError> {
        let constants = KeyValue::new(CONSTANTS_KEY.to_owned(), self.constants.to_json());
        self.writer.append_key_value_metadata(constants);
        let Summed { file, crc32c } = self
            .writer
            .into_inner()
            .map_err(failed("write", &self.path))?;
        file.sync_all()
            .map_err(StoreError::io("sync", &self.path))?;
        let length = file
            .metadata()
            .map_err(StoreError::io("look at", &self.path))?
            .len();
        Ok(RunInfo {
            bytes: length,
            crc32c: Some(crc32c),
            ..self.info
        })
    }
}

/// The Parquet writer fails when the disk does.
fn failed(action: &'static str, path: &Path) -> impl FnOnce(ParquetError) -> StoreError {
    let path = path.to_owned();
    move |error| StoreError::io(action, &path)(std::io::Error::other(error))
}
