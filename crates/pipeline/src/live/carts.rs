//! What events say of carts.

use regulars_core::{Symbol, Timestamp};
use regulars_ingest::tracking::vocabulary::{Item, StandardEvent, cart_facts, items, order_facts};
use regulars_profile::{CartChange, CartItem, Carts};
use regulars_store::history::SymbolTable;

use super::orders::Orders;
use super::told::Told;

/// Takes an event into the carts of its customer; nothing happens when it says nothing of carts.
pub(super) fn change(carts: &mut Carts, told: &Told, orders: &Orders, table: &SymbolTable) {
    let Some(what) = StandardEvent::named(&told.event.name) else {
        return;
    };
    let properties = &*told.event.properties;
    let content = || content(properties, told.event.occurred_at, orders, table);
    let change = match what {
        StandardEvent::ProductAdded | StandardEvent::WishlistProductAddedToCart => {
            CartChange::Add(content())
        }
        StandardEvent::ProductRemoved => CartChange::Remove(content()),
        StandardEvent::CartViewed => match content() {
            empty if empty.is_empty() => return,
            items => CartChange::Content(items),
        },
        StandardEvent::OrderCompleted => CartChange::Ordered,
        _ => return,
    };
    let id = cart_facts(properties).cart_id;
    carts.change(id.as_deref(), told.event.occurred_at, change);
}

/// True for an event that says something of carts.
pub(super) fn concerns(told: &Told) -> bool {
    use StandardEvent::{
        CartViewed, OrderCompleted, ProductAdded, ProductRemoved, WishlistProductAddedToCart,
    };
    let what = StandardEvent::named(&told.event.name);
    what.is_some_and(|what| {
        [
            CartViewed,
            OrderCompleted,
            ProductAdded,
            ProductRemoved,
            WishlistProductAddedToCart,
        ]
        .contains(&what)
    })
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
