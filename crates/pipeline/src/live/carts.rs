//! What events say of carts.
//!
//! Changes come nearly in order: two requests that overtake each other are milliseconds apart. So
//! the latest changes are kept aside, and one that comes late is put in its place among them.

use regulars_core::{Symbol, Timestamp};
use regulars_ingest::tracking::vocabulary::{Item, StandardEvent, cart_facts, items, order_facts};
use regulars_profile::{CartChange, CartItem, Carts};
use regulars_store::history::SymbolTable;

use super::orders::Orders;
use super::told::Told;

/// Changes that are kept aside, at least.
const KEPT: usize = 64;

/// A change of carts that an event tells.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    at: Timestamp,
    offset: u64,
    cart: Option<Box<str>>,
    what: CartChange,
}

/// The latest changes, and the carts before them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LatestChanges {
    before: Carts,
    /// By time, then offset.
    changes: Vec<Change>,
    /// Whether there were changes before those that are kept.
    has_earlier: bool,
}

impl LatestChanges {
    /// Nothing is known of how these carts came to be.
    pub(super) fn unknown(carts: &Carts) -> Self {
        Self {
            before: carts.clone(),
            changes: Vec::new(),
            has_earlier: carts.changed_at().is_some(),
        }
    }

    /// Takes in a change, in its place by time, and brings `carts` up to date; false when it
    /// happened before what is kept.
    pub(super) fn take(&mut self, change: Change, carts: &mut Carts) -> bool {
        let key = |change: &Change| (change.at, change.offset);
        let place = self
            .changes
            .partition_point(|known| key(known) < key(&change));
        if place == self.changes.len() {
            let is_known = !self.changes.is_empty() || !self.has_earlier;
            if !is_known && self.before.changed_at() > Some(change.at) {
                return false;
            }
            apply(carts, &change);
            self.changes.push(change);
        } else if place == 0 && self.has_earlier {
            return false;
        } else {
            self.changes.insert(place, change);
            *carts = self.before.clone();
            self.changes.iter().for_each(|change| apply(carts, change));
        }
        if self.changes.len() >= 2 * KEPT {
            self.has_earlier = true;
            for change in self.changes.drain(..KEPT) {
                apply(&mut self.before, &change);
            }
        }
        true
    }
}

fn apply(carts: &mut Carts, change: &Change) {
    carts.change(change.cart.as_deref(), change.at, change.what.clone());
}

/// Takes an event into the carts of its customer; nothing happens when it says nothing of carts.
pub(super) fn change(carts: &mut Carts, told: &Told, orders: &Orders, table: &SymbolTable) {
    if let Some(change) = of(told, orders, table) {
        apply(carts, &change);
    }
}

/// What an event says of carts.
pub(super) fn of(told: &Told, orders: &Orders, table: &SymbolTable) -> Option<Change> {
    let properties = &*told.event.properties;
    let content = || content(properties, told.event.occurred_at, orders, table);
    let what = match told.what? {
        StandardEvent::ProductAdded | StandardEvent::WishlistProductAddedToCart => {
            CartChange::Add(content())
        }
        StandardEvent::ProductRemoved => CartChange::Remove(content()),
        StandardEvent::CartViewed => {
            let items = content();
            (!items.is_empty()).then_some(CartChange::Content(items))?
        }
        StandardEvent::OrderCompleted => CartChange::Ordered,
        _ => return None,
    };
    Some(Change {
        at: told.event.occurred_at,
        offset: told.offset,
        cart: cart_facts(properties).cart_id.as_deref().map(Box::from),
        what,
    })
}

/// True for an event that says something of carts.
pub(super) fn concerns(told: &Told) -> bool {
    use StandardEvent::{
        CartViewed, OrderCompleted, ProductAdded, ProductRemoved, WishlistProductAddedToCart,
    };
    let of_carts = [
        CartViewed,
        OrderCompleted,
        ProductAdded,
        ProductRemoved,
        WishlistProductAddedToCart,
    ];
    told.what.is_some_and(|what| of_carts.contains(&what))
}

fn content(properties: &str, at: Timestamp, orders: &Orders, table: &SymbolTable) -> Vec<CartItem> {
    let currency = order_facts(properties, orders.currency()).currency;
    let item = |item: &Item<'_>| {
        let product = item.key().or(item.name.as_deref());
        let unit_minor = item.price_minor.zip(currency);
        CartItem {
            product: product.map_or(Symbol::NONE, |text| table.intern(text.trim())),
            quantity: item.quantity.unwrap_or(1.0),
            unit_minor: unit_minor.and_then(|(minor, from)| orders.convert(minor, from, at)),
        }
    };
    items(properties, orders.currency())
        .iter()
        .map(item)
        .collect()
}
