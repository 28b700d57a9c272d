//! The scalar properties of an event and its lists of scalars, by dotted path.

use std::borrow::Cow;

use regulars_core::{List, Properties, PropertyValue};
use serde_json::value::RawValue;

use super::Limits;
use super::json::Raw;

/// The scalars of a JSON object, and its lists of texts and numbers, by dotted path, in the order in
/// which they stand. Other elements of lists, null and numbers beyond the range of floats are not
/// among them, nor is what lies deeper or comes later than `limits` allow.
pub fn flatten<'t>(json: &'t str, limits: &Limits) -> Properties<'t> {
    let mut properties = Properties::default();
    let mut flattening = Flattening {
        out: &mut properties.0,
        most: limits.properties,
        most_depth: limits.property_depth,
    };
    flattening.object("", Raw(json), 1);
    properties
}

/// As [`flatten`], of the scalars at `paths` only: nothing else is read or copied.
pub fn flatten_at<'t>(json: &'t str, limits: &Limits, paths: &[Box<str>]) -> Properties<'t> {
    let mut properties = Properties::default();
    if paths.is_empty() {
        return properties;
    }
    let mut picking = Picking {
        out: &mut properties.0,
        paths,
        left: limits.properties,
        most_depth: limits.property_depth,
    };
    if picking.object("", Raw(json), 1) {
        return properties;
    }
    // Whether a scalar comes too late is only known when all before it are counted.
    let mut all = flatten(json, limits);
    all.0
        .retain(|(path, _)| paths.iter().any(|asked| **asked == **path));
    all
}

/// Bytes that a member of an object takes at least: `"":1`.
const SHORTEST_MEMBER: usize = 4;

struct Picking<'t, 'o> {
    out: &'o mut Vec<(Cow<'t, str>, PropertyValue<'t>)>,
    paths: &'o [Box<str>],
    /// How many scalars may come at least before one is too late.
    left: usize,
    most_depth: usize,
}

impl<'t> Picking<'t, '_> {
    /// False when a scalar may come too late.
    fn object(&mut self, above: &str, object: Raw<'t>, depth: usize) -> bool {
        for (key, value) in object.members() {
            let path = below(above, key);
            if value.is_object() && depth < self.most_depth {
                let is_above = |asked: &str| {
                    let rest = asked.strip_prefix(&*path);
                    path.is_empty() || rest.is_some_and(|rest| rest.starts_with('.'))
                };
                if !self.paths.iter().any(|asked| is_above(asked)) {
                    self.left = self.left.saturating_sub(value.0.len() / SHORTEST_MEMBER);
                } else if !self.object(&path, value, depth + 1) {
                    return false;
                }
                continue;
            }
            if self.left == 0 {
                return false;
            }
            self.left -= 1;
            if self.paths.iter().any(|asked| **asked == *path)
                && let Some(value) = scalar(value)
            {
                self.out.push((path, value));
            }
        }
        true
    }
}

/// The path of a key in an object at `above`.
fn below<'t>(above: &str, key: Cow<'t, str>) -> Cow<'t, str> {
    if above.is_empty() {
        key
    } else {
        Cow::Owned(format!("{above}.{key}"))
    }
}

struct Flattening<'t, 'o> {
    out: &'o mut Vec<(Cow<'t, str>, PropertyValue<'t>)>,
    most: usize,
    most_depth: usize,
}

impl<'t> Flattening<'t, '_> {
    fn object(&mut self, above: &str, object: Raw<'t>, depth: usize) {
        for (key, value) in object.members() {
            if self.out.len() >= self.most {
                return;
            }
            let path = below(above, key);
            if value.is_object() {
                if depth < self.most_depth {
                    self.object(&path, value, depth + 1);
                }
            } else if let Some(value) = scalar(value) {
                self.out.push((path, value));
            }
        }
    }
}

/// A text that is a JSON list of texts and numbers, as a [`List`] keeps it.
pub fn list_of(text: &str) -> Option<String> {
    let text = text.trim();
    if !text.starts_with('[') {
        return None;
    }
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    list(Raw(raw.get()))
}

