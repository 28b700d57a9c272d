//! Predictions against what happened.
//!
//! Takes aligned slices, one entry for each customer, and knows nothing of how the predictions were
//! made. Pairs are sorted (once for each candidate) before anything is summed, and equal predictions are treated alike, so no
//! figure depends on the order of the customers.

mod baseline;
mod compare;
mod metrics;
mod ranking;

pub use baseline::{order_rate, recency, repeat_spend_rate};
pub use compare::{
    Candidate, Comparison, ComparisonRow, Deciding, Lost, Role, Scale, compare, deciding_figures,
};
pub use metrics::{CalibrationBin, Metrics, calibration, log_loss, metrics};
pub use ranking::{auc, normalised_gini, pearson, spearman, top_share_capture};
