//! The latest instant of a column of a run.

use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;
use regulars_core::Timestamp;

use super::input::{RunInput, next_batch};
use crate::StoreError;
use crate::history::values::Columns;

/// What a row group tells of a column without being read.
enum Limit {
    /// The latest instant.
    Latest(Timestamp),
    /// There is none.
    Empty,
    /// Nothing.
    Untold,
}

impl RunInput {
    /// The latest instant of a column that is not later than `until`. Row groups are read only
    /// where their limits do not tell it.
    pub(in crate::history) fn latest_instant(
        &self,
        column: &str,
        until: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        if let Some(value) = self.constants().get(column) {
            let value = value.as_i64().map(Timestamp);
            return Ok(value.filter(|&at| at <= until));
        }
        let mut columns = self.metadata.parquet_schema().columns().iter();
        let position = columns.position(|known| known.name() == column);
        let mut latest = None;
        for (index, group) in self.metadata.metadata().row_groups().iter().enumerate() {
            let of_group = match position.map_or(Limit::Untold, |at| limit(group, at)) {
                Limit::Latest(at) if at <= until => Some(at),
                Limit::Empty => None,
                Limit::Latest(_) | Limit::Untold => self.read_latest(index, column, until)?,
            };
            latest = latest.max(of_group);
        }
        Ok(latest)
    }

    fn read_latest(
        &self,
        group: usize,
        column: &str,
        until: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut batches = self.row_group(group, &[column])?;
        let mut latest = None;
        while let Some(batch) = next_batch(self.path(), &mut batches)? {
            let columns = Columns {
                batch: &batch,
                constants: self.constants(),
            };
            let instants = columns
                .maybe_instants(column)
                .map_err(|why| StoreError::damaged(self.path(), why))?;
            let known = (0..batch.num_rows()).filter_map(|row| instants.get(row));
            let seen = known.filter(|&at| at <= until.0).max();
            latest = latest.max(seen.map(Timestamp));
        }
        Ok(latest)
    }
}

fn limit(group: &RowGroupMetaData, column: usize) -> Limit {
    match group.column(column).statistics() {
        Some(Statistics::Int64(limits)) => match limits.max_opt() {
            Some(&latest) => Limit::Latest(Timestamp(latest)),
            None if limits.null_count_opt() == Some(group.num_rows() as u64) => Limit::Empty,
            None => Limit::Untold,
        },
        Some(_) | None => Limit::Untold,
    }
}
