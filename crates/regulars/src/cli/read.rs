//! What can be said of files that are read.

use clap::{Args, ValueEnum};

/// How files are read.
#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// What the rows are, when it is not recognised: orders, refunds, customers, products,
    /// `ad_spend`, events.
    #[arg(long, value_name = "KIND")]
    pub(crate) entity: Option<String>,

    /// What happened, for files of events that do not say it row by row: `--event 'NPS Answered'`.
    #[arg(long, value_name = "NAME")]
    pub(crate) event: Option<String>,

    /// Names of the columns of files without a header; `-` leaves one out.
    #[arg(
        long,
        value_name = "A,B,-,C",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    pub(crate) columns: Vec<String>,

    /// A field and the column that holds it; `trait:NAME=COLUMN` keeps a column of customers in
    /// clear. Counts for the files that have the column.
    #[arg(long, value_name = "FIELD=COLUMN")]
    pub(crate) map: Vec<String>,

    /// Order of day and month, where dates do not tell: dmy or mdy.
    #[arg(long, value_enum)]
    pub(crate) date_order: Option<DateOrderArg>,

    /// Decimal separator, where numbers do not tell: point or comma.
    #[arg(long, value_enum)]
    pub(crate) decimal: Option<DecimalArg>,

    /// What a row is, when it is not recognised: order or line.
    #[arg(long, value_enum)]
    pub(crate) level: Option<LevelArg>,

    /// What a word of the status column means, such as `shipped=placed`.
    #[arg(long, value_name = "WORD=STATUS")]
    pub(crate) status: Vec<String>,

    /// Encoding of text files, when it is not recognised.
    #[arg(long, value_enum)]
    pub(crate) encoding: Option<EncodingArg>,

    /// Read bare numbers in date columns as a spreadsheet's days.
    #[arg(long)]
    pub(crate) excel_dates: bool,
}

impl ReadArgs {
    /// Nothing said.
    pub(crate) fn nothing() -> Self {
        Self {
            entity: None,
            event: None,
            columns: Vec::new(),
            map: Vec::new(),
            date_order: None,
            decimal: None,
            level: None,
            status: Vec::new(),
            encoding: None,
            excel_dates: false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DateOrderArg {
    /// 31/12/2024
    Dmy,
    /// 12/31/2024
    Mdy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DecimalArg {
    /// 1,234.56
    Point,
    /// 1.234,56
    Comma,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LevelArg {
    /// One row for each order.
    Order,
    /// One row for each line of an order.
    Line,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EncodingArg {
    /// UTF-8.
    #[value(name = "utf-8")]
    Utf8,
    /// UTF-16, low byte first.
    #[value(name = "utf-16le")]
    Utf16Le,
    /// UTF-16, high byte first.
    #[value(name = "utf-16be")]
    Utf16Be,
    /// Windows-1252, which includes Latin-1.
    #[value(name = "windows-1252")]
    Windows1252,
}
