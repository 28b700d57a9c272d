//! What the shop sells.

use std::fmt;

use regulars_core::CivilDate;

/// A product of the shop, from 0 on: its position in [`crate::Shop::products`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductNumber(pub u32);

impl fmt::Display for ProductNumber {
    /// The id in files, such as `P0042`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{:04}", self.0)
    }
}

/// A row of the products file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Which; the id in files is its text.
    pub number: ProductNumber,
    /// Name: brand, look, thing.
    pub name: String,
    /// One of twelve categories.
    pub category: &'static str,
    /// One of twenty-four brands.
    pub brand: &'static str,
    /// List price without tax, minor units.
    pub price_minor: i64,
    /// What the shop pays for it, minor units.
    pub cost_minor: i64,
    /// First day on sale.
    pub launched_on: CivilDate,
}
