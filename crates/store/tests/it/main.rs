//! The store from the outside: on a real file system, through its public interface.

mod directory;
mod export;
mod history;
mod rewrite;
mod sample;
mod spill;
mod tables;
mod vault;
