//! Deliveries: from transitions that are in the log to what is to be sent where, and from what
//! became of it to marks in the log.
//!
//! ```text
//! transitions that are on disk ─► add ─► outbox ─► due ─► told (why, to whom) ─► message ─► HTTP
//!                                          ▲                                                │
//! the log (transitions, marks) ─► take_up ─┘      the log ◄─ take_marks ◄─ completed ◄──────┘
//! ```
//!
//! Nothing here sends: whoever has a runtime asks for what is due and says how it ended. The log
//! alone says what is to be delivered: after a kill the outbox is the same again, but for what was
//! in flight.

mod attempts;
mod registry;
mod told;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use regulars_actions::Delivery;
use regulars_actions::payload::{Story, Who};
use regulars_actions::signature::SignedMessage;
use regulars_actions::{
    Attempt, DeliveryId, DestinationId, Mark, Outbox, Outcome, Status, Target, Unsendable,
};
use regulars_core::{Timestamp, Transition, TransitionId};
use regulars_store::Store;
use regulars_store::log::Logged;

use crate::config::DeliveryConfig;
use crate::error::PipelineError;

pub use regulars_actions::{Form, Segments};

pub use attempts::{AttemptResult, AttemptView, AttemptsView};
pub use registry::{Known, NewDestination, add, known, remove, rotate};
pub use told::{Told, names, tell};
pub use view::{DeliveryView, DestinationView};

/// Transitions of which is asked at a time why they happened.
const TOLD_AT_ONCE: usize = 1_000;
/// Transitions whose story is kept until they are delivered, and those that wait for one.
const STORIES: usize = 100_000;
/// Transitions read from the log after which what finished long ago is forgotten.
const FORGET_EVERY: usize = 100_000;

/// What is to be sent where, shared by those who add, send and ask.
#[derive(Debug)]
pub struct Deliveries {
    data: PathBuf,
    space: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    outbox: Outbox,
    known: BTreeMap<DestinationId, Known>,
    stories: HashMap<TransitionId, Arc<Told>>,
    untold: VecDeque<Arc<Transition>>,
    marks: Vec<Mark>,
}

/// What is to be done now.
#[derive(Debug, Default)]
pub struct Due {
    /// To be sent.
    pub attempts: Vec<Attempt>,
    /// To be told of with [`tell`] and [`Deliveries::take_told`], before the attempts are made.
    pub untold: Vec<Arc<Transition>>,
}

/// A request to be made.
#[derive(Debug)]
pub struct Message {
    /// Where to.
    pub url: Target,
    /// Whether that may be `http://`, whatever the settings say.
    pub allow_http: bool,
    /// What.
    pub message: SignedMessage,
}

