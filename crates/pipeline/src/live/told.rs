//! What events tell of customers, beside the rows of files: put to whoever it is of.
//!
//! Events that were moved to the history are read there, customer by customer. Here is what the log
//! still holds, and what the history holds under somebody who turned out to be another since.

use std::collections::{BTreeMap, BTreeSet};

use regulars_core::{CustomerId, EventKind, Partition, Timestamp};
use regulars_ingest::tracking::vocabulary::StandardEvent;
use regulars_profile::SaidAt;
use regulars_store::history::EventRow;
use regulars_store::log::{LogRecord, Logged, MergeAccepted, StoredEvent, Unmerged};
use regulars_store::vault::{IdentityId, Vault};
use regulars_store::{Store, StoreError};

use super::identify::Refusals;
use super::whose::{Earlier, Parted, RowPlaces};

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
    /// Ids under which rows of theirs may lie among those of others.
    pub(crate) shared: Vec<CustomerId>,
    /// Whether rows under their ids may be another's: each is looked at.
    pub(crate) is_parted: bool,
}

impl ToldOf {
    /// Where the history has rows of this customer.
    pub(crate) fn places(&self, customer: CustomerId) -> RowPlaces<'_> {
        RowPlaces {
            customer,
            ids: &self.merged,
            shared: &self.shared,
            is_parted: self.is_parted,
        }
    }
}

/// What was told of everyone.
#[derive(Debug)]
pub(crate) struct Tellings {
    /// By partition, then by customer.
    parts: Vec<BTreeMap<CustomerId, ToldOf>>,
    /// Customers that turned out to be another.
    pub(crate) redirects: BTreeMap<CustomerId, CustomerId>,
    /// Identities that left a customer.
    pub(crate) parted: Parted,
    /// Ids under which rows of others may lie.
    left: BTreeSet<CustomerId>,
    /// Whom identities stood for, where the vault is ahead.
    earlier: Earlier,
    /// What was refused to names.
    pub(crate) refusals: Refusals,
    /// What arrived later is not told.
    pub(crate) until: Timestamp,
    has_events: bool,
}

impl Tellings {
    /// Nothing but who turned out to be another by the records that were moved out of the log.
    ///
    /// # Errors
    /// When a file of them is damaged, or the vault is.
    pub(crate) fn begin(
        store: &Store,
        until: Timestamp,
        earlier: Earlier,
    ) -> Result<Self, StoreError> {
        let arrived = store.history().arrived();
        let mut tellings = Self {
            parts: vec![BTreeMap::new(); Partition::COUNT],
            redirects: BTreeMap::new(),
            parted: Parted::default(),
            left: BTreeSet::new(),
            earlier,
            refusals: Refusals::default(),
            until,
            has_events: arrived.is_some_and(|(first, _)| first <= until),
        };
        for (_, record) in store.moved_records()? {
            tellings.take_record(store, &record)?;
        }
        Ok(tellings)
    }

