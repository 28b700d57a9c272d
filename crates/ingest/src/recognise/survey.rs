//! What the cells of the columns look like: counts that decide conventions and types.

use std::collections::{BTreeSet, HashSet};
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::reader::text_of;
use crate::recognition::{CellType, Form};
use crate::rows::{Column, Rows};
use crate::value::{
    CurrencySign, DateHint, Dots, NumberHint, currency_beside, date_hint, flag, is_missing,
    number_hint,
};
use crate::{DateOrder, DecimalMark, Example};

/// Signs of currencies that are kept for a column.
const MAX_SIGNS: usize = 4;

/// What was seen of each column.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    columns: Vec<Seen>,
    /// What each column is looked at for.
    watched: Vec<Watch>,
}

/// Cells of a column that are compared with each other.
const COMPARED: u64 = 5_000;
/// Fewer single words tell nothing by being different.
const FEW: u64 = 20;

/// What the values of a column that can be read in one way only say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence<T> {
    /// There is none.
    None,
    /// This, by the value on this line and by all others.
    One(T, u64),
    /// Some say one thing and some the other.
    Mixed,
}

impl<T> Evidence<T> {
    pub(super) fn one(self) -> Option<(T, u64)> {
        match self {
            Self::One(value, line) => Some((value, line)),
            Self::None | Self::Mixed => None,
        }
    }
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
    /// Written like a telephone number.
    phones: u64,
    /// Several words.
    spaced: u64,
    /// One word with a capital first, as names are.
    capitalised: u64,
    /// Cells that were compared, and the different ones among them.
    compared: u64,
    different: HashSet<u64>,
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
    /// The first that can be read with the day first only.
    pub(super) day_first: Option<Example>,
    pub(super) month_first: Option<Example>,
    pub(super) either_with_dots: u64,
    pub(super) either: u64,
    /// One that can be read in two ways.
    pub(super) example: Option<String>,
}

