//! What looks personal by itself: e-mail addresses anywhere, and parameters of query strings.

use std::ops::Range;

use memchr::{memchr, memchr3};

use super::{REMOVED, words};
use crate::tracking::json::unescaped;

/// Bytes of a short text.
const SHORT: usize = 24;
/// Addresses within addresses within query strings: how far they are followed.
const MOST_DEPTH: usize = 4;

/// Whether what stands between the quotes of a string can hold anything of the kind.
pub(super) fn may_hold_personal(inner: &str) -> bool {
    let bytes = inner.as_bytes();
    if bytes.len() < SHORT {
        return bytes
            .iter()
            .any(|byte| matches!(byte, b'@' | b'%' | b'=' | b'\\'));
    }
    memchr3(b'@', b'%', b'=', bytes).is_some() || memchr(b'\\', bytes).is_some()
}

/// Whether a text is an e-mail address, or one with a person's name before it.
pub(super) fn is_address(text: &str) -> bool {
    let found = addresses(text);
    let with_name = text.ends_with('>') && text.contains('<');
    found
        .first()
        .is_some_and(|first| with_name || *first == (0..text.len()))
}

/// Whether a key is an e-mail address.
pub(super) fn is_address_key(key: &str) -> bool {
    key.bytes().any(|byte| matches!(byte, b'@' | b'%' | b'\\'))
        && !addresses(&unescaped(key)).is_empty()
}

/// Whether a text has an e-mail address in it.
pub(super) fn holds_address(text: &str) -> bool {
    !addresses(text).is_empty()
}

/// Whether a text is a telephone number with the code of its country: `+49 (170) 123-4567`. Without
/// one nobody can tell it from other numbers.
pub(super) fn is_telephone_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    text.trim().starts_with('+') && is_written_as_number(text) && (7..=15).contains(&digits)
}

/// Whether a text has nothing in it that telephone numbers have not.
pub(super) fn is_written_as_number(text: &str) -> bool {
    let is_of_number = |it: char| it.is_ascii_digit() || " +-./()".contains(it);
    text.chars().all(is_of_number)
}

/// A text without e-mail addresses; `None` when it has none.
pub(in crate::tracking) fn without_addresses(
    text: &str,
    found: &mut Vec<String>,
) -> Option<String> {
    let addresses = addresses(text);
    let mut rest = String::with_capacity(text.len());
    let mut copied = 0;
    for address in &addresses {
        rest.push_str(&text[copied..address.start]);
        rest.push_str(REMOVED);
        found.push(decoded(&text[address.clone()]));
        copied = address.end;
    }
    rest.push_str(&text[copied..]);
    (!addresses.is_empty()).then_some(rest)
}

/// A text without e-mail addresses and without personal parameters of a query string, which go
/// to `found`; `None` when it has neither.
pub(super) fn without_personal(text: &str, found: &mut Vec<String>) -> Option<String> {
    without_personal_within(text, found, 0)
}

fn without_personal_within(text: &str, found: &mut Vec<String>, depth: usize) -> Option<String> {
    let rest = without_parameters(text, found, depth);
    let without = without_addresses(rest.as_deref().unwrap_or(text), found);
    without.or(rest)
}

/// Where e-mail addresses stand; `@` may be percent-encoded, once or twice.
fn addresses(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let sign = if bytes[at] == b'@' {
            1
        } else if bytes[at] == b'%' {
            let escape = bytes.get(at + 1..).unwrap_or_default();
            match escape {
                [b'4', b'0', ..] => 3,
                [b'2', b'5', b'4', b'0', ..] => 5,
                _ => 0,
            }
        } else {
            let next = memchr::memchr2(b'@', b'%', &bytes[at..]);
            at += next.unwrap_or(bytes.len() - at);
            continue;
        };
        if sign == 0 {
            at += 1;
            continue;
        }
        let free = found.last().map_or(0, |last| last.end);
        let end = domain_end(bytes, at + sign);
        let start = if end > at + sign {
            local_start(bytes, free, at, sign > 1)
        } else {
            at
        };
        if start < at {
            found.push(start..end);
            at = end;
        } else {
            at += sign;
        }
    }
    found
}

/// Where the part before the sign begins.
fn local_start(bytes: &[u8], free: usize, sign: usize, encoded: bool) -> usize {
    let mut start = sign;
    while start > free {
        let byte = bytes[start - 1];
        let local = byte.is_ascii_alphanumeric()
            || byte >= 0x80
            || matches!(
                byte,
                b'.' | b'_' | b'-' | b'+' | b'\'' | b'!' | b'#' | b'$' | b'*' | b'~'
            )
            || (encoded && byte == b'%');
        if !local {
            break;
        }
        start -= 1;
    }
    start
}

