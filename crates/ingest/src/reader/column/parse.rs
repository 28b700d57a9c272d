//! Columns of money, numbers, times, statuses and flags.

use arrow::array::Array;
use arrow::datatypes::DataType;
use regulars_core::{CivilDate, Zone};

use super::{
    Cleaning, Column, Cow, Currency, DictColumn, OrderStatus, Rejections, Texts, Timestamp,
    dictionary,
};
use crate::batch::{Amounts, Instants};
use crate::reader::cell::{Privacy, is_null, masked, text_of};
use crate::value::{
    DateReader, StatusOf, currency_code, flag, float_to_minor, is_missing, minor_units, number,
    shortest_minor, small_float_to_minor,
};
use crate::{AmountUnit, ColumnInfo, DecimalMark, RejectReason, SerialDates};

/// Reads a column of texts cell by cell; what cannot be read rejects its row.
fn read_texts<T: Texts, V>(
    cells: T,
    info: &ColumnInfo,
    rejections: &mut Rejections<'_>,
    mut read: impl FnMut(usize, &str) -> Result<Option<V>, RejectReason>,
) -> Vec<Option<V>> {
    let mut values = Vec::with_capacity(cells.rows());
    for row in 0..cells.rows() {
        let cell = cells.text(row);
        let value = if cell.is_empty() {
            Ok(None)
        } else {
            read(row, cell)
        };
        values.push(value.unwrap_or_else(|reason| {
            if !is_missing(cell) {
                rejections.add(row, info, cell, reason);
            }
            None
        }));
    }
    values
}

/// Reads a column of a Parquet file that has a type of its own.
fn read_typed<V>(
    column: Column<'_>,
    info: &ColumnInfo,
    rejections: &mut Rejections<'_>,
    mut read: impl FnMut(usize) -> Result<Option<V>, RejectReason>,
) -> Vec<Option<V>> {
    let mut values = Vec::with_capacity(column.len());
    for row in 0..column.len() {
        let value = if is_null(column, row) {
            Ok(None)
        } else {
            read(row)
        };
        values.push(value.unwrap_or_else(|reason| {
            rejections.add(row, info, &text_of(column, row), reason);
            None
        }));
    }
    values
}

fn wrong_type(column: Column<'_>) -> RejectReason {
    let found = match column {
        Column::Cells(_) | Column::Strings(_) | Column::Dictionary(..) | Column::Absent(_) => {
            Cow::Borrowed("text")
        }
        Column::Integers(_) => Cow::Borrowed("integer"),
        Column::Floats(_) | Column::SmallFloats(_) => Cow::Borrowed("float"),
        Column::Decimals(_) => Cow::Borrowed("decimal"),
        Column::Flags(_) => Cow::Borrowed("boolean"),
        Column::Dates(_) => Cow::Borrowed("date"),
        Column::Times(_) => Cow::Borrowed("timestamp"),
        Column::Other(array) => Cow::Owned(array.data_type().to_string()),
    };
    RejectReason::WrongType {
        found: found.into_owned(),
    }
}

/// Currencies of the rows of a batch.
#[derive(Debug)]
pub(crate) struct Currencies {
    pub(crate) file: Currency,
    /// Key of each row into `by_key`; key 0 is the file's currency.
    pub(crate) keys: Vec<u32>,
    pub(crate) by_key: Vec<Currency>,
}

impl Currencies {
    /// All rows in the file's currency.
    pub(crate) fn all(file: Currency) -> Self {
        Self {
            file,
            keys: Vec::new(),
            by_key: vec![file],
        }
    }

    fn of(&self, row: usize) -> Currency {
        self.keys
            .get(row)
            .map_or(self.file, |&key| self.by_key[key as usize])
    }

    /// The codes as a column.
    pub(crate) fn column(&self) -> DictColumn {
        let codes = self
            .by_key
            .iter()
            .map(|currency| currency.code().to_owned());
        let mut texts: Vec<String> = codes.collect();
        texts[0] = String::new();
        DictColumn {
            keys: self.keys.clone(),
            texts,
        }
    }
}

