//! From what lies on disk to everyone, live.
//!
//! ```text
//! history ─► profiles, states ─┐
//! events of the log ───────────┼─► people ─► memberships as recorded ─► the tail of the log, folded anew
//! saved memberships, `Found` ──┘
//! ```
//!
//! Facts come from the history and from the events. Memberships come from what was recorded of
//! them, so that no transition is found twice. What happened since the last record of what was
//! found is folded as if it came now, which finds the same transitions with the same ids.

use std::collections::{BTreeMap, BinaryHeap};

use regulars_core::{Cause, CustomerId, Direction, Partition, SegmentName, Timestamp};
use regulars_profile::{Ledger, World};
use regulars_rules::Keep;
use regulars_store::Store;
use regulars_store::history::SymbolTable;
use regulars_store::log::{Found, LogRecord, LogRecordKind, Logged, MembershipsNoted};
use regulars_store::tables::memberships::{MembershipsSaved, SavedMember};
use regulars_store::vault::IdentityId;

use super::definitions::{self, Definitions};
use super::engine::{Engine, Finding, People, transition_id};
use super::orders::{self, Orders};
use super::person::Person;
use super::told::{Tellings, Until};
use crate::base::{Base, FoldOptions, Scoring, load_products};
use crate::catalogue::Catalogue;
use crate::error::PipelineError;
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

