//! One column of a row group, some values at a time.

use std::marker::PhantomData;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::Page;
use regulars_core::{OrderStatus, RecordKind, Symbol};
use serde_json::Value;

use super::hybrid::Hybrid;
use crate::history::SymbolTable;
use crate::history::file::{Chunks, Pages};
use crate::history::values::Unusable;

/// How the bytes of a column become values.
pub(super) trait Meaning {
    type Value: Clone;
    /// What stands for null.
    fn none() -> Self::Value;

    /// Appends `count` plain values from `bytes[at..]`; returns where they end.
    fn plain(
        &mut self,
        bytes: &Bytes,
        at: usize,
        count: usize,
        out: &mut Vec<Self::Value>,
    ) -> Result<usize, Unusable>;

    /// The value of a constant column.
    fn constant(&mut self, value: &Value) -> Option<Self::Value>;
}

/// A column, of which some values are in memory.
#[derive(Debug)]
pub(super) struct Column<M: Meaning> {
    name: &'static str,
    meaning: M,
    source: Source<M::Value>,
    dictionary: Vec<M::Value>,
    page: Rest,
    levels: Vec<u8>,
    some: Vec<M::Value>,
    /// The values that were read last.
    pub(super) values: Vec<M::Value>,
}

#[derive(Debug)]
enum Source<T> {
    Nothing,
    Constant(T),
    Pages(Box<Pages>),
}

/// What is left of a page.
#[derive(Debug, Default)]
struct Rest {
    rows: usize,
    /// Which rows have a value, of a column that may have nulls.
    levels: Option<Hybrid>,
    values: Encoded,
}

#[derive(Debug)]
enum Encoded {
    Dictionary(Hybrid),
    Plain(Bytes, usize),
}

impl Default for Encoded {
    fn default() -> Self {
        Self::Plain(Bytes::new(), 0)
    }
}

