//! How long each step of something long took, for the log of whoever runs it.

use std::time::Instant;

/// Steps that follow each other, from when it is made.
#[derive(Debug)]
pub(crate) struct Steps {
    begun: Instant,
}

impl Steps {
    pub(crate) fn begin() -> Self {
        Self {
            begun: Instant::now(),
        }
    }

    /// Says that a step is done, and how long it took; the next one begins.
    pub(crate) fn done(&mut self, step: &'static str) {
        let took_ms = self.begun.elapsed().as_millis() as u64;
        tracing::debug!(step, took_ms, "a step is done");
        self.begun = Instant::now();
    }
}
