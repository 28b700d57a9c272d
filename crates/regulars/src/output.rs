//! Results in the form that was asked for: text for people, JSON, JSON lines or CSV.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::Format;
use crate::failure::Usage;
use crate::text::harmless;

/// Where a result goes, and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target<'p> {
    /// To stdout.
    Stdout(Format),
    /// To a file of text.
    Text(&'p Path, Format),
    /// To a Parquet file.
    Parquet(&'p Path),
}

impl<'p> Target<'p> {
    /// What `-o` and `--format` say together: the extension of a file names a form too.
    pub(crate) fn of(path: Option<&'p Path>, format: Format) -> Result<Self, Usage> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::Stdout(format));
        };
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        let extension = extension.to_ascii_lowercase();
        let named = match extension.as_str() {
            "csv" => Some(Format::Csv),
            "json" => Some(Format::Json),
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            _ => None,
        };
        let file = path.display();
        match (named, format) {
            (None, Format::Table) if extension == "parquet" => Ok(Self::Parquet(path)),
            (Some(named), Format::Table) => Ok(Self::Text(path, named)),
            (None, Format::Table) if matches!(extension.as_str(), "" | "txt") => {
                Ok(Self::Text(path, Format::Table))
            }
            (None, Format::Table) => Err(Usage(format!(
                "`-o {file}`: no form is called `.{extension}`: use `.csv`, `.json`, `.jsonl`, `.parquet` or `.txt`, or say `--format csv|json|jsonl`"
            ))),
            (Some(named), format) if named == format => Ok(Self::Text(path, format)),
            (None, format) if extension != "parquet" => Ok(Self::Text(path, format)),
            (Some(_) | None, _) => Err(Usage(format!(
                "`-o {file}` and `--format` name two forms: leave one of them out"
            ))),
        }
    }
}

/// A result: one document, the rows that are its substance, and the text for people.
pub(crate) struct Output<'a> {
    /// The whole document.
    pub(crate) document: Value,
    /// Its rows, for JSON lines and CSV.
    pub(crate) rows: Vec<Map<String, Value>>,
    /// Names of what is an object in some row, its fields columns of their own.
    objects: BTreeSet<String>,
    /// Columns that a CSV has whatever its rows are; others follow.
    columns: Vec<String>,
    /// The text for people, made when it is wanted.
    pub(crate) text: Box<dyn FnOnce() -> String + 'a>,
}

impl<'a> Output<'a> {
    /// A document of which each element of the array at `rows` (a JSON pointer) is a row.
    pub(crate) fn of(
        document: &impl Serialize,
        rows: &str,
        text: impl FnOnce() -> String + 'a,
    ) -> Self {
        let document = serde_json::to_value(document).expect("results are plain data");
        let mut objects = BTreeSet::new();
        let rows = match document.pointer(rows) {
            Some(Value::Array(items)) => {
                let rows = items.iter().map(|item| flat(item, &mut objects));
                rows.collect()
            }
            Some(item) => vec![flat(item, &mut objects)],
            None => Vec::new(),
        };
        Self {
            document,
            rows,
            objects,
            columns: Vec::new(),
            text: Box::new(text),
        }
    }

    /// The same with columns that a CSV has without rows too.
    pub(crate) fn with_columns<S: Into<String>>(
        mut self,
        columns: impl IntoIterator<Item = S>,
    ) -> Self {
        self.columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Writes to stdout.
    pub(crate) fn print(self, format: Format) -> anyhow::Result<()> {
        const FAILED: &str = "cannot write to stdout";
        let mut out: Box<dyn Write> = match format {
            Format::Table => Box::new(anstream::AutoStream::auto(io::stdout()).lock()),
            // Data is written as it is, whatever codes are in it.
            Format::Json | Format::Jsonl | Format::Csv => Box::new(io::stdout().lock()),
        };
        self.write(format, &mut out).context(FAILED)?;
        out.flush().context(FAILED)
    }

    /// Writes to a file of text.
    pub(crate) fn print_to(self, path: &Path, format: Format) -> anyhow::Result<()> {
        let failed = || format!("cannot write `{}`", path.display());
        let file = File::create(path).with_context(failed)?;
        let buffered: Box<dyn Write> = Box::new(BufWriter::new(file));
        let mut out: Box<dyn Write> = match format {
            Format::Table => Box::new(anstream::StripStream::new(buffered)),
            Format::Json | Format::Jsonl | Format::Csv => buffered,
        };
        self.write(format, &mut out).with_context(failed)?;
        out.flush().with_context(failed)
    }

    fn write(self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Table => write!(out, "{}", harmless(&(self.text)()))?,
            Format::Json => writeln!(out, "{:#}", self.document)?,
            Format::Jsonl => {
                for row in self.rows {
                    writeln!(out, "{}", Value::Object(row))?;
                }
            }
            Format::Csv => {
                let mut rows = self.rows;
                // The object that is absent from a row is no column beside its fields.
                for row in &mut rows {
                    row.retain(|name, value| !(value.is_null() && self.objects.contains(name)));
                }
                write_csv(&self.columns, &rows, out)?;
            }
        }
        Ok(())
    }
}

