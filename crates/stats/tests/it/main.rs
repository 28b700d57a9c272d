//! Golden numbers of the models, named by their source.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod bg_nbd;
mod cdnow;
mod holdout;
mod pareto_nbd;
mod recovery;
mod simulate;
mod special;
mod spend;
mod traps;
