//! Columns of a run that hold one value only: noted in its metadata, left out when reading.
//!
//! The files hold these columns all the same, for other tools.

use std::collections::BTreeMap;

use serde_json::Value;

/// What is known while a run is written.
#[derive(Debug, Default)]
pub(super) struct Constants {
    /// `None` for a column with several values.
    seen: BTreeMap<&'static str, Option<Value>>,
}

impl Constants {
    /// Takes note of the next rows of a column.
    pub(super) fn observe<T: PartialEq + Copy>(
        &mut self,
        column: &'static str,
        values: &[T],
        to_json: impl Fn(T) -> Value,
    ) {
        let Some(&first) = values.first() else { return };
        let known = self.seen.get(column);
        if known == Some(&None) {
            return;
        }
        let here = values
            .iter()
            .all(|&value| value == first)
            .then(|| to_json(first));
        let all = here.filter(|value| known.is_none_or(|known| known.as_ref() == Some(value)));
        self.seen.insert(column, all);
    }

    /// The constant columns as a JSON object.
    pub(super) fn to_json(&self) -> String {
        let constant = |(column, value): (&&str, &Option<Value>)| {
            value.clone().map(|value| ((*column).to_owned(), value))
        };
        let object: serde_json::Map<_, _> = self.seen.iter().filter_map(constant).collect();
        Value::Object(object).to_string()
    }
}
