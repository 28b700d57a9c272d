//! Conditions on accounts, asked once for all customers of one.
//!
//! They look at nothing of a customer but the account. So a customer is told what they come to,
//! and asks none of them: a change of an account, or the passing of time, concerns its customers
//! only when one of these conditions holds and did not before, or the other way round.

use regulars_core::Timestamp;

use super::leaf::{HORIZON_MS, Search};
use super::truths::Part;
use super::{LeafStates, Program};
use crate::subject::Subject;

/// The truth of every condition on accounts for one account, and until when all of them stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountTruths {
    /// In the order of the leaves that look at accounts.
    pub(super) holds: Box<[bool]>,
    next: Timestamp,
}

impl AccountTruths {
    /// An instant before which no condition's truth changes if nothing happens; `None` when none
    /// ever does. When it comes, nothing may have changed.
    pub fn next_look(&self) -> Option<Timestamp> {
        Some(self.next).filter(|&at| at < Timestamp::MAX)
    }

    /// Whether the same conditions hold, until whenever that is.
    pub fn hold_as(&self, others: &Self) -> bool {
        self.holds == others.holds
    }
}

impl Program {
    /// True when a condition asks for something of accounts.
    pub fn asks_of_accounts(&self) -> bool {
        !self.parts[Part::Accounts as usize].is_empty()
    }

    /// What conditions on accounts say of the account of `subject` at `now`.
    pub fn account_truths<S: Subject>(&self, subject: &S, now: Timestamp) -> AccountTruths {
        // They look at nothing that was folded.
        let states = LeafStates::default();
        let search = Search::soon(now.plus_ms(HORIZON_MS));
        let mut next = Timestamp::MAX;
        let leaves = self.parts[Part::Accounts as usize].iter();
        let holds = leaves.map(|&number| {
            let leaf = &self.leaves[number as usize];
            if let Some(flip) = leaf.next_flip(self, &states, subject, now, search) {
                next = next.min(flip);
            }
            let value = leaf.value_alone(self, &states, subject, now);
            leaf.holds(self, value, now)
        });
        let holds = holds.collect();
        AccountTruths { holds, next }
    }
}
