//! Lines with a delimiter and quotes (RFC 4180 and what is found in the wild).
//!
//! A quote counts only where a cell begins; within quotes a doubled quote is one, and line
//! breaks are text. A bad row that spans several lines costs its first line only: reading goes
//! on with the second, so that one open quote does not swallow the rows after it.

use memchr::{memchr, memchr3_iter};

use super::text::Found;
use crate::RejectReason;

/// A form of delimited text.
#[derive(Debug, Clone)]
pub(crate) struct Delimited {
    delimiter: u8,
    line_end: u8,
    width: usize,
    /// Cells of the header: it is skipped, and so are rows that repeat it.
    header: Option<Vec<String>>,
    seen_header: bool,
}

/// How a row ended.
enum RowEnd {
    /// At this byte (the one after its line end), after so many line breaks.
    Complete(usize, u64),
    /// Within the block it did not.
    Open,
    /// It is no row.
    Bad(RejectReason),
}

/// Where the scan stands within a row.
#[derive(Clone, Copy)]
enum State {
    Plain,
    Quoted,
    /// A quote within quotes: the end, or the first of two.
    MaybeClosed(usize),
}

impl Delimited {
    pub(crate) fn new(
        delimiter: u8,
        line_end: u8,
        width: usize,
        header: Option<Vec<String>>,
    ) -> Self {
        Self {
            delimiter,
            line_end,
            width,
            header,
            seen_header: false,
        }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn line_end(&self) -> u8 {
        self.line_end
    }

    /// Splits the rows of `block` that are complete. `whole` says that nothing will be added
    /// to what is there: a row that is still open then is bad.
    pub(super) fn split(&mut self, block: &[u8], max_rows: usize, whole: bool) -> Found {
        let mut found = Found::default();
        let expected = (block.len() / 8 / self.width.max(1)).min(max_rows);
        found.bounds.reserve(expected * self.width);
        found.lines.reserve(expected);
        while found.lines.len() + found.rejected.len() < max_rows && found.consumed < block.len() {
            let (start, line) = (found.consumed, found.line_breaks);
            let first_cell = found.bounds.len();
            let end = match self.row(block, start, &mut found) {
                RowEnd::Complete(end, breaks) => self
                    .check(block, first_cell, &mut found)
                    .map_or_else(RowEnd::Bad, |()| RowEnd::Complete(end, breaks)),
                other => other,
            };
            let (next, breaks) = match end {
                RowEnd::Complete(next, breaks) => (next, breaks),
                RowEnd::Open if !whole => {
                    found.drop_cells(first_cell);
                    break;
                }
                RowEnd::Open | RowEnd::Bad(_) => {
                    found.drop_cells(first_cell);
                    // No line break at all: too long a line, which the caller reports.
                    let Some(length) = memchr(self.line_end, &block[start..]) else {
                        break;
                    };
                    let reason = match end {
                        RowEnd::Bad(reason) => reason,
                        RowEnd::Open | RowEnd::Complete(..) => RejectReason::UnclosedQuote,
                    };
                    found.rejected.push((line, reason));
                    (start + length + 1, 1)
                }
            };
            if found.bounds.len() > first_cell {
                found.lines.push(line);
            }
            found.consumed = next;
            found.line_breaks += breaks;
        }
        found
    }

    /// Finds the cells of the row that begins at `start`.
    fn row(&self, block: &[u8], start: usize, found: &mut Found) -> RowEnd {
        let (mut cell, mut state, mut breaks) = (start, State::Plain, 0);
        let mut escaped = false;
        for offset in memchr3_iter(self.delimiter, self.line_end, b'"', &block[start..]) {
            let at = start + offset;
            let byte = block[at];
            let end = match state {
                State::Plain if byte == b'"' => {
                    if at == cell {
                        state = State::Quoted;
                    }
                    continue;
                }
                State::Plain => (cell, self.without_return(block, cell, at, byte)),
                State::Quoted => {
                    match byte {
                        b'"' => state = State::MaybeClosed(at),
                        _ => breaks += u64::from(byte == self.line_end),
                    }
                    continue;
                }
                State::MaybeClosed(quote) if byte == b'"' && at == quote + 1 => {
                    (escaped, state) = (true, State::Quoted);
                    continue;
                }
                State::MaybeClosed(quote) => {
                    if byte == b'"' || !block[quote + 1..at].trim_ascii().is_empty() {
                        return RowEnd::Bad(RejectReason::TextAfterQuote);
                    }
                    if escaped {
                        found.escaped.push(found.bounds.len());
                    }
                    (cell + 1, quote)
                }
            };
            found.bounds.push((end.0 as u32, end.1 as u32));
            if byte == self.line_end {
                return RowEnd::Complete(at + 1, breaks + 1);
            }
            (cell, state, escaped) = (at + 1, State::Plain, false);
        }
        RowEnd::Open
    }

    /// The end of a plain cell, without the carriage return of a line that ends with CR LF.
    fn without_return(&self, block: &[u8], cell: usize, at: usize, byte: u8) -> usize {
        let returned = byte == self.line_end && at > cell && block[at - 1] == b'\r';
        if returned { at - 1 } else { at }
    }

    /// Drops a row that is blank or repeats the header, and refuses one of another width.
    fn check(
        &mut self,
        block: &[u8],
        first_cell: usize,
        found: &mut Found,
    ) -> Result<(), RejectReason> {
        let cell = |&(start, end): &(u32, u32)| &block[start as usize..end as usize];
        let cells = &found.bounds[first_cell..];
        let blank = |bounds: &(u32, u32)| cell(bounds).trim_ascii().is_empty();
        if blank(&cells[0]) && cells.iter().all(blank) {
            found.drop_cells(first_cell);
            found.skipped.blank_rows += 1;
            return Ok(());
        }
        let repeats = |header: &Vec<String>| {
            cells.len() == header.len()
                && cells
                    .iter()
                    .zip(header)
                    .all(|(bounds, name)| is_header_cell(cell(bounds), name))
        };
        if self
            .header
            .as_ref()
            .is_some_and(|header| !self.seen_header || repeats(header))
        {
            found.drop_cells(first_cell);
            found.skipped.repeated_headers += u64::from(self.seen_header);
            self.seen_header = true;
            return Ok(());
        }
        if cells.len() > self.width && cells[self.width..].iter().all(blank) {
            found.bounds.truncate(first_cell + self.width);
        }
        match found.bounds.len() - first_cell {
            n if n == self.width => Ok(()),
            n => Err(RejectReason::Ragged {
                expected: self.width,
                found: n,
            }),
        }
    }
}

fn is_header_cell(cell: &[u8], name: &str) -> bool {
    let cell = cell.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(cell);
    let cell = cell
        .strip_prefix(b"\"")
        .and_then(|c| c.strip_suffix(b"\""))
        .unwrap_or(cell);
    cell.trim_ascii() == name.as_bytes()
}

impl Found {
    fn drop_cells(&mut self, first_cell: usize) {
        self.bounds.truncate(first_cell);
        while self.escaped.last().is_some_and(|&cell| cell >= first_cell) {
            self.escaped.pop();
        }
    }
}

/// The first rows of a text, split by `delimiter`, whatever their widths; blank ones are left
/// out. A row that the end of the text cuts off is left out when `cut` says that it may be.
pub(crate) fn split_sample(
    text: &str,
    delimiter: u8,
    line_end: u8,
    max_rows: usize,
) -> Vec<Vec<String>> {
    let form = Delimited::new(delimiter, line_end, 0, None);
    let (block, mut rows, mut at) = (text.as_bytes(), Vec::new(), 0);
    while rows.len() < max_rows && at < block.len() {
        let mut found = Found::default();
        match form.row(block, at, &mut found) {
            RowEnd::Complete(next, _) => {
                at = next;
                let cells = found.bounds.iter().map(|&(start, end)| {
                    let cell = text.get(start as usize..end as usize).unwrap_or_default();
                    cell.replace("\"\"", "\"").trim().to_owned()
                });
                let cells: Vec<String> = cells.collect();
                if cells.iter().any(|cell| !cell.is_empty()) {
                    rows.push(cells);
                }
            }
            RowEnd::Open | RowEnd::Bad(_) => match memchr(line_end, &block[at..]) {
                Some(length) => at += length + 1,
                None => break,
            },
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, width: usize) -> (Vec<Vec<String>>, Vec<(u64, RejectReason)>) {
        let mut form = Delimited::new(b',', b'\n', width, None);
        let found = form.split(text.as_bytes(), usize::MAX, true);
        let cells = found
            .bounds
            .iter()
            .map(|&(s, e)| text[s as usize..e as usize].to_owned());
        let cells: Vec<String> = cells.collect();
        (
            cells.chunks(width).map(<[String]>::to_vec).collect(),
            found.rejected,
        )
    }

    #[test]
    fn quotes_hold_delimiters_and_line_breaks() {
        let (rows, rejected) = split("a,b\r\n\"x,1\",\"y\nz\"\r\n5\" pipe,\"\"\n", 2);
        assert_eq!(rows, [["a", "b"], ["x,1", "y\nz"], ["5\" pipe", ""]]);
        assert_eq!(rejected, []);
    }

    #[test]
    fn a_bad_row_costs_one_line() {
        let (rows, rejected) = split("a,b\nx,\"open\nc,d\ne\nf,g,h\ni,j,,\n\"k\"l,m\nn,o\n", 2);
        assert_eq!(rows, [["a", "b"], ["c", "d"], ["i", "j"], ["n", "o"]]);
        let ragged = |found| RejectReason::Ragged { expected: 2, found };
        assert_eq!(
            rejected,
            [
                (1, RejectReason::TextAfterQuote),
                (3, ragged(1)),
                (4, ragged(3)),
                (6, RejectReason::TextAfterQuote)
            ]
        );
    }

    #[test]
    fn a_quote_that_nothing_closes_costs_its_line() {
        let (rows, rejected) = split("a,b\nx,\"open\nc,d\ne,f\n", 2);
        assert_eq!(rows, [["a", "b"], ["c", "d"], ["e", "f"]]);
        assert_eq!(rejected, [(1, RejectReason::UnclosedQuote)]);
    }
}
