//! Rows that could not be read, kept aside with their reasons.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use regulars_ingest::Reject;

use crate::error::PipelineError;

/// Writes `file,line,column,value,reason` as CSV; the file comes into being with the first row.
#[derive(Debug)]
pub(crate) struct RejectFile {
    path: PathBuf,
    out: Option<BufWriter<File>>,
}

impl RejectFile {
    /// A file for an import, in `directory`.
    pub(crate) fn new(directory: &Path, import: u64) -> Self {
        Self {
            path: directory.join(format!("import-{import}.csv")),
            out: None,
        }
    }

    /// Where the rows are, if there are any.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.out.as_ref().map(|_| self.path.as_path())
    }

    pub(crate) fn add(&mut self, file: &str, rejects: &[Reject]) -> Result<(), PipelineError> {
        if rejects.is_empty() {
            return Ok(());
        }
        let path = self.path.clone();
        let failed = |source| PipelineError::Write {
            path: path.clone(),
            source,
        };
        if self.out.is_none() {
            if let Some(directory) = path.parent() {
                fs::create_dir_all(directory).map_err(failed)?;
            }
            let mut out = BufWriter::new(File::create(&path).map_err(failed)?);
            writeln!(out, "file,line,column,value,reason").map_err(failed)?;
            self.out = Some(out);
        }
        if let Some(out) = &mut self.out {
            for reject in rejects {
                let cells = [
                    file,
                    &reject.line.to_string(),
                    &reject.column,
                    &reject.value,
                    &reject.reason.to_string(),
                ];
                let line: Vec<String> = cells.into_iter().map(quoted).collect();
                writeln!(out, "{}", line.join(",")).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Ends the file; gives its path if it has rows.
    pub(crate) fn finish(mut self) -> Result<Option<PathBuf>, PipelineError> {
        let path = self.path;
        match self.out.take() {
            None => Ok(None),
            Some(mut out) => match out.flush() {
                Ok(()) => Ok(Some(path)),
                Err(source) => Err(PipelineError::Write { path, source }),
            },
        }
    }
}

/// A cell of CSV, quoted where it must be; a leading `=`, `+`, `-` or `@` gets an apostrophe, so
/// that a spreadsheet does not run it.
fn quoted(cell: &str) -> String {
    let dangerous = cell.starts_with(['=', '@'])
        || (cell.starts_with(['+', '-']) && cell.parse::<f64>().is_err());
    let cell = if dangerous {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}
