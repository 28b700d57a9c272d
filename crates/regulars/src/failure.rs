//! Errors become a message and an exit code.

use std::process::ExitCode;

use regulars_pipeline::PipelineError;

use crate::remote::RemoteError;
use crate::text::harmless;

/// Exit code of a process that was interrupted, as shells have it.
pub(crate) const INTERRUPTED: i32 = 130;

/// A wrong use that the command line's grammar cannot see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// How a command ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// All of it.
    Whole,
    /// Some rows were rejected.
    InPart,
    /// What was looked at could not be imported, or is damaged.
    Refused,
}

impl Done {
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Whole => ExitCode::SUCCESS,
            Self::InPart => ExitCode::from(5),
            Self::Refused => ExitCode::from(4),
        }
    }
}

/// Writes the error to stderr and gives its exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let style = anstyle::Style::new()
        .bold()
        .fg_color(Some(anstyle::AnsiColor::Red.into()));
    let message = message(error);
    anstream::eprintln!("{style}error:{style:#} {}", harmless(&message));
    ExitCode::from(code(error))
}

/// The error and its causes, but for those that the text before them ends with already.
fn message(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn code(error: &anyhow::Error) -> u8 {
    if error.is::<Usage>() {
        return 2;
    }
    if let Some(RemoteError::Refused { status, .. }) = error.downcast_ref() {
        return match status {
            404 => 3,
            400 => 4,
            _ => 1,
        };
    }
    match error.downcast_ref::<PipelineError>() {
        None => 1,
        Some(error) => match error {
            PipelineError::HoldoutOutOfRange { .. } => 2,
            PipelineError::NotFound { .. } | PipelineError::NoWorkspace { .. } => 3,
            PipelineError::Config { .. }
            | PipelineError::OtherCurrency { .. }
            | PipelineError::Segment { .. }
            | PipelineError::Rule(_)
            | PipelineError::SeveralKinds { .. }
            | PipelineError::TooManyRejects { .. }
            | PipelineError::NoRate { .. }
            | PipelineError::Currency(_)
            | PipelineError::Destination(_)
            | PipelineError::NoOrders
            | PipelineError::NoOrdersThen { .. }
            | PipelineError::Ingest(_)
            | PipelineError::Fit(_) => 4,
            PipelineError::WorkspaceExists { .. }
            | PipelineError::OldFit { .. }
            | PipelineError::Read { .. }
            | PipelineError::Write { .. }
            | PipelineError::Declared(_)
            | PipelineError::Thread { .. }
            | PipelineError::Store(_) => 1,
        },
    }
}

/// The reader of our output has gone (`| head`): nothing is wrong.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
