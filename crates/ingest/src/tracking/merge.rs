//! One JSON object laid over another: what a batch says of all its events, and what an event says
//! itself.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::json::{Raw, quoted};

/// Objects within one another that are merged; below, the upper one's stands alone.
const MOST_DEPTH: usize = 8;

/// The members of both objects; where both have one, that of `upper`, and of objects the members
/// of both. What is no object counts as one without members.
pub(super) fn merge<'t>(lower: Option<Raw<'t>>, upper: Option<Raw<'t>>) -> Cow<'t, str> {
    let full = |raw: &Raw<'t>| raw.members().next().is_some();
    match (lower.filter(full), upper.filter(full)) {
        (None, None) => Cow::Borrowed("{}"),
        (Some(only), None) | (None, Some(only)) => Cow::Borrowed(only.0),
        (Some(lower), Some(upper)) => Cow::Owned(merged(lower, upper, MOST_DEPTH)),
    }
}

fn merged(lower: Raw<'_>, upper: Raw<'_>, most_depth: usize) -> String {
    let mut json = String::with_capacity(lower.0.len() + upper.0.len());
    let mut put = |key: &str, value: &str| {
        json.push(if json.is_empty() { '{' } else { ',' });
        json.push_str(&quoted(key));
        json.push(':');
        json.push_str(value);
    };
    let lower = last_of_each(lower);
    let mut below: HashMap<_, _> = lower.iter().map(|(key, value)| (key, *value)).collect();
    for (key, value) in last_of_each(upper) {
        match below.remove(&key) {
            Some(below) if below.is_object() && value.is_object() && most_depth > 0 => {
                put(&key, &merged(below, value, most_depth - 1));
            }
            Some(_) | None => put(&key, value.0),
        }
    }
    for (key, value) in &lower {
        if below.contains_key(key) {
            put(key, value.0);
        }
    }
    if json.is_empty() {
        json.push('{');
    }
    json.push('}');
    json
}

/// The members of an object, of those with one key only the last.
fn last_of_each<'t>(object: Raw<'t>) -> Vec<(Cow<'t, str>, Raw<'t>)> {
    let members: Vec<_> = object.members().collect();
    let mut seen = HashSet::new();
    let mut last: Vec<_> = members
        .into_iter()
        .rev()
        .filter(|(key, _)| seen.insert(key.clone()))
        .collect();
    last.reverse();
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_object_wins_and_nothing_else_is_lost() {
        let merge = |lower, upper| merge(Some(Raw(lower)), Some(Raw(upper))).into_owned();
        assert_eq!(
            merge(
                r#"{"device":{"type":"phone","name":"a"},"ip":"1","x":1}"#,
                r#"{"device":{"name":"b"},"ip":null,"y":[{}]}"#
            ),
            r#"{"device":{"name":"b","type":"phone"},"ip":null,"y":[{}],"x":1}"#
        );
        assert_eq!(merge("{}", r#"{"a":1}"#), r#"{"a":1}"#);
        assert_eq!(merge(r#"{"a":1}"#, "null"), r#"{"a":1}"#);
        assert_eq!(merge("[1]", "3"), "{}");
        assert_eq!(
            merge(r#"{"a":{"b":1}}"#, r#"{"a":2,"a":{"c":1}}"#),
            r#"{"a":{"c":1,"b":1}}"#
        );
    }

    #[test]
    fn deep_objects_cost_no_stack() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(5_000), "}".repeat(5_000));
        let merged = merge(Some(Raw(&deep)), Some(Raw(&deep))).into_owned();
        assert_eq!(merged, deep);
    }
}
