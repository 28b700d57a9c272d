//! The form of a file: compression, encoding, delimiter and header.

use std::io::{self, BufReader};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::header;
use crate::input::{Kind, Unreadable, decide_encoding, read_up_to, sniff};
use crate::reader::{Privacy, masked};
use crate::recognition::{CellType, Form};
use crate::rows::{JsonLearner, ParquetColumns, read_line, split_line, split_sample};
use crate::tracking::is_call;
use crate::value::{NumberHint, number_hint};
use crate::{
    Compression, DecimalMark, Encoding, Entity, Field, Format, IngestError, Input, ReadOptions,
};

/// How much text decides the form.
const SAMPLE_BYTES: usize = 1 << 20;
/// Rows that decide the delimiter and the header.
const SAMPLE_ROWS: usize = 200;
/// Lines that tell whether a text is NDJSON.
const JSON_LINES: usize = 5_000;
/// Columns that a file may have.
const MAX_COLUMNS: usize = 2_000;
/// Lines that tell whether NDJSON holds tracking calls.
const CALL_LINES: usize = 20;

/// Between equals the earlier counts: a comma may be a decimal separator, a tab hardly anything.
const DELIMITERS: [char; 4] = ['\t', ';', '|', ','];

/// Finds out the form of a file.
pub(super) fn form(input: &Input, options: &ReadOptions) -> Result<Form, IngestError> {
    let form = any_width(input, options)?;
    match form.names.get(MAX_COLUMNS) {
        None => Ok(form),
        Some(example) => Err(too_many_columns(input, example)),
    }
}

fn line_too_long(input: &Input, line: u64, options: &ReadOptions) -> IngestError {
    IngestError::LineTooLong {
        file: input.name().to_owned(),
        line,
        max_bytes: options.max_line_bytes,
    }
}

fn too_many_columns(input: &Input, example: &str) -> IngestError {
    IngestError::TooManyColumns {
        file: input.name().to_owned(),
        most: MAX_COLUMNS,
        example: masked(example, Privacy::Open),
    }
}

fn any_width(input: &Input, options: &ReadOptions) -> Result<Form, IngestError> {
    if input.size()? == 0 {
        return Err(IngestError::Empty {
            file: input.name().to_owned(),
        });
    }
    let compression = match first_kind(input, Compression::None)? {
        Kind::Packed(compression) => compression,
        Kind::Parquet => return parquet(input),
        Kind::Text | Kind::Wrong(..) => Compression::None,
    };
    if compression != Compression::None {
        match first_kind(input, compression)? {
            Kind::Packed(_) => {
                return Err(wrong(
                    input,
                    "compressed twice",
                    "unpack it once and name the result",
                ));
            }
            Kind::Parquet => {
                return Err(wrong(
                    input,
                    "a Parquet file that was compressed again",
                    "unpack it",
                ));
            }
            Kind::Text | Kind::Wrong(..) => {}
        }
    }
    let encoding = match options.encoding {
        Some(encoding) => encoding,
        None => encoding(input, compression)?,
    };
    let (text, whole) = sample(input, compression, encoding, options)?;
    text_form(input, compression, encoding, &text, whole, options)
}

fn wrong(input: &Input, kind: &'static str, advice: &'static str) -> IngestError {
    IngestError::WrongType {
        file: input.name().to_owned(),
        kind,
        advice,
    }
}

/// What the first bytes say, after unpacking; files that are no tables are errors.
fn first_kind(input: &Input, compression: Compression) -> Result<Kind, IngestError> {
    let mut head = Vec::new();
    let mut bytes = input.unpacked(compression, &Arc::new(AtomicU64::new(0)))?;
    read_up_to(&mut bytes, 512, &mut head).map_err(|error| input.failed(error))?;
    match sniff(&head) {
        Kind::Wrong(kind, advice) => Err(wrong(input, kind, advice)),
        kind => Ok(kind),
    }
}

fn encoding(input: &Input, compression: Compression) -> Result<Encoding, IngestError> {
    let mut bytes = input.unpacked(compression, &Arc::new(AtomicU64::new(0)))?;
    match decide_encoding(&mut bytes).map_err(|error| input.failed(error))? {
        Ok(encoding) => Ok(encoding),
        Err(Unreadable::Binary) => Err(wrong(
            input,
            "not a text file, nor Parquet",
            "name a table: CSV, TSV, NDJSON or Parquet, plain or compressed with gzip or zstd",
        )),
        Err(Unreadable::UnknownEncoding) => Err(IngestError::UnknownEncoding {
            file: input.name().to_owned(),
        }),
    }
}

