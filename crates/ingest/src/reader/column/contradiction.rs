//! Rows that contradict what was decided about their column: reading on would misread the others.

use crate::reader::cell::kept_aside;
use crate::value::{DateHint, NumberHint, date_hint, number_hint};
use crate::{ColumnInfo, Decided, DecidedBy, RejectReason};

/// A row that contradicts its column, or needs what nothing decided for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "in column `{column}`, line {line} (`{value}`) {what}: say `{options}` (rows that contradict it \
     are then rejected), or split the file"
)]
pub struct Contradiction {
    /// The line of the row, from 1.
    pub line: u64,
    /// The column.
    pub column: String,
    /// The cell; masked when it may be personal.
    pub value: String,
    /// What it contradicts, and where that comes from.
    pub what: String,
    /// What could be said.
    pub options: &'static str,
}

const DATES: &str = "--date-order dmy` or `--date-order mdy";
const NUMBERS: &str = "--decimal point` or `--decimal comma";

impl Contradiction {
    /// What a reason to reject a row says of the whole column. `None` where only the row is at
    /// fault, or where the convention was given: then the row is the exception.
    pub(super) fn of(
        line: u64,
        column: &ColumnInfo,
        cell: &str,
        reason: &RejectReason,
    ) -> Option<Self> {
        let (what, options) = match reason {
            RejectReason::OtherDateOrder { expected } => {
                let why = why(column.date_order)?;
                let what = format!("contradicts the order {expected}, {why}");
                matches!(date_hint(cell), DateHint::Only(_)).then_some((what, DATES))?
            }
            RejectReason::UndecidedDateOrder => {
                let what = "needs an order of day and month, and no row before it tells one";
                (what.to_owned(), DATES)
            }
            RejectReason::OtherSeparator { expected } => {
                let why = why(column.decimal)?;
                let what = format!("contradicts the decimal {expected}, {why}");
                matches!(number_hint(cell), NumberHint::Only(_)).then_some((what, NUMBERS))?
            }
            RejectReason::UndecidedSeparator => {
                let what = "needs a decimal separator, and no row before it tells one";
                let number = number_hint(cell) != NumberHint::None;
                number.then_some((what.to_owned(), NUMBERS))?
            }
            _ => return None,
        };
        Some(Self {
            line,
            column: column.name.clone(),
            value: kept_aside(cell, column.privacy()),
            what,
            options,
        })
    }
}

/// Where a convention comes from; `None` when it was given for this file.
fn why<T>(decided: Option<Decided<T>>) -> Option<String> {
    let decided = decided?;
    Some(match (decided.by, decided.line) {
        (DecidedBy::Given, _) => return None,
        (_, Some(line)) => format!("which line {line} shows"),
        (DecidedBy::Remembered, None) => "remembered from an earlier import".to_owned(),
        (DecidedBy::Settings, None) => "which the settings say".to_owned(),
        (DecidedBy::OtherColumns, None) => "which the other columns show".to_owned(),
        (DecidedBy::Dots, None) => "usual where dots are between the numbers".to_owned(),
        (DecidedBy::Source, None) => "usual in files of this source".to_owned(),
        (DecidedBy::Format, None) => "usual in files of this form".to_owned(),
        (DecidedBy::Sample | DecidedBy::WholeColumn, None) => "which rows before show".to_owned(),
    })
}
