//! Accounts on the live path: who belongs to which, what is said of each and what its customers
//! come to.
//!
//! ```text
//! a record, or time ─► an account's conditions, asked once ─► another truth? a turn of the account
//! turns ─► its customers, some at a time (a sweep); at once whoever has something happen to them
//! ```
//!
//! Conditions on an account are true or false of all its customers alike. So they are asked once,
//! of the account; when one of them comes to something else, that is a *turn*, which keeps what
//! they come to, when that happened and why. Turns stand in line until all customers were told
//! each; another change of the account is one more turn, and nobody waits for the one before.
//! A customer is told all turns that they were not told yet, in order, before anything else
//! happens to them: so it makes no difference to their transitions when a sweep comes by.

mod look;
mod members;
mod sweep;

use regulars_core::{Cause, CustomerId, Symbol, Timestamp};
use regulars_profile::{Customer, Profile, Share};
use regulars_rules::AccountTruths;

use super::engine::Engine;
use super::person::Person;
use super::told::Told;
use super::traits;

pub(super) use members::LiveAccounts;
use members::Turn;

impl Engine {
    /// Takes what a `group` call says of its account.
    pub(super) fn say_of_account(&mut self, told: &Told) {
        let Some(name) = told.account() else {
            return;
        };
        let account = self.table.intern(name);
        self.accounts.name(name, account);
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
        let accounts = &mut self.context.accounts;
        self.table
            .with(|symbols| accounts.keep_within_bounds(account, symbols));
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

    /// Something becomes another of an account: what was due of it by now happens first.
    fn touch_account(&mut self, account: Symbol) {
        if self.touched_accounts.contains(&account) || !self.program.asks_of_accounts() {
            return;
        }
        self.let_account_age(account);
        self.touched_accounts.push(account);
    }

    /// Asks what is true by now of the accounts that the record touched. What is another is a turn
    /// that `cause` brought at `occurred_at`. Says whether any was touched.
    pub(super) fn look_at_touched_accounts(
        &mut self,
        occurred_at: Timestamp,
        cause: impl FnOnce(&Self) -> Cause,
    ) -> bool {
        if self.touched_accounts.is_empty() {
            return false;
        }
        let cause = cause(self);
        for account in std::mem::take(&mut self.touched_accounts) {
            let truths = self.account_truths(account, self.now);
            let turn = (occurred_at, self.now, Some(&cause));
            self.accounts.look(account, truths, turn);
        }
        self.accounts.changed_at = self.now;
        true
    }

    /// Lets time pass for an account up to now: each instant at which it makes something else true
    /// is a turn.
    pub(super) fn let_account_age(&mut self, account: Symbol) {
        while let Some(at) = self.accounts.wakes_at(account)
            && at <= self.now
        {
            let truths = self.account_truths(account, at);
            if self.accounts.look(account, truths, (at, self.now, None)) {
                self.accounts.changed_at = self.now;
            }
        }
    }

    /// Asks what is true now of every account, before anybody is looked at.
    pub(super) fn look_at_accounts(&mut self) {
        if !self.program.asks_of_accounts() {
            return;
        }
        for account in self.accounts.with_members() {
            let truths = self.account_truths(account, self.now);
            self.accounts
                .look(account, truths, (self.now, self.now, None));
        }
    }

    fn account_truths(&self, account: Symbol, now: Timestamp) -> AccountTruths {
        let mut somebody = Profile::new(CustomerId::NOBODY);
        somebody.account = account;
        let somebody = Customer::new(&somebody, &self.context);
        self.program.account_truths(&somebody, now)
    }
}

/// What somebody adds to the figures of their account; a visitor whom nobody knows adds nothing.
pub(super) fn share_of(person: &Person) -> Option<Share> {
    let profile = person.is_customer().then_some(&person.member.profile);
    profile.and_then(Share::of)
}
