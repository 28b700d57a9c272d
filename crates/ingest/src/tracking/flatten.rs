//! The scalar properties of an event, by dotted path.

use std::borrow::Cow;

use regulars_core::{Properties, PropertyValue};

use super::Limits;
use super::json::Raw;

/// The scalars of a JSON object by dotted path, in the order in which they stand. Elements of
/// lists, null and numbers beyond the range of floats are not among them, nor is what lies deeper
/// or comes later than `limits` allow.
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
            let path = if above.is_empty() {
                key
            } else {
                Cow::Owned(format!("{above}.{key}"))
            };
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

fn scalar(value: Raw<'_>) -> Option<PropertyValue<'_>> {
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
            "big":1e999,"e\u0061":9007199254740993,"a":2}"#;
        let properties = flatten(json, &Limits::default());
        let text = |text: &'static str| PropertyValue::Text(text.into());
        assert_eq!(
            properties.0,
            [
                ("a".into(), text("x")),
                ("n".into(), PropertyValue::Number(1.5)),
                ("f".into(), PropertyValue::Flag(true)),
                ("o.p.q".into(), text("é")),
                ("ea".into(), PropertyValue::Number(9_007_199_254_740_992.0)),
                ("a".into(), PropertyValue::Number(2.0)),
            ]
        );
        assert_eq!(properties.get("a"), Some(&PropertyValue::Number(2.0)));
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
}