/// The beginning of the text, at least its first two lines, which may be a header and a row, and
/// whether that is all of it.
fn sample(
    input: &Input,
    compression: Compression,
    encoding: Encoding,
    options: &ReadOptions,
) -> Result<(String, bool), IngestError> {
    let failed = |error: io::Error| input.failed(error);
    let mut stream = input.text(compression, encoding, &Arc::new(AtomicU64::new(0)))?;
    let mut bytes = Vec::new();
    read_up_to(&mut stream, SAMPLE_BYTES, &mut bytes).map_err(failed)?;
    let mut whole = bytes.len() < SAMPLE_BYTES;
    for line in 1..=2 {
        let before = begin_of_line(&bytes, line);
        if whole || before.is_none() || begin_of_line(&bytes, line + 1).is_some() {
            continue;
        }
        let enough = before.unwrap_or(0) + options.max_line_bytes + 1;
        read_up_to(&mut stream, enough, &mut bytes).map_err(failed)?;
        whole = bytes.len() < enough;
        if !whole && begin_of_line(&bytes, line + 1).is_none() {
            return Err(line_too_long(input, line, options));
        }
    }
    Ok((String::from_utf8_lossy(&bytes).into_owned(), whole))
}

/// Where a line begins, counted from 1, if the lines before it have their ends.
fn begin_of_line(bytes: &[u8], line: u64) -> Option<usize> {
    let end = if bytes.contains(&b'\n') { b'\n' } else { b'\r' };
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == end);
    match usize::try_from(line).ok()?.checked_sub(2) {
        None => Some(0),
        Some(before) => ends.map(|(at, _)| at + 1).nth(before),
    }
}

fn text_form(
    input: &Input,
    compression: Compression,
    encoding: Encoding,
    text: &str,
    whole: bool,
    options: &ReadOptions,
) -> Result<Form, IngestError> {
    if text.trim().is_empty() {
        let file = input.name().to_owned();
        return Err(if whole {
            IngestError::Empty { file }
        } else {
            line_too_long(input, 1, options)
        });
    }
    let line_end = if !text.contains('\n') && text.contains('\r') {
        b'\r'
    } else {
        b'\n'
    };
    // Rows that the end of the sample cuts off tell nothing.
    let cut = if whole {
        None
    } else {
        text.rfind(char::from(line_end))
    };
    let mut text = cut.map_or_else(|| text.to_owned(), |at| text[..=at].to_owned());
    if !text.ends_with(char::from(line_end)) {
        text.push(char::from(line_end));
    }
    if text.trim_start().starts_with('{') {
        return json(input, compression, encoding, (&text, whole), options);
    }
    let (preamble, stated) = stated_delimiter(&text, line_end);
    let text = &text[preamble..];
    let given = options.delimiter.filter(char::is_ascii).or(stated);
    let (titles, title_lines) = match &options.columns {
        None => {
            let delimiters = given.map_or_else(|| DELIMITERS.to_vec(), |given| vec![given]);
            header::titles(text, &delimiters, line_end)
        }
        Some(_) => (0, 0),
    };
    let text = &text[titles..];
    let above = (preamble + titles, title_lines);
    let delimiter = given.or_else(|| delimiter(text, line_end));
    let Some(delimiter) = delimiter else {
        let rows = text.lines().map(|line| {
            let cells = split_line(line.as_bytes()).map(|(start, end)| line[start..end].to_owned());
            cells.collect::<Vec<String>>()
        });
        let rows: Vec<_> = rows
            .filter(|row| !row.is_empty())
            .take(SAMPLE_ROWS)
            .collect();
        let header = header::header(input, rows, options)?;
        let format = Format::Whitespace {
            encoding,
            header: header.header,
        };
        return Ok(header.form(compression, format, line_end, above));
    };
    let rows = split_sample(text, delimiter as u8, line_end, SAMPLE_ROWS);
    let header = header::header(input, rows, options)?;
    let format = Format::Delimited {
        delimiter,
        encoding,
        header: header.header,
    };
    Ok(header.form(compression, format, line_end, above))
}

/// A first line `sep=;`, which spreadsheets write and read: its length and the delimiter.
fn stated_delimiter(text: &str, line_end: u8) -> (usize, Option<char>) {
    let Some(end) = text.find(char::from(line_end)) else {
        return (0, None);
    };
    let line = text[..end].trim_end_matches('\r').trim_matches('"');
    let mut after = match line.strip_prefix("sep=") {
        Some(after) => after.chars(),
        None => return (0, None),
    };
    match (after.next(), after.next()) {
        (Some(delimiter), None) if delimiter.is_ascii() => (end + 1, Some(delimiter)),
        _ => (0, None),
    }
}

