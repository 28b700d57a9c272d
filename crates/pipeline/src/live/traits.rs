//! What `identify` says of a customer, as declared traits.
//!
//! Traits inside others are named by their path (`company.name`), those of `address` by their own
//! name as well (`country`): that is what customers files call them.

use regulars_core::PropertyValue;
use regulars_ingest::tracking::{Limits, flatten};
use regulars_profile::{Declared, Profile};
use regulars_store::history::SymbolTable;

/// Declares every trait of a JSON object; of one that is declared already the new value counts.
pub(super) fn declare(profile: &mut Profile, json: &str, table: &SymbolTable) {
    for (path, value) in &flatten(json, &Limits::default()).0 {
        let value = match value {
            PropertyValue::Text(text) => Declared::Text(table.intern(text)),
            PropertyValue::Number(number) => Declared::Number(*number),
            PropertyValue::Flag(flag) => Declared::Flag(*flag),
        };
        profile.declare(table.intern(path), value);
        if let Some(name) = path.strip_prefix("address.") {
            profile.declare(table.intern(name), value);
        }
    }
}
