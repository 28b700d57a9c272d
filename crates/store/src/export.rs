//! Writes Parquet tables for other tools, in chunks of columns.

use std::path::Path;

use regulars_core::Timestamp;

use crate::StoreError;

/// A column of an exported table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// What a column holds; any value may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// UTF-8 text.
    Text,
    /// 64-bit whole number.
    Integer,
    /// 64-bit real number.
    Number,
    /// True or false.
    Flag,
    /// Milliseconds, UTC.
    Instant,
    /// Decimal number with so many digits after the point, given as minor units.
    Money {
        /// Digits after the point.
        exponent: u32,
    },
}

/// The next values of a column.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    /// For [`ColumnKind::Text`].
    Texts(&'a [Option<&'a str>]),
    /// For [`ColumnKind::Text`], the fast way: each code is an index into `texts`, one beyond its
    /// end is missing.
    Coded {
        /// One for each row.
        codes: &'a [u32],
        /// The distinct texts.
        texts: &'a [&'a str],
    },
    /// For [`ColumnKind::Integer`] and [`ColumnKind::Money`], nothing missing.
    Integers(&'a [i64]),
    /// For [`ColumnKind::Integer`] and [`ColumnKind::Money`].
    MaybeIntegers(&'a [Option<i64>]),
    /// For [`ColumnKind::Number`], nothing missing.
    Numbers(&'a [f64]),
    /// For [`ColumnKind::Number`].
    MaybeNumbers(&'a [Option<f64>]),
    /// For [`ColumnKind::Flag`].
    Flags(&'a [Option<bool>]),
    /// For [`ColumnKind::Instant`], nothing missing.
    Instants(&'a [Timestamp]),
    /// For [`ColumnKind::Instant`].
    MaybeInstants(&'a [Option<Timestamp>]),
}

/// Writes one Parquet file.
#[derive(Debug)]
pub struct TableWriter {}

impl TableWriter {
    /// Starts a file at `path`, replacing what is there once it is finished.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(_path: &Path, _columns: &[Column]) -> Result<Self, StoreError> {
        unimplemented!()
    }

    /// Appends rows: values for each column in order, all of the same length.
    ///
    /// # Errors
    /// When values do not fit their column or the file cannot be written.
    pub fn write(&mut self, _values: &[Values<'_>]) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Ends the file; gives its number of rows.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<u64, StoreError> {
        unimplemented!()
    }
}
