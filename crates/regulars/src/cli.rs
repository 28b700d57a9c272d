//! The command line: every command with its options and two examples.

mod deliver;
mod files;
mod live;
mod look;
mod read;
mod shop;
mod transitions;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use deliver::{
    DeliveriesArgs, DeliveriesCommand, DestinationsArgs, DestinationsCommand, FormArg,
};
pub(crate) use files::{ImportArgs, InitArgs, TryArgs};
pub(crate) use live::{
    KeysArgs, KeysCommand, LogFormat, LogLevel, ServeArgs, TokensArgs, TokensCommand,
};
pub(crate) use look::{
    AccountsArgs, AccountsCommand, AsOfArgs, CustomersArgs, CustomersCommand, ExplainArgs,
    ExportArgs, ExportWhat, LookArgs, PeriodArg, ScoreArgs, SegmentsArgs, SegmentsCommand,
};
pub(crate) use read::{DateOrderArg, DecimalArg, EncodingArg, LevelArg, ReadArgs};
pub(crate) use shop::{DemoArgs, FilesAs, GenerateArgs};
pub(crate) use transitions::{HistoryArgs, MembershipsArgs, TransitionsArgs};

/// Heading of the options that every command has, below its own.
const EVERYWHERE: &str = "Options of every command";

/// Customer segmentation that is exact, explained and acts.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 done, 1 failure, 2 wrong usage, 3 not found, 4 invalid input, 5 done in part \
                  (some rows were rejected), 130 interrupted.\n\nStart here:\n  regulars demo\n  regulars try orders.csv"
)]
pub(crate) struct Cli {
    /// Form of the output.
    #[arg(long, global = true, value_enum, default_value_t = Format::Table, help_heading = EVERYWHERE)]
    pub(crate) format: Format,

