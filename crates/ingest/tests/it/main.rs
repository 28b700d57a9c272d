//! Files as people have them, from bytes to typed rows or to a message that says what to do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod conventions;
mod dirty;
mod docs;
mod exports;
mod fuzz;
mod json;
mod kinds;
mod personal;
mod reading;
mod refunds;
mod said;
mod sales;
mod tracking;
