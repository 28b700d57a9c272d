//! The state of one customer: a fold over their orders.
//!
//! A profile holds facts, never conclusions that depend on `now`: everything that moves with
//! time is computed when it is asked for (`traits`).

mod declared;
mod purchases;
mod shares;

use regulars_core::{CustomerId, Order, Symbol, Timestamp};

pub use declared::Declared;
use declared::DeclaredTrait;
pub use purchases::{PurchaseHistory, Purchases};
pub use shares::{Places, Shares};

use crate::visits::Visits;

/// An order as a profile remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderFact {
    /// When it was placed.
    pub occurred_at: Timestamp,
    /// Net revenue after refunds, in minor units.
    pub net_minor: i64,
}

/// Discounts over a customer's orders, of those orders for which they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Discounts {
    /// Orders whose discount is known.
    pub known_orders: u32,
    /// Orders that had one.
    pub discounted_orders: u32,
    /// What was taken off, in minor units.
    pub discount_minor: i64,
    /// Net revenue of the orders whose discount is known, in minor units.
    pub net_minor: i64,
}

/// One customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Who it is.
    pub customer: CustomerId,
    /// Orders that count, by time.
    pub orders: Vec<OrderFact>,
    /// Sum of net revenue, in minor units.
    pub revenue_minor: i64,
    /// Refunds and credits, those of orders that no longer count included, in minor units.
    pub refunds_minor: i64,
    /// Cost of the goods that were kept, in minor units; `None` unless known for every order.
    pub cost_minor: Option<i64>,
    /// Pieces ordered.
    pub quantity: f64,
    /// Discounts.
    pub discounts: Discounts,
    /// Net revenue by category.
    pub categories: Shares,
    /// Net revenue by brand.
    pub brands: Shares,
    /// Channel of the first order that has one.
    pub first_channel: Symbol,
    /// Country of the last order that has one.
    pub last_country: Symbol,
    /// Places of these two orders among all.
    first_channel_place: u32,
    last_country_place: u32,
    /// Visits; `None` without any.
    pub visits: Option<Box<Visits>>,
    /// The account that the customer belongs to: that of the latest `group` call.
    pub account: Symbol,
    /// Declared traits by name.
    declared: Vec<DeclaredTrait>,
}

impl Profile {
    /// A customer of whom nothing is known.
    pub fn new(customer: CustomerId) -> Self {
        Self {
            customer,
            orders: Vec::new(),
            revenue_minor: 0,
            refunds_minor: 0,
            cost_minor: Some(0),
            quantity: 0.0,
            discounts: Discounts::default(),
            categories: Shares::default(),
            brands: Shares::default(),
            first_channel: Symbol::NONE,
            last_country: Symbol::NONE,
            first_channel_place: 0,
            last_country_place: 0,
            visits: None,
            account: Symbol::NONE,
            declared: Vec::new(),
        }
    }

    /// Makes it that of `customer`, of whom nothing is known, keeping its memory.
    pub fn reset(&mut self, customer: CustomerId) {
        let Self {
            orders,
            categories,
            brands,
            declared,
            ..
        } = self;
        orders.clear();
        categories.clear();
        brands.clear();
        declared.clear();
        *self = Self {
            orders: std::mem::take(orders),
            categories: std::mem::take(categories),
            brands: std::mem::take(brands),
            declared: std::mem::take(declared),
            ..Self::new(customer)
        };
    }

    /// Forgets every order; what else is known stays.
    pub fn reset_orders(&mut self) {
        let (customer, account) = (self.customer, self.account);
        let (visits, declared) = (self.visits.take(), std::mem::take(&mut self.declared));
        self.reset(customer);
        (self.visits, self.account, self.declared) = (visits, account, declared);
    }

    /// The facts that the orders make, without these: for [`Self::go_back`]. Nothing else that is known
    /// is in it.
    pub fn facts_of_orders(&self) -> Self {
        Self {
            orders: Vec::new(),
            categories: self.categories.clone(),
            brands: self.brands.clone(),
            visits: None,
            declared: Vec::new(),
            ..*self
        }
    }

    /// Goes back to the first `count` orders, after which they made these `facts`; what else is known
    /// stays.
    pub fn go_back(&mut self, count: usize, facts: &Self) {
        self.orders.truncate(count);
        *self = Self {
            customer: self.customer,
            orders: std::mem::take(&mut self.orders),
            categories: facts.categories.clone(),
            brands: facts.brands.clone(),
            visits: self.visits.take(),
            account: self.account,
            declared: std::mem::take(&mut self.declared),
            ..*facts
        };
    }

    /// Takes in the next order by time.
    pub fn fold(&mut self, order: &Order<'_>) {
        self.fold_order(self.orders.len(), order);
        self.fold_lines(order);
    }

    fn fold_lines(&mut self, order: &Order<'_>) {
        for line in order.lines {
            self.categories.add(line.category, line.net_minor);
            self.brands.add(line.brand, line.net_minor);
        }
    }

