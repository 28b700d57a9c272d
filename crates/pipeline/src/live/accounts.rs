//! Accounts on the live path: who belongs to which, what is said of each and what its customers
//! come to.
//!
//! Conditions on an account are true or false of all its customers alike. So they are asked once
//! before a record changes anything of an account and once after; the customers are looked at only
//! when something else is true of it. What was due before a record happened before it.

mod look;

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::FixedState;
use regulars_core::{Cause, CustomerId, Symbol, Timestamp};
use regulars_profile::{Customer, Profile, Share};
use regulars_rules::{AccountTruths, Change};

use super::engine::{Engine, People, Touched};
use super::person::Person;
use super::told::Told;
use super::traits;

pub use look::{AccountFigures, LiveAccount};

/// Customers of an account who are looked at at once.
const AT_ONCE: usize = 256;
/// Customers who are looked at between two events, when an account has more.
const BETWEEN_EVENTS: usize = 64;

/// The customers of an account who are still to be looked at, because something else is true of it.
///
/// Nothing of the account changes before all of them were; whoever is asked for, or has something
/// happen to them, is looked at before.
#[derive(Debug)]
pub(super) struct Sweep {
    account: Symbol,
    /// Sorted; those before `next` were looked at.
    customers: Vec<CustomerId>,
    next: usize,
    /// When what changed the account happened, and when it was learnt.
    occurred_at: Timestamp,
    learnt_at: Timestamp,
    cause: Cause,
}

impl Sweep {
    fn awaits(&self, customer: CustomerId) -> bool {
        self.customers[self.next..].binary_search(&customer).is_ok()
    }
}

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
        if self.sweeps.iter().any(|sweep| sweep.account == account) {
            self.finish_sweeps();
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
    /// else of these now; of large ones at the first, and later at the others.
    pub(super) fn look_at_touched_accounts(&mut self, occurred_at: Timestamp, cause: &Cause) {
        for (account, before) in std::mem::take(&mut self.touched_accounts) {
            if !before.concern_customers(&self.account_truths(account)) {
                continue;
            }
            self.sweeps.push_back(Sweep {
                account,
                customers: self.account_members.of(account),
                next: 0,
                occurred_at,
                learnt_at: self.now,
                cause: cause.clone(),
            });
        }
        self.sweep(AT_ONCE);
    }

    /// True when customers of a large account are still to be looked at.
    pub fn is_sweeping(&self) -> bool {
        !self.sweeps.is_empty()
    }

    /// Looks at some of those who are still to be looked at.
    pub fn sweep_some(&mut self) {
        self.sweep(AT_ONCE);
    }

    /// As [`Self::sweep_some`], so few that events hardly wait.
    pub(super) fn sweep_between_events(&mut self) {
        self.sweep(BETWEEN_EVENTS);
    }

    /// Looks at all who are still to be looked at.
    pub fn finish_sweeps(&mut self) {
        self.sweep(usize::MAX);
    }

    fn sweep(&mut self, most: usize) {
        let mut left = most;
        while let Some(mut sweep) = self.sweeps.pop_front() {
            let rest = sweep.customers.len() - sweep.next;
            let to = sweep.next + rest.min(left);
            left -= to - sweep.next;
            for place in sweep.next..to {
                self.look_for_sweep(sweep.customers[place], &sweep);
            }
            sweep.next = to;
            if sweep.next < sweep.customers.len() {
                self.sweeps.push_front(sweep);
                return;
            }
        }
    }

    /// Looks at somebody to whom something is going to happen, if they are still to be looked at.
    pub(super) fn catch_up_with_accounts(&mut self, customer: CustomerId) {
        let sweeps = std::mem::take(&mut self.sweeps);
        for sweep in &sweeps {
            if sweep.awaits(customer) {
                self.look_for_sweep(customer, sweep);
            }
        }
        self.sweeps = sweeps;
    }

    /// Looks at a customer as of the moment at which something became true of their account, which
    /// changes nothing when they were looked at since.
    fn look_for_sweep(&mut self, customer: CustomerId, sweep: &Sweep) {
        self.advance_to(customer, sweep.learnt_at);
        let at = (sweep.occurred_at, sweep.learnt_at);
        let touched = Touched::Changes(&[Change::Account]);
        self.look_at_changes(customer, touched, at, |_| sweep.cause.clone());
    }
}

/// What somebody adds to the figures of their account; a visitor whom nobody knows adds nothing.
pub(super) fn share_of(person: &Person) -> Option<Share> {
    let profile = person.known.then_some(&person.member.profile);
    profile.and_then(Share::of)
}
