//! What the cells of the columns look like: counts that decide conventions and types.

use std::collections::BTreeSet;

use crate::reader::text_of;
use crate::recognition::{CellType, Form};
use crate::rows::{Column, Rows};
use crate::value::{
    CurrencySign, DateHint, Dots, NumberHint, currency_beside, date_hint, flag, is_missing,
    number_hint,
};
use crate::{DateOrder, DecimalMark};

/// Signs of currencies that are kept for a column.
const MAX_SIGNS: usize = 4;

/// What was seen of each column.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    columns: Vec<Seen>,
    /// What each column is looked at for.
    watched: Vec<Watch>,
}

/// What a column is looked at for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watch {
    Everything,
    Dates,
    Numbers,
    Nothing,
}

/// What was seen of one column.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Cells that are not empty.
    pub(super) filled: u64,
    pub(super) emails: u64,
    pub(super) flags: u64,
    /// Two capital letters.
    pub(super) country_codes: u64,
    /// Digits that are no number: leading zeros, or too many of them.
    pub(super) digit_texts: u64,
    pub(super) dates: Dates,
    pub(super) numbers: Numbers,
    signs: Vec<CurrencySign>,
}

/// Dates among the cells.
#[derive(Debug, Clone, Default)]
pub(super) struct Dates {
    pub(super) all: u64,
    /// Of digits only, which may be numbers as well.
    pub(super) digits: u64,
    pub(super) day_first: u64,
    pub(super) month_first: u64,
    pub(super) either_with_dots: u64,
    pub(super) either: u64,
    /// One that can be read in two ways.
    pub(super) example: Option<String>,
}

/// Numbers among the cells.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    pub(super) all: u64,
    pub(super) point: u64,
    pub(super) comma: u64,
    pub(super) either: u64,
    /// One that can be read in two ways.
    pub(super) example: Option<String>,
}

impl Survey {
    pub(super) fn new(form: &Form) -> Self {
        let watched = form.types.iter().map(|kind| match kind {
            CellType::Text => Watch::Everything,
            CellType::Number | CellType::Flag | CellType::Date | CellType::Other => Watch::Nothing,
        });
        Self {
            columns: vec![Seen::default(); form.names.len()],
            watched: watched.collect(),
        }
    }

    /// Looks from now on at these columns only, and for these things only.
    pub(super) fn only(&mut self, watched: &[(usize, Watch)]) {
        self.watched.fill(Watch::Nothing);
        for &(position, watch) in watched {
            self.watched[position] = watch;
        }
    }

    pub(super) fn add(&mut self, rows: &Rows) {
        for (seen, (position, &watch)) in
            self.columns.iter_mut().zip(self.watched.iter().enumerate())
        {
            if watch == Watch::Nothing {
                continue;
            }
            match rows.column(position) {
                Column::Cells(cells) => {
                    (0..cells.len()).for_each(|row| seen.add(cells.get(row), watch));
                }
                other => (0..other.len()).for_each(|row| seen.add(&text_of(other, row), watch)),
            }
        }
    }

    pub(super) fn of(&self, position: usize) -> &Seen {
        &self.columns[position]
    }

    /// Currencies that are written beside the numbers of a column.
    pub(super) fn signs(&self, position: usize) -> Vec<CurrencySign> {
        self.columns[position].signs.clone()
    }
}

