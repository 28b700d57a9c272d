//! Conditions on accounts, asked once for all customers of one.
//!
//! They look at nothing of a customer but the account. So a change of an account concerns its
//! customers only when one of these conditions is true of it and was not before, or the other way
//! round, or becomes so by time earlier than they expect it.

use regulars_core::{Timestamp, Trait};

use super::leaf::{HORIZON_MS, LeafSource, Search};
use super::{Change, LeafStates, Program};
use crate::check::ValueTest;
use crate::subject::Subject;

/// The truth of every condition on accounts for one account at one moment, and until when each
/// stays at least if nothing happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountTruths(Vec<(bool, Option<Timestamp>)>);

impl AccountTruths {
    /// Whether customers who were looked at when these held must be looked at now that `then` do.
    pub fn concern_customers(&self, then: &Self) -> bool {
        let mut pairs = self.0.iter().zip(&then.0);
        pairs.any(|(&(held, until), &(holds, now_until))| {
            let is_sooner = now_until.is_some_and(|at| until.is_none_or(|until| at < until));
            held != holds || is_sooner
        })
    }
}

impl Program {
    /// True when a condition asks for something of accounts.
    pub fn asks_of_accounts(&self) -> bool {
        !self.index.leaves(Change::Account).is_empty()
    }

    /// True when time alone changes the truth of a condition on accounts.
    pub fn waits_for_accounts(&self) -> bool {
        let mut leaves = self.index.leaves(Change::Account).iter();
        leaves.any(|&leaf| {
            let leaf = &self.leaves[leaf as usize];
            let moves = LeafSource::Trait(Trait::AccountActiveCustomers);
            leaf.source == moves || matches!(leaf.test, ValueTest::Instant(_))
        })
    }

    /// What conditions on accounts say of the account of `subject` at `now`.
    pub fn account_truths<S: Subject>(
        &self,
        states: &LeafStates,
        subject: &S,
        now: Timestamp,
    ) -> AccountTruths {
        let search = Search::soon(now.plus_ms(HORIZON_MS));
        let leaves = self.index.leaves(Change::Account).iter();
        let truths = leaves.map(|&number| {
            let leaf = &self.leaves[number as usize];
            let value = leaf.value_alone(self, states, subject, now);
            let next = leaf.next_flip(self, states, subject, now, search);
            (leaf.holds(self, value, now), next)
        });
        AccountTruths(truths.collect())
    }
}
