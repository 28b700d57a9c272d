//! Accounts as a whole, and who belongs to one.

use std::collections::BTreeMap;

use regulars_core::{CustomerId, Timestamp};
use regulars_profile::Account;
use serde::Serialize;
use serde_json::Value;

use super::Engine;
use crate::customer_view::traits_of;

/// What the customers of an account come to. Money is in minor units.
#[derive(Debug, Clone, Serialize)]
pub struct AccountFigures {
    /// Its id.
    pub account: String,
    /// Customers; visitors whom nobody knows are none.
    pub customers: u64,
    /// Customers with an event or an order in the last 30 days.
    pub active_customers: u64,
    /// Orders that count of all customers.
    pub orders: u64,
    /// Net revenue of all customers.
    pub revenue_minor: i64,
    /// Time of the last order.
    pub last_order_at: Option<String>,
    /// Time of the last event or order.
    pub last_activity_at: Option<String>,
}

/// An account as a whole.
#[derive(Debug, Clone, Serialize)]
pub struct LiveAccount {
    /// The moment of all that follows.
    pub as_of: String,
    /// Currency of all amounts.
    pub currency: String,
    /// Digits after the point of that currency.
    pub currency_exponent: u32,
    /// What its customers come to.
    #[serde(flatten)]
    pub figures: AccountFigures,
    /// What `group` calls say of it.
    pub traits: BTreeMap<String, Value>,
}

impl Engine {
    /// Every account that a `group` call named, by id, at `at` or, if that is later, at the time of
    /// the latest record: at most `most`, and only those after an id. No others are looked at.
    pub fn accounts(&self, after: Option<&str>, most: usize, at: Timestamp) -> Vec<AccountFigures> {
        let now = self.now.max(at);
        let named = self.accounts.named_after(after);
        let figures = named.filter_map(|(name, id)| {
            let account = self.context.accounts.get(id)?;
            Some(figures_of(name, account, now))
        });
        figures.take(most).collect()
    }

    /// An account at `at` or, if that is later, at the time of the latest record; `None` when no
    /// `group` call named it.
    pub fn account(&self, name: &str, at: Timestamp) -> Option<LiveAccount> {
        let id = self.context.symbols.find(name)?;
        let account = self.context.accounts.get(id)?;
        let now = self.now.max(at);
        Some(LiveAccount {
            as_of: now.to_string(),
            currency: self.context.currency.code().to_owned(),
            currency_exponent: self.context.currency.exponent(),
            figures: figures_of(name, account, now),
            traits: traits_of(account, &self.context),
        })
    }

    /// True when a `group` call named such an account.
    pub fn has_account(&self, name: &str) -> bool {
        let id = self.context.symbols.find(name);
        id.is_some_and(|id| self.context.accounts.get(id).is_some())
    }

    /// Says of each of these whether they are a customer of an account.
    pub fn inside_account(&self, name: &str, customers: &[CustomerId]) -> Vec<Option<()>> {
        let account = self.context.symbols.find(name);
        let inside = |customer| {
            let person = self.people.get(customer)?;
            let is_inside = person.known && Some(person.member.profile.account) == account;
            is_inside.then_some(())
        };
        customers.iter().map(inside).collect()
    }
}

fn figures_of(name: &str, account: &Account, now: Timestamp) -> AccountFigures {
    let figures = account.figures();
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
    AccountFigures {
        account: name.to_owned(),
        customers: figures.customers,
        active_customers: figures.active_customers(now),
        orders: figures.orders,
        revenue_minor: figures.revenue_minor(),
        last_order_at: text(figures.last_order_at()),
        last_activity_at: text(figures.active_at()),
    }
}
