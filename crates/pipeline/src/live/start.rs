//! From what lies on disk to everyone, live.
//!
//! ```text
//! history ─► profiles, states ─┐
//! events of the log ───────────┼─► people ─► memberships as recorded ─► the tail of the log, folded anew
//! saved memberships, `Found` ──┘   (`past` reads the log)
//! ```
//!
//! Facts come from the history and from the events. Memberships come from what was recorded of
//! them, so that no transition is found twice. What happened since the last record of what was
//! found is folded as if it came now, which finds the same transitions with the same ids; those
//! that were recorded ahead of others, while customers of an account were still being told of it,
//! are among them.

mod recall;
mod save;
mod tail;

pub(super) use save::Retired;
pub(super) use tail::Tail;

use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::FixedState;
use regulars_core::{Cause, CustomerId, SegmentName, Timestamp};
use regulars_profile::{Ledger, Profile, World};
use regulars_rules::Keep;
use regulars_store::Store;
use regulars_store::history::SymbolTable;
use regulars_store::vault::{IdentityId, Vault};

use super::accounts::{LiveAccounts, share_of};
use super::at_hand::InHands;
use super::definitions::{self, Definitions};
use super::engine::{Customers, Engine, Finding, People};
use super::everyone::Looks;
use super::identify::Refusals;
use super::orders::{Claims, Orders};
use super::past::{Past, REPEATS_MS};
use super::person::Person;
use super::seen::Seen;
use super::told::Tellings;
use crate::base::{Base, FoldOptions, Noted, Noting, Scoring, load_products};
use crate::catalogue::Catalogue;
use crate::error::PipelineError;
use crate::population::Limits;
use crate::progress::Progress;
use crate::steps::Steps;
use crate::workspace::Workspace;

/// How a start goes.
#[derive(Debug, Clone, Copy)]
pub struct StartOptions {
    /// The time that is.
    pub now: Timestamp,
    /// Threads to use; never affects the result.
    pub threads: usize,
}

impl Engine {
    /// Everyone as of the last record of what was found; that is in [`Engine::take_found`]. Records
    /// after it are still to be folded ([`Engine::tail`]): [`Live`](super::Live) does so while it takes
    /// new ones, [`Engine::fold_tail`] at once.
    ///
    /// On the first start of a workspace those who are in a segment are taken for members since
    /// then, without transitions.
    ///
    /// # Errors
    /// When a file cannot be read or written, or a segment does not make sense.
    pub fn start(
        workspace: &Workspace,
        store: &mut Store,
        options: StartOptions,
        progress: &dyn Progress,
    ) -> Result<Self, PipelineError> {
        let mut steps = Steps::begin();
        let catalogue = Catalogue::load(workspace.config(), Some(&workspace.segments_dir()))?;
        let past = Past::read(store, options.now.plus_ms(-REPEATS_MS), options.threads)?;
        steps.done("the log is read");
        let has_tail = past.has_tail();
        let Past {
            recorded, imported, ..
        } = past;
        let now = match &recorded {
            Some(recorded) if !imported => recorded.now.min(options.now),
            Some(_) | None => options.now,
        };
        // Facts as they are known by now: each customer is looked at from when they were known.
        let fold = FoldOptions {
            now: now.max(options.now),
            looked_at_from: now,
            threads: options.threads,
            scoring: Scoring::FitThen,
            keep: Keep::Needed,
        };
        let by = (&workspace.config().settings(), &workspace.config().zone());
        let before = recorded.as_ref().map_or(0, |recorded| recorded.folded_to);
        let has_tail = has_tail && !imported;
        let at = if has_tail { now } else { fold.now };
        let limits = Limits::in_force(store, before, by, at)?;
        let told = (past.tellings, limits.clone());
        let mut engine = Self::folded(workspace, store, &catalogue, fold, told, progress)?;
        engine.recorded = past.transitions;
        engine.messages = past.messages;
        engine.refusals = past.refusals;
        engine.now = now;
        engine.started_at = options.now;
        if limits.is_none() && has_tail {
            // The tail may bring others; if not, they are due when it is folded.
            engine.context.population.limits_as_of = None;
        } else if limits.is_none() {
            let limits = Limits::of_context(&engine.context, fold.now);
            store.record(limits.into_record(options.now))?;
        }
        engine.look_at_accounts();
        steps.done("everyone is folded");
        engine.definitions = definitions::take_into_use(
            store,
            &engine.catalogue,
            &engine.context.settings,
            recorded.as_ref().map_or(0, |recorded| recorded.folded_to),
            options.now,
        )?;
        let Some(recorded) = recorded else {
            engine.take_as_members(store, options, &mut steps)?;
            return Ok(engine);
        };
        engine.recorded_to = recorded.folded_to;
        engine.recall(recorded.members, imported);
        steps.done("memberships are recalled");
        engine.look_at_everyone(options.threads, engine.cause_of_start(imported));
        let log_ends = store.next_offset();
        engine.folded_to = if imported {
            log_ends
        } else {
            recorded.folded_to
        };
        engine.settled_to = engine.folded_to;
        engine.tail = Tail {
            records: past.tail,
            to: log_ends,
            ahead: recorded.ahead,
            imported,
        };
        steps.done("everyone is looked at");
        if engine.tail() == 0 {
            engine.fold_tail()?;
        }
        Ok(engine)
    }

