//! Values that look like an identity and name nobody.

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

/// True for values that many people share and that therefore identify nobody.
///
/// Blocked are, trimmed and in any case: the empty text; texts of zeros and dashes only (`0`,
/// `0000`, `--`, `00000000-0000-0000-0000-000000000000`); `-1`, `null`, `(null)`, `nil`, `none`,
/// `nan`, `n/a`, `#n/a`, `undefined`, `unknown`, `anonymous`, `guest`, `void`; and texts of more
/// than 512 bytes. A customer called `0004` is fine.
pub fn is_blocked_identity(value: &str) -> bool {
    let value = value.trim();
    value.bytes().all(|b| b == b'0' || b == b'-')
        || value.len() > MAX_BYTES
        || NOBODY
            .iter()
            .any(|nobody| nobody.eq_ignore_ascii_case(value))
}