/// An object without nesting: `{"a": {"b": 1}}` becomes `{"a_b": 1}`; arrays stay JSON.
fn flat(value: &Value, objects: &mut BTreeSet<String>) -> Map<String, Value> {
    let mut row = Map::new();
    flatten("", value, &mut row, objects);
    row
}

fn flatten(
    prefix: &str,
    value: &Value,
    row: &mut Map<String, Value>,
    objects: &mut BTreeSet<String>,
) {
    match value {
        Value::Object(fields) => {
            if !prefix.is_empty() {
                objects.insert(prefix.to_owned());
            }
            for (name, value) in fields {
                let name = if prefix.is_empty() {
                    name.clone()
                } else {
                    format!("{prefix}_{name}")
                };
                flatten(&name, value, row, objects);
            }
        }
        other => {
            let name = if prefix.is_empty() { "value" } else { prefix };
            row.insert(name.to_owned(), other.clone());
        }
    }
}

/// Columns are those that are known before, then all names of all rows in the order of their first
/// appearance.
fn write_csv(
    columns: &[String],
    rows: &[Map<String, Value>],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    for row in rows {
        for name in row.keys() {
            if !columns.contains(&name.as_str()) {
                columns.push(name);
            }
        }
    }
    writeln!(out, "{}", columns.join(","))?;
    for row in rows {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| row.get(*column).map_or(String::new(), csv_cell))
            .collect();
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(())
}

/// A cell, quoted where it must be; a text that a spreadsheet would run gets an apostrophe.
fn csv_cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
            format!("'{text}")
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(format: Format) -> String {
        let document = json!({"rows": [
            {"name": "a,b", "kpis": {"n": 1, "share": null, "share_low": 0}},
            {"name": "=cmd", "more": [1, 2]},
            {"name": "unknown", "kpis": null},
        ]});
        let output = Output::of(&document, "/rows", || "text\n".to_owned());
        let mut out = Vec::new();
        output.write(format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn without_rows_a_csv_has_its_header() {
        let output = Output::of(&json!({"rows": []}), "/rows", String::new);
        let output = output.with_columns(["id", "name"]);
        let mut out = Vec::new();
        output.write(Format::Csv, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "id,name\n");
    }

    #[test]
    fn the_extension_of_a_file_names_its_form() {
        let target = |name: &'static str, format| Target::of(Some(Path::new(name)), format);
        let text = |name: &'static str, format| Ok(Target::Text(Path::new(name), format));
        for (name, format, expected) in [
            ("a.csv", Format::Table, text("a.csv", Format::Csv)),
            ("a.JSON", Format::Table, text("a.JSON", Format::Json)),
            ("a.ndjson", Format::Table, text("a.ndjson", Format::Jsonl)),
            ("a.txt", Format::Table, text("a.txt", Format::Table)),
            ("a", Format::Csv, text("a", Format::Csv)),
            ("a.tsv", Format::Csv, text("a.tsv", Format::Csv)),
            ("a.csv", Format::Csv, text("a.csv", Format::Csv)),
            ("-", Format::Json, Ok(Target::Stdout(Format::Json))),
            (
                "a.parquet",
                Format::Table,
                Ok(Target::Parquet(Path::new("a.parquet"))),
            ),
        ] {
            let found = target(name, format).map_err(|error| error.to_string());
            assert_eq!(found, expected, "{name}");
        }
        let refused = |name, format| target(name, format).unwrap_err().to_string();
        assert!(refused("a.xyz", Format::Table).contains("`.xyz`"));
        assert!(refused("a.csv", Format::Json).contains("a.csv"));
        assert!(refused("a.parquet", Format::Csv).contains("a.parquet"));
    }

    #[test]
    fn rows_are_flat_quoted_and_harmless_in_spreadsheets() {
        assert_eq!(
            written(Format::Csv),
            "name,kpis_n,kpis_share,kpis_share_low,more\n\"a,b\",1,,0,\n'=cmd,,,,\"[1,2]\"\nunknown,,,,\n"
        );
        assert_eq!(
            written(Format::Jsonl),
            "{\"name\":\"a,b\",\"kpis_n\":1,\"kpis_share\":null,\"kpis_share_low\":0}\n{\"name\":\"=cmd\",\"more\":[1,2]}\n{\"name\":\"unknown\",\"kpis\":null}\n"
        );
        assert_eq!(written(Format::Table), "text\n");
    }
}
