//! The store from the outside: on a real file system, through its public interface.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod directory;
mod export;
mod history;
mod live;
mod rewrite;
mod sample;
mod spill;
mod tables;
mod vault;
