//! Names with a meaning: the standard events, and what orders, carts and products say of
//! themselves.
//!
//! Names are those of the e-commerce, e-mail, B2B and live-chat specifications of Segment, and our
//! own where those have none. They are compared without case, spaces and punctuation, and with
//! older names of the same thing: `order_completed`, `orderCompleted` and `Completed Order` are
//! [`StandardEvent::OrderCompleted`].

mod commerce;
mod names;

pub use commerce::{CartFacts, Item, OrderFacts, cart_facts, cart_id, items, order_facts};
pub use names::{Family, StandardEvent};
