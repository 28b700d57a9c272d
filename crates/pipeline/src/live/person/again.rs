//! A customer folded again from the beginning: from the history, and from what was told since.

use regulars_core::{LineRecord, Timestamp};
use regulars_profile::Member;
use regulars_rules::Program;
use regulars_store::history::{DeclaredRow, EventRow, History, SymbolTable};

use super::{Folding, Person, Whose};
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
    /// These rows, which are all that the history has.
    pub(in crate::live) fn of(history: &History, rows: Vec<EventRow>) -> Self {
        Self {
            to: history.moved_to(),
            events: rows.into_iter().map(Told::from).collect(),
        }
    }

    /// True when it has none.
    pub(in crate::live) fn is_empty(&self) -> bool {
        self.events.is_empty()
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
            named: self.named,
            counts: self.counts,
            told: self.told.clone(),
            has_moved: self.has_moved,
            merged: self.merged.clone(),
            shared: self.shared.clone(),
            is_parted: self.is_parted,
            has_history: self.has_history,
            ..Self::new(self.member.profile.customer, program)
        }
    }

    /// What the history has of their events.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(in crate::live) fn moved(
        &self,
        history: &History,
        whose: Whose<'_>,
    ) -> Result<Moved, PipelineError> {
        if !self.has_moved {
            return Ok(Moved::default());
        }
        let owner = |identity, under| whose.owner(identity, under);
        let rows = self.places().events(history, &owner)?;
        Ok(Moved::of(history, rows))
    }

    /// What the history has of their orders.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(in crate::live) fn records(
        &self,
        history: &History,
        table: &SymbolTable,
        whose: Whose<'_>,
    ) -> Result<Vec<LineRecord>, PipelineError> {
        let rows = self.order_rows(history, table, whose)?;
        Ok(rows.into_iter().map(|row| row.record).collect())
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
        let mut records = self.records(folding.history, folding.table, folding.whose)?;
        let mut declared: Vec<DeclaredRow> = Vec::new();
        if self.has_history {
            let owner = |identity, under| folding.whose.owner(identity, under);
            let rows = self.places().declared(folding.history, &owner)?;
            declared.extend(rows.into_iter().map(|row| DeclaredRow {
                customer,
                occurred_at: row.occurred_at,
                import: row.import,
                traits: row.traits.into(),
            }));
        }
        let moved = self.moved(folding.history, folding.whose)?;
        let told = moved.and(&self.told);
        folding
            .orders
            .add_told(customer, &told, &mut records, folding.table)?;
        orders::sort(&mut records);
        let seen = records.partition_point(|record| record.occurred_at <= folding.resolving.now);
        self.member.profile.reset(customer);
        folding.resolving.program.reset(&mut self.member.states);
        self.returned_at = orders::returned_at(&records).unwrap_or(Timestamp::MIN);
        let latest = &mut self.latest_orders;
        folding
            .resolving
            .fold_all(&mut self.member, latest, &records);
        let Member {
            profile,
            states,
            carts,
            ..
        } = &mut self.member;
        declared.retain(|row| row.occurred_at <= folding.resolving.now);
        self.counts = seen > 0 || !declared.is_empty() || !told.is_empty();
        Declaring::new(folding.table)
            .declare(profile, &declared)
            .map_err(PipelineError::Declared)?;
        let last = retell::declare(profile, &told, folding.table, folding.orders.zone());
        self.identified_at = last.unwrap_or(Timestamp::MIN);
        let silence_ms = folding.orders.session_silence_ms();
        visits::take_all(profile, &told, folding.table, silence_ms);
        let last = retell::join(profile, &told, folding.table);
        self.grouped_at = last.unwrap_or(Timestamp::MIN);
        retell::fold_events(states, &told, folding.resolving.program);
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
