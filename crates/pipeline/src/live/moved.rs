//! Events that went to the history leave memory: a few people at a time, between records.

use regulars_core::{CustomerId, Symbol};
use regulars_store::history::History;

use super::engine::Engine;

/// People who forget what was moved between two records.
const AT_ONCE: usize = 256;

impl Engine {
    /// Takes the history as it is now; events of `customers` were moved there.
    pub fn take_history(&mut self, history: History, customers: Vec<CustomerId>) {
        self.history = history;
        self.moved.extend(customers);
    }

    /// True when somebody's events are in memory that the history has.
    pub fn has_moved(&self) -> bool {
        !self.moved.is_empty()
    }

    /// Lets some people forget what the history has. A visitor of whom nothing else is known is
    /// forgotten, but for the fact that the history knows them.
    pub fn forget_some(&mut self) {
        let moved_to = self.history.moved_to();
        let count = self.moved.len().min(AT_ONCE);
        let customers: Vec<CustomerId> = self.moved.drain(..count).collect();
        for customer in customers {
            let customer = self.canonical(customer);
            let Some(person) = self.people.get_mut(&customer) else {
                continue;
            };
            person.forget_moved(moved_to, self.orders.cart_open_ms());
            self.in_hands.remove(customer);
            if !person.named && person.told.is_empty() && person.is_whole() {
                let account = person.member.profile.account;
                self.accounts.go(customer, account, Symbol::NONE);
                self.people.remove(&customer);
                self.visitors.insert(customer);
            }
        }
        if self.moved.is_empty() {
            self.moved.shrink_to_fit();
        }
    }
}