/// Numbers among the cells.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    pub(super) all: u64,
    /// The first that can be read with a decimal point only.
    pub(super) point: Option<Example>,
    pub(super) comma: Option<Example>,
    /// With decimals.
    decimals: u64,
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
        let lines = rows.lines();
        for (seen, (position, &watch)) in
            self.columns.iter_mut().zip(self.watched.iter().enumerate())
        {
            if watch == Watch::Nothing {
                continue;
            }
            match rows.column(position) {
                Column::Cells(cells) => {
                    (0..cells.len()).for_each(|row| seen.add(cells.get(row), lines[row], watch));
                }
                other => {
                    let add = |row: usize| seen.add(&text_of(other, row), lines[row], watch);
                    (0..other.len()).for_each(add);
                }
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
    fn add(&mut self, cell: &str, line: u64, watch: Watch) {
        if is_missing(cell) {
            return;
        }
        match watch {
            Watch::Everything => {}
            Watch::Dates => {
                return self
                    .dates
                    .add(cell, line, cell.bytes().all(|b| b.is_ascii_digit()));
            }
            Watch::Numbers => return self.numbers.add(cell, line),
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
        self.dates.add(cell, line, digits);
        self.numbers.add(cell, line);
        self.compare(cell);
        if self.signs.len() < MAX_SIGNS
            && let Some(sign) = currency_beside(cell)
            && !self.signs.contains(&sign)
        {
            self.signs.push(sign);
        }
    }

    /// Takes notes of a text that may be a name, a number to call or a remark.
    fn compare(&mut self, cell: &str) {
        self.phones += u64::from(looks_like_phone(cell));
        self.spaced += u64::from(cell.split_whitespace().nth(1).is_some());
        let mut letters = cell.chars();
        let capital = letters.next().is_some_and(char::is_uppercase);
        self.capitalised += u64::from(capital && letters.all(|c| c.is_lowercase() || c == '-'));
        if self.compared < COMPARED {
            self.compared += 1;
            self.different.insert(FixedState::default().hash_one(cell));
        }
    }

    /// Whether the texts look like those of persons: addresses, telephone numbers, names or
    /// remarks, which differ from row to row.
    pub(super) fn looks_personal(&self) -> bool {
        let differ = self.different.len() as u64 * 2 > self.compared;
        let names = self.compared >= FEW && self.capitalised * 10 >= self.filled * 7;
        self.emails > 0 || self.looks_like_phones() || (differ && (self.has_sentences() || names))
    }

    /// Whether most cells are written like telephone numbers.
    pub(super) fn looks_like_phones(&self) -> bool {
        self.filled > 0 && self.phones * 2 >= self.filled
    }

    fn has_sentences(&self) -> bool {
        self.spaced * 10 >= self.filled * 3 && self.spaced > 0
    }

    /// Whether nearly all cells are dates (and not just digits that could be).
    pub(super) fn looks_like_dates(&self) -> bool {
        self.filled > 0 && self.dates.all * 10 >= self.filled * 9 && self.dates.digits == 0
    }

    /// Whether nearly all cells are amounts: numbers, some with decimals.
    pub(super) fn looks_like_amounts(&self) -> bool {
        let decimals = self.numbers.decimals;
        let dates = self.dates.all * 2 > self.filled;
        self.filled > 0 && self.numbers.all * 10 >= self.filled * 9 && decimals > 0 && !dates
    }

    /// Whether all cells are numbers, some of which can be read in two ways: `1,234`.
    pub(super) fn is_of_either_mark(&self) -> bool {
        let numbers = &self.numbers;
        let all = self.filled > 0 && numbers.all == self.filled && self.digit_texts == 0;
        all && numbers.either > 0 && numbers.mark() == Evidence::None
    }

    pub(super) fn looks_like_emails(&self) -> bool {
        self.filled > 0 && self.emails * 10 >= self.filled * 6
    }

    pub(super) fn looks_like_countries(&self) -> bool {
        self.filled > 0 && self.country_codes == self.filled
    }
}

impl Dates {
    fn add(&mut self, cell: &str, line: u64, digits: bool) {
        let hint = date_hint(cell);
        self.all += u64::from(hint != DateHint::None);
        match hint {
            DateHint::None => {}
            DateHint::Silent => self.digits += u64::from(digits),
            DateHint::Only(DateOrder::Dmy) => note(&mut self.day_first, cell, line),
            DateHint::Only(DateOrder::Mdy) => note(&mut self.month_first, cell, line),
            DateHint::Either { dots: Dots::Yes } => self.either_with_dots += 1,
            DateHint::Either { dots: Dots::No } => {
                self.either += 1;
                self.example.get_or_insert_with(|| cell.to_owned());
            }
        }
    }

    /// The order that the values that can be read in one way only have.
    pub(super) fn order(&self) -> Evidence<DateOrder> {
        evidence(
            (DateOrder::Dmy, &self.day_first),
            (DateOrder::Mdy, &self.month_first),
        )
    }
}

impl Numbers {
    fn add(&mut self, cell: &str, line: u64) {
        let hint = number_hint(cell);
        self.all += u64::from(hint != NumberHint::None);
        self.decimals += u64::from(matches!(hint, NumberHint::Only(_)));
        match hint {
            NumberHint::None | NumberHint::Plain => {}
            NumberHint::Only(DecimalMark::Point) => note(&mut self.point, cell, line),
            NumberHint::Only(DecimalMark::Comma) => note(&mut self.comma, cell, line),
            NumberHint::Either => {
                self.either += 1;
                self.example.get_or_insert_with(|| cell.to_owned());
            }
        }
    }

    /// The separator that the values that can be read in one way only have.
    pub(super) fn mark(&self) -> Evidence<DecimalMark> {
        evidence(
            (DecimalMark::Point, &self.point),
            (DecimalMark::Comma, &self.comma),
        )
    }
}

fn note(first: &mut Option<Example>, cell: &str, line: u64) {
    if first.is_none() {
        *first = Some(Example {
            line,
            value: cell.to_owned(),
        });
    }
}

fn evidence<T>(one: (T, &Option<Example>), other: (T, &Option<Example>)) -> Evidence<T> {
    match (one.1, other.1) {
        (None, None) => Evidence::None,
        (Some(seen), None) => Evidence::One(one.0, seen.line),
        (None, Some(seen)) => Evidence::One(other.0, seen.line),
        (Some(_), Some(_)) => Evidence::Mixed,
    }
}

/// Whether a text is written like a telephone number: with `+`, spaces, brackets, slashes or a
/// zero first, or of ten to fifteen digits that are no point in time.
fn looks_like_phone(cell: &str) -> bool {
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    let allowed = |byte: u8| byte.is_ascii_digit() || b" ()+-/.".contains(&byte);
    if !(7..=15).contains(&digits) || !cell.bytes().all(allowed) {
        return false;
    }
    if date_hint(cell) != DateHint::None {
        // Ten or thirteen digits may be seconds or milliseconds of this century.
        let seconds = cell.get(..10).and_then(|s| s.parse::<u64>().ok());
        let in_time = seconds.is_some_and(|s| s < 2_200_000_000) && !cell.starts_with('0');
        return matches!(digits, 10 | 13) && !in_time;
    }
    match number_hint(cell) {
        NumberHint::None => true,
        NumberHint::Plain => digits >= 10 || cell.starts_with(['0', '+']),
        NumberHint::Only(_) | NumberHint::Either => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn personal(cells: &[&str]) -> bool {
        let mut seen = Seen::default();
        for (line, cell) in (1..).zip(cells) {
            seen.add(cell, line, Watch::Everything);
        }
        seen.looks_personal()
    }

    #[test]
    fn names_numbers_to_call_and_remarks_are_told_from_traits() {
        for cells in [
            ["+49 30 1234567", "030/7654321"],
            ["4915112345678", "4915187654321"],
            ["0301234567", "0307654321"],
            ["(212) 555-0101", "212.555.0102"],
            ["asked for a later delivery", "will move in May"],
            ["Ann Teller", "Bob van Dyk"],
            ["", "write to ann@example.com"],
        ] {
            assert!(personal(&cells), "{cells:?}");
        }
        for cells in [
            ["gold", "silver"],
            ["Gold", "Silver"],
            ["2024-01-05", "2024-01-06"],
            ["1704067200", "1704067201"],
            ["120", "7300.50"],
            ["yes", "no"],
        ] {
            assert!(!personal(&cells), "{cells:?}");
        }
        // The same words for many are no names.
        assert!(!personal(&["Gold Member"; 30]));
        let names: Vec<String> = ('a'..='z').map(|c| format!("An{c}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(personal(&names));
    }
}
