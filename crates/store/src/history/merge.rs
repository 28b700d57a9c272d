//! Reads the runs of a partition as one, customer by customer.
//!
//! Each run is decoded some thousand rows at a time into rows that are used again. A customer whose
//! rows lie in one run and one batch (nearly all) is handed out where they stand; rows that are
//! spread over batches or runs are gathered, and sorted when they come from several runs.

use std::fmt::Debug;
use std::ops::Range;
use std::path::Path;

use arrow::datatypes::SchemaRef;
use parquet::file::metadata::PageIndexPolicy;
use regulars_core::CustomerId;

use super::file::{Batches, RunInput, next_batch};
use super::values::{Columns, Unusable};
use crate::StoreError;
use crate::manifest::Family;

/// How the row groups of a run become rows.
pub(super) trait Rows: Debug {
    type Row: Clone + Debug;
    /// An open row group.
    type Group: Debug;
    const FAMILY: Family;

    fn schema() -> SchemaRef;

    fn open_group(&mut self, input: &RunInput, index: usize) -> Result<Self::Group, StoreError>;

    /// Replaces `rows` by the next of the group; false at its end.
    fn next_rows(
        &mut self,
        group: &mut Self::Group,
        input: &RunInput,
        rows: &mut Vec<Self::Row>,
    ) -> Result<bool, StoreError>;

    fn customer(row: &Self::Row) -> CustomerId;

    /// Sorts the rows of one customer.
    fn sort(rows: &mut [Self::Row]);
}

/// Whether a run has its partition to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// There is no other run.
    None,
    /// There are others.
    Some,
}

/// How columns that Arrow has read become rows.
pub(super) trait View: Debug {
    type Row: Clone + Debug;
    const FAMILY: Family;
    /// The columns that are read.
    const COLUMNS: &'static [&'static str];

    fn schema() -> SchemaRef;

    /// Appends the rows of a batch.
    fn decode(&mut self, columns: Columns<'_>, rows: &mut Vec<Self::Row>) -> Result<(), Unusable>;

    fn customer(row: &Self::Row) -> CustomerId;

    /// Sorts the rows of one customer.
    fn sort(rows: &mut [Self::Row]);
}

impl<V: View> Rows for V {
    type Row = V::Row;
    type Group = Batches;
    const FAMILY: Family = V::FAMILY;

    fn schema() -> SchemaRef {
        V::schema()
    }

    fn open_group(&mut self, input: &RunInput, index: usize) -> Result<Batches, StoreError> {
        input.row_group(index, V::COLUMNS)
    }

    fn next_rows(
        &mut self,
        batches: &mut Batches,
        input: &RunInput,
        rows: &mut Vec<V::Row>,
    ) -> Result<bool, StoreError> {
        rows.clear();
        let Some(batch) = next_batch(input.path(), batches)? else {
            return Ok(false);
        };
        let columns = Columns {
            batch: &batch,
            constants: input.constants(),
        };
        decode(self, columns, input.path(), rows)?;
        Ok(true)
    }

    fn customer(row: &V::Row) -> CustomerId {
        V::customer(row)
    }

    fn sort(rows: &mut [V::Row]) {
        V::sort(rows);
    }
}

/// A run, some rows of which are in memory.
#[derive(Debug)]
struct Cursor<V: Rows> {
    input: RunInput,
    view: V,
    next_group: usize,
    group: Option<V::Group>,
    rows: Vec<V::Row>,
    /// Position of the next row to hand out.
    at: usize,
}

impl<V: Rows> Cursor<V> {
    /// Customer of the next row; `None` at the end of the run.
    fn customer(&self) -> Option<CustomerId> {
        self.rows.get(self.at).map(V::customer)
    }

    /// Loads rows when none are left.
    fn fill(&mut self) -> Result<(), StoreError> {
        while self.at == self.rows.len() {
            let mut group = match self.group.take() {
                Some(group) => group,
                None if self.next_group == self.input.row_groups() => return Ok(()),
                None => {
                    self.next_group += 1;
                    self.view.open_group(&self.input, self.next_group - 1)?
                }
            };
            self.at = 0;
            let more = self
                .view
                .next_rows(&mut group, &self.input, &mut self.rows)?;
            self.group = more.then_some(group);
        }
        Ok(())
    }

    /// Rows of the customer that are in memory.
    fn rows_of(&self, customer: CustomerId) -> Range<usize> {
        let rest = &self.rows[self.at..];
        let count = rest
            .iter()
            .take_while(|row| V::customer(row) == customer)
            .count();
        self.at..self.at + count
    }

    fn is_last_batch(&self) -> bool {
        self.group.is_none() && self.next_group == self.input.row_groups()
    }
}

fn decode<V: View>(
    view: &mut V,
    columns: Columns<'_>,
    path: &Path,
    rows: &mut Vec<V::Row>,
) -> Result<(), StoreError> {
    view.decode(columns, rows)
        .map_err(|detail| StoreError::damaged(path, detail))
}

