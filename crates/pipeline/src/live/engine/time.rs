//! Time on the live path: whom it concerns, and how far everything is known.

use std::cmp::Reverse;

use regulars_core::{CustomerId, Timestamp};

use super::Engine;

/// Wake-ups that are looked at when nothing else waits.
const WAKES_AT_ONCE: usize = 256;
/// Wake-ups that are looked at between two events: when very many are due at one instant, events
/// go on nearly as fast as before.
const WAKES_BETWEEN_EVENTS: usize = 2;
/// Customers of accounts who are looked at between two events, when more are to be.
const OF_ACCOUNTS_BETWEEN_EVENTS: usize = 64;
/// Records that may be folded while what earlier ones cause is still to be found, before more is
/// looked at between two events.
pub(in crate::live) const UNSETTLED_AT_MOST: u64 = 200_000;
const MORE_WAKES: usize = 64;
const MORE_OF_ACCOUNTS: usize = 4_096;

impl Engine {
    /// When somebody flips next if nothing happens; never too late.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let of_people = self.wakes.peek().map(|Reverse((at, _))| *at);
        of_people.into_iter().chain(self.accounts.next_wake()).min()
    }

    /// True when somebody's flip is due and was not looked at yet.
    pub fn is_behind(&self) -> bool {
        self.next_wake().is_some_and(|at| at <= self.now)
    }

    /// Every flip up to then has happened.
    pub fn looked_to(&self) -> Timestamp {
        let before = |at: Timestamp| at.plus_ms(-1).min(self.now);
        self.next_wake().map_or(self.now, before)
    }

    /// Looks at some of those who are due: few enough that nobody else waits for long. The
    /// order in which customers are looked at changes nothing for any of them.
    pub fn wake_some(&mut self) {
        self.wake(WAKES_AT_ONCE);
    }

    pub(in crate::live) fn wake(&mut self, most: usize) {
        for _ in 0..most {
            // Its customers are told afterwards, some at a time.
            if let Some(account) = self.accounts.due(self.now) {
                self.let_account_age(account);
                self.accounts.queue(account);
                continue;
            }
            let due = self.wakes.peek().filter(|Reverse((at, _))| *at <= self.now);
            let Some(&Reverse((at, customer))) = due else {
                return;
            };
            self.wakes.pop();
            let person = self.people.get_mut(&customer);
            // An entry that an earlier one replaced says nothing.
            if person.is_some_and(|person| person.queued.take_if(|queued| *queued == at).is_some())
            {
                self.advance(customer);
            }
        }
    }

    /// Lets time pass for one customer and for their account, before something happens to them.
    pub(in crate::live) fn advance(&mut self, customer: CustomerId) {
        let Some(person) = self.people.get(&customer) else {
            return;
        };
        self.let_account_age(person.member.profile.account);
        self.tell_of_account(customer);
        self.advance_to(customer, self.now, self.now);
    }

    /// Lets time pass for one customer up to `now`, which is learnt at `learnt_at`; of the account
    /// nothing is asked.
    pub(in crate::live) fn advance_to(
        &mut self,
        customer: CustomerId,
        now: Timestamp,
        learnt_at: Timestamp,
    ) {
        let flips = self.look_at(customer, |person, looking, each| {
            // Nobody is in no segment, whatever time brings.
            if person.is_customer() {
                let (world, scratch) = (looking.world, looking.scratch);
                person.member.advance(world, now, scratch, each);
            }
        });
        for flip in flips {
            let cause = self.cause_of_time(flip.occurred_at);
            self.note(customer, vec![flip], learnt_at, &cause);
        }
    }

    /// True when nothing that the folded records cause is still to be found, but for what time
    /// brings after [`Engine::looked_to`]: no customer is to be told anything of an account, and
    /// no account has changed since.
    pub fn is_settled(&self) -> bool {
        !self.is_sweeping() && self.accounts.changed_at <= self.looked_to()
    }

    /// Finds all that the folded records cause.
    pub fn find_all(&mut self) {
        self.finish_sweeps();
        while !self.is_settled() {
            self.wake(usize::MAX);
            self.finish_sweeps();
        }
        self.settled_to = self.folded_to;
    }

    /// How many people who are due, and how many customers of accounts, are looked at between two
    /// events: more of them where so much waits that the log cannot be moved.
    pub(super) fn between_events(&self) -> (usize, usize) {
        if self.folded_to - self.settled_to > UNSETTLED_AT_MOST {
            (MORE_WAKES, MORE_OF_ACCOUNTS)
        } else {
            (WAKES_BETWEEN_EVENTS, OF_ACCOUNTS_BETWEEN_EVENTS)
        }
    }
}
