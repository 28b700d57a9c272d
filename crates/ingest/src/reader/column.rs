//! Reading one column of some rows into typed values; cells that cannot be read reject their
//! row.

mod contradiction;
mod parse;

use std::borrow::Cow;

use arrow::array::{Array, DictionaryArray, StringArray};
use arrow::datatypes::Int32Type;
use regulars_core::{Currency, OrderStatus, Timestamp};

pub use contradiction::Contradiction;
pub(super) use parse::{Currencies, amounts, currencies, flags, instants, numbers, statuses};

use super::cell::{Privacy, clean_id, clean_text, kept_aside, write_email, write_text};
use crate::batch::{DictBuilder, DictColumn, TextColumn};
use crate::rows::{CellColumn, Column, trimmed};
use crate::{ColumnInfo, Reject, RejectReason};

/// Rows that are rejected so far, of one batch.
#[derive(Debug)]
pub(super) struct Rejections<'l> {
    lines: &'l [u64],
    /// Empty until the first.
    keep: Vec<bool>,
    rejects: Vec<Reject>,
    contradiction: Option<Contradiction>,
}

/// The rejects in order of lines, which rows to keep unless all are, and a contradiction.
pub(super) type Finished = (Vec<Reject>, Option<Vec<bool>>, Option<Contradiction>);

impl<'l> Rejections<'l> {
    pub(super) fn new(lines: &'l [u64], rejects: Vec<Reject>) -> Self {
        Self {
            lines,
            keep: Vec::new(),
            rejects,
            contradiction: None,
        }
    }

    /// Rejects a row, for the first reason that is found; a reason that says more of the column
    /// than of the row is a contradiction as well.
    pub(super) fn add(
        &mut self,
        row: usize,
        column: &ColumnInfo,
        cell: &str,
        reason: RejectReason,
    ) {
        let value = kept_aside(cell, column.privacy());
        let line = self.lines[row];
        let first = |known: &Contradiction| line < known.line;
        if self.contradiction.as_ref().is_none_or(first)
            && let Some(found) = Contradiction::of(line, column, cell, &reason)
        {
            self.contradiction = Some(found);
        }
        self.put(row, column, value, reason);
    }

    /// Rejects a row for a value that may be shown.
    fn put(&mut self, row: usize, column: &ColumnInfo, value: String, reason: RejectReason) {
        if self.keep.is_empty() {
            self.keep = vec![true; self.lines.len()];
        }
        if !self.keep[row] {
            return;
        }
        self.keep[row] = false;
        self.rejects.push(Reject {
            line: self.lines[row],
            column: column.name.clone(),
            value,
            reason,
        });
    }

    /// True for a row that was rejected.
    pub(super) fn has(&self, row: usize) -> bool {
        self.keep.get(row) == Some(&false)
    }

    /// Rejects a row as a whole: nothing of it is shown.
    pub(super) fn whole_row(&mut self, row: usize, reason: RejectReason) {
        if self.keep.is_empty() {
            self.keep = vec![true; self.lines.len()];
        }
        self.keep[row] = false;
        self.rejects.push(Reject {
            line: self.lines[row],
            column: String::new(),
            value: String::new(),
            reason,
        });
    }

    pub(super) fn finish(mut self) -> Finished {
        self.rejects.sort_by_key(|reject| reject.line);
        let keep = (!self.keep.is_empty()).then_some(self.keep);
        (self.rejects, keep, self.contradiction)
    }
}

impl ColumnInfo {
    pub(crate) fn privacy(&self) -> Privacy {
        use crate::field::FieldKind;
        match &self.role {
            crate::Role::Field(crate::Field::Birthday) => Privacy::Personal,
            crate::Role::Field(field) => match field.kind() {
                FieldKind::Email | FieldKind::Personal => Privacy::Personal,
                FieldKind::Id | FieldKind::Text => Privacy::Open,
                FieldKind::Instant
                | FieldKind::Amount
                | FieldKind::Number
                | FieldKind::Currency
                | FieldKind::Status
                | FieldKind::Flag => Privacy::Typed,
            },
            crate::Role::Personal(_) => Privacy::Personal,
            crate::Role::Declared(..) => Privacy::Typed,
            crate::Role::Unmapped if crate::personal::looks_personal(&self.name) => {
                Privacy::Personal
            }
            crate::Role::Unmapped => Privacy::Open,
        }
    }
}

