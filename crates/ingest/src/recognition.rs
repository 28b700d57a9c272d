//! What was recognised of a file: the answer of [`crate::recognise`] and the question of
//! [`crate::open`]. It serialises to the JSON that `--dry-run` shows.

use std::path::PathBuf;

use regulars_core::{Currency, OrderStatus};
use serde::{Serialize, Serializer};

use crate::{DateOrder, DecimalMark, Encoding, Entity, Field, RowLevel, SerialDates};

/// What was recognised of a file, and how; serialises to the JSON of `--dry-run`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recognition {
    /// The file.
    pub file: PathBuf,
    /// Its compression.
    pub compression: Compression,
    /// Its form.
    pub format: Format,
    /// Lines with a title that stand above the header and are left out.
    pub title_lines: u64,
    /// Whose export it is.
    pub source: Source,
    /// What stands for all files with this header (or, without one, with columns of these
    /// kinds): what is said of one of them is remembered for the others.
    pub signature: String,
    /// What its rows are.
    pub entity: Entity,
    /// Whether a row is an order or a line of one; [`RowLevel::Order`] for other files.
    pub level: RowLevel,
    /// How the level was decided.
    pub level_reason: LevelReason,
    /// Currency of rows that name none.
    pub currency: Currency,
    /// Whether the currency was read off the amounts or is the workspace's.
    pub currency_reason: CurrencyReason,
    /// The columns, in the order of the file.
    pub columns: Vec<ColumnInfo>,
    /// The first rows, as they stand and as they will be read; personal cells are masked.
    pub samples: Vec<SampleRow>,
    /// What must be said before the file can be read.
    pub questions: Vec<Question>,
    /// Things worth knowing that stop nothing, for a person.
    pub notes: Vec<String>,
    /// What words of the status column mean, before the built-in ones.
    pub statuses: Vec<(String, OrderStatus)>,
    /// Whether bare numbers are dates.
    pub serial_dates: SerialDates,
    /// Pairs of `--map` whose columns the file does not have, as they were given.
    #[serde(skip)]
    pub unused_map: Vec<String>,
    /// What opening the file again needs beyond the format.
    #[serde(skip)]
    pub(crate) form: Form,
}

/// How to open a file again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) compression: Compression,
    pub(crate) format: Format,
    /// The byte that ends a line.
    pub(crate) line_end: u8,
    /// Bytes of text before the first row: a line such as `sep=;`, and titles.
    pub(crate) preamble: usize,
    /// Lines of titles among them.
    pub(crate) title_lines: u64,
    /// Names of the columns; of NDJSON, the keys.
    pub(crate) names: Vec<String>,
    /// Cells of the header as they stand, when there is one.
    pub(crate) header: Option<Vec<String>>,
    /// Types of the columns.
    pub(crate) types: Vec<CellType>,
    /// As [`Recognition::signature`].
    pub(crate) signature: String,
}

/// Type of a column in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellType {
    /// Text, whose conventions are to be decided.
    Text,
    /// Numbers, of a Parquet file.
    Number,
    /// Yes and no, of a Parquet file.
    Flag,
    /// Days or instants, of a Parquet file.
    Date,
    /// Something that no field is read from.
    Other,
}

/// Compression of a file, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// None.
    None,
    /// Gzip, of one member or several.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// Form of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "form")]
pub enum Format {
    /// Text with a delimiter and quotes.
    Delimited {
        /// The delimiter.
        delimiter: char,
        /// Encoding of the text.
        encoding: Encoding,
        /// Whether the first row names the columns.
        header: Header,
    },
    /// Text whose columns are separated by runs of spaces or tabs.
    Whitespace {
        /// Encoding of the text.
        encoding: Encoding,
        /// Whether the first row names the columns.
        header: Header,
    },
    /// One JSON object on each line.
    Ndjson {
        /// Encoding of the text.
        encoding: Encoding,
    },
    /// One tracking call on each line, as JSON: an archive of events.
    TrackingCalls {
        /// Encoding of the text.
        encoding: Encoding,
    },
    /// Apache Parquet.
    Parquet,
}