    /// Workspace to work in; by default the one that the current directory lies in.
    #[arg(
        long,
        short = 'C',
        global = true,
        value_name = "DIR",
        env = "REGULARS_WORKSPACE",
        help_heading = EVERYWHERE
    )]
    pub(crate) workspace: Option<PathBuf>,

    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, help_heading = EVERYWHERE)]
    pub(crate) color: Color,

    /// Say nothing but results and errors.
    #[arg(long, short, global = true, help_heading = EVERYWHERE)]
    pub(crate) quiet: bool,

    /// Threads to use; results never depend on it.
    #[arg(long, global = true, value_name = "N", help_heading = EVERYWHERE)]
    pub(crate) threads: Option<usize>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// One JSON document: the contract for scripts (docs/json.md).
    Json,
    /// One JSON object on each line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    pub(crate) fn apply(self) {
        match self {
            Self::Auto => {}
            Self::Always => anstream::ColorChoice::Always.write_global(),
            Self::Never => anstream::ColorChoice::Never.write_global(),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look at files without a workspace: read, score, say who the customers are.
    #[command(
        after_help = "Examples:\n  regulars try orders.csv\n  regulars try orders.csv customers.csv --currency USD"
    )]
    Try(TryArgs),

    /// Make a workspace: regulars.toml, segments/ and data/.
    #[command(
        after_help = "Examples:\n  regulars init shop\n  regulars init shop --currency USD --time-zone America/New_York"
    )]
    Init(InitArgs),

    /// Add files to the workspace: orders, customers, products, ad spend.
    ///
    /// What is said of a file (`--map`, `--columns`, `--date-order` and so on) is remembered in
    /// mappings.toml for files with the same header.
    #[command(
        after_help = "Examples:\n  regulars import orders.csv --dry-run\n  regulars import orders.csv customers.parquet 'ads/*.csv'\n  regulars import orders.csv --map customer_id=Debitor --date-order dmy\n  regulars import cdnow.txt --columns -,customer_id,date,quantity,total"
    )]
    Import(ImportArgs),

    /// Fit models, judge them on held-out data, score everyone.
    #[command(
        after_help = "Examples:\n  regulars score\n  regulars score --as-of 1997-09-30 --unit week --grain day"
    )]
    Score(ScoreArgs),

    /// The whole picture.
    #[command(
        after_help = "Examples:\n  regulars report\n  regulars report --as-of 2026-01-31 --format json"
    )]
    Report(LookArgs),

    /// List segments; show, preview and export one.
    #[command(
        after_help = "Examples:\n  regulars segments\n  regulars segments show at_risk\n  regulars segments preview \"orders >= 3 and churn_level >= 4\"\n  regulars segments members loyal --format csv -o loyal.csv"
    )]
    Segments(SegmentsArgs),

    /// Look at one customer.
    #[command(
        after_help = "Examples:\n  regulars customers show 00123\n  regulars customers show 00123 --format json"
    )]
    Customers(CustomersArgs),

    /// List accounts, look at one, say who belongs to it.
    #[command(
        after_help = "Examples:\n  regulars accounts\n  regulars accounts show acme\n  regulars accounts customers acme --format csv"
    )]
    Accounts(AccountsArgs),

    /// Why a customer is in a segment or not, and when that changes.
    #[command(
        after_help = "Examples:\n  regulars explain 00123 loyal\n  regulars explain 00123 at_risk --as-of 2026-03-01T12:00:00Z"
    )]
    Explain(ExplainArgs),

    /// Who entered or left a segment, when exactly and why; the latest first.
    #[command(
        after_help = "Examples:\n  regulars transitions --since 1h\n  regulars transitions --segment open_carts --limit 20 --format json"
    )]
    Transitions(TransitionsArgs),

    /// Take events, keep everyone up to date, answer questions; ends on Ctrl-C.
    ///
    /// The tracking API is Segment's: point an existing SDK at the address. The first start makes
    /// and shows a write key and an API token.
    #[command(after_help = "Examples:\n  regulars serve\n  regulars serve --listen 0.0.0.0:7070")]
    Serve(ServeArgs),

    /// Is all of the data there, and can all of it be read? Changes nothing; works beside a server.
    #[command(
        after_help = "Ends with 4 when something is damaged, else with 0.\n\nExamples:\n  regulars doctor\n  regulars doctor --format json"
    )]
    Doctor,

    /// Write keys, with which events are sent.
    #[command(
        after_help = "Examples:\n  regulars keys create --write \"web shop\"\n  regulars keys list"
    )]
    Keys(KeysArgs),

    /// API tokens, with which questions are asked.
    #[command(
        after_help = "Examples:\n  regulars tokens create --role analyst\n  regulars tokens revoke 3f2a9c0d11ee"
    )]
    Tokens(TokensArgs),

    /// Where webhooks go: who enters or leaves a segment is sent there, signed.
    #[command(
        after_help = "Examples:\n  regulars destinations add https://example.com/hook --segments high_value_abandoned_carts\n  regulars destinations list"
    )]
    Destinations(DestinationsArgs),

    /// What became of webhooks: sent, waiting, failed.
    #[command(
        after_help = "Examples:\n  regulars deliveries --failed\n  regulars deliveries replay d3f2a9c0d11.5f0c1e7ab8d94e3f8a6d2b4c9e01f7a3"
    )]
    Deliveries(DeliveriesArgs),

    /// The fitted models: parameters, errors, holdout figures beside baselines.
    #[command(after_help = "Examples:\n  regulars models\n  regulars models --format json")]
    Models,

    /// Write customers with every trait to a file.
    #[command(
        after_help = "Examples:\n  regulars export customers -o customers.parquet\n  regulars export customers --format csv -o customers.csv"
    )]
    Export(ExportArgs),

    /// Every trait that rules can use, with its unit and meaning.
    #[command(after_help = "Examples:\n  regulars traits\n  regulars traits --format json")]
    Traits,

    /// A made-up shop, imported and scored.
    #[command(
        after_help = "Examples:\n  regulars demo\n  regulars demo --dir shop --customers 5000"
    )]
    Demo(DemoArgs),

    /// Write the made-up shop as files, at any size.
    #[command(
        after_help = "Examples:\n  regulars generate -o shop-files\n  regulars generate --customers 1000000 --order-lines 20000000 --seed 7 -o big"
    )]
    Generate(GenerateArgs),

    /// Completions for a shell.
    #[command(
        after_help = "Examples:\n  regulars completions bash > /etc/bash_completion.d/regulars\n  regulars completions zsh > ~/.zfunc/_regulars"
    )]
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: Shell,
    },
}

#[cfg(test)]
mod tests;
