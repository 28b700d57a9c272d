//! The made-up shop: fashion and electronics, customers with hidden types, orders, products and
//! ad spend, at any size, from a seed. For the demo, the benchmarks and the tests.
//!
//! ```text
//! ShopOptions ──► Shop ──► fill_customers(range)     who they say they are     Customers
//!                   │  ├──► fill_order_lines(range)  what they bought          OrderLines
//!                   │  ├──► products()               what there was to buy     [Product]
//!                   │  ├──► ad_spend(grain)          what finding them cost    [AdSpend]
//!                   │  └──► Traffic                  what they do live         TrafficEvent
//!                   └─────► truth(customer)          why they did it: never in a file
//! ```
//!
//! What is hidden in it is described in `docs/made-up-shop.md`.
//!
//! What always holds:
//!
//! - The same options give the same shop on every platform, whatever the number of threads and
//!   however it is cut into chunks: every customer has random streams of their own, one for each
//!   kind of data (`random`), and all logarithms and the like are `libm`'s.
//! - Customer 17 is the same in a shop of 100 and of 1,000,000. Only a target for the number of
//!   order lines ties customers together: it sets one common rate for all.
//! - A new kind of data takes a new stream, so that it changes nothing that was there before.
//! - Nobody in it exists: names are put together from invented parts, e-mail addresses end in
//!   the domains that are reserved for examples, telephone numbers have a country code that no
//!   country has, postcodes lie where none are given out.
//! - Nothing here reads or writes a file; the caller writes the chunks.

mod options;
mod shop;

mod customer_type;

mod behaviour;
mod life;
mod rate;
mod rhythm;

mod basket;
mod customer;
mod dirt;
mod order;
mod product;
mod spend;

mod calendar;
mod columns;
mod random;
mod traffic;
mod words;

pub use customer::{CustomerNumber, CustomerRow, Customers};
pub use customer_type::CustomerType;
pub use options::{Dirt, ShopError, ShopOptions};
pub use order::{Buyer, OrderLineRow, OrderLines, OrderNumber};
pub use product::{Product, ProductNumber};
pub use shop::Shop;
pub use spend::{AdSpend, SpendGrain};
pub use traffic::{Traffic, TrafficEvent};
pub use words::{Channel, Country, Coupon, Device, Gender};
