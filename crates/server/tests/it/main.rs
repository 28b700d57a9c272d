//! The server over loopback, with a clock that the test moves and receivers of the test's own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod delivery;
mod hostile;
mod limits;
mod lists;
mod receiver;
mod recorded;
mod roles;
mod shop;
mod standard;
