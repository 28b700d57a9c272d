//! The writers of runs, one for each family.

use std::path::Path;

use arrow::error::ArrowError;
use regulars_core::{Currency, LineRecord, Partition, Symbols};

use super::file::{BATCH_ROWS, Key, RunOutput};
use super::{CustomerRow, EventRow, Family, OrderRow, RunInfo, customers, events, orders};
use crate::StoreError;
use crate::log::event::EventRef;
use crate::vault::IdentityId;

/// Events that wait in a writer as they are.
const EVENTS_AT_ONCE: usize = 4 << 10;

/// Writes one run of order lines: made by [`crate::Transaction::order_run`], given back to
/// [`crate::Transaction::add_run`].
#[derive(Debug)]
pub struct OrderRunWriter {
    output: RunOutput,
    columns: orders::OrderColumns,
    /// Whether the rows so far say without `updated_at` when their orders ended.
    tells_ends: bool,
}

impl OrderRunWriter {
    pub(crate) fn create(
        dir: &Path,
        file: String,
        partition: Partition,
        currency: Option<Currency>,
    ) -> Result<Self, StoreError> {
        let layout = (orders::schema(), orders::properties());
        let output = RunOutput::create(dir, file, (Family::Orders, partition), layout, currency)?;
        Ok(Self {
            output,
            columns: orders::OrderColumns::default(),
            tells_ends: true,
        })
    }

    /// Adds a row; rows come sorted by (customer, `occurred_at`, order, import, line).
    ///
    /// All calls for one writer take the same (growing) `symbols`.
    ///
    /// # Errors
    /// When the row is out of order or in the wrong partition, or the file cannot be written.
    pub fn push(
        &mut self,
        symbols: &Symbols,
        record: &LineRecord,
        order_id: &str,
        identity: IdentityId,
    ) -> Result<(), StoreError> {
        let key = Key {
            customer: record.customer,
            occurred_at: record.occurred_at,
            then: [record.order.0, record.import, u64::from(record.line)],
        };
        self.output.count(key, record.import)?;
        self.columns.push(record, order_id, identity);
        self.tells_ends &= !record.ends() || tells_its_end(record);
        if self.columns.len() == BATCH_ROWS {
            self.flush(symbols)?;
        }
        Ok(())
    }

    /// Adds rows.
    ///
    /// # Errors
    /// As [`OrderRunWriter::push`].
    pub fn write(&mut self, symbols: &Symbols, rows: &[OrderRow]) -> Result<(), StoreError> {
        rows.iter()
            .try_for_each(|row| self.push(symbols, &row.record, &row.order_id, row.identity))
    }

    /// Makes the file durable.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self, symbols: &Symbols) -> Result<RunInfo, StoreError> {
        self.flush(symbols)?;
        if self.tells_ends {
            self.output.tell_ends();
        }
        self.output.finish()
    }

    fn flush(&mut self, symbols: &Symbols) -> Result<(), StoreError> {
        if self.columns.len() == 0 {
            return Ok(());
        }
        let batch = self.columns.take(symbols, &mut self.output.constants);
        let batch = batch.map_err(unwritable(self.output.path()))?;
        self.output.write(&batch)
    }
}

/// True when the row says without `updated_at` when its order ended.
fn tells_its_end(record: &LineRecord) -> bool {
    let without = LineRecord {
        updated_at: None,
        ..*record
    };
    without.ended_by() == record.ended_by()
}

/// Writes one run of declared traits: made by [`crate::Transaction::customer_run`], given back to
/// [`crate::Transaction::add_run`].
#[derive(Debug)]
pub struct CustomerRunWriter {
    output: RunOutput,
    columns: customers::CustomerColumns,
}

impl CustomerRunWriter {
    pub(crate) fn create(
        dir: &Path,
        file: String,
        partition: Partition,
    ) -> Result<Self, StoreError> {
        let layout = (customers::schema(), customers::properties());
        let output = RunOutput::create(dir, file, (Family::Customers, partition), layout, None)?;
        Ok(Self {
            output,
            columns: customers::CustomerColumns::default(),
        })
    }

    /// Adds a row; rows come sorted by (customer, `occurred_at`, import, identity).
    ///
    /// # Errors
    /// When the row is out of order or in the wrong partition, or the file cannot be written.
    pub fn push(&mut self, row: &CustomerRow) -> Result<(), StoreError> {
        let key = Key {
            customer: row.customer,
            occurred_at: row.occurred_at,
            then: [row.import, row.identity.0, 0],
        };
        self.output.count(key, row.import)?;
        self.columns.push(row);
        if self.columns.len() == BATCH_ROWS {
            self.flush()?;
        }
        Ok(())
    }

    /// Makes the file durable.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<RunInfo, StoreError> {
        self.flush()?;
        self.output.finish()
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.columns.len() == 0 {
            return Ok(());
        }
        let batch = self
            .columns
            .take()
            .map_err(unwritable(self.output.path()))?;
        self.output.write(&batch)
    }
}

/// Writes one run of events.
#[derive(Debug)]
pub(crate) struct EventRunWriter {
    output: RunOutput,
    columns: events::EventColumns,
}

impl EventRunWriter {
    pub(crate) fn create(
        dir: &Path,
        file: String,
        partition: Partition,
    ) -> Result<Self, StoreError> {
        let layout = (events::schema(), events::properties());
        let output = RunOutput::create(dir, file, (Family::Events, partition), layout, None)?;
        Ok(Self {
            output,
            columns: events::EventColumns::default(),
        })
    }

    /// Adds a row; rows come sorted by (customer, `occurred_at`, offset).
    ///
    /// # Errors
    /// When the row is out of order or in the wrong partition, or the file cannot be written.
    pub(crate) fn push(&mut self, row: &EventRow) -> Result<(), StoreError> {
        self.push_event(row.offset, &row.event.as_ref())
    }

    /// As [`Self::push`], of an event where it lies.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(crate) fn push_event(
        &mut self,
        offset: u64,
        event: &EventRef<'_>,
    ) -> Result<(), StoreError> {
        let key = Key {
            customer: event.customer,
            occurred_at: event.occurred_at,
            then: [offset, 0, 0],
        };
        self.output.count(key, offset)?;
        let pushed = self.columns.push(offset, event);
        pushed.map_err(unwritable(self.output.path()))?;
        if self.columns.len() == EVENTS_AT_ONCE {
            self.flush()?;
        }
        Ok(())
    }

    /// Makes the file durable.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn finish(mut self) -> Result<RunInfo, StoreError> {
        self.flush()?;
        self.output.finish()
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.columns.len() == 0 {
            return Ok(());
        }
        let batch = self.columns.take();
        let batch = batch.map_err(unwritable(self.output.path()))?;
        self.output.write(&batch)
    }
}

/// Columns that do not make a batch: more than 2 GiB of text in one batch.
fn unwritable(path: &Path) -> impl FnOnce(ArrowError) -> StoreError {
    let path = path.to_owned();
    move |error| StoreError::io("write", &path)(std::io::Error::other(error))
}
