//! Orders that several customers claim: whose they are, and what they come to.
//!
//! An order is one, whoever tells of it ([`regulars_store`] keeps it under whoever told). It belongs
//! to the customer that its newest version names; what only a visitor says of it, whom nobody knows
//! yet, counts for its content and not for whose it is. What tells no content (that it was cancelled, or
//! refunded as a whole) follows the order. Nearly all orders are claimed by one customer; the few
//! others are settled here, with all that their claimants say of them, and put to their owner as a
//! whole.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;
use regulars_core::{CustomerId, LineRecord, OrderKey};

/// An order under a customer.
pub(crate) type Claim = (OrderKey, CustomerId);

/// Orders that several customers claim.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contested {
    orders: HashMap<OrderKey, Settled, FixedState>,
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
        let settled = self.orders.get(&order);
        settled.map_or(&[], |settled| &settled.claimants)
    }

    /// True for a contested order.
    pub(crate) fn contains(&self, order: OrderKey) -> bool {
        self.orders.contains_key(&order)
    }

    /// Settles an order, or settles it anew.
    pub(crate) fn settle(&mut self, order: OrderKey, settled: Settled) {
        self.forget(order);
        for &claimant in &settled.claimants {
            self.of.entry(claimant).or_default().push(order);
        }
        self.orders.insert(order, settled);
    }

    /// The order is contested no more.
    pub(crate) fn forget(&mut self, order: OrderKey) {
        let Some(before) = self.orders.remove(&order) else {
            return;
        };
        for claimant in before.claimants {
            let Some(orders) = self.of.get_mut(&claimant) else {
                continue;
            };
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
            let settled = &self.orders[order];
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
            );
        }
        assert_eq!(contested.of(other), [OrderKey(7)]);
        contested.forget(OrderKey(7));
        assert!(contested.is_empty() && !contested.concerns(one) && !contested.concerns(other));
    }
}