    /// Those who are in a segment are members from now on, without transitions.
    fn take_as_members(
        &mut self,
        store: &mut Store,
        options: StartOptions,
        steps: &mut Steps,
    ) -> Result<(), PipelineError> {
        self.look_at_everyone(options.threads, |_| None);
        self.settled_to = store.next_offset();
        self.folded_to = self.settled_to;
        steps.done("everyone is looked at");
        self.save(store, options.now)?;
        self.recorded_to = self.folded_to;
        steps.done("memberships are saved");
        Ok(())
    }

    /// Everyone as the history and the log tell, in no segment yet.
    fn folded(
        workspace: &Workspace,
        store: &Store,
        catalogue: &Catalogue,
        options: FoldOptions,
        (mut tellings, limits): (Tellings, Option<Limits>),
        progress: &dyn Progress,
    ) -> Result<Self, PipelineError> {
        let config = workspace.config();
        let told = (&tellings, limits, Noting::ForLive);
        let mut base = Base::fold_told(store, config, catalogue, options, told, progress)?;
        let mut steps = Steps::begin();
        let mut symbols = base.context.symbols.clone();
        let products = load_products(store, &mut symbols)?;
        let Noted {
            claims,
            visitors,
            nobodies,
            returned,
            ..
        } = base.take_noted();
        let vault = store.vault()?;
        let is_named = |customer: CustomerId| !vault.is_anonymous(IdentityId(customer.0));
        // Both take long for a million customers, and neither needs the other.
        let (mut people, claims) = std::thread::scope(|scope| {
            let claims = claims.into_iter().map(|(order, who)| (order.0, who));
            let claims = scope.spawn(|| claims.collect::<Claims>());
            let people = people_of(&mut base, (returned, nobodies), vault);
            (people, claims.join().expect("collecting does not panic"))
        });
        let redirects = std::mem::take(&mut tellings.redirects);
        let parted = std::mem::take(&mut tellings.parted);
        let mut visitors: Customers = visitors.into_iter().collect();
        for (customer, of) in tellings.take_all() {
            let new = || {
                let mut person = Person::new(customer, &base.program);
                person.named = is_named(customer);
                person.has_moved = visitors.remove(&customer);
                Box::new(person)
            };
            people.entry(customer).or_insert_with(new).take_told(of);
        }
        let mut orders = Orders::new(config, claims, &mut symbols);
        orders.contested = base.take_contested();
        let shares = people.values().filter_map(|person| share_of(person));
        base.context.accounts.count_anew(shares);
        steps.done("people are put together");
        let accounts = LiveAccounts::of_all(&people, &base.program, &base.context, options.now);
        Ok(Self {
            catalogue: base.catalogue,
            scratch: base.program.new_scratch(),
            program: Arc::new(base.program),
            context: base.context,
            table: SymbolTable::new(symbols),
            products,
            history: store.history(),
            orders,
            definitions: Definitions::default(),
            touched_accounts: Vec::new(),
            accounts,
            looks: Looks::default(),
            limits_computed: None,
            threads: options.threads,
            people,
            identity_changes: redirects.len(),
            redirects: redirects.into_iter().collect(),
            parted,
            wakes: BinaryHeap::new(),
            ledger: Ledger::default(),
            changes: Vec::new(),
            folded_to: 0,
            settled_to: 0,
            now: options.now,
            started_at: options.now,
            found: Vec::new(),
            recorded: VecDeque::new(),
            recorded_to: 0,
            gone: BTreeMap::new(),
            retired: Retired::default(),
            messages: Seen::default(),
            refusals: Refusals::default(),
            visitors,
            in_hands: InHands::default(),
            refolds: 0,
            names_products: false,
            moved: VecDeque::new(),
            tail: Tail::default(),
        })
    }