/// Reads a column of currency codes.
pub(crate) fn currencies(
    column: Column<'_>,
    info: &ColumnInfo,
    file: Currency,
    rejections: &mut Rejections<'_>,
) -> Currencies {
    let written = dictionary(column, Cleaning::Text);
    let mut currencies = Currencies {
        file,
        keys: Vec::new(),
        by_key: vec![file],
    };
    let mut key_of_text = vec![Some(0)];
    for text in &written.texts[1..] {
        let key = currency_code(text, file).map(|currency| {
            let known = currencies.by_key[1..]
                .iter()
                .position(|&known| known == currency);
            known.map_or_else(
                || {
                    currencies.by_key.push(currency);
                    currencies.by_key.len() as u32 - 1
                },
                |position| position as u32 + 1,
            )
        });
        key_of_text.push(key);
    }
    currencies.keys.reserve(written.keys.len());
    for (row, &text) in written.keys.iter().enumerate() {
        let key = key_of_text[text as usize].unwrap_or_else(|| {
            let cell = &written.texts[text as usize];
            if !is_missing(cell) {
                rejections.add(row, info, cell, RejectReason::NotACurrency);
            }
            0
        });
        currencies.keys.push(key);
    }
    currencies
}

/// Reads a column of amounts into minor units of each row's currency.
pub(crate) fn amounts(
    column: Column<'_>,
    info: &ColumnInfo,
    currencies: &Currencies,
    rejections: &mut Rejections<'_>,
) -> Amounts {
    let mark = info.decimal.map(|decided| decided.value);
    let digits = |currency: Currency| match info.unit {
        AmountUnit::Major => currency.exponent(),
        AmountUnit::Minor => 0,
    };
    let read = |row: usize, cell: &str| {
        let currency = currencies.of(row);
        minor_units(cell, mark, digits(currency), currency).map(Some)
    };
    let digits_of = |row: usize| digits(currencies.of(row));
    match column {
        Column::Cells(cells) => read_texts(cells, info, rejections, read),
        Column::Strings(array) => read_texts(array, info, rejections, read),
        Column::Integers(array) => read_typed(column, info, rejections, |row| {
            let scale = 10_i64.pow(digits_of(row));
            let minor = array.value(row).checked_mul(scale);
            minor.map(Some).ok_or(RejectReason::TooLarge)
        }),
        Column::Floats(array) => read_typed(column, info, rejections, |row| {
            let value = array.value(row);
            if value.is_nan() {
                Ok(None)
            } else {
                float_to_minor(value, digits_of(row)).map(Some)
            }
        }),
        Column::SmallFloats(array) => read_typed(column, info, rejections, |row| {
            let value = array.value(row);
            let minor = || small_float_to_minor(value, digits_of(row)).map(Some);
            if value.is_nan() { Ok(None) } else { minor() }
        }),
        Column::Decimals(array) => {
            let scale = array.scale();
            read_typed(column, info, rejections, |row| {
                let digits = digits_of(row);
                // The same number of decimals as the currency has: nothing to convert.
                if i64::from(scale) == i64::from(digits) {
                    let minor = i64::try_from(array.value(row));
                    return minor.map(Some).map_err(|_| RejectReason::TooLarge);
                }
                shortest_minor(&array.value_as_string(row), digits).map(Some)
            })
        }
        _ => read_typed(column, info, rejections, |_| Err(wrong_type(column))),
    }
}

/// Reads a column of numbers.
pub(crate) fn numbers(
    column: Column<'_>,
    info: &ColumnInfo,
    rejections: &mut Rejections<'_>,
) -> Vec<Option<f64>> {
    let mark: Option<DecimalMark> = info.decimal.map(|decided| decided.value);
    let finite = |value: f64| match value {
        _ if value.is_nan() => Ok(None),
        _ if value.is_finite() => Ok(Some(value)),
        _ => Err(RejectReason::TooLarge),
    };
    let read = |_: usize, cell: &str| number(cell, mark).map(Some);
    match column {
        Column::Cells(cells) => read_texts(cells, info, rejections, read),
        Column::Strings(array) => read_texts(array, info, rejections, read),
        Column::Integers(array) => read_typed(column, info, rejections, |row| {
            Ok(Some(array.value(row) as f64))
        }),
        Column::Floats(array) => {
            read_typed(column, info, rejections, |row| finite(array.value(row)))
        }
        // By its shortest decimal form, so that 0.1 is 0.1 here too.
        Column::SmallFloats(_) | Column::Decimals(_) => {
            read_typed(column, info, rejections, |row| {
                let text = text_of(column, row);
                if text.is_empty() {
                    return Ok(None);
                }
                finite(text.parse().map_err(|_| RejectReason::NotANumber)?)
            })
        }
        _ => read_typed(column, info, rejections, |_| Err(wrong_type(column))),
    }
}

