//! The commands that take files in, and the one that makes the place for them.

use std::path::PathBuf;

use clap::Args;

use super::{AsOfArgs, ReadArgs};

#[derive(Debug, Args)]
pub(crate) struct TryArgs {
    /// Files or patterns.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// Currency of the amounts; by default what the file says, else EUR.
    #[arg(long)]
    pub(crate) currency: Option<String>,

    /// Time zone of dates without one.
    #[arg(long, default_value = "UTC")]
    pub(crate) time_zone: String,

    /// Look at the good rows however many are bad.
    #[arg(long)]
    pub(crate) allow_rejects: bool,

    #[command(flatten)]
    pub(crate) read: ReadArgs,

    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Directory of the new workspace; its last part is the name.
    pub(crate) directory: PathBuf,

    /// Currency of all amounts (ISO 4217).
    #[arg(long, default_value = "EUR")]
    pub(crate) currency: String,

    /// Time zone in which days begin and end (IANA name).
    #[arg(long, default_value = "UTC")]
    pub(crate) time_zone: String,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Files or patterns.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// Show what is recognised, how rows will be read and which would be rejected; change nothing.
    /// Exits as the import would.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Import the good rows however many are bad.
    #[arg(long)]
    pub(crate) allow_rejects: bool,

    /// Read files again that were imported before in the same way.
    #[arg(long)]
    pub(crate) again: bool,

    /// What order ids belong to, where two systems number their orders alike.
    #[arg(long, default_value = "shop")]
    pub(crate) source: String,

    #[command(flatten)]
    pub(crate) read: ReadArgs,
}
