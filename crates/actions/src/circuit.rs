//! The circuit of one destination: open while the receiver looks dead, so that it is asked now and
//! then and not by everything that waits for it.
//!
//! Closed → open after some failures in a row → half-open after a while: a few attempts are let
//! through; one that reaches the receiver closes the circuit, one that fails opens it for twice as
//! long. It lives in memory only: a new process starts with closed circuits.

use regulars_core::Timestamp;
use serde::{Deserialize, Serialize};

/// When circuits open and close, as settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CircuitSettings {
    /// Failures in a row that open a circuit.
    pub failures: u32,
    /// Seconds for which it is open the first time; each time after that for twice as long.
    pub open_seconds: u32,
    /// The longest that it gets.
    pub open_max_seconds: u32,
    /// Attempts at the same time that are let through a half-open circuit.
    pub probes: usize,
}

impl Default for CircuitSettings {
    fn default() -> Self {
        Self {
            failures: 5,
            open_seconds: 10,
            open_max_seconds: 600,
            probes: 1,
        }
    }
}

/// A time in which nothing is sent. Not in force before it was set either, so that a clock that was
/// put back ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pause {
    set_at: Timestamp,
    pub(crate) until: Timestamp,
}

impl Pause {
    pub(crate) fn new(now: Timestamp, ms: i64) -> Self {
        Self {
            set_at: now,
            until: now.plus_ms(ms),
        }
    }

    pub(crate) fn in_force(self, now: Timestamp) -> bool {
        self.set_at <= now && now < self.until
    }
}

/// What a circuit looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CircuitState {
    /// Attempts are made.
    Closed,
    /// None are made.
    Open,
    /// A few are made, to see.
    HalfOpen,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Circuit {
    failures: u32,
    /// How often it opened since it was closed.
    times_open: u32,
    open: Option<Pause>,
}

impl Circuit {
    pub(crate) fn state(&self, now: Timestamp) -> CircuitState {
        match self.open {
            None => CircuitState::Closed,
            Some(pause) if pause.in_force(now) => CircuitState::Open,
            Some(_) => CircuitState::HalfOpen,
        }
    }

    /// The end of the time for which it is open.
    pub(crate) fn pause(&self) -> Option<Pause> {
        self.open
    }

    /// The receiver answered.
    pub(crate) fn reached(&mut self) {
        *self = Self::default();
    }

    /// The receiver did not answer, or not in its senses.
    pub(crate) fn failed(&mut self, now: Timestamp, settings: &CircuitSettings) {
        self.failures = self.failures.saturating_add(1);
        let opens = match self.state(now) {
            CircuitState::Closed => self.failures >= settings.failures,
            CircuitState::HalfOpen => true,
            CircuitState::Open => false,
        };
        if opens {
            let first_ms = i64::from(settings.open_seconds) * 1000;
            let doubled_ms = first_ms.saturating_mul(1 << self.times_open.min(30));
            let ms = doubled_ms.min(i64::from(settings.open_max_seconds) * 1000);
            self.open = Some(Pause::new(now, ms));
            self.times_open = self.times_open.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_after_failures_in_a_row_and_closes_by_a_success() {
        let settings = CircuitSettings::default();
        let mut circuit = Circuit::default();
        let at = |seconds: i64| Timestamp(seconds * 1000);
        for _ in 0..4 {
            circuit.failed(at(0), &settings);
        }
        circuit.reached();
        for _ in 0..4 {
            circuit.failed(at(0), &settings);
        }
        assert_eq!(circuit.state(at(0)), CircuitState::Closed);
        circuit.failed(at(0), &settings);
        assert_eq!(circuit.state(at(9)), CircuitState::Open);
        // What was on its way when it opened does not prolong it.
        circuit.failed(at(5), &settings);
        assert_eq!(circuit.state(at(10)), CircuitState::HalfOpen);
        circuit.failed(at(10), &settings);
        assert_eq!(circuit.state(at(29)), CircuitState::Open);
        assert_eq!(circuit.state(at(30)), CircuitState::HalfOpen);
        circuit.reached();
        assert_eq!(circuit.state(at(30)), CircuitState::Closed);
    }

    #[test]
    fn stays_open_for_no_longer_than_set_and_no_longer_than_the_clock_says() {
        let settings = CircuitSettings::default();
        let mut circuit = Circuit::default();
        let mut now = Timestamp(0);
        for _ in 0..50 {
            circuit.failed(now, &settings);
            now = circuit.pause().map_or(now, |pause| pause.until);
        }
        circuit.failed(now, &settings);
        assert_eq!(circuit.pause().unwrap().until, now.plus_ms(600_000));
        assert_eq!(circuit.state(now.plus_ms(-1)), CircuitState::HalfOpen);
    }
}
