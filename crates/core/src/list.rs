//! Lists of texts: interests, sizes, tags.

use std::borrow::Cow;

/// Stands between elements, and in none of them.
const SEPARATOR: char = '\u{1f}';

/// A list of texts, none of them empty, in one text: its elements with a control character between
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct List<'a>(&'a str);

impl<'a> List<'a> {
    /// The list of a text that [`Self::join`] made; `None` without elements.
    pub fn of(joined: &'a str) -> Option<Self> {
        (!joined.is_empty()).then_some(Self(joined))
    }

    /// The elements, in the order in which they were sent.
    pub fn elements(self) -> impl Iterator<Item = &'a str> {
        self.0.split(SEPARATOR)
    }

    /// Elements as one text; empty ones are left out, and the character that stands between them
    /// becomes U+FFFD within them.
    pub fn join<'t>(elements: impl IntoIterator<Item = Cow<'t, str>>) -> String {
        let mut joined = String::new();
        for element in elements {
            if element.is_empty() {
                continue;
            }
            if !joined.is_empty() {
                joined.push(SEPARATOR);
            }
            joined.extend(element.chars().map(|letter| match letter {
                SEPARATOR => char::REPLACEMENT_CHARACTER,
                letter => letter,
            }));
        }
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_back() {
        let joined = List::join(["a b".into(), "".into(), "c\u{1f}d".into(), "é".into()]);
        let list = List::of(&joined).unwrap();
        assert_eq!(
            list.elements().collect::<Vec<_>>(),
            ["a b", "c\u{fffd}d", "é"]
        );
        assert_eq!(List::of(&List::join([])), None);
    }
}
