//! The rule language from outside: one meaning for text, JSON, compiled evaluation and reference.

mod docs;
mod equivalence;
mod errors;
mod explanations;
mod forms;
mod language;
mod mutations;
