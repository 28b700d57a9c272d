//! The command line: every command with its options and two examples.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Customer segmentation that is exact, explained and acts.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 done, 1 failure, 2 wrong usage, 3 not found, 4 invalid input, 5 done in part \
                  (some rows were rejected).\n\nStart here:\n  regulars demo\n  regulars try orders.csv"
)]
pub(crate) struct Cli {
    /// Form of the output.
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,

    /// Workspace to work in; by default the one that the current directory lies in.
    #[arg(
        long,
        short = 'C',
        global = true,
        value_name = "DIR",
        env = "REGULARS_WORKSPACE"
    )]
    pub(crate) workspace: Option<PathBuf>,

    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,

    /// Say nothing but results and errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// Threads to use; results never depend on it.
    #[arg(long, global = true, value_name = "N")]
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

    /// Why a customer is in a segment or not, and when that changes.
    #[command(
        after_help = "Examples:\n  regulars explain 00123 loyal\n  regulars explain 00123 at_risk --as-of 2026-03-01T12:00:00Z"
    )]
    Explain(ExplainArgs),

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

#[derive(Debug, Args)]
pub(crate) struct AsOfArgs {
    /// The moment that "now" means: a day (its end) or an instant; by default the end of the last
    /// day in the data that was not in the future when it was imported.
    #[arg(long, value_name = "WHEN")]
    pub(crate) as_of: Option<String>,
}

/// The moment that is looked at, and what is known of it.
#[derive(Debug, Args)]
pub(crate) struct LookArgs {
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,

    /// Score a past moment with the latest fit instead of the fit that was in use then.
    #[arg(long)]
    pub(crate) restated: bool,
}

/// How files are read.
#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// What the rows are, when it is not recognised: orders, refunds, customers, products, `ad_spend`.
    #[arg(long, value_name = "KIND")]
    pub(crate) entity: Option<String>,

    /// Names of the columns of files without a header; `-` leaves one out.
    #[arg(
        long,
        value_name = "A,B,-,C",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    pub(crate) columns: Vec<String>,

    /// A field and the column that holds it; `trait:NAME=COLUMN` keeps a column of customers in
    /// clear. Counts for the files that have the column.
    #[arg(long, value_name = "FIELD=COLUMN")]
    pub(crate) map: Vec<String>,

    /// Order of day and month, where dates do not tell: dmy or mdy.
    #[arg(long, value_enum)]
    pub(crate) date_order: Option<DateOrderArg>,

    /// Decimal separator, where numbers do not tell: point or comma.
    #[arg(long, value_enum)]
    pub(crate) decimal: Option<DecimalArg>,

    /// What a row is, when it is not recognised: order or line.
    #[arg(long, value_enum)]
    pub(crate) level: Option<LevelArg>,

    /// What a word of the status column means, such as `shipped=placed`.
    #[arg(long, value_name = "WORD=STATUS")]
    pub(crate) status: Vec<String>,

    /// Encoding of text files, when it is not recognised.
    #[arg(long, value_enum)]
    pub(crate) encoding: Option<EncodingArg>,

    /// Read bare numbers in date columns as a spreadsheet's days.
    #[arg(long)]
    pub(crate) excel_dates: bool,
}

