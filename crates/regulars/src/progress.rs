//! Progress on stderr: a bar on a terminal, a line now and then elsewhere.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use regulars_pipeline::{Progress, Silent, Unit};

use crate::text::plain;

/// The progress for a command: silent when asked to be.
pub(crate) fn progress(quiet: bool) -> Box<dyn Progress> {
    if quiet {
        Box::new(Silent)
    } else if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        Box::new(Bar::default())
    } else {
        Box::new(Lines::default())
    }
}

/// A bar that is gone when its phase is.
#[derive(Default)]
struct Bar {
    bar: Mutex<Option<ProgressBar>>,
}

impl Bar {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<ProgressBar>> {
        self.bar
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Progress for Bar {
    fn begin(&self, phase: &str, total: u64, unit: Unit) {
        let template = match unit {
            Unit::Bytes => "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            Unit::Rows => "{msg} {wide_bar} {human_pos}/{human_len} rows {per_sec} {eta}",
            Unit::Customers => "{msg} {wide_bar} {human_pos}/{human_len} customers {per_sec} {eta}",
            Unit::Partitions | Unit::Steps => {
                "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}"
            }
        };
        let style = ProgressStyle::with_template(template)
            .expect("the templates are right")
            .progress_chars("━╸ ");
        let bar = ProgressBar::new(total)
            .with_style(style)
            .with_message(plain(phase).into_owned());
        if let Some(old) = self.lock().replace(bar) {
            old.finish_and_clear();
        }
    }

    fn advance(&self, done: u64) {
        if let Some(bar) = &*self.lock() {
            bar.set_position(done);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = self.lock().take() {
            bar.finish_and_clear();
        }
    }
}

/// How often a line is written where there is no terminal.
const EVERY: Duration = Duration::from_secs(5);

/// Lines, for logs.
#[derive(Default)]
struct Lines {
    phase: Mutex<Option<Phase>>,
}

struct Phase {
    name: String,
    total: u64,
    unit: Unit,
    began: Instant,
    told: Instant,
}

impl Progress for Lines {
    fn begin(&self, phase: &str, total: u64, unit: Unit) {
        let now = Instant::now();
        let phase = Phase {
            name: plain(phase).into_owned(),
            total,
            unit,
            began: now,
            told: now,
        };
        *self
            .phase
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(phase);
    }

    fn advance(&self, done: u64) {
        let mut phase = self
            .phase
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(phase) = phase.as_mut().filter(|phase| phase.told.elapsed() >= EVERY) else {
            return;
        };
        phase.told = Instant::now();
        let seconds = phase.began.elapsed().as_secs_f64();
        let rate = done as f64 / seconds;
        let left = phase.total.saturating_sub(done) as f64 / rate;
        let (shown, unit) = match phase.unit {
            Unit::Bytes => (rate / 1e6, "MB/s"),
            Unit::Rows => (rate, "rows/s"),
            Unit::Customers => (rate, "customers/s"),
            Unit::Partitions => (rate, "partitions/s"),
            Unit::Steps => (rate, "steps/s"),
        };
        let share = 100.0 * done as f64 / phase.total.max(1) as f64;
        anstream::eprintln!(
            "{}: {share:.0} %, {shown:.1} {unit}, {left:.0} s left",
            phase.name
        );
    }
}
