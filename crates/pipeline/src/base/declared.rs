//! What customers files declared, from the JSON of the history to traits of profiles.

use std::collections::HashMap;
use std::fmt;

use foldhash::fast::FixedState;
use regulars_core::{Symbol, Timestamp};
use regulars_ingest::tracking::list_of;
use regulars_profile::{Declared, Profile};
use regulars_store::history::{DeclaredRow, SymbolTable};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Texts that are remembered without asking the table, which other threads want as well.
const REMEMBERED: usize = 1 << 14;
/// Names of traits that are looked for one by one: objects have much the same ones.
const NAMES: usize = 32;

/// Gives declared traits to profiles; one for each thread.
#[derive(Debug)]
pub(crate) struct Declaring<'t> {
    table: &'t SymbolTable,
    known: HashMap<Box<str>, Symbol, FixedState>,
    /// Names, in the order in which objects have them.
    names: Vec<(Box<str>, Symbol)>,
    /// Position of the name that should come next.
    next_name: usize,
    traits: Vec<(Symbol, Declared)>,
}

impl<'t> Declaring<'t> {
    pub(crate) fn new(table: &'t SymbolTable) -> Self {
        Self {
            table,
            known: HashMap::default(),
            names: Vec::new(),
            next_name: 0,
            traits: Vec::new(),
        }
    }

    /// Sets what `rows` declare: of two values the one imported later counts, then the later one.
    ///
    /// # Errors
    /// When a row is not what an import wrote.
    pub(crate) fn declare(
        &mut self,
        profile: &mut Profile,
        rows: &[DeclaredRow],
    ) -> Result<(), serde_json::Error> {
        if let [only] = rows {
            return self.take(profile, only);
        }
        let mut rows: Vec<&DeclaredRow> = rows.iter().collect();
        rows.sort_by(|a, b| {
            (a.import, a.occurred_at, &a.traits).cmp(&(b.import, b.occurred_at, &b.traits))
        });
        rows.into_iter().try_for_each(|row| self.take(profile, row))
    }

    fn take(&mut self, profile: &mut Profile, row: &DeclaredRow) -> Result<(), serde_json::Error> {
        self.traits.clear();
        self.next_name = 0;
        let mut json = serde_json::Deserializer::from_slice(&row.traits);
        Object(self).deserialize(&mut json)?;
        for &(name, value) in &self.traits {
            profile.declare(name, value);
        }
        Ok(())
    }

    fn name(&mut self, name: &str) -> Symbol {
        let rest = self.names.iter().skip(self.next_name);
        let found = rest
            .zip(self.next_name..)
            .find(|((known, _), _)| **known == *name);
        if let Some((&(_, symbol), index)) = found {
            self.next_name = index + 1;
            return symbol;
        }
        let symbol = self.intern(name);
        if self.names.len() < NAMES {
            self.names.push((Box::from(name), symbol));
        }
        symbol
    }

    fn intern(&mut self, text: &str) -> Symbol {
        if let Some(&symbol) = self.known.get(text) {
            return symbol;
        }
        let symbol = self.table.intern(text);
        if self.known.len() < REMEMBERED {
            self.known.insert(Box::from(text), symbol);
        }
        symbol
    }
}

/// Reads the traits of a row into the list of its `Declaring`.
struct Object<'a, 't>(&'a mut Declaring<'t>);

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of traits")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(name) = object.next_key_seed(Name(self.0))? {
            if let Some(value) = object.next_value_seed(Value(self.0))? {
                self.0.traits.push((name, value));
            }
        }
        Ok(())
    }
}

/// Reads the name of a trait.
struct Name<'a, 't>(&'a mut Declaring<'t>);

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = Symbol;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Symbol, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = Symbol;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a trait")
    }

    fn visit_str<E>(self, name: &str) -> Result<Symbol, E> {
        Ok(self.0.name(name))
    }
}

/// Reads the value of a trait; an instant is `{"at": milliseconds}`.
struct Value<'a, 't>(&'a mut Declaring<'t>);

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = Option<Declared>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = Option<Declared>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the value of a trait")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Some(Declared::Flag(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(Declared::Number(number as f64)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(Declared::Number(number as f64)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(Declared::Number(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        // So NDJSON files have lists, and files in columns may.
        Ok(Some(match list_of(text) {
            Some(joined) => Declared::List(self.0.intern(&joined)),
            None => Declared::Text(self.0.intern(text)),
        }))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut at = None;
        while let Some(key) = object.next_key::<std::borrow::Cow<'_, str>>()? {
            if key == "at" {
                at = object.next_value::<Option<i64>>()?;
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(at.map(|ms| Declared::Instant(Timestamp(ms))))
    }
}

#[cfg(test)]
mod tests {
    use regulars_core::CustomerId;

    use super::*;

    fn row(import: u64, at: i64, traits: &str) -> DeclaredRow {
        DeclaredRow {
            customer: CustomerId(1),
            occurred_at: Timestamp(at),
            import,
            traits: traits.to_owned().into(),
        }
    }

    #[test]
    fn values_keep_their_types_and_the_last_import_counts() {
        let table = SymbolTable::default();
        let mut declaring = Declaring::new(&table);
        let mut profile = Profile::new(CustomerId(1));
        let newer = row(
            2,
            5,
            r#"{"size":"40\u0022","vip":false,"tags":"[\"a\", 1]"}"#,
        );
        let older = row(
            1,
            9,
            r#"{"size":38,"vip":true,"born":{"at":-5},"no":null,"l":[1]}"#,
        );
        declaring.declare(&mut profile, &[newer, older]).unwrap();
        let of = |name: &str| profile.declared(table.intern(name));
        assert_eq!(of("size"), Some(Declared::Text(table.intern("40\""))));
        assert_eq!(of("vip"), Some(Declared::Flag(false)));
        assert_eq!(of("born"), Some(Declared::Instant(Timestamp(-5))));
        assert_eq!(of("tags"), Some(Declared::List(table.intern("a\u{1f}1"))));
        assert_eq!((of("no"), of("l")), (None, None));
    }

    #[test]
    fn a_row_that_no_import_wrote_is_an_error() {
        let table = SymbolTable::default();
        let mut profile = Profile::new(CustomerId(1));
        let broken = row(1, 0, "{\"size\":");
        assert!(
            Declaring::new(&table)
                .declare(&mut profile, &[broken])
                .is_err()
        );
    }
}
