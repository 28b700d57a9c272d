//! Declared traits that a rule compares with values of another kind than customers have: such a
//! comparison is false, which looks like an empty segment.

use std::collections::BTreeMap;

use regulars_core::TraitValue;
use regulars_profile::Declared;
use regulars_rules::ComparedWith;

/// What was seen of one trait that a rule reads.
#[derive(Debug, Clone)]
pub(crate) struct KindsSeen {
    name: String,
    with: ComparedWith,
    /// Customers who have it.
    all: u64,
    /// Those whose value is of another kind, by kind.
    other: BTreeMap<ComparedWith, u64>,
}

impl KindsSeen {
    /// Of a trait and what a rule compares it with.
    pub(crate) fn of(name: String, with: ComparedWith) -> Self {
        Self {
            name,
            with,
            all: 0,
            other: BTreeMap::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Looks at the value of a customer.
    pub(crate) fn see(&mut self, kind: ComparedWith) {
        self.all += 1;
        if kind != self.with {
            *self.other.entry(kind).or_default() += 1;
        }
    }

    /// A sentence for a person; `None` when all values are of the kind that the rule asks for.
    pub(crate) fn said(&self) -> Option<String> {
        let (kind, customers) = self.other.iter().max_by_key(|(_, customers)| **customers)?;
        let (name, all) = (&self.name, self.all);
        let (kind, with) = (kind.describe(), self.with.describe());
        Some(format!(
            "`traits.{name}` is {kind} for {customers} of {all} customers who have it, and the rule compares it with {with}, which is false for them: import the column again with values of one kind"
        ))
    }
}

pub(crate) fn kind_of(value: Declared) -> ComparedWith {
    match value {
        Declared::Flag(_) => ComparedWith::Flag,
        Declared::Number(_) => ComparedWith::Number,
        Declared::Text(_) | Declared::List(_) => ComparedWith::Text,
        Declared::Instant(_) => ComparedWith::Instant,
    }
}

/// The kind of a declared trait as a rule sees it; `None` where there is no value.
pub(crate) fn kind_seen(value: TraitValue<'_>) -> Option<ComparedWith> {
    match value {
        TraitValue::Missing => None,
        TraitValue::Flag(_) => Some(ComparedWith::Flag),
        TraitValue::Integer(_) | TraitValue::Money(_) | TraitValue::Number(_) => {
            Some(ComparedWith::Number)
        }
        TraitValue::Text(_) | TraitValue::List(_) => Some(ComparedWith::Text),
        TraitValue::Instant(_) => Some(ComparedWith::Instant),
    }
}
