//! Rows of a text file: blocks of bytes are split by the file's form and checked to be UTF-8.
//!
//! At most one line (of [`ReadOptions::max_line_bytes`](crate::ReadOptions)) and one block are
//! held, whatever the file.

use std::io::{self, BufRead, Read};

use memchr::memchr_iter;

use super::{Cells, Delimited, JsonLines, RowBatch, Rows, Skipped, whitespace};
use crate::input::read_up_to;
use crate::{IngestError, Input, Reject, RejectReason};

const BLOCK_BYTES: usize = 1 << 20;

/// How lines become cells.
pub(crate) enum TextShape {
    /// A delimiter and quotes.
    Delimited(Delimited),
    /// Runs of spaces and tabs, of so many columns.
    Whitespace {
        /// Columns.
        width: usize,
    },
    /// One JSON object on each line.
    Json(JsonLines),
}

/// What a shape found in a block.
#[derive(Default)]
pub(super) struct Found {
    /// Bytes of the block that are done with.
    pub(super) consumed: usize,
    /// Line breaks among them.
    pub(super) line_breaks: u64,
    /// Row by row: start and end of each cell.
    pub(super) bounds: Vec<(u32, u32)>,
    /// Line of each row, counted from the first of the block, from 0.
    pub(super) lines: Vec<u64>,
    /// Cells (by index in `bounds`) with doubled quotes.
    pub(super) escaped: Vec<usize>,
    pub(super) rejected: Vec<(u64, RejectReason)>,
    pub(super) skipped: Skipped,
    /// Text that is not in the block: the cells' own, when the form has escapes.
    pub(super) own_text: Option<String>,
}

/// What is held at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Rows of a batch.
    pub(crate) batch_rows: usize,
    /// Bytes of a line.
    pub(crate) max_line_bytes: usize,
}

/// Reads one line with its end into `line`; false at the end of the text.
///
/// A line that is longer than `max_bytes` is cut after one byte more.
pub(crate) fn read_line(
    text: &mut dyn BufRead,
    max_bytes: usize,
    line: &mut Vec<u8>,
) -> io::Result<bool> {
    line.clear();
    let read = text.take(max_bytes as u64 + 1).read_until(b'\n', line)?;
    Ok(read > 0)
}

/// The rows of a text file.
pub(crate) struct TextRows {
    input: Input,
    stream: Box<dyn Read + Send>,
    shape: TextShape,
    limits: Limits,
    /// Read, not consumed yet.
    pending: Vec<u8>,
    ended: bool,
    /// Line at which `pending` begins, from 1.
    line: u64,
    skipped: Skipped,
    /// Rows to leave out at the beginning: the header.
    skip_rows: usize,
}

impl TextRows {
    pub(crate) fn new(
        input: Input,
        stream: Box<dyn Read + Send>,
        shape: TextShape,
        limits: Limits,
    ) -> Self {
        Self {
            input,
            stream,
            shape,
            limits,
            pending: Vec::new(),
            ended: false,
            line: 1,
            skipped: Skipped::default(),
            skip_rows: 0,
        }
    }

    /// Leaves out the first `rows` rows that are not blank.
    pub(crate) fn skipping(mut self, rows: usize) -> Self {
        self.skip_rows = rows;
        self
    }

    /// Leaves out the first `bytes` bytes, the lines before the first row.
    pub(crate) fn after_preamble(mut self, bytes: usize) -> Result<Self, IngestError> {
        if bytes > 0 {
            self.fill(bytes)?;
            let end = self.shape.line_end();
            let lines = self.pending.drain(..bytes.min(self.pending.len()));
            self.line += lines.filter(|&byte| byte == end).count() as u64;
        }
        Ok(self)
    }

    pub(super) fn skipped(&self) -> Skipped {
        self.skipped
    }

    pub(super) fn next_batch(&mut self) -> Result<Option<RowBatch>, IngestError> {
        let (max_rows, max_line) = (self.limits.batch_rows.max(1), self.limits.max_line_bytes);
        let mut wanted = BLOCK_BYTES;
        loop {
            self.fill(wanted)?;
            if self.pending.is_empty() {
                return Ok(None);
            }
            let whole = self.ended || self.pending.len() > max_line;
            let found = self.shape.split(&self.pending, max_rows, whole);
            if found.consumed == 0 {
                if self.pending.len() > max_line {
                    return Err(IngestError::LineTooLong {
                        file: self.input.name().to_owned(),
                        line: self.line,
                        max_bytes: max_line,
                    });
                }
                wanted = (self.pending.len() * 4).min(max_line + 1);
                continue;
            }
            let batch = self.take(found);
            if batch.rows.len() > 0 || !batch.rejected.is_empty() {
                return Ok(Some(batch));
            }
            wanted = BLOCK_BYTES;
        }
    }

