//! Single cells: what is taken off ids and e-mails, and how a cell is shown.

use std::fmt::Write as _;

use arrow::array::Array;
use arrow::datatypes::DataType;
use regulars_core::{CivilDate, Timestamp};

use crate::rows::Column;
use crate::value::{is_known_word, is_missing_text};

/// Cells are shown up to this many characters.
const SHOWN: usize = 40;
/// What stands for a personal value.
const MASK: &str = "***";

/// An id without the traces of the programs it went through: the apostrophe and the `="…"` that
/// make spreadsheets keep leading zeros, and the `.0` of a column that was of floats once.
pub(super) fn clean_id(cell: &str) -> &str {
    let bytes = cell.as_bytes();
    // Most ids have no trace: their two ends say so.
    if !matches!(bytes, [b'\'' | b'=', ..] | [.., b'.', b'0']) {
        return clean_text(cell);
    }
    let cell = cell.strip_prefix('\'').unwrap_or(cell);
    let cell = cell
        .strip_prefix("=\"")
        .and_then(|c| c.strip_suffix('"'))
        .unwrap_or(cell);
    let whole = cell
        .strip_suffix(".0")
        .filter(|whole| !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()));
    clean_text(whole.unwrap_or(cell))
}

/// Whether an id is what a spreadsheet shows of a long number: `1.23457E+12`. Many ids look so
/// alike then, and none can be told from the others.
pub(crate) fn is_rounded_id(id: &str) -> bool {
    let Some((mantissa, exponent)) = id.split_once(['E', 'e']) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let one_digit = |whole: &str| whole.len() == 1 && digits(whole);
    let is_mantissa = match mantissa.split_once(['.', ',']) {
        None => one_digit(mantissa),
        Some((whole, fraction)) => one_digit(whole) && digits(fraction),
    };
    let exponent = exponent.strip_prefix('+').unwrap_or_default();
    is_mantissa && matches!(exponent.len(), 2 | 3) && digits(exponent)
}

/// A text, empty where it stands for nothing.
pub(super) fn clean_text(cell: &str) -> &str {
    // The words for nothing are short and begin with one of a few letters.
    let may_be = matches!(
        cell.as_bytes().first(),
        Some(b'n' | b'N' | b'(' | b'\\' | b'u')
    );
    if may_be && cell.len() <= 9 && is_missing_text(cell) {
        ""
    } else {
        cell
    }
}

/// Writes an e-mail in lower case; nothing when it is no address.
pub(super) fn write_email(cell: &str, to: &mut String) {
    let address = cell.strip_prefix("mailto:").unwrap_or(cell);
    let Some((local, domain)) = address.rsplit_once('@') else {
        return;
    };
    if local.is_empty() || domain.is_empty() || address.contains(char::is_whitespace) {
        return;
    }
    if address.is_ascii() {
        let start = to.len();
        to.push_str(address);
        to[start..].make_ascii_lowercase();
    } else {
        to.extend(address.chars().flat_map(char::to_lowercase));
    }
}

/// Whether the values of a column may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privacy {
    /// They are of a person.
    Personal,
    /// They should be dates, numbers or words of a small vocabulary; what is none of these may be
    /// anything, such as the name of a column to the left.
    Typed,
    /// They are not, by all that is known.
    Open,
}

/// A cell as it may be kept with a rejected row.
pub(crate) fn kept_aside(cell: &str, privacy: Privacy) -> String {
    let words = || cell.split(|c: char| !c.is_alphabetic());
    let known =
        privacy == Privacy::Open || words().all(|word| word.is_empty() || is_known_word(word));
    if known || is_known_word(cell) {
        masked(cell, privacy)
    } else {
        MASK.to_owned()
    }
}

/// A cell as it may be shown: shortened, and masked when it is personal or looks like it.
pub(crate) fn masked(cell: &str, privacy: Privacy) -> String {
    if cell.is_empty() {
        return String::new();
    }
    if privacy == Privacy::Personal || cell.contains('@') {
        return MASK.to_owned();
    }
    let mut shown: String = cell.chars().take(SHOWN).collect();
    if shown.len() < cell.len() {
        shown.push('…');
    }
    shown
}

/// A cell as text, of any kind of column.
pub(crate) fn text_of(column: Column<'_>, row: usize) -> String {
    let mut text = String::new();
    write_text(column, row, &mut text);
    text
}

