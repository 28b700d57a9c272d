//! The last day in the data: what "now" means when nothing else is said.
//!
//! Any record has a day: an order that is placed, changed, cancelled or refunded, a customer who
//! signs up. Records that are dated later than the import that brought them are left out: one
//! mistyped year must not move `now` for everyone.

use regulars_core::{Timestamp, Zone};
use regulars_store::Store;
use regulars_store::log::{LogRecord, LogRecordKind};
use regulars_store::manifest::Family;

use crate::base::AsOfReason;
use crate::error::PipelineError;

/// The end of the last day in the history that is not later than the day of the last import, and
/// why it is that one; `None` without orders and customers. What it gives depends on the store and
/// the time zone alone.
///
/// # Errors
/// When a file of the store cannot be read.
pub(crate) fn last_day(
    store: &Store,
    zone: &Zone,
) -> Result<Option<(Timestamp, AsOfReason)>, PipelineError> {
    let end_of_day = |at| zone.end_of(zone.date_of(at));
    let Some((_, LogRecord::ImportAdded(import))) = store.latest(LogRecordKind::ImportAdded)?
    else {
        return Ok(None);
    };
    let day_of_import = end_of_day(import.recorded_at);
    let Some(latest) = latest_until(store, Timestamp::MAX)? else {
        let customers = store.history().summary(Family::Customers).rows;
        return Ok((customers > 0).then_some((day_of_import, AsOfReason::LastImport)));
    };
    let past = match latest > day_of_import {
        true => latest_until(store, day_of_import)?,
        false => None,
    };
    Ok(Some(match past {
        Some(past) => (end_of_day(past), AsOfReason::LastPastDay),
        None => (end_of_day(latest), AsOfReason::LastDay),
    }))
}

/// The latest moment up to `until` that the history tells.
fn latest_until(store: &Store, until: Timestamp) -> Result<Option<Timestamp>, PipelineError> {
    let history = store.history();
    let orders = history.latest_until(Family::Orders, until)?;
    let customers = history.latest_until(Family::Customers, until)?;
    // A customer of whom nothing tells when they came is kept at the beginning of time.
    let customers = customers.filter(|&at| at > Timestamp(0));
    Ok(orders.max(customers))
}
