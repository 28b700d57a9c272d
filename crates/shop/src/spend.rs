//! What finding customers cost: the ad spend file.

use regulars_core::CivilDate;

use crate::Channel;

/// What one row of the ad spend file covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendGrain {
    /// A day.
    Day,
    /// A week from Monday on; the first and the last may be cut by the ends of the data.
    Week,
}

/// A row of the ad spend file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdSpend {
    /// The day, or the first day of the week.
    pub date: CivilDate,
    /// Channel.
    pub channel: Channel,
    /// Campaign.
    pub campaign: &'static str,
    /// How often its advertisements were shown.
    pub impressions: u64,
    /// How often they were clicked.
    pub clicks: u64,
    /// What it cost, minor units.
    pub cost_minor: i64,
}
