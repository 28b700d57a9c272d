//! The commands of webhooks.

use clap::{Args, Subcommand, ValueEnum};
use regulars_pipeline::deliver::Form;

#[derive(Debug, Args)]
pub(crate) struct DestinationsArgs {
    #[command(subcommand)]
    pub(crate) command: DestinationsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DestinationsCommand {
    /// Add one; the secret that its requests are signed with is shown once.
    #[command(
        after_help = "Examples:\n  regulars destinations add https://example.com/hook\n  regulars destinations add https://example.com/hook --segments open_carts,lapsing --form segment"
    )]
    Add {
        /// Where requests are posted to.
        url: String,
        /// Of which segments, separated by commas; all without it.
        #[arg(long, value_name = "NAMES", value_delimiter = ',')]
        segments: Vec<String>,
        /// What requests look like.
        #[arg(long, value_enum, default_value_t = FormArg::Standard)]
        form: FormArg,
        /// For which causes, separated by commas: event, time, `catch_up`, models, merge, import,
        /// definition; without it all but the last two.
        #[arg(long, value_name = "CAUSES", value_delimiter = ',')]
        causes: Vec<String>,
        /// Let the address be `http://`.
        #[arg(long)]
        allow_http: bool,
    },
    /// List them, and how they fare.
    #[command(
        after_help = "Examples:\n  regulars destinations list\n  regulars destinations list --format json"
    )]
    List,
    /// Remove one, with all that waits for it.
    #[command(
        after_help = "Examples:\n  regulars destinations remove d3f2a9c0d11\n  regulars destinations remove d3f2a9c0d11 --quiet"
    )]
    Remove {
        /// The id that `list` shows.
        id: String,
    },
    /// Give one a new secret; the one before signs too until the next time.
    #[command(
        after_help = "Examples:\n  regulars destinations rotate d3f2a9c0d11\n  regulars destinations rotate d3f2a9c0d11 --quiet"
    )]
    Rotate {
        /// The id that `list` shows.
        id: String,
    },
    /// Let one send again whose receiver answered 410.
    #[command(
        after_help = "Examples:\n  regulars destinations enable d3f2a9c0d11\n  regulars destinations enable d3f2a9c0d11 --quiet"
    )]
    Enable {
        /// The id that `list` shows.
        id: String,
    },
}

/// What requests look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum FormArg {
    /// Standard Webhooks.
    Standard,
    /// Segment's `track` calls.
    Segment,
    /// Segment's `identify` calls.
    SegmentIdentify,
}

impl From<FormArg> for Form {
    fn from(form: FormArg) -> Self {
        match form {
            FormArg::Standard => Self::Standard,
            FormArg::Segment => Self::Segment,
            FormArg::SegmentIdentify => Self::SegmentIdentify,
        }
    }
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DeliveriesArgs {
    #[command(subcommand)]
    pub(crate) command: Option<DeliveriesCommand>,
    /// Only those with something wrong.
    #[arg(long)]
    pub(crate) failed: bool,
    /// How many of the latest, at most.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeliveriesCommand {
    /// The attempts of one, with when, how long, what came of it.
    #[command(
        after_help = "Examples:\n  regulars deliveries attempts d3f2a9c0d11.5f0c1e7ab8d94e3f8a6d2b4c9e01f7a3\n  regulars deliveries attempts d3f2a9c0d11.5f0c1e7ab8d94e3f8a6d2b4c9e01f7a3 --format json"
    )]
    Attempts {
        /// The id that `deliveries` shows.
        id: String,
    },
    /// Send one again that is dead or expired, with all its attempts.
    #[command(
        after_help = "Examples:\n  regulars deliveries replay d3f2a9c0d11.5f0c1e7ab8d94e3f8a6d2b4c9e01f7a3\n  regulars deliveries replay d3f2a9c0d11.5f0c1e7ab8d94e3f8a6d2b4c9e01f7a3 --format json"
    )]
    Replay {
        /// The id that `deliveries` shows.
        id: String,
    },
}
