//! Accounts: what `group` calls say of them.
//!
//! What always holds: of each trait the value that was said last counts, by the time at which it
//! was said, then by its place in the log. So it makes no difference in which order calls are
//! taken, or how they are shared out among threads.

use std::collections::BTreeMap;

use regulars_core::{Symbol, Timestamp};

use crate::profile::Declared;

/// When something was said: the time of the call, then its place in the log.
pub type SaidAt = (Timestamp, u64);

/// What is known of every account, by its id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Accounts(BTreeMap<Symbol, Account>);

/// What is known of one account.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Account {
    /// Traits by name.
    traits: BTreeMap<Symbol, (SaidAt, Declared)>,
}

impl Accounts {
    /// The account of that id.
    pub fn get(&self, id: Symbol) -> Option<&Account> {
        self.0.get(&id)
    }

    /// Ids of all accounts of which anything was said, in no order that means anything.
    pub fn ids(&self) -> impl Iterator<Item = Symbol> {
        self.0.keys().copied()
    }

    /// True when a `group` call named no account yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes note of an account, of which a call may say nothing else.
    pub fn name(&mut self, id: Symbol) {
        self.0.entry(id).or_default();
    }

    /// Takes what was said of a trait of an account.
    pub fn say(&mut self, id: Symbol, name: Symbol, value: Declared, at: SaidAt) {
        let traits = &mut self.0.entry(id).or_default().traits;
        let known = traits.entry(name).or_insert((at, value));
        if known.0 <= at {
            *known = (at, value);
        }
    }

    /// Whether [`Self::say`] would change the value of the trait.
    pub fn would_change(&self, id: Symbol, name: Symbol, value: Declared, at: SaidAt) -> bool {
        let account = self.0.get(&id);
        match account.and_then(|account| account.traits.get(&name)) {
            Some((said_at, known)) => *said_at <= at && *known != value,
            None => true,
        }
    }

    /// Takes all that `others` know.
    pub fn take(&mut self, others: Self) {
        for (id, account) in others.0 {
            self.name(id);
            for (name, (at, value)) in account.traits {
                self.say(id, name, value, at);
            }
        }
    }
}

impl Account {
    /// The trait of that name.
    pub fn get(&self, name: Symbol) -> Option<Declared> {
        self.traits.get(&name).map(|&(_, value)| value)
    }

    /// Every trait with its name, in no order that means anything.
    pub fn all(&self) -> impl Iterator<Item = (Symbol, Declared)> {
        let traits = self.traits.iter();
        traits.map(|(&name, &(_, value))| (name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACME: Symbol = Symbol(1);
    const PLAN: Symbol = Symbol(2);

    fn said(calls: &[(i64, u64, f64)]) -> Accounts {
        let mut accounts = Accounts::default();
        for &(at, offset, value) in calls {
            let at = (Timestamp(at), offset);
            accounts.say(ACME, PLAN, Declared::Number(value), at);
        }
        accounts
    }

    #[test]
    fn the_value_that_was_said_last_counts_in_whatever_order_calls_are_taken() {
        let calls = [(5, 1, 1.0), (5, 2, 2.0), (4, 3, 3.0)];
        let mut backwards = calls;
        backwards.reverse();
        let accounts = said(&calls);
        assert_eq!(accounts, said(&backwards));
        let plan = accounts.get(ACME).and_then(|account| account.get(PLAN));
        assert_eq!(plan, Some(Declared::Number(2.0)));
        let mut apart = said(&calls[..1]);
        apart.take(said(&calls[1..]));
        assert_eq!(apart, accounts);
    }

    #[test]
    fn what_is_older_or_the_same_changes_nothing() {
        let accounts = said(&[(5, 1, 1.0)]);
        let would = |at, offset, value| {
            let at = (Timestamp(at), offset);
            accounts.would_change(ACME, PLAN, Declared::Number(value), at)
        };
        assert!(would(5, 2, 2.0));
        assert!(!would(5, 2, 1.0) && !would(5, 0, 2.0) && !would(4, 9, 2.0));
        let other = Symbol(3);
        assert!(accounts.would_change(ACME, other, Declared::Flag(true), (Timestamp(0), 0)));
        assert!(accounts.would_change(other, PLAN, Declared::Flag(true), (Timestamp(0), 0)));
    }
}
