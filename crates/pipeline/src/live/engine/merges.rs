//! Customers that turn out to be one, or two again, and orders that several tell of: more than one
//! customer is folded anew.

use std::collections::BTreeSet;

use regulars_core::{Cause, CustomerId, Direction, OrderKey, Symbol, Timestamp};
use regulars_profile::Flip;
use regulars_store::log::{MergeAccepted, Unmerged};
use regulars_store::tables::memberships::SavedMember;

use super::finding::{Finding, name_of};
use super::{AT_ONCE, Engine, Touched};
use crate::error::PipelineError;
use crate::live::accounts::share_of;
use crate::live::orders;
use crate::live::person::Person;
use crate::live::told::Told;

impl Engine {
    /// Makes one customer of two: what was told of either is told of the one that stays.
    pub(super) fn merge(&mut self, merge: &MergeAccepted) -> Result<(), PipelineError> {
        self.now = self.now.max(merge.recorded_at);
        let (from, into) = (self.canonical(merge.from), self.canonical(merge.into));
        if from == into {
            return Ok(());
        }
        self.redirects.insert(from, into);
        self.identity_changes += 1;
        self.advance(from);
        self.advance(into);
        self.in_hands.remove(from);
        let mut gone = self.people.remove(&from);
        if self.visitors.remove(&from) {
            let mut visitor = Person::new(from, &self.program);
            visitor.has_moved = true;
            gone = Some(Box::new(visitor));
        }
        let Some(mut gone) = gone else {
            self.leave_recorded(from);
            return Ok(());
        };
        let account = gone.member.profile.account;
        self.accounts.go(from, account, Symbol::NONE);
        self.count_share(share_of(&gone), None);
        self.leave_all(&mut gone, from);
        self.with(into, |person, _| {
            person.take_over(from, *gone);
            Ok(())
        })?;
        let mut concerned = BTreeSet::from([into]);
        let contested = &self.orders.contested;
        let orders = [contested.of(from), contested.of(into)].concat();
        for order in orders {
            concerned.extend(self.settle(order, into, None)?);
        }
        self.fold_again(&concerned, merge.recorded_at, &Cause::Merge)
    }

    /// Lets an identity leave a customer, with all that stand for it: it stands for itself, or for
    /// another.
    pub(super) fn unmerge(&mut self, unmerged: &Unmerged) -> Result<(), PipelineError> {
        self.now = self.now.max(unmerged.recorded_at);
        let (Some(parted), Some(from)) = (unmerged.identity(), unmerged.from()) else {
            return Ok(());
        };
        let from = self.canonical(from);
        let into = unmerged.into.map_or(parted, |into| self.canonical(into));
        self.identity_changes += 1;
        self.redirects.remove(&parted);
        let all = unmerged.along.iter().filter(|&&id| id != into);
        self.redirects.extend(all.map(|&id| (id, into)));
        self.parted.take(unmerged, |_| into);
        if !self.people.contains_key(&from) && !self.visitors.contains(&from) {
            return Ok(());
        }
        self.advance(from);
        self.advance(into);
        let leaving = self.with(from, |person, _| Ok(person.part(unmerged)))?;
        self.with(into, |person, _| {
            person.arrive(leaving, !unmerged.anonymous);
            Ok(())
        })?;
        let mut concerned = BTreeSet::from([from]);
        let left = &self.people[&into];
        if left.has_anything(&self.history, &self.table, self.whose())? {
            concerned.insert(into);
            let of_from = self.orders_told_by(from)?;
            for order in self.orders_told_by(into)? {
                // As one they did not contend for it.
                let both = of_from.contains(&order).then_some(from);
                concerned.extend(self.settle_anew(order, both.into_iter().chain([into]))?);
            }
        } else {
            self.in_hands.remove(into);
            if let Some(mut nobody) = self.people.remove(&into) {
                self.leave_all(&mut nobody, into);
            }
        }
        let contested = self.orders.contested.of(from).to_vec();
        for order in contested {
            concerned.extend(self.settle_anew(order, [from])?);
        }
        self.fold_again(&concerned, unmerged.recorded_at, &Cause::Unmerge)
    }