/// Reads a column of dates or times.
pub(crate) fn instants(
    column: Column<'_>,
    info: &ColumnInfo,
    serial: SerialDates,
    zone: &Zone,
    rejections: &mut Rejections<'_>,
) -> Instants {
    let mut reader = DateReader::new(info.date_order.map(|decided| decided.value), serial, zone);
    match column {
        Column::Cells(cells) => read_texts(cells, info, rejections, |_, cell| reader.read(cell)),
        Column::Strings(array) => read_texts(array, info, rejections, |_, cell| reader.read(cell)),
        Column::Integers(_) | Column::Floats(_) => read_typed(column, info, rejections, |row| {
            match text_of(column, row).as_str() {
                "" => Ok(None),
                digits => reader.read(digits),
            }
        }),
        Column::Dates(array) => read_typed(column, info, rejections, |row| {
            Ok(Some(zone.start_of(CivilDate(array.value(row)))))
        }),
        Column::Times(array) => {
            let local = matches!(array.data_type(), DataType::Timestamp(_, None));
            read_typed(column, info, rejections, |row| {
                let ms = array.value(row);
                Ok(Some(if local {
                    zone.instant_of(ms)
                } else {
                    Timestamp(ms)
                }))
            })
        }
        _ => read_typed(column, info, rejections, |_| Err(wrong_type(column))),
    }
}

/// Rows of a batch that make an unknown status a word of the shop's, and not of a person.
const SHARED_BY: usize = 3;

/// Reads a column of statuses, each word by `meaning`, words that were given one first.
pub(crate) fn statuses(
    column: Column<'_>,
    info: &ColumnInfo,
    (meaning, given): (StatusOf, &[(String, OrderStatus)]),
    rejections: &mut Rejections<'_>,
) -> Vec<Option<OrderStatus>> {
    let words = dictionary(column, Cleaning::Text);
    let meanings: Vec<_> = words
        .texts
        .iter()
        .map(|word| meaning(word, given))
        .collect();
    let mut rows_of_word = vec![0; words.texts.len()];
    for &key in &words.keys {
        rows_of_word[key as usize] += 1;
    }
    let mut values = Vec::with_capacity(words.keys.len());
    for (row, &key) in words.keys.iter().enumerate() {
        let value = meanings[key as usize];
        let word = &words.texts[key as usize];
        if value.is_none() && !is_missing(word) {
            if rows_of_word[key as usize] >= SHARED_BY {
                let shown = masked(word, Privacy::Open);
                rejections.put(row, info, shown, RejectReason::UnknownStatus);
            } else {
                rejections.add(row, info, word, RejectReason::UnknownStatus);
            }
        }
        values.push(value);
    }
    values
}

/// Reads a column of yes and no.
pub(crate) fn flags(
    column: Column<'_>,
    info: &ColumnInfo,
    rejections: &mut Rejections<'_>,
) -> Vec<Option<bool>> {
    let read = |_: usize, cell: &str| flag(cell).map(Some).ok_or(RejectReason::NotAFlag);
    match column {
        Column::Cells(cells) => read_texts(cells, info, rejections, read),
        Column::Strings(array) => read_texts(array, info, rejections, read),
        Column::Flags(array) => {
            read_typed(column, info, rejections, |row| Ok(Some(array.value(row))))
        }
        Column::Integers(array) => {
            read_typed(column, info, rejections, |row| match array.value(row) {
                0 => Ok(Some(false)),
                1 => Ok(Some(true)),
                _ => Err(RejectReason::NotAFlag),
            })
        }
        _ => read_typed(column, info, rejections, |_| Err(wrong_type(column))),
    }
}