/// What was recorded of memberships.
struct Recorded {
    folded_to: u64,
    now: Timestamp,
    /// By customer and segment: transitions so far, whether inside, and when that began.
    members: BTreeMap<(CustomerId, SegmentName), (u64, bool, Timestamp)>,
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
        let recorded = recorded(store)?;
        let imported = match &recorded {
            Some(recorded) => has_since(store, LogRecordKind::ImportAdded, recorded.folded_to)?,
            None => false,
        };
        let now = match &recorded {
            Some(recorded) if !imported => recorded.now.min(options.now),
            Some(_) | None => options.now,
        };
        let folded_to = recorded.as_ref().map(|recorded| recorded.folded_to);
        let told_to = if imported { None } else { folded_to };
        let mut tellings = Tellings::load(store, Until::Offset(told_to.unwrap_or(u64::MAX)))?;
        let tail = std::mem::take(&mut tellings.tail);
        // Facts as they are known by now: each customer is looked at from when they were known.
        let fold = FoldOptions {
            now: now.max(options.now),
            threads: options.threads,
            scoring: Scoring::FitThen,
            keep: Keep::Needed,
        };
        let mut engine = Self::folded(workspace, store, &catalogue, fold, tellings, progress)?;
        engine.now = now;
        engine.started_at = options.now;
        engine.definitions = definitions::take_into_use(store, &engine.catalogue, options.now)?;
        match recorded {
            None => {
                engine.look_at_everyone(options.threads, |_| Cause::Definition);
                engine.found.clear();
                engine.folded_to = store.next_offset();
                engine.save(store, options.now)?;
            }
            Some(recorded) => {
                let models = has_since(store, LogRecordKind::ModelsFitted, recorded.folded_to)?;
                let changed = engine.definitions.changed.clone();
                engine.recall(recorded.members);
                let cause = |segment: &SegmentName| match () {
                    () if changed.contains(segment) => Cause::Definition,
                    () if imported => Cause::Import,
                    () if models => Cause::Models,
                    () => Cause::CatchUp,
                };
                engine.look_at_everyone(options.threads, cause);
                for (offset, record) in tail {
                    engine.fold(offset, record)?;
                }
                engine.folded_to = store.next_offset();
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
        mut tellings: Tellings,
        progress: &dyn Progress,
    ) -> Result<Self, PipelineError> {
        let config = workspace.config();
        let mut base = Base::fold_told(store, config, catalogue, options, &tellings, progress)?;
        let mut symbols = base.context.symbols.clone();
        let products = load_products(store, &mut symbols)?;
        let everyone = base.take_everyone();
        let mut people = People::default();
        people.reserve(everyone.len());
        let vault = store.vault()?;
        for (profile, states, carts) in everyone {
            let customer = profile.customer;
            let mut person = Person::folded(profile, states, &base.program, true);
            person.known = !vault.is_anonymous(IdentityId(customer.0));
            person.member.carts = carts;
            people.insert(customer, Box::new(person));
        }
        let mut known = known_orders(store)?;
        let redirects = std::mem::take(&mut tellings.redirects);
        for (customer, of) in tellings.take() {
            known.extend(
                of.told
                    .iter()
                    .filter_map(|told| orders::key_of(told, config)),
            );
            let new = || Person::new(customer, &base.program);
            let person = people.remove(&customer).map_or_else(new, |person| *person);
            let carts = person.member.carts.clone();
            people.insert(customer, Box::new(person.with_told(of, carts)));
        }
        let orders = Orders::new(config, known, &mut symbols);
        Ok(Self {
            catalogue: base.catalogue,
            scratch: base.program.new_scratch(),
            program: base.program,
            context: base.context,
            table: SymbolTable::new(symbols),
            products,
            history: store.history(),
            orders,
            definitions: Definitions::default(),
            people,
            redirects: redirects.into_iter().collect(),
            wakes: BinaryHeap::new(),
            ledger: Ledger::default(),
            changes: Vec::new(),
            folded_to: 0,
            now: options.now,
            started_at: options.now,
            found: Vec::new(),
            recorded: tellings.recorded,
        })
    }

    /// Takes over what is recorded of memberships. Members of segments that are no more leave.
    fn recall(&mut self, members: BTreeMap<(CustomerId, SegmentName), (u64, bool, Timestamp)>) {
        for ((customer, segment), (sequence, inside, at)) in members {
            let direction = if inside {
                Direction::Entered
            } else {
                Direction::Exited
            };
            let number = self.program.segment_index(&segment);
            let person = self.people.get_mut(&customer);
            match (number, person) {
                (Some(number), Some(person)) => {
                    person.member.recall(number, sequence, direction, at);
                }
                (None, _) if inside => {
                    let removed = self.definitions.removed.get(&segment);
                    let version = removed.copied().unwrap_or(1);
                    self.found.push(regulars_core::Transition {
                        id: transition_id(customer, &segment, version, sequence + 1),
                        customer,
                        segment,
                        version,
                        sequence: sequence + 1,
                        direction: Direction::Exited,
                        occurred_at: self.now,
                        recorded_at: self.now,
                        cause: Cause::Definition,
                    });
                }
                (None, _) | (Some(_), None) => {}
            }
        }
    }

    /// Looks at every customer at `now`, on several threads; what is found is sorted by customer.
    fn look_at_everyone(&mut self, threads: usize, cause: impl Fn(&SegmentName) -> Cause + Sync) {
        let (program, context, definitions, now) =
            (&self.program, &self.context, &self.definitions, self.now);
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
                person
                    .member
                    .changed(world, now, now, &mut scratch, &mut each);
                for flip in flips {
                    let cause = cause(program.segment_name(flip.segment));
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

    /// Writes the memberships as they are, so that a start need not read what led to them.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn save(&self, store: &mut Store, recorded_at: Timestamp) -> Result<(), PipelineError> {
        let segments: Vec<SegmentName> = (0..self.program.segment_count())
            .map(|segment| self.program.segment_name(segment).clone())
            .collect();
        let customers = self.everyone().into_iter().filter_map(|customer| {
            let member = &self.people.get(&customer)?.member;
            let entries: Vec<(u16, u64, bool)> = member.entries().collect();
            (!entries.is_empty()).then(|| SavedMember {
                customer,
                last_flip_at: member.last_flip_at(),
                entries,
            })
        });
        let saved = MembershipsSaved {
            folded_to: self.folded_to,
            now: self.looked_to(),
            segments,
            customers: customers.collect(),
        };
        let mut transaction = store.begin()?;
        transaction.save_memberships(&saved)?;
        transaction.commit(LogRecord::MembershipsSaved(MembershipsNoted {
            recorded_at,
        }))?;
        Ok(())
    }
}

/// The memberships of the last file and of what was found since.
fn recorded(store: &Store) -> Result<Option<Recorded>, PipelineError> {
    let Some(saved) = store.memberships()? else {
        return Ok(None);
    };
    let mut recorded = Recorded {
        folded_to: saved.folded_to,
        now: saved.now,
        members: BTreeMap::new(),
    };
    for member in saved.customers {
        for (segment, sequence, inside) in member.entries {
            let key = (
                member.customer,
                saved.segments[usize::from(segment)].clone(),
            );
            recorded
                .members
                .insert(key, (sequence, inside, member.last_flip_at));
        }
    }
    for entry in store.logged(saved.folded_to) {
        if let (_, Logged::Found(found)) = entry? {
            let Found {
                folded_to,
                now,
                transitions,
            } = found;
            recorded.folded_to = recorded.folded_to.max(folded_to);
            recorded.now = recorded.now.max(now);
            for transition in transitions {
                let inside = transition.direction == Direction::Entered;
                let state = (transition.sequence, inside, transition.occurred_at);
                let key = (transition.customer, transition.segment);
                recorded.members.insert(key, state);
            }
        }
    }
    Ok(Some(recorded))
}

/// Whether the log has a record of that kind at or after an offset.
fn has_since(store: &Store, kind: LogRecordKind, offset: u64) -> Result<bool, PipelineError> {
    let latest = store.latest(kind)?;
    Ok(latest.is_some_and(|(at, _)| at >= offset))
}

/// Keys of every order in the history.
fn known_orders(store: &Store) -> Result<super::orders::Keys, PipelineError> {
    let mut known = super::orders::Keys::default();
    let history = store.history();
    for partition in Partition::all() {
        let mut versions = history.versions(partition)?;
        while let Some(rows) = versions.next_customer()? {
            known.extend(rows.iter().map(|row| row.order.0));
        }
    }
    Ok(known)
}
