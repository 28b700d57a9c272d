//! Observations of the purchase models, checked, sorted and grouped.

use serde::{Deserialize, Serialize};

use crate::error::StatsError;

/// One customer's history in the papers' letters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PurchaseSummary {
    /// Repeat orders: periods with an order, less one.
    pub x: u32,
    /// Time from the first to the last order; 0 when `x` = 0.
    pub t_x: f64,
    /// Time from the first order to the end of observation.
    #[serde(rename = "T")]
    pub t: f64,
}

/// Why a history contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SummaryFault {
    /// `t_x` or `T` is not a number, is infinite, or is negative.
    NotATime,
    /// `t_x` > `T`.
    LastOrderAfterEnd,
    /// `x` > 0 but `t_x` = 0.
    RepeatsWithoutTime,
}

/// A history after its check.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Checked {
    /// As given.
    Sound(PurchaseSummary),
    /// `x` = 0 with `t_x` > 0: `t_x` set to 0.
    Repaired(PurchaseSummary),
    /// Cannot be used.
    Faulty(SummaryFault),
}

impl PurchaseSummary {
    /// Nothing observed yet: every model answers for it from its population.
    pub const UNOBSERVED: Self = Self {
        x: 0,
        t_x: 0.0,
        t: 0.0,
    };

    /// Sound, repaired or faulty.
    pub fn check(self) -> Checked {
        let Self { x, t_x, t } = self;
        if !(t_x.is_finite() && t.is_finite() && t_x >= 0.0 && t >= 0.0) {
            return Checked::Faulty(SummaryFault::NotATime);
        }
        if t_x > t {
            return Checked::Faulty(SummaryFault::LastOrderAfterEnd);
        }
        match (x, t_x > 0.0) {
            (0, true) => Checked::Repaired(Self { x, t_x: 0.0, t }),
            (1.., false) => Checked::Faulty(SummaryFault::RepeatsWithoutTime),
            // Adding zero turns −0 into 0, so that equal times have equal bits.
            _ => Checked::Sound(Self {
                x,
                t_x: t_x + 0.0,
                t: t + 0.0,
            }),
        }
    }

    /// The same history with `silence` more time observed and no further order.
    pub fn after_silence(self, silence: f64) -> Self {
        Self {
            t: self.t + silence,
            ..self
        }
    }
}

/// What became of the observations given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryCounts {
    /// Customers in the likelihood (including the repaired).
    pub customers: u64,
    /// Of those, customers with `x` > 0.
    pub repeaters: u64,
    /// `x` = 0 with `t_x` > 0, taken as `t_x` = 0.
    pub repaired: u64,
    /// `T` = 0: no weight in the likelihood, yet scored by the population.
    pub unobserved: u64,
    /// [`SummaryFault::NotATime`].
    pub not_a_time: u64,
    /// [`SummaryFault::LastOrderAfterEnd`].
    pub last_order_after_end: u64,
    /// [`SummaryFault::RepeatsWithoutTime`].
    pub repeats_without_time: u64,
}

impl SummaryCounts {
    /// All that were left out as faulty.
    pub fn rejected(&self) -> u64 {
        self.not_a_time + self.last_order_after_end + self.repeats_without_time
    }
}

/// Customers with one and the same history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    /// The history.
    pub history: PurchaseSummary,
    /// How many customers have it.
    pub customers: u64,
}

/// Sufficient statistics of all purchase models: distinct histories in order of (x, T, `t_x`).
///
/// The same for any order of the observations.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupedSummaries {
    groups: Vec<Group>,
    counts: SummaryCounts,
}

impl GroupedSummaries {
    /// Checks, sorts and groups.
    ///
    /// # Errors
    /// [`StatsError::NoObservations`] when nothing usable is left.
    pub fn new(observations: &[PurchaseSummary]) -> Result<Self, StatsError> {
        Self::from_groups(observations.iter().map(|&history| Group {
            history,
            customers: 1,
        }))
    }