/// Writes a cell as text; nothing when it is missing.
pub(super) fn write_text(column: Column<'_>, row: usize, to: &mut String) {
    let written = match column {
        Column::Cells(cells) => {
            to.push_str(cells.get(row));
            Ok(())
        }
        Column::Absent(_) => Ok(()),
        _ if is_null(column, row) => Ok(()),
        Column::Strings(array) => {
            to.push_str(array.value(row).trim());
            Ok(())
        }
        Column::Dictionary(array, texts) => {
            to.push_str(array.key(row).map_or("", |key| texts.value(key).trim()));
            Ok(())
        }
        Column::Integers(array) => write!(to, "{}", array.value(row)),
        Column::Floats(array) if array.value(row).is_nan() => Ok(()),
        Column::Floats(array) => write!(to, "{}", array.value(row)),
        Column::SmallFloats(array) if array.value(row).is_nan() => Ok(()),
        Column::SmallFloats(array) => write!(to, "{}", array.value(row)),
        Column::Decimals(array) => {
            to.push_str(&array.value_as_string(row));
            Ok(())
        }
        Column::Flags(array) => write!(to, "{}", array.value(row)),
        Column::Dates(array) => write!(to, "{}", CivilDate(array.value(row))),
        Column::Times(array) => {
            let text = Timestamp(array.value(row)).to_string();
            // What a clock shows has no zone.
            let local = matches!(array.data_type(), DataType::Timestamp(_, None));
            to.push_str(if local {
                text.trim_end_matches('Z')
            } else {
                &text
            });
            Ok(())
        }
        Column::Other(array) => write!(to, "({})", array.data_type()),
    };
    written.expect("writing to a string never fails");
}

/// True where a Parquet column has no value.
pub(super) fn is_null(column: Column<'_>, row: usize) -> bool {
    match column {
        Column::Cells(_) => false,
        Column::Absent(_) => true,
        Column::Strings(array) => array.is_null(row),
        Column::Dictionary(array, _) => array.is_null(row),
        Column::Integers(array) => array.is_null(row),
        Column::Floats(array) => array.is_null(row),
        Column::SmallFloats(array) => array.is_null(row),
        Column::Decimals(array) => array.is_null(row),
        Column::Flags(array) => array.is_null(row),
        Column::Dates(array) => array.is_null(row),
        Column::Times(array) => array.is_null(row),
        Column::Other(array) => array.is_null(row),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lose_the_traces_of_programs_and_keep_their_zeros() {
        let cases = [
            ("17850.0", "17850"),
            ("'00123", "00123"),
            ("=\"00123\"", "00123"),
            ("#1001", "#1001"),
            ("12.50", "12.50"),
            ("A.0", "A.0"),
            ("nan", ""),
        ];
        for (cell, id) in cases {
            assert_eq!(clean_id(cell), id);
        }
    }

    #[test]
    fn ids_that_a_spreadsheet_rounded_are_told_from_others() {
        for id in ["1.23457E+12", "1,23457E+12", "4E+12", "9.8e+100"] {
            assert!(is_rounded_id(id), "{id}");
        }
        for id in [
            "1E12",
            "12E+12",
            "AE+12",
            "1.2E+1",
            "1.E+12",
            "E+12",
            "1234567890123",
            "",
            "e",
        ] {
            assert!(!is_rounded_id(id), "{id}");
        }
    }

    #[test]
    fn emails_are_in_lower_case_or_missing() {
        let email = |cell: &str| {
            let mut to = String::new();
            write_email(cell, &mut to);
            to
        };
        assert_eq!(email("Ann@Example.COM"), "ann@example.com");
        assert_eq!(email("JÜRGEN@x.de"), "jürgen@x.de");
        for none in ["", "guest", "@x.de", "a@", "a b@c.d"] {
            assert_eq!(email(none), "");
        }
    }

    #[test]
    fn only_dates_numbers_and_known_words_are_kept_aside() {
        for cell in [
            "2026-02-30",
            "31. Februar 2026",
            "Thu, 01 Jan 1970 25:00 PM",
            "12,50 €",
            "USD 1.2.3",
            "partially paid",
            "n/a",
        ] {
            assert_eq!(kept_aside(cell, Privacy::Typed), cell);
        }
        for cell in [
            "Ann Teller",
            "not a date",
            "ann@example.com",
            "12 Quarry Lane",
        ] {
            assert_eq!(kept_aside(cell, Privacy::Typed), MASK, "{cell}");
        }
        assert_eq!(kept_aside("12.50", Privacy::Personal), MASK);
    }

    #[test]
    fn personal_cells_are_masked() {
        assert_eq!(masked("ann@example.com", Privacy::Open), MASK);
        assert_eq!(masked("Ann", Privacy::Personal), MASK);
        assert_eq!(
            masked(&"x".repeat(50), Privacy::Open),
            format!("{}…", "x".repeat(40))
        );
    }
}