/// The delimiter; `None` for text that runs of spaces separate.
fn delimiter(text: &str, line_end: u8) -> Option<char> {
    let candidates = DELIMITERS.map(|delimiter| {
        let rows = split_sample(text, delimiter as u8, line_end, SAMPLE_ROWS);
        let width = rows.first().map_or(0, Vec::len);
        let even = rows.iter().filter(|row| row.len() == width).count();
        let share = if width < 2 {
            0
        } else {
            even * 100 / rows.len()
        };
        (delimiter, share, width, rows)
    });
    let [_, semicolon, _, comma] = &candidates;
    // `1,50;2,50` has as many commas as it likes.
    if semicolon.1 >= comma.1.max(50) && has_decimal_commas(&semicolon.3) {
        return Some(';');
    }
    let best = candidates
        .iter()
        .filter(|candidate| candidate.1 >= 50)
        .min_by_key(|candidate| {
            let (share, width) = (candidate.1, candidate.2);
            (std::cmp::Reverse(share / 5), std::cmp::Reverse(width))
        });
    if let Some(&(delimiter, ..)) = best {
        return Some(delimiter);
    }
    let widths = text.lines().map(|line| split_line(line.as_bytes()).count());
    let widths: Vec<usize> = widths
        .filter(|&width| width > 0)
        .take(SAMPLE_ROWS)
        .collect();
    let first = widths.first().copied().unwrap_or(0);
    let even = widths.iter().filter(|&&width| width == first).count();
    // One column has no delimiter; any will do.
    if first >= 2 && even * 10 >= widths.len() * 9 {
        None
    } else {
        Some(',')
    }
}

/// Whether some column is, for the most part, of numbers with a decimal comma.
fn has_decimal_commas(rows: &[Vec<String>]) -> bool {
    let width = rows.first().map_or(0, Vec::len);
    (0..width).any(|column| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let comma = |cell: &&String| number_hint(cell) == NumberHint::Only(DecimalMark::Comma);
        cells.filter(comma).count() * 2 > rows.len()
    })
}

fn json(
    input: &Input,
    compression: Compression,
    encoding: Encoding,
    (text, whole): (&str, bool),
    options: &ReadOptions,
) -> Result<Form, IngestError> {
    let mut learner = JsonLearner::default();
    let lines = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(JSON_LINES);
    if options.entity.is_none_or(|entity| entity == Entity::Events) && are_calls(lines.clone()) {
        return Ok(calls(compression, encoding));
    }
    let (mut read, mut broken) = (0, 0);
    for line in lines {
        if learner.learn(line.trim().as_bytes()) {
            read += 1;
        } else {
            broken += 1;
        }
    }
    if read == 0 || broken > read {
        return Err(wrong(
            input,
            "JSON that is spread over several lines",
            "write one object on each line instead (NDJSON), such as with `jq -c '.[]'`",
        ));
    }
    if !whole || read + broken >= JSON_LINES {
        learn_all(input, compression, encoding, &mut learner, options)?;
    }
    let names = learner.names().to_vec();
    let type_of = |name: &String| match learner.is_whole(name) {
        true => CellType::Other,
        false => CellType::Text,
    };
    Ok(Form {
        compression,
        format: Format::Ndjson { encoding },
        line_end: b'\n',
        preamble: 0,
        title_lines: 0,
        types: names.iter().map(type_of).collect(),
        signature: header::signature_of(&names),
        names,
        header: None,
    })
}

/// Whether the first lines are tracking calls, as archives of events have them.
fn are_calls<'t>(lines: impl Iterator<Item = &'t str>) -> bool {
    let mut first = lines.take(CALL_LINES).peekable();
    first.peek().is_some() && first.all(is_call)
}

/// The form of an archive of tracking calls.
fn calls(compression: Compression, encoding: Encoding) -> Form {
    let names = vec![Field::Call.name().to_owned()];
    Form {
        compression,
        format: Format::TrackingCalls { encoding },
        line_end: b'\n',
        preamble: 0,
        title_lines: 0,
        types: vec![CellType::Text],
        signature: header::signature_of(&names),
        names,
        header: None,
    }
}

/// Learns the keys of every row: one that comes late may say that an order was cancelled.
fn learn_all(
    input: &Input,
    compression: Compression,
    encoding: Encoding,
    learner: &mut JsonLearner,
    options: &ReadOptions,
) -> Result<(), IngestError> {
    let failed = |error: io::Error| input.failed(error);
    let stream = input.text(compression, encoding, &Arc::new(AtomicU64::new(0)))?;
    let mut text = BufReader::with_capacity(SAMPLE_BYTES, stream);
    let (mut bytes, mut line) = (Vec::new(), 0);
    while read_line(&mut text, options.max_line_bytes, &mut bytes).map_err(failed)? {
        line += 1;
        if bytes.len() > options.max_line_bytes {
            return Err(line_too_long(input, line, options));
        }
        learner.learn(bytes.trim_ascii());
        if let Some(example) = learner.names().get(MAX_COLUMNS) {
            return Err(too_many_columns(input, example));
        }
    }
    Ok(())
}

fn parquet(input: &Input) -> Result<Form, IngestError> {
    let columns = ParquetColumns::of(input)?;
    if columns.rows == 0 {
        return Err(IngestError::HeaderOnly {
            file: input.name().to_owned(),
        });
    }
    Ok(Form {
        compression: Compression::None,
        format: Format::Parquet,
        line_end: b'\n',
        preamble: 0,
        title_lines: 0,
        signature: header::signature_of(&columns.names),
        names: columns.names,
        header: None,
        types: columns.types,
    })
}
