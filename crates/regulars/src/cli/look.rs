//! The commands that look at what was imported, at some moment.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use regulars_pipeline::SegmentDraft;

use super::transitions::{HistoryArgs, MembershipsArgs};

#[derive(Debug, Args)]
pub(crate) struct AsOfArgs {
    /// The moment that "now" means: a day (its end) or an instant; by default the end of the last
    /// day in the data that was not in the future when it was imported. Rules and settings are
    /// today's: `customers memberships` says what was recorded then.
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
        /// File to write to instead of stdout, in the form of its extension (`.csv`, `.json`, `.jsonl`,
        /// `.parquet`) or of `--format`.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// How many entered and left a segment over time, as a server recorded it.
    #[command(
        after_help = "Examples:\n  regulars segments history abandoned_carts\n  regulars segments history loyal --since 7d --by hour --format csv"
    )]
    History(HistoryArgs),
    /// Make or change a segment of the workspace: a file in `segments/`.
    #[command(
        after_help = "Examples:\n  regulars segments set big_spenders \"revenue > 500\"\n  regulars segments set vips \"in segment loyal and revenue > 1000\" --title VIPs --play \"Invite them to the sale a day early.\""
    )]
    Set(SetArgs),
    /// Remove a segment of the workspace.
    #[command(
        after_help = "Examples:\n  regulars segments remove big_spenders\n  regulars segments remove loyal --quiet"
    )]
    Remove {
        /// Name of the segment.
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// Name of the segment: small letters, digits and `_`. That of a ready-made one replaces it.
    pub(crate) name: String,

    /// Who belongs to it, such as `orders >= 3 and churn_level >= 4` (docs/rules.md).
    pub(crate) rule: String,

    /// Its name for people; by default its name.
    #[arg(long)]
    pub(crate) title: Option<String>,

    /// What it means.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) meaning: String,

    /// What to do about its members; may be repeated.
    #[arg(long, value_name = "STEP")]
    pub(crate) play: Vec<String>,
}

impl SetArgs {
    /// What the segment shall be.
    pub(crate) fn draft(&self) -> SegmentDraft {
        SegmentDraft {
            title: self.title.clone(),
            rule: self.rule.clone(),
            meaning: self.meaning.clone(),
            play: self.play.clone(),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct AccountsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<AccountsCommand>,

    #[command(flatten)]
    pub(crate) as_of: AsOfArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountsCommand {
    /// What was said of an account, and what its customers come to.
    #[command(
        after_help = "Examples:\n  regulars accounts show acme\n  regulars accounts show acme --format json"
    )]
    Show {
        /// Id of the account: the `groupId` of its calls.
        account: String,
        #[command(flatten)]
        as_of: AsOfArgs,
    },
    /// Who belongs to an account.
    #[command(
        after_help = "Examples:\n  regulars accounts customers acme --limit 20\n  regulars accounts customers acme --format csv"
    )]
    Customers {
        /// Id of the account: the `groupId` of its calls.
        account: String,
        #[command(flatten)]
        as_of: AsOfArgs,
        /// At most so many, by customer id.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
}

impl AccountsArgs {
    /// The moment that is looked at.
    pub(crate) fn moment(&self) -> &AsOfArgs {
        match &self.command {
            None => &self.as_of,
            Some(
                AccountsCommand::Show { as_of, .. } | AccountsCommand::Customers { as_of, .. },
            ) => as_of,
        }
    }
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
    /// From when to when they were in which segment, and why, as a server recorded it.
    ///
    /// Recorded is what the rules of then said. `customers show --as-of` tries today's rules on the
    /// past: the two differ after a segment was edited, or events came late.
    #[command(
        after_help = "Examples:\n  regulars customers memberships 00123\n  regulars customers memberships 00123 --segment loyal --format json"
    )]
    Memberships(MembershipsArgs),
    /// Every name of a customer, and how it came to be theirs: by which event and rule, what was
    /// refused, and why.
    #[command(
        after_help = "Examples:\n  regulars customers identity 00123\n  regulars customers identity ann@example.com --format json"
    )]
    Identity {
        /// Customer id, e-mail address or anonymous id.
        customer: String,
    },
    /// Part a name from the customer whom it was merged into: for ever, with what is its own.
    #[command(
        after_help = "Examples:\n  regulars customers unmerge old-123\n  regulars customers unmerge ann@example.com --format json"
    )]
    Unmerge {
        /// The name that is to stand for itself again; `identity` lists them.
        name: String,
        /// What the name is, where a customer id, an address and an anonymous id read alike.
        #[arg(long, value_parser = ["customer_id", "email", "anonymous_id", "previous_id"])]
        kind: Option<String>,
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
    /// File to write to, in the form of its extension (`.csv`, `.json`, `.jsonl`, `.parquet`) or of
    /// `--format`.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportWhat {
    /// Customers with every trait.
    Customers,
}