/// Where the domain ends; `from` when there is none.
fn domain_end(bytes: &[u8], from: usize) -> usize {
    let mut end = from;
    while bytes.get(end).is_some_and(|byte| {
        byte.is_ascii_alphanumeric() || *byte >= 0x80 || matches!(byte, b'.' | b'-')
    }) {
        end += 1;
    }
    while end > from && matches!(bytes[end - 1], b'.' | b'-') {
        end -= 1;
    }
    let domain = &bytes[from..end];
    let Some(dot) = memchr::memrchr(b'.', domain) else {
        return from;
    };
    let top = &domain[dot + 1..];
    let real = dot > 0 && top.len() >= 2 && top.iter().any(|byte| !byte.is_ascii_digit());
    if real { end } else { from }
}

/// A text without the personal parameters of a query string; `None` when it has none.
fn without_parameters(text: &str, found: &mut Vec<String>, depth: usize) -> Option<String> {
    if depth >= MOST_DEPTH || memchr(b'=', text.as_bytes()).is_none() {
        return None;
    }
    let mut rest = String::with_capacity(text.len());
    // The separator that the next piece to stay gets, when what stood behind it went.
    let mut pending: Option<&str> = None;
    let mut any = false;
    for (separator, piece) in pieces(text) {
        if is_personal_parameter(piece, found, depth) {
            any = true;
            if separator != "&" && separator != ";" {
                pending = Some(separator);
            }
            continue;
        }
        let joined = matches!(separator, "&" | ";");
        rest.push_str(pending.take().filter(|_| joined).unwrap_or(separator));
        rest.push_str(piece);
    }
    any.then_some(rest)
}

/// What stands between `?`, `&`, `;` and `#`, each with the separator before it.
fn pieces(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = Some(("", text));
    std::iter::from_fn(move || {
        let (separator, from) = rest?;
        let end = from.find(['?', '&', ';', '#']);
        rest = end.map(|end| (&from[end..=end], &from[end + 1..]));
        Some((separator, &from[..end.unwrap_or(from.len())]))
    })
}

fn is_personal_parameter(piece: &str, found: &mut Vec<String>, depth: usize) -> bool {
    let Some((key, value)) = piece.split_once('=') else {
        return false;
    };
    if value.is_empty() {
        return false;
    }
    let value = decoded(value);
    if words::is_parameter(&decoded(key)) {
        found.push(value);
        return true;
    }
    let before = found.len();
    let within = without_personal_within(&value, found, depth + 1).is_some();
    debug_assert!(within || found.len() == before);
    within
}

/// A text without percent encoding; `+` is a space.
pub(super) fn decoded(text: &str) -> String {
    if memchr::memchr2(b'%', b'+', text.as_bytes()).is_none() {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => match escaped_byte(after) {
                Some(byte) => {
                    rest = &after[2..];
                    byte
                }
                None => b'%',
            },
            other => *other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn escaped_byte(digits: &[u8]) -> Option<u8> {
    let digits = digits
        .get(..2)
        .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(text: &str) -> String {
        without_personal(text, &mut Vec::new()).unwrap_or_else(|| "same".to_owned())
    }

    #[test]
    fn addresses_are_found_wherever_they_stand() {
        for text in [
            "ann@example.com",
            "Ann+x.y@mail.example.co",
            "ü@exämple.de",
            "Ann <a@b.cd>",
        ] {
            assert!(is_address(text), "{text}");
        }
        for text in [
            "",
            "@segment/analytics",
            "a@b",
            "2 @ 5.00",
            "ann@",
            "M@12.50",
            "ann@localhost",
        ] {
            assert!(addresses(text).is_empty(), "{text}");
        }
        assert_eq!(rest("call ann@example.com."), "call [removed].");
        assert_eq!(
            rest("https://x.example/u/ann%40example.com/z"),
            "https://x.example/u/[removed]/z"
        );
        assert_eq!(rest("a@b.example,c@d.example"), "[removed],[removed]");
    }

    #[test]
    fn personal_parameters_go_and_the_rest_of_the_address_stays() {
        for (url, expected) in [
            ("https://x/?email=a%40b.cd&size=m", "https://x/?size=m"),
            ("https://x/?size=m&first_name=Ann", "https://x/?size=m"),
            ("https://x/?size=m&phone=123#top", "https://x/?size=m#top"),
            ("?email=a@b.cd", ""),
            ("email=a@b.cd&x=1", "x=1"),
            ("https://x/#email=a@b.cd&y=2", "https://x/#y=2"),
            (
                "https://x/?to=https%3A%2F%2Fy%3Femail%3Da%2540b.cd&z=1",
                "https://x/?z=1",
            ),
            ("https://x/?size=m&utm_source=a", "same"),
            ("a=b", "same"),
            ("https://x/?email=", "same"),
        ] {
            assert_eq!(rest(url), expected, "{url}");
        }
        let mut found = Vec::new();
        without_personal("?name=Ann+Smith&q=shoes&email=a%40b.cd", &mut found);
        assert_eq!(found, ["Ann Smith", "a@b.cd"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in r"[?&=%@.;#a-z0-9+ü]{0,40}") {
            let _ = without_personal(&text, &mut Vec::new());
            let _ = decoded(&text);
        }
    }
}
