//! NDJSON: one JSON object on each line. Objects within are flattened (`customer.email`).

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

use foldhash::fast::FixedState;
use memchr::memchr_iter;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::text::Found;
use crate::RejectReason;

/// Objects within objects are flattened to this depth; deeper ones stay as text.
const MAX_DEPTH: usize = 4;
/// Names of keys that are kept for the note on keys that came late.
const MAX_LATE_KEYS: usize = 20;

/// Keys of the objects, in order of first appearance: the columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct JsonKeys {
    names: Vec<String>,
    indices: HashMap<String, usize, FixedState>,
}

impl JsonKeys {
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn new(names: Vec<String>) -> Self {
        let mut keys = Self::default();
        for name in names {
            keys.add(&name);
        }
        keys
    }

    fn add(&mut self, name: &str) {
        if !self.indices.contains_key(name) {
            self.indices.insert(name.to_owned(), self.names.len());
            self.names.push(name.to_owned());
        }
    }

    /// Adds the keys of one line; false when it is no object.
    pub(crate) fn learn(&mut self, line: &[u8]) -> bool {
        visit(line, &mut |key, _| self.add(key))
    }
}

/// Splits lines of NDJSON into cells, by key.
#[derive(Debug, Clone)]
pub(crate) struct JsonLines {
    keys: JsonKeys,
    /// Keys that no row of the sample had: not read.
    late: BTreeSet<String>,
}

impl JsonLines {
    pub(crate) fn new(keys: JsonKeys) -> Self {
        Self {
            keys,
            late: BTreeSet::new(),
        }
    }

    pub(super) fn width(&self) -> usize {
        self.keys.names.len()
    }

    pub(super) fn split(&mut self, block: &[u8], max_rows: usize) -> Found {
        let mut found = Found::default();
        let mut text = String::with_capacity(block.len());
        let width = self.width();
        for end in memchr_iter(b'\n', block) {
            if found.lines.len() + found.rejected.len() >= max_rows {
                break;
            }
            let line = block[found.consumed..end].trim_ascii();
            let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
            if line.is_empty() {
                found.skipped.blank_rows += 1;
            } else {
                let first_cell = found.bounds.len();
                found.bounds.resize(first_cell + width, (0, 0));
                let cells = &mut found.bounds[first_cell..];
                if self.read(line, &mut text, cells) {
                    found.lines.push(found.line_breaks);
                } else {
                    found.bounds.truncate(first_cell);
                    found
                        .rejected
                        .push((found.line_breaks, RejectReason::NotJson));
                }
            }
            found.consumed = end + 1;
            found.line_breaks += 1;
        }
        found.own_text = Some(text);
        found
    }

    fn read(&mut self, line: &[u8], text: &mut String, cells: &mut [(u32, u32)]) -> bool {
        let Self { keys, late } = self;
        visit(line, &mut |key, value| match keys.indices.get(key) {
            Some(&column) => {
                let start = text.len() as u32;
                write_value(value, text);
                cells[column] = (start, text.len() as u32);
            }
            None if late.len() < MAX_LATE_KEYS => {
                late.insert(key.to_owned());
            }
            None => {}
        })
    }
}

/// Writes the text of a scalar; strings without their quotes and escapes, `null` as nothing.
fn write_value(value: &RawValue, text: &mut String) {
    let raw = value.get();
    match raw.as_bytes() {
        b"null" => {}
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => {
            text.push_str(&raw[1..raw.len() - 1]);
        }
        [b'"', ..] => {
            if let Ok(unescaped) = serde_json::from_str::<Cow<'_, str>>(raw) {
                text.push_str(&unescaped);
            }
        }
        _ => text.push_str(raw),
    }
}

/// Calls `take` with each key and value of the object on `line`; false when it is no object.
fn visit(line: &[u8], take: &mut dyn FnMut(&str, &RawValue)) -> bool {
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    let members = Members {
        prefix: "",
        depth: 0,
        take,
    };
    deserializer.deserialize_map(members).is_ok() && deserializer.end().is_ok()
}

struct Members<'t> {
    prefix: &'t str,
    depth: usize,
    take: &'t mut dyn FnMut(&str, &RawValue),
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some((key, value)) = members.next_entry::<Key<'de>, &'de RawValue>()? {
            let name = match self.prefix {
                "" => key.0,
                prefix => Cow::Owned(format!("{prefix}.{}", key.0)),
            };
            if value.get().starts_with('{') && self.depth < MAX_DEPTH {
                let inner = Members {
                    prefix: &name,
                    depth: self.depth + 1,
                    take: &mut *self.take,
                };
                let mut deserializer = serde_json::Deserializer::from_str(value.get());
                deserializer
                    .deserialize_map(inner)
                    .map_err(serde::de::Error::custom)?;
            } else {
                (self.take)(&name, value);
            }
        }
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_become_cells() {
        let block = br#"{"id":1,"customer":{"email":"a@b.c","name":null}}
{"id":"\u00e9\"2","total":12.50,"tags":["x","y"]}
[1,2]
{"id":3} {"id":4}
"#;
        let mut keys = JsonKeys::default();
        for line in block.split(|&byte| byte == b'\n') {
            keys.learn(line);
        }
        assert_eq!(
            keys.names(),
            ["id", "customer.email", "customer.name", "total", "tags"]
        );
        let mut lines = JsonLines::new(keys);
        let found = lines.split(block, 100);
        let text = found.own_text.unwrap();
        let cells: Vec<&str> = found
            .bounds
            .iter()
            .map(|&(s, e)| &text[s as usize..e as usize])
            .collect();
        assert_eq!(cells[..5], ["1", "a@b.c", "", "", ""]);
        assert_eq!(cells[5..10], ["é\"2", "", "", "12.50", "[\"x\",\"y\"]"]);
        assert_eq!(
            found.rejected,
            [(2, RejectReason::NotJson), (3, RejectReason::NotJson)]
        );
    }
}
