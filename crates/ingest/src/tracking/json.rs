//! A cursor over JSON that was checked before: it finds keys and values where they stand and
//! copies nothing. It never fails and never leaves the text; of text that is no JSON it makes
//! values that mean nothing.

use std::borrow::Cow;

use memchr::memchr2;

/// Bytes of a short string.
const SHORT: usize = 24;

/// A value as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Raw<'t>(pub(super) &'t str);

impl<'t> Raw<'t> {
    pub(super) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    pub(super) fn is_array(self) -> bool {
        self.0.starts_with('[')
    }

    pub(super) fn is_null(self) -> bool {
        self.0 == "null"
    }

    pub(super) fn is_flag(self) -> bool {
        matches!(self.0, "true" | "false")
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self.0.as_bytes().first(), Some(b'-' | b'0'..=b'9'))
    }

    /// The text of a string.
    pub(super) fn text(self) -> Option<Cow<'t, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        Some(unescaped(inner))
    }

    /// The text of a string, or a number as it was written.
    pub(super) fn text_or_number(self) -> Option<Cow<'t, str>> {
        if self.is_number() {
            return Some(Cow::Borrowed(self.0));
        }
        self.text()
    }

    /// Keys and values of an object; nothing of anything else.
    pub(super) fn members(self) -> Members<'t> {
        Members(Items::of(self.0, b'{'))
    }

    /// Elements of a list; nothing of anything else.
    pub(super) fn elements(self) -> Elements<'t> {
        Elements(Items::of(self.0, b'['))
    }

    /// The last value of `key` in an object.
    pub(super) fn get(self, key: &str) -> Option<Self> {
        let found = self.members().filter(|(known, _)| known == key);
        found.last().map(|(_, value)| value)
    }
}

/// What stands between the quotes of a string, without escapes.
pub(super) fn unescaped(inner: &str) -> Cow<'_, str> {
    if !inner.as_bytes().contains(&b'\\') {
        return Cow::Borrowed(inner);
    }
    let read = serde_json::from_str(&format!("\"{inner}\""));
    // A checked text without halves of pairs can always be read.
    Cow::Owned(read.unwrap_or_default())
}

/// A text as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Where in a text the reading stands.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    pub(super) at: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// What stands from `from` to the cursor.
    pub(super) fn since(&self, from: usize) -> &'t str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// The text from `from` on.
    pub(super) fn from(&self, from: usize) -> &'t str {
        self.text.get(from..).unwrap_or_default()
    }

    /// The next byte that is no space; 0 at the end.
    pub(super) fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return *byte;
            }
            self.at += 1;
        }
        0
    }

    /// Takes the next byte that is no space, if it is `byte`.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = byte != 0 && self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    /// Takes a key and its colon: what stands between its quotes.
    pub(super) fn key(&mut self) -> Option<&'t str> {
        if self.peek() != b'"' {
            return None;
        }
        let start = self.at + 1;
        self.at = self.end_of_string(self.at);
        let key = self.text.get(start..self.at.saturating_sub(1))?;
        self.take(b':').then_some(key)
    }

    /// Takes a value of any kind.
    pub(super) fn value(&mut self) -> Raw<'t> {
        let first = self.peek();
        let start = self.at;
        self.at = match first {
            b'"' => self.end_of_string(start),
            b'{' | b'[' => self.end_of_container(start),
            _ => self.end_of_word(start),
        };
        Raw(self.since(start))
    }

    fn end_of_string(&self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        // Most strings are short: a look at each byte is cheaper there than a search.
        let short = (at + SHORT).min(bytes.len());
        while at < short {
            match bytes[at] {
                b'"' => return at + 1,
                b'\\' => break,
                _ => at += 1,
            }
        }
        while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
            at += found;
            if bytes[at] == b'"' {
                return at + 1;
            }
            at += 2;
        }
        bytes.len()
    }

    fn end_of_word(&self, start: usize) -> usize {
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let end = rest.iter().position(|byte| {
            matches!(
                byte,
                b',' | b'}' | b']' | b':' | b'{' | b'[' | b'"' | b' ' | b'\n' | b'\r' | b'\t'
            )
        });
        end.map_or(self.text.len(), |end| start + end)
    }

    fn end_of_container(&self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let (mut at, mut depth) = (start, 0_usize);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => {
                    at = self.end_of_string(at);
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        bytes.len()
    }
}

/// What stands in a container, one by one.
#[derive(Debug, Clone)]
struct Items<'t> {
    cursor: Cursor<'t>,
    open: bool,
}

impl<'t> Items<'t> {
    fn of(text: &'t str, opening: u8) -> Self {
        let mut cursor = Cursor::new(text);
        let open = cursor.take(opening);
        Self { cursor, open }
    }

    /// Goes to the next item; false at the end.
    fn next(&mut self) -> bool {
        if self.open {
            self.cursor.take(b',');
            self.open = !matches!(self.cursor.peek(), b'}' | b']' | 0);
        }
        self.open
    }
}

/// Keys and values of an object.
#[derive(Debug, Clone)]
pub(super) struct Members<'t>(Items<'t>);

impl<'t> Iterator for Members<'t> {
    type Item = (Cow<'t, str>, Raw<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        if !self.0.next() {
            return None;
        }
        let key = self.0.cursor.key()?;
        Some((unescaped(key), self.0.cursor.value()))
    }
}

/// Elements of a list.
#[derive(Debug, Clone)]
pub(super) struct Elements<'t>(Items<'t>);

impl<'t> Iterator for Elements<'t> {
    type Item = Raw<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.0.next() {
            return None;
        }
        let before = self.0.cursor.at;
        let value = self.0.cursor.value();
        (self.0.cursor.at > before).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_where_they_stand() {
        let text = r#"{ "a" : 1.50, "b\"":{"c":[1,"]"]} ,"d":"x\\","a":null}"#;
        let members: Vec<_> = Raw(text).members().collect();
        let expected = [
            ("a", "1.50"),
            ("b\"", r#"{"c":[1,"]"]}"#),
            ("d", r#""x\\""#),
            ("a", "null"),
        ];
        assert_eq!(
            members,
            expected.map(|(key, value)| (Cow::from(key), Raw(value)))
        );
        assert_eq!(Raw(text).get("a"), Some(Raw("null")));
        assert_eq!(Raw("[1]").members().count(), 0);
    }

    #[test]
    fn elements_stand_where_they_stand() {
        let elements: Vec<_> = Raw(r#"[ 1 , "a,b", [2,3],{} ]"#).elements().collect();
        assert_eq!(
            elements,
            [Raw("1"), Raw(r#""a,b""#), Raw("[2,3]"), Raw("{}")]
        );
        assert_eq!(Raw("[]").elements().count(), 0);
    }

    #[test]
    fn deep_text_costs_no_stack() {
        let deep = format!("{}1{}", "[".repeat(400_000), "]".repeat(400_000));
        assert_eq!(Cursor::new(&deep).value(), Raw(&deep));
    }

    proptest::proptest! {
        #[test]
        fn no_text_leads_out_of_it(text in r#"[\[\]{}",:\\a1 ü]{0,40}"#) {
            let _ = Cursor::new(&text).value();
            proptest::prop_assert!(Raw(&text).members().count() <= text.len());
            proptest::prop_assert!(Raw(&text).elements().count() <= text.len());
        }
    }
}