    fn fill(&mut self, wanted: usize) -> Result<(), IngestError> {
        if self.ended || self.pending.len() >= wanted {
            return Ok(());
        }
        read_up_to(&mut self.stream, wanted, &mut self.pending)
            .map_err(|error| self.input.failed(error))?;
        if self.pending.len() < wanted {
            self.ended = true;
            // The last line may have no end of its own.
            if self
                .pending
                .last()
                .is_some_and(|&byte| byte != self.shape.line_end())
            {
                self.pending.push(self.shape.line_end());
            }
        }
        Ok(())
    }

    /// Turns what was found into cells and drops what it was found in.
    fn take(&mut self, mut found: Found) -> RowBatch {
        let tail = self.pending.split_off(found.consumed);
        let block = std::mem::replace(&mut self.pending, tail);
        self.skipped.repeated_headers += found.skipped.repeated_headers;
        self.skipped.blank_rows += found.skipped.blank_rows;
        let width = self.shape.width();
        let leading = self.skip_rows.min(found.lines.len());
        if leading > 0 {
            self.skip_rows -= leading;
            found.lines.drain(..leading);
            found.bounds.drain(..leading * width);
            let cut = leading * width;
            found.escaped = found
                .escaped
                .iter()
                .filter(|&&i| i >= cut)
                .map(|i| i - cut)
                .collect();
        }
        let text = match found.own_text.take() {
            Some(text) => text,
            None => valid_text(block, width, &mut found),
        };
        let rejected = found.rejected.into_iter().map(|(line, reason)| Reject {
            line: self.line + line,
            column: String::new(),
            value: String::new(),
            reason,
        });
        let rejected = rejected.collect();
        let lines = found
            .lines
            .into_iter()
            .map(|line| self.line + line)
            .collect();
        self.line += found.line_breaks;
        RowBatch {
            rows: Rows::Cells(Cells::new(text, found.bounds, lines, width)),
            rejected,
        }
    }
}

impl TextShape {
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Delimited(delimited) => delimited.width(),
            Self::Whitespace { width } => *width,
            Self::Json(lines) => lines.width(),
        }
    }

    fn line_end(&self) -> u8 {
        match self {
            Self::Delimited(delimited) => delimited.line_end(),
            Self::Whitespace { .. } | Self::Json(_) => b'\n',
        }
    }

    fn split(&mut self, block: &[u8], max_rows: usize, whole: bool) -> Found {
        match self {
            Self::Delimited(delimited) => delimited.split(block, max_rows, whole),
            Self::Whitespace { width } => whitespace::split(block, *width, max_rows),
            Self::Json(lines) => lines.split(block, max_rows),
        }
    }
}

/// Takes doubled quotes apart, rejects rows with bytes that no text has, and gives the rest.
fn valid_text(mut block: Vec<u8>, width: usize, found: &mut Found) -> String {
    for &cell in &found.escaped {
        let (start, end) = found.bounds[cell];
        let end = unescape(&mut block, start as usize, end as usize);
        found.bounds[cell].1 = end as u32;
    }
    let zeros: Vec<usize> = memchr_iter(0, &block).collect();
    reject_rows_at(&zeros, RejectReason::ZeroByte, width, found);
    match String::from_utf8(block) {
        Ok(text) => text,
        Err(error) => {
            let mut block = error.into_bytes();
            let broken = blank_out(&mut block);
            reject_rows_at(&broken, RejectReason::ForeignBytes, width, found);
            // Nothing invalid is left; were there any, it would be replaced, not lost.
            String::from_utf8_lossy(&block).into_owned()
        }
    }
}

/// Halves doubled quotes in place; gives the new end.
fn unescape(block: &mut [u8], start: usize, end: usize) -> usize {
    let (mut to, mut from) = (start, start);
    while from < end {
        block[to] = block[from];
        let doubled = block[from] == b'"' && from + 1 < end && block[from + 1] == b'"';
        from += if doubled { 2 } else { 1 };
        to += 1;
    }
    to
}

/// Replaces bytes that are no UTF-8 by question marks; gives their positions.
fn blank_out(block: &mut [u8]) -> Vec<usize> {
    let (mut broken, mut at) = (Vec::new(), 0);
    while let Err(error) = std::str::from_utf8(&block[at..]) {
        let start = at + error.valid_up_to();
        let end = error
            .error_len()
            .map_or(block.len(), |length| start + length);
        block[start..end].fill(b'?');
        broken.push(start);
        at = end;
    }
    broken
}

fn reject_rows_at(broken: &[usize], reason: RejectReason, width: usize, found: &mut Found) {
    if width == 0 || broken.is_empty() {
        return;
    }
    let mut next = broken.iter().copied().peekable();
    let (mut bounds, mut lines) = (Vec::new(), Vec::new());
    for (cells, &line) in found.bounds.chunks_exact(width).zip(&found.lines) {
        let (start, end) = (cells[0].0 as usize, cells[width - 1].1 as usize);
        while next.next_if(|&at| at < start).is_some() {}
        if next.peek().is_some_and(|&at| at < end) {
            found.rejected.push((line, reason.clone()));
        } else {
            bounds.extend_from_slice(cells);
            lines.push(line);
        }
    }
    found.rejected.sort_by_key(|&(line, _)| line);
    (found.bounds, found.lines) = (bounds, lines);
}
