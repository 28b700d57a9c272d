//! How much of the revenue comes from how few customers.

use serde::{Deserialize, Serialize};

/// Share of a total that the top of the customers holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Concentration {
    /// The top as a percentage of customers.
    pub top_percent: u8,
    /// Customers in it: that share of all, rounded up, so at least one.
    pub customers: u64,
    /// Sum of their values.
    pub sum: i128,
    /// That sum over the sum of all values; `None` unless that is above 0.
    pub share: Option<f64>,
}

/// The share of the top `top_percent` of customers in the sum of `values`, exactly.
///
/// The number of customers is ceil(n · percent / 100). Customers with equal values at the edge are
/// interchangeable, so the sum is the same whichever of them are counted. Negative values (refunds
/// above revenue) count in the total.
pub fn concentration(values: &[i64], top_percent: &[u8]) -> Vec<Concentration> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let total: i128 = sorted.iter().map(|&value| i128::from(value)).sum();
    let top = |&percent: &u8| {
        let count = (sorted.len() * usize::from(percent.min(100))).div_ceil(100);
        let sum: i128 = sorted[..count].iter().map(|&value| i128::from(value)).sum();
        Concentration {
            top_percent: percent,
            customers: count as u64,
            sum,
            share: (total > 0).then(|| sum as f64 / total as f64),
        }
    };
    top_percent.iter().map(top).collect()
}

/// Points (share of customers, share of the total) of the Lorenz curve at `steps` + 1 even shares of
/// the customers, least first; `None` unless the total is above 0. Negative values count as 0.
pub fn lorenz(values: &[i64], steps: usize) -> Option<Vec<(f64, f64)>> {
    let mut sorted: Vec<i64> = values.iter().map(|&value| value.max(0)).collect();
    sorted.sort_unstable();
    let mut sums = vec![0_i128];
    for value in &sorted {
        sums.push(sums[sums.len() - 1] + i128::from(*value));
    }
    let (n, total) = (sorted.len(), sums[sorted.len()]);
    if total == 0 || steps == 0 {
        return None;
    }
    // Between two customers the curve is a straight line.
    let point = |step: usize| {
        let position = n * step;
        let (whole, part) = (position / steps, position % steps);
        let mut sum = sums[whole] as f64;
        if part > 0 {
            sum += sorted[whole] as f64 * part as f64 / steps as f64;
        }
        (step as f64 / steps as f64, sum / total as f64)
    };
    Some((0..=steps).map(point).collect())
}

/// The Gini coefficient: 0 when all values are equal, towards 1 when one has all; `None` unless the
/// total is above 0. Negative values count as 0.
pub fn gini(values: &[i64]) -> Option<f64> {
    let mut sorted: Vec<i64> = values.iter().map(|&value| value.max(0)).collect();
    sorted.sort_unstable();
    let n = sorted.len() as i128;
    let total: i128 = sorted.iter().map(|&value| i128::from(value)).sum();
    if total == 0 {
        return None;
    }
    // Σ (2 i − n − 1) v_i over ranks i = 1, …, n, in integers; then over n · total.
    let weighted: i128 = sorted
        .iter()
        .zip(1..)
        .map(|(&value, i)| (2 * i - n - 1) * i128::from(value))
        .sum();
    Some(weighted as f64 / (n as f64 * total as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correctness_shares_of_the_top() {
        let values: Vec<i64> = (1..=10).collect();
        let top = concentration(&values, &[1, 10, 20, 100]);
        let customers: Vec<u64> = top.iter().map(|c| c.customers).collect();
        let sums: Vec<i128> = top.iter().map(|c| c.sum).collect();
        assert_eq!(customers, [1, 1, 2, 10]);
        assert_eq!(sums, [10, 10, 19, 55]);
        assert_eq!(top[2].share, Some(19.0 / 55.0));
        assert_eq!(concentration(&[], &[20])[0].share, None);
        assert_eq!(concentration(&[-3, 1], &[20])[0].share, None);
    }

    #[test]
    fn correctness_gini_and_lorenz() {
        assert_eq!(gini(&[5, 5, 5, 5]), Some(0.0));
        assert_eq!(gini(&[0, 0, 0, 8]), Some(0.75));
        assert_eq!(gini(&[0, 0]), None);
        let curve = lorenz(&[1, 3, 0, 0], 4).unwrap();
        assert_eq!(
            curve,
            [
                (0.0, 0.0),
                (0.25, 0.0),
                (0.5, 0.0),
                (0.75, 0.25),
                (1.0, 1.0)
            ]
        );
        assert_eq!(lorenz(&[2, 2, 2], 2).unwrap()[1], (0.5, 0.5));
    }
}
