//! Small tables that are not kept by customer: loaded and replaced as a whole.

use regulars_core::CivilDate;

/// A product of the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRow {
    /// The source's id of it.
    pub product: String,
    /// Its name.
    pub name: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// Its brand.
    pub brand: Option<String>,
    /// What one piece costs the shop, in minor units.
    pub cost_minor: Option<i64>,
    /// What one piece sells for, in minor units.
    pub price_minor: Option<i64>,
}

/// What was spent on a channel on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdSpendRow {
    /// The day.
    pub date: CivilDate,
    /// Channel.
    pub channel: String,
    /// Campaign, when the source names it.
    pub campaign: Option<String>,
    /// Amount in minor units.
    pub spend_minor: i64,
    /// Times shown.
    pub impressions: Option<i64>,
    /// Times clicked.
    pub clicks: Option<i64>,
}
