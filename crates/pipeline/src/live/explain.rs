//! Why a customer is in a segment or not, with the events that conditions looked at last.
//!
//! ```text
//! who asks ─► folder: the explanation, what the log holds of the customer, the history as it is
//!          ◄──────────┘
//! reads the customer's events, finds the latest of each condition
//! ```
//!
//! A customer may have a hundred thousand events in the history. They are read by whoever asks:
//! the folder, which has everyone else to look after, only copies what it has at hand.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use regulars_core::{Currency, CustomerId, Timestamp};
use regulars_rules::{Explanation, Program};
use regulars_store::history::History;
use regulars_store::vault::IdentityId;

use super::engine::Engine;
use super::person::{Moved, Person};
use super::retell;
use super::service::{Live, read_patiently};
use super::told::Told;
use super::whose::RowPlaces;
use crate::error::PipelineError;

/// Why a customer is in a segment or not.
#[derive(Debug)]
pub struct Explained {
    /// Who they are now, merges taken into account.
    pub customer: CustomerId,
    /// The ids under which anything may be recorded of them.
    pub ids: BTreeSet<CustomerId>,
    /// How often they entered or left the segment, as far as it was recorded.
    pub transitions: u64,
    /// The moment of the explanation.
    pub as_of: Timestamp,
    /// The currency of all amounts.
    pub currency: Currency,
    /// Each condition with its value and its latest event, and when it changes next.
    pub explanation: Explanation,
}

/// An explanation in which the events are still to be named.
#[derive(Debug)]
pub(super) struct Explaining {
    explained: Explained,
    segment: usize,
    program: Arc<Program>,
    /// Events of the log that conditions look at.
    told: Vec<Told>,
    /// Where the history has events of them; `None` when it has none.
    moved: Option<MovedEvents>,
}

/// Events of one customer in the history, to be read whatever becomes of the customer meanwhile.
#[derive(Debug)]
struct MovedEvents {
    history: History,
    customer: CustomerId,
    /// The ids under which they lie.
    ids: Vec<CustomerId>,
    /// Whose the rows under each id are, where not all of them are the customer's.
    owners: Option<Owners>,
}

/// Whose rows of the history are.
#[derive(Debug)]
struct Owners {
    /// Of identities that left a customer.
    parted: HashMap<IdentityId, CustomerId>,
    /// Of all others, by the id under which they lie.
    under: HashMap<CustomerId, CustomerId>,
}

impl Engine {
    /// Begins to explain why a customer is in a segment or not at `at` or, if that is later, at
    /// the time of the latest record; `None` for nobody.
    ///
    /// # Errors
    /// When there is no segment of that name.
    pub(super) fn begin_to_explain(
        &self,
        customer: CustomerId,
        segment: &str,
        at: Timestamp,
    ) -> Result<Option<Explaining>, PipelineError> {
        let Some(explanation) = self.explain(customer, segment, at)? else {
            return Ok(None);
        };
        let customer = self.canonical(customer);
        let (Some(number), Some(person)) = (self.number(segment), self.somebody(customer)) else {
            return Ok(None);
        };
        let program = Arc::clone(&self.program);
        let looked_at = |told: &&Told| program.reads(told.event.kind, &told.event.name).is_some();
        let told = person.told.iter().filter(looked_at).cloned().collect();
        Ok(Some(Explaining {
            explained: Explained {
                customer,
                ids: self.ids_of(customer),
                transitions: person.member.sequence(number),
                as_of: self.now.max(at),
                currency: self.currency(),
                explanation,
            },
            segment: number,
            told,
            moved: person.has_moved.then(|| self.moved_events(person)),
            program,
        }))
    }

    fn moved_events(&self, person: &Person) -> MovedEvents {
        let places = person.places();
        let ids: Vec<CustomerId> = places.all().collect();
        let owners = || {
            let parted = self.parted.owners();
            let under = ids.iter().map(|&id| (id, self.canonical(id)));
            Owners {
                parted: parted
                    .map(|(identity, owner)| (identity, self.canonical(owner)))
                    .collect(),
                under: under.collect(),
            }
        };
        MovedEvents {
            history: self.history.clone(),
            customer: places.customer,
            owners: places.is_parted.then(owners),
            ids,
        }
    }
}

impl MovedEvents {
    fn read(&self) -> Result<Moved, PipelineError> {
        let owner = |identity: IdentityId, under: CustomerId| {
            let Some(owners) = &self.owners else {
                return self.customer;
            };
            let parted = owners.parted.get(&identity);
            let owner = parted.or_else(|| owners.under.get(&under));
            owner.copied().unwrap_or(under)
        };
        let places = RowPlaces {
            customer: self.customer,
            ids: &self.ids[1..],
            shared: &[],
            is_parted: self.owners.is_some(),
        };
        Ok(Moved::of(
            &self.history,
            places.events(&self.history, &owner)?,
        ))
    }
}

impl Live {
    /// Why a customer is in a segment or not at `at` or, if that is later, at the time of the
    /// latest record, and when that changes; `None` in it for nobody. The customer's events are
    /// read on the thread that asks. `None` when the live path has stopped.
    ///
    /// # Errors
    /// When there is no segment of that name, or the history cannot be read.
    pub fn explain(
        &self,
        customer: CustomerId,
        segment: &str,
        at: Timestamp,
    ) -> Option<Result<Option<Explained>, PipelineError>> {
        read_patiently(|| {
            let segment = segment.to_owned();
            let explaining = self.ask_of(vec![customer], move |engine| {
                engine.begin_to_explain(customer, &segment, at)
            })?;
            Some(explaining.and_then(|it| it.map(Explaining::finish).transpose()))
        })
    }
}

impl Explaining {
    /// Names the events.
    ///
    /// # Errors
    /// When the history cannot be read; when files of it were replaced since, they are missing.
    pub(super) fn finish(self) -> Result<Explained, PipelineError> {
        let Self {
            mut explained,
            segment,
            program,
            told,
            moved,
        } = self;
        let moved = moved.map(|moved| moved.read()).transpose()?;
        let moved = moved.unwrap_or_default();
        let latest = retell::latest_events(&moved.and(&told), &program);
        program.name_events(segment, &mut explained.explanation, &latest);
        Ok(explained)
    }
}
