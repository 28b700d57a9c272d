//! What the log tells of customers, beside their history: read once, put to whoever it is of.

use std::collections::{BTreeMap, VecDeque};

use regulars_core::{CustomerId, EventKind, Partition, Timestamp, Transition};
use regulars_ingest::tracking::vocabulary::StandardEvent;
use regulars_store::log::{LogRecord, Logged, StoredEvent};
use regulars_store::vault::{IdentityId, Vault};
use regulars_store::{Store, StoreError};

/// An event with its offset in the log.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) offset: u64,
    /// The standard event that it is, if it is one.
    pub(crate) what: Option<StandardEvent>,
    pub(crate) event: Box<StoredEvent>,
}

impl Told {
    pub(crate) fn new(offset: u64, event: StoredEvent) -> Self {
        let is_tracked = event.kind == EventKind::Track;
        let what = is_tracked.then(|| StandardEvent::named(&event.name));
        Self {
            offset,
            what: what.flatten(),
            event: Box::new(event),
        }
    }
}

/// What was told of one customer.
#[derive(Debug, Clone, Default)]
pub(crate) struct ToldOf {
    /// By offset.
    pub(crate) told: Vec<Told>,
    /// Whether another name than an anonymous id is known.
    pub(crate) known: bool,
    /// Ids whose rows of the history are this customer's, besides its own.
    pub(crate) merged: Vec<CustomerId>,
}

/// What was told of everyone up to one point of the log.
#[derive(Debug, Default)]
pub(crate) struct Tellings {
    /// By partition, then by customer.
    parts: Vec<BTreeMap<CustomerId, ToldOf>>,
    /// Customers that turned out to be another.
    pub(crate) redirects: BTreeMap<CustomerId, CustomerId>,
    /// Time of the latest event that arrived.
    pub(crate) latest: Option<Timestamp>,
    /// What the log holds from the given point on.
    pub(crate) tail: Vec<(u64, Logged)>,
    /// The latest transitions that the log holds, in order.
    pub(crate) recorded: VecDeque<Transition>,
}

/// Transitions of the log that are at hand after a start.
pub const RECORDED_KEPT: usize = 100_000;

/// Up to where the log is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// Up to this offset; what follows is kept for later.
    Offset(u64),
    /// What had arrived by then.
    Arrived(Timestamp),
}

impl Tellings {
    /// Reads the log.
    ///
    /// # Errors
    /// When it is damaged, or the vault is.
    pub(crate) fn load(store: &Store, until: Until) -> Result<Self, StoreError> {
        let mut tellings = Self {
            parts: vec![BTreeMap::new(); Partition::COUNT],
            ..Self::default()
        };
        for entry in store.logged(0) {
            let (offset, record) = entry?;
            if let Logged::Found(found) = &record {
                tellings.note(&found.transitions);
            }
            if matches!(until, Until::Offset(end) if offset >= end) {
                tellings.tail.push((offset, record));
                continue;
            }
            match record {
                Logged::Event(event) => {
                    if matches!(until, Until::Arrived(end) if event.received_at > end) {
                        continue;
                    }
                    tellings.tell(store.vault()?, offset, event);
                }
                Logged::Workspace(record) => {
                    if let LogRecord::MergeAccepted(merge) = *record {
                        tellings.join(merge.from, merge.into);
                    }
                }
                Logged::Found(_) | Logged::Tick(_) | Logged::Marks(_) | Logged::Identities => {}
            }
        }
        Ok(tellings)
    }

    fn note(&mut self, transitions: &[Transition]) {
        self.recorded.extend(transitions.iter().cloned());
        let over = self.recorded.len().saturating_sub(RECORDED_KEPT);
        self.recorded.drain(..over);
    }

    fn tell(&mut self, vault: &Vault, offset: u64, event: StoredEvent) {
        self.latest = self.latest.max(Some(event.received_at));
        let customer = self.canonical(vault.resolve(IdentityId(event.identity.0)));
        let of = self.entry(customer);
        of.known |= !event.anonymous;
        of.told.push(Told::new(offset, event));
    }

    fn join(&mut self, from: CustomerId, into: CustomerId) {
        let (from, into) = (self.canonical(from), self.canonical(into));
        if from == into {
            return;
        }
        self.redirects.insert(from, into);
        let gone = self.parts[from.partition().index()].remove(&from);
        let of = self.entry(into);
        of.merged.push(from);
        if let Some(gone) = gone {
            of.known |= gone.known;
            of.merged.extend(gone.merged);
            of.told.extend(gone.told);
            of.told.sort_by_key(|told| told.offset);
        }
    }

    fn entry(&mut self, customer: CustomerId) -> &mut ToldOf {
        self.parts[customer.partition().index()]
            .entry(customer)
            .or_default()
    }

    /// Who a customer is now, merges taken into account.
    pub(crate) fn canonical(&self, customer: CustomerId) -> CustomerId {
        let mut customer = customer;
        while let Some(&into) = self.redirects.get(&customer) {
            customer = into;
        }
        customer
    }

    /// What was told of the customers of a partition, sorted.
    pub(crate) fn of_partition(
        &self,
        partition: Partition,
    ) -> impl Iterator<Item = (CustomerId, &ToldOf)> {
        let part = self.parts.get(partition.index()).into_iter().flatten();
        part.map(|(&customer, of)| (customer, of))
    }

    /// Takes everything that was told, by customer.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (CustomerId, ToldOf)> + use<> {
        std::mem::take(&mut self.parts).into_iter().flatten()
    }

    /// True when nothing was told.
    pub(crate) fn is_empty(&self) -> bool {
        self.latest.is_none()
    }
}

/// When the latest event arrived; `None` without events.
///
/// # Errors
/// When the log is damaged.
pub(crate) fn latest_arrival(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    let mut latest = None;
    for entry in store.logged(0) {
        if let (_, Logged::Event(event)) = entry? {
            latest = latest.max(Some(event.received_at));
        }
    }
    Ok(latest)
}

impl ToldOf {
    /// The events in the order in which they happened.
    pub(crate) fn by_time(&self) -> Vec<&Told> {
        by_time(&self.told)
    }
}

/// The events in the order in which they happened.
pub(crate) fn by_time(told: &[Told]) -> Vec<&Told> {
    let mut sorted: Vec<&Told> = told.iter().collect();
    sorted.sort_by_key(|told| (told.event.occurred_at, told.offset));
    sorted
}