impl<M: Meaning> Column<M> {
    pub(super) fn new(name: &'static str, meaning: M) -> Self {
        Self {
            name,
            meaning,
            source: Source::Nothing,
            dictionary: Vec::new(),
            page: Rest::default(),
            levels: Vec::new(),
            some: Vec::new(),
            values: Vec::new(),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Goes to the start of a row group.
    pub(super) fn start(&mut self, chunks: &Chunks<'_>) -> Result<(), Unusable> {
        self.page = Rest::default();
        self.dictionary.clear();
        if let Some(value) = chunks.constant(self.name) {
            if matches!(self.source, Source::Nothing) {
                let constant = match value {
                    Value::Null => Some(M::none()),
                    value => self.meaning.constant(value),
                };
                let constant =
                    constant.ok_or_else(|| self.failed(format!("`{value}` is no value of it")))?;
                self.source = Source::Constant(constant);
            }
            return Ok(());
        }
        let spare = match std::mem::replace(&mut self.source, Source::Nothing) {
            Source::Pages(pages) => Some(*pages),
            Source::Nothing | Source::Constant(_) => None,
        };
        let pages = chunks.pages(self.name, spare).map_err(|e| self.failed(e))?;
        self.source = Source::Pages(Box::new(pages));
        Ok(())
    }

    /// Leaves the column out: every value of it is that of null.
    pub(super) fn leave_out(&mut self) {
        self.source = Source::Constant(M::none());
    }

    /// Reads the next `count` values.
    pub(super) fn read(&mut self, count: usize) -> Result<(), Unusable> {
        if let Source::Constant(value) = &self.source {
            self.values.resize(count, value.clone());
            return Ok(());
        }
        self.values.clear();
        while self.values.len() < count {
            let rows = (count - self.values.len()).min(self.page.rows);
            let read = if rows == 0 {
                self.next_page()
            } else {
                self.rows(rows)
            };
            read.map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    fn failed(&self, error: impl std::fmt::Display) -> Unusable {
        format!("column `{}`: {error}", self.name)
    }

    /// Reads rows of the page.
    fn rows(&mut self, rows: usize) -> Result<(), Unusable> {
        self.page.rows -= rows;
        let Some(levels) = &mut self.page.levels else {
            let out = &mut self.values;
            return read_values(
                (&mut self.meaning, &self.dictionary),
                &mut self.page.values,
                rows,
                out,
            );
        };
        self.levels.clear();
        levels.read(rows, &[0, 1], &mut self.levels)?;
        let known = self.levels.iter().map(|&level| usize::from(level)).sum();
        let meaning = (&mut self.meaning, self.dictionary.as_slice());
        if known == rows {
            return read_values(meaning, &mut self.page.values, rows, &mut self.values);
        }
        self.some.clear();
        read_values(meaning, &mut self.page.values, known, &mut self.some)?;
        let mut some = self.some.drain(..);
        let next = |&level: &u8| match level {
            0 => M::none(),
            _ => some.next().unwrap_or_else(M::none),
        };
        self.values.extend(self.levels.iter().map(next));
        Ok(())
    }

    fn next_page(&mut self) -> Result<(), Unusable> {
        let Source::Pages(pages) = &mut self.source else {
            return Err("it was not opened".to_owned());
        };
        // Lets go of the memory of the last page.
        self.page = Rest::default();
        let page = pages.next_page().map_err(|e| e.to_string())?;
        match page.ok_or("it ends too early")? {
            Page::DictionaryPage {
                buf, num_values, ..
            } => {
                let count = num_values as usize;
                self.dictionary.clear();
                self.meaning
                    .plain(&buf, 0, count, &mut self.dictionary)
                    .map(|_| ())
            }
            Page::DataPage {
                buf,
                num_values,
                encoding,
                ..
            } => {
                self.page = Rest::of(buf, num_values as usize, encoding, pages.optional)?;
                Ok(())
            }
            Page::DataPageV2 { .. } => Err("a page of the second version".to_owned()),
        }
    }
}

/// Appends the next values that are no nulls.
fn read_values<M: Meaning>(
    (meaning, dictionary): (&mut M, &[M::Value]),
    values: &mut Encoded,
    count: usize,
    out: &mut Vec<M::Value>,
) -> Result<(), Unusable> {
    match values {
        Encoded::Dictionary(numbers) => numbers.read(count, dictionary, out),
        Encoded::Plain(bytes, at) => {
            *at = meaning.plain(bytes, *at, count, out)?;
            Ok(())
        }
    }
}

impl Rest {
    fn of(
        mut page: Bytes,
        rows: usize,
        encoding: Encoding,
        optional: bool,
    ) -> Result<Self, Unusable> {
        let cut_short = || "a page is cut short".to_owned();
        let mut levels = None;
        if optional {
            let length = page.first_chunk().ok_or_else(cut_short)?;
            let end = 4 + u32::from_le_bytes(*length) as usize;
            if page.len() < end {
                return Err(cut_short());
            }
            levels = Some(Hybrid::new(page.slice(4..end), 1)?);
            page = page.slice(end..);
        }
        let values = match encoding {
            Encoding::PLAIN => Encoded::Plain(page, 0),
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => {
                // A page of nulls may have nothing here.
                let width = page.first().copied().map_or(0, usize::from);
                Encoded::Dictionary(Hybrid::new(page.slice(page.len().min(1)..), width)?)
            }
            other => return Err(format!("the unknown encoding {other}")),
        };
        Ok(Self {
            rows,
            levels,
            values,
        })
    }
}

/// A number, or what stands for one.
pub(super) trait Number: Copy {
    /// Bytes in a file.
    const SIZE: usize;
    /// What stands for null.
    const NONE: Self;

    /// From [`Number::SIZE`] bytes.
    fn of(bytes: &[u8]) -> Self;

    /// From a constant.
    fn constant(value: &Value) -> Option<Self>;
}

macro_rules! number {
    ($type:ty, $constant:expr) => {
        impl Number for $type {
            const SIZE: usize = size_of::<$type>();
            const NONE: Self = 0 as $type;

            #[inline]
            fn of(bytes: &[u8]) -> Self {
                bytes.try_into().map_or(Self::NONE, Self::from_le_bytes)
            }

            fn constant(value: &Value) -> Option<Self> {
                $constant(value)
            }
        }
    };
}

number!(u32, |value: &Value| value.as_u64()?.try_into().ok());
number!(u64, Value::as_u64);
number!(i64, Value::as_i64);
number!(f64, Value::as_f64);

impl Number for Option<i64> {
    const SIZE: usize = i64::SIZE;
    const NONE: Self = None;

    #[inline]
    fn of(bytes: &[u8]) -> Self {
        Some(i64::of(bytes))
    }

    fn constant(value: &Value) -> Option<Self> {
        i64::constant(value).map(Some)
    }
}

/// Columns of numbers.
#[derive(Debug)]
pub(super) struct Numbers<T>(PhantomData<T>);

impl<T: Number> Numbers<T> {
    pub(super) fn column(name: &'static str) -> Column<Self> {
        Column::new(name, Self(PhantomData))
    }
}

impl<T: Number> Meaning for Numbers<T> {
    type Value = T;

    fn none() -> T {
        T::NONE
    }

    fn plain(
        &mut self,
        bytes: &Bytes,
        at: usize,
        count: usize,
        out: &mut Vec<T>,
    ) -> Result<usize, Unusable> {
        let end = at.saturating_add(count.saturating_mul(T::SIZE));
        let bytes = bytes.get(at..end).ok_or("a page is cut short")?;
        out.extend(bytes.chunks_exact(T::SIZE).map(T::of));
        Ok(end)
    }

    fn constant(&mut self, value: &Value) -> Option<T> {
        T::constant(value)
    }
}

/// Goes over `count` texts, each after its length; returns where they end.
fn each_text(
    bytes: &Bytes,
    mut at: usize,
    count: usize,
    mut each: impl FnMut(std::ops::Range<usize>) -> Result<(), Unusable>,
) -> Result<usize, Unusable> {
    for _ in 0..count {
        let rest = bytes.get(at..).unwrap_or_default();
        let (length, rest) = rest.split_first_chunk().ok_or("a page is cut short")?;
        let length = u32::from_le_bytes(*length) as usize;
        if rest.len() < length {
            return Err("a page is cut short".to_owned());
        }
        let start = at + 4;
        at = start + length;
        each(start..at)?;
    }
    Ok(at)
}

fn text(bytes: &[u8]) -> Result<&str, Unusable> {
    std::str::from_utf8(bytes).map_err(|_| "a text that is no UTF-8".to_owned())
}

/// Columns of texts that repeat.
#[derive(Debug)]
pub(super) struct Texts<'s>(&'s SymbolTable);

impl<'s> Texts<'s> {
    pub(super) fn column(name: &'static str, table: &'s SymbolTable) -> Column<Self> {
        Column::new(name, Self(table))
    }
}

impl Meaning for Texts<'_> {
    type Value = Symbol;

    fn none() -> Symbol {
        Symbol::NONE
    }

    fn plain(
        &mut self,
        bytes: &Bytes,
        at: usize,
        count: usize,
        out: &mut Vec<Symbol>,
    ) -> Result<usize, Unusable> {
        let mut texts = Vec::with_capacity(count.min(bytes.len()));
        let end = each_text(bytes, at, count, |range| {
            texts.push(text(&bytes[range])?);
            Ok(())
        })?;
        self.0.append_all(texts.into_iter(), out);
        Ok(end)
    }

    fn constant(&mut self, value: &Value) -> Option<Symbol> {
        Some(self.0.intern(value.as_str()?))
    }
}

/// Columns of a few known words.
#[derive(Debug)]
pub(super) struct Words<T> {
    find: fn(&str) -> Option<T>,
}

impl<T: Word> Words<T> {
    pub(super) fn column(name: &'static str, find: fn(&str) -> Option<T>) -> Column<Self> {
        Column::new(name, Self { find })
    }
}

/// What a known word stands for.
pub(super) trait Word: Copy {
    /// What stands for null.
    const NONE: Self;
}

impl Word for RecordKind {
    const NONE: Self = Self::Sale;
}

impl Word for OrderStatus {
    const NONE: Self = Self::Placed;
}

impl<T: Word> Meaning for Words<T> {
    type Value = T;

    fn none() -> T {
        T::NONE
    }

    fn plain(
        &mut self,
        bytes: &Bytes,
        at: usize,
        count: usize,
        out: &mut Vec<T>,
    ) -> Result<usize, Unusable> {
        each_text(bytes, at, count, |range| {
            let word = text(&bytes[range])?;
            let known = (self.find)(word).ok_or_else(|| format!("`{word}` is an unknown word"))?;
            out.push(known);
            Ok(())
        })
    }

    fn constant(&mut self, value: &Value) -> Option<T> {
        (self.find)(value.as_str()?)
    }
}

/// Columns of texts that hardly repeat: pieces of the pages that they are on.
#[derive(Debug)]
pub(super) struct Pieces;

impl Meaning for Pieces {
    type Value = Bytes;

    fn none() -> Bytes {
        Bytes::new()
    }

    fn plain(
        &mut self,
        bytes: &Bytes,
        at: usize,
        count: usize,
        out: &mut Vec<Bytes>,
    ) -> Result<usize, Unusable> {
        each_text(bytes, at, count, |range| {
            out.push(bytes.slice(range));
            Ok(())
        })
    }

    fn constant(&mut self, value: &Value) -> Option<Bytes> {
        Some(Bytes::copy_from_slice(value.as_str()?.as_bytes()))
    }
}