    /// Every order that somebody tells of, or files tell of them.
    fn orders_told_by(&self, customer: CustomerId) -> Result<BTreeSet<OrderKey>, PipelineError> {
        let person = &self.people[&customer];
        let whose = self.whose();
        let records = person.records(&self.history, &self.table, whose)?;
        let moved = person.moved(&self.history, whose)?;
        let told = moved.and(&person.told).into_iter();
        let told = told.filter_map(|told| orders::key_of(told, &self.orders));
        let records = records.into_iter().map(|record| record.order);
        Ok(told.map(OrderKey).chain(records).collect())
    }

    /// The order that an event of a customer tells of, when others claim it as well.
    pub(super) fn contested_by(&self, customer: CustomerId, told: &Told) -> Option<OrderKey> {
        let order = OrderKey(orders::key_of(told, &self.orders)?);
        let first = self.orders.first_claim(order)?;
        let is_contested = self.orders.contested.contains(order);
        (is_contested || self.canonical(first) != customer).then_some(order)
    }

    /// Folds an event that tells of an order which several customers claim.
    pub(super) fn fold_contested(
        &mut self,
        customer: CustomerId,
        told: Told,
        order: OrderKey,
    ) -> Result<(), PipelineError> {
        let occurred_at = told.event.occurred_at;
        let cause = Cause::Event {
            offset: told.offset,
            name: name_of(&told.event),
        };
        let is_new = self.with(customer, |person, _| {
            let was_customer = person.is_customer();
            person.keep(told.clone());
            Ok(person.is_customer() && !was_customer)
        })?;
        let mut concerned = self.settle(order, customer, Some(told))?;
        concerned.insert(customer);
        if is_new {
            concerned.extend(self.settle_claims_of(customer)?);
        }
        self.fold_again(&concerned, occurred_at, &cause)
    }

    /// Finds out whose an order is that `by` claims, too, who told `told` of it at last, and what it
    /// comes to; gives all who are to be folded again for it.
    fn settle(
        &mut self,
        order: OrderKey,
        by: CustomerId,
        told: Option<Told>,
    ) -> Result<BTreeSet<CustomerId>, PipelineError> {
        let claimants = self.claimants(order, [by]);
        self.settle_among(order, claimants, told.map(|told| (by, told)))
    }

    /// The same, with all that everyone who claims it says of it read again: what they said may be
    /// another's.
    fn settle_anew(
        &mut self,
        order: OrderKey,
        by: impl IntoIterator<Item = CustomerId>,
    ) -> Result<BTreeSet<CustomerId>, PipelineError> {
        let claimants = self.claimants(order, by);
        self.orders.contested.forget(order);
        self.settle_among(order, claimants, None)
    }

    /// Who claims an order, with `by`.
    fn claimants(
        &self,
        order: OrderKey,
        by: impl IntoIterator<Item = CustomerId>,
    ) -> BTreeSet<CustomerId> {
        let before = self.orders.contested.claimants(order).iter().copied();
        let claimants = before.chain(self.orders.first_claim(order)).chain(by);
        claimants.map(|who| self.canonical(who)).collect()
    }

