//! What events tell of customers, beside the rows of files: put to whoever it is of.
//!
//! Events that were moved to the history are read there, customer by customer. Here is what the log
//! still holds, and what the history holds under somebody who turned out to be another since.

use std::collections::BTreeMap;

use regulars_core::{CustomerId, EventKind, Partition, Timestamp};
use regulars_ingest::tracking::vocabulary::StandardEvent;
use regulars_profile::SaidAt;
use regulars_store::history::{EventRow, History};
use regulars_store::log::{LogRecord, Logged, MergeAccepted, StoredEvent};
use regulars_store::vault::IdentityId;
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

impl Told {
    /// True for what declares traits of a customer.
    pub(crate) fn is_identify(&self) -> bool {
        self.event.kind == EventKind::Identify
    }

    /// Of `group`: the id of the account.
    pub(crate) fn account(&self) -> Option<&str> {
        let is_group = self.event.kind == EventKind::Group && !self.event.name.is_empty();
        is_group.then_some(&*self.event.name)
    }

    /// When it was said.
    pub(crate) fn said_at(&self) -> SaidAt {
        (self.event.occurred_at, self.offset)
    }
}

impl From<EventRow> for Told {
    fn from(row: EventRow) -> Self {
        Self::new(row.offset, row.event)
    }
}

/// What was told of one customer.
#[derive(Debug, Clone, Default)]
pub(crate) struct ToldOf {
    /// What the log holds, by offset.
    pub(crate) told: Vec<Told>,
    /// What the history holds under the ids in `merged`.
    pub(crate) moved: Vec<Told>,
    /// Whether another name than an anonymous id is known.
    pub(crate) known: bool,
    /// Ids whose rows of the history are this customer's, besides its own.
    pub(crate) merged: Vec<CustomerId>,
}

/// What was told of everyone.
#[derive(Debug)]
pub(crate) struct Tellings {
    /// By partition, then by customer.
    parts: Vec<BTreeMap<CustomerId, ToldOf>>,
    /// Customers that turned out to be another.
    pub(crate) redirects: BTreeMap<CustomerId, CustomerId>,
    /// What arrived later is not told.
    pub(crate) until: Timestamp,
    has_events: bool,
}

impl Tellings {
    /// Nothing but who turned out to be another by the records that were moved out of the log.
    ///
    /// # Errors
    /// When a file of them is damaged, or the vault is.
    pub(crate) fn begin(store: &Store, until: Timestamp) -> Result<Self, StoreError> {
        let arrived = store.history().arrived();
        let mut tellings = Self {
            parts: vec![BTreeMap::new(); Partition::COUNT],
            redirects: BTreeMap::new(),
            until,
            has_events: arrived.is_some_and(|(first, _)| first <= until),
        };
        for (_, record) in store.moved_records()? {
            if let LogRecord::MergeAccepted(merge) = record {
                tellings.join(store, &merge)?;
            }
        }
        Ok(tellings)
    }

    /// What had arrived by `until`.
    ///
    /// # Errors
    /// When the log, the history or the vault is damaged.
    pub(crate) fn arrived_by(store: &Store, until: Timestamp) -> Result<Self, StoreError> {
        let mut tellings = Self::begin(store, until)?;
        for entry in store.logged(store.moved_to()) {
            let (offset, record) = entry?;
            tellings.take(store, offset, record)?;
        }
        tellings.finish(&store.history())?;
        Ok(tellings)
    }

    /// Takes the next record of the log.
    ///
    /// # Errors
    /// When the vault is damaged.
    pub(crate) fn take(
        &mut self,
        store: &Store,
        offset: u64,
        record: Logged,
    ) -> Result<(), StoreError> {
        match record {
            Logged::Event(event) if event.received_at <= self.until => {
                self.has_events = true;
                let customer = self.canonical(store.vault()?.resolve(event.identity));
                let of = self.entry(customer);
                of.known |= !event.anonymous;
                // An import may have put whose it was to somebody else since it came.
                of.told
                    .push(Told::new(offset, StoredEvent { customer, ..event }));
                Ok(())
            }
            Logged::Workspace(record) => match *record {
                LogRecord::MergeAccepted(merge) => self.join(store, &merge),
                _ => Ok(()),
            },
            Logged::Event(_)
            | Logged::Found(_)
            | Logged::Tick(_)
            | Logged::Marks(_)
            | Logged::Identities => Ok(()),
        }
    }

    /// Adds what the history holds under those who turned out to be another since.
    ///
    /// # Errors
    /// When a file of the history is missing or damaged.
    pub(crate) fn finish(&mut self, history: &History) -> Result<(), StoreError> {
        let mut partitions: Vec<Partition> =
            self.redirects.keys().map(|gone| gone.partition()).collect();
        partitions.dedup();
        let mut found = Vec::new();
        for partition in partitions {
            let is_gone = |customer| self.redirects.contains_key(&customer);
            history.events_of_some(partition, is_gone, |row| found.push(row))?;
        }
        found.retain(|row| row.event.received_at <= self.until);
        for row in found {
            let customer = self.canonical(row.event.customer);
            let of = self.entry(customer);
            of.known |= !row.event.anonymous;
            of.moved.push(row.into());
        }
        Ok(())
    }

    fn join(&mut self, store: &Store, merge: &MergeAccepted) -> Result<(), StoreError> {
        // An import may have put whoever took over to somebody else.
        let into = store.vault()?.resolve(IdentityId(merge.into.0));
        let (from, into) = (self.canonical(merge.from), self.canonical(into));
        if from == into {
            return Ok(());
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
        Ok(())
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

    /// What was told of one customer.
    pub(crate) fn of(&self, customer: CustomerId) -> Option<&ToldOf> {
        self.parts.get(customer.partition().index())?.get(&customer)
    }

    /// Takes everything that was told, by customer.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = (CustomerId, ToldOf)> + use<> {
        std::mem::take(&mut self.parts).into_iter().flatten()
    }

    /// True when no event was told.
    pub(crate) fn is_empty(&self) -> bool {
        !self.has_events
    }
}

/// When the latest event arrived; `None` without events.
///
/// # Errors
/// When the log is damaged.
pub(crate) fn latest_arrival(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    let mut latest = store.history().arrived().map(|(_, last)| last);
    for entry in store.logged(store.moved_to()) {
        if let (_, Logged::Event(event)) = entry? {
            latest = latest.max(Some(event.received_at));
        }
    }
    Ok(latest)
}

/// The events in the order in which they happened.
pub(crate) fn by_time<'t>(told: impl Iterator<Item = &'t Told>) -> Vec<&'t Told> {
    let mut sorted: Vec<&Told> = told.collect();
    sorted.sort_by_key(|told| (told.event.occurred_at, told.offset));
    sorted
}
