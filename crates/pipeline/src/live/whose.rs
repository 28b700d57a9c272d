//! Whose rows of the history are, when they lie under several ids or together with those of others.
//!
//! Rows lie under the customer that their identity stood for when they were written. Of somebody who
//! turned out to be another they are read there. Of an identity that stands for itself again they may
//! lie among the rows of the customer whom it left: of those each row is looked at.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;
use regulars_core::CustomerId;
use regulars_store::StoreError;
use regulars_store::history::{CustomerRow, EventRow, History, OrderRow, SymbolTable};
use regulars_store::log::{LogRecord, Logged, Unmerged};
use regulars_store::vault::{IdentityId, Vault};

/// Identities that left a customer, and whose they are now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parted {
    owners: HashMap<IdentityId, CustomerId, FixedState>,
    /// By identity, under whom else rows of it may lie.
    through: BTreeMap<CustomerId, Vec<CustomerId>>,
}

impl Parted {
    /// Takes the next that left; `owner` says whose an identity is now. Gives the ids under which rows
    /// of theirs may lie among those of others.
    pub(crate) fn take(
        &mut self,
        unmerged: &Unmerged,
        owner: impl Fn(CustomerId) -> CustomerId,
    ) -> Vec<CustomerId> {
        for &id in &unmerged.along {
            self.owners.insert(IdentityId(id.0), owner(id));
        }
        let mut through = unmerged.through.clone();
        // Those that it leaves may have left somebody with it.
        let left_before = unmerged.through.iter().copied().chain(unmerged.identity());
        let left_before = left_before.filter_map(|id| self.through.get(&id));
        through.extend(left_before.flatten());
        through.sort_unstable();
        through.dedup();
        if let Some(identity) = unmerged.identity() {
            self.through.insert(identity, through.clone());
        }
        through
    }

    /// True when nobody left anybody.
    pub(crate) fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// The identities that left a customer, and whose they are, before later merges.
    pub(crate) fn owners(&self) -> impl Iterator<Item = (IdentityId, CustomerId)> {
        self.owners
            .iter()
            .map(|(&identity, &owner)| (identity, owner))
    }

    /// Whose a row is that lies under a customer, before later merges.
    pub(crate) fn owner(&self, identity: IdentityId, lies_under: CustomerId) -> CustomerId {
        self.owners.get(&identity).copied().unwrap_or(lies_under)
    }
}

/// Where the rows of one customer lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowPlaces<'a> {
    pub(crate) customer: CustomerId,
    /// Other ids.
    pub(crate) ids: &'a [CustomerId],
    /// Ids under which rows of theirs may lie among those of others.
    pub(crate) shared: &'a [CustomerId],
    /// Whether each row is to be looked at.
    pub(crate) is_parted: bool,
}

impl<'a> RowPlaces<'a> {
    /// Under their own id only.
    pub(crate) fn own(customer: CustomerId, is_parted: bool) -> Self {
        Self {
            customer,
            ids: &[],
            shared: &[],
            is_parted,
        }
    }

