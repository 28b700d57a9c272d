//! A table as a file, in either form.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use regulars_core::format_minor;
use regulars_store::export::{Column, ColumnKind, TableWriter, Values};

use super::FileForm;
use crate::error::PipelineError;

/// A file that rows of columns are written to, in either form.
pub(super) enum Table {
    Parquet(Box<TableWriter>),
    Csv {
        path: PathBuf,
        out: BufWriter<File>,
        columns: Vec<Column>,
        rows: u64,
    },
}

impl Table {
    pub(super) fn create(
        path: &Path,
        form: FileForm,
        columns: &[Column],
    ) -> Result<Self, PipelineError> {
        match form {
            FileForm::Parquet => Ok(Self::Parquet(Box::new(TableWriter::create(path, columns)?))),
            FileForm::Csv => {
                let failed = |source| PipelineError::Write {
                    path: path.to_owned(),
                    source,
                };
                let mut out =
                    BufWriter::with_capacity(1 << 20, File::create(path).map_err(failed)?);
                let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                writeln!(out, "{}", names.join(",")).map_err(failed)?;
                Ok(Self::Csv {
                    path: path.to_owned(),
                    out,
                    columns: columns.to_vec(),
                    rows: 0,
                })
            }
        }
    }

    pub(super) fn write(
        &mut self,
        values: &[Values<'_>],
        length: usize,
    ) -> Result<(), PipelineError> {
        match self {
            Self::Parquet(writer) => Ok(writer.write(values)?),
            Self::Csv {
                path,
                out,
                columns,
                rows,
            } => {
                let mut line = String::new();
                for row in 0..length {
                    line.clear();
                    for (position, (column, values)) in columns.iter().zip(values).enumerate() {
                        if position > 0 {
                            line.push(',');
                        }
                        csv_cell(&mut line, column.kind, values, row);
                    }
                    line.push('\n');
                    out.write_all(line.as_bytes())
                        .map_err(|source| PipelineError::Write {
                            path: path.clone(),
                            source,
                        })?;
                }
                *rows += length as u64;
                Ok(())
            }
        }
    }

    pub(super) fn finish(self) -> Result<u64, PipelineError> {
        match self {
            Self::Parquet(writer) => Ok(writer.finish()?),
            Self::Csv {
                path,
                mut out,
                rows,
                ..
            } => {
                out.flush()
                    .map_err(|source| PipelineError::Write { path, source })?;
                Ok(rows)
            }
        }
    }
}

/// Appends a cell; texts of the made-up shop need no quotes.
fn csv_cell(line: &mut String, kind: ColumnKind, values: &Values<'_>, row: usize) {
    let integer = |line: &mut String, value: i64| match kind {
        ColumnKind::Money { exponent } => line.push_str(&format_minor(value, exponent)),
        _ => write!(line, "{value}").expect("writing to a string succeeds"),
    };
    let show = |line: &mut String, value: &dyn std::fmt::Display| {
        write!(line, "{value}").expect("writing to a string succeeds");
    };
    match values {
        Values::Texts(texts) => line.push_str(texts[row].unwrap_or_default()),
        Values::Coded { codes, texts } => {
            line.push_str(texts.get(codes[row] as usize).copied().unwrap_or_default());
        }
        Values::Integers(numbers) => integer(line, numbers[row]),
        Values::MaybeIntegers(numbers) => {
            if let Some(number) = numbers[row] {
                integer(line, number);
            }
        }
        Values::Numbers(numbers) => show(line, &numbers[row]),
        Values::MaybeNumbers(numbers) => {
            if let Some(number) = numbers[row] {
                show(line, &number);
            }
        }
        Values::Flags(flags) => line.push_str(match flags[row] {
            Some(true) => "true",
            Some(false) => "false",
            None => "",
        }),
        Values::Instants(instants) => show(line, &instants[row]),
        Values::MaybeInstants(instants) => {
            if let Some(at) = instants[row] {
                show(line, &at);
            }
        }
    }
}
