//! Accounts: what `group` calls say of them, and what their customers come to.
//!
//! What always holds: of each trait the value that was said last counts, by the time at which it
//! was said, then by its place in the log. So it makes no difference in which order calls are
//! taken, or how they are shared out among threads.

mod times;

use std::collections::BTreeMap;

use regulars_core::{DAY_MS, Symbol, Symbols, Timestamp};

use crate::profile::{Declared, Profile};
use times::Times;

/// Traits of one account, at most: of more names the first in alphabetical order count. So it makes
/// no difference in which order they are said.
const MOST_TRAITS: usize = 1_000;

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
    figures: Figures,
}

/// What the customers of an account come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Customers.
    pub customers: u64,
    /// Their orders that count.
    pub orders: u64,
    /// Their net revenue, in minor units.
    revenue_minor: i128,
    /// When each customer with an order last ordered.
    last_orders: Times,
    /// When each customer was last active.
    activity: Times,
}

/// A customer is active for so long after an event or an order.
const ACTIVE_MS: i64 = 30 * DAY_MS;

/// What one customer adds to the figures of their account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The account.
    pub account: Symbol,
    orders: u64,
    revenue_minor: i64,
    last_order_at: Option<Timestamp>,
    active_at: Option<Timestamp>,
}

impl Share {
    /// Of a customer; `None` of one without an account.
    pub fn of(profile: &Profile) -> Option<Self> {
        Some(Self {
            account: profile.account.known()?,
            orders: profile.orders.len() as u64,
            revenue_minor: profile.revenue_minor,
            last_order_at: profile.last_order_at(),
            active_at: profile.active_at(),
        })
    }
}

impl Figures {
    /// Net revenue of all customers in minor units; it ends at 64 bits.
    pub fn revenue_minor(&self) -> i64 {
        let bounds = (i64::MIN.into(), i64::MAX.into());
        self.revenue_minor.clamp(bounds.0, bounds.1) as i64
    }

    /// Time of the last order of any customer.
    pub fn last_order_at(&self) -> Option<Timestamp> {
        self.last_orders.last()
    }

    /// Time of the last event or order of any customer.
    pub fn active_at(&self) -> Option<Timestamp> {
        self.activity.last()
    }

    /// Customers with an event or an order in the 30 days up to `now`.
    pub fn active_customers(&self, now: Timestamp) -> u64 {
        self.activity.count(now.plus_ms(-ACTIVE_MS), now)
    }

    /// When the next of those who are active at `now` no longer is, if nothing happens.
    pub(crate) fn inactive_at(&self, now: Timestamp) -> Option<Timestamp> {
        let first = self.activity.first_after(now.plus_ms(-ACTIVE_MS))?;
        Some(first.plus_ms(ACTIVE_MS))
    }

    fn add(&mut self, share: Share) {
        self.customers += 1;
        self.orders += share.orders;
        self.revenue_minor += i128::from(share.revenue_minor);
        share.last_order_at.inspect(|&at| self.last_orders.put(at));
        share.active_at.inspect(|&at| self.activity.put(at));
    }

    fn remove(&mut self, share: Share) {
        self.customers -= 1;
        self.orders -= share.orders;
        self.revenue_minor -= i128::from(share.revenue_minor);
        share.last_order_at.inspect(|&at| self.last_orders.take(at));
        share.active_at.inspect(|&at| self.activity.take(at));
    }
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

    /// Leaves out those traits of an account that are more than it may have.
    pub fn keep_within_bounds(&mut self, id: Symbol, symbols: &Symbols) {
        if let Some(account) = self.0.get_mut(&id) {
            account.keep_within_bounds(symbols);
        }
    }

    /// As [`Self::keep_within_bounds`], of all accounts.
    pub fn keep_all_within_bounds(&mut self, symbols: &Symbols) {
        for account in self.0.values_mut() {
            account.keep_within_bounds(symbols);
        }
    }

    /// Counts a customer.
    pub fn add(&mut self, share: Share) {
        self.0.entry(share.account).or_default().figures.add(share);
    }

