//! An event told of a customer, folded in its place where that is known.

use regulars_core::{EventKind, OrderKey, RecordKind, Timestamp};
use regulars_profile::Member;
use regulars_rules::Change;

use super::{Folding, ORDERS_KEPT, Person, Retold};
use crate::error::PipelineError;
use crate::live::at_hand::names_products;
use crate::live::orders::{self, OrderTold, Says};
use crate::live::told::Told;
use crate::live::{carts, retell, traits, visits};

impl Person {
    /// Folds the next event by offset; says what was folded again.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(in crate::live) fn tell(
        &mut self,
        told: Told,
        folding: &mut Folding<'_>,
    ) -> Result<Retold, PipelineError> {
        let folded = self.fold_event(&told, folding)?;
        self.keep(told);
        if let Some(retold) = folded {
            return Ok(retold);
        }
        self.refold(folding)?;
        Ok(Retold::Everything)
    }

    /// Folds an event in its place; says what was folded again for it, or `None` when it changes a
    /// past that is not at hand.
    fn fold_event(
        &mut self,
        told: &Told,
        folding: &mut Folding<'_>,
    ) -> Result<Option<Retold>, PipelineError> {
        let event = &told.event;
        let done = |in_place: bool| in_place.then_some(Retold::Nothing);
        match event.kind {
            EventKind::Identify => Ok(done(self.declare(told, folding))),
            EventKind::Track => {
                let Some(retold) = self.fold_order_told(told, folding)? else {
                    return Ok(None);
                };
                Ok(self.fold_seen(told, folding).then_some(retold))
            }
            EventKind::Page | EventKind::Screen => Ok(done(self.fold_seen(told, folding))),
            EventKind::Group => {
                // An older one changes nothing: the account is that of the latest.
                if let Some(account) = told.account()
                    && event.occurred_at >= self.grouped_at
                {
                    self.grouped_at = event.occurred_at;
                    self.member.profile.account = folding.table.intern(account);
                }
                Ok(done(true))
            }
            EventKind::Alias => Ok(done(true)),
        }
    }

    /// Declares what an `identify` says; false when a later one may have said it already.
    fn declare(&mut self, told: &Told, folding: &mut Folding<'_>) -> bool {
        let (profile, zone) = (&mut self.member.profile, folding.orders.zone());
        let (event, table) = (&told.event, folding.table);
        match &mut self.at_hand {
            Some(at_hand) => at_hand.declare(profile, told, table, zone),
            None if event.occurred_at < self.identified_at => return false,
            None => traits::declare(profile, &event.properties, table, zone),
        }
        self.identified_at = self.identified_at.max(event.occurred_at);
        folding.changes.push(Change::Declared);
        true
    }

    /// Folds what visits, and conditions on events and carts, see; says false when a visit or the
    /// change of a cart is too late to be put in its place.
    fn fold_seen(&mut self, told: &Told, folding: &mut Folding<'_>) -> bool {
        let changes = &mut *folding.changes;
        if visits::is_of_visit(told) {
            let at_hand = self.at_hand.as_mut();
            let sessions = at_hand.map(|at_hand| at_hand.sessions_at(told.event.occurred_at));
            let sessions = (sessions, folding.orders.session_silence_ms());
            if !visits::take(&mut self.member.profile, told, folding.table, sessions) {
                return false;
            }
            changes.push(Change::Visit);
        }
        retell::fold_event(
            &mut self.member.states,
            told,
            folding.resolving.program,
            |change| {
                changes.push(change);
            },
        );
        let Some(change) = carts::of(told, folding.orders, folding.table) else {
            return true;
        };
        changes.push(Change::Carts);
        let (carts, open_ms) = (&mut self.member.carts, folding.orders.cart_open_ms());
        match &mut self.at_hand {
            Some(at_hand) => {
                at_hand.change_carts(change, carts, open_ms);
                true
            }
            None => self.latest_changes.take(change, carts, open_ms),
        }
    }

    /// Folds what an event tells of an order, if it does; says what was folded again for it, or
    /// `None` when it changes a past that is not at hand.
    fn fold_order_told(
        &mut self,
        told: &Told,
        folding: &mut Folding<'_>,
    ) -> Result<Option<Retold>, PipelineError> {
        let Some(order) = orders::of(told, folding.orders.currency()) else {
            return Ok(Some(Retold::Nothing));
        };
        let customer = self.member.profile.customer;
        let is_new = folding.orders.is_new(order.key(), customer);
        let at_hand = self.at_hand.as_mut();
        let leaves_a_trace = at_hand.is_none_or(|at_hand| at_hand.tell_of_order(&order, told));
        if order.is_placed() && is_new && self.insert_order(&order, told, folding)? {
            return Ok(Some(Retold::Nothing));
        }
        let Some(at_hand) = &mut self.at_hand else {
            return Ok(None);
        };
        if !leaves_a_trace {
            return Ok(Some(Retold::Nothing));
        }
        if order.says() == Says::GoesBack {
            self.returned_at = self.returned_at.max(told.event.occurred_at);
        }
        let folded = (&mut self.member, &mut self.latest_orders);
        at_hand.fold_orders(folded, folding)?;
        Ok(Some(Retold::Everything))
    }

    /// Puts a new order in its place by time; false, and nothing is folded, when it may change
    /// others, or its place is not known.
    fn insert_order(
        &mut self,
        order: &OrderTold<'_>,
        told: &Told,
        folding: &mut Folding<'_>,
    ) -> Result<bool, PipelineError> {
        let placed_at = told.event.occurred_at;
        let Some(place) = self.place_of(placed_at, order.key()) else {
            return Ok(false);
        };
        let records = folding
            .orders
            .assemble(order, told, placed_at, folding.table)?;
        folding.resolving.ledger.resolve(
            &records,
            folding.resolving.products,
            folding.resolving.now,
        );
        let Member {
            profile, states, ..
        } = &mut self.member;
        if records.iter().any(|record| record.kind != RecordKind::Sale) {
            return Ok(false);
        }
        let mut counted = folding.resolving.ledger.orders();
        let (Some(order), None) = (counted.next(), counted.next()) else {
            return Ok(records.is_empty());
        };
        // What went back after it may be of this order.
        let may_be_less = placed_at <= self.returned_at;
        if may_be_less || !profile.insert(place, &order) {
            return Ok(false);
        }
        *folding.resolving.names_products |= names_products(&records, folding.resolving.now);
        folding.resolving.program.fold(states, &order);
        folding
            .changes
            .extend(folding.resolving.program.changes_of_order());
        let from_end = profile.orders.len() - 1 - place;
        if let Some(place) = self.latest_orders.len().checked_sub(from_end) {
            self.latest_orders
                .insert(place, (order.occurred_at, order.key));
        }
        if self.latest_orders.len() >= 2 * ORDERS_KEPT {
            self.latest_orders.drain(..ORDERS_KEPT);
        }
        Ok(true)
    }

    /// The place by time of an order among those that count; `None` when others of the same time
    /// are not known by their keys, which decide between them.
    fn place_of(&self, at: Timestamp, key: u64) -> Option<usize> {
        let orders = &self.member.profile.orders;
        let place = orders.partition_point(|order| order.occurred_at < at);
        if orders.get(place).is_none_or(|next| next.occurred_at > at) {
            return Some(place);
        }
        let before = |known: &(Timestamp, OrderKey)| *known < (at, OrderKey(key));
        let place = self.latest_orders.partition_point(before);
        let is_known = place > 0 || self.latest_orders.len() == orders.len();
        is_known.then(|| orders.len() - (self.latest_orders.len() - place))
    }
}