impl ReadArgs {
    /// Nothing said.
    pub(crate) fn nothing() -> Self {
        Self {
            entity: None,
            columns: Vec::new(),
            map: Vec::new(),
            date_order: None,
            decimal: None,
            level: None,
            status: Vec::new(),
            encoding: None,
            excel_dates: false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DateOrderArg {
    /// 31/12/2024
    Dmy,
    /// 12/31/2024
    Mdy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DecimalArg {
    /// 1,234.56
    Point,
    /// 1.234,56
    Comma,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LevelArg {
    /// One row for each order.
    Order,
    /// One row for each line of an order.
    Line,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EncodingArg {
    /// UTF-8.
    #[value(name = "utf-8")]
    Utf8,
    /// UTF-16, low byte first.
    #[value(name = "utf-16le")]
    Utf16Le,
    /// UTF-16, high byte first.
    #[value(name = "utf-16be")]
    Utf16Be,
    /// Windows-1252, which includes Latin-1.
    #[value(name = "windows-1252")]
    Windows1252,
}

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

#[derive(Debug, Args)]
pub(crate) struct ScoreArgs {
    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,

    /// Unit of time of the parameters; overrides regulars.toml.
    #[arg(long, value_enum)]
    pub(crate) unit: Option<PeriodArg>,

    /// Orders within one grain are one purchase; overrides regulars.toml.
    #[arg(long, value_enum)]
    pub(crate) grain: Option<PeriodArg>,

    /// Where the holdout begins: a day (its end), at least 14 days after the first order and before
    /// now.
    #[arg(long, value_name = "WHEN")]
    pub(crate) holdout_from: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PeriodArg {
    /// A day.
    Day,
    /// A week.
    Week,
}

#[derive(Debug, Args)]
pub(crate) struct SegmentsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<SegmentsCommand>,

    #[command(flatten)]
    pub(crate) look: LookArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SegmentsCommand {
    /// Definition, size, figures against everyone, what to do.
    #[command(
        after_help = "Examples:\n  regulars segments show at_risk\n  regulars segments show rfm_champions --format json"
    )]
    Show {
        /// Name of the segment.
        name: String,
        #[command(flatten)]
        look: LookArgs,
    },
    /// Size and figures of a rule that is not a segment yet.
    #[command(
        after_help = "Examples:\n  regulars segments preview \"orders >= 3 and churn_level >= 4\"\n  regulars segments preview \"first_order within 30 days\" --format json"
    )]
    Preview {
        /// The rule, such as `orders >= 3 and churn_level >= 4` (docs/rules.md).
        rule: String,
        #[command(flatten)]
        look: LookArgs,
    },
    /// The members of a segment.
    #[command(
        after_help = "Examples:\n  regulars segments members at_risk --limit 20\n  regulars segments members loyal --format csv -o loyal.csv"
    )]
    Members {
        /// Name of the segment.
        name: String,
        #[command(flatten)]
        look: LookArgs,
        /// At most so many, by customer id.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
        /// File to write to instead of stdout.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CustomersArgs {
    #[command(subcommand)]
    pub(crate) command: CustomersCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CustomersCommand {
    /// Traits, orders, scores with intervals, segments with reasons.
    #[command(
        after_help = "Examples:\n  regulars customers show 00123\n  regulars customers show 00123 --format json"
    )]
    Show {
        /// Customer id, or the e-mail of a guest.
        customer: String,
        #[command(flatten)]
        look: LookArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Customer id, or the e-mail of a guest.
    pub(crate) customer: String,
    /// Name of the segment.
    pub(crate) segment: String,
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// What to export.
    #[arg(value_enum)]
    pub(crate) what: ExportWhat,
    #[command(flatten)]
    pub(crate) look: LookArgs,
    /// File to write to: Parquet when it ends in `.parquet`, else in the form of `--format`.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportWhat {
    /// Customers with every trait.
    Customers,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where the workspace is made.
    #[arg(long, default_value = "regulars-demo")]
    pub(crate) dir: PathBuf,

    /// Number of customers.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) customers: u32,

    /// The shop follows from it.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,

    /// End when the shop is there, for scripts.
    #[arg(long)]
    pub(crate) exit: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// Directory for the files.
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: PathBuf,

    /// Number of customers.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) customers: u32,

    /// Number of order lines to aim at; by default about ten for each customer.
    #[arg(long, value_name = "N")]
    pub(crate) order_lines: Option<u64>,

    /// The shop follows from it.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,

    /// Form of the files.
    #[arg(long, value_enum, default_value_t = FilesAs::Parquet)]
    pub(crate) files: FilesAs,

    /// Put in the faults that real exports have.
    #[arg(long)]
    pub(crate) dirty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FilesAs {
    /// Apache Parquet.
    Parquet,
    /// CSV.
    Csv,
}

#[cfg(test)]
mod tests;
