//! Reads whole runs for folds, without a detour through Arrow.
//!
//! ```text
//! column chunk ──pages──► numbers of dictionary entries (`hybrid`) ──► values (`column`)
//!                                    a batch of values of each column ──► rows (`lines`, `declared`)
//! ```
//!
//! A fold goes over every row of the history, so this is where its time is spent. The files are our
//! own and hold two encodings only (plain values, and dictionaries); any other is refused as damage.
//! A test compares the rows with those that Arrow's reader gives.

mod column;
mod declared;
mod hybrid;
mod lines;

pub(super) use declared::DeclaredScan;
pub(super) use lines::LineScan;
