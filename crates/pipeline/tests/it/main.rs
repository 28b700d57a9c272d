//! The flows on real and made-up data, from files to figures.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cdnow;
mod dirty;
mod models;
mod repeat;
mod scratch;
mod segments;
