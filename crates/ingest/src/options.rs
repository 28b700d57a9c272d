//! What a user, or the workspace on the user's behalf, says about a file.
//!
//! Everything that is not said is decided by the file's names and content, or asked for.

use std::collections::BTreeMap;

use regulars_core::{Currency, OrderStatus, Zone};
use serde::{Deserialize, Serialize};

use crate::{Entity, Field};

/// How a file is to be read. Start from [`ReadOptions::new`] and set what is known.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Currency of rows that name none.
    pub default_currency: Currency,
    /// Time zone of dates and times that name none.
    pub zone: Zone,
    /// What the rows are (`--entity`).
    pub entity: Option<Entity>,
    /// What happened, in a file of events that does not say it row by row (`--event`).
    pub event: Option<String>,
    /// Names of the columns of a file without a header, by position; `None` for one to leave
    /// out (`--columns a,b,-,c`).
    pub columns: Option<Vec<Option<String>>>,
    /// Fields and the columns that hold them, by header or by `column_3` (`--map`). A file that
    /// does not have the column is read without the pair.
    pub map: Vec<(Field, String)>,
    /// Declared traits and the columns that hold them (`--map trait:tier=Stufe`): such a column
    /// is a trait even when its values look personal.
    pub traits: Vec<(String, String)>,
    /// Order of day and month in dates such as `01/02/2024` (`--date-order`).
    pub date_order: Option<DateOrder>,
    /// Whether bare numbers such as 45292 are dates (`--excel-dates`).
    pub serial_dates: Option<SerialDates>,
    /// Decimal separator (`--decimal`).
    pub decimal: Option<DecimalMark>,
    /// Encoding of a text file (`--encoding`).
    pub encoding: Option<Encoding>,
    /// Delimiter of a text file, an ASCII character (`--delimiter`).
    pub delimiter: Option<char>,
    /// Whether a row is an order or a line of one (`--level`).
    pub level: Option<RowLevel>,
    /// What words of the status column mean, before the built-in ones (`--status`).
    pub statuses: Vec<(String, OrderStatus)>,
    /// What was said of files before, by [`Recognition::signature`](crate::Recognition): it
    /// counts for a file with the same signature where nothing is said now.
    pub remembered: BTreeMap<String, Remembered>,
    /// What the settings of the workspace say, after everything else.
    pub settings: Remembered,
    /// Most rows of one batch; it never changes what is read.
    pub batch_rows: usize,
    /// A text file with a longer line is no table.
    pub max_line_bytes: usize,
}

/// What is kept of [`ReadOptions`] for the next file of the same kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Remembered {
    /// As in [`ReadOptions`].
    pub entity: Option<Entity>,
    /// As in [`ReadOptions`].
    pub columns: Option<Vec<Option<String>>>,
    /// As in [`ReadOptions`].
    pub map: Vec<(Field, String)>,
    /// As in [`ReadOptions`].
    pub traits: Vec<(String, String)>,
    /// As in [`ReadOptions`].
    pub date_order: Option<DateOrder>,
    /// As in [`ReadOptions`].
    pub serial_dates: Option<SerialDates>,
    /// As in [`ReadOptions`].
    pub decimal: Option<DecimalMark>,
    /// As in [`ReadOptions`].
    pub level: Option<RowLevel>,
    /// As in [`ReadOptions`].
    pub statuses: Vec<(String, OrderStatus)>,
}

impl ReadOptions {
    /// Nothing said but the currency and the time zone of the workspace.
    pub fn new(default_currency: Currency, zone: Zone) -> Self {
        Self {
            default_currency,
            zone,
            entity: None,
            event: None,
            columns: None,
            map: Vec::new(),
            traits: Vec::new(),
            date_order: None,
            serial_dates: None,
            decimal: None,
            encoding: None,
            delimiter: None,
            level: None,
            statuses: Vec::new(),
            remembered: BTreeMap::new(),
            settings: Remembered::default(),
            batch_rows: 32_768,
            max_line_bytes: 16 << 20,
        }
    }
}

/// Order of day, month and year where the year comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// 31/12/2024.
    Dmy,
    /// 12/31/2024.
    Mdy,
}

/// What a bare number in a date column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SerialDates {
    /// No date: the row is rejected.
    Refuse,
    /// Days since 1899-12-30, as spreadsheets count.
    Excel,
}

/// The character before the fraction of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecimalMark {
    /// 1,234.56
    Point,
    /// 1.234,56
    Comma,
}

/// Encoding of a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, low byte first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, high byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// Windows-1252, which includes Latin-1.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// What a row of an order file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowLevel {
    /// One row for each order.
    Order,
    /// One row for each line of an order.
    Line,
}
