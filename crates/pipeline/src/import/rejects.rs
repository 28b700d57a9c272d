//! Rows that could not be read, kept aside with their reasons.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use regulars_ingest::Reject;

use crate::error::PipelineError;

/// What the name of a file ends in while its import has not succeeded.
const FAILED: &str = ".failed.csv";

/// Writes `file,line,column,value,reason` as CSV; the file comes into being with the first row.
///
/// It is called `import-7.failed.csv` until the import has succeeded and `import-7.csv` then, so
/// that what a failed import leaves is told from what belongs to the data.
#[derive(Debug)]
pub(crate) struct RejectFile {
    /// The name after success.
    kept: PathBuf,
    path: PathBuf,
    out: Option<BufWriter<File>>,
}

impl RejectFile {
    /// A file for the import with that offset in the log, in `directory`; what failed imports
    /// left there is removed.
    pub(crate) fn begin(directory: &Path, import: u64) -> Result<Self, PipelineError> {
        let kept = directory.join(format!("import-{import}.csv"));
        let mut old = vec![kept.clone()];
        if let Ok(entries) = fs::read_dir(directory) {
            let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
            old.extend(paths.filter(|path| path.to_string_lossy().ends_with(FAILED)));
        }
        for path in old {
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(PipelineError::Write { path, source }),
            }
        }
        Ok(Self {
            path: directory.join(format!("import-{import}{FAILED}")),
            kept,
            out: None,
        })
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

    /// Ends the file of an import that has succeeded; gives its path if it has rows.
    pub(crate) fn finish(mut self) -> Result<Option<PathBuf>, PipelineError> {
        let Some(mut out) = self.out.take() else {
            return Ok(None);
        };
        let written = out
            .flush()
            .and_then(|()| fs::rename(&self.path, &self.kept));
        match written {
            Ok(()) => Ok(Some(self.kept)),
            Err(source) => Err(PipelineError::Write {
                path: self.path,
                source,
            }),
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
