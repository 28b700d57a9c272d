//! Statistics of Regulars: observations in, numbers out.
//!
//! Pure and deterministic: no I/O, no clock, no random numbers, no other crate of ours. Every
//! logarithm, exponential and gamma function comes from pure Rust (`libm`), observations are sorted
//! and grouped before anything is summed, and sums run over fixed-size chunks whose results are
//! combined in order. Results are therefore the same bits whatever the platform, the order of the
//! observations or the number of threads.
//!
//! Read in this order:
//!
//! - [`rfm`]: quintile scores, exact medians, concentration.
//! - [`purchase`]: how many orders a customer will place: BG/NBD, MBG/NBD, Pareto/NBD, NBD.
//! - [`spend`]: what an order will be worth: Gamma-Gamma.
//! - [`value`]: the two together: future revenue of a customer, with an interval.
//! - [`validate`]: predictions against what happened, beside naive baselines.
//! - [`optimise`], [`special`], [`parallel`]: the numerical floor the models stand on.

#![allow(
    clippy::needless_range_loop,
    reason = "matrix code reads best with the indices of its formulas"
)]

pub mod rfm;

pub mod purchase;
pub mod spend;
pub mod value;

pub mod validate;

pub mod fitted;
pub mod optimise;
pub mod parallel;
pub mod special;

mod error;

pub use error::StatsError;
pub use fitted::{Estimate, FitOptions, Fitted, Information, StartOutcome};
pub use optimise::Convergence;
pub use parallel::Parallelism;
