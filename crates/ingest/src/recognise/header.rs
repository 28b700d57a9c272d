//! Whether the first row names the columns, and what they are called.

use std::collections::HashSet;

use crate::field::{field_table, normalised};
use crate::recognition::{CellType, Form};
use crate::rows::split_sample;
use crate::value::{DateHint, NumberHint, date_hint, number_hint};
use crate::{Compression, Entity, Format, Header, IngestError, Input, ReadOptions};

/// The names of the columns, and where they come from.
pub(super) struct Named {
    pub(super) header: Header,
    names: Vec<String>,
    cells: Option<Vec<String>>,
    signature: String,
}

/// What stands for all files with these names of columns.
pub(super) fn signature_of(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| normalised(name)).collect();
    signature(&names)
}

/// What stands for all files without a header whose columns hold such values.
fn signature_of_values(rows: &[Vec<String>]) -> String {
    let width = rows.first().map_or(0, Vec::len);
    let kind = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let mut cells = cells.filter(|cell| !cell.is_empty());
        if cells.clone().all(|cell| date_hint(cell) != DateHint::None) {
            "date"
        } else if cells.all(|cell| number_hint(cell) != NumberHint::None) {
            "number"
        } else {
            "text"
        }
    };
    let kinds: Vec<String> = (0..width).map(|c| format!("?{}", kind(c))).collect();
    signature(&kinds)
}

/// FNV-1a of 64 bits: names of people may stand where a header is expected, and what is
/// remembered is not to show them.
fn signature(parts: &[String]) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.join("\n").bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}")
}

impl Named {
    pub(super) fn form(
        self,
        compression: Compression,
        format: Format,
        line_end: u8,
        (preamble, title_lines): (usize, u64),
    ) -> Form {
        let types = vec![CellType::Text; self.names.len()];
        let (names, header) = (self.names, self.cells);
        Form {
            compression,
            format,
            line_end,
            preamble,
            title_lines,
            names,
            header,
            types,
            signature: self.signature,
        }
    }
}

/// Judges the first of `rows`; `--columns` names what it does not.
pub(super) fn header(
    input: &Input,
    rows: Vec<Vec<String>>,
    options: &ReadOptions,
) -> Result<Named, IngestError> {
    let file = || input.name().to_owned();
    let Some((first, below)) = rows.split_first() else {
        return Err(IngestError::Empty { file: file() });
    };
    let header = judge(first, below);
    if header == Header::Present && below.is_empty() {
        return Err(IngestError::HeaderOnly { file: file() });
    }
    let cells = (header == Header::Present).then(|| first.clone());
    let signature = match &cells {
        Some(cells) => signature_of(cells),
        None => signature_of_values(&rows),
    };
    let remembered = options.remembered.get(&signature);
    let before = remembered.and_then(|remembered| remembered.columns.as_ref());
    let names = match options.columns.as_ref().or(before) {
        Some(given) if given.len() != first.len() => {
            return Err(IngestError::Mapping {
                message: format!(
                    "`--columns` names {} columns, `{}` has {}: use `-` for a column to leave out",
                    given.len(),
                    input.name().display(),
                    first.len()
                ),
            });
        }
        Some(given) => given
            .iter()
            .map(|name| name.clone().unwrap_or_default())
            .collect(),
        None => cells
            .clone()
            .unwrap_or_else(|| vec![String::new(); first.len()]),
    };
    Ok(Named {
        header,
        names: unique(names),
        cells,
        signature,
    })
}

fn judge(first: &[String], below: &[Vec<String>]) -> Header {
    let known = known_names();
    let recognised = first
        .iter()
        .filter(|cell| known.contains(&normalised(cell)))
        .count();
    if recognised >= 2 {
        return Header::Present;
    }
    if first.iter().any(|cell| is_value(cell)) {
        return Header::Absent;
    }
    if recognised > 0 {
        return Header::Present;
    }
    // Values below a cell that is none: it names them.
    let over_values = (0..first.len()).any(|column| {
        let cells = below
            .iter()
            .filter_map(|row| row.get(column))
            .filter(|cell| !cell.is_empty());
        let (values, all) = cells.fold((0, 0), |(values, all), cell| {
            (values + usize::from(is_value(cell)), all + 1)
        });
        values * 2 > all
    });
    // Texts over texts: names are all there and all different, and do not come again.
    let names: HashSet<&String> = first.iter().filter(|cell| !cell.is_empty()).collect();
    let repeats = below
        .iter()
        .any(|row| row.iter().zip(first).any(|(cell, name)| cell == name));
    let all_different = names.len() == first.len() && !repeats;
    if over_values || all_different {
        Header::Present
    } else {
        Header::Absent
    }
}

/// Lines above a header that may be a title and the like.
const TITLE_LINES: usize = 10;

