//! The settings of the outbox.

use serde::{Deserialize, Serialize};

use crate::circuit::CircuitSettings;
use crate::schedule::{Schedule, ScheduleError};

/// How deliveries are made, as settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutboxSettings {
    /// When attempts are made.
    pub schedule: Schedule,
    /// Requests at the same time to one destination.
    pub concurrency: usize,
    /// The most that waits for one destination; beyond that the oldest are given up.
    pub pending_at_most: usize,
    /// When a destination is taken for dead.
    pub circuit: CircuitSettings,
    /// How long finished deliveries are remembered.
    pub retention: Retention,
}

impl Default for OutboxSettings {
    fn default() -> Self {
        Self {
            schedule: Schedule::default(),
            concurrency: 8,
            pending_at_most: 1_000_000,
            circuit: CircuitSettings::default(),
            retention: Retention::default(),
        }
    }
}

/// How long finished deliveries are remembered: listed, and known when they are enqueued again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Seconds for those that were delivered.
    pub delivered_seconds: u32,
    /// The most that were delivered; older ones are forgotten earlier.
    pub delivered_at_most: usize,
    /// Seconds for those that are dead or expired.
    pub undelivered_seconds: u32,
    /// The most that are dead or expired; older ones are forgotten earlier.
    pub undelivered_at_most: usize,
}

impl Default for Retention {
    /// A day and a hundred thousand; thirty days and a million.
    fn default() -> Self {
        Self {
            delivered_seconds: 86_400,
            delivered_at_most: 100_000,
            undelivered_seconds: 30 * 86_400,
            undelivered_at_most: 1_000_000,
        }
    }
}

/// Settings that make no outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutboxSettingsError {
    /// Correct the schedule.
    #[error("`schedule`: {0}")]
    Schedule(#[from] ScheduleError),
    /// Name at least one.
    #[error("`{0}` is at least 1")]
    Zero(&'static str),
}

impl OutboxSettings {
    /// Checks the settings.
    ///
    /// # Errors
    /// When the schedule makes no sense or nothing could ever be sent.
    pub fn check(&self) -> Result<(), OutboxSettingsError> {
        self.schedule.check()?;
        let needed = [
            ("concurrency", self.concurrency),
            ("pending_at_most", self.pending_at_most),
            ("circuit.failures", self.circuit.failures as usize),
            ("circuit.open_seconds", self.circuit.open_seconds as usize),
            (
                "circuit.open_max_seconds",
                self.circuit.open_max_seconds as usize,
            ),
            ("circuit.probes", self.circuit.probes),
        ];
        match needed.iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => Err(OutboxSettingsError::Zero(name)),
            None => Ok(()),
        }
    }
}
