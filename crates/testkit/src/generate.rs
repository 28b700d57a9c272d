//! Random rules and customers over small alphabets: few words, few times, few amounts, so that
//! orders match filters, share their time and sit on the edges of windows.

mod customer;
mod event;
mod rule;
mod shop;

pub use customer::{FIRST_DAY, LENGTHS_MS, ZONE, customer, instant};
pub use event::{carts, events};
pub use rule::{filter, rule, rules};
pub use shop::{settings, shop};

/// Products of random orders and rules.
pub const PRODUCTS: [&str; 4] = ["p1", "p2", "P3", "it's"];
/// Categories; the empty one is unknown.
pub const CATEGORIES: [&str; 3] = ["Shoes", "Hats", ""];
/// Brands; the empty one is unknown.
pub const BRANDS: [&str; 3] = ["X", "Y", ""];
/// Channels; the empty one is unknown.
pub const CHANNELS: [&str; 3] = ["web", "store", ""];
/// Countries; the empty one is unknown.
pub const COUNTRIES: [&str; 3] = ["DE", "FR", ""];
/// Names of random events.
pub const EVENTS: [&str; 3] = ["Viewed", "Added", "Ordered"];
/// Products that random events name; the empty one is unknown.
pub const SKUS: [&str; 4] = ["a", "b", "7", ""];
/// Names of declared traits, of customers and of accounts.
pub const DECLARED: [&str; 3] = ["gender", "size", "joined at"];
