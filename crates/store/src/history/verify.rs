//! Reads a run to its end for nothing but to know that it can be read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use super::RunInfo;
use super::file::{VERSION, format_name};
use crate::StoreError;
use crate::label::Label;

/// Rows decoded at a time.
const BATCH_ROWS: usize = 4 << 10;

/// Bytes that are summed at a time.
const SUMMED_BYTES: usize = 1 << 18;

/// Checks the bytes of a run against the checksum that the manifest has of it, if it has one.
pub(super) fn check_sum(path: &Path, run: &RunInfo) -> Result<(), StoreError> {
    let Some(expected) = run.crc32c else {
        return Ok(());
    };
    let mut file = File::open(path).map_err(crate::store::missing_or("open", path))?;
    let (mut crc32c, mut piece) = (0, vec![0; SUMMED_BYTES]);
    loop {
        match file
            .read(&mut piece)
            .map_err(StoreError::io("read", path))?
        {
            0 => break,
            length => crc32c = crc32c::crc32c_append(crc32c, &piece[..length]),
        }
    }
    if crc32c == expected {
        return Ok(());
    }
    Err(StoreError::damaged(
        path,
        "its bytes are not those that were written: put it back from a backup, or import again",
    ))
}

/// Checks a run against what the manifest says of it, and reads all of its rows.
pub(crate) fn verify(path: &Path, run: &RunInfo) -> Result<(), StoreError> {
    let file = File::open(path).map_err(crate::store::missing_or("open", path))?;
    let length = file
        .metadata()
        .map_err(StoreError::io("look at", path))?
        .len();
    if length != run.bytes {
        let detail = format!("it has {length} bytes where {} were written", run.bytes);
        return Err(StoreError::damaged(path, detail));
    }
    check_sum(path, run)?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        .map_err(StoreError::parquet(path))?;
    let label = Label {
        what: "run of the history",
        format: format_name(run.family),
        version: VERSION,
    };
    label.check(path, builder.metadata())?;
    let mut rows = 0;
    let batches = builder.with_batch_size(BATCH_ROWS).build();
    for batch in batches.map_err(StoreError::parquet(path))? {
        rows += batch.map_err(StoreError::parquet(path))?.num_rows() as u64;
    }
    if rows != run.rows {
        let detail = format!("it has {rows} rows where {} were written", run.rows);
        return Err(StoreError::damaged(path, detail));
    }
    Ok(())
}
