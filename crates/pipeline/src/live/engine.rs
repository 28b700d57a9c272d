//! Everyone, live: folds the log's records in order and says who moved.
//!
//! ```text
//! (offset, record) ─► now = max(now, its time) ─► flips that were due by now, at their instants
//!                  ─► the record folded into its customer ─► flips that it causes
//! ```
//!
//! Time moves with the records alone (events carry when they came, ticks say that time went by),
//! so that the same records give the same transitions, whenever they are folded.

mod data;
mod finding;
mod folding;
mod merges;
mod time;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use foldhash::fast::FixedState;
use regulars_core::{Cause, CustomerId, DataNeed, SegmentName, Symbol, Timestamp, Transition};
use regulars_profile::{Context, Flip, Ledger, Products, World};
use regulars_rules::{Change, CheckedRule, Program, Scratch};
use regulars_store::history::{History, SymbolTable};
use regulars_store::log::{LogRecord, Logged, StoredEvent};
use regulars_store::moved::TransitionRow;
use regulars_store::tables::memberships::SavedMember;

use super::accounts::LiveAccounts;
use super::at_hand::InHands;
use super::definitions::Definitions;
use super::everyone::Looks;
use super::identify::Refusals;
use super::orders::Orders;
use super::person::{Person, Retold, Whose};
use super::seen::Seen;
use super::start::{Retired, Tail};
use super::told::Told;
use super::whose::Parted;
use crate::catalogue::Catalogue;
use crate::error::PipelineError;
use finding::cause_of;
pub(super) use finding::{Finding, transition_id};
pub(super) use time::UNSETTLED_AT_MOST;

/// Customers of accounts who are looked at right after what changed an account.
const AT_ONCE: usize = 256;

/// When to look at whom, the earliest first.
pub(super) type Wakes = BinaryHeap<Reverse<(Timestamp, CustomerId)>>;

/// Each lies where it is: a table of a million of them grows without moving any.
pub(super) type People = HashMap<CustomerId, Box<Person>, FixedState>;

pub(super) type Customers = HashSet<CustomerId, FixedState>;

/// What may be another of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touched<'a> {
    /// No more than these.
    Changes(&'a [Change]),
    /// Anything.
    Everything,
}

/// What customers are looked at with.
#[derive(Debug)]
pub(super) struct Looking<'a> {
    pub(super) world: World<'a>,
    pub(super) accounts: &'a LiveAccounts,
    pub(super) looks_begun: u32,
    pub(super) scratch: &'a mut Scratch,
}

/// Is given each flip.
pub(super) type Each<'e> = &'e mut dyn FnMut(Flip);

