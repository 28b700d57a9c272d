//! The client against receivers that behave badly, all on loopback.

mod client;
mod guard;
mod receiver;
mod tls;
mod together;
