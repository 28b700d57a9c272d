//! What `identify` says of a customer and `group` of an account, as declared traits.
//!
//! Traits inside others are named by their path (`company.name`), those of `address` by their own
//! name as well (`country`): that is what customers files call them. Dates are moments, and
//! a text that is a JSON list is a list, as those of files are.

use regulars_core::{CivilDate, PropertyValue, Timestamp, Zone};
use regulars_ingest::tracking::{Limits, flatten, list_of};
use regulars_profile::{Declared, Profile};
use regulars_store::history::SymbolTable;

/// Declares every trait of a JSON object; of one that is declared already the new value counts.
pub(super) fn declare(profile: &mut Profile, json: &str, table: &SymbolTable, zone: &Zone) {
    each(json, table, zone, |name, value| {
        profile.declare(table.intern(name), value);
    });
}

/// Gives every trait of a JSON object to `each`: those of a customer and those of an account.
pub(crate) fn each(
    json: &str,
    table: &SymbolTable,
    zone: &Zone,
    mut each: impl FnMut(&str, Declared),
) {
    for (path, value) in &flatten(json, &Limits::default()).0 {
        let value = match value {
            PropertyValue::Text(text) => match (instant(text, zone), list_of(text)) {
                (Some(at), _) => Declared::Instant(at),
                (None, Some(joined)) => Declared::List(table.intern(&joined)),
                (None, None) => Declared::Text(table.intern(text)),
            },
            PropertyValue::Number(number) => Declared::Number(*number),
            PropertyValue::Flag(flag) => Declared::Flag(*flag),
            PropertyValue::List(joined) => Declared::List(table.intern(joined)),
        };
        each(path, value);
        if let Some(name) = path.strip_prefix("address.") {
            each(name, value);
        }
    }
}

/// A date (its first instant in `zone`) or a date with a time, as ISO 8601 writes them.
fn instant(text: &str, zone: &Zone) -> Option<Timestamp> {
    let text = text.trim();
    let date = CivilDate::parse(text.get(..10)?)?;
    if text.len() == 10 {
        return Some(zone.start_of(date));
    }
    zone.parse_instant(text)
}

#[cfg(test)]
mod tests {
    use regulars_core::CustomerId;

    use super::*;

    #[test]
    fn dates_are_moments_in_the_zone_of_the_workspace() {
        let (table, zone) = (
            SymbolTable::default(),
            Zone::named("Europe/Berlin").unwrap(),
        );
        let mut profile = Profile::new(CustomerId(1));
        let json = r#"{"birthday":"1990-05-01","createdAt":"2026-11-25T06:53:00.249Z",
            "local":"2026-11-25T07:53:00","plan":"2026-11-25-gold","size":"40",
            "address":{"country":"DE"},"interests":["running","cooking"],"tags":[],
            "hobbies":"[\"running\", \"cooking\"]","note":"[running]"}"#;
        declare(&mut profile, json, &table, &zone);
        let of = |name: &str| profile.declared(table.intern(name));
        let at = |text: &str| zone.parse_instant(text).map(Declared::Instant);
        assert_eq!(of("birthday"), at("1990-04-30T22:00:00Z"));
        assert_eq!(of("createdAt"), at("2026-11-25T06:53:00.249Z"));
        assert_eq!(of("local"), at("2026-11-25T06:53:00Z"));
        let list = |joined: &str| Some(Declared::List(table.intern(joined)));
        assert_eq!(of("interests"), list("running\u{1f}cooking"));
        assert_eq!(
            of("hobbies"),
            of("interests"),
            "as a cell of a file says it"
        );
        assert_eq!(of("tags"), list(""));
        for (name, text) in [
            ("plan", "2026-11-25-gold"),
            ("size", "40"),
            ("note", "[running]"),
            ("country", "DE"),
        ] {
            assert_eq!(of(name), Some(Declared::Text(table.intern(text))), "{name}");
        }
    }
}
