//! Personal values that stand a second time where nothing tells that they are personal: the name
//! of `traits` in a greeting, the number in a note.

use std::borrow::Cow;

use memchr::memmem;

use super::look::decoded;
use super::{Personal, REMOVED};
use crate::tracking::json::{Raw, quoted};
use crate::tracking::rewrite::{Container, Judge, Scalar, Step, rewrite};

/// Shorter values are left where they stand: they are in too many words.
const LEAST_BYTES: usize = 4;
/// Values with digits or spaces are looked for from this length on.
const LEAST_MIXED_BYTES: usize = 6;
/// Bare numbers are looked for from this length on: shorter ones are ids and amounts as well.
const LEAST_DIGITS: usize = 9;
/// Ids are looked for from this length on.
const LEAST_ID_BYTES: usize = 8;
/// Values that are looked for in one event.
const MOST_NEEDLES: usize = 100;
/// Under these keys a word is what they say, not someone's name.
const WORDS_OF_THEIR_OWN: &[&str] = &[
    "city", "country", "state", "region", "province", "brand", "category", "variant", "plan",
    "currency", "industry", "gender", "title",
];

/// Values that may stand a second time.
#[derive(Debug)]
pub(in crate::tracking) struct Needles<'p>(Vec<&'p str>);

impl<'p> Needles<'p> {
    /// The values that were taken out.
    pub(in crate::tracking) fn new(personal: &'p [Personal<'_>]) -> Self {
        let mut needles: Vec<&str> = personal
            .iter()
            .map(|personal| personal.value.trim())
            .filter(|value| is_needle(value))
            .collect();
        // The longest first: a full name before the last name in it.
        needles.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        needles.dedup();
        needles.truncate(MOST_NEEDLES);
        Self(needles)
    }

    /// A JSON text without them; `None` when it has none.
    pub(in crate::tracking) fn out_of_json(&self, json: &str) -> Option<String> {
        if self.0.is_empty() || !self.may_be_in(json) {
            return None;
        }
        let mut judge = Echoes { needles: &self.0 };
        match rewrite(json, (), &mut judge, usize::MAX) {
            Ok(Cow::Owned(rest)) => Some(rest),
            Ok(Cow::Borrowed(_)) | Err(_) => None,
        }
    }

    /// A text without them; `None` when it has none.
    pub(in crate::tracking) fn out_of_text(&self, text: &str) -> Option<String> {
        masked(text, &self.0, false)
    }

    /// Whether an id has one of them in it that is more than a word.
    pub(super) fn are_in_id(&self, id: &str) -> bool {
        masked(id, &self.0, true).is_some()
    }

    fn may_be_in(&self, json: &str) -> bool {
        let bytes = json.as_bytes();
        // Behind escapes and percent signs anything may stand.
        memchr::memchr2(b'\\', b'%', bytes).is_some()
            || self.0.iter().any(|needle| {
                needle.len() < bytes.len() && memmem::find(bytes, needle.as_bytes()).is_some()
            })
    }
}

/// Whether an id can be told from words and numbers.
pub(super) fn is_telling(id: &str) -> bool {
    id.len() >= LEAST_ID_BYTES
        && id.bytes().any(|byte| byte.is_ascii_digit())
        && id.chars().any(char::is_alphabetic)
}

fn is_needle(value: &str) -> bool {
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        return value.len() >= LEAST_DIGITS;
    }
    let least = if is_word(value) {
        LEAST_BYTES
    } else {
        LEAST_MIXED_BYTES
    };
    value.len() >= least
}

fn is_word(value: &str) -> bool {
    value.chars().all(char::is_alphabetic)
}

/// A text without the needles, where they stand as whole words; `None` when it has none.
pub(super) fn masked(text: &str, needles: &[&str], words_stay: bool) -> Option<String> {
    let mut rest: Option<String> = None;
    for needle in needles {
        if words_stay && is_word(needle) {
            continue;
        }
        let mut at = 0;
        loop {
            let known = rest.as_deref().unwrap_or(text);
            let Some(start) = known.get(at..).and_then(|text| text.find(needle)) else {
                break;
            };
            let (start, end) = (at + start, at + start + needle.len());
            if is_whole(known, start, end) {
                rest.get_or_insert_with(|| text.to_owned())
                    .replace_range(start..end, REMOVED);
                at = start + REMOVED.len();
            } else {
                at = end;
            }
        }
    }
    rest
}

/// Whether what stands there is no part of a longer word.
fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}

struct Echoes<'n> {
    needles: &'n [&'n str],
}

impl<'t> Judge<'t> for Echoes<'_> {
    type Scope = ();

    fn scalar(&mut self, (): (), path: &[Step<'t>], _: &'t str, value: Raw<'t>) -> Scalar {
        if value.is_number() {
            let known = self.needles.contains(&value.0);
            return if known { Scalar::Cut } else { Scalar::Keep };
        }
        let Some(text) = value.text() else {
            return Scalar::Keep;
        };
        if self.needles.contains(&text.trim()) && !self.stays(path, &text) {
            return Scalar::Cut;
        }
        let words_stay = self.stays(path, &text);
        if let Some(rest) = masked(&text, self.needles, words_stay) {
            return Scalar::Put(quoted(&rest));
        }
        let plain = decoded(&text);
        if plain != *text && masked(&plain, self.needles, words_stay).is_some() {
            return Scalar::Put(quoted(REMOVED));
        }
        Scalar::Keep
    }

    fn container(&mut self, (): (), _: &[Step<'t>], _: &'t str) -> Container<()> {
        Container::Into(())
    }
}

impl Echoes<'_> {
    /// Whether a word stays because its key says what it is.
    fn stays(&self, path: &[Step<'_>], text: &str) -> bool {
        let Some(Step::Key(key)) = path.last() else {
            return false;
        };
        is_word(text.trim())
            && WORDS_OF_THEIR_OWN
                .iter()
                .any(|known| known.eq_ignore_ascii_case(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(json: &str) -> String {
        let personal: Vec<Personal<'_>> = [
            "Lindqvist",
            "Ann Lindqvist",
            "+49 170 1234567",
            "203.0.113.9",
            "Ann",
        ]
        .map(|value| Personal {
            path: String::new(),
            value: value.into(),
        })
        .into();
        Needles::new(&personal)
            .out_of_json(json)
            .unwrap_or_else(|| "same".to_owned())
    }

    #[test]
    fn values_are_found_where_they_stand_again() {
        for (json, expected) in [
            (
                r#"{"a":"Dear Ann Lindqvist!"}"#,
                r#"{"a":"Dear [removed]!"}"#,
            ),
            (r#"{"a":"Lindqvist","b":1}"#, r#"{"b":1}"#),
            (r#"{"city":"Lindqvist"}"#, "same"),
            (r#"{"city":"Lindqvist 5"}"#, r#"{"city":"[removed] 5"}"#),
            (r#"{"a":["203.0.113.9","x"]}"#, r#"{"a":["x"]}"#),
            (r#"{"a":"Lindqvistberg"}"#, "same"),
            (r#"{"a":"L\u0069ndqvist"}"#, "{}"),
            (r#"{"a":"/x/Ann%20Lindqvist"}"#, r#"{"a":"[removed]"}"#),
            (r#"{"a":"/x/Ann+L%69ndqvist"}"#, r#"{"a":"[removed]"}"#),
            (
                r#"{"a":"call +49 170 1234567"}"#,
                r#"{"a":"call [removed]"}"#,
            ),
            (r#"{"a":"Annual plan for Ann"}"#, "same"),
        ] {
            assert_eq!(rest(json), expected, "{json}");
        }
    }
}
