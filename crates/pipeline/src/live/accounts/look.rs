//! Accounts as a whole, and who belongs to one.

use regulars_core::{CustomerId, Timestamp};

use super::Engine;
use crate::account_view::{AccountFigures, AccountView};

impl Engine {
    /// Every account that a `group` call named, by id, at `at` or, if that is later, at the time of
    /// the latest record: at most `most`, and only those after an id. No others are looked at.
    pub fn accounts(&self, after: Option<&str>, most: usize, at: Timestamp) -> Vec<AccountFigures> {
        let now = self.now.max(at);
        let named = self.accounts.named_after(after);
        let figures = named.filter_map(|(name, id)| {
            let account = self.context.accounts.get(id)?;
            Some(AccountFigures::of(name, account, now))
        });
        figures.take(most).collect()
    }

    /// An account at `at` or, if that is later, at the time of the latest record; `None` when no
    /// `group` call named it.
    pub fn account(&self, name: &str, at: Timestamp) -> Option<AccountView> {
        let id = self.context.symbols.find(name)?;
        let account = self.context.accounts.get(id)?;
        let now = self.now.max(at);
        Some(AccountView::of(name, account, &self.context, now))
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
            let is_inside = person.is_customer() && Some(person.member.profile.account) == account;
            is_inside.then_some(())
        };
        customers.iter().map(inside).collect()
    }
}