/// All runs of a partition.
#[derive(Debug)]
pub(super) struct Merge<V: Rows> {
    cursors: Vec<Cursor<V>>,
    gathered: Vec<V::Row>,
}

impl<V: Rows> Merge<V> {
    /// Opens the runs at `paths`.
    pub(super) fn open<'p>(
        paths: impl Iterator<Item = &'p Path>,
        view: impl Fn(Others) -> V,
    ) -> Result<Self, StoreError> {
        let paths: Vec<&Path> = paths.collect();
        let others = match paths.len() {
            ..=1 => Others::None,
            _ => Others::Some,
        };
        let mut cursors = Vec::new();
        for path in paths {
            let input = RunInput::open(path, V::FAMILY, V::schema(), PageIndexPolicy::Skip)?;
            cursors.push(Cursor {
                input,
                view: view(others),
                next_group: 0,
                group: None,
                rows: Vec::new(),
                at: 0,
            });
        }
        Ok(Self {
            cursors,
            gathered: Vec::new(),
        })
    }

    /// The customer whose rows come next.
    pub(super) fn peek(&mut self) -> Result<Option<CustomerId>, StoreError> {
        let mut next: Option<CustomerId> = None;
        for cursor in &mut self.cursors {
            cursor.fill()?;
            if let Some(customer) = cursor.customer() {
                next = Some(next.map_or(customer, |least| least.min(customer)));
            }
        }
        Ok(next)
    }

    /// The rows of the next customer, sorted.
    pub(super) fn next_customer(&mut self) -> Result<Option<&[V::Row]>, StoreError> {
        let Some(customer) = self.peek()? else {
            return Ok(None);
        };
        let has = |cursor: &Cursor<V>| cursor.customer() == Some(customer);
        let mut having = self
            .cursors
            .iter()
            .enumerate()
            .filter(|(_, cursor)| has(cursor));
        let (Some((first, cursor)), second) = (having.next(), having.next()) else {
            return Ok(None);
        };
        let range = cursor.rows_of(customer);
        let complete = range.end < cursor.rows.len() || cursor.is_last_batch();
        if second.is_none() && complete {
            let cursor = &mut self.cursors[first];
            cursor.at = range.end;
            return Ok(Some(&cursor.rows[range]));
        }
        self.gather(customer)?;
        Ok(Some(&self.gathered))
    }

    fn gather(&mut self, customer: CustomerId) -> Result<(), StoreError> {
        self.gathered.clear();
        let mut runs = 0;
        for cursor in &mut self.cursors {
            let before = self.gathered.len();
            while cursor.customer() == Some(customer) {
                let range = cursor.rows_of(customer);
                self.gathered.extend_from_slice(&cursor.rows[range.clone()]);
                cursor.at = range.end;
                cursor.fill()?;
            }
            runs += usize::from(self.gathered.len() > before);
        }
        if runs > 1 {
            V::sort(&mut self.gathered);
        }
        Ok(())
    }
}

/// The rows of one customer from the runs at `paths`, sorted: reads a few pages of each.
pub(super) fn rows_of<'p, V: View>(
    customer: CustomerId,
    paths: impl Iterator<Item = &'p Path>,
    view: impl Fn() -> V,
) -> Result<Vec<V::Row>, StoreError> {
    let mut found = Vec::new();
    let mut rows = Vec::new();
    for path in paths {
        let input = RunInput::open(path, V::FAMILY, V::schema(), PageIndexPolicy::Required)?;
        let mut view = view();
        let mut batches = input.pages_of(customer, V::COLUMNS)?;
        while let Some(batch) = next_batch(path, &mut batches)? {
            let columns = Columns {
                batch: &batch,
                constants: input.constants(),
            };
            rows.clear();
            decode(&mut view, columns, path, &mut rows)?;
            found.extend(rows.drain(..).filter(|row| V::customer(row) == customer));
        }
    }
    V::sort(&mut found);
    Ok(found)
}

/// The rows of some customers from the run at `path`, in its order; of the other rows nothing but
/// whose they are is read.
pub(super) fn rows_of_some<V: View>(
    path: &Path,
    is_wanted: impl Fn(CustomerId) -> bool,
    view: &mut V,
    mut each: impl FnMut(V::Row),
) -> Result<(), StoreError> {
    let input = RunInput::open(path, V::FAMILY, V::schema(), PageIndexPolicy::Required)?;
    let mut rows = Vec::new();
    for group in 0..input.row_groups() {
        let Some(mut batches) = input.rows_in_group(group, &is_wanted, V::COLUMNS)? else {
            continue;
        };
        while let Some(batch) = next_batch(path, &mut batches)? {
            let columns = Columns {
                batch: &batch,
                constants: input.constants(),
            };
            rows.clear();
            decode(view, columns, path, &mut rows)?;
            rows.drain(..).for_each(&mut each);
        }
    }
    Ok(())
}
