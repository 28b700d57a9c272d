//! Grouped histories laid out for a likelihood: distinct counts and times once each, histories as
//! indices into them, time divided by its mean.

use super::summary::Group;

/// Histories by index, time scaled so that the mean T is 1.
pub(super) struct Tables {
    /// Caller's unit of time = scaled unit × this.
    pub scale: f64,
    /// Customers.
    pub customers: f64,
    /// Distinct x, increasing, and how many customers have each.
    pub counts: Vec<(f64, f64)>,
    /// Distinct scaled times (`t_x` and T together), increasing; the first is 0.
    pub times: Vec<f64>,
    /// Histories in order of (x, T, `t_x`).
    pub rows: Vec<Row>,
    /// For each T that occurs: its index, customers, sum of their x.
    pub ends: Vec<(u32, f64, f64)>,
}

/// One history.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub x: u32,
    pub t_x: u32,
    pub t: u32,
    pub customers: f64,
}

impl Tables {
    /// Lays out groups that are in order of (x, T, `t_x`) and not empty.
    pub(super) fn new(groups: &[Group]) -> Self {
        let customers: f64 = groups.iter().map(|g| g.customers as f64).sum();
        let observed: f64 = groups
            .iter()
            .map(|g| g.customers as f64 * g.history.t)
            .sum();
        Self::with_scale(groups, observed / customers)
    }

    /// The same with a given unit of time.
    pub(super) fn with_scale(groups: &[Group], scale: f64) -> Self {
        let mut customers = 0.0;
        let mut counts: Vec<(u32, f64)> = Vec::new();
        let mut distinct = vec![0_u64];
        for group in groups {
            let n = group.customers as f64;
            customers += n;
            let (t, t_x) = (group.history.t.to_bits(), group.history.t_x.to_bits());
            if distinct.last() != Some(&t) {
                distinct.push(t);
            }
            if t_x != 0 {
                distinct.push(t_x);
                distinct.push(t);
            }
            match counts.last_mut() {
                Some((x, sum)) if *x == group.history.x => *sum += n,
                _ => counts.push((group.history.x, n)),
            }
        }
        distinct.sort_unstable();
        distinct.dedup();
        let index = |time: f64| distinct.partition_point(|&bits| bits < time.to_bits()) as u32;
        let mut rows = Vec::with_capacity(groups.len());
        let mut ends = vec![(0.0, 0.0); distinct.len()];
        let mut x_index = 0;
        for group in groups {
            while counts[x_index].0 != group.history.x {
                x_index += 1;
            }
            let row = Row {
                x: x_index as u32,
                t_x: index(group.history.t_x),
                t: index(group.history.t),
                customers: group.customers as f64,
            };
            let end: &mut (f64, f64) = &mut ends[row.t as usize];
            end.0 += row.customers;
            end.1 += row.customers * f64::from(group.history.x);
            rows.push(row);
        }
        let ends = ends
            .into_iter()
            .enumerate()
            .filter(|(_, (n, _))| *n > 0.0)
            .map(|(t, (n, x))| (t as u32, n, x))
            .collect();
        let times = distinct
            .into_iter()
            .map(|bits| f64::from_bits(bits) / scale)
            .collect();
        let counts = counts.into_iter().map(|(x, n)| (f64::from(x), n)).collect();
        Self {
            scale,
            customers,
            counts,
            times,
            rows,
            ends,
        }
    }

    /// Sum of x over all customers.
    pub(super) fn repeats(&self) -> f64 {
        self.counts.iter().map(|(x, n)| x * n).sum()
    }

    /// What takes the scaled log-likelihood to the caller's unit of time: each order is a density
    /// in time.
    pub(super) fn offset(&self) -> f64 {
        -self.repeats() * libm::log(self.scale)
    }

    /// (r, alpha) of an NBD with the mean and variance of x, as if all had been observed for the
    /// mean T; scaled.
    pub(super) fn moments(&self) -> (f64, f64) {
        let mean = self.repeats() / self.customers;
        let squares: f64 = self
            .counts
            .iter()
            .map(|(x, n)| n * (x - mean) * (x - mean))
            .sum::<f64>();
        let excess = squares / self.customers - mean;
        let r = if excess > 0.0 {
            mean * mean / excess
        } else {
            10.0
        };
        let r = r.clamp(0.05, 20.0);
        (r, r / mean)
    }
}
