//! For tests only: what is obviously right, and random things to try it on.
//!
//! - [`history`]: a customer as plain data: orders with texts, traits as functions of time.
//! - [`mod@reference`]: the meaning of a rule, read off the tree and the plain data. Slow, short, and
//!   without any code of the compiled evaluation.
//! - [`naive`]: every standard trait of a plain customer in a plain shop, read off the definitions;
//!   without any code of `profile`.
//! - [`generate`]: random rules and histories over small alphabets, so that matches, ties and
//!   window edges are frequent.
//! - [`fuzz`]: damaged bytes for whatever reads what it did not write.
//! - [`text`]: a customer's state as text, for snapshots and failure messages.

pub mod fuzz;
pub mod generate;
pub mod history;
pub mod naive;
pub mod reference;
pub mod text;