    /// Counts a customer no more who was counted with this share.
    pub fn remove(&mut self, share: Share) {
        if let Some(account) = self.0.get_mut(&share.account) {
            account.figures.remove(share);
        }
    }

    /// Counts these customers and nobody else.
    pub fn count_anew(&mut self, shares: impl Iterator<Item = Share>) {
        for account in self.0.values_mut() {
            account.figures = Figures::default();
        }
        shares.for_each(|share| self.add(share));
    }

    /// Takes all that was said of `others`, whose customers are not counted yet.
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
    fn keep_within_bounds(&mut self, symbols: &Symbols) {
        if self.traits.len() <= MOST_TRAITS {
            return;
        }
        let mut names: Vec<Symbol> = self.traits.keys().copied().collect();
        names.sort_unstable_by_key(|&name| symbols.text(name));
        for name in &names[MOST_TRAITS..] {
            self.traits.remove(name);
        }
    }

    /// What its customers come to.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

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
    fn an_account_has_so_many_traits_and_the_same_in_whatever_order_they_are_said() {
        let mut symbols = Symbols::default();
        let names: Vec<Symbol> = (0..1_100)
            .map(|n| symbols.intern(&format!("t{:04}", n * 7 % 1_100)))
            .collect();
        let of = |order: &[usize], at_once: usize, symbols: &Symbols| {
            let mut accounts = Accounts::default();
            for said in order.chunks(at_once) {
                for &n in said {
                    let value = Declared::Number(n as f64);
                    accounts.say(ACME, names[n], value, (Timestamp(n as i64), 0));
                }
                accounts.keep_within_bounds(ACME, symbols);
            }
            accounts
        };
        let forwards: Vec<usize> = (0..1_100).collect();
        let backwards: Vec<usize> = forwards.iter().rev().copied().collect();
        let accounts = of(&forwards, 250, &symbols);
        assert_eq!(accounts, of(&backwards, 10, &symbols));
        let account = accounts.get(ACME).unwrap();
        let mut kept: Vec<&str> = account.all().map(|(name, _)| symbols.text(name)).collect();
        kept.sort_unstable();
        assert_eq!((kept.len(), kept[0], kept[999]), (1_000, "t0000", "t0999"));
    }

    #[test]
    fn customers_are_counted_and_leave_as_they_came() {
        let share = |orders, last| Share {
            account: ACME,
            orders,
            revenue_minor: 100 * orders as i64,
            last_order_at: Some(Timestamp(last)),
            active_at: Some(Timestamp(last + 1)),
        };
        let shares = [share(1, 5), share(2, 9), share(3, 9)];
        let mut accounts = Accounts::default();
        accounts.count_anew(shares.into_iter());
        let figures = |accounts: &Accounts| {
            let figures = accounts.get(ACME).map(Account::figures).cloned();
            let figures = figures.unwrap_or_default();
            let last = figures.last_order_at().map(|at| at.0);
            (
                figures.customers,
                figures.orders,
                figures.revenue_minor(),
                last,
            )
        };
        assert_eq!(figures(&accounts), (3, 6, 600, Some(9)));
        let active = |accounts: &Accounts, now: i64| {
            let figures = accounts.get(ACME).map(Account::figures);
            figures.map_or(0, |figures| figures.active_customers(Timestamp(now)))
        };
        let end = 10 + 30 * DAY_MS;
        let counts = [5, 6, 10, end - 5, end - 4, end - 1, end];
        let counts = counts.map(|now| active(&accounts, now));
        assert_eq!(counts, [0, 1, 3, 3, 2, 2, 0]);
        accounts.remove(shares[2]);
        assert_eq!(figures(&accounts), (2, 3, 300, Some(9)));
        assert_eq!(active(&accounts, 10), 2);
        accounts.remove(shares[1]);
        assert_eq!(figures(&accounts), (1, 1, 100, Some(5)));
        accounts.remove(shares[0]);
        assert_eq!(figures(&accounts), (0, 0, 0, None));
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
