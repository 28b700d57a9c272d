//! Scores 1 to 5 as cut points that a later value can be compared with.

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
        Self::of(values.to_vec(), better)
    }

    /// As [`Cutpoints::new`], of values that nobody needs any more.
    pub fn of(values: Vec<i64>, better: Better) -> Self {
        let mut sorted = values;
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
