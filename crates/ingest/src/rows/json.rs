//! NDJSON: one JSON object on each line. Objects within are flattened (`customer.email`).
//!
//! The columns are the keys of all rows, so they are learned over the whole file. An object whose
//! keys are ids (`{"items":{"sku7":1}}`) has no columns of its own: it stays as one text.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use foldhash::fast::FixedState;
use memchr::memchr_iter;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::text::Found;
use crate::RejectReason;

/// Objects within objects are flattened to this depth; deeper ones stay as text.
const MAX_DEPTH: usize = 4;
/// An object with more different members over all rows has ids for keys: it stays as text.
const MAX_MEMBERS: usize = 200;
/// Cells that are held at once: rows that have few of many keys are taken in smaller batches.
const MAX_CELLS: usize = 4_000_000;

type Names = HashMap<String, usize, FixedState>;
type NameSet = HashSet<String, FixedState>;

/// Keys of the objects, in order of first appearance: the columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct JsonKeys {
    names: Vec<String>,
    indices: Names,
    /// Objects that have columns of their own.
    flattened: NameSet,
}

impl JsonKeys {
    pub(crate) fn new(names: Vec<String>) -> Self {
        let mut keys = Self::default();
        for name in names {
            for (dot, _) in name.match_indices('.') {
                keys.flattened.insert(name[..dot].to_owned());
            }
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

    /// Takes the columns of an object together into one.
    fn fold(&mut self, object: &str) {
        let below = format!("{object}.");
        let names = std::mem::take(&mut self.names);
        self.indices.clear();
        for name in names {
            if !name.starts_with(&below) {
                self.add(&name);
            }
        }
        self.add(object);
    }
}

/// Learns the keys of a file, line by line.
#[derive(Debug, Default)]
pub(crate) struct JsonLearner {
    keys: JsonKeys,
    /// Objects that were met, and how many different members each has.
    objects: Names,
    /// Objects whose members are ids.
    whole: NameSet,
}

impl JsonLearner {
    /// Columns so far, in order of first appearance.
    pub(crate) fn names(&self) -> &[String] {
        &self.keys.names
    }

    /// True for a column that is an object with ids for keys: no field is read from it.
    pub(crate) fn is_whole(&self, name: &str) -> bool {
        self.whole.contains(name)
    }

    /// Adds the keys of one line; false when it is no object.
    pub(crate) fn learn(&mut self, line: &[u8]) -> bool {
        visit(line, &mut |object, name, shape, _| {
            if self.whole.contains(object) {
                return Next::Past;
            }
            if shape == Shape::Text {
                if !self.keys.indices.contains_key(name) && self.admit(object) {
                    self.keys.add(name);
                }
                return Next::Past;
            }
            if self.whole.contains(name) {
                return Next::Past;
            }
            if !self.objects.contains_key(name) {
                if !self.admit(object) {
                    return Next::Past;
                }
                self.objects.insert(name.to_owned(), 0);
            }
            Next::Into
        })
    }

    /// Counts a new member of an object; false when it has too many to be columns.
    fn admit(&mut self, object: &str) -> bool {
        let Some(members) = self.objects.get_mut(object) else {
            return true;
        };
        *members += 1;
        if *members <= MAX_MEMBERS {
            return true;
        }
        self.keys.fold(object);
        self.whole.insert(object.to_owned());
        false
    }
}

/// Splits lines of NDJSON into cells, by key.
#[derive(Debug, Clone)]
pub(crate) struct JsonLines {
    keys: JsonKeys,
    /// Each object stays whole, as the text of the only column.
    is_whole: bool,
}

impl JsonLines {
    pub(crate) fn new(keys: JsonKeys) -> Self {
        Self {
            keys,
            is_whole: false,
        }
    }

    /// Objects that are not split.
    pub(crate) fn whole() -> Self {
        Self {
            keys: JsonKeys::default(),
            is_whole: true,
        }
    }

    pub(super) fn width(&self) -> usize {
        match self.is_whole {
            true => 1,
            false => self.keys.names.len(),
        }
    }

    pub(super) fn split(&self, block: &[u8], max_rows: usize) -> Found {
        let mut found = Found::default();
        let mut text = String::with_capacity(block.len());
        let width = self.width();
        let max_rows = max_rows.min(MAX_CELLS / width.max(1)).max(1);
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

    fn read(&self, line: &[u8], text: &mut String, cells: &mut [(u32, u32)]) -> bool {
        if self.is_whole {
            let is_object = line.starts_with(b"{");
            let Some(whole) = std::str::from_utf8(line).ok().filter(|_| is_object) else {
                return false;
            };
            cells[0] = (text.len() as u32, (text.len() + whole.len()) as u32);
            text.push_str(whole);
            return true;
        }
        let keys = &self.keys;
        visit(line, &mut |_, name, shape, value| {
            if shape == Shape::Object && keys.flattened.contains(name) {
                return Next::Into;
            }
            if let Some(&column) = keys.indices.get(name) {
                let start = text.len() as u32;
                write_value(value, text);
                cells[column] = (start, text.len() as u32);
            }
            Next::Past
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

/// What to do with a member of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Its members come next, when it is an object that may be flattened.
    Into,
    /// The member after it.
    Past,
}

/// Called with the object that a member is in (empty for the row itself), its whole name, what it
/// is and its value.
type Take<'t> = dyn FnMut(&str, &str, Shape, &RawValue) -> Next + 't;

/// What a member is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// An object that may be flattened.
    Object,
    /// Anything else: a scalar, a list, or an object that lies too deep.
    Text,
}

/// Calls `take` with each member of the object on `line`; false when it is no object.
fn visit(line: &[u8], take: &mut Take<'_>) -> bool {
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    let members = Members {
        prefix: "",
        depth: 0,
        take,
    };
    deserializer.deserialize_map(members).is_ok() && deserializer.end().is_ok()
}

struct Members<'m, 't> {
    prefix: &'m str,
    depth: usize,
    take: &'m mut Take<'t>,
}

impl<'de> Visitor<'de> for Members<'_, '_> {
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
            let shape = match value.get().starts_with('{') && self.depth < MAX_DEPTH {
                true => Shape::Object,
                false => Shape::Text,
            };
            let next = (self.take)(self.prefix, &name, shape, value);
            if next == Next::Into && shape == Shape::Object {
                let inner = Members {
                    prefix: &name,
                    depth: self.depth + 1,
                    take: &mut *self.take,
                };
                let mut deserializer = serde_json::Deserializer::from_str(value.get());
                deserializer
                    .deserialize_map(inner)
                    .map_err(serde::de::Error::custom)?;
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
        let mut learner = JsonLearner::default();
        for line in block.split(|&byte| byte == b'\n') {
            learner.learn(line);
        }
        assert_eq!(
            learner.names(),
            ["id", "customer.email", "customer.name", "total", "tags"]
        );
        let lines = JsonLines::new(JsonKeys::new(learner.names().to_vec()));
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

    #[test]
    fn an_object_with_ids_for_keys_is_one_column() {
        let mut learner = JsonLearner::default();
        for sku in 0..5_000 {
            let line =
                format!(r#"{{"id":{sku},"items":{{"sku{sku}":{{"qty":1}}}},"a":{{"b":2}}}}"#);
            assert!(learner.learn(line.as_bytes()));
        }
        assert_eq!(learner.names(), ["id", "a.b", "items"]);
        let lines = JsonLines::new(JsonKeys::new(learner.names().to_vec()));
        let found = lines.split(b"{\"items\":{\"sku7\":1},\"a\":{\"b\":3}}\n", 10);
        let (text, cells) = (found.own_text.unwrap(), found.bounds);
        let cell = |at: usize| &text[cells[at].0 as usize..cells[at].1 as usize];
        assert_eq!([cell(0), cell(1), cell(2)], ["", "3", "{\"sku7\":1}"]);
    }
}
