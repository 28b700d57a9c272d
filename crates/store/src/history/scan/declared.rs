//! What was declared of customers, as folds need it.

use regulars_core::{CustomerId, Timestamp};

use super::column::{Column, Numbers, Pieces};
use crate::StoreError;
use crate::history::customers::{DeclaredRow, schema};
use crate::history::file::{Chunks, RunInput};
use crate::history::merge::Rows;
use crate::history::values::Unusable;
use crate::manifest::Family;

const COLUMNS: [&str; 4] = ["customer_id", "occurred_at", "import_offset", "traits"];
/// Rows read at a time.
const BATCH_ROWS: usize = 1 << 10;

/// A run of declared traits, a batch at a time.
#[derive(Debug)]
pub(in crate::history) struct DeclaredScan {
    customers: Column<Numbers<u64>>,
    occurred_at: Column<Numbers<i64>>,
    imports: Column<Numbers<u64>>,
    traits: Column<Pieces>,
}

impl DeclaredScan {
    pub(in crate::history) fn new() -> Self {
        Self {
            customers: Numbers::column(COLUMNS[0]),
            occurred_at: Numbers::column(COLUMNS[1]),
            imports: Numbers::column(COLUMNS[2]),
            traits: Column::new(COLUMNS[3], Pieces),
        }
    }

    fn start(&mut self, chunks: &Chunks<'_>) -> Result<(), Unusable> {
        self.customers.start(chunks)?;
        self.occurred_at.start(chunks)?;
        self.imports.start(chunks)?;
        self.traits.start(chunks)
    }

    fn read(&mut self, count: usize) -> Result<(), Unusable> {
        self.customers.read(count)?;
        self.occurred_at.read(count)?;
        self.imports.read(count)?;
        self.traits.read(count)
    }
}

impl Rows for DeclaredScan {
    type Row = DeclaredRow;
    /// Rows that are left.
    type Group = usize;
    const FAMILY: Family = Family::Customers;

    fn schema() -> arrow::datatypes::SchemaRef {
        schema()
    }

    fn open_group(&mut self, input: &RunInput, index: usize) -> Result<usize, StoreError> {
        let chunks = input.chunks(index);
        self.start(&chunks)
            .map_err(|detail| StoreError::damaged(input.path(), detail))?;
        Ok(chunks.rows())
    }

    fn next_rows(
        &mut self,
        left: &mut usize,
        input: &RunInput,
        rows: &mut Vec<DeclaredRow>,
    ) -> Result<bool, StoreError> {
        rows.clear();
        let count = BATCH_ROWS.min(*left);
        *left -= count;
        self.read(count)
            .map_err(|detail| StoreError::damaged(input.path(), detail))?;
        let traits = self.traits.values.drain(..);
        rows.extend(traits.enumerate().map(|(row, traits)| DeclaredRow {
            customer: CustomerId(self.customers.values[row]),
            occurred_at: Timestamp(self.occurred_at.values[row]),
            import: self.imports.values[row],
            traits,
        }));
        Ok(count > 0)
    }

    fn customer(row: &DeclaredRow) -> CustomerId {
        row.customer
    }

    fn sort(rows: &mut [DeclaredRow]) {
        rows.sort_by(|a, b| {
            let key = |row: &DeclaredRow| (row.occurred_at, row.import);
            key(a).cmp(&key(b)).then_with(|| a.traits.cmp(&b.traits))
        });
    }
}