impl Deliveries {
    /// What the destinations in the data directory and the log give.
    ///
    /// # Errors
    /// When settings, destinations or log cannot be used.
    pub fn start(
        store: &Store,
        space: &str,
        config: &DeliveryConfig,
        now: Timestamp,
    ) -> Result<Self, PipelineError> {
        let outbox = Outbox::new(config.outbox());
        let outbox = outbox.map_err(|error| PipelineError::Destination(error.to_string()))?;
        let deliveries = Self {
            data: store.dir().to_owned(),
            space: space.to_owned(),
            state: Mutex::new(State {
                outbox,
                known: BTreeMap::new(),
                stories: HashMap::new(),
                untold: VecDeque::new(),
                marks: Vec::new(),
            }),
        };
        deliveries.take_up(store, now)?;
        Ok(deliveries)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up what the file of destinations says now. Those that are new get what the log holds
    /// since they were added; so this is to be called where the log stands still, between two
    /// calls of [`Deliveries::add`].
    ///
    /// # Errors
    /// When destinations or log cannot be read.
    pub fn take_up(&self, store: &Store, now: Timestamp) -> Result<(), PipelineError> {
        let listed = known(&self.data)?;
        let mut state = self.state();
        let fresh = state.replace_known(listed);
        let offsets = fresh.iter().map(|id| state.known[id].log_offset);
        let Some(from) = offsets.min() else {
            return Ok(());
        };
        let mut read = 0;
        for entry in store.logged(from) {
            match entry? {
                (offset, Logged::Found(found)) => {
                    for transition in found.transitions {
                        state.enqueue_for(&fresh, offset, &Arc::new(transition));
                        read += 1;
                        if read % FORGET_EVERY == 0 {
                            state.outbox.forget(now);
                        }
                    }
                }
                (offset, Logged::Marks(json)) => {
                    let marks: Vec<Mark> = serde_json::from_slice(&json)
                        .map_err(|error| unreadable_marks(offset, &error))?;
                    for mark in &marks {
                        if fresh.contains(destination_of(mark)) {
                            state.outbox.apply(mark);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes transitions that are in the log, in its order.
    pub fn add<'t>(&self, transitions: impl IntoIterator<Item = &'t Transition>) {
        let mut state = self.state();
        let state = &mut *state;
        for transition in transitions {
            let mut kept: Option<Arc<Transition>> = None;
            for (id, known) in &state.known {
                if known.destination.wants(transition) {
                    let kept = kept.get_or_insert_with(|| Arc::new(transition.clone()));
                    state.outbox.enqueue(id, kept);
                }
            }
            state.untold.extend(kept);
        }
        let over = state.untold.len().saturating_sub(STORIES);
        state.untold.drain(..over);
    }

    /// What is to be done at `now`.
    pub fn due(&self, now: Timestamp) -> Due {
        let mut state = self.state();
        let state = &mut *state;
        state.outbox.forget(now);
        let due = state.outbox.next_due(now);
        state.marks.extend(due.marks);
        let early = state.untold.len().min(TOLD_AT_ONCE);
        let mut untold: Vec<Arc<Transition>> = state.untold.drain(..early).collect();
        let attempts = due.attempts.iter();
        untold.extend(attempts.map(|attempt| Arc::clone(&attempt.transition)));
        untold.retain(|transition| !state.stories.contains_key(&transition.id));
        let mut seen = BTreeSet::new();
        untold.retain(|transition| seen.insert(transition.id));
        Due {
            attempts: due.attempts,
            untold,
        }
    }

    /// When something is to be done next; `None` when nothing waits.
    pub fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let state = self.state();
        if state.untold.is_empty() {
            state.outbox.next_wake(now)
        } else {
            Some(now)
        }
    }

    /// Takes what was told of transitions.
    pub fn take_told(&self, told: Vec<(TransitionId, Told)>) {
        let mut state = self.state();
        for (id, told) in told {
            state.stories.insert(id, Arc::new(told));
        }
    }

    /// The request of an attempt at `now`; `None` when its destination is no more.
    ///
    /// # Errors
    /// When nothing can be sent: report that as the outcome.
    pub fn message(
        &self,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Option<Result<Message, Unsendable>> {
        let (known, told) = {
            let state = self.state();
            let known = state.known.get(&attempt.delivery.destination)?.clone();
            let told = state.stories.get(&attempt.transition.id).cloned();
            (known, told.unwrap_or_default())
        };
        let story = Story {
            transition: &attempt.transition,
            who: Who {
                customer_id: told.customer_id.as_deref(),
                anonymous_id: told.anonymous_id.as_deref(),
            },
            why: &told.why,
            space: &self.space,
        };
        let body = story.body(known.destination.form);
        let id = attempt.transition.id;
        let signed = body.and_then(|body| SignedMessage::new(id, now, body, &known.secrets));
        Some(signed.map(|message| Message {
            url: known.destination.url,
            allow_http: known.destination.allow_http,
            message,
        }))
    }

    /// Takes note of how an attempt ended; `random` is drawn evenly from 0 to 1.
    pub fn completed(&self, attempt: &Attempt, outcome: Outcome, now: Timestamp, random: f64) {
        let mut state = self.state();
        let marks = state.outbox.completed(attempt, outcome, now, random);
        state.marks.extend(marks);
        state.drop_story(attempt.transition.id);
    }

    /// Whether there is something for the log to keep.
    pub fn has_marks(&self) -> bool {
        !self.state().marks.is_empty()
    }

    /// What the log is to keep since the last call, as JSON; `None` when nothing.
    pub fn take_marks(&self) -> Option<Vec<u8>> {
        let marks = std::mem::take(&mut self.state().marks);
        let json = || serde_json::to_vec(&marks).expect("marks are plain data");
        (!marks.is_empty()).then(json)
    }

    /// Sends a dead or expired delivery again.
    ///
    /// # Errors
    /// When it is unknown, on its way, or delivered.
    pub fn replay(&self, id: &str, now: Timestamp) -> Result<Delivery, PipelineError> {
        let not_found = || no_delivery(id);
        let id: DeliveryId = id.parse().map_err(|_| not_found())?;
        let mut state = self.state();
        let mark = state.outbox.replay(&id, now).map_err(|error| match error {
            regulars_actions::ReplayError::Unknown(_) => not_found(),
            error => PipelineError::Destination(error.to_string()),
        })?;
        state.marks.push(mark);
        state.outbox.get(&id).cloned().ok_or_else(not_found)
    }

    /// Lets a destination send again whose receiver wanted nothing more.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn resume(&self, id: &str, now: Timestamp) -> Result<(), PipelineError> {
        let mut state = self.state();
        let known: Option<DestinationId> = id.parse().ok();
        let mark = known.and_then(|id| state.outbox.resume(&id, now));
        state
            .marks
            .push(mark.ok_or_else(|| registry::no_destination(id))?);
        Ok(())
    }

    /// The latest deliveries, the latest last, at most `most`; with `failed` those that are dead
    /// or expired, or of which an attempt failed.
    pub fn latest(&self, which: Which, most: usize) -> Vec<Delivery> {
        let state = self.state();
        let wanted = |delivery: &&Delivery| match which {
            Which::All => true,
            Which::Failed => {
                let status = delivery.status;
                let given_up = matches!(status, Status::Dead | Status::Expired);
                given_up || (delivery.last_error.is_some() && status != Status::Delivered)
            }
        };
        let deliveries = state.outbox.deliveries_from(0).rev();
        let mut latest: Vec<Delivery> = deliveries.filter(wanted).take(most).cloned().collect();
        latest.reverse();
        latest
    }

    /// All destinations, and how they fare.
    pub fn destinations(&self, now: Timestamp) -> Vec<DestinationView> {
        let state = self.state();
        let lanes: HashMap<_, _> = state.outbox.lanes(now).collect();
        let known = state.known.values();
        let mut views: Vec<DestinationView> = known
            .map(|known| DestinationView::of(known, lanes.get(&known.destination.id).copied()))
            .collect();
        views.sort_by(|a, b| (&a.created_at, &a.id).cmp(&(&b.created_at, &b.id)));
        views
    }
}

/// Which deliveries are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All that are remembered.
    All,
    /// Those with something wrong.
    Failed,
}

impl State {
    /// Takes over the list; gives those that are new.
    fn replace_known(&mut self, listed: Vec<Known>) -> BTreeSet<DestinationId> {
        let mut before = std::mem::take(&mut self.known);
        let mut fresh = BTreeSet::new();
        for known in listed {
            let id = known.destination.id.clone();
            let earlier = before.remove(&id);
            let same = earlier.filter(|earlier| earlier.log_offset == known.log_offset);
            let was_enabled = same.as_ref().map(|same| same.destination.enabled);
            if same.is_none() {
                self.outbox.remove(&id);
                fresh.insert(id.clone());
            }
            match (was_enabled, known.destination.enabled) {
                (Some(was), is) if was == is => {}
                (_, true) => self.outbox.enable(&id),
                (_, false) => self.outbox.disable(&id),
            }
            self.known.insert(id, known);
        }
        for id in before.into_keys() {
            self.outbox.remove(&id);
        }
        fresh
    }

    /// Takes a transition of the log for the destinations named.
    fn enqueue_for(
        &mut self,
        which: &BTreeSet<DestinationId>,
        offset: u64,
        transition: &Arc<Transition>,
    ) {
        for id in which {
            let known = &self.known[id];
            if offset >= known.log_offset && known.destination.wants(transition) {
                self.outbox.enqueue(id, transition);
            }
        }
    }

    /// Drops the story of a transition that is on its way nowhere any more, or when there are too
    /// many: it is told again when it is due.
    fn drop_story(&mut self, transition: TransitionId) {
        let on_its_way = |destination: &DestinationId| {
            let id = DeliveryId {
                destination: destination.clone(),
                transition,
            };
            let delivery = self.outbox.get(&id);
            delivery.is_some_and(|delivery| !delivery.status.is_finished())
        };
        if self.stories.len() > STORIES || !self.known.keys().any(on_its_way) {
            self.stories.remove(&transition);
        }
    }
}

fn unreadable_marks(offset: u64, error: &serde_json::Error) -> PipelineError {
    PipelineError::Destination(format!("the marks of record {offset}: {error}"))
}

/// There is no delivery of that id.
fn no_delivery(id: &str) -> PipelineError {
    PipelineError::NotFound {
        what: "delivery",
        name: id.to_owned(),
        hint:
            ": `regulars deliveries` shows the latest, with `--failed` those that can be replayed"
                .to_owned(),
    }
}

fn destination_of(mark: &Mark) -> &DestinationId {
    match mark {
        Mark::Delivered { delivery, .. }
        | Mark::Failed { delivery, .. }
        | Mark::Dead { delivery, .. }
        | Mark::Expired { delivery, .. }
        | Mark::Replayed { delivery, .. } => &delivery.destination,
        Mark::Disabled { destination, .. } | Mark::Enabled { destination, .. } => destination,
    }
}
