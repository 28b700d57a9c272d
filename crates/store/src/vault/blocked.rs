//! Values that look like an identity and name nobody.

use std::collections::BTreeSet;

/// Longer texts are free text that slipped into the wrong column.
const MAX_BYTES: usize = 512;

/// What exports write where they mean "nobody", in lower case.
const NOBODY: [&str; 13] = [
    "-1",
    "null",
    "(null)",
    "nil",
    "none",
    "nan",
    "n/a",
    "#n/a",
    "undefined",
    "unknown",
    "anonymous",
    "guest",
    "void",
];

/// Values that many people share and that therefore identify nobody.
///
/// Always among them are, trimmed and in any case: the empty text; texts of zeros and dashes only
/// (`0`, `0000`, `--`, `00000000-0000-0000-0000-000000000000`); `-1`, `null`, `(null)`, `nil`, `none`,
/// `nan`, `n/a`, `#n/a`, `undefined`, `unknown`, `anonymous`, `guest`, `void`; and texts of more
/// than 512 bytes. A customer called `0004` is fine. A workspace may have more of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocked {
    /// Trimmed and in lower case.
    own: BTreeSet<String>,
}

impl Blocked {
    /// With these values of the workspace's own; compared trimmed and in any case.
    pub fn with<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> Self {
        let values = values.into_iter();
        Self {
            own: values.map(|value| folded(value.as_ref())).collect(),
        }
    }

    /// True for a value that names nobody.
    pub fn contains(&self, value: &str) -> bool {
        let value = value.trim();
        value.bytes().all(|b| b == b'0' || b == b'-')
            || value.len() > MAX_BYTES
            || NOBODY
                .iter()
                .any(|nobody| nobody.eq_ignore_ascii_case(value))
            || self.has_own() && self.own.contains(&folded(value))
    }

    pub(super) fn has_own(&self) -> bool {
        !self.own.is_empty()
    }
}

fn folded(value: &str) -> String {
    value.trim().to_lowercase()
}
