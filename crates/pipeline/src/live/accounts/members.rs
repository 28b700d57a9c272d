//! Who belongs to each account, what is true of it, and who is still to be told what.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::ops::Bound;

use foldhash::fast::FixedState;
use regulars_core::{Cause, CustomerId, Symbol, Timestamp};
use regulars_profile::{Context, Customer, Profile};
use regulars_rules::{AccountTruths, Program};

use crate::live::engine::People;

/// Something else became true of an account.
#[derive(Debug)]
pub(super) struct Turn {
    /// Turns of all accounts are numbered as they were made.
    number: u64,
    /// What conditions on the account come to from then on, and before.
    pub(super) truths: AccountTruths,
    pub(super) before: AccountTruths,
    /// When what brought it happened, and when that was learnt.
    pub(super) occurred_at: Timestamp,
    pub(super) learnt_at: Timestamp,
    /// `None` where time alone brought it.
    pub(super) cause: Option<Cause>,
}

/// An account with members, visitors among them.
#[derive(Debug, Default)]
struct Account {
    members: BTreeSet<CustomerId>,
    /// `None` until it is looked at, which it is before any customer is in it.
    truths: Option<AccountTruths>,
    /// Turns that not everyone was told, the oldest first.
    turns: VecDeque<Turn>,
    /// How far the sweep has come that goes through the members, and the number of turns when it
    /// began: who was passed was told all of them, and so was who joined since.
    swept_to: Option<CustomerId>,
    swept_since: u64,
    /// When it is looked at next, as it stands in the queue.
    queued: Option<Timestamp>,
}

/// All accounts.
#[derive(Debug)]
pub(in crate::live) struct LiveAccounts {
    of: HashMap<Symbol, Account, FixedState>,
    /// By name, those that a call named.
    named: BTreeMap<Box<str>, Symbol>,
    /// What is true of no account.
    none: AccountTruths,
    /// Accounts with turns that not everyone was told, in line.
    sweeps: VecDeque<Symbol>,
    turns_made: u64,
    /// When to look at which account; entries that are too early do no harm.
    wakes: BinaryHeap<Reverse<(Timestamp, Symbol)>>,
    /// When anything last changed in any account, by the time of the live path.
    pub(in crate::live) changed_at: Timestamp,
}

impl LiveAccounts {
    /// Those of everyone; of none is it known yet what is true of it.
    pub(in crate::live) fn of_all(
        people: &People,
        program: &Program,
        context: &Context,
        now: Timestamp,
    ) -> Self {
        let named = context.accounts.ids();
        let named = named.map(|account| (context.symbols.text(account).into(), account));
        let nobody = Profile::new(CustomerId::NOBODY);
        let mut accounts = Self {
            of: HashMap::default(),
            named: named.collect(),
            none: program.account_truths(&Customer::new(&nobody, context), now),
            sweeps: VecDeque::new(),
            turns_made: 0,
            wakes: BinaryHeap::new(),
            changed_at: Timestamp::MIN,
        };
        for (&customer, person) in people {
            accounts.go(customer, Symbol::NONE, person.member.profile.account);
        }
        accounts
    }

    /// A call names an account.
    pub(super) fn name(&mut self, name: &str, account: Symbol) {
        if !self.named.contains_key(name) {
            self.named.insert(name.into(), account);
        }
    }

