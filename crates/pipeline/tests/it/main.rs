//! The flows on real and made-up data, from files to figures.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod alias;
mod amounts;
mod cdnow;
mod claims;
mod dirty;
mod docs;
mod dry_run;
mod equivalence;
mod event_files;
mod folds;
mod future;
mod identity;
mod last_change;
mod late;
mod limits;
mod live;
mod models;
mod nobody;
mod order_ids;
mod owners;
mod parting;
mod pieces;

mod random_rules;
mod ready_made;
mod refunds;
mod repeat;
mod scratch;
mod segments;
mod sweeps;
mod tail;
mod told;
mod visits;
