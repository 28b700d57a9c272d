//! What `serve` says while it works, on stderr: for people or for programs.

use tracing::level_filters::LevelFilter;

use crate::cli::{LogFormat, LogLevel};
use crate::session::Session;

/// Says things in the form that was asked for.
#[derive(Clone, Copy)]
pub(crate) struct Log<'s> {
    session: &'s Session,
    format: LogFormat,
}

impl<'s> Log<'s> {
    /// From here on, what other parts say is written too.
    pub(crate) fn begin(session: &'s Session, format: LogFormat, level: LogLevel) -> Self {
        let level = match level {
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info if session.is_quiet() => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
        };
        let lines = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(std::io::stderr)
            .with_target(false);
        // One that is there already goes on.
        let _ = match format {
            LogFormat::Text => tracing::subscriber::set_global_default(lines.finish()),
            LogFormat::Json => {
                let lines = lines.json().flatten_event(true).with_current_span(false);
                tracing::subscriber::set_global_default(lines.with_span_list(false).finish())
            }
        };
        Self { session, format }
    }

    /// Says where the server itself has come to: a plain line for people.
    pub(crate) fn say(self, text: &str) {
        match self.format {
            LogFormat::Text => self.session.tell(text),
            LogFormat::Json => tracing::info!("{text}"),
        }
    }
}
