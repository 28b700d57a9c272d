//! What rules need and the data does not have.

use std::collections::{BTreeSet, HashSet};

use regulars_core::{DataNeed, Symbol};
use regulars_profile::{Account, Context};
use regulars_rules::{Availability, ComparedWith, Present, Reads, nearest};

use super::Base;
use crate::fitted::missing_because;
use crate::kinds::{KindsSeen, kind_of};

impl Base {
    /// Whether the size of each segment can be known from the data that is there.
    pub fn availability(&self) -> Vec<Availability> {
        self.program.availability(Present {
            has: &|need| self.context.population.has(need),
            declares: &|name| self.declares(name),
            of_accounts: &|name| self.says_of_accounts(name),
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
                DataNeed::AccountTraits => hints.extend(self.unsaid_of_accounts(segment)),
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

    /// Whether any account has the trait of that name.
    fn says_of_accounts(&self, name: &str) -> bool {
        let Context {
            symbols, accounts, ..
        } = &self.context;
        symbols.find(name).is_some_and(|name| {
            let mut everyone = accounts.ids().filter_map(|id| accounts.get(id));
            everyone.any(|account| account.get(name).is_some())
        })
    }

    /// A sentence on each declared trait that the segment reads and nobody has.
    fn undeclared(&self, segment: usize) -> Vec<String> {
        let mut read = self.read_by(segment, |reads| reads.declared);
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

    /// A sentence on each declared trait that the segment compares with a value of another kind than
    /// some customers have: the comparison is false for them.
    pub(crate) fn of_another_kind(&self, segment: usize) -> Vec<String> {
        let compared = self.read_by(segment, |reads| reads.declared_as);
        let sentence = |(name, with): (String, ComparedWith)| {
            let symbol = self.context.symbols.find(&name)?;
            let mut seen = KindsSeen::of(name, with);
            let everyone = self.customers.iter();
            everyone
                .filter_map(|of| of.profile.declared(symbol))
                .for_each(|value| seen.see(kind_of(value)));
            seen.said()
        };
        compared.into_iter().filter_map(sentence).collect()
    }

    /// A sentence on each trait of accounts that the segment reads and none has.
    fn unsaid_of_accounts(&self, segment: usize) -> Vec<String> {
        let mut read = self.read_by(segment, |reads| reads.account);
        read.retain(|name| !self.says_of_accounts(name));
        let accounts = &self.context.accounts;
        let everyone = accounts.ids().filter_map(|id| accounts.get(id));
        let known = self.texts(everyone.flat_map(Account::all).map(|(name, _)| name));
        let sentence = |name: String| match nearest(&name, known.iter().copied()) {
            Some(near) => {
                format!("no account has a trait `{name}`: did you mean `account.{near}`?")
            }
            None => format!("no account has a trait `{name}`: send it with `group`"),
        };
        read.into_iter().map(sentence).collect()
    }

    /// What a segment and those that it refers to read. Segments refer to no circles.
    fn read_by<T: Ord>(&self, segment: usize, of: fn(Reads) -> BTreeSet<T>) -> BTreeSet<T> {
        let segments = self.catalogue.segments();
        let (mut read, mut to_look_at) = (BTreeSet::new(), vec![segment]);
        while let Some(segment) = to_look_at.pop() {
            let reads = segments[segment].rule.reads();
            let inner = reads.segments.iter();
            to_look_at.extend(inner.filter_map(|name| {
                let mut all = segments.iter();
                all.position(|known| known.name == *name)
            }));
            read.extend(of(reads));
        }
        read
    }

    /// Names of all declared traits, sorted.
    fn declared_names(&self) -> Vec<&str> {
        let everyone = self.customers.iter();
        self.texts(everyone.flat_map(|of| of.profile.all_declared().map(|(name, _)| name)))
    }

    /// The texts of some symbols, each once, sorted.
    fn texts(&self, symbols: impl Iterator<Item = Symbol>) -> Vec<&str> {
        let symbols: HashSet<Symbol> = symbols.collect();
        let texts = symbols.into_iter();
        let mut texts: Vec<&str> = texts.map(|name| self.context.symbols.text(name)).collect();
        texts.sort_unstable();
        texts
    }
}
