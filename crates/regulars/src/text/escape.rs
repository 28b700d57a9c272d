//! Text from data is shown, not obeyed: what would steer a terminal or begin a line of its own is
//! escaped before it is printed for people. JSON and CSV hold it as it is.

use std::borrow::Cow;

/// A text from data in one line: every control character is escaped (`\n`, `\u{1b}`), and so are
/// those that turn the direction of writing.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().any(steers) {
        Cow::Owned(text.chars().fold(String::new(), escaped))
    } else {
        Cow::Borrowed(text)
    }
}

/// A whole text for people: lines and colours stay, every other control character is escaped.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| steers(c) && c != '\n') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '\n' => 1,
            '\u{1b}' => colour_bytes(rest),
            _ => 0,
        };
        if length > 0 {
            shown.push_str(&rest[..length]);
            rest = &rest[length..];
        } else {
            shown = escaped(shown, next);
            rest = &rest[next.len_utf8()..];
        }
    }
    Cow::Owned(shown)
}

/// Length of the code for a colour or style (`ESC [ 1 ; 31 m`) that a text begins with, 0 if it
/// begins with another one.
fn colour_bytes(text: &str) -> usize {
    let Some(code) = text.strip_prefix("\u{1b}[") else {
        return 0;
    };
    let numbers = code
        .bytes()
        .take_while(|b| b.is_ascii_digit() || *b == b';');
    let numbers = numbers.count();
    match code.as_bytes().get(numbers) {
        Some(b'm') => "\u{1b}[".len() + numbers + 1,
        Some(_) | None => 0,
    }
}

fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(mut shown: String, c: char) -> String {
    if steers(c) {
        shown.extend(c.escape_default());
    } else {
        shown.push(c);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_data_are_one_line_without_codes() {
        assert_eq!(plain("Zoë ✓ 12 €"), "Zoë ✓ 12 €");
        assert_eq!(plain("a\u{1b}[31mb\nc\td"), "a\\u{1b}[31mb\\nc\\td");
        assert_eq!(plain("x\u{9b}2J\u{202e}y"), "x\\u{9b}2J\\u{202e}y");
    }

    #[test]
    fn texts_for_people_keep_lines_and_colours_and_nothing_else() {
        let ours = "\u{1b}[1;31merror:\u{1b}[0m a\nb\n";
        assert_eq!(harmless(ours), ours);
        assert_eq!(
            harmless("\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[1mx"),
            "\\u{1b}]0;title\\u{7}\\u{1b}[2J\u{1b}[1mx"
        );
        assert_eq!(harmless("end\u{1b}"), "end\\u{1b}");
    }
}
