//! Customers told of the turns of their account: some at a time, or at once.

use regulars_core::{Cause, CustomerId, Timestamp};

use super::{Engine, Turn};

/// Customers of accounts who are looked at when nothing else waits.
const WHEN_IDLE: usize = 256;

impl Engine {
    /// True when customers of an account are still to be looked at.
    pub fn is_sweeping(&self) -> bool {
        self.accounts.is_sweeping()
    }

    /// Looks at some of those who are still to be looked at.
    pub fn sweep_some(&mut self) {
        self.sweep(WHEN_IDLE);
    }

    /// Looks at all who are still to be looked at.
    pub fn finish_sweeps(&mut self) {
        self.sweep(usize::MAX);
    }

    /// The number of turns of accounts so far: for [`Engine::has_told`].
    pub(in crate::live) fn turns_made(&self) -> u64 {
        self.accounts.turns_made()
    }

    /// True when everyone was told of the first so many turns of accounts.
    pub(in crate::live) fn has_told(&self, turns: u64) -> bool {
        self.accounts
            .oldest_turn()
            .is_none_or(|oldest| turns <= oldest)
    }

    /// Looks at no more customers than `most`; to one with several turns that counts as often.
    pub(in crate::live) fn sweep(&mut self, most: usize) {
        let mut left = most;
        while left > 0 && self.is_sweeping() {
            if let Some(customer) = self.accounts.next_of_sweep() {
                left = left.saturating_sub(self.tell_of_account(customer).max(1));
            }
        }
    }

    /// Looks at a customer as far as they are still to be looked at, and lets nothing else wait.
    pub(in crate::live) fn catch_up(&mut self, customer: CustomerId) {
        let customer = self.canonical(customer);
        self.tell_of_account(customer);
    }

    /// Tells a customer of the turns of their account that they were not told of; says how many
    /// these were.
    pub(in crate::live) fn tell_of_account(&mut self, customer: CustomerId) -> usize {
        let made = self.accounts.turns_made();
        let Some(person) = self.people.get_mut(&customer) else {
            return 0;
        };
        let seen = std::mem::replace(&mut person.turns_seen, made);
        if seen == made || !self.accounts.is_sweeping() {
            return 0;
        }
        let (account, is_customer) = (person.member.profile.account, person.is_customer());
        let (turns, from) = self.accounts.lend_turns(account, seen);
        let told = turns.len() - from;
        if is_customer {
            turns
                .range(from..)
                .for_each(|turn| self.tell(customer, turn));
        }
        self.accounts.take_back(account, turns);
        told
    }

    /// Looks at a customer as of the moment of a turn of their account. What was due of their own
    /// by then happened before it, or with it where time brought both at the same instant.
    fn tell(&mut self, customer: CustomerId, turn: &Turn) {
        let (own_to, now) = match &turn.cause {
            Some(_) => (turn.learnt_at, turn.learnt_at),
            None => (turn.occurred_at.plus_ms(-1), turn.occurred_at),
        };
        self.advance_to(customer, own_to, turn.learnt_at);
        let cause = turn.cause.clone();
        let cause = cause.unwrap_or_else(|| self.cause_of_time(turn.occurred_at));
        let (what, at) = ((&[][..], &turn.truths), (turn.occurred_at, now));
        let flips = self.look_at(customer, |person, looking, each| {
            let (world, scratch) = (looking.world, looking.scratch);
            person.member.happened(world, what, at, scratch, each);
        });
        self.note(customer, flips, turn.learnt_at, &cause);
    }

    /// The cause of what time alone brings at an instant.
    pub(in crate::live) fn cause_of_time(&self, at: Timestamp) -> Cause {
        if at <= self.started_at {
            Cause::CatchUp
        } else {
            Cause::Time
        }
    }
}
