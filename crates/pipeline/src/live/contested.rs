//! Orders that several customers claim: whose they are, and what they come to.
//!
//! An order is one, whoever tells of it ([`regulars_store`] keeps it under whoever told). It belongs
//! to the customer that its newest version names; what only a visitor says of it, whom nobody knows
//! yet, counts for its content and not for whose it is. What tells no content (that it was cancelled, or
//! refunded as a whole) follows the order. Nearly all orders are claimed by one customer; the few
//! others are settled here, with all that their claimants say of them, and put to their owner as a
//! whole. All that is stays known ([`Said`]), so that one more who claims such an order is read, and
//! whoever has it or had it folded again: not all of its claimants.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;
use regulars_core::{CustomerId, LineRecord, OrderKey};

use super::told::Told;

/// An order under a customer.
pub(crate) type Claim = (OrderKey, CustomerId);

/// Orders that several customers claim.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contested {
    orders: HashMap<OrderKey, (Settled, Said), FixedState>,
    /// The contested orders that a customer claims.
    of: HashMap<CustomerId, Vec<OrderKey>, FixedState>,
}

/// What a contested order comes to.
#[derive(Debug, Clone)]
pub(crate) struct Settled {
    /// Ascending.
    pub(crate) claimants: Vec<CustomerId>,
    /// Whose it is.
    pub(crate) owner: CustomerId,
    /// Every version of it and its refunds.
    pub(crate) records: Vec<LineRecord>,
}

/// What the claimants of an order say of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    /// What the history has of files.
    pub(crate) of_files: Vec<LineRecord>,
    /// By time, then offset.
    pub(crate) told: Vec<Told>,
}

impl Said {
    /// Puts it in an order that does not depend on who was asked first.
    pub(crate) fn sort(&mut self) {
        Self::sort_records(&mut self.of_files);
        self.told.sort_by_key(Told::said_at);
    }

    pub(crate) fn sort_records(of_files: &mut [LineRecord]) {
        of_files.sort_by_key(|r| (r.customer, r.occurred_at, r.import, r.line));
    }
}

impl Contested {
    /// Orders claimed by several customers, each with its claimants, ascending.
    pub(crate) fn among(
        claims: impl Iterator<Item = Claim>,
    ) -> BTreeMap<OrderKey, Vec<CustomerId>> {
        let mut claims: Vec<Claim> = claims.collect();
        claims.sort_unstable();
        claims.dedup();
        let by_order = claims.chunk_by(|one, next| one.0 == next.0);
        let contested = by_order.filter(|claims| claims.len() > 1);
        contested
            .map(|claims| (claims[0].0, claims.iter().map(|&(_, who)| who).collect()))
            .collect()
    }

    /// True without any.
    pub(crate) fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// True when a customer claims one.
    pub(crate) fn concerns(&self, customer: CustomerId) -> bool {
        self.of.contains_key(&customer)
    }

    /// The contested orders that a customer claims.
    pub(crate) fn of(&self, customer: CustomerId) -> &[OrderKey] {
        self.of.get(&customer).map_or(&[], Vec::as_slice)
    }

    /// Who claims an order that is contested.
    pub(crate) fn claimants(&self, order: OrderKey) -> &[CustomerId] {
        let known = self.orders.get(&order);
        known.map_or(&[], |(settled, _)| &settled.claimants)
    }

    /// What is known of an order that is contested.
    pub(crate) fn known(&self, order: OrderKey) -> Option<&(Settled, Said)> {
        self.orders.get(&order)
    }

    /// The same for [`Self::apply`], without what was said.
    pub(crate) fn to_apply(&self) -> Self {
        let settled = |(&order, (settled, _)): (&OrderKey, &(Settled, Said))| {
            (order, (settled.clone(), Said::default()))
        };
        Self {
            orders: self.orders.iter().map(settled).collect(),
            of: self.of.clone(),
        }
    }

    /// True for a contested order.
    pub(crate) fn contains(&self, order: OrderKey) -> bool {
        self.orders.contains_key(&order)
    }

    /// Settles an order, or settles it anew, with what is said of it that was not known.
    pub(crate) fn settle(&mut self, order: OrderKey, settled: Settled, new: Said) {
        let mut said = Said::default();
        let mut before = Vec::new();
        if let Some(known) = self.orders.remove(&order) {
            (before, said) = (known.0.claimants, known.1);
        }
        said.of_files.extend(new.of_files);
        said.told.extend(new.told);
        said.sort();
        for claimant in &settled.claimants {
            if before.binary_search(claimant).is_err() {
                self.of.entry(*claimant).or_default().push(order);
            }
        }
        for claimant in before {
            if settled.claimants.binary_search(&claimant).is_err() {
                self.forget_claim(order, claimant);
            }
        }
        self.orders.insert(order, (settled, said));
    }

    /// The order is contested no more.
    pub(crate) fn forget(&mut self, order: OrderKey) {
        if let Some((before, _)) = self.orders.remove(&order) {
            for claimant in before.claimants {
                self.forget_claim(order, claimant);
            }
        }
    }

    fn forget_claim(&mut self, order: OrderKey, claimant: CustomerId) {
        if let Some(orders) = self.of.get_mut(&claimant) {
            orders.retain(|&known| known != order);
            if orders.is_empty() {
                self.of.remove(&claimant);
            }
        }
    }

    /// Takes what a customer's own records say of contested orders out of them, and puts in what
    /// belongs to the customer of them.
    pub(crate) fn apply(&self, customer: CustomerId, records: &mut Vec<LineRecord>) {
        records.retain(|record| !self.contains(record.order));
        for order in self.of(customer) {
            let (settled, _) = &self.orders[order];
            if settled.owner == customer {
                records.extend_from_slice(&settled.records);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_contested_by_several_and_forgotten_as_a_whole() {
        let (one, other) = (CustomerId(1), CustomerId(2));
        let claims = [
            (OrderKey(7), other),
            (OrderKey(8), one),
            (OrderKey(7), one),
            (OrderKey(8), one),
        ];
        let among = Contested::among(claims.into_iter());
        assert_eq!(among, BTreeMap::from([(OrderKey(7), vec![one, other])]));
        let mut contested = Contested::default();
        for owner in [one, other] {
            contested.settle(
                OrderKey(7),
                Settled {
                    claimants: vec![one, other],
                    owner,
                    records: Vec::new(),
                },
                Said::default(),
            );
        }
        assert_eq!(contested.of(other), [OrderKey(7)]);
        contested.forget(OrderKey(7));
        assert!(contested.is_empty() && !contested.concerns(one) && !contested.concerns(other));
    }
}