/// The lines of titles above a header, as reports have them: their bytes and their number.
///
/// A header is told by its known names, which are two at least and the half of its cells; a line
/// of titles has half of its cells at most. Where the first line may be a header or a row, there
/// are no titles.
pub(super) fn titles(text: &str, delimiters: &[char], line_end: u8) -> (usize, u64) {
    let known = known_names();
    let lines = || text.split_inclusive(char::from(line_end));
    let filled = |line: &str, delimiter: char| -> Vec<String> {
        let cells = split_sample(line, delimiter as u8, line_end, 1)
            .into_iter()
            .flatten();
        cells.filter(|cell| !cell.is_empty()).collect()
    };
    let names = |cells: &[String]| {
        let known = cells
            .iter()
            .filter(|cell| known.contains(&normalised(cell)));
        known.count()
    };
    let (mut bytes, mut above) = (0, 0);
    for (index, line) in lines().take(TITLE_LINES + 1).enumerate() {
        for &delimiter in delimiters {
            let cells = filled(line, delimiter);
            let is_header = names(&cells) >= cells.len().div_ceil(2).max(2)
                && !cells.iter().any(|cell| is_value(cell));
            let are_titles = || {
                let mut titles = lines().take(index).map(|line| filled(line, delimiter));
                titles.all(|title| title.len() * 2 <= cells.len())
            };
            if is_header {
                return if above > 0 && are_titles() {
                    (bytes, above)
                } else {
                    (0, 0)
                };
            }
        }
        bytes += line.len();
        above += u64::from(!line.trim().is_empty());
    }
    (0, 0)
}

fn is_value(cell: &str) -> bool {
    cell.contains('@') || number_hint(cell) != NumberHint::None || date_hint(cell) != DateHint::None
}

fn known_names() -> HashSet<String> {
    let tables = Entity::ALL.into_iter().flat_map(field_table);
    tables
        .flat_map(|names| names.headers)
        .map(|header| normalised(header))
        .collect()
}

/// Names for columns without one, and different ones for columns that share theirs.
fn unique(names: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    let named = names.into_iter().enumerate().map(|(position, name)| {
        let base = match name.trim() {
            "" => format!("column_{}", position + 1),
            name => name.to_owned(),
        };
        let mut unique = base.clone();
        let mut copy = 1;
        while !seen.insert(unique.clone()) {
            copy += 1;
            unique = format!("{base} ({copy})");
        }
        unique
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rows: &[&[&str]]) -> Header {
        let own = |row: &&[&str]| row.iter().map(|&cell| cell.to_owned()).collect();
        let rows: Vec<Vec<String>> = rows.iter().map(own).collect();
        judge(&rows[0], &rows[1..])
    }

    #[test]
    fn headers_are_told_from_data() {
        assert_eq!(
            judged(&[&["id", "date", "total"], &["1", "2024-01-01", "5"]]),
            Header::Present
        );
        assert_eq!(
            judged(&[&["0001", "19970101", "2"], &["2", "19970103", "5"]]),
            Header::Absent
        );
        assert_eq!(judged(&[&["foo", "bar"], &["x", "12.50"]]), Header::Present);
        assert_eq!(
            judged(&[&["Ann", "Berlin"], &["Bob", "Berlin"]]),
            Header::Absent
        );
        assert_eq!(
            judged(&[&["ann@x.de", "x"], &["bob@x.de", "y"]]),
            Header::Absent
        );
        assert_eq!(
            judged(&[&["", "Order ID", "2024"], &["0", "7", "1"]]),
            Header::Absent
        );
    }

    #[test]
    fn titles_above_a_header_are_told_from_rows() {
        let titles = |text: &str| titles(text, &[';', ','], b'\n');
        let header = "order_id,customer_id,date,total\n1,ann,2026-01-05,10.00\n";
        assert_eq!(titles(header), (0, 0));
        let titled = format!("Orders export\nGenerated 2026-02-01\n\n{header}");
        assert_eq!(titles(&titled), (36, 2));
        // As spreadsheets save it.
        let padded = format!("Orders export,,,\n,,,\n{header}");
        assert_eq!(titles(&padded), (21, 2));
        assert_eq!(titles("Customers\nemail;name\na@x.de;Ann\n"), (10, 1));
        // Rows above a header are rows, and what may be a header is one.
        assert_eq!(titles(&format!("1,ann,2026-01-05,10.00\n{header}")), (0, 0));
        assert_eq!(titles("Nr,Wer,Wann,Wert\nid,name,date,total\n"), (0, 0));
        assert_eq!(titles("Orders export\nfoo,bar,total\n1,2,3\n"), (0, 0));
        assert_eq!(titles(&format!("\n\n{header}")), (0, 0));
    }

    #[test]
    fn names_are_made_unique() {
        let names = ["Total", "", "Total", "Total"].map(str::to_owned).to_vec();
        assert_eq!(
            unique(names),
            ["Total", "column_2", "Total (2)", "Total (3)"]
        );
    }
}