/// Whether the first row names the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// It does.
    Present,
    /// It is data already.
    Absent,
}

/// Whose export a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Orders or customers exported by Shopify.
    Shopify,
    /// Orders exported by WooCommerce or one of its export plugins.
    #[serde(rename = "woocommerce")]
    WooCommerce,
    /// The Online Retail data sets of the UCI repository.
    UciOnlineRetail,
    /// The CDNOW data set: ids, day, pieces and dollars without a header.
    Cdnow,
    /// Any other.
    Generic,
}

/// A column of the file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnInfo {
    /// Header, or `column_3`.
    pub name: String,
    /// Position, from 0.
    pub position: usize,
    /// What it is read as.
    pub role: Role,
    /// How it was found.
    pub reason: Option<MapReason>,
    /// Order of day and month, where that matters.
    pub date_order: Option<Decided<DateOrder>>,
    /// Decimal separator, where numbers have any.
    pub decimal: Option<Decided<DecimalMark>>,
    /// Whether amounts are in minor units already (a header such as `price_minor`).
    pub unit: AmountUnit,
}

/// What a column is read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// A field.
    Field(Field),
    /// A declared trait of customers under this name.
    Declared(String, DeclaredKind),
    /// A personal text of customers under this name, sealed before anything is written.
    Personal(String),
    /// Left out.
    Unmapped,
}

impl Serialize for Role {
    /// Always an object: `{"kind": "declared", "name": "gender", "type": "text"}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            kind: &'static str,
            name: Option<&'a str>,
            r#type: Option<DeclaredKind>,
        }
        let (kind, name, r#type) = match self {
            Self::Field(field) => ("field", Some(field.name()), None),
            Self::Declared(name, kind) => ("declared", Some(name.as_str()), Some(*kind)),
            Self::Personal(name) => ("personal", Some(name.as_str()), None),
            Self::Unmapped => ("unmapped", None, None),
        };
        Written { kind, name, r#type }.serialize(serializer)
    }
}

/// Type of a declared trait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclaredKind {
    /// Yes or no.
    Flag,
    /// A number.
    Number,
    /// A day or an instant.
    Date,
    /// A text.
    Text,
}

/// How a column came to its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MapReason {
    /// `--map` or `--columns` says so.
    Given,
    /// An earlier import of a file with the same header said so.
    Remembered,
    /// The settings of the workspace say so.
    Settings,
    /// Its header is known.
    Name,
    /// Its cells look like it.
    Content,
    /// Its place in a known file without a header.
    Position,
}

/// A decision and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Decided<T> {
    /// What was decided.
    pub value: T,
    /// Where it comes from.
    pub by: DecidedBy,
    /// Line of the first value that shows it, when values do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

/// Where a decision comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// An option.
    Given,
    /// An option of an earlier import of a file with the same header.
    Remembered,
    /// The settings of the workspace.
    Settings,
    /// Values of the sample that can be read in one way only.
    Sample,
    /// Values of the whole column that can be read in one way only.
    WholeColumn,
    /// The other columns of the file.
    OtherColumns,
    /// Dots between the numbers: day.month.year, unless the column shows otherwise.
    Dots,
    /// The known source of the file.
    Source,
    /// The form of the file: numbers of NDJSON have a decimal point.
    Format,
}

/// How [`Recognition::level`] was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LevelReason {
    /// `--level` says so.
    Given,
    /// An earlier import of a file with the same header said so.
    Remembered,
    /// The source's exports are so.
    Source,
    /// The same order id stands on several rows.
    RepeatedOrderIds,
    /// The columns that are there.
    Columns,
}

/// Where [`Recognition::currency`] comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CurrencyReason {
    /// The workspace's currency.
    Default,
    /// Signs or codes beside the amounts.
    Amounts,
}

