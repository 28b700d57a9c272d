//! Observations of the spend model, checked, sorted and grouped.

use serde::{Deserialize, Serialize};

use crate::error::StatsError;

/// One customer's repeat orders.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SpendSummary {
    /// Orders.
    pub x: u32,
    /// Their mean value, in the caller's unit of money.
    pub mean: f64,
}

/// Customers with the same orders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpendGroup {
    /// The orders.
    pub spend: SpendSummary,
    /// How many customers have them.
    pub customers: u64,
}

/// What became of the observations given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SpendCounts {
    /// Customers in the likelihood.
    pub customers: u64,
    /// x = 0: nothing to learn from, yet given the population's mean.
    pub without_repeats: u64,
    /// x > 0 with a mean of 0 or less.
    pub not_positive: u64,
    /// A mean that is not a number or is infinite.
    pub not_finite: u64,
    /// Pearson correlation of x and mean over the customers in the likelihood; `None` when either
    /// does not vary. Away from 0 it speaks against the model's independence: warn, do not fail.
    pub correlation: Option<f64>,
}

/// Sufficient statistics of the spend model: distinct (x, mean) in order.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupedSpend {
    groups: Vec<SpendGroup>,
    counts: SpendCounts,
}

impl GroupedSpend {
    /// Checks, sorts and groups.
    ///
    /// # Errors
    /// [`StatsError::NoObservations`] when no customer has repeat orders of positive mean.
    pub fn new(observations: &[SpendSummary]) -> Result<Self, StatsError> {
        Self::from_groups(observations.iter().map(|&spend| SpendGroup {
            spend,
            customers: 1,
        }))
    }

    /// The same from observations that are already counted; also merges two groupings.
    ///
    /// # Errors
    /// [`StatsError::NoObservations`] when no customer has repeat orders of positive mean.
    pub fn from_groups(observed: impl IntoIterator<Item = SpendGroup>) -> Result<Self, StatsError> {
        let mut counts = SpendCounts::default();
        let mut groups = Vec::new();
        for group in observed {
            let SpendSummary { x, mean } = group.spend;
            let count = match (x, mean) {
                (0, _) => &mut counts.without_repeats,
                (_, mean) if !mean.is_finite() => &mut counts.not_finite,
                (_, mean) if mean <= 0.0 => &mut counts.not_positive,
                _ => {
                    groups.push(group);
                    &mut counts.customers
                }
            };
            *count += group.customers;
        }
        if counts.customers == 0 {
            let rejected = counts.not_finite + counts.not_positive;
            return Err(StatsError::NoObservations {
                rejected,
                unobserved: counts.without_repeats,
            });
        }
        groups.sort_unstable_by_key(|g| (g.spend.x, g.spend.mean.to_bits(), g.customers));
        groups.dedup_by(|next, kept| {
            let same = next.spend == kept.spend;
            if same {
                kept.customers += next.customers;
            }
            same
        });
        counts.correlation = correlation(&groups);
        Ok(Self { groups, counts })
    }

    /// Distinct observations in order of (x, mean).
    pub fn groups(&self) -> &[SpendGroup] {
        &self.groups
    }

    /// What became of the observations.
    pub fn counts(&self) -> &SpendCounts {
        &self.counts
    }
}

fn correlation(groups: &[SpendGroup]) -> Option<f64> {
    let pairs = || {
        groups
            .iter()
            .map(|g| (f64::from(g.spend.x), g.spend.mean, g.customers as f64))
    };
    let n: f64 = pairs().map(|(_, _, w)| w).sum();
    let mean_x = pairs().map(|(x, _, w)| w * x).sum::<f64>() / n;
    let mean_m = pairs().map(|(_, m, w)| w * m).sum::<f64>() / n;
    let (mut xx, mut xm, mut mm) = (0.0, 0.0, 0.0);
    for (x, m, w) in pairs() {
        xx += w * (x - mean_x) * (x - mean_x);
        xm += w * (x - mean_x) * (m - mean_m);
        mm += w * (m - mean_m) * (m - mean_m);
    }
    (xx > 0.0 && mm > 0.0).then(|| xm / (xx.sqrt() * mm.sqrt()))
}
