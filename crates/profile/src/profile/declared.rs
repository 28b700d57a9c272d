//! Traits that customers files and `identify` declared.

use regulars_core::{List, Symbol, Timestamp, TraitValue};

/// A trait that a customers file declared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Declared {
    /// A text.
    Text(Symbol),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// A moment; of a date, its first instant in the workspace's time zone.
    Instant(Timestamp),
    /// A list of texts, as [`List::join`] makes it.
    List(Symbol),
}

impl Declared {
    /// The value as the rule language sees it.
    pub fn value<'t>(self, text: impl Fn(Symbol) -> &'t str) -> TraitValue<'t> {
        match self {
            Self::Text(symbol) => TraitValue::Text(text(symbol)),
            Self::Number(number) => TraitValue::Number(number),
            Self::Flag(flag) => TraitValue::Flag(flag),
            Self::Instant(at) => TraitValue::Instant(at),
            Self::List(symbol) => {
                List::of(text(symbol)).map_or(TraitValue::Missing, TraitValue::List)
            }
        }
    }
}

/// A declared trait with its name, in sixteen bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeclaredTrait {
    bits: u64,
    pub(super) name: Symbol,
    kind: DeclaredKind,
}

#[derive(Debug, Clone, Copy)]
enum DeclaredKind {
    Text,
    Number,
    Flag,
    Instant,
    List,
}

impl DeclaredTrait {
    pub(super) fn new(name: Symbol, value: Declared) -> Self {
        let (kind, bits) = match value {
            Declared::Text(text) => (DeclaredKind::Text, text.0.into()),
            Declared::Number(number) => (DeclaredKind::Number, number.to_bits()),
            Declared::Flag(flag) => (DeclaredKind::Flag, flag.into()),
            Declared::Instant(at) => (DeclaredKind::Instant, at.0 as u64),
            Declared::List(list) => (DeclaredKind::List, list.0.into()),
        };
        Self { bits, name, kind }
    }

    pub(super) fn value(self) -> Declared {
        match self.kind {
            DeclaredKind::Text => Declared::Text(Symbol(self.bits as u32)),
            DeclaredKind::Number => Declared::Number(f64::from_bits(self.bits)),
            DeclaredKind::Flag => Declared::Flag(self.bits == 1),
            DeclaredKind::Instant => Declared::Instant(Timestamp(self.bits as i64)),
            DeclaredKind::List => Declared::List(Symbol(self.bits as u32)),
        }
    }
}

impl PartialEq for DeclaredTrait {
    fn eq(&self, other: &Self) -> bool {
        (self.name, self.value()) == (other.name, other.value())
    }
}
