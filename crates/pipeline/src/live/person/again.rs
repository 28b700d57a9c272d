//! A customer folded again from the beginning: from the history, and from what was told since.

use regulars_core::{CustomerId, LineRecord, OrderKey, RecordKind, Timestamp};
use regulars_profile::Member;
use regulars_rules::Program;
use regulars_store::history::{DeclaredRow, History, SymbolTable};

use super::{Folding, ORDERS_KEPT, Person};
use crate::base::Declaring;
use crate::error::PipelineError;
use crate::live::at_hand::AtHand;
use crate::live::carts::{AllChanges, LatestChanges};
use crate::live::told::{Told, by_time};
use crate::live::{orders, retell, visits};

/// Events of one customer that the history has.
#[derive(Debug, Default)]
pub(in crate::live) struct Moved {
    /// It has all before this offset.
    to: u64,
    events: Vec<Told>,
}

impl Moved {
    /// What the history has under these ids; without any, all that counts was told since.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(in crate::live) fn read(
        history: &History,
        ids: &[CustomerId],
    ) -> Result<Self, PipelineError> {
        if ids.is_empty() {
            return Ok(Self::default());
        }
        let mut events = Vec::new();
        for &id in ids {
            events.extend(history.events_of(id)?.into_iter().map(Told::from));
        }
        Ok(Self {
            to: history.moved_to(),
            events,
        })
    }

    /// These and what was told since, by time.
    pub(in crate::live) fn and<'a>(&'a self, told: &'a [Told]) -> Vec<&'a Told> {
        let since = told.iter().filter(|told| told.offset >= self.to);
        by_time(self.events.iter().chain(since))
    }
}

impl Person {
    /// The same customer before anything is folded, for another program: what the folds of this
    /// one saw is not copied.
    pub(in crate::live) fn not_folded(&self, program: &Program) -> Self {
        Self {
            known: self.known,
            told: self.told.clone(),
            has_moved: self.has_moved,
            merged: self.merged.clone(),
            has_history: self.has_history,
            ..Self::new(self.member.profile.customer, program)
        }
    }

    /// What the history has of their events.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(in crate::live) fn moved(&self, history: &History) -> Result<Moved, PipelineError> {
        Moved::read(history, &self.moved_ids())
    }

    /// The ids under which the history has events of them; none when it has no events of them.
    pub(in crate::live) fn moved_ids(&self) -> Vec<CustomerId> {
        self.ids().filter(|_| self.has_moved).collect()
    }

    /// The ids under which the history may have anything of them.
    fn ids(&self) -> impl Iterator<Item = CustomerId> {
        let merged = self.merged.iter().copied();
        std::iter::once(self.member.profile.customer).chain(merged)
    }

    /// What the history has of their orders.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(in crate::live) fn records(
        &self,
        history: &History,
        table: &SymbolTable,
    ) -> Result<Vec<LineRecord>, PipelineError> {
        let mut records = Vec::new();
        if self.has_history {
            for id in self.ids() {
                let rows = history.timeline(id, table)?;
                records.extend(rows.into_iter().map(|row| row.record));
            }
        }
        Ok(records)
    }

    /// Folds everything again.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(in crate::live) fn refold(
        &mut self,
        folding: &mut Folding<'_>,
    ) -> Result<(), PipelineError> {
        let customer = self.member.profile.customer;
        let mut records = self.records(folding.history, folding.table)?;
        let mut declared: Vec<DeclaredRow> = Vec::new();
        if self.has_history {
            for id in self.ids() {
                let rows = folding.history.declared(id)?;
                declared.extend(rows.into_iter().map(|row| DeclaredRow {
                    customer,
                    occurred_at: row.occurred_at,
                    import: row.import,
                    traits: row.traits.into(),
                }));
            }
        }
        let moved = self.moved(folding.history)?;
        let told = moved.and(&self.told);
        folding
            .orders
            .add_told(customer, &told, &mut records, folding.table)?;
        orders::sort(&mut records);
        let seen = records.partition_point(|record| record.occurred_at <= folding.now);
        self.member.profile.reset(customer);
        folding.program.reset(&mut self.member.states);
        self.is_plain = is_plain(&records);
        fold_orders(&mut self.member, &mut self.latest_orders, &records, folding);
        let Member {
            profile,
            states,
            carts,
            ..
        } = &mut self.member;
        declared.retain(|row| row.occurred_at <= folding.now);
        Declaring::new(folding.table)
            .declare(profile, &declared)
            .map_err(PipelineError::Declared)?;
        let last = retell::declare(profile, &told, folding.table, folding.orders.zone());
        self.identified_at = last.unwrap_or(Timestamp::MIN);
        let silence_ms = folding.orders.session_silence_ms();
        visits::take_all(profile, &told, folding.table, silence_ms);
        let last = retell::join(profile, &told, folding.table);
        self.grouped_at = last.unwrap_or(Timestamp::MIN);
        retell::fold_events(states, &told, folding.program);
        let (orders, table) = (&*folding.orders, folding.table);
        self.latest_changes = LatestChanges::default();
        if !folding.keeps_past {
            *carts = retell::carts_of(&told, &records[..seen], orders, table);
            (self.latest_changes, self.at_hand) = (LatestChanges::unknown(carts), None);
            return Ok(());
        }
        carts.clear();
        let mut changes = AllChanges::default();
        retell::changes_of(&told, &records[..seen], orders, table, |change| {
            changes.take(change, carts, orders.cart_open_ms());
        });
        let at_hand = AtHand::new(&told, changes, records, orders, table);
        self.at_hand = Some(Box::new(at_hand));
        *folding.refolds += 1;
        Ok(())
    }
}

/// Whether nothing ever went back.
pub(super) fn is_plain(records: &[LineRecord]) -> bool {
    records.iter().all(|record| record.kind == RecordKind::Sale)
}

/// Folds all orders again; `latest` become the latest of those that count.
pub(super) fn fold_orders(
    member: &mut Member,
    latest: &mut Vec<(Timestamp, OrderKey)>,
    records: &[LineRecord],
    folding: &mut Folding<'_>,
) {
    folding
        .ledger
        .resolve(records, folding.products, folding.now);
    let Member {
        profile, states, ..
    } = member;
    profile.reset_orders();
    folding.program.reset_orders(states);
    latest.clear();
    for order in folding.ledger.orders() {
        profile.fold(&order);
        folding.program.fold(states, &order);
        latest.push((order.occurred_at, order.key));
    }
    let over = latest.len().saturating_sub(ORDERS_KEPT);
    latest.drain(..over);
    profile.refunds_minor += folding.ledger.refunded_elsewhere_minor();
}