impl Seen {
    fn add(&mut self, cell: &str, watch: Watch) {
        if is_missing(cell) {
            return;
        }
        match watch {
            Watch::Everything => {}
            Watch::Dates => {
                return self
                    .dates
                    .add(cell, cell.bytes().all(|b| b.is_ascii_digit()));
            }
            Watch::Numbers => return self.numbers.add(cell),
            Watch::Nothing => return,
        }
        self.filled += 1;
        self.emails += u64::from(cell.contains('@') && cell.contains('.'));
        self.flags += u64::from(flag(cell).is_some());
        let bytes = cell.as_bytes();
        self.country_codes +=
            u64::from(bytes.len() == 2 && bytes.iter().all(u8::is_ascii_uppercase));
        let digits = bytes.iter().all(u8::is_ascii_digit);
        let many = digits && (bytes.len() > 15 || (bytes.len() > 1 && bytes[0] == b'0'));
        self.digit_texts += u64::from(many);
        self.dates.add(cell, digits);
        self.numbers.add(cell);
        if self.signs.len() < MAX_SIGNS
            && let Some(sign) = currency_beside(cell)
            && !self.signs.contains(&sign)
        {
            self.signs.push(sign);
        }
    }

    /// Whether nearly all cells are dates (and not just digits that could be).
    pub(super) fn looks_like_dates(&self) -> bool {
        self.filled > 0 && self.dates.all * 10 >= self.filled * 9 && self.dates.digits == 0
    }

    /// Whether nearly all cells are amounts: numbers, some with decimals.
    pub(super) fn looks_like_amounts(&self) -> bool {
        let decimals = self.numbers.point + self.numbers.comma;
        let dates = self.dates.all * 2 > self.filled;
        self.filled > 0 && self.numbers.all * 10 >= self.filled * 9 && decimals > 0 && !dates
    }

    pub(super) fn looks_like_emails(&self) -> bool {
        self.filled > 0 && self.emails * 10 >= self.filled * 6
    }

    pub(super) fn looks_like_countries(&self) -> bool {
        self.filled > 0 && self.country_codes == self.filled
    }
}

impl Dates {
    fn add(&mut self, cell: &str, digits: bool) {
        let hint = date_hint(cell);
        self.all += u64::from(hint != DateHint::None);
        match hint {
            DateHint::None => {}
            DateHint::Silent => self.digits += u64::from(digits),
            DateHint::Only(DateOrder::Dmy) => self.day_first += 1,
            DateHint::Only(DateOrder::Mdy) => self.month_first += 1,
            DateHint::Either { dots: Dots::Yes } => self.either_with_dots += 1,
            DateHint::Either { dots: Dots::No } => {
                self.either += 1;
                self.example.get_or_insert_with(|| cell.to_owned());
            }
        }
    }

    /// The order that most values that can be read in one way only have.
    pub(super) fn order(&self) -> Option<DateOrder> {
        match self.day_first.cmp(&self.month_first) {
            std::cmp::Ordering::Greater => Some(DateOrder::Dmy),
            std::cmp::Ordering::Less => Some(DateOrder::Mdy),
            std::cmp::Ordering::Equal => None,
        }
    }
}

impl Numbers {
    fn add(&mut self, cell: &str) {
        let hint = number_hint(cell);
        self.all += u64::from(hint != NumberHint::None);
        match hint {
            NumberHint::None | NumberHint::Plain => {}
            NumberHint::Only(DecimalMark::Point) => self.point += 1,
            NumberHint::Only(DecimalMark::Comma) => self.comma += 1,
            NumberHint::Either => {
                self.either += 1;
                self.example.get_or_insert_with(|| cell.to_owned());
            }
        }
    }

    /// The separator that most values that can be read in one way only have.
    pub(super) fn mark(&self) -> Option<DecimalMark> {
        match self.point.cmp(&self.comma) {
            std::cmp::Ordering::Greater => Some(DecimalMark::Point),
            std::cmp::Ordering::Less => Some(DecimalMark::Comma),
            std::cmp::Ordering::Equal => None,
        }
    }
}

/// The first different texts of a column, at most `limit`.
pub(super) fn distinct(rows: &Rows, position: usize, limit: usize) -> BTreeSet<String> {
    let column = rows.column(position);
    let mut texts = BTreeSet::new();
    for row in 0..column.len() {
        if texts.len() >= limit {
            break;
        }
        texts.insert(text_of(column, row));
    }
    texts
}