    /// Looks at every customer at `now`, on several threads; what is found is sorted by customer.
    /// Of a segment without a `cause`, no transition is found. Who is nobody any more is in no segment.
    pub(super) fn look_at_everyone(
        &mut self,
        threads: usize,
        cause: impl Fn(&SegmentName) -> Option<Cause> + Sync,
    ) {
        let (program, context, definitions, now) =
            (&self.program, &self.context, &self.definitions, self.now);
        let (accounts, looks) = (&self.accounts, self.looks.begun());
        let world = World { program, context };
        let mut people: Vec<&mut Person> = self
            .people
            .values_mut()
            .map(|person| &mut **person)
            .filter(|person| person.named)
            .collect();
        people.sort_unstable_by_key(|person| person.member.profile.customer);
        let share = people.len().div_ceil(threads.max(1)).max(1);
        let run = |people: &mut [&mut Person]| {
            let mut scratch = program.new_scratch();
            let (mut found, mut wakes) = (Vec::new(), BinaryHeap::new());
            for person in people {
                let customer = person.member.profile.customer;
                let mut flips = Vec::new();
                let mut each = |flip| flips.push(flip);
                // What was recorded of somebody may be ahead of the others.
                let now = now.max(person.known_to());
                let member = &mut person.member;
                let account = accounts.truths(member.profile.account);
                if person.counts {
                    member.changed(world, account, (now, now), &mut scratch, &mut each);
                } else {
                    member.leave_all((now, now), &mut each);
                }
                person.turns_seen = accounts.turns_made();
                person.looks_seen = looks;
                for flip in flips {
                    let Some(cause) = cause(program.segment_name(flip.segment)) else {
                        continue;
                    };
                    let mut finding = Finding {
                        customer,
                        program,
                        definitions,
                        recorded_at: now,
                        cause: &cause,
                        found: &mut found,
                    };
                    finding.add(flip);
                }
                person.queue(customer, &mut wakes);
            }
            (found, wakes)
        };
        let parts = std::thread::scope(|scope| {
            let run = &run;
            let parts = people.chunks_mut(share);
            let threads: Vec<_> = parts.map(|part| scope.spawn(move || run(part))).collect();
            let joined = threads.into_iter().map(|thread| thread.join());
            joined
                .map(|part| part.expect("looking does not panic"))
                .collect::<Vec<_>>()
        });
        for (found, wakes) in parts {
            self.found.extend(found);
            self.wakes.extend(wakes);
        }
    }
}

/// Everyone of a base, of some of whom something went back at a time, and of some nothing counts.
fn people_of(
    base: &mut Base,
    (returned, nobodies): (Vec<(CustomerId, Timestamp)>, Vec<CustomerId>),
    vault: &Vault,
) -> People {
    let returned: HashMap<CustomerId, Timestamp, FixedState> = returned.into_iter().collect();
    let mut people = People::default();
    people.reserve(base.customers.len());
    for (profile, states, events) in base.take_everyone() {
        let customer = profile.customer;
        let returned_at = returned.get(&customer).copied();
        let mut person = Person::folded(profile, states, &base.program, returned_at);
        person.named = !vault.is_anonymous(IdentityId(customer.0));
        if let Some(events) = events {
            person.take_events(*events);
        }
        people.insert(customer, Box::new(person));
    }
    for customer in nobodies {
        let returned_at = returned.get(&customer).copied();
        let (profile, states) = (Profile::new(customer), base.program.new_states());
        let mut person = Person::folded(profile, states, &base.program, returned_at);
        person.counts = false;
        people.insert(customer, Box::new(person));
    }
    people
}
