//! A run as a file: what all families share.
//!
//! Metadata of every run: `regulars.format` (`order-lines`, `declared-traits` or `events`), `regulars.version`,
//! `regulars.currency` (of order lines, once known), `regulars.constants` (columns with one value).
//! Of order lines also `regulars.ends`: `told` where the rows say without `updated_at` when their
//! orders ended; files of earlier versions do not have it.

mod input;
mod latest;
mod output;
mod window;

pub(super) use input::{Batches, RunInput, next_batch};
pub(super) use output::{Key, RunOutput};
pub(super) use window::{Chunks, Pages};

use crate::manifest::Family;

pub(super) const CURRENCY_KEY: &str = "regulars.currency";
pub(super) const CONSTANTS_KEY: &str = "regulars.constants";
const ENDS_KEY: &str = "regulars.ends";
const ENDS_TOLD: &str = "told";
pub(super) const VERSION: u32 = 1;

/// Rows of a row group: what a reader holds of a run at a time.
pub(super) const ROW_GROUP_ROWS: usize = 128 << 10;
/// Rows that wait in a writer as they are; those of a row group wait packed.
pub(super) const BATCH_ROWS: usize = 2 * PAGE_ROWS;
/// Rows of a page: what a look at one customer reads.
pub(super) const PAGE_ROWS: usize = 8 << 10;

/// How many rows are read together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Rows of a row group.
    pub(super) group: usize,
    /// Rows of a page.
    pub(super) page: usize,
}

pub(super) fn layout(family: Family) -> Layout {
    match family {
        Family::Orders | Family::Customers => Layout {
            group: ROW_GROUP_ROWS,
            page: PAGE_ROWS,
        },
        Family::Events => Layout {
            group: super::events::ROW_GROUP_ROWS,
            page: super::events::PAGE_ROWS,
        },
    }
}

pub(super) fn format_name(family: Family) -> &'static str {
    match family {
        Family::Orders => "order-lines",
        Family::Customers => "declared-traits",
        Family::Events => "events",
    }
}
