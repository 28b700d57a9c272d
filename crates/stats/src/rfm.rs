//! Recency, frequency, monetary: where a customer stands among all, in exact integers.
//!
//! Values are `i64` in the caller's units (days, orders, minor units of money). Nothing here is
//! sampled or approximated, and equal values are always treated alike.

mod concentration;
mod cutpoints;
mod quantile;

pub use concentration::{Concentration, concentration, gini, lorenz};
pub use cutpoints::{Better, Cutpoints};
pub use quantile::{median, median_of, quantile, quantile_of, quantile_rank};