    /// Accounts by name, those after one.
    pub(super) fn named_after(&self, after: Option<&str>) -> impl Iterator<Item = (&str, Symbol)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let named = self.named.range::<str, _>((from, Bound::Unbounded));
        named.map(|(name, &account)| (&**name, account))
    }

    /// A customer leaves an account for another; either may be none. They know all that is true
    /// of it.
    pub(in crate::live) fn go(&mut self, customer: CustomerId, from: Symbol, to: Symbol) {
        if from == to {
            return;
        }
        if let Some(account) = self.of.get_mut(&from) {
            account.members.remove(&customer);
            if account.members.is_empty() {
                self.of.remove(&from);
            }
        }
        if let Some(to) = to.known() {
            self.of.entry(to).or_default().members.insert(customer);
        }
    }

    /// Every account with members.
    pub(super) fn with_members(&self) -> Vec<Symbol> {
        self.of.keys().copied().collect()
    }

    /// What is true of an account.
    pub(in crate::live) fn truths(&self, account: Symbol) -> &AccountTruths {
        let known = self.of.get(&account);
        known
            .and_then(|account| account.truths.as_ref())
            .unwrap_or(&self.none)
    }

    /// How many turns were made so far: who is told everything now was told those before.
    pub(in crate::live) fn turns_made(&self) -> u64 {
        self.turns_made
    }

    /// Takes note of what is true of an account; says whether that is a turn. It happened and was
    /// learnt at two moments, and was caused by something or by time.
    pub(super) fn look(
        &mut self,
        account: Symbol,
        truths: AccountTruths,
        (occurred_at, learnt_at, cause): (Timestamp, Timestamp, Option<&Cause>),
    ) -> bool {
        // In one without members nobody is concerned; it is looked at when somebody joins.
        let Some(known) = self.of.get_mut(&account) else {
            return false;
        };
        let before = known.truths.replace(truths.clone());
        if let Some(at) = truths.next_look()
            && known.queued.is_none_or(|queued| at < queued)
        {
            known.queued = Some(at);
            self.wakes.push(Reverse((at, account)));
        }
        let Some(before) = before.filter(|before| !before.hold_as(&truths)) else {
            return false;
        };
        if known.turns.is_empty() {
            self.sweeps.push_back(account);
        }
        known.turns.push_back(Turn {
            number: self.turns_made,
            truths,
            before,
            occurred_at,
            learnt_at,
            cause: cause.cloned(),
        });
        self.turns_made += 1;
        true
    }

    /// When time changes something of an account next, or may do so.
    pub(super) fn wakes_at(&self, account: Symbol) -> Option<Timestamp> {
        let truths = self.of.get(&account)?.truths.as_ref()?;
        truths.next_look()
    }

    /// When time changes something of any account next, or may do so.
    pub(in crate::live) fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes an account out of the queue that is due by then; `None` when none is.
    pub(in crate::live) fn due(&mut self, now: Timestamp) -> Option<Symbol> {
        while let Some(&Reverse((at, account))) = self.wakes.peek()
            && at <= now
        {
            self.wakes.pop();
            let known = self.of.get_mut(&account);
            // An entry that an earlier one replaced says nothing.
            if known.is_some_and(|known| known.queued.take_if(|queued| *queued == at).is_some()) {
                return Some(account);
            }
        }
        None
    }

    /// Puts an account into the queue again that was taken out of it and did not change.
    pub(in crate::live) fn queue(&mut self, account: Symbol) {
        let Some(known) = self.of.get_mut(&account) else {
            return;
        };
        let next = known.truths.as_ref().and_then(AccountTruths::next_look);
        if let (Some(at), None) = (next, known.queued) {
            known.queued = Some(at);
            self.wakes.push(Reverse((at, account)));
        }
    }

    /// True when somebody is still to be told of a turn.
    pub(super) fn is_sweeping(&self) -> bool {
        !self.sweeps.is_empty()
    }

    /// The number of the oldest turn that somebody is still to be told.
    pub(super) fn oldest_turn(&self) -> Option<u64> {
        let accounts = self.sweeps.iter();
        let oldest = |account: &Symbol| self.of.get(account)?.turns.front().map(|it| it.number);
        accounts.filter_map(oldest).min()
    }

    /// The member whom the first sweep in line comes to next; `None` when a sweep ended there, or
    /// none is in line. One that ended begins again, behind the others, if there were turns since.
    pub(super) fn next_of_sweep(&mut self) -> Option<CustomerId> {
        let &account = self.sweeps.front()?;
        let known = self.of.get_mut(&account);
        let Some(known) = known.filter(|known| !known.turns.is_empty()) else {
            self.sweeps.pop_front();
            return None;
        };
        let from = match known.swept_to {
            Some(customer) => Bound::Excluded(customer),
            None => {
                known.swept_since = self.turns_made;
                Bound::Unbounded
            }
        };
        known.swept_to = known
            .members
            .range((from, Bound::Unbounded))
            .next()
            .copied();
        if known.swept_to.is_some() {
            return known.swept_to;
        }
        let since = known.swept_since;
        let told = known.turns.partition_point(|turn| turn.number < since);
        known.turns.drain(..told);
        self.sweeps.pop_front();
        if !known.turns.is_empty() {
            self.sweeps.push_back(account);
        }
        None
    }

    /// Takes the turns of an account, to be put back, and which of them somebody is still to be
    /// told who was told those before `seen`.
    pub(super) fn lend_turns(&mut self, account: Symbol, seen: u64) -> (VecDeque<Turn>, usize) {
        let known = self.of.get_mut(&account);
        let turns = known.map_or_else(VecDeque::new, |known| std::mem::take(&mut known.turns));
        let from = turns.partition_point(|turn| turn.number < seen);
        (turns, from)
    }

    /// Puts them back.
    pub(super) fn take_back(&mut self, account: Symbol, turns: VecDeque<Turn>) {
        if let Some(known) = self.of.get_mut(&account) {
            known.turns = turns;
        }
    }
}
