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

pub(super) use save::Retired;

use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

use regulars_core::{Cause, SegmentName, Timestamp};
use regulars_profile::{Context, Ledger, World};
use regulars_rules::Keep;
use regulars_store::Store;
use regulars_store::history::SymbolTable;
use regulars_store::vault::IdentityId;

use super::accounts::{LiveAccounts, share_of};
use super::at_hand::InHands;
use super::definitions::{self, Definitions};
use super::engine::{Customers, Engine, Finding, People};
use super::everyone::Looks;
use super::orders::Orders;
use super::past::{Past, REPEATS_MS};
use super::person::Person;
use super::seen::Seen;
use super::told::Tellings;
use crate::base::{Base, FoldOptions, Noted, Noting, Scoring, load_products};
use crate::catalogue::Catalogue;
use crate::error::PipelineError;
use crate::population::Limits;
use crate::progress::Progress;
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
    /// Everyone as of the end of the log; what was found on the way is in
    /// [`Engine::take_found`].
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
        let catalogue = Catalogue::load(workspace.config(), Some(&workspace.segments_dir()))?;
        let past = Past::read(store, options.now.plus_ms(-REPEATS_MS))?;
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
        let limits = Limits::in_force(store, before, by, fold.now)?;
        let told = (past.tellings, limits.clone());
        let mut engine = Self::folded(workspace, store, &catalogue, fold, told, progress)?;
        engine.recorded = past.transitions;
        engine.messages = past.messages;
        engine.now = now;
        engine.started_at = options.now;
        if limits.is_none() {
            let Context {
                population,
                settings,
                ..
            } = &engine.context;
            let limits = Limits::of_population(population, settings);
            store.record(limits.into_record(options.now))?;
        }
        engine.look_at_accounts();
        engine.definitions = definitions::take_into_use(
            store,
            &engine.catalogue,
            &engine.context.settings,
            recorded.as_ref().map_or(0, |recorded| recorded.folded_to),
            options.now,
        )?;
        match recorded {
            None => {
                engine.look_at_everyone(options.threads, |_| None);
                engine.settled_to = store.next_offset();
                engine.folded_to = engine.settled_to;
                engine.save(store, options.now)?;
                engine.recorded_to = engine.folded_to;
            }
            Some(recorded) => {
                engine.recorded_to = recorded.folded_to;
                let changed = engine.definitions.changed.clone();
                engine.recall(recorded.members, imported);
                let cause = |segment: &SegmentName| match () {
                    () if changed.contains(segment) => Some(Cause::Definition),
                    () if imported => Some(Cause::Import),
                    // Besides new models, only limits of everyone make a difference at an
                    // instant that was looked at before.
                    () => Some(Cause::Models),
                };
                engine.look_at_everyone(options.threads, cause);
                for (offset, record) in past.tail {
                    engine.fold(offset, record)?;
                }
                if engine.find_again(&recorded.ahead, imported) {
                    engine.look_at_everyone(options.threads, cause);
                }
                engine.find_all();
                engine.settled_to = store.next_offset();
                engine.folded_to = engine.settled_to;
            }
        }
        Ok(engine)
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
        let mut symbols = base.context.symbols.clone();
        let products = load_products(store, &mut symbols)?;
        let Noted {
            claims, visitors, ..
        } = base.take_noted();
        let mut people = People::default();
        people.reserve(base.customers.len());
        let everyone = base.take_everyone();
        let vault = store.vault()?;
        for (profile, states, events) in everyone {
            let customer = profile.customer;
            let mut person = Person::folded(profile, states, &base.program, Some(options.now));
            person.known = !vault.is_anonymous(IdentityId(customer.0));
            if let Some(events) = events {
                person.take_events(*events);
            }
            people.insert(customer, Box::new(person));
        }
        let redirects = std::mem::take(&mut tellings.redirects);
        let parted = std::mem::take(&mut tellings.parted);
        let mut visitors: Customers = visitors.into_iter().collect();
        for (customer, of) in tellings.take_all() {
            let new = || {
                let mut person = Person::new(customer, &base.program);
                person.has_moved = visitors.remove(&customer);
                Box::new(person)
            };
            people.entry(customer).or_insert_with(new).take_told(of);
        }
        let claims = claims.into_iter().map(|(order, who)| (order.0, who));
        let mut orders = Orders::new(config, claims.collect(), &mut symbols);
        orders.contested = base.take_contested();
        let shares = people.values().filter_map(|person| share_of(person));
        base.context.accounts.count_anew(shares);
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
            limits_computed: Timestamp::MIN,
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
            visitors,
            in_hands: InHands::default(),
            refolds: 0,
            names_products: false,
            moved: VecDeque::new(),
        })
    }

    /// Looks at every customer at `now`, on several threads; what is found is sorted by customer.
    /// Of a segment without a `cause`, no transition is found.
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
            .filter(|person| person.known)
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
                member.changed(world, account, (now, now), &mut scratch, &mut each);
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
