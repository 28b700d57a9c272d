//! Customers told of the turns of their account: some at a time, or at once.

use regulars_core::{Cause, CustomerId, Timestamp};

use super::{Engine, Turn};

/// Customers of accounts who are looked at when nothing else waits.
const WHEN_IDLE: usize = 256;

impl Engine {
    /// True when customers of an account, or everyone, are still to be looked at.
    pub fn is_sweeping(&self) -> bool {
        self.accounts.is_sweeping() || self.looks.is_open()
    }

    /// Looks at some of those who are still to be looked at.
    pub fn sweep_some(&mut self) {
        self.sweep(WHEN_IDLE);
        self.look_at_some(WHEN_IDLE);
    }

    /// Looks at all who are still to be looked at.
    pub fn finish_sweeps(&mut self) {
        self.sweep(usize::MAX);
        self.look_at_some(usize::MAX);
    }

    /// The numbers of turns of accounts and of looks at everyone so far: for [`Engine::has_told`].
    pub(in crate::live) fn to_tell(&self) -> (u64, u32) {
        (self.accounts.turns_made(), self.looks.begun())
    }

    /// True when everyone was told of the first so many turns of accounts, and was looked at in the
    /// first so many looks at everyone.
    pub(in crate::live) fn has_told(&self, (turns, looks): (u64, u32)) -> bool {
        let oldest = self.accounts.oldest_turn();
        oldest.is_none_or(|oldest| turns <= oldest) && self.looks.has_ended(looks)
    }

    /// Looks at no more customers than `most`; to one with several turns that counts as often.
    pub(in crate::live) fn sweep(&mut self, most: usize) {
        let mut left = most;
        while left > 0 && self.accounts.is_sweeping() {
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

    /// Tells a customer of the turns of their account that they were not told of, and looks at them
    /// if everyone is looked at and they were not yet; says how many looks these were.
    pub(in crate::live) fn tell_of_account(&mut self, customer: CustomerId) -> usize {
        let (made, begun) = self.to_tell();
        let Some(person) = self.people.get_mut(&customer) else {
            return 0;
        };
        let seen = std::mem::replace(&mut person.turns_seen, made);
        let looks_seen = std::mem::replace(&mut person.looks_seen, begun);
        let is_in_look = looks_seen != begun && self.looks.is_open() && person.is_customer();
        if !is_in_look && (seen == made || !self.accounts.is_sweeping()) {
            return 0;
        }
        let (account, is_customer) = (person.member.profile.account, person.is_customer());
        let (turns, from) = self.accounts.lend_turns(account, seen);
        let told = turns.len() - from + usize::from(is_in_look);
        if is_in_look {
            // Turns before the look were told before it began.
            let truths = match turns.get(from) {
                Some(turn) => turn.before.clone(),
                None => self.accounts.truths(account).clone(),
            };
            self.look_as_of_open(customer, &truths);
        }
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
