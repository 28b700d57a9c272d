//! Orders that an import says again as they are stored: they are not stored twice.
//!
//! A daily export of everything grows the history by what changed, not by everything. An order is
//! unchanged when what holds of it in the history, credits and refunds included, is what the
//! import says, under the same identity; leaving it out can then change nothing, now or later.

use std::collections::{BTreeMap, BTreeSet};

use regulars_core::{LineRecord, OrderKey, Partition, RecordKind, RefundKey, Timestamp};
use regulars_profile::Ledger;
use regulars_store::history::{History, OrderReader, OrderRow, SymbolTable};
use regulars_store::vault::IdentityId;

use super::assemble::Assembled;
use crate::error::PipelineError;

/// The stored orders of a partition, asked for by ascending customer.
#[derive(Debug)]
pub(crate) struct Stored<'s>(OrderReader<'s>);

impl<'s> Stored<'s> {
    /// `symbols` begin with those of the import.
    pub(crate) fn open(
        history: &History,
        partition: Partition,
        symbols: &'s SymbolTable,
    ) -> Result<Self, PipelineError> {
        Ok(Self(history.orders(partition, symbols)?))
    }

    /// The orders of `lines`, all of one customer, that are stored just so.
    pub(crate) fn unchanged(
        &mut self,
        lines: &[Assembled],
    ) -> Result<BTreeSet<OrderKey>, PipelineError> {
        let Some(first) = lines.first() else {
            return Ok(BTreeSet::new());
        };
        let customer = first.record.customer;
        while self.0.peek()?.is_some_and(|next| next < customer) {
            self.0.next_customer()?;
        }
        if self.0.peek()? != Some(customer) {
            return Ok(BTreeSet::new());
        }
        let stored = self.0.next_customer()?.unwrap_or_default();
        Ok(unchanged(stored, lines))
    }
}

/// What belongs together in versions of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// The order's lines, with the credits and refunds that came with them.
    Document,
    /// Credits or refunds that came without lines, or one refund of a file of refunds.
    Apart(RecordKind, RefundKey),
}

/// A row without when it was imported.
type Said = (LineRecord, IdentityId);

type Parts = BTreeMap<(OrderKey, Part), Vec<Said>>;

fn unchanged(stored: &[OrderRow], lines: &[Assembled]) -> BTreeSet<OrderKey> {
    let records: Vec<LineRecord> = stored.iter().map(|row| row.record).collect();
    let held = Ledger::newest_versions(&records, Timestamp::MAX);
    let held = held.into_iter().flatten().map(|index| &stored[index]);
    let held = parts(held.map(|row| (row.record, row.identity)), &records);
    let new: Vec<LineRecord> = lines.iter().map(|line| line.record).collect();
    let said = lines
        .iter()
        .map(|line| (line.record, IdentityId(line.identity)));
    let said = parts(said, &new);
    let mut same: BTreeSet<OrderKey> = said.keys().map(|(order, _)| *order).collect();
    for (part, rows) in &said {
        if held.get(part) != Some(rows) {
            same.remove(&part.0);
        }
    }
    same
}

/// Rows by order and part; `all` are the records that decide what a part is.
fn parts(rows: impl Iterator<Item = Said>, all: &[LineRecord]) -> Parts {
    let with_lines: BTreeSet<(OrderKey, u64)> = all
        .iter()
        .filter(|record| record.kind == RecordKind::Sale)
        .map(|record| (record.order, record.import))
        .collect();
    let mut parts = Parts::new();
    for (mut record, identity) in rows {
        let document = with_lines.contains(&(record.order, record.import))
            && !record.is_apart()
            && record.refund == RefundKey::NONE;
        let part = match record.kind {
            RecordKind::Sale => Part::Document,
            RecordKind::Credit | RecordKind::Refund if document => Part::Document,
            kind => Part::Apart(kind, record.refund),
        };
        record.import = 0;
        let rows = parts.entry((record.order, part)).or_default();
        rows.push((record, identity));
    }
    for rows in parts.values_mut() {
        rows.sort_by_key(|(record, _)| (record.line, record.kind, record.occurred_at));
    }
    parts
}

#[cfg(test)]
mod tests {
    use regulars_core::CustomerId;

    use super::*;

    fn record(order: u64, import: u64, kind: RecordKind, net_minor: i64) -> LineRecord {
        LineRecord {
            kind,
            line: u32::from(kind != RecordKind::Sale),
            quantity: 1.0,
            net_minor,
            ..LineRecord::new(CustomerId(1), OrderKey(order), import, Timestamp(0))
        }
    }

    fn stored(record: LineRecord, identity: u64) -> OrderRow {
        OrderRow {
            record,
            order_id: String::new(),
            identity: IdentityId(identity),
        }
    }

    fn said(record: LineRecord, identity: u64) -> Assembled {
        Assembled {
            record,
            identity,
            order_id: String::new(),
        }
    }

    #[test]
    fn an_order_is_unchanged_when_what_holds_is_said_again() {
        use RecordKind::{Credit, Sale};
        let history = [
            stored(record(1, 1, Sale, 10), 1),
            stored(record(2, 1, Sale, 10), 1),
            stored(record(2, 2, Sale, 20), 1),
            stored(record(3, 1, Sale, 10), 1),
            stored(record(3, 1, Credit, 5), 1),
            stored(record(4, 1, Credit, 5), 1),
            stored(record(5, 1, Sale, 10), 7),
        ];
        let same = |lines: &[Assembled]| -> Vec<u64> {
            unchanged(&history, lines)
                .iter()
                .map(|order| order.0)
                .collect()
        };
        assert_eq!(same(&[said(record(1, 9, Sale, 10), 1)]), [1]);
        assert_eq!(same(&[said(record(1, 9, Sale, 11), 1)]), [] as [u64; 0]);
        // What held before the last version is a change.
        assert_eq!(same(&[said(record(2, 9, Sale, 10), 1)]), [] as [u64; 0]);
        assert_eq!(same(&[said(record(2, 9, Sale, 20), 1)]), [2]);
        // A version without the credit takes it back.
        assert_eq!(same(&[said(record(3, 9, Sale, 10), 1)]), [] as [u64; 0]);
        let both = [
            said(record(3, 9, Sale, 10), 1),
            said(record(3, 9, Credit, 5), 1),
        ];
        assert_eq!(same(&both), [3]);
        assert_eq!(same(&[said(record(4, 9, Credit, 5), 1)]), [4]);
        // Another identity may stand for another customer one day.
        assert_eq!(same(&[said(record(5, 9, Sale, 10), 1)]), [] as [u64; 0]);
    }
}
