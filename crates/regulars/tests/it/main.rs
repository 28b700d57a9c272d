//! The binary as a script sees it: output, messages, exit codes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod clients;
mod deliver;
mod disk_full;
mod doctor;
mod exits;
mod explained;
mod golden;
mod idle;
mod import;
mod json;
mod kills;
mod kills_live;
mod lent;
mod log;
mod messages;
mod operations;
mod page;
mod real_time;
mod receiver;
mod served;
mod server;
mod shop;
mod stored;
mod streams;
mod text;