/// The texts and numbers of a list; `None` of one that has others only.
fn list(value: Raw<'_>) -> Option<String> {
    let mut elements = value.elements().peekable();
    let is_empty = elements.peek().is_none();
    let joined = List::join(elements.filter_map(element));
    (is_empty || !joined.is_empty()).then_some(joined)
}

fn element(value: Raw<'_>) -> Option<Cow<'_, str>> {
    if value.is_array() {
        return None;
    }
    match scalar(value)? {
        PropertyValue::Text(text) => Some(text),
        // Minus zero is zero.
        PropertyValue::Number(number) => Some(Cow::Owned((number + 0.0).to_string())),
        PropertyValue::Flag(_) | PropertyValue::List(_) => None,
    }
}

/// A scalar or a list of them.
fn scalar(value: Raw<'_>) -> Option<PropertyValue<'_>> {
    if value.is_array() {
        return list(value).map(|joined| PropertyValue::List(Cow::Owned(joined)));
    }
    if value.is_flag() {
        return Some(PropertyValue::Flag(value.0 == "true"));
    }
    if value.is_number() {
        let number: f64 = value.0.parse().ok()?;
        return number.is_finite().then_some(PropertyValue::Number(number));
    }
    value.text().map(PropertyValue::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_have_dotted_paths() {
        let json = r#"{"a":"x","n":1.5,"f":true,"z":null,"o":{"p":{"q":"é"},"l":[1]},"l":[{"a":1}],
            "big":1e999,"e\u0061":9007199254740993,
            "tags":["x","",2.5,null,true,{"a":1},["y"]],"none":[],"a":2}"#;
        let properties = flatten(json, &Limits::default());
        let text = |text: &'static str| PropertyValue::Text(text.into());
        assert_eq!(
            properties.0,
            [
                ("a".into(), text("x")),
                ("n".into(), PropertyValue::Number(1.5)),
                ("f".into(), PropertyValue::Flag(true)),
                ("o.p.q".into(), text("é")),
                ("o.l".into(), PropertyValue::List("1".into())),
                ("ea".into(), PropertyValue::Number(9_007_199_254_740_992.0)),
                ("tags".into(), PropertyValue::List("x\u{1f}2.5".into())),
                ("none".into(), PropertyValue::List("".into())),
                ("a".into(), PropertyValue::Number(2.0)),
            ]
        );
        assert_eq!(properties.get("a"), Some(&PropertyValue::Number(2.0)));
        assert_eq!(list_of(r#" ["a", 1] "#).as_deref(), Some("a\u{1f}1"));
        assert_eq!(list_of("[]").as_deref(), Some(""));
        for text in ["", "a", "[", "[a]", r#"["a"] b"#, r#"[{"a":1}]"#, "{}"] {
            assert_eq!(list_of(text), None, "{text}");
        }
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let limits = Limits {
            properties: 2,
            property_depth: 2,
            ..Limits::default()
        };
        let properties = flatten(r#"{"a":{"b":{"c":1},"d":2}}"#, &limits);
        assert_eq!(properties.0.len(), 1);
        assert_eq!(flatten(r#"{"a":1,"b":2,"c":3}"#, &limits).0.len(), 2);
        let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
        assert_eq!(flatten(&deep, &Limits::default()).0, []);
        assert_eq!(flatten("[1]", &limits).0, []);
    }

    proptest::proptest! {
        #[test]
        fn what_is_asked_for_is_what_all_of_it_has(
            json in r#"\{("(a|b|c|a\.b|)":(1|2\.5|"x"|null|\["x",1\]|\[\]|\[null\]|1e999|\{"(a|b)":(1|\{"c":true\})\}),?){0,6}\}"#,
            properties in 1_usize..40,
            property_depth in 1_usize..4,
        ) {
            let limits = Limits { properties, property_depth, ..Limits::default() };
            let paths = ["a", "a.b", "a.b.c", "c", ""].map(Box::from);
            for asked in [&paths[..], &paths[1..2], &paths[2..4], &[]] {
                let mut all = flatten(&json, &limits);
                all.0.retain(|(path, _)| asked.iter().any(|asked| **asked == **path));
                proptest::prop_assert_eq!(flatten_at(&json, &limits, asked), all, "{}", json);
            }
        }
    }
}
