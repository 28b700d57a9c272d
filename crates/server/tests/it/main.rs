//! The server over loopback, with a clock that the test moves and receivers of the test's own.

mod delivery;
mod receiver;
mod shop;
mod standard;
