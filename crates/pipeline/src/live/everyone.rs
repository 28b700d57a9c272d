//! Looks at everyone, since something is another for all: some at a time, between records.
//!
//! A look has a moment. Whoever has something happen to them before it comes by is looked at first,
//! as of that moment: so it makes no difference to their transitions when it does. One look is open
//! at a time; before the next begins, it is brought to its end.

use regulars_core::{Cause, CustomerId, Timestamp};
use regulars_rules::AccountTruths;

use super::engine::{Engine, UNSETTLED_AT_MOST};

/// Customers who are looked at between two events.
const BETWEEN_EVENTS: usize = 8;
/// And when more than [`UNSETTLED_AT_MOST`] records wait for everyone.
const MORE_BETWEEN_EVENTS: usize = 64;

/// Looks at everyone.
#[derive(Debug, Default)]
pub(super) struct Looks {
    begun: u32,
    open: Option<Look>,
}

/// One that is not over.
#[derive(Debug)]
struct Look {
    at: Timestamp,
    cause: Cause,
    /// Who is still to be looked at.
    left: std::vec::IntoIter<CustomerId>,
}

impl Looks {
    /// How many were begun so far: who was looked at by now was looked at in all of them.
    pub(super) fn begun(&self) -> u32 {
        self.begun
    }

    /// True when somebody may still be to be looked at.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// True when everyone was looked at who was to be when so many were begun.
    pub(super) fn has_ended(&self, begun: u32) -> bool {
        !self.is_open() || begun < self.begun
    }

    /// Begins one, when none is open.
    fn begin(&mut self, at: Timestamp, cause: Cause, customers: Vec<CustomerId>) {
        self.begun += 1;
        self.open = Some(Look {
            at,
            cause,
            left: customers.into_iter(),
        });
    }

    /// Whom it comes to next; its end closes it.
    fn next(&mut self) -> Option<CustomerId> {
        let next = self.open.as_mut()?.left.next();
        if next.is_none() {
            self.open = None;
        }
        next
    }
}

impl Engine {
    /// Begins to look at everyone as of now. What was due by now, and what earlier records brought,
    /// is found before `change` makes something another for all.
    pub(super) fn look_anew(&mut self, cause: Cause, change: impl FnOnce(&mut Self)) {
        self.find_all_due();
        change(self);
        let customers = self.everyone().into_iter().collect();
        self.looks.begin(self.now, cause, customers);
    }

    /// Finds all that is due by now, and all that earlier records brought.
    pub(super) fn find_all_due(&mut self) {
        while self.is_behind() || self.is_sweeping() {
            self.wake(usize::MAX);
            self.finish_sweeps();
        }
    }

    /// Looks at no more customers than `most`.
    pub(super) fn look_at_some(&mut self, most: usize) {
        for _ in 0..most {
            let Some(customer) = self.looks.next() else {
                return;
            };
            self.catch_up(customer);
        }
    }

    /// How many are looked at between two events: more of them where so much waits that the log
    /// cannot be moved.
    pub(super) fn looks_between_events(&self) -> usize {
        if self.folded_to - self.settled_to > UNSETTLED_AT_MOST {
            MORE_BETWEEN_EVENTS
        } else {
            BETWEEN_EVENTS
        }
    }

    /// Looks at a customer as of the open look, at whose moment `account` was true of their account.
    pub(super) fn look_as_of_open(&mut self, customer: CustomerId, account: &AccountTruths) {
        let Some(look) = &self.looks.open else {
            return;
        };
        let (at, cause) = (look.at, look.cause.clone());
        let flips = self.look_at(customer, |person, looking, each| {
            let (world, scratch) = (looking.world, looking.scratch);
            person
                .member
                .changed(world, account, (at, at), scratch, each);
        });
        self.note(customer, flips, at, &cause);
    }
}
