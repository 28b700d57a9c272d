//! Orders that are dated later than the import that brought them: one mistyped year must not move
//! `now` for everyone.

use regulars_core::{Partition, Symbols, Timestamp, Zone};
use regulars_store::Store;
use regulars_store::history::SymbolTable;
use regulars_store::log::{LogRecord, LogRecordKind};
use regulars_store::manifest::Family;

use crate::error::PipelineError;

/// The time of the last record that is not later than the day of the last import; `None` when
/// there is none. What it gives depends on the store alone.
///
/// # Errors
/// When a file of the store cannot be read.
pub(crate) fn last_past(store: &Store, zone: &Zone) -> Result<Option<Timestamp>, PipelineError> {
    let Some((_, LogRecord::ImportAdded(import))) = store.latest(LogRecordKind::ImportAdded)?
    else {
        return Ok(None);
    };
    let until = zone.end_of(zone.date_of(import.recorded_at));
    let history = store.history();
    let mut last = None;
    for partition in Partition::all() {
        let runs = || {
            history
                .runs(Family::Orders, partition)
                .filter(|run| run.rows > 0)
        };
        if runs().all(|run| run.last_at <= until) {
            last = last.max(runs().map(|run| run.last_at).max());
            continue;
        }
        let table = SymbolTable::new(Symbols::default());
        let mut reader = history.partition(partition, &table)?;
        while let Some(records) = reader.next_customer()? {
            let past = records.iter().map(|record| record.occurred_at);
            last = last.max(past.filter(|&at| at <= until).max());
        }
    }
    Ok(last)
}
