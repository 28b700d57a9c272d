//! `transitions`: who moved.

use clap::Args;

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
