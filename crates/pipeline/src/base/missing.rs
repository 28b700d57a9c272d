//! What rules need and the data does not have.

use std::collections::{BTreeSet, HashSet};

use regulars_core::{DataNeed, SegmentName, Symbol};
use regulars_rules::{Availability, Present, nearest};

use super::Base;
use crate::fitted::missing_because;

impl Base {
    /// Whether the size of each segment can be known from the data that is there.
    pub fn availability(&self) -> Vec<Availability> {
        self.program.availability(Present {
            has: &|need| self.context.population.has(need),
            declares: &|name| self.declares(name),
        })
    }

    /// Why a segment cannot be answered, or not wholly, and what to do about it, for a person.
    pub fn hints(&self, segment: usize, availability: &Availability) -> Vec<String> {
        let missing = match availability {
            Availability::Known => return Vec::new(),
            Availability::Unknown { missing } | Availability::Partial { missing } => missing,
        };
        let mut hints = Vec::new();
        for &need in missing {
            match need {
                DataNeed::DeclaredTraits => hints.extend(self.undeclared(segment)),
                _ => hints.push(self.missing_because(need).to_owned()),
            }
        }
        hints
    }

    /// Why such data is missing, for a person, and what to do about it.
    pub fn missing_because(&self, need: DataNeed) -> &'static str {
        missing_because(need, self.fitted.as_ref())
    }

    /// Whether anybody has the declared trait of that name.
    fn declares(&self, name: &str) -> bool {
        let symbol = self.context.symbols.find(name);
        symbol.is_some_and(|symbol| {
            let mut everyone = self.customers.iter();
            everyone.any(|of| of.profile.declared(symbol).is_some())
        })
    }

    /// A sentence on each declared trait that the segment reads and nobody has.
    fn undeclared(&self, segment: usize) -> Vec<String> {
        let mut read = BTreeSet::new();
        self.read_by(&self.catalogue.segments()[segment].name, &mut read);
        read.retain(|name| !self.declares(name));
        let known = self.declared_names();
        let sentence = |name: String| match nearest(&name, known.iter().copied()) {
            Some(near) => {
                format!("no customer has a trait `{name}`: did you mean `traits.{near}`?")
            }
            None => format!(
                "no customer has a trait `{name}`: import customers with such a column, or send it with `identify`"
            ),
        };
        read.into_iter().map(sentence).collect()
    }

    /// Adds the declared traits that a segment and those that it refers to read. Segments refer to
    /// no circles.
    fn read_by(&self, segment: &SegmentName, read: &mut BTreeSet<String>) {
        let mut segments = self.catalogue.segments().iter();
        let Some(known) = segments.find(|known| known.name == *segment) else {
            return;
        };
        let reads = known.rule.reads();
        read.extend(reads.declared);
        for inner in &reads.segments {
            self.read_by(inner, read);
        }
    }

    /// Names of all declared traits, sorted.
    fn declared_names(&self) -> Vec<&str> {
        let everyone = self.customers.iter();
        let names = everyone.flat_map(|of| of.profile.all_declared().map(|(name, _)| name));
        let names: HashSet<Symbol> = names.collect();
        let texts = names
            .into_iter()
            .map(|name| self.context.symbols.text(name));
        let mut texts: Vec<&str> = texts.collect();
        texts.sort_unstable();
        texts
    }
}
