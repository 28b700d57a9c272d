//! Results in the form that was asked for: text for people, JSON, JSON lines or CSV.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::Format;

/// A result: one document, the rows that are its substance, and the text for people.
pub(crate) struct Output<'a> {
    /// The whole document.
    pub(crate) document: Value,
    /// Its rows, for JSON lines and CSV.
    pub(crate) rows: Vec<Map<String, Value>>,
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
        let rows = match document.pointer(rows) {
            Some(Value::Array(items)) => items.iter().map(flat).collect(),
            Some(item) => vec![flat(item)],
            None => Vec::new(),
        };
        Self {
            document,
            rows,
            text: Box::new(text),
        }
    }

    /// Writes to stdout.
    pub(crate) fn print(self, format: Format) -> anyhow::Result<()> {
        let mut out = anstream::AutoStream::auto(io::stdout()).lock();
        self.write(format, &mut out)?;
        out.flush().context("cannot write to stdout")
    }

    /// Writes to a file, or to stdout when there is none.
    pub(crate) fn print_to(self, path: Option<&Path>, format: Format) -> anyhow::Result<()> {
        match path.filter(|path| *path != Path::new("-")) {
            None => self.print(format),
            Some(path) => {
                let file = File::create(path)
                    .with_context(|| format!("cannot write `{}`", path.display()))?;
                // Buffered as `dyn Write`, which is what strips colours from a text for people.
                let buffered: Box<dyn Write> = Box::new(BufWriter::new(file));
                let mut out = anstream::StripStream::new(buffered);
                self.write(format, &mut out)?;
                out.flush()
                    .with_context(|| format!("cannot write `{}`", path.display()))
            }
        }
    }

    fn write(self, format: Format, out: &mut dyn Write) -> anyhow::Result<()> {
        match format {
            Format::Table => write!(out, "{}", (self.text)())?,
            Format::Json => writeln!(out, "{:#}", self.document)?,
            Format::Jsonl => {
                for row in self.rows {
                    writeln!(out, "{}", Value::Object(row))?;
                }
            }
            Format::Csv => write_csv(&self.rows, out)?,
        }
        Ok(())
    }
}

/// An object without nesting: `{"a": {"b": 1}}` becomes `{"a_b": 1}`; arrays stay JSON.
fn flat(value: &Value) -> Map<String, Value> {
    let mut row = Map::new();
    flatten("", value, &mut row);
    row
}

fn flatten(prefix: &str, value: &Value, row: &mut Map<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = if prefix.is_empty() {
                    name.clone()
                } else {
                    format!("{prefix}_{name}")
                };
                flatten(&name, value, row);
            }
        }
        other => {
            let name = if prefix.is_empty() { "value" } else { prefix };
            row.insert(name.to_owned(), other.clone());
        }
    }
}

/// Columns are all names of all rows, in the order of their first appearance.
fn write_csv(rows: &[Map<String, Value>], out: &mut dyn Write) -> io::Result<()> {
    let mut columns: Vec<&str> = Vec::new();
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
            {"name": "a,b", "kpis": {"n": 1, "share": null}},
            {"name": "=cmd", "more": [1, 2]},
        ]});
        let output = Output::of(&document, "/rows", || "text\n".to_owned());
        let mut out = Vec::new();
        output.write(format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_are_flat_quoted_and_harmless_in_spreadsheets() {
        assert_eq!(
            written(Format::Csv),
            "name,kpis_n,kpis_share,more\n\"a,b\",1,,\n'=cmd,,,\"[1,2]\"\n"
        );
        assert_eq!(
            written(Format::Jsonl),
            "{\"name\":\"a,b\",\"kpis_n\":1,\"kpis_share\":null}\n{\"name\":\"=cmd\",\"more\":[1,2]}\n"
        );
        assert_eq!(written(Format::Table), "text\n");
    }
}