    /// Takes in an order that is told late, as the one at `place` by time. False, and nothing is
    /// taken in, when that would not be the same as to take in all of them by time: sums of real
    /// numbers depend on their order.
    pub fn insert(&mut self, place: usize, order: &Order<'_>) -> bool {
        if place == self.orders.len() {
            self.fold(order);
            return true;
        }
        let is_whole = |pieces: f64| pieces.fract() == 0.0 && pieces.abs() < 1e15;
        if !is_whole(order.quantity) || !is_whole(self.quantity) {
            return false;
        }
        // Others make room for it, before it may be the first or last of them.
        let moves = |of: Symbol, at: u32| u32::from(of != Symbol::NONE && place <= at as usize);
        self.first_channel_place += moves(self.first_channel, self.first_channel_place);
        self.last_country_place += moves(self.last_country, self.last_country_place);
        self.fold_lines(order);
        self.fold_order(place, order);
        true
    }

    /// As [`Self::fold`], of a customer whose every order was taken in with these `places`: in
    /// constant time for each line.
    pub fn fold_with(&mut self, places: &mut Places, order: &Order<'_>) {
        self.fold_order(self.orders.len(), order);
        for line in order.lines {
            let (of, net_minor) = (line.category, line.net_minor);
            places.categories.add(&mut self.categories, of, net_minor);
            places.brands.add(&mut self.brands, line.brand, net_minor);
        }
    }

    /// Takes in an order as the one at `place` by time, but for its lines.
    fn fold_order(&mut self, place: usize, order: &Order<'_>) {
        let fact = OrderFact {
            occurred_at: order.occurred_at,
            net_minor: order.net_minor,
        };
        self.orders.insert(place, fact);
        self.revenue_minor = self.revenue_minor.saturating_add(order.net_minor);
        self.refunds_minor = self.refunds_minor.saturating_add(order.refunded_minor);
        self.quantity += order.quantity;
        self.cost_minor = self
            .cost_minor
            .zip(order.cost_minor)
            .map(|(sum, cost)| sum.saturating_add(cost));
        if let Some(discount_minor) = order.discount_minor {
            self.discounts.known_orders += 1;
            self.discounts.discounted_orders += u32::from(discount_minor > 0);
            let discounts = &mut self.discounts;
            discounts.discount_minor = discounts.discount_minor.saturating_add(discount_minor);
            discounts.net_minor = discounts.net_minor.saturating_add(order.net_minor);
        }
        let place = place as u32;
        let is_first = self.first_channel == Symbol::NONE || place < self.first_channel_place;
        if order.channel != Symbol::NONE && is_first {
            (self.first_channel, self.first_channel_place) = (order.channel, place);
        }
        let is_last = self.last_country == Symbol::NONE || place > self.last_country_place;
        if order.country != Symbol::NONE && is_last {
            (self.last_country, self.last_country_place) = (order.country, place);
        }
    }

    /// When the customer last did something: the last event of a visit or an order that counts.
    pub fn active_at(&self) -> Option<Timestamp> {
        let visits = self.visits.as_ref();
        let last = visits.and_then(|visits| visits.sessions().last());
        last.map(|session| session.end).max(self.last_order_at())
    }

    /// Sets or replaces a declared trait.
    pub fn declare(&mut self, name: Symbol, value: Declared) {
        let declared = DeclaredTrait::new(name, value);
        match self.declared.iter_mut().find(|known| known.name == name) {
            Some(old) => *old = declared,
            None => self.declared.push(declared),
        }
    }

    /// The declared trait of that name.
    pub fn declared(&self, name: Symbol) -> Option<Declared> {
        self.declared
            .iter()
            .find(|known| known.name == name)
            .map(|known| known.value())
    }

    /// Every declared trait with its name.
    pub fn all_declared(&self) -> impl Iterator<Item = (Symbol, Declared)> {
        self.declared
            .iter()
            .map(|known| (known.name, known.value()))
    }

    /// When the first order was placed.
    pub fn first_order_at(&self) -> Option<Timestamp> {
        self.orders.first().map(|order| order.occurred_at)
    }

    /// When the last order was placed.
    pub fn last_order_at(&self) -> Option<Timestamp> {
        self.orders.last().map(|order| order.occurred_at)
    }

    /// Time between the last order and the one before it, in milliseconds.
    pub fn last_gap_ms(&self) -> Option<i64> {
        let [.., before, last] = self.orders.as_slice() else {
            return None;
        };
        Some(last.occurred_at.0 - before.occurred_at.0)
    }

    /// The orders in `(start, now]`.
    pub fn orders_within(&self, start: Timestamp, now: Timestamp) -> &[OrderFact] {
        let from = self
            .orders
            .partition_point(|order| order.occurred_at <= start);
        let to = self
            .orders
            .partition_point(|order| order.occurred_at <= now);
        &self.orders[from.min(to)..to]
    }
}

#[cfg(test)]
mod tests;