/// Everyone at one point of the log.
#[derive(Debug)]
pub struct Engine {
    pub(super) catalogue: Catalogue,
    /// Shared with those who answer questions.
    pub(super) program: Arc<Program>,
    pub(super) context: Context,
    pub(super) table: SymbolTable,
    pub(super) products: Products,
    pub(super) history: History,
    pub(super) orders: Orders,
    pub(super) definitions: Definitions,
    pub(super) people: People,
    pub(super) accounts: LiveAccounts,
    /// Looks at everyone.
    pub(super) looks: Looks,
    /// As of when limits that depend on everyone were computed last: they may be on their way into
    /// the log.
    pub(super) limits_computed: Option<Timestamp>,
    /// Threads to compute them on; never affects the result.
    pub(super) threads: usize,
    /// Accounts of which the record that is folded changes something.
    pub(super) touched_accounts: Vec<Symbol>,
    /// Customers that turned out to be another.
    pub(super) redirects: HashMap<CustomerId, CustomerId, FixedState>,
    /// Identities that left a customer.
    pub(super) parted: Parted,
    /// How often somebody turned out to be another, or was parted.
    pub(super) identity_changes: usize,
    /// When to look at whom; entries that are too early do no harm.
    pub(super) wakes: Wakes,
    pub(super) ledger: Ledger,
    /// What the latest event changed, for conditions.
    pub(super) changes: Vec<Change>,
    pub(super) scratch: Scratch,
    /// Records before this offset are folded.
    pub(super) folded_to: u64,
    /// Nothing that records before this offset cause is still to be found.
    pub(super) settled_to: u64,
    /// The time that is.
    pub(super) now: Timestamp,
    /// What time alone flips up to then is caught up with: nothing was running.
    pub(super) started_at: Timestamp,
    pub(super) found: Vec<Transition>,
    /// The latest transitions that the log held at the start, in order.
    pub(super) recorded: VecDeque<TransitionRow>,
    /// Memberships of those of whom nothing is in memory any more, by number of the segment: an
    /// import may make them somebody again, or they leave whom they turned out to be, and then go on
    /// counting.
    pub(super) gone: BTreeMap<CustomerId, SavedMember>,
    /// Transitions of segments that are no more.
    pub(super) retired: Retired,
    /// At the start, every transition that records before this offset cause was on disk.
    pub(super) recorded_to: u64,
    /// Messages of the days before the start.
    pub(super) messages: Seen,
    /// What was refused to names before the start.
    pub(super) refusals: Refusals,
    /// Anonymous visitors of whom only the history knows anything.
    pub(super) visitors: Customers,
    /// Those whose past is at hand.
    pub(super) in_hands: InHands,
    /// How often somebody was folded again from the beginning.
    pub(super) refolds: u64,
    /// Whether any line of an order said what was sold.
    pub(super) names_products: bool,
    /// Those whose events the history has by now, and of whom they are still in memory.
    pub(super) moved: VecDeque<CustomerId>,
    /// What lay in the log at the start and is still to be folded.
    pub(super) tail: Tail,
}

impl Engine {
    /// The time that is: of the latest record.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Records of the log before this offset are folded.
    pub fn folded_to(&self) -> u64 {
        self.folded_to
    }

    /// The segments.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// How often somebody was folded again from the beginning, since the start.
    pub fn refolds(&self) -> u64 {
        self.refolds
    }

