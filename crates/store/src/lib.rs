//! The embedded store: the one crate that opens the data files of a workspace.
//!
//! ```text
//! data/
//!   FORMAT                     what wrote this directory, and its version
//!   LOCK                       held while a process works here: one writer or many readers
//!   log/seg-<first>.log        the log: what happened, in order            log
//!   manifest.json              which files count, up to which offset       manifest
//!   history/*.parquet          orders, customers, events, by partition     history
//!   tables/*.parquet           products, ad spend                          tables
//!   tables/*-<from>-<to>.*     what else was moved out of the log          moved
//!   vault/*                    who the customers are, and their keys       vault
//!   access.json                write keys and API tokens, hashed          access
//!   destinations.json          where webhooks go, and their secrets       destinations
//!   tmp/                       spill of a running import; emptied on open  spill
//! ```
//!
//! A [`Transaction`] writes new files, makes them durable, appends one record to the log that says
//! what they are, and replaces the manifest. A kill at any moment leaves the store as it was before
//! or as it is after; [`Store::open`] finishes or undoes what was begun.
//!
//! Always: every file carries a format version and an unknown one is refused in words; no personal
//! data is readable in any file; nothing is deleted before the manifest that no longer lists it is
//! durable.

mod store;

pub mod access;
pub mod destinations;
pub mod history;
pub mod tables;
pub mod vault;

pub mod log;
pub mod manifest;
pub mod moved;

pub mod export;
pub mod inspect;
pub mod spill;

mod catalog;
mod disk;
mod error;
mod fields;
mod label;

#[cfg(test)]
mod faults;
#[cfg(test)]
mod fuzz;

pub use error::StoreError;
pub use store::{
    Frame, Reassigned, Recovery, Store, StoreOptions, Superseded, Transaction, WantedTransitions,
    lock_alone,
};