    /// The same from histories that are already counted; also merges two groupings.
    ///
    /// # Errors
    /// [`StatsError::NoObservations`] when nothing usable is left.
    pub fn from_groups(observed: impl IntoIterator<Item = Group>) -> Result<Self, StatsError> {
        let mut counts = SummaryCounts::default();
        let mut groups = Vec::new();
        for Group { history, customers } in observed {
            let history = match history.check() {
                Checked::Sound(history) => history,
                Checked::Repaired(history) => {
                    counts.repaired += customers;
                    history
                }
                Checked::Faulty(fault) => {
                    *match fault {
                        SummaryFault::NotATime => &mut counts.not_a_time,
                        SummaryFault::LastOrderAfterEnd => &mut counts.last_order_after_end,
                        SummaryFault::RepeatsWithoutTime => &mut counts.repeats_without_time,
                    } += customers;
                    continue;
                }
            };
            if history.t == 0.0 {
                counts.unobserved += customers;
                continue;
            }
            if customers == 0 {
                continue;
            }
            counts.customers += customers;
            counts.repeaters += if history.x > 0 { customers } else { 0 };
            groups.push(Group { history, customers });
        }
        if groups.is_empty() {
            let (rejected, unobserved) = (counts.rejected(), counts.unobserved);
            return Err(StatsError::NoObservations {
                rejected,
                unobserved,
            });
        }
        // The bits of non-negative floats sort as the floats do.
        groups.sort_unstable_by_key(|g| {
            (
                g.history.x,
                g.history.t.to_bits(),
                g.history.t_x.to_bits(),
                g.customers,
            )
        });
        groups.dedup_by(|next, kept| {
            let same = next.history == kept.history;
            if same {
                kept.customers += next.customers;
            }
            same
        });
        Ok(Self { groups, counts })
    }

    /// Distinct histories in order of (x, T, `t_x`).
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// What became of the observations.
    pub fn counts(&self) -> &SummaryCounts {
        &self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(x: u32, t_x: f64, t: f64) -> PurchaseSummary {
        PurchaseSummary { x, t_x, t }
    }

    #[test]
    fn inputchecks_contradictions_are_counted_by_kind() {
        let grouped = GroupedSummaries::new(&[
            history(1, 2.0, 5.0),
            history(0, 2.0, 5.0),
            history(1, 0.0, 5.0),
            history(1, 6.0, 5.0),
            history(1, f64::NAN, 5.0),
            history(0, 0.0, f64::INFINITY),
            history(0, 0.0, -1.0),
            history(0, 0.0, 0.0),
        ])
        .unwrap();
        let expected = SummaryCounts {
            customers: 2,
            repeaters: 1,
            repaired: 1,
            unobserved: 1,
            not_a_time: 3,
            last_order_after_end: 1,
            repeats_without_time: 1,
        };
        assert_eq!(*grouped.counts(), expected);
        assert_eq!(grouped.groups().len(), 2);
    }

    #[test]
    fn inputchecks_nothing_usable_is_an_error() {
        let error = GroupedSummaries::new(&[history(0, 0.0, 0.0), history(2, 0.0, 1.0)]);
        assert_eq!(
            error,
            Err(StatsError::NoObservations {
                rejected: 1,
                unobserved: 1
            })
        );
    }

    #[test]
    fn consistency_order_does_not_matter_and_groupings_merge() {
        let mut all = vec![
            history(1, 2.0, 5.0),
            history(0, -0.0, 5.0),
            history(1, 2.0, 5.0),
            history(0, 0.0, 5.0),
            history(3, 1.0, 4.0),
        ];
        let forwards = GroupedSummaries::new(&all).unwrap();
        all.reverse();
        assert_eq!(forwards, GroupedSummaries::new(&all).unwrap());
        let first = GroupedSummaries::new(&all[..2]).unwrap();
        let second = GroupedSummaries::new(&all[2..]).unwrap();
        let both = first.groups().iter().chain(second.groups()).copied();
        assert_eq!(forwards, GroupedSummaries::from_groups(both).unwrap());
    }
}