/// Unit of the amounts of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountUnit {
    /// Major units with a fraction: 12.34.
    Major,
    /// Minor units: 1234.
    Minor,
}

/// A row of the file, as it stands and as it will be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SampleRow {
    /// Line of the file (row number in Parquet), from 1.
    pub line: u64,
    /// The cells, in the order of the columns.
    pub raw: Vec<String>,
    /// Fields that have a value, as text: instants in UTC, amounts as plain decimals.
    pub typed: Vec<(String, String)>,
    /// Why the row will be rejected, if it will.
    pub rejected: Option<String>,
}

/// Something that the file does not tell and that must be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "question")]
pub enum Question {
    /// Every date of the column can be read in two ways.
    #[error(
        "in column `{column}` day and month cannot be told apart (such as `{example}`): say `--date-order dmy` or `--date-order mdy`"
    )]
    DateOrder {
        /// The column.
        column: String,
        /// A value.
        example: String,
    },
    /// Some dates of the column have the day first and some the month.
    #[error(
        "in column `{column}` line {} (`{}`) has the day first and line {} (`{}`) the month: say `--date-order dmy` or `--date-order mdy` (rows of the other order are then rejected), or split the file",
        .day_first.line, .day_first.value, .month_first.line, .month_first.value
    )]
    MixedDateOrder {
        /// The column.
        column: String,
        /// The first value with the day first.
        day_first: Example,
        /// The first value with the month first.
        month_first: Example,
    },
    /// Every separator of the column can be read in two ways.
    #[error(
        "in column `{column}` thousands and decimals cannot be told apart (such as `{example}`): say `--decimal point` or `--decimal comma`"
    )]
    Decimal {
        /// The column.
        column: String,
        /// A value.
        example: String,
    },
    /// Some numbers of the column have a decimal point and some a decimal comma.
    #[error(
        "in column `{column}` line {} (`{}`) has a decimal point and line {} (`{}`) a decimal comma: say `--decimal point` or `--decimal comma` (rows with the other are then rejected), or split the file",
        .point.line, .point.value, .comma.line, .comma.value
    )]
    MixedDecimal {
        /// The column.
        column: String,
        /// The first value with a point.
        point: Example,
        /// The first value with a comma.
        comma: Example,
    },
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Line of the file (row number in Parquet), from 1.
    pub line: u64,
    /// The value.
    pub value: String,
}

impl ColumnInfo {
    /// The field, if the column is read as one.
    pub fn field(&self) -> Option<Field> {
        match self.role {
            Role::Field(field) => Some(field),
            Role::Declared(..) | Role::Personal(_) | Role::Unmapped => None,
        }
    }
}

impl Recognition {
    /// The column that holds `field`.
    pub fn column_of(&self, field: Field) -> Option<&ColumnInfo> {
        self.columns
            .iter()
            .find(|column| column.field() == Some(field))
    }

    /// All that decides what the rows are read as, beyond the bytes of the file: two readings of
    /// one file with the same text give the same rows.
    pub fn reading(&self) -> String {
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|column| {
                (
                    &column.role,
                    column.date_order.map(|decided| decided.value),
                    column.decimal.map(|decided| decided.value),
                    column.unit,
                )
            })
            .collect();
        let rows = (self.entity, self.level, self.source, self.currency);
        let words = (&self.statuses, self.serial_dates);
        serde_json::to_string(&(&self.format, columns, rows, words))
            .expect("a recognition is plain data")
    }

    /// Fields and the headers of their columns: what `--map` would say.
    pub fn mapping(&self) -> Vec<(Field, String)> {
        let mapped = self
            .columns
            .iter()
            .filter_map(|c| Some((c.field()?, c.name.clone())));
        mapped.collect()
    }

    /// Headers of the columns that are left out.
    pub fn unmapped(&self) -> impl Iterator<Item = &str> {
        let left_out = self
            .columns
            .iter()
            .filter(|column| column.role == Role::Unmapped);
        left_out.map(|column| column.name.as_str())
    }
}
