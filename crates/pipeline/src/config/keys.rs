//! Which keys `regulars.toml` may have, and of which kind their values are.

use regulars_core::Currency;
use toml::{Table, Value};

use super::Config;

/// The largest whole number of any setting.
const MOST: i64 = u32::MAX as i64;

/// Refuses keys that do not exist, with the nearest one that does: a misspelt threshold would be
/// overlooked.
pub(super) fn known(table: &Table) -> Result<(), String> {
    let known = example()?;
    for (section, keys) in table {
        let Some(of_section) = known.get(section) else {
            return Err(unknown(section, "", known.keys()));
        };
        // Currencies are names of the user's.
        if section == "rates" {
            continue;
        }
        if let (Value::Table(keys), Value::Table(of_section)) = (keys, of_section)
            && let Some(key) = keys.keys().find(|key| !of_section.contains_key(*key))
        {
            return Err(unknown(key, &format!("{section}."), of_section.keys()));
        }
    }
    Ok(())
}

/// Every setting with a value of its kind.
fn example() -> Result<Table, String> {
    let example = Config::new("", Currency::new("EUR").map_err(|e| e.to_string())?, "UTC");
    let mut known = Table::try_from(&example).map_err(|error| error.to_string())?;
    if let Some(Value::Table(import)) = known.get_mut("import") {
        import.insert("date_order".to_owned(), Value::String(String::new()));
    }
    Ok(known)
}

/// Refuses values of another kind than their key has.
pub(super) fn kinds(table: &Table) -> Result<(), String> {
    same_kinds("", table, &example()?)
}

fn same_kinds(path: &str, table: &Table, known: &Table) -> Result<(), String> {
    for (key, value) in table {
        if let Some(expected) = known.get(key) {
            same_kind(&format!("{path}{key}"), value, expected)?;
        }
    }
    Ok(())
}

fn same_kind(key: &str, value: &Value, expected: &Value) -> Result<(), String> {
    let kind = match (value, expected) {
        (Value::Table(table), Value::Table(known)) => {
            return same_kinds(&format!("{key}."), table, known);
        }
        (Value::Array(values), Value::Array(known)) => {
            let mut all = values.iter().zip(known.iter().cycle());
            return all.try_for_each(|(value, known)| same_kind(key, value, known));
        }
        (Value::Integer(0..=MOST), Value::Integer(_))
        | (Value::Float(_) | Value::Integer(_), Value::Float(_))
        | (Value::String(_), Value::String(_))
        | (Value::Boolean(_), Value::Boolean(_)) => return Ok(()),
        (Value::Integer(0..), Value::Integer(_)) => "a smaller number",
        (_, Value::Integer(_)) => "a whole number, 0 or more",
        (_, Value::Float(_)) => "a number",
        (_, Value::String(_)) => "a text in quotes",
        (_, Value::Boolean(_)) => "true or false",
        (_, Value::Array(_)) => "a list in `[` and `]`",
        (_, Value::Table(_)) => "a section of its own",
        (_, Value::Datetime(_)) => "a time",
    };
    Err(format!("`{key}` is {value}: it must be {kind}"))
}

fn unknown<'k>(key: &str, section: &str, known: impl Iterator<Item = &'k String>) -> String {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let hint = match regulars_rules::nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean `{section}{near}`?"),
        None => format!("known are `{}`", known.join("`, `")),
    };
    format!("`{section}{key}` is no setting: {hint}")
}