    fn settle_among(
        &mut self,
        order: OrderKey,
        claimants: BTreeSet<CustomerId>,
        told: Option<(CustomerId, Told)>,
    ) -> Result<BTreeSet<CustomerId>, PipelineError> {
        if claimants.len() < 2 {
            self.orders.contested.forget(order);
            return Ok(claimants);
        }
        let before = self.orders.contested.claimants(order).iter();
        let before: BTreeSet<CustomerId> = before.map(|&who| self.canonical(who)).collect();
        // What the others say of it is known.
        let new: BTreeSet<CustomerId> = claimants.difference(&before).copied().collect();
        let (mut records, mut all_told) = (Vec::new(), Vec::new());
        for &claimant in &new {
            // One of whom only the history knows is there from now on.
            self.with(claimant, |_, _| Ok(()))?;
            let person = &self.people[&claimant];
            let whose = self.whose();
            records.extend(person.records(&self.history, &self.table, whose)?);
            let moved = person.moved(&self.history, whose)?;
            all_told.extend(moved.and(&person.told).into_iter().cloned());
        }
        let told = told.filter(|(by, _)| !new.contains(by));
        all_told.extend(told.map(|(_, told)| told));
        let said = self.orders.said_of(order, records, all_told);
        let who = (
            |customer| self.canonical(customer),
            |customer| {
                let person = self.people.get(&customer);
                person.is_some_and(|person| person.named)
            },
        );
        let claimants = claimants.into_iter().collect();
        let settled = self
            .orders
            .settled(order, claimants, &said, who, &self.table)?;
        // Nothing of it counts for any other, before or after.
        let owner_before = self.orders.contested.known(order).map(|(was, _)| was.owner);
        let mut concerned = new;
        concerned.insert(settled.owner);
        concerned.extend(owner_before.map(|owner| self.canonical(owner)));
        self.orders.contested.settle(order, settled, said);
        Ok(concerned)
    }

    /// What a visitor told of contested orders says whose they are once it is known who that is.
    /// Folds all concerned again; gives those who are to be looked at besides.
    pub(super) fn settle_claims_of(
        &mut self,
        customer: CustomerId,
    ) -> Result<BTreeSet<CustomerId>, PipelineError> {
        let mut concerned = BTreeSet::new();
        for order in self.orders.contested.of(customer).to_vec() {
            concerned.extend(self.settle(order, customer, None)?);
        }
        for &customer in &concerned {
            self.advance(customer);
            self.with(customer, |person, folding| person.refold(folding))?;
        }
        concerned.remove(&customer);
        Ok(concerned)
    }

    /// Folds customers again from the beginning, and looks at them when all of them are folded.
    fn fold_again(
        &mut self,
        customers: &BTreeSet<CustomerId>,
        occurred_at: Timestamp,
        cause: &Cause,
    ) -> Result<(), PipelineError> {
        for &customer in customers {
            self.advance(customer);
            self.with(customer, |person, folding| person.refold(folding))?;
            self.recompile_for_new_texts(customer)?;
        }
        let has_new_data = self.note_data(customers.iter().copied());
        self.look_at_touched_accounts(occurred_at, |_| cause.clone());
        for &customer in customers {
            self.look_at_changes(customer, Touched::Everything, occurred_at, |_| {
                cause.clone()
            });
        }
        if has_new_data {
            self.look_at_new_data();
        }
        self.sweep(AT_ONCE);
        Ok(())
    }

    /// A customer who is no more leaves every segment.
    fn leave_all(&mut self, gone: &mut Person, customer: CustomerId) {
        let (member, mut flips) = (&mut gone.member, Vec::new());
        member.leave_all((self.now, self.now), &mut |flip| flips.push(flip));
        let entries: Vec<(u16, u64, bool)> = member.entries().collect();
        if entries.is_empty() {
            return;
        }
        let left = SavedMember {
            customer,
            last_flip_at: member.last_flip_at(),
            entries,
        };
        self.gone.insert(customer, left);
        self.note(customer, flips, self.now, &Cause::Merge);
    }

    /// A customer of whom nothing but memberships is known leaves every segment.
    pub(in crate::live) fn leave_recorded(&mut self, customer: CustomerId) {
        let Some(member) = self.gone.get_mut(&customer) else {
            return;
        };
        let mut found = Finding {
            customer,
            program: &self.program,
            definitions: &self.definitions,
            recorded_at: self.now,
            cause: &Cause::Merge,
            found: &mut self.found,
        };
        let inside = member.entries.iter_mut().filter(|(_, _, inside)| *inside);
        for (segment, sequence, inside) in inside {
            (*sequence, *inside) = (*sequence + 1, false);
            member.last_flip_at = member.last_flip_at.max(found.recorded_at);
            found.add(Flip {
                segment: usize::from(*segment),
                sequence: *sequence,
                direction: Direction::Exited,
                occurred_at: found.recorded_at,
            });
        }
    }
}
