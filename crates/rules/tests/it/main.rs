//! The rule language from outside: one meaning for text, JSON, compiled evaluation and reference.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod docs;
mod equivalence;
mod errors;
mod events;
mod explanations;
mod forms;
mod fuzz;
mod kept;
mod language;
mod mutations;
