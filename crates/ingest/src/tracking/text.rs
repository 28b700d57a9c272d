//! From bytes to JSON text. What real clients get wrong in a few characters is mended, so that
//! one bad emoji does not cost a batch.

use std::borrow::Cow;
use std::fmt::Write as _;

use memchr::memchr;

const BOM: &[u8] = b"\xEF\xBB\xBF";
/// What stands for a character that is none: as long as the escape that it replaces.
const REPLACEMENT: &str = "\\ufffd";

/// The text of a body: without byte order mark and the zeros that C programs leave behind it;
/// bytes that are no UTF-8 and halves of surrogate pairs are U+FFFD.
pub(super) fn text(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(BOM).unwrap_or(body);
    let end = body.iter().rposition(|&byte| byte != 0);
    let body = &body[..end.map_or(0, |end| end + 1)];
    let text = std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::from);
    match with_whole_pairs(&text) {
        Some(mended) => Cow::Owned(mended),
        None => text,
    }
}

/// With U+FFFD for each half of a surrogate pair that stands alone; `None` when there is none.
fn with_whole_pairs(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut mended: Option<String> = None;
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr(b'\\', rest)) {
        at += found;
        let Some(unit) = unit(bytes, at) else {
            // The escaped character is skipped with its backslash.
            at += 2;
            continue;
        };
        let high = (0xD800..0xDC00).contains(&unit);
        let paired =
            high && self::unit(bytes, at + 6).is_some_and(|next| (0xDC00..0xE000).contains(&next));
        if paired {
            at += 12;
            continue;
        }
        if (0xD800..0xE000).contains(&unit) {
            let mended = mended.get_or_insert_with(|| text.to_owned());
            mended.replace_range(at..at + 6, REPLACEMENT);
        }
        at += 6;
    }
    mended
}

/// The code unit of an escape such as `\u00e9` at `at`.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let escape = bytes.get(at..at + 6)?;
    let digits = escape.strip_prefix(b"\\u")?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let digits = std::str::from_utf8(digits).ok()?;
    u32::from_str_radix(digits, 16).ok()
}

/// With the control characters in strings escaped, which JSON does not allow bare; `None` when
/// there are none.
pub(super) fn with_escaped_controls(text: &str) -> Option<String> {
    let mut mended = String::with_capacity(text.len() + 64);
    let (mut in_string, mut after_backslash, mut any) = (false, false, false);
    for character in text.chars() {
        if in_string && u32::from(character) < 0x20 {
            any = true;
            // After a backslash the character itself cannot be escaped: the backslash is.
            let before = if after_backslash { "\\" } else { "" };
            let _ = write!(mended, "{before}\\u{:04x}", u32::from(character));
            after_backslash = false;
            continue;
        }
        match character {
            _ if after_backslash => after_backslash = false,
            '\\' => after_backslash = in_string,
            '"' => in_string = !in_string,
            _ => {}
        }
        mended.push(character);
    }
    any.then_some(mended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_surrogate_pairs_are_replaced() {
        for (sent, meant) in [
            (r#"{"a":"\ud800"}"#, r#"{"a":"\ufffd"}"#),
            (r#"{"a":"x\uDC00y"}"#, r#"{"a":"x\ufffdy"}"#),
            (r#"{"a":"\ud83d\ude00"}"#, r#"{"a":"\ud83d\ude00"}"#),
            (
                r#"{"a":"\ud83d\ud83d\ude00"}"#,
                r#"{"a":"\ufffd\ud83d\ude00"}"#,
            ),
            (r#"{"a":"\\ud800"}"#, r#"{"a":"\\ud800"}"#),
            (r#"{"a":"\u00e9"}"#, r#"{"a":"\u00e9"}"#),
            (r#"{"a":"\ud8"}"#, r#"{"a":"\ud8"}"#),
        ] {
            assert_eq!(text(sent.as_bytes()), meant, "{sent}");
        }
    }

    #[test]
    fn marks_zeros_and_broken_bytes_do_not_matter() {
        assert_eq!(text(b"\xEF\xBB\xBF{}\0\0"), "{}");
        assert_eq!(text(b"{\"a\":\"\xFF\"}"), "{\"a\":\"\u{FFFD}\"}");
        assert_eq!(text(b"\0"), "");
        assert_eq!(text(b""), "");
    }

    #[test]
    fn bare_control_characters_in_strings_are_escaped() {
        let escaped = |text| with_escaped_controls(text);
        assert_eq!(
            escaped("{\n\"a\":\"x\0y\nz\\\"\t\"}").as_deref(),
            Some("{\n\"a\":\"x\\u0000y\\u000az\\\"\\u0009\"}")
        );
        assert_eq!(escaped("{\n\"a\": \"b\\n\"}"), None);
    }
}
