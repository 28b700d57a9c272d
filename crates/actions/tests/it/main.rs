//! The client against receivers that behave badly, all on loopback.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod documented;
mod guard;
mod receiver;
mod tls;
mod together;
