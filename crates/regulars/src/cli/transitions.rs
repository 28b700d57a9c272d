//! `transitions`, `customers memberships`, `segments history`: who moved.

use clap::{Args, ValueEnum};
use regulars_pipeline::Span;

#[derive(Debug, Args)]
pub(crate) struct TransitionsArgs {
    /// Recorded since then: so long ago (`90s`, `15m`, `1h`, `7d`), a day or an instant.
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,

    /// Of this segment only.
    #[arg(long, value_name = "NAME")]
    pub(crate) segment: Option<String>,

    /// Of this customer only, by customer id.
    #[arg(long, value_name = "ID")]
    pub(crate) customer: Option<String>,

    /// At most so many of the latest.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct MembershipsArgs {
    /// Customer id, or the e-mail of a guest.
    pub(crate) customer: String,

    /// In this segment only.
    #[arg(long, value_name = "NAME")]
    pub(crate) segment: Option<String>,

    /// At most so many, those that began last.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Name of the segment.
    pub(crate) name: String,

    /// From then on: so long ago (`90s`, `15m`, `1h`, `7d`), a day (its end) or an instant; 30 days
    /// back when nothing is said.
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,

    /// Until then, likewise; now when nothing is said.
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,

    /// Length of the intervals.
    #[arg(long, value_enum)]
    pub(crate) by: Option<SpanArg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SpanArg {
    /// Days of the workspace's time zone.
    Day,
    /// Hours.
    Hour,
}

impl From<SpanArg> for Span {
    fn from(span: SpanArg) -> Self {
        match span {
            SpanArg::Day => Self::Day,
            SpanArg::Hour => Self::Hour,
        }
    }
}
