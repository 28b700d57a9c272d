//! Five levels of churn risk from four thresholds.
//!
//! Risk is the probability of no order within a horizon
//! ([`crate::purchase::PurchaseModel::probability_of_no_order`]).

use serde::{Deserialize, Serialize};

use crate::error::StatsError;

/// Thresholds between five levels; level 1 is the least risk, 5 the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 4]", into = "[f64; 4]")]
pub struct RiskLevels {
    thresholds: [f64; 4],
}

impl RiskLevels {
    /// Levels that start at each of `thresholds`: a risk at or above the first has at least level 2.
    ///
    /// # Errors
    /// [`StatsError::BadArgument`] unless 0 < t₁ < t₂ < t₃ < t₄ ≤ 1.
    pub fn new(thresholds: [f64; 4]) -> Result<Self, StatsError> {
        let mut below = 0.0;
        for value in thresholds {
            if !(value > below && value <= 1.0) {
                let expected = "above 0, above the threshold before it, and at most 1";
                return Err(StatsError::BadArgument {
                    name: "thresholds",
                    expected,
                    value,
                });
            }
            below = value;
        }
        Ok(Self { thresholds })
    }

    /// The four thresholds, increasing.
    pub fn thresholds(&self) -> [f64; 4] {
        self.thresholds
    }

    /// The level, 1 to 5, of a risk; a risk that is not a number has none.
    pub fn level(&self, risk: f64) -> Option<u8> {
        if risk.is_nan() {
            return None;
        }
        let reached = self
            .thresholds
            .iter()
            .filter(|&&threshold| risk >= threshold)
            .count();
        Some(1 + reached as u8)
    }

    /// The risk at which `level` (2 to 5) begins; `None` for other levels.
    pub fn begins(&self, level: u8) -> Option<f64> {
        self.thresholds
            .get(usize::from(level).checked_sub(2)?)
            .copied()
    }
}

/// 0.5, 0.7, 0.85, 0.95: with a horizon of 90 days, every level has customers of the CDNOW sample
/// under each of the models with dropout, at the end of the calibration and at the end of the data.
impl Default for RiskLevels {
    fn default() -> Self {
        Self {
            thresholds: [0.5, 0.7, 0.85, 0.95],
        }
    }
}

impl TryFrom<[f64; 4]> for RiskLevels {
    type Error = StatsError;

    fn try_from(thresholds: [f64; 4]) -> Result<Self, StatsError> {
        Self::new(thresholds)
    }
}

impl From<RiskLevels> for [f64; 4] {
    fn from(levels: RiskLevels) -> Self {
        levels.thresholds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correctness_a_threshold_belongs_to_the_level_above() {
        let levels = RiskLevels::new([0.2, 0.4, 0.6, 0.8]).unwrap();
        let found: Vec<_> = [0.0, 0.2, 0.5, 0.6, 0.79, 0.8, 1.0]
            .map(|risk| levels.level(risk).unwrap())
            .into();
        assert_eq!(found, [1, 2, 3, 4, 4, 5, 5]);
        assert_eq!(levels.level(f64::NAN), None);
        assert_eq!(
            [1, 2, 5, 6].map(|l| levels.begins(l)),
            [None, Some(0.2), Some(0.8), None]
        );
    }

    #[test]
    fn inputchecks_thresholds_increase() {
        for bad in [
            [0.4, 0.2, 0.6, 0.8],
            [0.2, 0.2, 0.3, 0.4],
            [0.1, 0.2, 0.3, 1.1],
        ] {
            assert!(RiskLevels::new(bad).is_err());
        }
        assert!(RiskLevels::new([0.0, 0.2, 0.3, 0.4]).is_err());
        assert!(RiskLevels::new([0.1, 0.2, 0.3, f64::NAN]).is_err());
    }
}