    /// Every id under which they lie.
    pub(crate) fn all(&self) -> impl Iterator<Item = CustomerId> + use<'a> {
        std::iter::once(self.customer).chain(self.elsewhere())
    }

    fn elsewhere(&self) -> impl Iterator<Item = CustomerId> + use<'a> {
        self.ids.iter().chain(self.shared).copied()
    }

    /// Whether a row is theirs.
    fn has(&self, identity: IdentityId, under: CustomerId, owner: Owner<'_>) -> bool {
        !self.is_parted || owner(identity, under) == self.customer
    }

    /// Their order lines.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(crate) fn orders(
        &self,
        history: &History,
        table: &SymbolTable,
        owner: Owner<'_>,
    ) -> Result<Vec<OrderRow>, StoreError> {
        self.orders_under(self.all(), history, table, owner)
    }

    /// Their order lines that do not lie under their own id.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(crate) fn orders_elsewhere(
        &self,
        history: &History,
        table: &SymbolTable,
        owner: Owner<'_>,
    ) -> Result<Vec<OrderRow>, StoreError> {
        self.orders_under(self.elsewhere(), history, table, owner)
    }

    fn orders_under(
        &self,
        ids: impl Iterator<Item = CustomerId>,
        history: &History,
        table: &SymbolTable,
        owner: Owner<'_>,
    ) -> Result<Vec<OrderRow>, StoreError> {
        let mut found = Vec::new();
        for id in ids {
            let mut rows = history.timeline(id, table)?;
            if self.is_parted {
                rows.retain(|row| self.has(row.identity, id, owner));
                for row in &mut rows {
                    row.record.customer = self.customer;
                }
            }
            found.append(&mut rows);
        }
        Ok(found)
    }

    /// What files declared of them.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(crate) fn declared(
        &self,
        history: &History,
        owner: Owner<'_>,
    ) -> Result<Vec<CustomerRow>, StoreError> {
        self.declared_under(self.all(), history, owner)
    }

    /// What files declared of them and does not lie under their own id.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(crate) fn declared_elsewhere(
        &self,
        history: &History,
        owner: Owner<'_>,
    ) -> Result<Vec<CustomerRow>, StoreError> {
        self.declared_under(self.elsewhere(), history, owner)
    }

    fn declared_under(
        &self,
        ids: impl Iterator<Item = CustomerId>,
        history: &History,
        owner: Owner<'_>,
    ) -> Result<Vec<CustomerRow>, StoreError> {
        let mut found = Vec::new();
        for id in ids {
            let mut rows = history.declared(id)?;
            rows.retain(|row| self.has(row.identity, id, owner));
            found.append(&mut rows);
        }
        Ok(found)
    }

    /// Their events.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(crate) fn events(
        &self,
        history: &History,
        owner: Owner<'_>,
    ) -> Result<Vec<EventRow>, StoreError> {
        let mut found = Vec::new();
        for id in self.all() {
            let mut rows = history.events_of(id)?;
            if self.is_parted {
                rows.retain(|row| self.has(row.event.identity, id, owner));
                for row in &mut rows {
                    row.event.customer = self.customer;
                }
            }
            found.append(&mut rows);
        }
        Ok(found)
    }
}

/// Says whose a row is, by its identity and the customer under whom it lies.
pub(crate) type Owner<'o> = &'o dyn Fn(IdentityId, CustomerId) -> CustomerId;

/// Whom identities stood for at an earlier point of the log than the vault knows of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Earlier {
    /// What they stood for then; `None` for those that stood for themselves.
    steps: HashMap<IdentityId, Option<IdentityId>, FixedState>,
}

impl Earlier {
    /// Before these records, which come in the order of the log.
    pub(crate) fn than<'r>(records: impl Iterator<Item = &'r Logged>) -> Self {
        let mut earlier = Self::default();
        let identity = |id: CustomerId| IdentityId(id.0);
        for record in records {
            let Logged::Workspace(record) = record else {
                continue;
            };
            // Of several records of an identity the first says what it was before them.
            match &**record {
                LogRecord::MergeAccepted(merge) => {
                    earlier.steps.entry(identity(merge.from)).or_insert(None);
                }
                LogRecord::Unmerged(unmerged) => {
                    let nearest = unmerged.through.first().copied().map(identity);
                    let parted = unmerged.identity().map(identity);
                    if let Some(parted) = parted {
                        earlier.steps.entry(parted).or_insert(nearest);
                    }
                }
                _ => {}
            }
        }
        earlier
    }

    /// The customer that an identity stood for.
    pub(crate) fn resolve(&self, vault: &Vault, identity: IdentityId) -> CustomerId {
        if self.steps.is_empty() {
            return vault.resolve(identity);
        }
        let step = |&identity: &IdentityId| match self.steps.get(&identity) {
            Some(&step) => step,
            None => vault.stands_for(identity),
        };
        let steps = std::iter::successors(Some(identity), step);
        CustomerId(steps.last().unwrap_or(identity).0)
    }
}