/// A column of texts: of a text file, or of strings in Parquet.
pub(super) trait Texts: Copy {
    fn rows(self) -> usize;
    /// The cell without the space around it; empty when missing.
    fn text(&self, row: usize) -> &str;
}

impl Texts for CellColumn<'_> {
    fn rows(self) -> usize {
        self.len()
    }

    fn text(&self, row: usize) -> &str {
        self.get(row)
    }
}

impl Texts for &StringArray {
    fn rows(self) -> usize {
        self.len()
    }

    fn text(&self, row: usize) -> &str {
        if self.is_null(row) {
            ""
        } else {
            trimmed(self.value(row))
        }
    }
}

/// What is taken off a text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cleaning {
    /// The traces of programs, of an id.
    Id,
    /// Nothing but the words for nothing.
    Text,
}

impl Cleaning {
    fn of(self, cell: &str) -> &str {
        match self {
            Self::Id => clean_id(cell),
            Self::Text => clean_text(cell),
        }
    }
}

/// A column of texts.
pub(super) fn texts(column: Column<'_>, cleaning: Cleaning) -> TextColumn {
    match column {
        Column::Cells(cells) => texts_of(cells, cleaning),
        Column::Strings(array) => texts_of(array, cleaning),
        other => {
            let mut texts = TextColumn::with_capacity(other.len(), other.len() * 8);
            for row in 0..other.len() {
                write_text(other, row, texts.buffer());
                texts.finish_text();
            }
            texts
        }
    }
}

fn texts_of<T: Texts>(cells: T, cleaning: Cleaning) -> TextColumn {
    let mut texts = TextColumn::with_capacity(cells.rows(), cells.rows() * 8);
    for row in 0..cells.rows() {
        texts.push(cleaning.of(cells.text(row)));
    }
    texts
}

/// A column of e-mails: in lower case, empty where the cell is no address.
pub(super) fn emails(column: Column<'_>) -> TextColumn {
    let mut texts = TextColumn::with_capacity(column.len(), column.len() * 20);
    let mut cell = String::new();
    for row in 0..column.len() {
        match column {
            Column::Cells(cells) => write_email(cells.get(row), texts.buffer()),
            other => {
                cell.clear();
                write_text(other, row, &mut cell);
                write_email(&cell, texts.buffer());
            }
        }
        texts.finish_text();
    }
    texts
}

/// A column of texts that repeat.
pub(super) fn dictionary(column: Column<'_>, cleaning: Cleaning) -> DictColumn {
    match column {
        Column::Cells(cells) => dictionary_of(cells, cleaning),
        Column::Strings(array) => dictionary_of(array, cleaning),
        Column::Dictionary(array, texts) => rekeyed(array, texts, cleaning),
        other => {
            let (mut builder, mut cell) = (DictBuilder::with_capacity(other.len()), String::new());
            for row in 0..other.len() {
                cell.clear();
                write_text(other, row, &mut cell);
                builder.push(cleaning.of(&cell));
            }
            builder.finish()
        }
    }
}

/// The column of a Parquet file that has a dictionary already: each of its texts that occurs
/// is looked at once.
fn rekeyed(
    array: &DictionaryArray<Int32Type>,
    texts: &StringArray,
    cleaning: Cleaning,
) -> DictColumn {
    const UNSEEN: u32 = u32::MAX;
    let mut builder = DictBuilder::with_capacity(array.len());
    let mut keys = vec![UNSEEN; texts.len()];
    for row in 0..array.len() {
        match array.key(row) {
            None => builder.push_key(0),
            Some(key) if keys[key] != UNSEEN => builder.push_key(keys[key]),
            Some(key) => keys[key] = builder.push(cleaning.of(trimmed(texts.value(key)))),
        }
    }
    builder.finish()
}

fn dictionary_of<T: Texts>(cells: T, cleaning: Cleaning) -> DictColumn {
    let mut builder = DictBuilder::with_capacity(cells.rows());
    for row in 0..cells.rows() {
        builder.push(cleaning.of(cells.text(row)));
    }
    builder.finish()
}

/// Keeps the rows that are to be kept.
pub(super) fn retain<T: Copy>(values: &mut Vec<T>, keep: &[bool]) {
    let mut row = 0;
    values.retain(|_| {
        row += 1;
        keep[row - 1]
    });
}
