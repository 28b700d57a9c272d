//! What events say of carts.
//!
//! Changes come nearly in order: two requests that overtake each other are milliseconds apart. So
//! the latest changes are kept aside, and one that comes late is put in its place among them.

use regulars_core::{Currency, HOUR_MS, Symbol, Timestamp};
use regulars_ingest::tracking::vocabulary::{Item, StandardEvent, cart_facts, cart_id};
use regulars_profile::{CartChange, CartItem, Carts};
use regulars_store::history::SymbolTable;

use super::orders::Orders;
use super::told::Told;

/// Changes that are kept aside, at least, when so many came within [`KEPT_MS`].
const KEPT: usize = 256;

/// Changes that are older than this when the next one comes are not kept aside.
const KEPT_MS: i64 = 2 * HOUR_MS;

/// A list shorter than this grows by one.
const FEW: usize = 4;

/// A change of carts that an event tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    at: Timestamp,
    offset: u64,
    cart: Option<Box<str>>,
    what: CartChange,
}

impl Change {
    /// An order of the history, which was of every cart.
    pub(super) fn ordered(at: Timestamp) -> Self {
        Self {
            at,
            offset: 0,
            cart: None,
            what: CartChange::Ordered,
        }
    }

    /// Brings `carts` up to date, each of which is open for `open_ms` after its last change.
    pub(super) fn apply(&self, carts: &mut Carts, open_ms: i64) {
        carts.change(self.cart.as_deref(), self.at, &self.what, open_ms);
    }
}

/// The latest changes, and the carts before them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LatestChanges {
    before: Carts,
    /// By time, then offset.
    changes: Vec<Change>,
}

impl LatestChanges {
    /// Nothing is known of how these carts came to be.
    pub(super) fn unknown(carts: &Carts) -> Self {
        Self {
            before: carts.clone(),
            changes: Vec::new(),
        }
    }

    /// Takes in a change, in its place by time, and brings `carts` up to date; false when it
    /// happened before what is kept.
    pub(super) fn take(&mut self, change: Change, carts: &mut Carts, open_ms: i64) -> bool {
        let key = |change: &Change| (change.at, change.offset);
        let place = self
            .changes
            .partition_point(|known| key(known) < key(&change));
        if place == 0 && self.before.changed_at() > Some(change.at) {
            return false;
        }
        if self.changes.len() < FEW {
            // Most customers have a few: exactly as much memory as they take.
            self.changes.reserve_exact(1);
        }
        if place == self.changes.len() {
            change.apply(carts, open_ms);
            self.changes.push(change);
        } else {
            self.changes.insert(place, change);
            carts.clone_from(&self.before);
            for change in &self.changes {
                change.apply(carts, open_ms);
            }
        }
        let latest = self.changes.last().map_or(Timestamp::MIN, |last| last.at);
        let is_old = |change: &Change| change.at < latest.plus_ms(-KEPT_MS);
        let settled = if self.changes.len() >= 2 * KEPT {
            KEPT
        } else {
            self.changes
                .iter()
                .take_while(|change| is_old(change))
                .count()
        };
        for change in self.changes.drain(..settled) {
            change.apply(&mut self.before, open_ms);
        }
        true
    }
}

/// What an event says of carts.
pub(super) fn of(told: &Told, orders: &Orders, table: &SymbolTable) -> Option<Change> {
    let properties = &*told.event.properties;
    let at = told.event.occurred_at;
    let what = match told.what? {
        StandardEvent::ProductAdded | StandardEvent::WishlistProductAddedToCart => CartChange::Add,
        StandardEvent::ProductRemoved => CartChange::Remove,
        StandardEvent::CartViewed => CartChange::Content,
        StandardEvent::OrderCompleted => {
            return Some(Change {
                at,
                offset: told.offset,
                cart: cart_id(properties).as_deref().map(Box::from),
                what: CartChange::Ordered,
            });
        }
        _ => return None,
    };
    let facts = cart_facts(properties, orders.currency());
    let items = facts.items.iter();
    let items: Vec<CartItem> = items
        .map(|item| content(item, facts.currency, at, orders, table))
        .collect();
    if items.is_empty() && told.what == Some(StandardEvent::CartViewed) {
        return None;
    }
    Some(Change {
        at,
        offset: told.offset,
        cart: facts.cart_id.as_deref().map(Box::from),
        what: what(items),
    })
}

fn content(
    item: &Item<'_>,
    currency: Option<Currency>,
    at: Timestamp,
    orders: &Orders,
    table: &SymbolTable,
) -> CartItem {
    let product = item.key().or(item.name.as_deref());
    let unit_minor = item.price_minor.zip(currency);
    CartItem {
        product: product.map_or(Symbol::NONE, |text| table.intern(text.trim())),
        quantity: item.quantity.unwrap_or(1.0),
        unit_minor: unit_minor.and_then(|(minor, from)| orders.convert(minor, from, at)),
    }
}