    /// Takes the transitions found since the last call, in order.
    pub fn take_found(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.found)
    }

    /// Takes the latest transitions that the log held at the start, in order; at most
    /// [`RECORDED_KEPT`](super::RECORDED_KEPT) of them.
    pub fn take_recorded(&mut self) -> Vec<TransitionRow> {
        std::mem::take(&mut self.recorded).into()
    }

    /// Takes the messages of the days before the start.
    pub(super) fn take_messages(&mut self) -> Seen {
        std::mem::take(&mut self.messages)
    }

    /// Takes what was refused to names before the start.
    pub(super) fn take_refusals(&mut self) -> Refusals {
        std::mem::take(&mut self.refusals)
    }

    /// Number of customers: anonymous visitors are none.
    pub fn customers(&self) -> usize {
        let customers = self.people.values().filter(|person| person.is_customer());
        customers.count()
    }

    /// Everyone who is a customer, sorted.
    pub fn customer_ids(&self) -> Vec<CustomerId> {
        self.everyone().into_iter().collect()
    }

    /// Members of each segment, by its number.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.program.segment_count()];
        for person in self.people.values() {
            for segment in person.member.segments().iter() {
                sizes[segment] += 1;
            }
        }
        sizes
    }

    /// Says of each of these whether they are in a segment.
    ///
    /// # Errors
    /// When there is no segment of that name.
    pub fn inside(
        &self,
        segment: &str,
        customers: &[CustomerId],
    ) -> Result<Vec<Option<()>>, PipelineError> {
        self.catalogue.get(segment)?;
        let number = self.number(segment);
        let inside = |customer| {
            let person = self.people.get(customer)?;
            number
                .is_some_and(|number| person.member.segments().contains(number))
                .then_some(())
        };
        Ok(customers.iter().map(inside).collect())
    }

    /// Names of the segments that a customer is in; `None` for nobody.
    pub fn segments_of(&self, customer: CustomerId) -> Option<Vec<SegmentName>> {
        let person = self.somebody(customer)?;
        let segments = person.member.segments().iter();
        Some(
            segments
                .map(|segment| self.program.segment_name(segment).clone())
                .collect(),
        )
    }

    /// Why a customer is in a segment or not at `at` or, if that is later, at the time of the
    /// latest record, and when that changes; `None` for nobody.
    ///
    /// # Errors
    /// When there is no segment of that name.
    pub fn explain(
        &self,
        customer: CustomerId,
        segment: &str,
        at: Timestamp,
    ) -> Result<Option<regulars_rules::Explanation>, PipelineError> {
        self.catalogue.get(segment)?;
        let person = self.somebody(customer);
        Ok(self.number(segment).zip(person).map(|(number, person)| {
            let subject = person.subject(&self.context);
            self.program
                .explain(number, &person.member.states, &subject, self.now.max(at))
        }))
    }

    /// A customer or visitor who is in memory, merges taken into account.
    pub(super) fn somebody(&self, customer: CustomerId) -> Option<&Person> {
        let person = self.people.get(&self.canonical(customer))?;
        (!person.is_nobody()).then_some(person)
    }

    pub(super) fn number(&self, segment: &str) -> Option<usize> {
        let name = SegmentName::new(segment).ok()?;
        self.program.segment_index(&name)
    }

    /// Who a customer is now, merges taken into account.
    pub fn canonical(&self, customer: CustomerId) -> CustomerId {
        let mut customer = customer;
        while let Some(&into) = self.redirects.get(&customer) {
            customer = into;
        }
        customer
    }

    pub(super) fn whose(&self) -> Whose<'_> {
        Whose {
            redirects: &self.redirects,
            parted: &self.parted,
        }
    }

    /// Folds the record at `offset`, the next one of the log; one that is folded already changes
    /// nothing.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn fold(&mut self, offset: u64, record: Logged) -> Result<(), PipelineError> {
        if offset < self.folded_to {
            return Ok(());
        }
        match record {
            Logged::Event(event) => self.fold_event(offset, event)?,
            Logged::Tick(now) => {
                self.now = self.now.max(now);
                self.wake_some();
                self.sweep(AT_ONCE);
            }
            Logged::Workspace(record) => match *record {
                LogRecord::MergeAccepted(merge) => self.merge(&merge)?,
                LogRecord::Unmerged(unmerged) => self.unmerge(&unmerged)?,
                LogRecord::CutpointsSet(set) => self.take_limits(&set),
                _ => {}
            },
            Logged::Found(_) | Logged::Marks(_) | Logged::Identities => {}
        }
        self.folded_to = offset + 1;
        if self.is_settled() {
            self.settled_to = self.folded_to;
        }
        Ok(())
    }

    /// Before the first event of all nobody's visits are known, after it nobody who is told of none
    /// has any.
    fn look_at_visits(&mut self) {
        let of_visits = |rule: &CheckedRule| rule.reads().traits.iter().any(|it| it.is_of_visits());
        if (0..self.program.segment_count()).any(|number| of_visits(self.program.rule(number))) {
            self.look_at_new_data();
        }
    }

    fn fold_event(&mut self, offset: u64, event: StoredEvent) -> Result<(), PipelineError> {
        self.now = self.now.max(event.received_at);
        let (wakes, of_accounts) = self.between_events();
        self.wake(wakes);
        self.sweep(of_accounts);
        self.look_at_some(self.looks_between_events());
        if !self.context.population.has(DataNeed::Events) {
            self.find_all_due();
            self.context.population.data.insert(DataNeed::Events);
            self.look_at_visits();
        }
        let customer = self.canonical(event.customer);
        let occurred_at = event.occurred_at;
        // What was due before it happened before it.
        self.advance(customer);
        let told = Told::new(offset, event);
        if let Some(order) = self.contested_by(customer, &told) {
            return self.fold_contested(customer, told, order);
        }
        self.say_of_account(&told);
        self.changes.clear();
        let (is_new, mut told) = self.with(customer, |person, folding| {
            let was_customer = person.is_customer();
            let told = person.tell(told, folding)?;
            Ok((person.is_customer() && !was_customer, told))
        })?;
        let mut others = BTreeSet::new();
        if is_new {
            others = self.settle_claims_of(customer)?;
            told = Retold::Everything;
        }
        if self.recompile_for_new_texts(customer)? {
            told = Retold::Everything;
        }
        let cause = |engine: &Self| cause_of(offset, &engine.people[&customer].told);
        let is_touched = told == Retold::Everything || !self.changes.is_empty();
        let has_new_data = is_touched && self.note_data([customer]);
        if has_new_data {
            told = Retold::Everything;
        }
        let is_of_accounts = self.look_at_touched_accounts(occurred_at, cause);
        let changes = std::mem::take(&mut self.changes);
        let touched = match told {
            Retold::Everything => Touched::Everything,
            Retold::Nothing => Touched::Changes(&changes),
        };
        if is_of_accounts || touched != Touched::Changes(&[]) {
            self.look_at_changes(customer, touched, occurred_at, cause);
        }
        self.changes = changes;
        for other in others {
            self.look_at_changes(other, Touched::Everything, occurred_at, cause);
        }
        if has_new_data {
            self.look_at_new_data();
        }
        self.sweep(AT_ONCE);
        Ok(())
    }

    /// Looks at a customer, and at what is true of their account, after something happened to
    /// them at `occurred_at`. What was due by now was looked at before. Who is nobody any more is in
    /// no segment.
    pub(super) fn look_at_changes(
        &mut self,
        customer: CustomerId,
        touched: Touched<'_>,
        occurred_at: Timestamp,
        cause: impl FnOnce(&Self) -> Cause,
    ) {
        let at = (occurred_at, self.now);
        let flips = self.look_at(customer, |person, looking, each| {
            let account = looking.accounts.truths(person.member.profile.account);
            let (world, scratch) = (looking.world, looking.scratch);
            let (is_nobody, member) = (person.is_nobody(), &mut person.member);
            match touched {
                _ if is_nobody => member.leave_all(at, each),
                Touched::Everything => member.changed(world, account, at, scratch, each),
                Touched::Changes(changes) => {
                    member.happened(world, (changes, account), at, scratch, each);
                }
            }
            person.turns_seen = looking.accounts.turns_made();
            person.looks_seen = looking.looks_begun;
        });
        if !flips.is_empty() {
            let cause = cause(self);
            self.note(customer, flips, self.now, &cause);
        }
    }

    /// Lets `look` look at a customer, or at who was one, and queues them for what time brings next;
    /// gives what flipped.
    pub(super) fn look_at(
        &mut self,
        customer: CustomerId,
        look: impl FnOnce(&mut Person, Looking<'_>, &mut Each<'_>),
    ) -> Vec<Flip> {
        let mut flips = Vec::new();
        let person = self.people.get_mut(&customer);
        let Some(person) = person.filter(|person| person.named) else {
            return flips;
        };
        let looking = Looking {
            world: World {
                program: &self.program,
                context: &self.context,
            },
            accounts: &self.accounts,
            looks_begun: self.looks.begun(),
            scratch: &mut self.scratch,
        };
        let mut each = |flip| flips.push(flip);
        look(person, looking, &mut (&mut each as Each<'_>));
        person.queue(customer, &mut self.wakes);
        flips
    }

    /// Takes note of what a customer was found to enter and leave.
    pub(super) fn note(
        &mut self,
        customer: CustomerId,
        flips: Vec<Flip>,
        recorded_at: Timestamp,
        cause: &Cause,
    ) {
        let mut found = Finding {
            customer,
            program: &self.program,
            definitions: &self.definitions,
            recorded_at,
            cause,
            found: &mut self.found,
        };
        flips.into_iter().for_each(|flip| found.add(flip));
    }

    /// Everyone who is a customer, sorted.
    pub(super) fn everyone(&self) -> BTreeSet<CustomerId> {
        let people = self.people.iter();
        let customers = people.filter(|(_, person)| person.is_customer());
        customers.map(|(&customer, _)| customer).collect()
    }
}
