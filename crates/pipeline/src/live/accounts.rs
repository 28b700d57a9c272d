//! Accounts on the live path: who belongs to which, what is said of each and what its customers
//! come to.
//!
//! Conditions on an account are true or false of all its customers alike. So they are asked once
//! before a record changes anything of an account and once after; the customers are looked at only
//! when something else is true of it. What was due before a record happened before it.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::FixedState;
use regulars_core::{Cause, CustomerId, Symbol, Timestamp};
use regulars_profile::{Customer, Profile, Share};
use regulars_rules::{AccountTruths, Change};

use super::engine::{Engine, People};
use super::person::{Person, Touched};
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
    /// Takes what a `group` call says of its account.
    pub(super) fn say_of_account(&mut self, told: &Told) {
        let Some(account) = told.account() else {
            return;
        };
        let account = self.table.intern(account);
        let (table, known) = (&self.table, &self.context.accounts);
        let (said_at, properties) = (told.said_at(), &told.event.properties);
        let (mut said, mut differs) = (Vec::new(), false);
        traits::each(properties, table, self.orders.zone(), |name, value| {
            let name = table.intern(name);
            differs |= known.would_change(account, name, value, said_at);
            said.push((name, value));
        });
        if differs {
            self.touch_account(account);
        }
        self.context.accounts.name(account);
        for (name, value) in said {
            self.context.accounts.say(account, name, value, said_at);
        }
    }

    /// Counts a customer with another share of the figures of an account than before.
    pub(super) fn count_share(&mut self, before: Option<Share>, after: Option<Share>) {
        if before == after {
            return;
        }
        for share in before.into_iter().chain(after) {
            self.touch_account(share.account);
        }
        let accounts = &mut self.context.accounts;
        before.into_iter().for_each(|share| accounts.remove(share));
        after.into_iter().for_each(|share| accounts.add(share));
    }

    /// Something becomes another of an account: what conditions say of it until then is kept, and
    /// what was due of its customers happens first.
    fn touch_account(&mut self, account: Symbol) {
        let mut touched = self.touched_accounts.iter();
        let is_touched = touched.any(|&(known, _)| known == account);
        // Nobody was in an account whose name is new.
        let is_new = account.0 as usize >= self.context.symbols.len();
        if is_touched || is_new || !self.program.asks_of_accounts() {
            return;
        }
        if self.program.waits_for_accounts() && self.is_behind() {
            for customer in self.account_members.of(account) {
                self.advance(customer);
            }
        }
        let truths = self.account_truths(account);
        self.touched_accounts.push((account, truths));
    }

    fn account_truths(&self, account: Symbol) -> AccountTruths {
        let mut somebody = Profile::new(CustomerId::NOBODY);
        somebody.account = account;
        let (program, subject) = (&self.program, Customer::new(&somebody, &self.context));
        program.account_truths(&program.new_states(), &subject, self.now)
    }

    /// Looks at the customers of accounts that the record touched, where conditions say something
    /// else of these now.
    pub(super) fn look_at_touched_accounts(&mut self, occurred_at: Timestamp, cause: &Cause) {
        for (account, before) in std::mem::take(&mut self.touched_accounts) {
            if !before.concern_customers(&self.account_truths(account)) {
                continue;
            }
            self.changes.clear();
            self.changes.push(Change::Account);
            for customer in self.account_members.of(account) {
                self.advance(customer);
                self.look_at_changes(customer, occurred_at, Touched::Changes, |_| cause.clone());
            }
        }
    }
}

/// What somebody adds to the figures of their account; a visitor whom nobody knows adds nothing.
pub(super) fn share_of(person: &Person) -> Option<Share> {
    let profile = person.known.then_some(&person.member.profile);
    profile.and_then(Share::of)
}
