//! Accounts on the live path: who belongs to which, and all of them looked at when a trait of
//! their account becomes another.
//!
//! What was due before a call happened before it, so members are first brought up to its time with
//! what was known of the account until then.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::FixedState;
use regulars_core::{Cause, CustomerId, Symbol, Timestamp};
use regulars_rules::Change;

use super::engine::{Engine, People};
use super::person::Touched;
use super::told::Told;
use super::traits;

/// Who belongs to each account, visitors among them.
#[derive(Debug, Default)]
pub(super) struct AccountMembers(HashMap<Symbol, BTreeSet<CustomerId>, FixedState>);

impl AccountMembers {
    /// Of everyone.
    pub(super) fn of_all(people: &People) -> Self {
        let mut members = Self::default();
        for (&customer, person) in people {
            members.go(customer, Symbol::NONE, person.member.profile.account);
        }
        members
    }

    /// A customer leaves an account for another; either may be none.
    pub(super) fn go(&mut self, customer: CustomerId, from: Symbol, to: Symbol) {
        if from == to {
            return;
        }
        if let Some(members) = self.0.get_mut(&from) {
            members.remove(&customer);
            if members.is_empty() {
                self.0.remove(&from);
            }
        }
        if let Some(to) = to.known() {
            self.0.entry(to).or_default().insert(customer);
        }
    }

    /// The members of an account, sorted.
    fn of(&self, account: Symbol) -> Vec<CustomerId> {
        let members = self.0.get(&account).into_iter().flatten();
        members.copied().collect()
    }
}

impl Engine {
    /// Takes what a `group` call says of its account; gives the account when a condition asks for
    /// something that is another now.
    pub(super) fn say_of_account(&mut self, told: &Told) -> Option<Symbol> {
        let account = self.table.intern(told.account()?);
        self.context.accounts.name(account);
        let (table, program, known) = (&self.table, &self.program, &self.context.accounts);
        let (said_at, properties) = (told.said_at(), &told.event.properties);
        let (mut said, mut differs) = (Vec::new(), false);
        traits::each(properties, table, self.orders.zone(), |name, value| {
            let symbol = table.intern(name);
            differs |= program.asks_of_accounts(name)
                && known.would_change(account, symbol, value, said_at);
            said.push((symbol, value));
        });
        if differs && self.is_behind() {
            for customer in self.account_members.of(account) {
                self.advance(customer);
            }
        }
        for (name, value) in said {
            self.context.accounts.say(account, name, value, said_at);
        }
        differs.then_some(account)
    }

    /// Looks at the members of an account whose traits became others by the call at `offset`, but
    /// not at who sent it.
    pub(super) fn look_at_members(
        &mut self,
        account: Symbol,
        sender: CustomerId,
        (offset, occurred_at): (u64, Timestamp),
    ) {
        self.changes.clear();
        self.changes.push(Change::Account);
        for customer in self.account_members.of(account) {
            if customer != sender {
                self.look_at_changes(customer, occurred_at, Touched::Changes, |_| Cause::Event {
                    offset,
                    name: "group".to_owned(),
                });
            }
        }
    }
}
