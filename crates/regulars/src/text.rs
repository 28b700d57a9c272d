//! Text for people: tables, numbers, money, headings.

mod escape;

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, Table, presets};
use regulars_core::{Currency, Money, Timestamp, Zone};

pub(crate) use escape::{harmless, plain};

/// A heading.
pub(crate) fn heading(text: &str) -> String {
    let style = Style::new().bold();
    format!("\n{style}{}{style:#}\n", plain(text))
}

/// Less important text.
pub(crate) fn faint(text: &str) -> String {
    let style = Style::new().dimmed();
    format!("{style}{}{style:#}", plain(text))
}

/// A yes or no that is seen without colours too.
pub(crate) fn tick(yes: bool) -> String {
    let (mark, colour) = if yes {
        ("✓", AnsiColor::Green)
    } else {
        ("✗", AnsiColor::Red)
    };
    let style = Style::new().fg_color(Some(colour.into()));
    format!("{style}{mark}{style:#}")
}

/// A warning.
pub(crate) fn warning(text: &str) -> String {
    let style = Style::new().fg_color(Some(AnsiColor::Yellow.into()));
    format!("{style}!{style:#} {}\n", plain(text))
}

/// Alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table with a header line, sized to the terminal when there is one.
pub(crate) fn table(header: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    // Whether colours are wanted is decided where the text is written.
    table.enforce_styling();
    let cell = |text: &str, align: Align| {
        measured(text).set_alignment(match align {
            Align::Left => CellAlignment::Left,
            Align::Right => CellAlignment::Right,
        })
    };
    table.set_header(
        header.iter().map(|(name, align)| {
            cell(name, *align).add_attribute(comfy_table::Attribute::Underlined)
        }),
    );
    for row in rows {
        table.add_row(
            row.iter()
                .zip(header)
                .map(|(text, (_, align))| cell(text, *align)),
        );
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A cell of a text that may be [`faint`] or a [`tick`]: the table is told the style, since it
/// would take the codes of one for text, and its columns would be too wide. Any other code is
/// part of the data.
fn measured(text: &str) -> Cell {
    let bare = anstream::adapter::strip_str(text).to_string();
    if text == tick(true) {
        Cell::new(bare).fg(comfy_table::Color::Green)
    } else if text == tick(false) {
        Cell::new(bare).fg(comfy_table::Color::Red)
    } else if text == faint(&bare) {
        Cell::new(bare).add_attribute(comfy_table::Attribute::Dim)
    } else {
        Cell::new(plain(text))
    }
}

/// Pairs of a name and a value, aligned.
pub(crate) fn pairs(pairs: &[(&str, String)]) -> String {
    let width = pairs
        .iter()
        .map(|(name, _)| plain(name).chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (name, value) in pairs {
        let name = plain(name);
        text.push_str(&format!("  {name:<width$}  {}\n", plain(value)));
    }
    text
}

/// `12,345`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `12,345 rows`.
pub(crate) fn counted(number: u64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", count(number))
}

/// `1 day`, `90 days`.
pub(crate) fn days(number: u32) -> String {
    counted(u64::from(number), "day")
}

/// A number and a phrase that agrees with it, which gives both forms where they differ:
/// `row{|s} {has|have} no date` is `1 row has no date`, `12 rows have no date`.
pub(crate) fn agreeing(number: u64, phrase: &str) -> String {
    let mut text = format!("{} ", count(number));
    let mut rest = phrase;
    while let Some((before, forms, after)) = next_forms(rest) {
        let (one, many) = forms;
        text.push_str(before);
        text.push_str(if number == 1 { one } else { many });
        rest = after;
    }
    text.push_str(rest);
    text
}

/// What stands before the first `{one|many}`, the two forms, and what stands after.
fn next_forms(phrase: &str) -> Option<(&str, (&str, &str), &str)> {
    let (before, rest) = phrase.split_once('{')?;
    let (forms, after) = rest.split_once('}')?;
    Some((before, forms.split_once('|')?, after))
}

/// `12.3 %`, and `–` for what is not known.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(unknown, |share| format!("{:.1} %", share * 100.0))
}

/// A number with so many decimals, and `–` for what is not known.
pub(crate) fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(unknown, |value| format!("{value:.decimals$}"))
}

/// What stands for a value that is not known.
pub(crate) fn unknown() -> String {
    "–".to_owned()
}

/// Amounts of one currency.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amounts(pub(crate) Currency);

impl Amounts {
    /// `1,234.50 EUR`.
    pub(crate) fn full(self, minor: i64) -> String {
        Money {
            minor,
            currency: self.0,
        }
        .to_string()
    }

    /// `1,234.50`, and `–` for what is not known.
    pub(crate) fn bare(self, minor: Option<f64>) -> String {
        minor.map_or_else(unknown, |minor| {
            let full = self.full(minor.round_ties_even() as i64);
            full.split(' ').next().unwrap_or_default().to_owned()
        })
    }

    /// `1,235`: whole major units, for large sums.
    pub(crate) fn whole(self, minor: i64) -> String {
        let major = (minor as f64 / self.0.minor_per_major() as f64).round() as i64;
        let sign = if major < 0 { "-" } else { "" };
        format!("{sign}{}", count(major.unsigned_abs()))
    }
}

/// An RFC 3339 instant on a clock of the zone: see [`instant`].
pub(crate) fn moment(text: &str, zone: &Zone) -> String {
    match zone.parse_instant(text) {
        None => text.to_owned(),
        Some(at) => instant(at, zone),
    }
}

/// An instant on a clock of the zone; the end of a day is the day.
pub(crate) fn instant(at: Timestamp, zone: &Zone) -> String {
    let date = zone.date_of(at);
    if at == zone.end_of(date) {
        return date.to_string();
    }
    let (hour, minute) = zone.clock_of(at);
    format!("{date} {hour:02}:{minute:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_agree_with_their_number() {
        let phrase = "row{|s} {has|have} no date and {was|were} left out";
        assert_eq!(agreeing(1, phrase), "1 row has no date and was left out");
        assert_eq!(agreeing(0, phrase), "0 rows have no date and were left out");
        assert_eq!(agreeing(1234, "order{|s}"), "1,234 orders");
        assert_eq!(agreeing(2, "of them unchanged"), "2 of them unchanged");
    }

    #[test]
    fn instants_are_shown_as_clocks_of_the_zone_show_them() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let shown = |text| instant(berlin.parse_instant(text).unwrap(), &berlin);
        assert_eq!(shown("2025-03-30T12:00"), "2025-03-30 12:00");
        assert_eq!(shown("2025-10-26T23:30"), "2025-10-26 23:30");
        assert_eq!(shown("2025-10-26"), "2025-10-26");
    }

    #[test]
    fn codes_and_lines_in_data_stay_in_their_cell() {
        let rows = [
            vec!["a\u{1b}[31mb\nc".to_owned()],
            vec![faint("d\u{1b}[2Je")],
        ];
        let shown = table(&[("id", Align::Left)], &rows);
        let bare = anstream::adapter::strip_str(&shown).to_string();
        let lines: Vec<&str> = bare.lines().map(str::trim_end).collect();
        assert_eq!(lines, [" id", " a\\u{1b}[31mb\\nc", " d\\u{1b}[2Je"]);
        assert!(!heading("x\ny").contains("x\ny"));
        assert!(!pairs(&[("na\nme", "v\u{7}".to_owned())]).contains('\u{7}'));
    }

    #[test]
    fn styles_take_no_room_in_a_table() {
        let header = [
            ("name", Align::Left),
            ("mark", Align::Right),
            ("meaning", Align::Left),
        ];
        let rows = |faint: &dyn Fn(&str) -> String, tick: &dyn Fn(bool) -> String| {
            vec![
                vec![faint("left out"), tick(true), faint("short")],
                vec![
                    "a".to_owned(),
                    "12,345".to_owned(),
                    "long and plain".to_owned(),
                ],
                vec![faint("–"), tick(false), "Zürich".to_owned()],
            ]
        };
        let styled = table(&header, &rows(&faint, &tick));
        let bare_tick = |yes: bool| if yes { "✓" } else { "✗" }.to_owned();
        let bare = table(&header, &rows(&str::to_owned, &bare_tick));
        let without = |text: &str| anstream::adapter::strip_str(text).to_string();
        let trimmed = |text: &str| -> Vec<String> {
            without(text)
                .lines()
                .map(|line| line.trim_end().to_owned())
                .collect()
        };
        assert_ne!(styled, without(&styled));
        assert_eq!(trimmed(&styled), trimmed(&bare));
    }
}
