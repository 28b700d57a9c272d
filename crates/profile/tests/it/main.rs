//! A customer's traits, flips and stages against naive recomputations and tables.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod flips;
mod member;
mod stages;
mod traits;
mod world;
