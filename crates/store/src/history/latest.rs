//! The latest moment that rows speak of, mostly told by the limits that files keep of their columns.

use parquet::file::metadata::PageIndexPolicy;
use regulars_core::Timestamp;

use super::file::RunInput;
use super::{History, customers, events, orders};
use crate::StoreError;
use crate::manifest::Family;

/// Columns of order lines that say when something happened.
const OF_ORDERS: [&str; 3] = ["occurred_at", "updated_at", "ended_at"];
/// The same of declared traits and of events.
const OF_OTHERS: [&str; 1] = ["occurred_at"];

impl History {
    /// The latest moment, up to `until`, at which something happened that rows of a family tell:
    /// an order was placed, changed, cancelled or refunded, or what is declared of a customer
    /// became true. `None` when there is none.
    ///
    /// # Errors
    /// When a file is missing, damaged or of an unknown version.
    pub fn latest_until(
        &self,
        family: Family,
        until: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let (schema, columns): (_, &[&str]) = match family {
            Family::Orders => (orders::schema(), &OF_ORDERS),
            Family::Customers => (customers::schema(), &OF_OTHERS),
            Family::Events => (events::schema(), &OF_OTHERS),
        };
        let runs = self.manifest.runs.iter();
        let mut latest = None;
        for run in runs.filter(|run| run.family == family && run.rows > 0) {
            let path = self.dir.join(&run.file);
            let input = RunInput::open(&path, family, schema.clone(), PageIndexPolicy::Skip)?;
            for column in columns {
                latest = latest.max(input.latest_instant(column, until)?);
            }
        }
        Ok(latest)
    }
}
