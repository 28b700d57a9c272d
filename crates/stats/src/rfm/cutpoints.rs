//! Scores 1 to 5 and value tiers as cut points that a later value can be compared with.

use serde::{Deserialize, Serialize};

/// Which end of a scale is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Orders, revenue.
    Larger,
    /// Days since the last order.
    Smaller,
}

impl Better {
    /// `a` is strictly worse than `b`.
    fn worse(self, a: i64, b: i64) -> bool {
        match self {
            Self::Larger => a < b,
            Self::Smaller => a > b,
        }
    }
}

/// Cut points of the score 1 + floor(5 · share of values strictly worse); 5 is best.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cutpoints {
    /// Which end is good.
    pub better: Better,
    /// `thresholds[k]` is the worst value in the population that has score k + 2 or more; `None`
    /// when no value has. From worse to better.
    pub thresholds: [Option<i64>; 4],
}

impl Cutpoints {
    /// Cut points of a population of any order; none at all for an empty one.
    pub fn new(values: &[i64], better: Better) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        if better == Better::Smaller {
            sorted.reverse();
        }
        let n = sorted.len();
        let mut thresholds = [None; 4];
        let mut worse = 0;
        for i in 0..n {
            if i > 0 && sorted[i] != sorted[i - 1] {
                worse = i;
            }
            let score = 1 + 5 * worse / n;
            for threshold in thresholds.iter_mut().take(score - 1) {
                threshold.get_or_insert(sorted[i]);
            }
        }
        Self { better, thresholds }
    }

    /// The score, 1 to 5. For a value of the population it is 1 + floor(5 · share strictly worse);
    /// any other value has the score of the nearest worse one.
    pub fn score(&self, value: i64) -> u8 {
        let reached = |threshold: &&Option<i64>| {
            threshold.is_some_and(|threshold| !self.better.worse(value, threshold))
        };
        1 + self.thresholds.iter().filter(reached).count() as u8
    }
}

/// A value tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// More than nothing, below the other two.
    Low,
    /// The next 30 %.
    Mid,
    /// The top 20 %.
    High,
}

/// Cut points of tiers: top 20 %, next 30 %, rest, among values above 0; ties go up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierCutpoints {
    /// Least value in the high tier; `None` when no value is above 0.
    pub high: Option<i64>,
    /// Least value in the middle tier or above.
    pub mid: Option<i64>,
}

impl TierCutpoints {
    /// Cut points of a population of any order.
    ///
    /// Of n values above 0, the ceil(n / 5) largest and all that equal the last of them are high; the
    /// ceil(n / 2) largest and their equals are middle or high.
    pub fn new(values: &[i64]) -> Self {
        let mut sorted: Vec<i64> = values.iter().copied().filter(|&value| value > 0).collect();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        let n = sorted.len();
        let last_of = |count: usize| count.checked_sub(1).map(|last| sorted[last]);
        Self {
            high: last_of(n.div_ceil(5)),
            mid: last_of(n.div_ceil(2)),
        }
    }

    /// The tier of a value; none for 0 and less, or when the population had none above 0.
    pub fn tier(&self, value: i64) -> Option<Tier> {
        let (high, mid) = (self.high?, self.mid?);
        match value {
            ..=0 => None,
            v if v >= high => Some(Tier::High),
            v if v >= mid => Some(Tier::Mid),
            _ => Some(Tier::Low),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn correctness_ten_distinct_values_make_even_fifths() {
        let values: Vec<i64> = (1..=10).collect();
        let larger = Cutpoints::new(&values, Better::Larger);
        let scores: Vec<u8> = values.iter().map(|&v| larger.score(v)).collect();
        assert_eq!(scores, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
        let smaller = Cutpoints::new(&values, Better::Smaller);
        let scores: Vec<u8> = values.iter().map(|&v| smaller.score(v)).collect();
        assert_eq!(scores, [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]);
    }

    #[test]
    fn correctness_equal_values_get_equal_scores() {
        let values = [1, 1, 1, 1, 1, 1, 1, 1, 2, 3];
        let cut = Cutpoints::new(&values, Better::Larger);
        assert_eq!([1, 2, 3].map(|v| cut.score(v)), [1, 5, 5]);
        assert_eq!(Cutpoints::new(&[7; 9], Better::Larger).score(7), 1);
        assert_eq!(Cutpoints::new(&[], Better::Larger).score(7), 1);
    }

    #[test]
    fn correctness_ties_of_tiers_go_up() {
        let cut = TierCutpoints::new(&[0, -5, 10, 20, 30, 30, 30]);
        assert_eq!(
            cut,
            TierCutpoints {
                high: Some(30),
                mid: Some(30)
            }
        );
        let cut = TierCutpoints::new(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        let tiers = [10, 9, 8, 6, 5, 1, 0].map(|v| cut.tier(v));
        use Tier::{High, Low, Mid};
        let expected = [High, High, Mid, Mid, Low, Low].map(Some);
        assert_eq!(tiers[..6], expected);
        assert_eq!(tiers[6], None);
        assert_eq!(TierCutpoints::new(&[0, -1]).tier(5), None);
    }

    proptest! {
        #[test]
        fn correctness_scores_equal_their_definition(
            values in prop::collection::vec(-5_i64..15, 1..60),
            larger in any::<bool>(),
        ) {
            let better = if larger { Better::Larger } else { Better::Smaller };
            let cut = Cutpoints::new(&values, better);
            for &value in &values {
                let worse = values.iter().filter(|&&v| better.worse(v, value)).count();
                prop_assert_eq!(usize::from(cut.score(value)), 1 + 5 * worse / values.len());
            }
        }
    }
}