    /// What had arrived by `until`.
    ///
    /// # Errors
    /// When the log, the history or the vault is damaged.
    pub(crate) fn arrived_by(
        store: &Store,
        until: Timestamp,
        threads: usize,
    ) -> Result<Self, StoreError> {
        let mut tellings = Self::begin(store, until, Earlier::default())?;
        for (offset, record) in store.logged_at_once(threads)? {
            tellings.take(store, offset, record)?;
        }
        tellings.finish(store)?;
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
                let customer = self.earlier.resolve(store.vault()?, event.identity);
                let of = self.entry(customer);
                of.known |= !event.anonymous;
                // An import may have put whose it was to somebody else since it came.
                of.told
                    .push(Told::new(offset, StoredEvent { customer, ..event }));
                Ok(())
            }
            Logged::Workspace(record) => self.take_record(store, &record),
            Logged::Event(_)
            | Logged::Found(_)
            | Logged::Tick(_)
            | Logged::Marks(_)
            | Logged::Identities => Ok(()),
        }
    }

    fn take_record(&mut self, store: &Store, record: &LogRecord) -> Result<(), StoreError> {
        match record {
            LogRecord::MergeAccepted(merge) => self.join(store, merge),
            LogRecord::Unmerged(unmerged) => self.part(store, unmerged),
            record => {
                self.refusals.note(record);
                Ok(())
            }
        }
    }

    /// Adds what the history holds under those who turned out to be another since, and of those who
    /// left somebody.
    ///
    /// # Errors
    /// When a file of the history is missing or damaged, or the vault is.
    pub(crate) fn finish(&mut self, store: &Store) -> Result<(), StoreError> {
        let ids = self.redirects.keys().chain(&self.left);
        let partitions: BTreeSet<Partition> = ids.map(|id| id.partition()).collect();
        if partitions.is_empty() {
            return Ok(());
        }
        let (history, vault) = (store.history(), store.vault()?);
        let is_visitor = |customer: CustomerId| vault.is_anonymous(IdentityId(customer.0));
        let is_gone = |customer| self.redirects.contains_key(&customer);
        let (mut found, mut have_rows) = (Vec::new(), BTreeSet::new());
        for partition in partitions {
            let is_looked_at = |customer| is_gone(customer) || self.left.contains(&customer);
            history.events_of_some(partition, is_looked_at, |row| found.push(row))?;
            // No file names a visitor by an anonymous id.
            let is_named = |customer| is_gone(customer) && !is_visitor(customer);
            history.rows_of_files(partition, is_named, |customer| {
                have_rows.insert(customer);
            })?;
        }
        found.retain(|row| row.event.received_at <= self.until);
        for mut row in found {
            let lies_under = row.event.customer;
            let owner = self.owner(row.event.identity, lies_under);
            if self.redirects.contains_key(&lies_under) {
                have_rows.insert(lies_under);
            } else if owner == lies_under {
                // It is met where it lies.
                continue;
            }
            let of = self.entry(owner);
            of.known |= !row.event.anonymous;
            row.event.customer = owner;
            of.moved.push(row.into());
        }
        // Most names that turned out to be somebody's have no rows of their own.
        for id in have_rows {
            let customer = self.canonical(id);
            self.entry(customer).merged.push(id);
        }
        for (&customer, of) in self.parts.iter_mut().flatten() {
            // A visitor who was part of a customer is a visitor again.
            of.known &= !(of.is_parted && vault.is_anonymous(IdentityId(customer.0)));
        }
        Ok(())
    }

    /// Takes what the vault says of whom somebody turned out to be: they may have left again, or an
    /// import may have put whoever took over to somebody else.
    fn join(&mut self, store: &Store, merge: &MergeAccepted) -> Result<(), StoreError> {
        let from = merge.from;
        let into = self.earlier.resolve(store.vault()?, IdentityId(from.0));
        if from != into {
            self.redirects.insert(from, into);
        }
        Ok(())
    }

    fn part(&mut self, store: &Store, unmerged: &Unmerged) -> Result<(), StoreError> {
        let vault = store.vault()?;
        let earlier = self.earlier.clone();
        let owner = |id: CustomerId| earlier.resolve(vault, IdentityId(id.0));
        let through = self.parted.take(unmerged, owner);
        let owners: BTreeSet<CustomerId> = unmerged.along.iter().copied().map(owner).collect();
        for owner in owners {
            let of = self.entry(owner);
            of.is_parted = true;
            of.shared.extend_from_slice(&through);
            of.shared.sort_unstable();
            of.shared.dedup();
        }
        for &id in &through {
            self.entry(owner(id)).is_parted = true;
        }
        if let Some(parted) = unmerged.identity()
            && owner(parted) != parted
        {
            self.redirects.insert(parted, owner(parted));
        }
        self.left.extend(through);
        Ok(())
    }

    /// Whom an identity stands for.
    pub(crate) fn resolve(&self, vault: &Vault, identity: IdentityId) -> CustomerId {
        self.earlier.resolve(vault, identity)
    }

    /// Whose a row of the history is that lies under a customer.
    pub(crate) fn owner(&self, identity: IdentityId, lies_under: CustomerId) -> CustomerId {
        self.canonical(self.parted.owner(identity, lies_under))
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

/// The events in the order in which they happened.
pub(crate) fn by_time<'t>(told: impl Iterator<Item = &'t Told>) -> Vec<&'t Told> {
    let mut sorted: Vec<&Told> = told.collect();
    sorted.sort_by_key(|told| (told.event.occurred_at, told.offset));
    sorted
}
