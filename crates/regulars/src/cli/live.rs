//! The commands of the live path.

use std::net::SocketAddr;

use clap::{Args, Subcommand, ValueEnum};
use regulars_store::access::Role;

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    pub(crate) listen: SocketAddr,

    /// Form of what is said on stderr while the server works.
    #[arg(
        long,
        value_enum,
        value_name = "FORM",
        default_value_t = LogFormat::Text,
        env = "REGULARS_LOG_FORMAT"
    )]
    pub(crate) log_format: LogFormat,

    /// The least that is said.
    #[arg(
        long,
        value_enum,
        value_name = "LEVEL",
        default_value_t = LogLevel::Info,
        env = "REGULARS_LOG_LEVEL"
    )]
    pub(crate) log_level: LogLevel,
}

/// Form of what a server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// A JSON object on each line: `timestamp`, `level`, `message` and what belongs to it.
    Json,
}

/// The least that a server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// That it cannot go on.
    Error,
    /// And what somebody should look at: failed deliveries, refused requests.
    Warn,
    /// And what changes: its start and end, changes by the API, data lent to commands.
    Info,
    /// And every question to the API, every move of the log to the history.
    Debug,
}

#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a write key, with which events can be sent and nothing else done; it is shown once.
    #[command(
        after_help = "Examples:\n  regulars keys create --write \"shop server\"\n  regulars keys create --write \"web shop\" --client"
    )]
    Create {
        /// What it is for.
        #[arg(long, value_name = "LABEL")]
        write: String,
        /// For pages and apps, where anybody can read the key: it merges no two known customers.
        #[arg(long)]
        client: bool,
    },
    /// List them.
    #[command(after_help = "Examples:\n  regulars keys list\n  regulars keys list --format json")]
    List,
    /// Take one back, by its id.
    #[command(
        after_help = "Examples:\n  regulars keys revoke 3f2a9c0d11ee\n  regulars keys revoke 3f2a9c0d11ee --quiet"
    )]
    Revoke {
        /// The id that `list` shows.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TokensArgs {
    #[command(subcommand)]
    pub(crate) command: TokensCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokensCommand {
    /// Make an API token; it is shown once.
    #[command(
        after_help = "Examples:\n  regulars tokens create --role analyst\n  regulars tokens create --role read-only --label dashboard"
    )]
    Create {
        /// What it may do.
        #[arg(long, value_enum)]
        role: RoleArg,
        /// What it is for.
        #[arg(long, value_name = "LABEL", default_value = "")]
        label: String,
    },
    /// List them.
    #[command(
        after_help = "Examples:\n  regulars tokens list\n  regulars tokens list --format json"
    )]
    List,
    /// Take one back, by its id.
    #[command(
        after_help = "Examples:\n  regulars tokens revoke 3f2a9c0d11ee\n  regulars tokens revoke 3f2a9c0d11ee --quiet"
    )]
    Revoke {
        /// The id that `list` shows.
        id: String,
    },
}

/// What an API token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleArg {
    /// Read.
    ReadOnly,
    /// Read, and make and change segments.
    Analyst,
    /// Everything but erase persons.
    Admin,
    /// Erase persons.
    Erase,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::ReadOnly => Self::ReadOnly,
            RoleArg::Analyst => Self::Analyst,
            RoleArg::Admin => Self::Admin,
            RoleArg::Erase => Self::Erase,
        }
    }
}
